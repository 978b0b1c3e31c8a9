//! Weights of `pallet_edge_claims`, set by hand and not measured yet: `scripts/weights.sh claims` will write this file anew.
//!
//! Taken from what `pallet_edge_billing` measured: 1.6 µs per node of a path, 75 µs for a signature with its message, 50 µs for a
//! payment; and 150 µs for what a stake answers with. Twice the sum.

use core::marker::PhantomData;
use frame_support::{
    traits::Get,
    weights::{constants::RocksDbWeight, Weight},
};

/// Weights of the calls.
pub trait WeightInfo {
    /// Of `redeem_voucher` for a commitment that was paid.
    fn redeem_paid() -> Weight;
    /// Of `redeem_voucher` for one that is missing.
    fn redeem_missing() -> Weight;
    /// Of `dispute_line`.
    fn dispute_line() -> Weight;
    /// Of `close_dispute`.
    fn close_dispute() -> Weight;
}

/// Weights with the runtime's database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Storage: `UsageClock::Current` (r:1 w:0)
    // Storage: `Parameters::Parameters` (r:9 w:0)
    // Storage: `Claims::Redemptions` (r:1 w:1)
    // Storage: `NodeStaking::Assignments` (r:2 w:1)
    // Storage: `Billing::Reserved` (r:1 w:1)
    // Storage: `Billing::Commitments` (r:1 w:0)
    // Storage: `System::BlockHash` (r:1 w:0)
    // Storage: `Claims::Debts` (r:1 w:1)
    // Storage: `NodeStaking::Stakes` (r:1 w:1)
    // Storage: `Billing::Payouts` (r:1 w:1)
    // Storage: `Billing::RunningTotals` (r:1 w:1)
    // Storage: `System::Account` (r:3 w:3)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Storage: `NodeStaking::ActiveByRole` (r:1 w:1)
    // Storage: `NodeStaking::Counts` (r:1 w:1)
    // Storage: `NodeStaking::Leaving` (r:1 w:1)
    fn redeem_paid() -> Weight {
        Weight::from_parts(850_000_000, 75_000)
            .saturating_add(T::DbWeight::get().reads(27))
            .saturating_add(T::DbWeight::get().writes(15))
    }
    // As above without `Billing::Payouts` and `Billing::RunningTotals`.
    fn redeem_missing() -> Weight {
        Weight::from_parts(650_000_000, 70_000)
            .saturating_add(T::DbWeight::get().reads(25))
            .saturating_add(T::DbWeight::get().writes(13))
    }
    // Storage: `Billing::Commitments` (r:1 w:0)
    // Storage: `Billing::InvoiceLines` (r:1 w:0)
    // Storage: `UsageClock::Current` (r:1 w:0)
    // Storage: `Parameters::Parameters` (r:2 w:0)
    // Storage: `Claims::Disputes` (r:1 w:1)
    // Storage: `System::Account` (r:1 w:1)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Storage: `Claims::ToBurn` (r:1 w:1)
    fn dispute_line() -> Weight {
        Weight::from_parts(150_000_000, 12_000)
            .saturating_add(T::DbWeight::get().reads(9))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    // Storage: `Claims::Disputes` (r:1 w:1)
    // Storage: `Billing::Reserved` (r:1 w:1)
    // Storage: `UsageClock::Current` (r:1 w:0)
    // Storage: `Parameters::Parameters` (r:2 w:0)
    // Storage: `Billing::Commitments` (r:1 w:0)
    // Storage: `System::Account` (r:1 w:1)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Storage: `Claims::ToBurn` (r:1 w:1)
    fn close_dispute() -> Weight {
        Weight::from_parts(160_000_000, 12_000)
            .saturating_add(T::DbWeight::get().reads(9))
            .saturating_add(T::DbWeight::get().writes(5))
    }
}

/// Weights for tests.
impl WeightInfo for () {
    fn redeem_paid() -> Weight {
        Weight::from_parts(850_000_000, 75_000)
            .saturating_add(RocksDbWeight::get().reads(27))
            .saturating_add(RocksDbWeight::get().writes(15))
    }
    fn redeem_missing() -> Weight {
        Weight::from_parts(650_000_000, 70_000)
            .saturating_add(RocksDbWeight::get().reads(25))
            .saturating_add(RocksDbWeight::get().writes(13))
    }
    fn dispute_line() -> Weight {
        Weight::from_parts(150_000_000, 12_000)
            .saturating_add(RocksDbWeight::get().reads(9))
            .saturating_add(RocksDbWeight::get().writes(4))
    }
    fn close_dispute() -> Weight {
        Weight::from_parts(160_000_000, 12_000)
            .saturating_add(RocksDbWeight::get().reads(9))
            .saturating_add(RocksDbWeight::get().writes(5))
    }
}
