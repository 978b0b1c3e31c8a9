//! Estimates from storage accesses, not measured. Measure: `scripts/weights.sh governance`.

use core::marker::PhantomData;
use frame_support::{
    traits::Get,
    weights::{constants::RocksDbWeight, RuntimeDbWeight, Weight},
};

/// Weights of the calls.
pub trait WeightInfo {
    /// A value checked against others and stored.
    fn set_parameter() -> Weight;
}

/// Weights with the runtime's database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn set_parameter() -> Weight {
        set(T::DbWeight::get())
    }
}

impl WeightInfo for () {
    fn set_parameter() -> Weight {
        set(RocksDbWeight::get())
    }
}

/// Reads the parameters of a joint range, at most eight, and the old value; writes the new one.
fn set(db: RuntimeDbWeight) -> Weight {
    Weight::from_parts(30_000_000, 20_000).saturating_add(db.reads_writes(9, 1))
}
