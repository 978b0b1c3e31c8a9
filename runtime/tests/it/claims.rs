//! What a gateway owes on the real runtime: caches and customers claim it, and the books balance to the unit.

use crate::{
    chain::{hold_back, run, Chain},
    economy::{page, status, Network, ACCEPTED, CACHE_OWNERS, CUSTOMER, GATEWAY_OWNER, SERVICE},
};
use frame_support::{
    assert_ok,
    traits::{fungible::InspectHold, Get},
};
use pallet_edge_billing::{Call as BillingCall, Payouts};
use pallet_edge_claims::{types::Shown, Call, Error};
use pallet_edge_staking::HoldReason;
use pallet_edge_traits::{CommitmentAudit, CommitmentFate, EpochClock, StakeInspect};
use selvedge_primitives_math::{ratio::apply, TreeKind, UsageTrees};
use selvedge_primitives_runtime_api::CommitmentStatus;
use selvedge_primitives_types::{Domain, Epoch, Planck, Ppm, Role, SignedVoucher, Voucher};
use selvedge_runtime::{
    check_invariants, configs::params::dynamic_params::billing, constants::currency::SEL, Audits,
    Balances, Billing, NodeStaking, Runtime, UsageClock,
};
use sp_keyring::Sr25519Keyring;

const ANYBODY: Sr25519Keyring = Sr25519Keyring::Dave;
/// Earns nothing but that.
const REFERRER: Sr25519Keyring = Sr25519Keyring::One;
const EPOCH: Epoch = Epoch(1);

/// The gateway's last voucher of epoch 1 for the first cache.
fn redeem(network: &Network, amount: Planck, shown: Option<Shown>) -> Call<Runtime> {
    let voucher = Voucher {
        epoch: EPOCH,
        gateway: network.gateway.id(),
        cache: network.cache(0).id(),
        seq: 9,
        amount,
        ..Default::default()
    };
    let signature = network.gateway.sign(Domain::Voucher, &voucher);
    let voucher = SignedVoucher { voucher, signature };
    Call::redeem_voucher {
        voucher: voucher.into(),
        shown: shown.map(Into::into),
    }
}

fn staked() -> Planck {
    Balances::balance_on_hold(&HoldReason::Stake.into(), &GATEWAY_OWNER.to_account_id())
}

fn free(key: Sr25519Keyring) -> Planck {
    Balances::free_balance(key.to_account_id())
}

/// Usage of epoch 1 that is charged and shown.
fn settled(chain: &mut Chain) -> (Network, UsageTrees) {
    let network = Network::start(chain);
    let trees = network.trees(1, 1_000);
    chain.run_to(2, 0);
    network.commit(chain, &trees);
    network.pass(chain);
    network.settle(chain, &trees);
    network.credit(chain, &trees);
    assert_eq!(status(&network, 1), Some(CommitmentStatus::HeldBack));
    (network, trees)
}

/// Goes to where the usage is paid, and has it paid.
fn credit(chain: &mut Chain, network: &Network, trees: &UsageTrees) {
    chain.leap_to(ACCEPTED + hold_back(), 0);
    network.credit(chain, trees);
    assert_eq!(status(network, 1), Some(CommitmentStatus::Credited));
}

#[test]
fn a_cache_is_paid_for_an_epoch_that_its_gateway_never_committed() {
    run("local_testnet", |chain| {
        let network = Network::start(chain);
        let issued = Balances::total_issuance();
        let call = redeem(&network, SEL, None);
        let early = chain.send(ANYBODY, call.clone());
        assert_eq!(early, Err(Error::<Runtime>::NotDecided.into()));
        chain.leap_to(EPOCH.0 + billing::UnsettledEpochs::get(), 0);
        let (held, mine) = (staked(), free(CACHE_OWNERS[0]));
        assert_ok!(chain.send(ANYBODY, call.clone()));
        // 85 % less the stargates' tenth, of which the cache has 60 %; a quarter of that is burnt.
        let value = SEL * 51 / 100;
        let paid = apply(Ppm::percent(75), value);
        assert_eq!(staked(), held - value);
        assert_eq!(free(CACHE_OWNERS[0]), mine + paid);
        assert_eq!(Balances::total_issuance(), issued - (value - paid));
        let next = UsageClock::current().next();
        assert_eq!(NodeStaking::active_count(Role::Gateway, next), 0);
        let again = chain.send(ANYBODY, call);
        assert_eq!(again, Err(Error::<Runtime>::Superseded.into()));
        check_invariants().expect("the books balance");
    });
}

#[test]
fn a_cache_is_paid_what_a_commitment_left_out() {
    run("local_testnet", |chain| {
        let (network, trees) = settled(chain);
        credit(chain, &network, &trees);
        let (entries, _) = page(&trees, TreeKind::Caches);
        let cache = network.cache(0).id();
        let own = |key: &selvedge_primitives_types::EntryKey| {
            key.as_cache().is_some_and(|key| key.0 == cache)
        };
        let place = entries.iter().position(|entry| own(&entry.key));
        let place = place.expect("the cache supplied some");
        let shown = Shown {
            entries: vec![entries[place]].try_into().expect("it is one"),
            proof: trees.prove_entries::<pallet_edge_traits::HostKeccak>(
                TreeKind::Caches,
                place as u32,
                1,
            ),
        };
        let (held, mine) = (staked(), free(CACHE_OWNERS[0]));
        let earned = Payouts::<Runtime>::get(GATEWAY_OWNER.to_account_id());
        let unclaimed = earned.payable - earned.claimed;
        assert!(unclaimed > 0 && unclaimed < SEL / 2);
        let stated = entries[place].sum.amount;
        assert_ok!(chain.send(ANYBODY, redeem(&network, stated + SEL, Some(shown))));
        // What the gateway earned comes first; as much as is paid is burnt of its stake.
        let due = SEL * 51 / 100;
        assert_eq!(free(CACHE_OWNERS[0]), mine + due);
        assert_eq!(staked(), held - (due - unclaimed) - due);
        let earned = Payouts::<Runtime>::get(GATEWAY_OWNER.to_account_id());
        assert_eq!(earned.payable, earned.claimed);
        check_invariants().expect("the books balance");
    });
}

#[test]
fn half_of_a_disputed_line_is_burnt_and_nobody_gains() {
    run("local_testnet", |chain| {
        let (network, trees) = settled(chain);
        let (gateway, customer) = (network.gateway.id(), CUSTOMER.to_account_id());
        let line = Billing::held_line(&customer, SERVICE, &gateway, EPOCH);
        let amount = line.expect("it is held back").amount;
        let burn = amount / 2;
        let dispute = Call::dispute_line {
            gateway,
            epoch: EPOCH,
            service: SERVICE,
            burn,
        };
        assert_ok!(chain.send(CUSTOMER, dispute));
        // Auditors of the window that closes next are to look at it, and nothing is paid before they have voted.
        assert!(Audits::is_challenged(&gateway, EPOCH));
        chain.run_to(ACCEPTED + 2, 0);
        chain.blocks(2);
        assert!(!Audits::is_challenged(&gateway, EPOCH));
        let issued = Balances::total_issuance();
        credit(chain, &network, &trees);
        let record = Billing::commitment(&gateway, EPOCH).expect("it is kept");
        let shares = record.books.shares;
        assert_eq!(shares.total(), Some(amount));
        // The rest is divided as ever: 2 % of it are burnt too, less what is lost by rounding.
        let usual = (amount - burn) * 2 / 100;
        assert!((burn + usual - 3..=burn + usual).contains(&shares.burn));
        let close = Call::close_dispute {
            gateway,
            epoch: EPOCH,
            customer,
            service: SERVICE,
        };
        assert_ok!(chain.send(ANYBODY, close));
        let bond = billing::DisputeBond::get();
        assert_eq!(
            Balances::total_issuance(),
            issued - shares.burn - bond,
            "the bond is burnt as well"
        );
        check_invariants().expect("the books balance");
    });
}

#[test]
fn a_referrer_is_paid_what_the_customers_of_others_leave_to_the_treasury() {
    run("local_testnet", |chain| {
        let referrer = REFERRER.to_account_id();
        let opened = BillingCall::deposit_referred {
            amount: SEL,
            referrer: referrer.clone(),
        };
        assert_ok!(chain.send(CUSTOMER, opened));
        let (network, trees) = settled(chain);
        credit(chain, &network, &trees);
        let (gateway, epoch) = (network.gateway.id(), EPOCH);
        let record = Billing::commitment(&gateway, epoch).expect("it is kept");
        let (shares, amount) = (record.books.shares, record.books.charged);
        assert!(shares.referral <= amount / 10 && shares.referral + 3 > amount / 10);
        let pay = BillingCall::pay_referrals { gateway, epoch };
        assert_ok!(chain.send(Sr25519Keyring::Alice, pay));
        assert_eq!(Payouts::<Runtime>::get(&referrer).payable, shares.referral);
        let before = free(REFERRER);
        let claim = BillingCall::claim_for { account: referrer };
        assert_ok!(chain.send(Sr25519Keyring::Alice, claim));
        assert_eq!(free(REFERRER), before + shares.referral);
        check_invariants().expect("the books balance");
    });
}
