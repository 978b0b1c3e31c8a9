//! Weights of `pallet_edge_billing`, measured by its benchmarks. Written by `scripts/weights.sh`, which says
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
    /// Of `deposit`.
    fn deposit() -> Weight;
    /// Of `withdraw`.
    fn withdraw() -> Weight;
    /// Of `close`.
    fn close() -> Weight;
    /// Of `poke`.
    fn poke() -> Weight;
    /// Of `commit_usage`.
    fn commit_usage() -> Weight;
    /// Of `authorize_commit_usage`.
    fn authorize_commit_usage() -> Weight;
    /// Of `authorize_page`, for `n` from 1 to 64.
    fn authorize_page(n: u32) -> Weight;
    /// Of `siblings`, for `s` from 0 to 31.
    fn siblings(s: u32) -> Weight;
    /// Of `settle`, for `n` from 1 to 64.
    fn settle(n: u32) -> Weight;
    /// Of `credit`, for `n` from 1 to 64.
    fn credit(n: u32) -> Weight;
    /// Of `refund`, for `n` from 1 to 64.
    fn refund(n: u32) -> Weight;
    /// Of `claim`.
    fn claim() -> Weight;
    /// Of `void`.
    fn void() -> Weight;
    /// Of `clear_step`.
    fn clear_step() -> Weight;
    /// Of `clear_batch`, for `n` from 1 to 64.
    fn clear_batch(n: u32) -> Weight;
    /// Of `deposit_referred`.
    fn deposit_referred() -> Weight;
    /// Of `pay_referrals`, for `n` from 1 to 64.
    fn pay_referrals(n: u32) -> Weight;
    /// Of `release_first`.
    fn release_first() -> Weight;
}

/// Weights with the runtime's database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Storage: `Parameters::Parameters` (r:3 w:0)
    // Storage: `Billing::Accounts` (r:1 w:1)
    // Storage: `System::Account` (r:1 w:1)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Storage: `Billing::RunningTotals` (r:1 w:1)
    // Storage: `UsageClock::Current` (r:1 w:0)
    // Storage: `Services::Owned` (r:1 w:0)
    // Storage: `Services::History` (r:64 w:0)
    // Storage: `UsageClock::Length` (r:1 w:0)
    fn deposit() -> Weight {
        Weight::from_parts(260_040_000, 219870)
            .saturating_add(T::DbWeight::get().reads(74))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    // Storage: `Billing::Accounts` (r:1 w:1)
    // Storage: `UsageClock::Current` (r:1 w:0)
    // Storage: `Parameters::Parameters` (r:3 w:0)
    // Storage: `Services::Owned` (r:1 w:0)
    // Storage: `Services::History` (r:64 w:0)
    // Storage: `System::Account` (r:1 w:1)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Storage: `Billing::RunningTotals` (r:1 w:1)
    fn withdraw() -> Weight {
        Weight::from_parts(333_880_000, 219870)
            .saturating_add(T::DbWeight::get().reads(73))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    // Storage: `Billing::Accounts` (r:1 w:1)
    // Storage: `UsageClock::Current` (r:1 w:0)
    // Storage: `Parameters::Parameters` (r:2 w:0)
    // Storage: `Services::Owned` (r:1 w:0)
    // Storage: `Services::History` (r:64 w:0)
    // Storage: `System::Account` (r:1 w:1)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Storage: `Billing::RunningTotals` (r:1 w:1)
    fn close() -> Weight {
        Weight::from_parts(237_667_000, 219870)
            .saturating_add(T::DbWeight::get().reads(72))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    // Storage: `Billing::Accounts` (r:1 w:1)
    // Storage: `UsageClock::Current` (r:1 w:0)
    // Storage: `Parameters::Parameters` (r:2 w:0)
    // Storage: `Services::Owned` (r:1 w:0)
    // Storage: `Services::History` (r:64 w:0)
    // Storage: `UsageClock::Length` (r:1 w:0)
    fn poke() -> Weight {
        Weight::from_parts(218_247_000, 219870)
            .saturating_add(T::DbWeight::get().reads(70))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // Storage: `UsageClock::Current` (r:1 w:0)
    // Storage: `Timestamp::Now` (r:1 w:0)
    // Storage: `UsageClock::Stood` (r:1 w:0)
    // Storage: `UsageClock::Genesis` (r:1 w:0)
    // Storage: `UsageClock::Length` (r:1 w:0)
    // Storage: `Parameters::Parameters` (r:1 w:0)
    // Storage: `Billing::Commitments` (r:1 w:1)
    // Storage: `NodeStaking::Assignments` (r:1 w:0)
    // Storage: `Billing::Open` (r:1 w:1)
    // Storage: `Billing::EpochBooks` (r:1 w:1)
    fn commit_usage() -> Weight {
        Weight::from_parts(43_425_000, 4859)
            .saturating_add(T::DbWeight::get().reads(10))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    // Storage: `UsageClock::Current` (r:1 w:0)
    // Storage: `Timestamp::Now` (r:1 w:0)
    // Storage: `UsageClock::Stood` (r:1 w:0)
    // Storage: `UsageClock::Genesis` (r:1 w:0)
    // Storage: `UsageClock::Length` (r:1 w:0)
    // Storage: `Parameters::Parameters` (r:1 w:0)
    // Storage: `Billing::Commitments` (r:1 w:0)
    // Storage: `NodeStaking::Assignments` (r:1 w:0)
    // Storage: `Billing::Open` (r:1 w:0)
    // Storage: `NodeRegistry::Devices` (r:1 w:0)
    // Storage: `System::BlockHash` (r:1 w:0)
    fn authorize_commit_usage() -> Weight {
        Weight::from_parts(77_727_000, 4859).saturating_add(T::DbWeight::get().reads(11))
    }
    // Storage: `Billing::Commitments` (r:1 w:0)
    // Storage: `UsageClock::Current` (r:1 w:0)
    // Storage: `Parameters::Parameters` (r:2 w:0)
    // Storage: `Timestamp::Now` (r:1 w:0)
    // Storage: `UsageClock::Stood` (r:1 w:0)
    // Storage: `UsageClock::Genesis` (r:1 w:0)
    // Storage: `UsageClock::Length` (r:1 w:0)
    // Storage: `NodeRegistry::Devices` (r:1 w:0)
    // Storage: `System::BlockHash` (r:1 w:0)
    fn authorize_page(n: u32) -> Weight {
        Weight::from_parts(98_675_592, 6012)
            .saturating_add(Weight::from_parts(3_501_377, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(10))
    }
    fn siblings(s: u32) -> Weight {
        Weight::from_parts(3_171_970, 0)
            .saturating_add(Weight::from_parts(1_599_722, 0).saturating_mul(s.into()))
    }
    // Storage: `Billing::Commitments` (r:1 w:1)
    // Storage: `UsageClock::Current` (r:1 w:0)
    // Storage: `Parameters::Parameters` (r:3 w:0)
    // Storage: `Timestamp::Now` (r:1 w:0)
    // Storage: `UsageClock::Stood` (r:1 w:0)
    // Storage: `UsageClock::Genesis` (r:1 w:0)
    // Storage: `UsageClock::Length` (r:1 w:0)
    // Storage: `NodeStaking::Counts` (r:1 w:0)
    // Storage: `Services::History` (r:4096 w:0)
    // Storage: `Services::Services` (r:64 w:0)
    // Storage: `Services::PriceLists` (r:1 w:0)
    // Storage: `Services::KeptBytes` (r:64 w:0)
    // Storage: `Billing::Accounts` (r:64 w:64)
    // Storage: `Balances::Holds` (r:64 w:64)
    // Storage: `System::Account` (r:65 w:65)
    // Storage: `Billing::RunningTotals` (r:1 w:1)
    // Storage: `Services::Owned` (r:64 w:0)
    // Storage: `Billing::EpochBooks` (r:1 w:1)
    // Storage: `UsageClock::EpochsPerEra` (r:1 w:0)
    // Storage: `Billing::InvoiceLines` (r:0 w:64)
    fn settle(n: u32) -> Weight {
        Weight::from_parts(326_740_000, 15764)
            .saturating_add(Weight::from_parts(368_821_153, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(15))
            .saturating_add(T::DbWeight::get().reads(72).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().writes(4))
            .saturating_add(T::DbWeight::get().writes(5).saturating_mul(n.into()))
            .saturating_add(Weight::from_parts(0, 232839).saturating_mul(n.into()))
    }
    // Storage: `Billing::Commitments` (r:1 w:1)
    // Storage: `UsageClock::Current` (r:1 w:0)
    // Storage: `Parameters::Parameters` (r:9 w:0)
    // Storage: `NodeStaking::Assignments` (r:65 w:0)
    // Storage: `Billing::Payouts` (r:66 w:66)
    // Storage: `Billing::RunningTotals` (r:1 w:1)
    // Storage: `Reputation::Period` (r:1 w:0)
    // Storage: `Reputation::Matured` (r:65 w:65)
    // Storage: `NodeYields::Period` (r:1 w:0)
    // Storage: `NodeYields::Matured` (r:65 w:65)
    // Storage: `System::Account` (r:2 w:2)
    // Storage: `Billing::EpochBooks` (r:1 w:1)
    // Storage: `Billing::Open` (r:1 w:1)
    // Storage: `Billing::ClearFrom` (r:1 w:1)
    fn credit(n: u32) -> Weight {
        Weight::from_parts(174_991_345, 23589)
            .saturating_add(Weight::from_parts(32_614_132, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(31))
            .saturating_add(T::DbWeight::get().reads(7).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().writes(13))
            .saturating_add(T::DbWeight::get().writes(4).saturating_mul(n.into()))
            .saturating_add(Weight::from_parts(0, 9100).saturating_mul(n.into()))
    }
    // Storage: `Billing::Commitments` (r:1 w:1)
    // Storage: `Billing::InvoiceLines` (r:64 w:64)
    // Storage: `Billing::Accounts` (r:64 w:64)
    // Storage: `System::Account` (r:65 w:65)
    // Storage: `Balances::Holds` (r:64 w:64)
    // Storage: `Billing::RunningTotals` (r:1 w:1)
    // Storage: `UsageClock::Current` (r:1 w:0)
    // Storage: `Parameters::Parameters` (r:2 w:0)
    // Storage: `Services::Owned` (r:64 w:0)
    // Storage: `Services::History` (r:4096 w:0)
    // Storage: `Billing::EpochBooks` (r:1 w:1)
    // Storage: `Billing::Open` (r:1 w:1)
    // Storage: `Billing::ClearFrom` (r:1 w:1)
    fn refund(n: u32) -> Weight {
        Weight::from_parts(347_371_000, 6012)
            .saturating_add(Weight::from_parts(353_719_348, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(9))
            .saturating_add(T::DbWeight::get().reads(69).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().writes(6))
            .saturating_add(T::DbWeight::get().writes(4).saturating_mul(n.into()))
            .saturating_add(Weight::from_parts(0, 218880).saturating_mul(n.into()))
    }
    // Storage: `Billing::Payouts` (r:1 w:1)
    // Storage: `System::Account` (r:2 w:2)
    // Storage: `Billing::RunningTotals` (r:1 w:1)
    fn claim() -> Weight {
        Weight::from_parts(48_383_000, 6196)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    // Storage: `Billing::Commitments` (r:1 w:1)
    fn void() -> Weight {
        Weight::from_parts(15_523_000, 4221)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // Storage: `Parameters::Parameters` (r:3 w:0)
    // Storage: `UsageClock::Current` (r:1 w:0)
    // Storage: `Billing::ClearFrom` (r:1 w:1)
    // Storage: `Billing::EpochBooks` (r:1 w:0)
    fn clear_step() -> Weight {
        Weight::from_parts(13_610_000, 8523)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // Storage: `Billing::InvoiceLines` (r:65 w:64)
    fn clear_batch(n: u32) -> Weight {
        Weight::from_parts(15_068_900, 3706)
            .saturating_add(Weight::from_parts(5_589_317, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().reads(1).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().writes(1).saturating_mul(n.into()))
            .saturating_add(Weight::from_parts(0, 2716).saturating_mul(n.into()))
    }
    fn deposit_referred() -> Weight {
        Weight::from_parts(290_000_000, 222_500)
            .saturating_add(T::DbWeight::get().reads(76))
            .saturating_add(T::DbWeight::get().writes(6))
    }
    /// The range of component `n` is `[1, 64]`.
    fn pay_referrals(n: u32) -> Weight {
        Weight::from_parts(30_000_000, 4_500)
            .saturating_add(Weight::from_parts(20_000_000, 2_700).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().reads(2_u64.saturating_mul(n.into())))
            .saturating_add(T::DbWeight::get().writes(2))
            .saturating_add(T::DbWeight::get().writes(2_u64.saturating_mul(n.into())))
    }
    fn release_first() -> Weight {
        Weight::from_parts(45_000_000, 6_200)
            .saturating_add(T::DbWeight::get().reads(9))
            .saturating_add(T::DbWeight::get().writes(3))
    }
}

/// Weights for tests.
impl WeightInfo for () {
    fn deposit() -> Weight {
        Weight::from_parts(260_040_000, 219870)
            .saturating_add(RocksDbWeight::get().reads(74))
            .saturating_add(RocksDbWeight::get().writes(4))
    }
    fn withdraw() -> Weight {
        Weight::from_parts(333_880_000, 219870)
            .saturating_add(RocksDbWeight::get().reads(73))
            .saturating_add(RocksDbWeight::get().writes(4))
    }
    fn close() -> Weight {
        Weight::from_parts(237_667_000, 219870)
            .saturating_add(RocksDbWeight::get().reads(72))
            .saturating_add(RocksDbWeight::get().writes(4))
    }
    fn poke() -> Weight {
        Weight::from_parts(218_247_000, 219870)
            .saturating_add(RocksDbWeight::get().reads(70))
            .saturating_add(RocksDbWeight::get().writes(1))
    }
    fn commit_usage() -> Weight {
        Weight::from_parts(43_425_000, 4859)
            .saturating_add(RocksDbWeight::get().reads(10))
            .saturating_add(RocksDbWeight::get().writes(3))
    }
    fn authorize_commit_usage() -> Weight {
        Weight::from_parts(77_727_000, 4859).saturating_add(RocksDbWeight::get().reads(11))
    }
    fn authorize_page(n: u32) -> Weight {
        Weight::from_parts(98_675_592, 6012)
            .saturating_add(Weight::from_parts(3_501_377, 0).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().reads(10))
    }
    fn siblings(s: u32) -> Weight {
        Weight::from_parts(3_171_970, 0)
            .saturating_add(Weight::from_parts(1_599_722, 0).saturating_mul(s.into()))
    }
    fn settle(n: u32) -> Weight {
        Weight::from_parts(326_740_000, 15764)
            .saturating_add(Weight::from_parts(368_821_153, 0).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().reads(15))
            .saturating_add(RocksDbWeight::get().reads(72).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().writes(4))
            .saturating_add(RocksDbWeight::get().writes(5).saturating_mul(n.into()))
            .saturating_add(Weight::from_parts(0, 232839).saturating_mul(n.into()))
    }
    fn credit(n: u32) -> Weight {
        Weight::from_parts(174_991_345, 23589)
            .saturating_add(Weight::from_parts(32_614_132, 0).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().reads(31))
            .saturating_add(RocksDbWeight::get().reads(7).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().writes(13))
            .saturating_add(RocksDbWeight::get().writes(4).saturating_mul(n.into()))
            .saturating_add(Weight::from_parts(0, 9100).saturating_mul(n.into()))
    }
    fn refund(n: u32) -> Weight {
        Weight::from_parts(347_371_000, 6012)
            .saturating_add(Weight::from_parts(353_719_348, 0).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().reads(9))
            .saturating_add(RocksDbWeight::get().reads(69).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().writes(6))
            .saturating_add(RocksDbWeight::get().writes(4).saturating_mul(n.into()))
            .saturating_add(Weight::from_parts(0, 218880).saturating_mul(n.into()))
    }
    fn claim() -> Weight {
        Weight::from_parts(48_383_000, 6196)
            .saturating_add(RocksDbWeight::get().reads(4))
            .saturating_add(RocksDbWeight::get().writes(4))
    }
    fn void() -> Weight {
        Weight::from_parts(15_523_000, 4221)
            .saturating_add(RocksDbWeight::get().reads(1))
            .saturating_add(RocksDbWeight::get().writes(1))
    }
    fn clear_step() -> Weight {
        Weight::from_parts(13_610_000, 8523)
            .saturating_add(RocksDbWeight::get().reads(6))
            .saturating_add(RocksDbWeight::get().writes(1))
    }
    fn clear_batch(n: u32) -> Weight {
        Weight::from_parts(15_068_900, 3706)
            .saturating_add(Weight::from_parts(5_589_317, 0).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().reads(1))
            .saturating_add(RocksDbWeight::get().reads(1).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().writes(1).saturating_mul(n.into()))
            .saturating_add(Weight::from_parts(0, 2716).saturating_mul(n.into()))
    }
    fn deposit_referred() -> Weight {
        Weight::from_parts(290_000_000, 222_500)
            .saturating_add(RocksDbWeight::get().reads(76))
            .saturating_add(RocksDbWeight::get().writes(6))
    }
    /// The range of component `n` is `[1, 64]`.
    fn pay_referrals(n: u32) -> Weight {
        Weight::from_parts(30_000_000, 4_500)
            .saturating_add(Weight::from_parts(20_000_000, 2_700).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().reads(3))
            .saturating_add(RocksDbWeight::get().reads(2_u64.saturating_mul(n.into())))
            .saturating_add(RocksDbWeight::get().writes(2))
            .saturating_add(RocksDbWeight::get().writes(2_u64.saturating_mul(n.into())))
    }
    fn release_first() -> Weight {
        Weight::from_parts(45_000_000, 6_200)
            .saturating_add(RocksDbWeight::get().reads(9))
            .saturating_add(RocksDbWeight::get().writes(3))
    }
}
