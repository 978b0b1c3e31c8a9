//! What a staked device does.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::{fmt, str::FromStr};
use scale_info::TypeInfo;
#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// The duty a stake is held for.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
#[cfg_attr(
    feature = "serde",
    derive(Serialize, Deserialize),
    serde(rename_all = "lowercase")
)]
pub enum Role {
    /// Authors and finalises blocks, and audits.
    #[codec(index = 0)]
    Validator,
    /// Runs a region's control plane.
    #[codec(index = 1)]
    Stargate,
    /// Entry point for visitors: TLS, memory cache, metering.
    #[codec(index = 2)]
    Gateway,
    /// Stores and serves, leases origin fetches.
    #[codec(index = 3)]
    Cache,
}

impl Role {
    /// Every role, in the order of its codec index.
    pub const ALL: [Self; 4] = [Self::Validator, Self::Stargate, Self::Gateway, Self::Cache];

    /// The role's name in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Validator => "validator",
            Self::Stargate => "stargate",
            Self::Gateway => "gateway",
            Self::Cache => "cache",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownRole;

impl fmt::Display for UnknownRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a role: use validator, stargate, gateway or cache")
    }
}

impl core::error::Error for UnknownRole {}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|role| role.name() == text)
            .ok_or(UnknownRole)
    }
}
