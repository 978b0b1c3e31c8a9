//! Price lists: immutable, versioned.

use crate::usage::UsageClass;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// Prices per unit of each usage class, in planck times 2^32 (32 binary places).
///
/// A charge is `floor(Σ units × price / 2^32)`, rounded once per leaf.
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
pub struct Prices(pub [u64; 6]);

impl Prices {
    /// Binary places of a price.
    pub const FRACTION_BITS: u32 = 32;

    /// Price of one unit of a class, in planck times 2^32.
    pub fn of(&self, class: UsageClass) -> u64 {
        self.0[class as usize]
    }

    /// A price in planck for `units` units as the nearest price per unit not above it; `None` when it does not fit.
    pub const fn per(planck: u64, units: u64) -> Option<u64> {
        if units == 0 {
            return None;
        }
        let price = ((planck as u128) << Self::FRACTION_BITS) / units as u128;
        if price > u64::MAX as u128 {
            return None;
        }
        Some(price as u64)
    }
}

/// A published price list. A service pins a version; a list never changes once published.
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
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct PriceList {
    /// Number of the list, from 1.
    pub version: u32,
    /// Its prices.
    pub prices: Prices,
}
