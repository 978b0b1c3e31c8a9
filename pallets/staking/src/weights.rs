//! Estimates from storage accesses, not measured. Measure: `scripts/weights.sh staking`.

use core::marker::PhantomData;
use frame_support::{
    traits::Get,
    weights::{constants::RocksDbWeight, RuntimeDbWeight, Weight},
};

/// Weights of the calls.
pub trait WeightInfo {
    /// One hold, one new stake.
    fn create_stake() -> Weight;
    /// One signature, one span, one row, one count.
    fn assign() -> Weight;
    /// One span, one row, one count.
    fn unassign() -> Weight;
    /// One stake changed.
    fn request_unlock() -> Weight;
    /// One hold released.
    fn withdraw_unlocked() -> Weight;
    /// One hold released, one fee.
    fn release_express() -> Weight;
    /// One stake changed.
    fn commit_lock() -> Weight;
}

/// Weights with the runtime's database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn create_stake() -> Weight {
        create(T::DbWeight::get())
    }

    fn assign() -> Weight {
        assign(T::DbWeight::get())
    }

    fn unassign() -> Weight {
        unassign(T::DbWeight::get())
    }

    fn request_unlock() -> Weight {
        change(T::DbWeight::get())
    }

    fn withdraw_unlocked() -> Weight {
        release(T::DbWeight::get())
    }

    fn release_express() -> Weight {
        express(T::DbWeight::get())
    }

    fn commit_lock() -> Weight {
        change(T::DbWeight::get())
    }
}

impl WeightInfo for () {
    fn create_stake() -> Weight {
        create(RocksDbWeight::get())
    }

    fn assign() -> Weight {
        assign(RocksDbWeight::get())
    }

    fn unassign() -> Weight {
        unassign(RocksDbWeight::get())
    }

    fn request_unlock() -> Weight {
        change(RocksDbWeight::get())
    }

    fn withdraw_unlocked() -> Weight {
        release(RocksDbWeight::get())
    }

    fn release_express() -> Weight {
        express(RocksDbWeight::get())
    }

    fn commit_lock() -> Weight {
        change(RocksDbWeight::get())
    }
}

/// Reads the role's amount, account, holds, next id; writes account, holds, next id, stake, owner's list.
fn create(db: RuntimeDbWeight) -> Weight {
    Weight::from_parts(60_000_000, 4_600).saturating_add(db.reads_writes(4, 5))
}

/// Reads stake, device, spans, role's amount, epoch, counts, block hash, row, time and history depth; writes stake,
/// spans, row, counts. Counts have at most 1,024 elements of 12 bytes. An ed25519 check takes about 50 µs.
fn assign(db: RuntimeDbWeight) -> Weight {
    Weight::from_parts(160_000_000, 24_000).saturating_add(db.reads_writes(10, 4))
}

/// Reads stake, epoch, leaving, spans, row, counts; writes stake, spans, row, leaving, counts.
fn unassign(db: RuntimeDbWeight) -> Weight {
    Weight::from_parts(80_000_000, 40_000).saturating_add(db.reads_writes(6, 5))
}

/// Reads stake, time, role's amount and period; writes the stake.
fn change(db: RuntimeDbWeight) -> Weight {
    Weight::from_parts(30_000_000, 4_400).saturating_add(db.reads_writes(4, 1))
}

/// Reads stake, time, account, holds; writes stake, owner's list, account, holds.
fn release(db: RuntimeDbWeight) -> Weight {
    Weight::from_parts(60_000_000, 4_600).saturating_add(db.reads_writes(4, 4))
}

/// As a release, with epoch, clock's genesis and length, fee, windows, issuance and the fee's destination.
fn express(db: RuntimeDbWeight) -> Weight {
    Weight::from_parts(110_000_000, 8_200).saturating_add(db.reads_writes(12, 7))
}
