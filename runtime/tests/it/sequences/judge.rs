//! Judges every block: the runtime's own invariants, and what has to hold from block to block.

use super::logs::complaints;
use pallet_edge_billing::{types::CommitmentRecord, Error as BillingError};
use pallet_edge_traits::{EpochClock, ServiceInspect, StakeInspect};
use selvedge_primitives_math::lease::lease;
use selvedge_primitives_types::{DeviceId, Epoch, Planck, Role, ServiceId};
use selvedge_runtime::{
    check_invariants,
    configs::{nodes::HistoryDepth, system::RuntimeBlockWeights},
    AccountId, Balances, Billing, NodeStaking, Runtime, RuntimeEvent, RuntimeHoldReason, Services,
    Session, System, UsageClock,
};
use sp_runtime::DispatchError;
use std::collections::BTreeMap;

/// What an account may claim and has claimed.
type Payouts = BTreeMap<AccountId, (Planck, Planck)>;

/// What was seen of the chain up to the last block.
pub struct Judge {
    issuance: Planck,
    burnt_of_charges: Planck,
    ended: BTreeMap<(Epoch, DeviceId), CommitmentRecord>,
    payouts: [Payouts; 2],
    session: u32,
}

impl Judge {
    /// Begins with the state as it is.
    pub fn new() -> Self {
        Self {
            issuance: Balances::total_issuance(),
            burnt_of_charges: 0,
            ended: BTreeMap::new(),
            payouts: payouts(),
            session: Session::current_index(),
        }
    }

    /// Refuses the errors that no call can have, whatever it says: they would mean that the books
    /// are wrong.
    pub fn may_fail(&self, error: &DispatchError) {
        let impossible = [
            BillingError::<Runtime>::BooksUnbalanced,
            BillingError::BalanceExhausted,
            BillingError::SharesInvalid,
            BillingError::UnknownPriceList,
        ];
        for one in impossible {
            assert_ne!(*error, DispatchError::from(one));
        }
        assert_ne!(*error, DispatchError::Corruption);
    }

    /// Judges the block that just ended.
    pub fn judge(&mut self) {
        if let Err(broken) = check_invariants() {
            panic!("broken: {broken}");
        }
        self.tokens_are_accounted_for();
        holds_have_reasons();
        charges_stay_within_leases();
        self.ends_are_final();
        self.payouts_only_grow();
        self.blocks_keep_their_weight();
        let complaints = complaints();
        assert!(complaints.is_empty(), "complaints: {complaints:?}");
    }

    /// A block is as heavy as it may be at most. The stock pallet lets the begin of a session weigh as
    /// much as a whole block, whatever else is in it.
    fn blocks_keep_their_weight(&mut self) {
        let max = RuntimeBlockWeights::get().max_block.ref_time();
        let session = Session::current_index();
        let most = match session == self.session {
            true => max,
            false => 2 * max,
        };
        self.session = session;
        let weight = System::block_weight().total().ref_time();
        assert!(weight <= most, "the block weighs {weight} ps");
    }

    /// Nothing is minted after the first block, since the emission pool was endowed in it; what is
    /// burnt is told, and what billing burns is in its books.
    fn tokens_are_accounted_for(&mut self) {
        for record in System::read_events_no_consensus() {
            let RuntimeEvent::Balances(event) = record.event else {
                continue;
            };
            use pallet_balances::Event::*;
            match event {
                Burned { who, amount } => {
                    self.issuance -= amount;
                    if who == Billing::pot() {
                        self.burnt_of_charges += amount;
                    }
                }
                // Bonds of disputes that found nothing, and what a stake loses besides when it pays vouchers.
                BurnedHeld {
                    reason: RuntimeHoldReason::Claims(_) | RuntimeHoldReason::NodeStaking(_),
                    amount,
                    ..
                } => self.issuance -= amount,
                Minted { .. }
                | MintedCredit { .. }
                | BurnedDebt { .. }
                | BurnedHeld { .. }
                | Issued { .. }
                | Rescinded { .. }
                | BalanceSet { .. }
                | TotalIssuanceForced { .. }
                | Unexpected(..) => panic!("tokens came or went: {event:?}"),
                _ => {}
            }
        }
        assert_eq!(self.issuance, Balances::total_issuance(), "issuance");
        let books = pallet_edge_billing::RunningTotals::<Runtime>::get().books;
        assert_eq!(self.burnt_of_charges, books.shares.burn, "burnt of charges");
        let mut sum: Planck = 0;
        for (account, info) in frame_system::Account::<Runtime>::iter() {
            let (free, reserved) = (info.data.free, info.data.reserved);
            sum += free + reserved;
            let held = held(&account);
            assert!(held <= reserved, "{account:?} holds more than is reserved");
        }
        assert_eq!(sum, self.issuance, "the accounts' balances");
    }

    /// A commitment that is credited or void is never touched again.
    fn ends_are_final(&mut self) {
        let records: BTreeMap<_, _> = pallet_edge_billing::Commitments::<Runtime>::iter()
            .map(|(epoch, gateway, record)| ((epoch, gateway), record))
            .collect();
        for (key, before) in &self.ended {
            if let Some(now) = records.get(key) {
                assert_eq!(now, before, "a commitment changed after its end");
            }
        }
        let ended = records.into_iter();
        let ended = ended.filter(|(_, record)| record.status.is_final());
        self.ended.extend(ended);
    }

    /// Payable and claimed never fall.
    fn payouts_only_grow(&mut self) {
        let now = payouts();
        for (before, now) in self.payouts.iter().zip(&now) {
            for (account, (payable, claimed)) in before {
                let (payable_now, claimed_now) = now.get(account).copied().unwrap_or_default();
                assert!(
                    payable_now >= *payable && claimed_now >= *claimed,
                    "the payouts of {account:?} fell"
                );
            }
        }
        self.payouts = now;
    }
}

/// Payouts of usage and of yields.
fn payouts() -> [Payouts; 2] {
    [
        pallet_edge_billing::Payouts::<Runtime>::iter()
            .map(|(account, payout)| (account, (payout.payable, payout.claimed)))
            .collect(),
        pallet_edge_yields::Payouts::<Runtime>::iter()
            .map(|(account, payout)| (account, (payout.payable, payout.claimed)))
            .collect(),
    ]
}

fn held(account: &AccountId) -> Planck {
    let holds = pallet_balances::Holds::<Runtime>::get(account);
    holds.iter().map(|hold| hold.amount).sum()
}

/// Nothing is on hold but what some ledger says. The pallets check it of the accounts they know;
/// this is about the others.
fn holds_have_reasons() {
    let mut holds = [0; 4];
    for (_, list) in pallet_balances::Holds::<Runtime>::iter() {
        for hold in list {
            let place = match hold.id {
                RuntimeHoldReason::NodeStaking(_) => 0,
                RuntimeHoldReason::NodeRegistry(_) => 1,
                RuntimeHoldReason::Services(_) => 2,
                RuntimeHoldReason::Billing(_) => 3,
                _ => continue,
            };
            holds[place] += hold.amount;
        }
    }
    let ledgers: [Planck; 4] = [
        pallet_edge_staking::Stakes::<Runtime>::iter_values()
            .map(|stake| stake.held())
            .sum(),
        pallet_edge_registry::Devices::<Runtime>::iter_values()
            .map(|device| device.deposit)
            .sum(),
        pallet_edge_services::Services::<Runtime>::iter_values()
            .map(|service| service.held())
            .sum(),
        pallet_edge_billing::RunningTotals::<Runtime>::get().prepaid,
    ];
    assert_eq!(
        holds, ledgers,
        "holds of stakes, devices, services, prepaid"
    );
}

/// Invariant 3 of the economy, by what the invoices say: no charge above a lease or a cap.
fn charges_stay_within_leases() {
    let mut sums = BTreeMap::<(Epoch, ServiceId), Planck>::new();
    let horizon = UsageClock::current().minus(u64::from(HistoryDepth::get()) - 1);
    for ((epoch, _, (service, _)), line) in pallet_edge_billing::InvoiceLines::<Runtime>::iter() {
        if epoch < horizon {
            // Terms and counts of then are on their way out.
            continue;
        }
        *sums.entry((epoch, service)).or_default() += line.amount;
        if let Some(terms) = Services::terms_at(service, epoch) {
            let gateways = NodeStaking::active_count(Role::Gateway, epoch);
            assert!(
                line.amount <= lease(terms.cap, gateways),
                "service {service} paid more than a lease in epoch {epoch}"
            );
        }
    }
    for ((epoch, service), sum) in sums {
        if let Some(terms) = Services::terms_at(service, epoch) {
            assert!(
                sum <= terms.cap,
                "service {service} paid more than its cap in epoch {epoch}"
            );
        }
    }
}
