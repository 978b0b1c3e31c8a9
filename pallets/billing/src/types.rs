//! Types of the books that do not know what a pallet is.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use selvedge_primitives_math::fraud::Defect;
use selvedge_primitives_types::{
    DeviceId, Entry, Epoch, Millis, Planck, ServiceId, Usage, UsageCommitment,
};

/// Entries in one page of a usage tree at most.
pub const MAX_PAGE: u32 = 64;

/// Epochs that may be unsettled at once at most, whatever the parameter says: it bounds the history
/// of an account.
pub const MAX_UNSETTLED: u64 = 60;

/// Auditors that are paid for a commitment at most: those of a redraw.
pub const MAX_PAYEES: u64 = 11;

/// A page of consecutive entries of a usage tree.
pub type Page = BoundedVec<Entry, ConstU32<MAX_PAGE>>;

/// Why an account's services are not served.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum SuspensionReason {
    /// The balance does not cover the allowances of all epochs that may be unsettled at once.
    #[codec(index = 0)]
    ReserveUncovered,
    /// There is nothing left.
    #[codec(index = 1)]
    Empty,
}

/// State of a prepaid account.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum AccountState {
    /// Everything is covered.
    #[codec(index = 0)]
    Active,
    /// Covered, but used to the full the money lasts no longer than the warning time.
    #[codec(index = 1)]
    Warned,
    /// Not covered: the services are not served from the next epoch after the suspension on.
    #[codec(index = 2)]
    Suspended(SuspensionReason),
    /// Closed by its owner.
    #[codec(index = 3)]
    Closed,
}

/// From which epochs on an account was funded and was not, oldest first.
///
/// Epochs ascend strictly and the values alternate, beginning with `true`. Epochs before the first
/// change are unfunded.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    Default,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct FundedHistory(BoundedVec<(Epoch, bool), ConstU32<64>>);

impl FundedHistory {
    /// Whether the account was funded in the epoch.
    pub fn at(&self, epoch: Epoch) -> bool {
        self.0
            .iter()
            .rev()
            .find(|(from, _)| *from <= epoch)
            .is_some_and(|(_, funded)| *funded)
    }

    /// Sets what holds from `epoch` on. What was known of later epochs is dropped.
    pub fn set(&mut self, epoch: Epoch, funded: bool) {
        self.0.retain(|(from, _)| *from < epoch);
        if self.at(epoch) != funded {
            // Room is certain once `forget` was called: one change per epoch, fewer epochs than
            // places.
            let _ = self.0.try_push((epoch, funded));
        }
    }

    /// Forgets what only says something about epochs before `epoch`.
    pub fn forget(&mut self, epoch: Epoch) {
        let passed = self.0.iter().take_while(|(from, _)| *from <= epoch).count();
        self.0.drain(..passed.saturating_sub(1));
        // An unfunded beginning says what an empty history says too.
        if self.0.first().is_some_and(|(_, funded)| !funded) {
            self.0.remove(0);
        }
    }

    /// Changes that are kept.
    pub fn changes(&self) -> &[(Epoch, bool)] {
        &self.0
    }
}

/// A prepaid account's ledger. The money itself is on hold in the owner's own account.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Account {
    /// Its state.
    pub state: AccountState,
    /// What is on hold.
    pub balance: Planck,
    /// What of it was reserved for unsettled epochs when the state was last evaluated.
    pub reserved: Planck,
    /// Charged since it was opened.
    pub charged: Planck,
    /// Given back from void commitments since it was opened.
    pub refunded: Planck,
    /// In which epochs its services may be served.
    pub funded: FundedHistory,
    /// In which epochs at least the least deposit was held from the begin on.
    pub deposited: FundedHistory,
}

impl Account {
    /// An account that holds nothing yet.
    pub(crate) fn opened() -> Self {
        Self {
            state: AccountState::Active,
            balance: 0,
            reserved: 0,
            charged: 0,
            refunded: 0,
            funded: FundedHistory::default(),
            deposited: FundedHistory::default(),
        }
    }
}

/// What a wallet shows of a prepaid account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct AccountSummary {
    /// Its state at the last evaluation.
    pub state: AccountState,
    /// What is on hold.
    pub balance: Planck,
    /// What of it is reserved for unsettled epochs now; the rest may be withdrawn.
    pub reserved: Planck,
    /// Charged since it was opened, net of refunds.
    pub charged: Planck,
    /// How long the balance covers the allowances of all services, used to the full.
    pub lasts: Millis,
}

/// Where charges went.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Default,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Shares {
    /// To owners of caches.
    pub caches: Planck,
    /// To owners of gateways.
    pub gateways: Planck,
    /// To owners of stargates.
    pub stargates: Planck,
    /// To the treasury.
    pub treasury: Planck,
    /// Burnt.
    pub burn: Planck,
    /// To referrers.
    pub referral: Planck,
    /// To auditors.
    pub auditors: Planck,
}

impl Shares {
    fn parts(&self) -> [Planck; 7] {
        [
            self.caches,
            self.gateways,
            self.stargates,
            self.treasury,
            self.burn,
            self.referral,
            self.auditors,
        ]
    }

    /// Their sum; `None` on overflow.
    pub fn total(&self) -> Option<Planck> {
        self.parts()
            .into_iter()
            .try_fold(0u128, |sum, part| sum.checked_add(part))
    }

    /// Adds part by part; `None` on overflow.
    pub fn checked_add(&self, other: &Self) -> Option<Self> {
        Some(Self {
            caches: self.caches.checked_add(other.caches)?,
            gateways: self.gateways.checked_add(other.gateways)?,
            stargates: self.stargates.checked_add(other.stargates)?,
            treasury: self.treasury.checked_add(other.treasury)?,
            burn: self.burn.checked_add(other.burn)?,
            referral: self.referral.checked_add(other.referral)?,
            auditors: self.auditors.checked_add(other.auditors)?,
        })
    }
}

/// The books of one commitment, one epoch or the network: `charged = refunded + escrow + shares`.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Default,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Books {
    /// Taken from prepaid accounts.
    pub charged: Planck,
    /// Given back.
    pub refunded: Planck,
    /// In the pot, not divided yet.
    pub escrow: Planck,
    /// Divided.
    pub shares: Shares,
}

/// One movement of the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Posting {
    /// From a prepaid account into the escrow.
    Charge(Planck),
    /// From the escrow back to a customer.
    Refund(Planck),
    /// From the escrow to those who earned it.
    Divide(Shares),
}

impl Books {
    /// The books after a movement; `None` when a number would leave its range, so when the escrow
    /// would be overdrawn.
    pub(crate) fn posted(mut self, posting: &Posting) -> Option<Self> {
        match posting {
            Posting::Charge(amount) => {
                self.charged = self.charged.checked_add(*amount)?;
                self.escrow = self.escrow.checked_add(*amount)?;
            }
            Posting::Refund(amount) => {
                self.refunded = self.refunded.checked_add(*amount)?;
                self.escrow = self.escrow.checked_sub(*amount)?;
            }
            Posting::Divide(shares) => {
                self.escrow = self.escrow.checked_sub(shares.total()?)?;
                self.shares = self.shares.checked_add(shares)?;
            }
        }
        Some(self)
    }

    /// Whether what was charged is all accounted for.
    pub fn balance(&self) -> bool {
        self.shares
            .total()
            .and_then(|shares| shares.checked_add(self.refunded)?.checked_add(self.escrow))
            == Some(self.charged)
    }
}

/// Books of one epoch, with how many of its commitments are under way.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Default,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct EpochBook {
    /// Commitments for the epoch.
    pub commitments: u32,
    /// Those that may still be charged.
    pub unsettled: u32,
    /// Those that are neither credited nor void and refunded.
    pub open: u32,
    /// Their books.
    pub books: Books,
}

/// Running totals of the pallet since genesis.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Default,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Totals {
    /// Books of the network.
    pub books: Books,
    /// On deposit in all prepaid accounts.
    pub prepaid: Planck,
    /// Refunds to accounts that could not take them on deposit; they are payable instead.
    pub returned: Planck,
    /// Payable since genesis.
    pub payable: Planck,
    /// Thereof claimed.
    pub claimed: Planck,
    /// Divided, and not payable to anybody yet: what referrers and new nodes wait for.
    pub pending: Planck,
}

/// What an account may claim, cumulative: `claimed <= payable`, and neither ever falls.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Default,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Payout {
    /// Credited since genesis.
    pub payable: Planck,
    /// Thereof paid out.
    pub claimed: Planck,
}

/// Why a commitment is void.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum VoidReason {
    /// An entry names a service that did not exist in the epoch.
    #[codec(index = 0)]
    UnknownService,
    /// An entry charges somebody else than the service's owner.
    #[codec(index = 1)]
    WrongCustomer,
    /// An entry charges a service that was paused.
    #[codec(index = 2)]
    ServicePaused,
    /// An entry charges an account that was not funded.
    #[codec(index = 3)]
    NotFunded,
    /// An entry is above the gateway's lease.
    #[codec(index = 4)]
    AboveLease,
    /// An entry's amount cannot be the sum of charges for its usage, each rounded down once.
    #[codec(index = 5)]
    WrongPrice,
    /// An entry of the tree by cache has a malformed key.
    #[codec(index = 6)]
    MalformedCache,
    /// An entry credits a device that was no active cache in the epoch.
    #[codec(index = 7)]
    UnknownCache,
    /// It was not settled, or its caches not shown, in time.
    #[codec(index = 8)]
    Overdue,
    /// The void origin said so.
    #[codec(index = 9)]
    Ruled,
    /// An entry's free usage is above the gateway's lease of the free buffer.
    #[codec(index = 10)]
    AboveFreeLease,
    /// An entry has more storage than the service's pins come to in the epoch.
    #[codec(index = 11)]
    AboveStorage,
    /// Somebody proved a defect.
    #[codec(index = 32)]
    Fraud(Defect),
    /// Leaves that were due on chain did not come.
    #[codec(index = 33)]
    LeavesWithheld,
}

/// How far a commitment has come. Whether a `Pending` one may be charged is the audit's to say.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum Status {
    /// Committed; nothing is charged yet.
    #[codec(index = 0)]
    Pending,
    /// Being charged: index of the next customer entry.
    #[codec(index = 1)]
    Settling(u32),
    /// Charged in full; waits for the hold-back to end.
    #[codec(index = 2)]
    HeldBack {
        /// The first epoch it may be paid in.
        matures: Epoch,
        /// Cache entries that were shown and found good.
        checked: u32,
    },
    /// Being paid: index of the next cache entry.
    #[codec(index = 3)]
    Crediting(u32),
    /// Paid in full.
    #[codec(index = 4)]
    Credited,
    /// Void, being refunded: index of the next customer entry.
    #[codec(index = 5)]
    Refunding(u32),
    /// Void; nothing was kept.
    #[codec(index = 6)]
    Void,
}

impl Status {
    /// Whether nothing can happen any more.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Credited | Self::Void)
    }

    /// Whether it may still be charged.
    pub fn is_unsettled(&self) -> bool {
        matches!(self, Self::Pending | Self::Settling(_))
    }
}

/// A commitment with how far it has come and its books.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct CommitmentRecord {
    /// What the gateway committed.
    pub commitment: UsageCommitment,
    /// How far it has come.
    pub status: Status,
    /// Epochs it came late by.
    pub late: u8,
    /// Customer entries that were charged.
    pub settled: u32,
    /// Why it is void, if it is.
    pub void_reason: Option<VoidReason>,
    /// Its books.
    pub books: Books,
    /// What was left of the gateway's stake when it was committed, in planck.
    pub stake: Planck,
    /// What of it was charged to referred customers.
    pub referral: Referral,
}

/// What of a commitment was charged to referred customers, and what their referrers have of it.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Default,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Referral {
    /// Charged to referred customers.
    pub charged: Planck,
    /// Thereof charges whose referrers are not paid yet.
    pub unpaid: Planck,
    /// Divided for referrers and not paid to them yet.
    pub pool: Planck,
}

/// How much of a gateway's escrow has matured since an epoch.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Default,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Pace {
    /// The first epoch of it.
    pub since: Epoch,
    /// How much, in planck.
    pub amount: Planck,
}

/// What a new node earned and its owner may not have yet.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Kept {
    /// When the node's stake was assigned to it.
    pub since: Millis,
    /// How much, in planck.
    pub amount: Planck,
}

impl CommitmentRecord {
    /// The epoch in whose first quarter it was made, at the latest.
    pub fn window(&self) -> Epoch {
        self.commitment.epoch.next().plus(self.late.into())
    }
}

/// One gateway's charge for one service in one epoch.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct InvoiceLine {
    /// Usage charged, per class.
    pub paid: Usage,
    /// Usage out of the free buffer, per class.
    pub free: Usage,
    /// The charge in planck.
    pub amount: Planck,
    /// Price list it was checked against.
    pub price_version: u32,
    /// Index of the entry in the gateway's tree by customer.
    pub entry: u32,
    /// Whether it was given back because the commitment is void.
    pub refunded: bool,
}

/// A line of an invoice with the commitment it can be checked against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct InvoiceItem {
    /// The service.
    pub service: ServiceId,
    /// The gateway that served.
    pub gateway: DeviceId,
    /// The charge.
    pub line: InvoiceLine,
    /// The gateway's commitment.
    pub commitment: UsageCommitment,
    /// How far it has come.
    pub status: Status,
}

/// Lines of a customer in one epoch.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Invoice {
    /// The lines, one per service and gateway.
    pub lines: alloc::vec::Vec<InvoiceItem>,
    /// Whether no further line can come.
    pub complete: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_answers_for_every_epoch_it_keeps() {
        let mut history = FundedHistory::default();
        assert!(!history.at(Epoch(0)));
        history.set(Epoch(3), true);
        history.set(Epoch(5), false);
        history.set(Epoch(9), true);
        let answers: alloc::vec::Vec<_> = (2..11).map(|epoch| history.at(Epoch(epoch))).collect();
        assert_eq!(
            answers,
            [false, true, true, false, false, false, false, true, true]
        );
        history.forget(Epoch(6));
        assert_eq!(history.changes(), [(Epoch(9), true)]);
        assert!(!history.at(Epoch(8)));
    }

    #[test]
    fn a_change_that_has_not_come_yet_can_be_taken_back() {
        let mut history = FundedHistory::default();
        history.set(Epoch(1), true);
        history.set(Epoch(4), false);
        history.set(Epoch(4), true);
        assert_eq!(history.changes(), [(Epoch(1), true)]);
    }

    #[test]
    fn a_history_never_overflows_when_it_forgets() {
        let mut history = FundedHistory::default();
        for epoch in 1..1_000 {
            history.forget(Epoch(epoch).minus(MAX_UNSETTLED));
            history.set(Epoch(epoch).next(), epoch % 2 == 1);
            assert_eq!(
                history.at(Epoch(epoch).next()),
                epoch % 2 == 1,
                "epoch {epoch}"
            );
        }
        assert!(history.changes().len() as u64 <= MAX_UNSETTLED + 2);
    }

    #[test]
    fn books_refuse_to_be_overdrawn() {
        let books = Books::default().posted(&Posting::Charge(10)).unwrap();
        assert_eq!(books.posted(&Posting::Refund(11)), None);
        let shares = Shares {
            caches: 6,
            gateways: 5,
            ..Default::default()
        };
        assert_eq!(books.posted(&Posting::Divide(shares)), None);
        let shares = Shares {
            caches: 6,
            gateways: 3,
            ..Default::default()
        };
        let books = books.posted(&Posting::Divide(shares)).unwrap();
        assert_eq!(books.escrow, 1);
        assert!(books.balance());
        assert!(!Books {
            charged: 11,
            ..books
        }
        .balance());
        assert_eq!(books.posted(&Posting::Charge(Planck::MAX)), None);
    }
}
