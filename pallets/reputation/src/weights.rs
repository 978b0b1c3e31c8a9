//! Weights of `pallet_edge_reputation`, measured by its benchmarks. Written by `scripts/weights.sh`, which says
//! how; do not edit.
//!
//! 20 steps, 10 repetitions, on AMD EPYC. Of what belongs to probes, and of `page` since it reads what they gave, the figures are
//! estimates above those of like calls, until it is run again.

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
    /// Of `gather`, for `n` from 1 to 32.
    fn gather(n: u32) -> Weight;
    /// Of `enrol`, for `n` from 1 to 32.
    fn enrol(n: u32) -> Weight;
    /// Of `report_probes`, for `n` from 1 to 64.
    fn report_probes(n: u32) -> Weight;
    /// Of `authorize_report_probes`, for `n` from 1 to 64.
    fn authorize_report_probes(n: u32) -> Weight;
    /// Of `rejoin`.
    fn rejoin() -> Weight;
    /// Of `dispute_region`.
    fn dispute_region() -> Weight;
    /// Of `withdraw_dispute`.
    fn withdraw_dispute() -> Weight;
}

/// Weights with the runtime's database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Storage: `UsageClock::Current (r:1 w:0)`
    // Storage: `NodeStaking::ActiveByRole (r:33 w:0)`
    // Storage: `NodeStaking::Assignments (r:32 w:0)`
    // Storage: `NodeRegistry::Devices (r:32 w:0)`
    // Storage: `Reputation::Out (r:32 w:32)`
    // Storage: `Reputation::Scores (r:32 w:32)`
    // Storage: `NodeStaking::Stakes (r:32 w:0)`
    // Storage: `Reputation::Matured (r:32 w:0)`
    // Storage: `Reputation::Observations (r:32 w:0)`
    // Storage: `Reputation::Disputes (r:32 w:32)`
    // Storage: `Reputation::Medians (r:320 w:0)`
    // Storage: `Reputation::ProbeRecords (r:0 w:32)`
    // Storage: `Balances::Holds (r:32 w:32)`
    // Storage: `System::Account (r:32 w:32)`
    fn page(n: u32) -> Weight {
        Weight::from_parts(95_077_550, 60836)
            .saturating_add(Weight::from_parts(90_000_000, 16000).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().reads(20).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().writes(2))
            .saturating_add(T::DbWeight::get().writes(6).saturating_mul(n.into()))
    }
    // Storage: `Reputation::Seen (r:32 w:32)`
    // Storage: `NodeRegistry::Devices (r:32 w:0)`
    // Storage: `Reputation::Drained (r:32 w:0)`
    // Storage: `Reputation::Out (r:32 w:0)`
    // Storage: `Reputation::Observations (r:32 w:32)`
    fn gather(n: u32) -> Weight {
        Weight::from_parts(20_000_000, 6000)
            .saturating_add(Weight::from_parts(40_000_000, 9000).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().reads(5).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().writes(2))
            .saturating_add(T::DbWeight::get().writes(2).saturating_mul(n.into()))
    }
    // Storage: `UsageClock::Current (r:1 w:0)`
    // Storage: `NodeStaking::ActiveByRole (r:33 w:0)`
    // Storage: `Reputation::Enrolled (r:1 w:1)`
    // Storage: `NodeRegistry::Devices (r:32 w:0)`
    // Storage: `NodeStaking::Assignments (r:32 w:0)`
    // Storage: `NodeStaking::Stakes (r:32 w:0)`
    // Storage: `Reputation::Out (r:32 w:0)`
    // Storage: `Babe::RandomnessFromOneEpochAgo (r:1 w:0)`
    // Storage: `Reputation::Round (r:0 w:1)`
    fn enrol(n: u32) -> Weight {
        Weight::from_parts(150_000_000, 90000)
            .saturating_add(Weight::from_parts(50_000_000, 9000).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().reads(5).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    // Storage: `UsageClock::Current (r:1 w:0)`
    // Storage: `UsageClock::Length (r:1 w:0)`
    // Storage: `Reputation::Reported (r:1 w:1)`
    // Storage: `Reputation::Round (r:1 w:0)`
    // Storage: `NodeRegistry::Devices (r:64 w:0)`
    // Storage: `NodeStaking::Assignments (r:64 w:0)`
    // Storage: `Reputation::Seen (r:64 w:64)`
    fn report_probes(n: u32) -> Weight {
        Weight::from_parts(100_000_000, 90000)
            .saturating_add(Weight::from_parts(30_000_000, 9000).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().reads(3).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().writes(1))
            .saturating_add(T::DbWeight::get().writes(1).saturating_mul(n.into()))
    }
    // Storage: `UsageClock::Current (r:1 w:0)`
    // Storage: `UsageClock::Length (r:1 w:0)`
    // Storage: `Reputation::Reported (r:1 w:0)`
    // Storage: `Reputation::Round (r:1 w:0)`
    // Storage: `NodeRegistry::Devices (r:65 w:0)`
    // Storage: `NodeStaking::Assignments (r:64 w:0)`
    // Storage: `System::BlockHash (r:1 w:0)`
    fn authorize_report_probes(n: u32) -> Weight {
        Weight::from_parts(160_000_000, 90000)
            .saturating_add(Weight::from_parts(90_000_000, 6000).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(9))
            .saturating_add(T::DbWeight::get().reads(2).saturating_mul(n.into()))
    }
    // Storage: `NodeRegistry::Devices (r:1 w:0)`
    // Storage: `Reputation::Out (r:1 w:1)`
    // Storage: `UsageClock::Current (r:1 w:0)`
    fn rejoin() -> Weight {
        Weight::from_parts(30_000_000, 4200)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // Storage: `NodeRegistry::Devices (r:1 w:0)`
    // Storage: `UsageClock::Current (r:1 w:0)`
    // Storage: `NodeStaking::Assignments (r:1 w:0)`
    // Storage: `Reputation::Out (r:1 w:0)`
    // Storage: `Reputation::Disputes (r:1 w:1)`
    // Storage: `Parameters::Parameters (r:1 w:0)`
    // Storage: `Balances::Holds (r:1 w:1)`
    fn dispute_region() -> Weight {
        Weight::from_parts(80_000_000, 8000)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    // Storage: `Reputation::Disputes (r:1 w:1)`
    // Storage: `UsageClock::EpochsPerEra (r:1 w:0)`
    // Storage: `UsageClock::Current (r:1 w:0)`
    // Storage: `Balances::Holds (r:1 w:1)`
    fn withdraw_dispute() -> Weight {
        Weight::from_parts(70_000_000, 4200)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(3))
    }
}

/// Weights for tests.
impl WeightInfo for () {
    fn page(n: u32) -> Weight {
        Weight::from_parts(95_077_550, 60836)
            .saturating_add(Weight::from_parts(90_000_000, 16000).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().reads(4))
            .saturating_add(RocksDbWeight::get().reads(20).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().writes(2))
            .saturating_add(RocksDbWeight::get().writes(6).saturating_mul(n.into()))
    }
    fn gather(n: u32) -> Weight {
        Weight::from_parts(20_000_000, 6000)
            .saturating_add(Weight::from_parts(40_000_000, 9000).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().reads(2))
            .saturating_add(RocksDbWeight::get().reads(5).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().writes(2))
            .saturating_add(RocksDbWeight::get().writes(2).saturating_mul(n.into()))
    }
    fn enrol(n: u32) -> Weight {
        Weight::from_parts(150_000_000, 90000)
            .saturating_add(Weight::from_parts(50_000_000, 9000).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().reads(5))
            .saturating_add(RocksDbWeight::get().reads(5).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().writes(3))
    }
    fn report_probes(n: u32) -> Weight {
        Weight::from_parts(100_000_000, 90000)
            .saturating_add(Weight::from_parts(30_000_000, 9000).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().reads(7))
            .saturating_add(RocksDbWeight::get().reads(3).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().writes(1))
            .saturating_add(RocksDbWeight::get().writes(1).saturating_mul(n.into()))
    }
    fn authorize_report_probes(n: u32) -> Weight {
        Weight::from_parts(160_000_000, 90000)
            .saturating_add(Weight::from_parts(90_000_000, 6000).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().reads(9))
            .saturating_add(RocksDbWeight::get().reads(2).saturating_mul(n.into()))
    }
    fn rejoin() -> Weight {
        Weight::from_parts(30_000_000, 4200)
            .saturating_add(RocksDbWeight::get().reads(3))
            .saturating_add(RocksDbWeight::get().writes(1))
    }
    fn dispute_region() -> Weight {
        Weight::from_parts(80_000_000, 8000)
            .saturating_add(RocksDbWeight::get().reads(7))
            .saturating_add(RocksDbWeight::get().writes(3))
    }
    fn withdraw_dispute() -> Weight {
        Weight::from_parts(70_000_000, 4200)
            .saturating_add(RocksDbWeight::get().reads(4))
            .saturating_add(RocksDbWeight::get().writes(3))
    }
}
