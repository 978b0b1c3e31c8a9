//! Who audits a commitment, and which of its leaves are looked at.
//!
//! ```text
//! i mod 4       0        1        2        3
//! by            amount   amount   amount   index      three quarters and a quarter
//! from          the tree by customer or by cache, in turns
//! ```
//!
//! By amount, every planck of the total is as likely as every other: one fat leaf among dust is
//! drawn like the same amount spread over many. By index, every leaf is: dust cannot hide either.
//! The seed must be fixed after the commitment is; who knows it earlier chooses what is not drawn.
//!
//! Nothing here knows what a leaf must look like: see [`proof`](crate::proof).

use crate::{
    hash::Keccak256,
    tree::{TreeKind, UsageTrees},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use primitive_types::U256;
use scale_info::TypeInfo;
use selvedge_primitives_types::{DeviceId, Epoch, Hash, Sum, UsageCommitment};

/// Draws of a commitment: 44 find a tenth of falsified leaves with 99 %, `1 − 0.9^44`.
pub const DRAWS: u32 = 44;

/// The round of a window in which disputed lines are looked at; 0 is the first draw and 1 the redraw.
pub const DISPUTED: u8 = 2;

/// Auditors of a commitment, while so many are eligible.
pub const AUDITORS: u32 = 5;

/// With fewer eligible auditors there is no audit, only the open challenge.
pub const LEAST_AUDITORS: u32 = 3;

/// Leaves that a gateway owes the chain itself when its auditors fell short twice.
pub const LEAVES_ON_CHAIN: u32 = 8;

/// One in so many auditors who passed a commitment posts a leaf it looked at.
pub const POST_ONE_IN: u32 = 50;

/// What a hash is drawn for, so that no two questions share an answer.
const FOR_LEAVES: u8 = 0x40;
const FOR_AUDITORS: u8 = 0x41;
const FOR_POST: u8 = 0x42;
const FOR_ENTRY: u8 = 0x43;

/// A point in a row of leaves: which one is meant is said by [`locate`].
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
pub enum Place {
    /// The leaf that holds this planck, counted from zero.
    #[codec(index = 0)]
    Amount(u128),
    /// The leaf with this index, counted from zero.
    #[codec(index = 1)]
    Index(u64),
    /// A leaf of the entry with this index, whatever stands before it: by index when the number leaves 3 when divided by
    /// four, else by amount. The rest of the number is taken modulo what the entry has of it.
    #[codec(index = 2)]
    Entry {
        /// Index of the entry.
        entry: u32,
        /// Which of its leaves.
        number: u64,
    },
}

impl Place {
    /// The place inside of the sum of so many items if it falls into it, and otherwise the one counted from its end.
    pub(crate) fn in_or_after(self, sum: &Sum, items: u32) -> Result<Self, Self> {
        let rest = match self {
            Self::Amount(planck) => planck.checked_sub(sum.amount).map(Self::Amount),
            Self::Index(leaf) => leaf.checked_sub(sum.leaves).map(Self::Index),
            Self::Entry { entry, number } => entry
                .checked_sub(items)
                .map(|entry| Self::Entry { entry, number }),
        };
        rest.map_or(Ok(self), Err)
    }

    /// What a place that falls into an entry means among the entry's leaves.
    pub(crate) fn inside(self, entry: &Sum) -> Self {
        let Self::Entry { number, .. } = self else {
            return self;
        };
        let (kind, number) = (number % 4, number / 4);
        match entry.amount {
            amount if kind != 3 && amount > 0 => Self::Amount(u128::from(number) % amount),
            _ => Self::Index(number % entry.leaves.max(1)),
        }
    }
}

/// One leaf to be looked at.
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
pub struct Draw {
    /// The tree in whose order it is counted.
    pub tree: TreeKind,
    /// Where in that tree.
    pub at: Place,
}

/// What auditors look at.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Sample {
    /// Every leaf: there are no more than draws.
    #[codec(index = 0)]
    Whole,
    /// These; one leaf may be drawn more than once.
    #[codec(index = 1)]
    Drawn(Vec<Draw>),
}

/// Auditors of a commitment out of so many eligible operators; `None` when they are too few and the
/// open challenge has to do.
pub fn committee(eligible: u32) -> Option<u32> {
    (eligible >= LEAST_AUDITORS).then(|| eligible.min(AUDITORS))
}

/// Auditors of the second round, when `first` of them fell short: twice as many and one more, as
/// far as there are any.
pub fn redrawn(first: u32, eligible: u32) -> u32 {
    first.saturating_mul(2).saturating_add(1).min(eligible)
}

/// Votes that accept a commitment: two thirds of the auditors, rounded up.
pub fn quorum(auditors: u32) -> u32 {
    (u64::from(auditors) * 2).div_ceil(3) as u32
}

/// Draws of a commitment: [`DRAWS`], and twice as many each for a gateway that is young and for one that was at fault.
pub fn draws_for(is_young: bool, was_at_fault: bool) -> u32 {
    DRAWS << (u32::from(is_young) + u32::from(was_at_fault))
}

/// The leaves of a commitment to look at. `count` is [`draws_for`] its gateway.
pub fn leaves<H: Keccak256>(seed: &Hash, commitment: &UsageCommitment, count: u32) -> Sample {
    let UsageCommitment {
        gateway,
        epoch,
        customers,
        ..
    } = commitment;
    if customers.sum.leaves <= count.into() {
        return Sample::Whole;
    }
    Sample::Drawn(draws::<H>(seed, gateway, *epoch, &customers.sum, count))
}

/// `count` draws of a gateway's epoch whose leaves add up to `total`; both of its trees do. None
/// when there are no leaves.
pub fn draws<H: Keccak256>(
    seed: &Hash,
    gateway: &DeviceId,
    epoch: Epoch,
    total: &Sum,
    count: u32,
) -> Vec<Draw> {
    let draw = |number: u32| {
        let random = random::<H>(&(FOR_LEAVES, seed, gateway, epoch, number));
        // Each group of four has two draws from each tree, and the one by index in turns.
        let tree = match (number + number / 4) % 2 {
            0 => TreeKind::Customers,
            _ => TreeKind::Caches,
        };
        let by_amount = number % 4 != 3 && total.amount > 0;
        let at = if by_amount {
            Place::Amount(below(random, total.amount))
        } else {
            Place::Index(below(random, total.leaves.into()) as u64)
        };
        Draw { tree, at }
    };
    match total.leaves {
        0 => Vec::new(),
        _ => (0..count).map(draw).collect(),
    }
}

/// `count` draws of the leaves of one entry of the tree by customer, three quarters by amount: nothing but its index is known.
pub fn entry_draws<H: Keccak256>(
    seed: &Hash,
    gateway: &DeviceId,
    epoch: Epoch,
    entry: u32,
    count: u32,
) -> Vec<Draw> {
    let draw = |number: u32| {
        let random = random::<H>(&(FOR_ENTRY, seed, gateway, epoch, entry, number)).low_u64();
        Draw {
            tree: TreeKind::Customers,
            at: Place::Entry {
                entry,
                number: random / 4 * 4 + u64::from(number % 4),
            },
        }
    };
    (0..count).map(draw).collect()
}

/// `count` different ones of `eligible` operators, by index and in order; all when there are not
/// more. `round` is 0 for the first draw, 1 for the redraw and [`DISPUTED`] for disputed lines.
pub fn auditors<H: Keccak256>(
    seed: &Hash,
    gateway: &DeviceId,
    epoch: Epoch,
    round: u8,
    eligible: u32,
    count: u32,
) -> Vec<u32> {
    let count = count.min(eligible);
    let mut drawn: Vec<u32> = Vec::with_capacity(count as usize);
    // Floyd's sampling: every set of `count` is as likely, with one hash for each member.
    for last in eligible - count..eligible {
        let random = random::<H>(&(FOR_AUDITORS, seed, gateway, epoch, round, last));
        let one = below(random, u128::from(last) + 1) as u32;
        match drawn.binary_search(&one) {
            // Above all that were drawn before it.
            Ok(_) => drawn.push(last),
            Err(position) => drawn.insert(position, one),
        }
    }
    drawn
}

/// The leaf of a sample that an auditor who passed the commitment has to post, for one auditor in [`POST_ONE_IN`]. The
/// seed must be fixed after the verdict is: who knows it earlier looks at no other leaf.
pub fn post<H: Keccak256>(
    seed: &Hash,
    auditor: &DeviceId,
    commitment: &UsageCommitment,
    sample: &Sample,
) -> Option<Draw> {
    let UsageCommitment {
        gateway,
        epoch,
        customers,
        ..
    } = commitment;
    let random = random::<H>(&(FOR_POST, seed, auditor, gateway, epoch));
    if below(random, POST_ONE_IN.into()) > 0 {
        return None;
    }
    let random = random / U256::from(POST_ONE_IN);
    match sample {
        Sample::Whole => Some(Draw {
            tree: TreeKind::Customers,
            at: Place::Index(below(random, customers.sum.leaves.into()) as u64),
        }),
        Sample::Drawn(draws) => draws
            .get(below(random, draws.len() as u128) as usize)
            .copied(),
    }
}

/// Which of a row of sums a place falls into, and the place inside of it; `None` beyond the end.
///
/// Used twice it leads from a tree to an entry, and from an entry to a leaf. The sums come from a
/// proof, so the walk stops where they leave the range of their type.
pub fn locate<'a>(sums: impl IntoIterator<Item = &'a Sum>, at: Place) -> Option<(usize, Place)> {
    let mut left = at;
    for (index, sum) in sums.into_iter().enumerate() {
        match left.in_or_after(sum, 1) {
            Ok(inside) => return Some((index, inside.inside(sum))),
            Err(rest) => left = rest,
        }
    }
    None
}

/// The entry and the leaf inside of it that a draw means, in the order of the draw's tree; `None`
/// for a draw of other trees.
pub fn find(trees: &UsageTrees, draw: &Draw) -> Option<(usize, usize)> {
    let entries = trees.entries(draw.tree).iter().map(|entry| &entry.sum);
    let (entry, inside) = locate(entries, draw.at)?;
    let sums: Vec<_> = trees
        .leaves_of(draw.tree, entry)
        .iter()
        .map(|leaf| leaf.sum())
        .collect();
    let (leaf, _) = locate(&sums, inside)?;
    Some((entry, leaf))
}

fn random<H: Keccak256>(question: &impl Encode) -> U256 {
    U256::from_big_endian(&question.using_encoded(H::hash))
}

/// A number below `end`. The bias is below `end / 2^256`, so at most 2^-128.
fn below(random: U256, end: u128) -> u128 {
    random
        .checked_rem(end.into())
        .map_or(0, |rest| rest.low_u128())
}
