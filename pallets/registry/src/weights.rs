//! Weights of `pallet_edge_registry`, measured by its benchmarks. Written by `scripts/weights.sh`, which says
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
    /// Of `register_device`.
    fn register_device() -> Weight;
    /// Of `update_device`.
    fn update_device() -> Weight;
    /// Of `set_agent_key`.
    fn set_agent_key() -> Weight;
    /// Of `retire_device`.
    fn retire_device() -> Weight;
    /// Of `request_drain`.
    fn request_drain() -> Weight;
    /// Of `end_drain`.
    fn end_drain() -> Weight;
}

/// Weights with the runtime's database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Storage: `Parameters::Parameters` (r:1 w:0)
    // Storage: `UsageClock::Current` (r:1 w:0)
    // Storage: `UsageClock::EpochsPerEra` (r:1 w:0)
    // Storage: `NodeRegistry::Devices` (r:1 w:1)
    // Storage: `System::BlockHash` (r:1 w:0)
    // Storage: `Balances::Holds` (r:1 w:1)
    fn register_device() -> Weight {
        Weight::from_parts(93_169_000, 4131)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(2))
    }
    // Storage: `NodeRegistry::Devices` (r:1 w:1)
    fn update_device() -> Weight {
        Weight::from_parts(11_978_000, 4131)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // Storage: `NodeRegistry::Devices` (r:1 w:1)
    fn set_agent_key() -> Weight {
        Weight::from_parts(11_197_000, 4131)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // Storage: `NodeRegistry::Devices` (r:1 w:1)
    // Storage: `UsageClock::Current` (r:1 w:0)
    // Storage: `NodeStaking::Assignments` (r:1 w:0)
    // Storage: `Balances::Holds` (r:1 w:1)
    fn retire_device() -> Weight {
        Weight::from_parts(50_286_000, 4570)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(2))
    }
    // Storage: `UsageClock::Current` (r:1 w:0)
    // Storage: `Parameters::Parameters` (r:2 w:0)
    // Storage: `NodeRegistry::Devices` (r:1 w:1)
    // Storage: `NodeStaking::Assignments` (r:1 w:0)
    // Storage: `NodeStaking::Stakes` (r:1 w:0)
    // Storage: `NodeRegistry::NextDrain` (r:1 w:1)
    fn request_drain() -> Weight {
        Weight::from_parts(10_586_000, 4131)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(2))
    }
    // Storage: `NodeRegistry::Devices` (r:1 w:1)
    fn end_drain() -> Weight {
        Weight::from_parts(10_585_000, 4131)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }
}

/// Weights for tests.
impl WeightInfo for () {
    fn register_device() -> Weight {
        Weight::from_parts(93_169_000, 4131)
            .saturating_add(RocksDbWeight::get().reads(6))
            .saturating_add(RocksDbWeight::get().writes(2))
    }
    fn update_device() -> Weight {
        Weight::from_parts(11_978_000, 4131)
            .saturating_add(RocksDbWeight::get().reads(1))
            .saturating_add(RocksDbWeight::get().writes(1))
    }
    fn set_agent_key() -> Weight {
        Weight::from_parts(11_197_000, 4131)
            .saturating_add(RocksDbWeight::get().reads(1))
            .saturating_add(RocksDbWeight::get().writes(1))
    }
    fn retire_device() -> Weight {
        Weight::from_parts(50_286_000, 4570)
            .saturating_add(RocksDbWeight::get().reads(4))
            .saturating_add(RocksDbWeight::get().writes(2))
    }
    fn request_drain() -> Weight {
        Weight::from_parts(10_586_000, 4131)
            .saturating_add(RocksDbWeight::get().reads(6))
            .saturating_add(RocksDbWeight::get().writes(2))
    }
    fn end_drain() -> Weight {
        Weight::from_parts(10_585_000, 4131)
            .saturating_add(RocksDbWeight::get().reads(2))
            .saturating_add(RocksDbWeight::get().writes(1))
    }
}
