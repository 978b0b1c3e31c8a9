//! What claims keep, without knowing what a pallet is.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use selvedge_primitives_math::RangeProof;
use selvedge_primitives_types::{Entry, EntryKey, Planck, Ppm};

/// The most that a voucher of a commitment that is void or missing is worth.
pub const MAX_REDEEMED: Ppm = Ppm::percent(75);

/// How many times as many leaves of a disputed line are looked at as an audit draws.
pub const MORE_SAMPLES: u32 = 4;

/// What a commitment says of a cache: its entry; or, when it has none, the entries between which it would stand.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Shown {
    /// The entry, its two neighbours, or the first or last one of all.
    pub entries: BoundedVec<Entry, ConstU32<2>>,
    /// Shows that they are committed ones.
    pub proof: RangeProof<EntryKey>,
}

/// What a cache had of its vouchers for a gateway and epoch.
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
pub struct Redemption {
    /// Number of the voucher; only one with a higher number counts after it.
    pub seq: u64,
    /// What of the value of its vouchers is done with, in planck.
    pub value: Planck,
    /// Paid out of what the gateway earned, in planck.
    pub from_share: Planck,
    /// Paid out of the gateway's stake, in planck.
    pub from_stake: Planck,
    /// Burnt of the gateway's stake, in planck.
    pub burnt: Planck,
}

/// What a gateway paid for the vouchers of an epoch.
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
pub struct Debt {
    /// The most that may be paid out of its stake, in planck.
    pub cap: Planck,
    /// Paid out of what it earned with the epoch, in planck.
    pub from_share: Planck,
    /// Paid out of its stake, in planck.
    pub from_stake: Planck,
    /// Whether it was retired for it.
    pub retired: bool,
}

/// A customer's dispute of a line.
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
pub struct Dispute {
    /// On hold for it, in planck.
    pub bond: Planck,
    /// What of the line is burnt unless the commitment becomes void, in planck.
    pub burn: Planck,
}
