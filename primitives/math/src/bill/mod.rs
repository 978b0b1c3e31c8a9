//! The itemised bill of a customer over many epochs, every line checked against what its gateway committed to.
//!
//! The chain gives a head per epoch, gateways give the evidence behind its lines; both are passed in, and the answer says per
//! service, day and usage class what was used, at which price, what it cost, what was free and what came back. Nothing is left out of it
//! for being wrong: a line that does not check out stays on the bill, with the reason.
//!
//! What evidence cannot show is whether the heads are those of the chain: that none has fewer lines, when an epoch began, how far a
//! commitment has come. Read them from a node of your own or a light client. [`Bill::heads`] is the digest of all of them; two who
//! read the same heads get the same.
//!
//! Invariant 1: charges + rounding - refunds of the items, and what is unverified, make what is due, to the unit.
//! Invariant 2: a change of a leaf, an entry, a proof, or of what a head says of usage, charges and prices in use is noticed.

mod line;
mod statement;

pub use line::{check_line, Evidence, LeafPage, Unverified, Verified};

use crate::hash::Keccak256;
use alloc::vec::Vec;
use core::{fmt, ops::RangeInclusive};
use selvedge_primitives_types::{
    Account, DeviceId, Epoch, Finality, Hash, InvoiceHead, InvoiceLine, Millis, Planck, ServiceId,
    Usage, UsageClass,
};
use statement::Statement;

/// Milliseconds of a day.
const DAY_MILLIS: u64 = 86_400_000;

/// A day of UTC, in days since 1970-01-01. An epoch belongs to the day it began in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(pub u64);

impl Day {
    /// The day of a moment.
    pub fn of(time: Millis) -> Self {
        Self(time.0 / DAY_MILLIS)
    }

    /// When it begins.
    pub fn begin(self) -> Millis {
        Millis(self.0.saturating_mul(DAY_MILLIS))
    }
}

/// One item of a bill: what a service used, or got back, in a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// The service.
    pub service: ServiceId,
    /// The day.
    pub day: Day,
    /// What for.
    pub kind: ItemKind,
}

/// What an item is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemKind {
    /// Use of a class at a price.
    Charge {
        /// The class.
        class: UsageClass,
        /// Units used.
        units: u128,
        /// Version of the price list.
        version: u32,
        /// Price of a unit, in planck times 2^32.
        price: u64,
        /// `floor(units × price / 2^32)`, in planck.
        amount: Planck,
    },
    /// Use of a class out of the free buffer: it adds nothing.
    Free {
        /// The class.
        class: UsageClass,
        /// Units used.
        units: u128,
        /// Version of the price list.
        version: u32,
        /// Price of a unit, in planck times 2^32.
        price: u64,
        /// What they would have cost, in planck: the credit.
        credit: Planck,
    },
    /// What was charged less the day's charges by class: charges are rounded down once per leaf, so it is negative but for a few planck.
    Rounding(i128),
    /// What was given back of void commitments, in planck.
    Refund(Planck),
}

/// A line as it was charged, and whether it is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// The epoch.
    pub epoch: Epoch,
    /// When it began.
    pub from: Millis,
    /// The service.
    pub service: ServiceId,
    /// The gateway that served.
    pub gateway: DeviceId,
    /// Usage charged.
    pub paid: Usage,
    /// Usage out of the free buffer.
    pub free: Usage,
    /// The charge, in planck.
    pub amount: Planck,
    /// What may still become of it.
    pub finality: Finality,
    /// What it rests on, or why it is not verified.
    pub outcome: Result<Verified, Unverified>,
}

/// What is wrong with a head by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadDefect {
    /// It is of another customer.
    ForeignCustomer,
    /// Its epoch is outside the period, or not above the one before.
    OutOfOrder,
    /// It ends before it begins, or does not begin where the epoch before ended.
    WrongTime,
    /// It has two lines of one service and gateway.
    DoubleLine,
    /// It has two price lists of one version, or another one than a head before.
    PricesDiffer(u32),
}

impl fmt::Display for HeadDefect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ForeignCustomer => f.write_str("it is of another customer"),
            Self::OutOfOrder => f.write_str("it is outside the period, or there twice"),
            Self::WrongTime => f.write_str("it does not begin where the epoch before it ended"),
            Self::DoubleLine => f.write_str("it has two lines of one service and gateway"),
            Self::PricesDiffer(version) => {
                write!(f, "it has another price list {version} than before")
            }
        }
    }
}

/// Sums of a bill, in planck.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// All charges.
    pub charged: Planck,
    /// What was given back of them.
    pub refunded: Planck,
    /// The rest: what the period costs.
    pub due: Planck,
    /// Of what is due, the part that stays for certain.
    pub settled: Planck,
    /// Of what is due, the part that no evidence is behind.
    pub unverified: Planck,
    /// What verified free usage would have cost.
    pub free: Planck,
}

/// A bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bill {
    /// Who pays.
    pub customer: Account,
    /// Its epochs.
    pub epochs: (Epoch, Epoch),
    /// Items of verified lines, and refunds, sorted by service and day.
    pub items: Vec<Item>,
    /// Every line of every head, in the order they were read.
    pub lines: Vec<Line>,
    /// Sums.
    pub totals: Totals,
    /// Runs of epochs without a head, both ends included: what they cost is not on the bill.
    pub absent: Vec<(Epoch, Epoch)>,
    /// Epochs in which further charges may come.
    pub incomplete: Vec<Epoch>,
    /// What is wrong with heads by themselves.
    pub defects: Vec<(Epoch, HeadDefect)>,
    /// Digest of all heads: `d ← keccak(d ‖ SCALE(head))`, from zeros.
    pub heads: Hash,
}

impl Bill {
    /// Whether nothing on it is wrong. Lines that nobody showed anything of, and epochs without a head, are not wrong: see [`Bill::is_whole`].
    pub fn is_sound(&self) -> bool {
        let is_wrong =
            |line: &Line| matches!(line.outcome, Err(reason) if reason != Unverified::NotShown);
        self.defects.is_empty() && !self.lines.iter().any(is_wrong)
    }

    /// Whether every epoch has a head and every line is verified.
    pub fn is_whole(&self) -> bool {
        self.is_sound()
            && self.absent.is_empty()
            && self.lines.iter().all(|line| line.outcome.is_ok())
    }

    /// Whether nothing on it can change any more.
    pub fn is_final(&self) -> bool {
        let may_change = |line: &Line| {
            matches!(
                line.finality,
                Finality::Open | Finality::Disputable | Finality::Void
            )
        };
        self.absent.is_empty() && self.incomplete.is_empty() && !self.lines.iter().any(may_change)
    }
}

/// The sums of a bill do not fit into their types: no chain has so much money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BillOverflow;

impl fmt::Display for BillOverflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the sums of the bill do not fit into 128 bits")
    }
}

impl core::error::Error for BillOverflow {}

/// Makes the bill of a customer over a period of epochs, and checks every line of it.
///
/// `heads` come by ascending epoch. `evidence` is asked once for each line, so that only one line's is in memory at a time; `None`
/// is what nobody showed.
pub fn check<H: Keccak256>(
    customer: Account,
    epochs: RangeInclusive<Epoch>,
    heads: impl IntoIterator<Item = InvoiceHead>,
    mut evidence: impl FnMut(Epoch, &InvoiceLine) -> Option<Evidence>,
) -> Result<Bill, BillOverflow> {
    let mut statement = Statement::new(customer, epochs);
    for head in heads {
        statement.add::<H>(&head, &mut evidence)?;
    }
    statement.finish()
}
