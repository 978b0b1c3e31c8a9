//! Estimates from storage accesses, not measured. Measure: `scripts/weights.sh registry`.

use core::marker::PhantomData;
use frame_support::{
    traits::Get,
    weights::{constants::RocksDbWeight, RuntimeDbWeight, Weight},
};

/// Weights of the calls.
pub trait WeightInfo {
    /// One signature, one hold, one new entry.
    fn register_device() -> Weight;
    /// One entry changed.
    fn update_device() -> Weight;
    /// One entry changed.
    fn set_agent_key() -> Weight;
    /// One entry removed, one hold released.
    fn retire_device() -> Weight;
    /// One entry changed.
    fn request_drain() -> Weight;
    /// One entry changed.
    fn end_drain() -> Weight;
}

/// Weights with the runtime's database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn register_device() -> Weight {
        register(T::DbWeight::get())
    }

    fn update_device() -> Weight {
        change(T::DbWeight::get())
    }

    fn set_agent_key() -> Weight {
        change(T::DbWeight::get())
    }

    fn retire_device() -> Weight {
        retire(T::DbWeight::get())
    }

    fn request_drain() -> Weight {
        change(T::DbWeight::get())
    }

    fn end_drain() -> Weight {
        change(T::DbWeight::get())
    }
}

impl WeightInfo for () {
    fn register_device() -> Weight {
        register(RocksDbWeight::get())
    }

    fn update_device() -> Weight {
        change(RocksDbWeight::get())
    }

    fn set_agent_key() -> Weight {
        change(RocksDbWeight::get())
    }

    fn retire_device() -> Weight {
        retire(RocksDbWeight::get())
    }

    fn request_drain() -> Weight {
        change(RocksDbWeight::get())
    }

    fn end_drain() -> Weight {
        change(RocksDbWeight::get())
    }
}

/// Reads the device, the epoch and the era's length, the block hash, the account and its holds and the deposit; writes
/// device, account and holds.
/// An ed25519 check takes about 50 µs.
fn register(db: RuntimeDbWeight) -> Weight {
    Weight::from_parts(110_000_000, 4_200).saturating_add(db.reads_writes(7, 3))
}

/// Reads and writes the device.
fn change(db: RuntimeDbWeight) -> Weight {
    Weight::from_parts(25_000_000, 3_100).saturating_add(db.reads_writes(1, 1))
}

/// Reads the device, its assignments, a stake, the epoch, the account and its holds; writes device, account and holds.
fn retire(db: RuntimeDbWeight) -> Weight {
    Weight::from_parts(50_000_000, 6_000).saturating_add(db.reads_writes(6, 3))
}
