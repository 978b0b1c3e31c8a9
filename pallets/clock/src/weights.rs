//! Estimates from storage accesses, not measured. Measure: `scripts/weights.sh clock`.

use core::marker::PhantomData;
use frame_support::{
    traits::Get,
    weights::{constants::RocksDbWeight, RuntimeDbWeight, Weight},
};

/// Weight of what every block costs.
pub trait WeightInfo {
    /// The time since the last block passes, or stands still.
    fn tick() -> Weight;
}

/// Weights with the runtime's database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn tick() -> Weight {
        tick(T::DbWeight::get())
    }
}

impl WeightInfo for () {
    fn tick() -> Weight {
        tick(RocksDbWeight::get())
    }
}

/// Reads genesis, the last timestamp, the length, the brake, the time stood and the epoch; writes the last timestamp and
/// the time stood.
fn tick(db: RuntimeDbWeight) -> Weight {
    Weight::from_parts(10_000_000, 1_600).saturating_add(db.reads_writes(6, 2))
}
