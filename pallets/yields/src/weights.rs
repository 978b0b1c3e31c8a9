//! Weights of `pallet_edge_yields`, measured by its benchmarks. Written by `scripts/weights.sh`, which says
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
    /// Of `claim`.
    fn claim() -> Weight;
    /// Of `grants`, for `n` from 1 to 32.
    fn grants(n: u32) -> Weight;
    /// Of `claims`, for `n` from 1 to 32.
    fn claims(n: u32) -> Weight;
}

/// Weights with the runtime's database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Storage: `NodeYields::Payouts` (r:1 w:1)
    // Storage: `System::Account` (r:1 w:1)
    // Storage: `NodeYields::Totals` (r:1 w:1)
    fn claim() -> Weight {
        Weight::from_parts(46_210_000, 3593)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    // Storage: `NodeYields::Claims` (r:33 w:32)
    // Storage: `NodeYields::Payouts` (r:32 w:32)
    // Storage: `NodeYields::Totals` (r:1 w:1)
    // Storage: `NodeYields::History` (r:32 w:32)
    fn grants(n: u32) -> Weight {
        Weight::from_parts(13_090_000, 3594)
            .saturating_add(Weight::from_parts(10_718_078, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().reads(3).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().writes(1))
            .saturating_add(T::DbWeight::get().writes(3).saturating_mul(n.into()))
            .saturating_add(Weight::from_parts(0, 7229).saturating_mul(n.into()))
    }
    // Storage: `UsageClock::Current` (r:1 w:0)
    // Storage: `NodeStaking::ActiveByRole` (r:33 w:0)
    // Storage: `NodeStaking::Assignments` (r:32 w:0)
    // Storage: `NodeStaking::Stakes` (r:32 w:0)
    // Storage: `UsageClock::Length` (r:1 w:0)
    // Storage: `NodeYields::Matured` (r:32 w:32)
    // Storage: `Parameters::Parameters` (r:7 w:0)
    // Storage: `Reputation::Scores` (r:32 w:0)
    // Storage: `UsageClock::Genesis` (r:1 w:0)
    // Storage: `Timestamp::Now` (r:1 w:0)
    // Storage: `UsageClock::Stood` (r:1 w:0)
    // Storage: `NodeYields::Claims` (r:0 w:32)
    fn claims(n: u32) -> Weight {
        Weight::from_parts(8_047_124, 18567)
            .saturating_add(Weight::from_parts(41_772_279, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(13))
            .saturating_add(T::DbWeight::get().reads(5).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().writes(2).saturating_mul(n.into()))
            .saturating_add(Weight::from_parts(0, 3580).saturating_mul(n.into()))
    }
}

/// Weights for tests.
impl WeightInfo for () {
    fn claim() -> Weight {
        Weight::from_parts(46_210_000, 3593)
            .saturating_add(RocksDbWeight::get().reads(3))
            .saturating_add(RocksDbWeight::get().writes(3))
    }
    fn grants(n: u32) -> Weight {
        Weight::from_parts(13_090_000, 3594)
            .saturating_add(Weight::from_parts(10_718_078, 0).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().reads(2))
            .saturating_add(RocksDbWeight::get().reads(3).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().writes(1))
            .saturating_add(RocksDbWeight::get().writes(3).saturating_mul(n.into()))
            .saturating_add(Weight::from_parts(0, 7229).saturating_mul(n.into()))
    }
    fn claims(n: u32) -> Weight {
        Weight::from_parts(8_047_124, 18567)
            .saturating_add(Weight::from_parts(41_772_279, 0).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().reads(13))
            .saturating_add(RocksDbWeight::get().reads(5).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().writes(2).saturating_mul(n.into()))
            .saturating_add(Weight::from_parts(0, 3580).saturating_mul(n.into()))
    }
}
