//! What the pallet stores. Nothing here knows of `Config`.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use pallet_edge_traits::NodeWalk;
use scale_info::TypeInfo;
use selvedge_primitives_types::{DeviceId, Epoch, Era, Planck, Ppm, Role, Score};
use sp_core::crypto::AccountId32;

/// Eras of a stake that are remembered: twelve weeks of days.
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

    /// The parts that a role's base and activity yields come out of.
    pub fn of(&self, role: Role) -> (Planck, Planck) {
        match role {
            Role::Validator => (self.validators, self.validators),
            _ => (self.base, self.activity),
        }
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

/// Charges that matured in an era on leaves that name a stake's devices.
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
pub struct Brought {
    /// The charges, in planck.
    pub amount: Planck,
    /// What activity may return of them, each by the rates at which it matured, in planck.
    pub returnable: Planck,
}

/// Which of its two limits an activity yield met.
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
pub enum Bound {
    /// What the stake allows at its service, tenure and boost.
    #[codec(index = 0)]
    Stake,
    /// What the charges that it brought may return.
    #[codec(index = 1)]
    Charges,
}

/// What the yields of a stake in an era are made of, before they are scaled to what the pools can pay.
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
pub struct Basis {
    /// The device that carried the stake at the end of the era.
    pub device: DeviceId,
    /// Its role.
    pub role: Role,
    /// The stake, in planck.
    pub stake: Planck,
    /// For how long the device carried it in the era, in milliseconds.
    pub millis: u64,
    /// Ceiling of the role's yield per year.
    pub apr: Ppm,
    /// Part of a yield that is base.
    pub beta: Ppm,
    /// `Q`, as it is paid by.
    pub quality: Score,
    /// `S`, as it is paid by.
    pub service: Score,
    /// Whole days since the stake was assigned to the device; a validator's do not count.
    pub tenure_days: u32,
    /// Factor of the commitment lock, from 1; a validator's does not count.
    pub boost: Ppm,
    /// What it brought. Of a validator nothing is returned.
    pub brought: Brought,
    /// Base yield, in planck.
    pub base: Planck,
    /// Activity yield that the stake allows, in planck.
    pub allowed: Planck,
}

impl Basis {
    /// Which limit the activity yield met. A validator brings no charges.
    pub fn bound(&self) -> Bound {
        match self.role {
            Role::Validator => Bound::Stake,
            _ if self.allowed <= self.brought.returnable => Bound::Stake,
            _ => Bound::Charges,
        }
    }

    /// Activity yield, in planck.
    pub fn activity(&self) -> Planck {
        match self.bound() {
            Bound::Stake => self.allowed,
            Bound::Charges => self.brought.returnable,
        }
    }
}

/// What a stake claims for the era that is being closed.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Claim {
    /// Owner of the stake.
    pub owner: AccountId32,
    /// What it is made of.
    pub basis: Basis,
}

/// What a stake earned in an era.
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
    /// Base yield granted, in planck.
    pub base: Planck,
    /// Activity yield granted, in planck.
    pub activity: Planck,
    /// What both are made of.
    pub basis: Basis,
    /// The part of all claims on it that the pool of base yields could pay, rounded down; of a validator, its own pool's.
    pub base_scale: Ppm,
    /// The same of the pool of activity yields.
    pub activity_scale: Ppm,
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
