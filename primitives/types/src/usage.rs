//! The fixed vector of usage classes, and sums of it.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// A kind of use that has a price of its own.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
#[cfg_attr(
    feature = "serde",
    derive(Serialize, Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum UsageClass {
    /// Answered requests.
    #[codec(index = 0)]
    Requests,
    /// Response body octets to visitors after content coding, before HTTP framing and TLS.
    #[codec(index = 1)]
    EgressBytes,
    /// Body octets fetched from the customer's origin.
    #[codec(index = 2)]
    OriginBytes,
    /// Bytes kept for an hour.
    #[codec(index = 3)]
    StorageByteHours,
    /// Fuel burnt by functions.
    #[codec(index = 4)]
    ComputeFuel,
    /// DNS queries answered.
    #[codec(index = 5)]
    DnsQueries,
}

impl UsageClass {
    /// Every class, in the order of its codec index.
    pub const ALL: [Self; 6] = [
        Self::Requests,
        Self::EgressBytes,
        Self::OriginBytes,
        Self::StorageByteHours,
        Self::ComputeFuel,
        Self::DnsQueries,
    ];

    /// The class's name in lower case words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::EgressBytes => "egress bytes",
            Self::OriginBytes => "origin bytes",
            Self::StorageByteHours => "storage byte-hours",
            Self::ComputeFuel => "compute fuel",
            Self::DnsQueries => "DNS queries",
        }
    }
}

/// Units used, one number per [`UsageClass`], in the order of [`UsageClass::ALL`].
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
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Usage(pub [u64; 6]);

impl Usage {
    /// Nothing used.
    pub const ZERO: Self = Self([0; 6]);

    /// Units of one class.
    pub fn of(&self, class: UsageClass) -> u64 {
        self.0[class as usize]
    }

    /// The same usage with the units of one class replaced.
    #[must_use]
    pub fn with(mut self, class: UsageClass, units: u64) -> Self {
        self.0[class as usize] = units;
        self
    }

    /// Adds class by class; `None` on overflow.
    pub fn checked_add(&self, other: &Self) -> Option<Self> {
        self.zip(other, u64::checked_add)
    }

    /// Subtracts class by class; `None` when one class would fall below zero.
    pub fn checked_sub(&self, other: &Self) -> Option<Self> {
        self.zip(other, u64::checked_sub)
    }

    /// Whether every class is at most the other's.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0
            .iter()
            .zip(&other.0)
            .all(|(mine, theirs)| mine <= theirs)
    }

    /// Whether nothing was used.
    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }

    /// Pairs of class and units.
    pub fn iter(&self) -> impl Iterator<Item = (UsageClass, u64)> + '_ {
        UsageClass::ALL.into_iter().zip(self.0)
    }

    fn zip(&self, other: &Self, op: impl Fn(u64, u64) -> Option<u64>) -> Option<Self> {
        let mut units = [0; 6];
        for (class, unit) in units.iter_mut().enumerate() {
            *unit = op(self.0[class], other.0[class])?;
        }
        Some(Self(units))
    }
}

/// What a node of a Merkle-sum tree adds up.
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
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Sum {
    /// Leaves below.
    pub leaves: u64,
    /// Usage that is charged.
    pub paid: Usage,
    /// Usage out of the free buffer.
    pub free: Usage,
    /// Charge in planck: the sum of the leaves' amounts, never recomputed from the summed usage.
    pub amount: u128,
}

impl Sum {
    /// Adds field by field; `None` on overflow, which is a defect of a tree and never wraps.
    pub fn checked_add(&self, other: &Self) -> Option<Self> {
        Some(Self {
            leaves: self.leaves.checked_add(other.leaves)?,
            paid: self.paid.checked_add(&other.paid)?,
            free: self.free.checked_add(&other.free)?,
            amount: self.amount.checked_add(other.amount)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_indices_into_the_vector() {
        for (index, class) in UsageClass::ALL.into_iter().enumerate() {
            assert_eq!(class as usize, index);
            assert_eq!(Usage::ZERO.with(class, 7).0[index], 7);
        }
    }

    #[test]
    fn sums_never_wrap() {
        let full = Usage([u64::MAX; 6]);
        assert_eq!(
            full.checked_add(&Usage::ZERO.with(UsageClass::Requests, 1)),
            None
        );
        assert_eq!(
            Usage::ZERO.checked_sub(&Usage::ZERO.with(UsageClass::DnsQueries, 1)),
            None
        );
        assert_eq!(full.checked_sub(&full), Some(Usage::ZERO));
    }
}
