//! Estimates from storage accesses, not measured. Measure: `scripts/weights.sh reputation`.

use core::marker::PhantomData;
use frame_support::{
    traits::Get,
    weights::{constants::RocksDbWeight, RuntimeDbWeight, Weight},
};

/// Weights of the steps of a close.
pub trait WeightInfo {
    /// One page of at most `n` nodes, at its worst step.
    fn page(n: u32) -> Weight;
}

/// Weights with the runtime's database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn page(n: u32) -> Weight {
        page(n, T::DbWeight::get())
    }
}

impl WeightInfo for () {
    fn page(n: u32) -> Weight {
        page(n, RocksDbWeight::get())
    }
}

/// Per node: reads row, spans, device, stake, matured or authored, score and median; writes the score. Per page, a
/// median of 1,024 samples of 56 bytes is decoded and sorted, in about 1 ms, and the era and the validators are read.
fn page(n: u32, db: RuntimeDbWeight) -> Weight {
    let n = u64::from(n);
    Weight::from_parts(1_200_000_000 + 30_000_000 * n, 70_000 + 9_000 * n)
        .saturating_add(db.reads_writes(6 + 7 * n, 4 + 2 * n))
}
