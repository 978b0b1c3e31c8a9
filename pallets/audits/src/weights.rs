//! Weights of `pallet_edge_audits`, set by hand and not measured yet: `scripts/weights.sh audits` will write this file anew.
//!
//! Taken from what `pallet_edge_billing` measured: 1.6 µs per node of a path, of which a disagreement has at most 4 × 32 + 32,
//! 75 µs for a signature with its message, 60 µs for ending a commitment and 150 µs for a slash; twice the sum. A draw of eleven
//! auditors is 12 µs.

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
    /// Of a step of a window that looks at `n` nodes, at most 32.
    fn turn(n: u32) -> Weight;
    /// Of ending the stage of an audit, with a slash and all of its challenges.
    fn end_stage() -> Weight;
    /// Of `vote`.
    fn vote() -> Weight;
    /// Of letting a vote in.
    fn authorize_vote() -> Weight;
    /// Of `reveal` with `n` verdicts.
    fn reveal(n: u32) -> Weight;
    /// Of letting a reveal with `n` verdicts in.
    fn authorize_reveal(n: u32) -> Weight;
    /// Of `answer` of a challenge; of `post_leaf`, which does less.
    fn answer() -> Weight;
    /// Of letting an answer or a posted leaf in.
    fn authorize_answer() -> Weight;
    /// Of `challenge_leaf`.
    fn challenge_leaf() -> Weight;
    /// Of `name_canary`; of `forget_canary`, which does less.
    fn name_canary() -> Weight;
    /// Of `pledge`.
    fn pledge() -> Weight;
    /// Of `open_canary`.
    fn open_canary() -> Weight;
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
            .saturating_add(T::DbWeight::get().reads(32))
            .saturating_add(T::DbWeight::get().writes(28))
    }
    // As above, and:
    // Storage: `Services::History` (r:1 w:0)
    // Storage: `Services::Services` (r:1 w:0)
    // Storage: `Services::PriceLists` (r:1 w:0)
    fn report_leaf() -> Weight {
        Weight::from_parts(650_000_000, 80_000)
            .saturating_add(T::DbWeight::get().reads(36))
            .saturating_add(T::DbWeight::get().writes(28))
    }
    // Storage: `System::BlockHash` (r:1 w:0)
    fn verify_signature() -> Weight {
        Weight::from_parts(150_000_000, 1_500).saturating_add(T::DbWeight::get().reads(1))
    }
    fn turn(n: u32) -> Weight {
        Weight::from_parts(30_000_000, 20_000)
            .saturating_add(T::DbWeight::get().reads_writes(6, 4))
            .saturating_add(
                Weight::from_parts(10_000_000, 3_000)
                    .saturating_add(T::DbWeight::get().reads_writes(3, 0))
                    .saturating_mul(n.into()),
            )
    }
    fn end_stage() -> Weight {
        Weight::from_parts(900_000_000, 120_000)
            .saturating_add(T::DbWeight::get().reads_writes(40, 36))
    }
    fn vote() -> Weight {
        Weight::from_parts(60_000_000, 30_000).saturating_add(T::DbWeight::get().reads_writes(4, 2))
    }
    fn authorize_vote() -> Weight {
        Weight::from_parts(220_000_000, 32_000)
            .saturating_add(T::DbWeight::get().reads_writes(6, 0))
    }
    fn reveal(n: u32) -> Weight {
        Weight::from_parts(80_000_000, 40_000)
            .saturating_add(T::DbWeight::get().reads_writes(5, 3))
            .saturating_add(
                Weight::from_parts(40_000_000, 4_000)
                    .saturating_add(T::DbWeight::get().reads_writes(1, 1))
                    .saturating_mul(n.into()),
            )
    }
    fn authorize_reveal(n: u32) -> Weight {
        Weight::from_parts(250_000_000, 42_000)
            .saturating_add(T::DbWeight::get().reads_writes(6, 0))
            .saturating_add(
                Weight::from_parts(30_000_000, 4_000)
                    .saturating_add(T::DbWeight::get().reads_writes(1, 0))
                    .saturating_mul(n.into()),
            )
    }
    fn answer() -> Weight {
        Weight::from_parts(1_100_000_000, 120_000)
            .saturating_add(T::DbWeight::get().reads_writes(36, 28))
    }
    fn authorize_answer() -> Weight {
        Weight::from_parts(700_000_000, 90_000)
            .saturating_add(T::DbWeight::get().reads_writes(14, 0))
    }
    fn challenge_leaf() -> Weight {
        Weight::from_parts(150_000_000, 30_000)
            .saturating_add(T::DbWeight::get().reads_writes(10, 6))
    }
    fn name_canary() -> Weight {
        Weight::from_parts(40_000_000, 6_000).saturating_add(T::DbWeight::get().reads_writes(2, 2))
    }
    fn pledge() -> Weight {
        Weight::from_parts(40_000_000, 6_000).saturating_add(T::DbWeight::get().reads_writes(1, 1))
    }
    // Of two paths of 32 nodes, a draw of 176 leaves and eleven fines.
    fn open_canary() -> Weight {
        Weight::from_parts(1_200_000_000, 120_000)
            .saturating_add(T::DbWeight::get().reads_writes(40, 20))
    }
}

/// Weights for tests.
impl WeightInfo for () {
    fn report_disagreement() -> Weight {
        Weight::from_parts(950_000_000, 60_000)
            .saturating_add(RocksDbWeight::get().reads(32))
            .saturating_add(RocksDbWeight::get().writes(28))
    }
    fn report_leaf() -> Weight {
        Weight::from_parts(650_000_000, 80_000)
            .saturating_add(RocksDbWeight::get().reads(36))
            .saturating_add(RocksDbWeight::get().writes(28))
    }
    fn verify_signature() -> Weight {
        Weight::from_parts(150_000_000, 1_500).saturating_add(RocksDbWeight::get().reads(1))
    }
    fn turn(n: u32) -> Weight {
        Weight::from_parts(30_000_000, 20_000)
            .saturating_add(RocksDbWeight::get().reads_writes(6, 4))
            .saturating_add(
                Weight::from_parts(10_000_000, 3_000)
                    .saturating_add(RocksDbWeight::get().reads_writes(3, 0))
                    .saturating_mul(n.into()),
            )
    }
    fn end_stage() -> Weight {
        Weight::from_parts(900_000_000, 120_000)
            .saturating_add(RocksDbWeight::get().reads_writes(40, 36))
    }
    fn vote() -> Weight {
        Weight::from_parts(60_000_000, 30_000)
            .saturating_add(RocksDbWeight::get().reads_writes(4, 2))
    }
    fn authorize_vote() -> Weight {
        Weight::from_parts(220_000_000, 32_000)
            .saturating_add(RocksDbWeight::get().reads_writes(6, 0))
    }
    fn reveal(n: u32) -> Weight {
        Weight::from_parts(80_000_000, 40_000)
            .saturating_add(RocksDbWeight::get().reads_writes(5, 3))
            .saturating_add(
                Weight::from_parts(40_000_000, 4_000)
                    .saturating_add(RocksDbWeight::get().reads_writes(1, 1))
                    .saturating_mul(n.into()),
            )
    }
    fn authorize_reveal(n: u32) -> Weight {
        Weight::from_parts(250_000_000, 42_000)
            .saturating_add(RocksDbWeight::get().reads_writes(6, 0))
            .saturating_add(
                Weight::from_parts(30_000_000, 4_000)
                    .saturating_add(RocksDbWeight::get().reads_writes(1, 0))
                    .saturating_mul(n.into()),
            )
    }
    fn answer() -> Weight {
        Weight::from_parts(1_100_000_000, 120_000)
            .saturating_add(RocksDbWeight::get().reads_writes(36, 28))
    }
    fn authorize_answer() -> Weight {
        Weight::from_parts(700_000_000, 90_000)
            .saturating_add(RocksDbWeight::get().reads_writes(14, 0))
    }
    fn challenge_leaf() -> Weight {
        Weight::from_parts(150_000_000, 30_000)
            .saturating_add(RocksDbWeight::get().reads_writes(10, 6))
    }
    fn name_canary() -> Weight {
        Weight::from_parts(40_000_000, 6_000)
            .saturating_add(RocksDbWeight::get().reads_writes(2, 2))
    }
    fn pledge() -> Weight {
        Weight::from_parts(40_000_000, 6_000)
            .saturating_add(RocksDbWeight::get().reads_writes(1, 1))
    }
    // Of two paths of 32 nodes, a draw of 176 leaves and eleven fines.
    fn open_canary() -> Weight {
        Weight::from_parts(1_200_000_000, 120_000)
            .saturating_add(RocksDbWeight::get().reads_writes(40, 20))
    }
}
