//! Estimates from storage accesses, not measured. Measure: `scripts/weights.sh yields`.

use core::marker::PhantomData;
use frame_support::{
    traits::Get,
    weights::{constants::RocksDbWeight, RuntimeDbWeight, Weight},
};

/// Weights of the call and of the steps of a close.
pub trait WeightInfo {
    /// One transfer.
    fn claim() -> Weight;
    /// What at most `n` nodes claim.
    fn claims(n: u32) -> Weight;
    /// Grants to at most `n` nodes.
    fn grants(n: u32) -> Weight;
}

/// Weights with the runtime's database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn claim() -> Weight {
        claim(T::DbWeight::get())
    }

    fn claims(n: u32) -> Weight {
        page(n, T::DbWeight::get())
    }

    fn grants(n: u32) -> Weight {
        page(n, T::DbWeight::get())
    }
}

impl WeightInfo for () {
    fn claim() -> Weight {
        claim(RocksDbWeight::get())
    }

    fn claims(n: u32) -> Weight {
        page(n, RocksDbWeight::get())
    }

    fn grants(n: u32) -> Weight {
        page(n, RocksDbWeight::get())
    }
}

/// Reads and writes payout, totals, the pool's account and the caller's.
fn claim(db: RuntimeDbWeight) -> Weight {
    Weight::from_parts(60_000_000, 6_200).saturating_add(db.reads_writes(4, 4))
}

/// Per node: reads row, spans, stake, matured, two scores; or claim, payout and 84 eras of 56 bytes. Writes the claim, or
/// removes it and writes payout and eras. Per page: the era, the clock, eight rates, the totals.
fn page(n: u32, db: RuntimeDbWeight) -> Weight {
    let n = u64::from(n);
    Weight::from_parts(50_000_000 + 40_000_000 * n, 10_000 + 9_000 * n)
        .saturating_add(db.reads_writes(12 + 7 * n, 2 + 3 * n))
}
