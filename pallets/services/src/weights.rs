//! Weights of `pallet_edge_services`, measured by its benchmarks. Written by `scripts/weights.sh`, which says
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
    /// Of `create_service`, for `n` from 0 to 16.
    fn create_service(n: u32) -> Weight;
    /// Of `add_host`.
    fn add_host() -> Weight;
    /// Of `remove_host`.
    fn remove_host() -> Weight;
    /// Of `set_origin`.
    fn set_origin() -> Weight;
    /// Of `set_cap`.
    fn set_cap() -> Weight;
    /// Of `set_price_version`.
    fn set_price_version() -> Weight;
    /// Of `pause`.
    fn pause() -> Weight;
    /// Of `resume`.
    fn resume() -> Weight;
    /// Of `remove_service`.
    fn remove_service() -> Weight;
    /// Of `attest_host`.
    fn attest_host() -> Weight;
    /// Of `authorize_attest_host`.
    fn authorize_attest_host() -> Weight;
    /// Of `publish_prices`.
    fn publish_prices() -> Weight;
    /// Of `pin`.
    fn pin() -> Weight;
    /// Of `unpin`.
    fn unpin() -> Weight;
    /// Of `set_site`.
    fn set_site() -> Weight;
    /// Of `set_rules`.
    fn set_rules() -> Weight;
    /// Of `begin_round`, for `n` from 0 to 1024.
    fn begin_round(n: u32) -> Weight;
}

/// Weights with the runtime's database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Storage: `UsageClock::Current` (r:1 w:0)
    // Storage: `Services::PriceLists` (r:1 w:0)
    // Storage: `Services::NextId` (r:1 w:1)
    // Storage: `Services::Owned` (r:1 w:1)
    // Storage: `Parameters::Parameters` (r:4 w:0)
    // Storage: `Services::ProvenHosts` (r:16 w:0)
    // Storage: `System::Account` (r:1 w:1)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Storage: `Services::History` (r:63 w:1)
    // Storage: `Billing::Accounts` (r:1 w:0)
    // Storage: `Services::Unproven` (r:0 w:16)
    // Storage: `Services::Services` (r:0 w:1)
    fn create_service(n: u32) -> Weight {
        Weight::from_parts(373_101_426, 216450)
            .saturating_add(Weight::from_parts(11_179_718, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(74))
            .saturating_add(T::DbWeight::get().reads(1).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().writes(6))
            .saturating_add(T::DbWeight::get().writes(1).saturating_mul(n.into()))
            .saturating_add(Weight::from_parts(0, 2754).saturating_mul(n.into()))
    }
    // Storage: `Services::Services` (r:1 w:1)
    // Storage: `Parameters::Parameters` (r:1 w:0)
    // Storage: `Services::ProvenHosts` (r:1 w:0)
    // Storage: `UsageClock::Current` (r:1 w:0)
    // Storage: `System::Account` (r:1 w:1)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Storage: `Services::Unproven` (r:0 w:1)
    fn add_host() -> Weight {
        Weight::from_parts(65_898_000, 8380)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    // Storage: `Services::Services` (r:1 w:1)
    // Storage: `Services::ProvenHosts` (r:1 w:0)
    // Storage: `System::Account` (r:1 w:1)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Storage: `Services::Unproven` (r:0 w:1)
    fn remove_host() -> Weight {
        Weight::from_parts(54_382_000, 8380)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    // Storage: `Services::Services` (r:1 w:1)
    fn set_origin() -> Weight {
        Weight::from_parts(16_745_000, 8380)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // Storage: `Services::Services` (r:1 w:0)
    // Storage: `Services::History` (r:64 w:1)
    // Storage: `UsageClock::Current` (r:1 w:0)
    // Storage: `Services::Owned` (r:1 w:0)
    // Storage: `Billing::Accounts` (r:1 w:0)
    // Storage: `Parameters::Parameters` (r:2 w:0)
    fn set_cap() -> Weight {
        Weight::from_parts(328_232_000, 219870)
            .saturating_add(T::DbWeight::get().reads(70))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // Storage: `Services::Services` (r:1 w:0)
    // Storage: `UsageClock::Current` (r:1 w:0)
    // Storage: `Services::PriceLists` (r:1 w:0)
    // Storage: `Services::History` (r:1 w:1)
    fn set_price_version() -> Weight {
        Weight::from_parts(24_377_000, 8380)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // Storage: `Services::Services` (r:1 w:0)
    // Storage: `Services::History` (r:1 w:1)
    // Storage: `UsageClock::Current` (r:1 w:0)
    fn pause() -> Weight {
        Weight::from_parts(20_330_000, 8380)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // Storage: `Services::Services` (r:1 w:0)
    // Storage: `Services::History` (r:64 w:1)
    // Storage: `UsageClock::Current` (r:1 w:0)
    // Storage: `Services::Owned` (r:1 w:0)
    // Storage: `Billing::Accounts` (r:1 w:0)
    // Storage: `Parameters::Parameters` (r:2 w:0)
    fn resume() -> Weight {
        Weight::from_parts(317_617_000, 219870)
            .saturating_add(T::DbWeight::get().reads(70))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // Storage: `Services::Services` (r:1 w:1)
    // Storage: `Services::ProvenHosts` (r:16 w:0)
    // Storage: `System::Account` (r:1 w:1)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Storage: `Services::Owned` (r:1 w:1)
    // Storage: `Services::Contents` (r:1 w:1)
    // Storage: `Services::PinCount` (r:1 w:1)
    // Storage: `Services::History` (r:0 w:1)
    // Storage: `Services::KeptBytes` (r:0 w:1)
    // Storage: `Services::Unproven` (r:0 w:16)
    fn remove_service() -> Weight {
        Weight::from_parts(150_747_000, 57054)
            .saturating_add(T::DbWeight::get().reads(22))
            .saturating_add(T::DbWeight::get().writes(24))
    }
    // Storage: `UsageClock::Current` (r:1 w:0)
    // Storage: `Services::Unproven` (r:1 w:1)
    // Storage: `Services::Round` (r:1 w:0)
    // Storage: `Parameters::Parameters` (r:1 w:0)
    // Storage: `Services::ProvenHosts` (r:1 w:0)
    // Storage: `System::BlockHash` (r:1 w:0)
    fn attest_host() -> Weight {
        Weight::from_parts(79_769_000, 34295)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // Storage: `UsageClock::Current` (r:1 w:0)
    // Storage: `Services::Unproven` (r:1 w:0)
    // Storage: `Services::Round` (r:1 w:0)
    // Storage: `Parameters::Parameters` (r:1 w:0)
    // Storage: `Services::ProvenHosts` (r:1 w:0)
    // Storage: `System::BlockHash` (r:1 w:0)
    fn authorize_attest_host() -> Weight {
        Weight::from_parts(69_665_000, 34295).saturating_add(T::DbWeight::get().reads(6))
    }
    // Storage: `Services::LatestPrices` (r:1 w:1)
    // Storage: `UsageClock::Current` (r:1 w:0)
    // Storage: `Parameters::Parameters` (r:1 w:0)
    // Storage: `Services::PriceLists` (r:0 w:1)
    fn publish_prices() -> Weight {
        Weight::from_parts(11_948_000, 3501)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(2))
    }
    // Storage: `Services::Services` (r:1 w:0)
    // Storage: `Services::Contents` (r:1 w:1)
    // Storage: `Parameters::Parameters` (r:1 w:0)
    // Storage: `UsageClock::Current` (r:1 w:0)
    // Storage: `Services::PinCount` (r:1 w:1)
    // Storage: `System::Account` (r:1 w:1)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Storage: `Services::KeptBytes` (r:1 w:1)
    fn pin() -> Weight {
        Weight::from_parts(90_000_000, 21000)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    // Storage: `Services::Services` (r:1 w:0)
    // Storage: `Services::Contents` (r:1 w:1)
    // Storage: `Services::PinCount` (r:1 w:1)
    // Storage: `System::Account` (r:1 w:1)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Storage: `UsageClock::Current` (r:1 w:0)
    // Storage: `Services::KeptBytes` (r:1 w:1)
    fn unpin() -> Weight {
        Weight::from_parts(80_000_000, 21000)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    // Storage: `Services::Services` (r:1 w:0)
    // Storage: `Services::Contents` (r:1 w:1)
    // Storage: `UsageClock::Current` (r:1 w:0)
    fn set_site() -> Weight {
        Weight::from_parts(35_000_000, 12000)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // Storage: `Services::Services` (r:1 w:0)
    // Storage: `Services::Contents` (r:1 w:1)
    // Storage: `UsageClock::Current` (r:1 w:0)
    fn set_rules() -> Weight {
        Weight::from_parts(35_000_000, 12000)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // Storage: `Services::Round` (r:0 w:1)
    fn begin_round(n: u32) -> Weight {
        Weight::from_parts(410_000, 0)
            .saturating_add(Weight::from_parts(5_383, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().writes(1))
    }
}

/// Weights for tests.
impl WeightInfo for () {
    fn create_service(n: u32) -> Weight {
        Weight::from_parts(373_101_426, 216450)
            .saturating_add(Weight::from_parts(11_179_718, 0).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().reads(74))
            .saturating_add(RocksDbWeight::get().reads(1).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().writes(6))
            .saturating_add(RocksDbWeight::get().writes(1).saturating_mul(n.into()))
            .saturating_add(Weight::from_parts(0, 2754).saturating_mul(n.into()))
    }
    fn add_host() -> Weight {
        Weight::from_parts(65_898_000, 8380)
            .saturating_add(RocksDbWeight::get().reads(6))
            .saturating_add(RocksDbWeight::get().writes(4))
    }
    fn remove_host() -> Weight {
        Weight::from_parts(54_382_000, 8380)
            .saturating_add(RocksDbWeight::get().reads(4))
            .saturating_add(RocksDbWeight::get().writes(4))
    }
    fn set_origin() -> Weight {
        Weight::from_parts(16_745_000, 8380)
            .saturating_add(RocksDbWeight::get().reads(1))
            .saturating_add(RocksDbWeight::get().writes(1))
    }
    fn set_cap() -> Weight {
        Weight::from_parts(328_232_000, 219870)
            .saturating_add(RocksDbWeight::get().reads(70))
            .saturating_add(RocksDbWeight::get().writes(1))
    }
    fn set_price_version() -> Weight {
        Weight::from_parts(24_377_000, 8380)
            .saturating_add(RocksDbWeight::get().reads(4))
            .saturating_add(RocksDbWeight::get().writes(1))
    }
    fn pause() -> Weight {
        Weight::from_parts(20_330_000, 8380)
            .saturating_add(RocksDbWeight::get().reads(3))
            .saturating_add(RocksDbWeight::get().writes(1))
    }
    fn resume() -> Weight {
        Weight::from_parts(317_617_000, 219870)
            .saturating_add(RocksDbWeight::get().reads(70))
            .saturating_add(RocksDbWeight::get().writes(1))
    }
    fn remove_service() -> Weight {
        Weight::from_parts(150_747_000, 57054)
            .saturating_add(RocksDbWeight::get().reads(22))
            .saturating_add(RocksDbWeight::get().writes(24))
    }
    fn attest_host() -> Weight {
        Weight::from_parts(79_769_000, 34295)
            .saturating_add(RocksDbWeight::get().reads(6))
            .saturating_add(RocksDbWeight::get().writes(1))
    }
    fn authorize_attest_host() -> Weight {
        Weight::from_parts(69_665_000, 34295).saturating_add(RocksDbWeight::get().reads(6))
    }
    fn publish_prices() -> Weight {
        Weight::from_parts(11_948_000, 3501)
            .saturating_add(RocksDbWeight::get().reads(3))
            .saturating_add(RocksDbWeight::get().writes(2))
    }
    fn pin() -> Weight {
        Weight::from_parts(90_000_000, 21000)
            .saturating_add(RocksDbWeight::get().reads(8))
            .saturating_add(RocksDbWeight::get().writes(5))
    }
    fn unpin() -> Weight {
        Weight::from_parts(80_000_000, 21000)
            .saturating_add(RocksDbWeight::get().reads(7))
            .saturating_add(RocksDbWeight::get().writes(5))
    }
    fn set_site() -> Weight {
        Weight::from_parts(35_000_000, 12000)
            .saturating_add(RocksDbWeight::get().reads(3))
            .saturating_add(RocksDbWeight::get().writes(1))
    }
    fn set_rules() -> Weight {
        Weight::from_parts(35_000_000, 12000)
            .saturating_add(RocksDbWeight::get().reads(3))
            .saturating_add(RocksDbWeight::get().writes(1))
    }
    fn begin_round(n: u32) -> Weight {
        Weight::from_parts(410_000, 0)
            .saturating_add(Weight::from_parts(5_383, 0).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().writes(1))
    }
}
