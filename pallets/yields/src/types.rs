//! What the pallet stores. Nothing here knows of `Config`.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use pallet_edge_traits::NodeWalk;
use scale_info::TypeInfo;
use selvedge_primitives_types::{Epoch, Era, Planck, Role};
use sp_core::crypto::AccountId32;

/// Eras of a device that are remembered: twelve weeks of days.
pub const MAX_ERAS: u32 = 84;

/// An amount for each sub-pool, in planck.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Pools {
    /// For validators.
    pub validators: Planck,
    /// For base yields of the other roles.
    pub base: Planck,
    /// For activity yields of the other roles.
    pub activity: Planck,
}

impl Pools {
    /// All three together.
    pub fn total(&self) -> Planck {
        self.validators
            .saturating_add(self.base)
            .saturating_add(self.activity)
    }

    /// Whether no sub-pool has more than the other's.
    pub fn is_within(&self, other: &Self) -> bool {
        self.validators <= other.validators
            && self.base <= other.base
            && self.activity <= other.activity
    }

    /// Adds what a node of a role has.
    pub fn add(&mut self, role: Role, base: Planck, activity: Planck) {
        let (for_base, for_activity) = match role {
            Role::Validator => {
                self.validators = self
                    .validators
                    .saturating_add(base)
                    .saturating_add(activity);
                return;
            }
            _ => (&mut self.base, &mut self.activity),
        };
        *for_base = for_base.saturating_add(base);
        *for_activity = for_activity.saturating_add(activity);
    }
}

/// What a node claims for the era that is being closed.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Claim {
    /// Owner of its stake.
    pub owner: AccountId32,
    /// Its role.
    pub role: Role,
    /// Charges that matured on leaves that name it, in planck.
    pub matured: Planck,
    /// Base yield before scaling, in planck.
    pub base: Planck,
    /// Activity yield before scaling, in planck.
    pub activity: Planck,
}

/// What a device earned in an era.
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
pub struct EraEarning {
    /// The era.
    pub era: Era,
    /// Charges that matured on leaves that name it, in planck.
    pub matured: Planck,
    /// Base yield granted, in planck.
    pub base: Planck,
    /// Activity yield granted, in planck.
    pub activity: Planck,
}

/// What an account was granted and what it claimed since the beginning, in planck.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Payout {
    /// Granted.
    pub payable: Planck,
    /// Thereof claimed.
    pub claimed: Planck,
}

/// What the close of an era does next.
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
pub enum Step {
    /// Computes what every node claims.
    #[codec(index = 0)]
    Claim(NodeWalk),
    /// Scales the claims down and grants them.
    #[codec(index = 1)]
    Grant,
    /// Forgets what was counted.
    #[codec(index = 2)]
    Clear,
}

/// An era that is being closed.
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
pub struct Closing {
    /// The period under which it was counted.
    pub period: u64,
    /// Its first epoch.
    pub from: Epoch,
    /// Its last epoch with a block.
    pub to: Epoch,
    /// What is to be done next.
    pub step: Step,
    /// The books so far.
    pub books: EraBooks,
}

/// The books of an era.
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
pub struct EraBooks {
    /// The era.
    pub era: Era,
    /// What the schedule allows.
    pub emission: Pools,
    /// What the nodes claim.
    pub claims: Pools,
    /// What was granted.
    pub granted: Pools,
    /// How many nodes were granted something.
    pub nodes: u32,
}
