//! Weights of `pallet_edge_staking`, measured by its benchmarks. Written by `scripts/weights.sh`, which says
//! how; do not edit.
//!
//! 20 steps, 10 repetitions, on AMD EPYC.

#![allow(unused_parens, clippy::unnecessary_cast)]

use core::marker::PhantomData;
use frame_support::{
    traits::Get,
    weights::{constants::RocksDbWeight, Weight},
};

/// Weights of the calls and of what is done in hooks.
pub trait WeightInfo {
    /// Of `create_stake`.
    fn create_stake() -> Weight;
    /// Of `assign`.
    fn assign() -> Weight;
    /// Of `unassign`.
    fn unassign() -> Weight;
    /// Of `request_unlock`.
    fn request_unlock() -> Weight;
    /// Of `withdraw_unlocked`.
    fn withdraw_unlocked() -> Weight;
    /// Of `release_express`.
    fn release_express() -> Weight;
    /// Of `commit_lock`.
    fn commit_lock() -> Weight;
}

/// Weights with the runtime's database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Storage: `Parameters::Parameters` (r:1 w:0)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Storage: `NodeStaking::NextStake` (r:1 w:1)
    // Storage: `NodeStaking::StakesOf` (r:0 w:1)
    // Storage: `NodeStaking::Stakes` (r:0 w:1)
    fn create_stake() -> Weight {
        Weight::from_parts(48_162_000, 3640)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    // Storage: `NodeStaking::Stakes` (r:1 w:1)
    // Storage: `NodeRegistry::Devices` (r:1 w:0)
    // Storage: `UsageClock::Current` (r:1 w:0)
    // Storage: `NodeStaking::Assignments` (r:1 w:1)
    // Storage: `Parameters::Parameters` (r:1 w:0)
    // Storage: `NodeStaking::Counts` (r:1 w:1)
    // Storage: `System::BlockHash` (r:1 w:0)
    // Storage: `Timestamp::Now` (r:1 w:0)
    // Storage: `UsageClock::Stood` (r:1 w:0)
    // Storage: `NodeStaking::ActiveByRole` (r:1 w:1)
    fn assign() -> Weight {
        Weight::from_parts(89_033_000, 15764)
            .saturating_add(T::DbWeight::get().reads(10))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    // Storage: `NodeStaking::Stakes` (r:1 w:1)
    // Storage: `NodeStaking::Leaving` (r:1 w:1)
    // Storage: `UsageClock::Current` (r:1 w:0)
    // Storage: `NodeStaking::Assignments` (r:1 w:1)
    // Storage: `NodeStaking::ActiveByRole` (r:1 w:1)
    // Storage: `NodeStaking::Counts` (r:1 w:1)
    fn unassign() -> Weight {
        Weight::from_parts(31_547_000, 18383)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    // Storage: `NodeStaking::Stakes` (r:1 w:1)
    // Storage: `Timestamp::Now` (r:1 w:0)
    // Storage: `UsageClock::Stood` (r:1 w:0)
    // Storage: `Parameters::Parameters` (r:1 w:0)
    fn request_unlock() -> Weight {
        Weight::from_parts(18_698_000, 4037)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // Storage: `NodeStaking::Stakes` (r:1 w:1)
    // Storage: `Timestamp::Now` (r:1 w:0)
    // Storage: `UsageClock::Stood` (r:1 w:0)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Storage: `NodeStaking::StakesOf` (r:0 w:1)
    fn withdraw_unlocked() -> Weight {
        Weight::from_parts(45_759_000, 4037)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    // Storage: `NodeStaking::Stakes` (r:1 w:1)
    // Storage: `Timestamp::Now` (r:1 w:0)
    // Storage: `UsageClock::Stood` (r:1 w:0)
    // Storage: `Parameters::Parameters` (r:1 w:0)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Storage: `System::Account` (r:1 w:1)
    // Storage: `NodeStaking::StakesOf` (r:0 w:1)
    fn release_express() -> Weight {
        Weight::from_parts(73_901_000, 4037)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    // Storage: `NodeStaking::Stakes` (r:1 w:1)
    // Storage: `Timestamp::Now` (r:1 w:0)
    // Storage: `UsageClock::Stood` (r:1 w:0)
    fn commit_lock() -> Weight {
        Weight::from_parts(15_183_000, 4037)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(1))
    }
}

/// Weights for tests.
impl WeightInfo for () {
    fn create_stake() -> Weight {
        Weight::from_parts(48_162_000, 3640)
            .saturating_add(RocksDbWeight::get().reads(3))
            .saturating_add(RocksDbWeight::get().writes(4))
    }
    fn assign() -> Weight {
        Weight::from_parts(89_033_000, 15764)
            .saturating_add(RocksDbWeight::get().reads(10))
            .saturating_add(RocksDbWeight::get().writes(4))
    }
    fn unassign() -> Weight {
        Weight::from_parts(31_547_000, 18383)
            .saturating_add(RocksDbWeight::get().reads(6))
            .saturating_add(RocksDbWeight::get().writes(5))
    }
    fn request_unlock() -> Weight {
        Weight::from_parts(18_698_000, 4037)
            .saturating_add(RocksDbWeight::get().reads(4))
            .saturating_add(RocksDbWeight::get().writes(1))
    }
    fn withdraw_unlocked() -> Weight {
        Weight::from_parts(45_759_000, 4037)
            .saturating_add(RocksDbWeight::get().reads(4))
            .saturating_add(RocksDbWeight::get().writes(3))
    }
    fn release_express() -> Weight {
        Weight::from_parts(73_901_000, 4037)
            .saturating_add(RocksDbWeight::get().reads(6))
            .saturating_add(RocksDbWeight::get().writes(4))
    }
    fn commit_lock() -> Weight {
        Weight::from_parts(15_183_000, 4037)
            .saturating_add(RocksDbWeight::get().reads(3))
            .saturating_add(RocksDbWeight::get().writes(1))
    }
}
