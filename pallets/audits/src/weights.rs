//! Weights of `pallet_edge_audits`, set by hand and not measured yet: `scripts/weights.sh audits` will write this file anew.
//!
//! Taken from what `pallet_edge_billing` measured: 1.6 µs per node of a path, of which a disagreement has at most 4 × 32 + 32,
//! 75 µs for a signature with its message, 60 µs for ending a commitment and 150 µs for a slash; twice the sum.

use core::marker::PhantomData;
use frame_support::{
    traits::Get,
    weights::{constants::RocksDbWeight, Weight},
};

/// Weights of the calls and of parts of them.
pub trait WeightInfo {
    /// Of `report_fraud` with a leaf that is missing from the other tree.
    fn report_disagreement() -> Weight;
    /// Of `report_fraud` with a leaf that bears no signature.
    fn report_leaf() -> Weight;
    /// Of checking the signature of a leaf.
    fn verify_signature() -> Weight;
}

/// Weights with the runtime's database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Storage: `Billing::Commitments` (r:1 w:1)
    // Storage: `UsageClock::Current` (r:1 w:0)
    // Storage: `Audits::Frauds` (r:1 w:1)
    // Storage: `Billing::EpochBooks` (r:1 w:1)
    // Storage: `Billing::Open` (r:1 w:1)
    // Storage: `Billing::ClearFrom` (r:1 w:1)
    // Storage: `Parameters::Parameters` (r:4 w:0)
    // Storage: `NodeStaking::Assignments` (r:1 w:1)
    // Storage: `NodeStaking::Stakes` (r:1 w:1)
    // Storage: `NodeStaking::StakesOf` (r:0 w:1)
    // Storage: `NodeStaking::ActiveByRole` (r:1 w:1)
    // Storage: `NodeStaking::Counts` (r:1 w:1)
    // Storage: `NodeStaking::Leaving` (r:1 w:1)
    // Storage: `System::Account` (r:3 w:3)
    // Storage: `Balances::Holds` (r:1 w:1)
    fn report_disagreement() -> Weight {
        Weight::from_parts(950_000_000, 60_000)
            .saturating_add(T::DbWeight::get().reads(20))
            .saturating_add(T::DbWeight::get().writes(15))
    }
    // As above, and:
    // Storage: `Services::History` (r:1 w:0)
    // Storage: `Services::Services` (r:1 w:0)
    // Storage: `Services::PriceLists` (r:1 w:0)
    fn report_leaf() -> Weight {
        Weight::from_parts(650_000_000, 80_000)
            .saturating_add(T::DbWeight::get().reads(24))
            .saturating_add(T::DbWeight::get().writes(15))
    }
    // Storage: `System::BlockHash` (r:1 w:0)
    fn verify_signature() -> Weight {
        Weight::from_parts(150_000_000, 1_500).saturating_add(T::DbWeight::get().reads(1))
    }
}

/// Weights for tests.
impl WeightInfo for () {
    fn report_disagreement() -> Weight {
        Weight::from_parts(950_000_000, 60_000)
            .saturating_add(RocksDbWeight::get().reads(20))
            .saturating_add(RocksDbWeight::get().writes(15))
    }
    fn report_leaf() -> Weight {
        Weight::from_parts(650_000_000, 80_000)
            .saturating_add(RocksDbWeight::get().reads(24))
            .saturating_add(RocksDbWeight::get().writes(15))
    }
    fn verify_signature() -> Weight {
        Weight::from_parts(150_000_000, 1_500).saturating_add(RocksDbWeight::get().reads(1))
    }
}
