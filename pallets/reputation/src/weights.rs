//! Weights of `pallet_edge_reputation`, measured by its benchmarks. Written by `scripts/weights.sh`, which says
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
    /// Of `page`, for `n` from 1 to 32.
    fn page(n: u32) -> Weight;
}

/// Weights with the runtime's database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Storage: `UsageClock::Current` (r:1 w:0)
    // Storage: `NodeStaking::ActiveByRole` (r:33 w:0)
    // Storage: `NodeStaking::Assignments` (r:32 w:0)
    // Storage: `NodeRegistry::Devices` (r:32 w:0)
    // Storage: `Reputation::Scores` (r:32 w:32)
    // Storage: `NodeStaking::Stakes` (r:32 w:0)
    // Storage: `Reputation::Matured` (r:32 w:0)
    // Storage: `Reputation::Medians` (r:1 w:1)
    // Storage: `Reputation::Samples` (r:1 w:1)
    fn page(n: u32) -> Weight {
        Weight::from_parts(95_077_550, 60836)
            .saturating_add(Weight::from_parts(24_176_272, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().reads(6).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().writes(2))
            .saturating_add(T::DbWeight::get().writes(1).saturating_mul(n.into()))
            .saturating_add(Weight::from_parts(0, 3580).saturating_mul(n.into()))
    }
}

/// Weights for tests.
impl WeightInfo for () {
    fn page(n: u32) -> Weight {
        Weight::from_parts(95_077_550, 60836)
            .saturating_add(Weight::from_parts(24_176_272, 0).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().reads(4))
            .saturating_add(RocksDbWeight::get().reads(6).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().writes(2))
            .saturating_add(RocksDbWeight::get().writes(1).saturating_mul(n.into()))
            .saturating_add(Weight::from_parts(0, 3580).saturating_mul(n.into()))
    }
}
