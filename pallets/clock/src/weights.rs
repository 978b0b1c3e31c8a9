//! Weights of `pallet_edge_clock`, measured by its benchmarks. Written by `scripts/weights.sh`, which says
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
    /// Of `tick`.
    fn tick() -> Weight;
}

/// Weights with the runtime's database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Storage: `UsageClock::Genesis` (r:1 w:0)
    // Storage: `UsageClock::Seen` (r:1 w:1)
    // Storage: `UsageClock::Length` (r:1 w:0)
    // Storage: `SafeMode::EnteredUntil` (r:1 w:0)
    // Storage: `UsageClock::Stood` (r:1 w:1)
    // Storage: `UsageClock::Current` (r:1 w:0)
    fn tick() -> Weight {
        Weight::from_parts(11_397_000, 1493)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(2))
    }
}

/// Weights for tests.
impl WeightInfo for () {
    fn tick() -> Weight {
        Weight::from_parts(11_397_000, 1493)
            .saturating_add(RocksDbWeight::get().reads(6))
            .saturating_add(RocksDbWeight::get().writes(2))
    }
}
