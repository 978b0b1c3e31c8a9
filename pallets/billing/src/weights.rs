//! Weights of `pallet-edge-billing`: estimates from storage accesses and hash counts, not measured.
//!
//! Measure: `scripts/weights.sh billing`.
//!
//! Counted per call: database accesses through `T::DbWeight`, 60 µs for an sr25519 check, 3 µs for
//! a keccak of a node with its encoding, 15 µs for other work. Proof sizes are the encoded lengths
//! of the values read with 1 KiB of trie nodes for each.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the calls, of their authorization, and of clearing.
pub trait WeightInfo {
    /// [`deposit`](crate::Pallet::deposit).
    fn deposit() -> Weight;
    /// [`withdraw`](crate::Pallet::withdraw).
    fn withdraw() -> Weight;
    /// [`close`](crate::Pallet::close).
    fn close() -> Weight;
    /// [`poke`](crate::Pallet::poke).
    fn poke() -> Weight;
    /// [`commit_usage`](crate::Pallet::commit_usage).
    fn commit_usage() -> Weight;
    /// Checks before a commitment is let in.
    fn authorize_commit_usage() -> Weight;
    /// Hashing of the `s` siblings of a proof.
    fn siblings(s: u32) -> Weight;
    /// Checks before a page of `n` entries of an agent is let in.
    fn authorize_page(n: u32) -> Weight;
    /// [`settle`](crate::Pallet::settle) with `n` entries.
    fn settle(n: u32) -> Weight;
    /// [`credit`](crate::Pallet::credit) with `n` entries.
    fn credit(n: u32) -> Weight;
    /// [`refund`](crate::Pallet::refund) with `n` entries.
    fn refund(n: u32) -> Weight;
    /// [`claim`](crate::Pallet::claim) and [`claim_for`](crate::Pallet::claim_for).
    fn claim() -> Weight;
    /// [`void`](crate::Pallet::void).
    fn void() -> Weight;
    /// Looking at one epoch when clearing.
    fn clear_step() -> Weight;
    /// Removing `n` lines or commitments.
    fn clear_batch(n: u32) -> Weight;
}

/// Nanoseconds of work that is neither database nor cryptography.
const WORK: u64 = 15_000;
/// Nanoseconds of an sr25519 check with building the message.
const SIGNATURE: u64 = 60_000;
/// Nanoseconds of hashing a tree node with its encoding.
const NODE: u64 = 3_000;
/// Services an owner may have: what summing up allowances reads at most, with the list of them.
const SERVICES: u64 = 65;
/// Bytes of proof for one value: its own with the trie nodes above.
const VALUE: u64 = 1_536;

fn work(nanos: u64) -> Weight {
    Weight::from_parts(nanos.saturating_mul(1_000), 0)
}

/// Verifying a page of `n` entries: two hashes per entry.
fn page(n: u32) -> Weight {
    work(2 * u64::from(n) * NODE)
}

fn accesses(db: frame_support::weights::RuntimeDbWeight, reads: u64, writes: u64) -> Weight {
    db.reads_writes(reads, writes)
        .saturating_add(Weight::from_parts(0, reads * VALUE))
}

/// Weights for a chain with the given database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> SubstrateWeight<T> {
    fn db(reads: u64, writes: u64) -> Weight {
        accesses(T::DbWeight::get(), reads, writes)
    }
}

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Account, hold, balance, totals, clock; allowances.
    fn deposit() -> Weight {
        work(4 * WORK).saturating_add(Self::db(8 + SERVICES, 4))
    }
    fn withdraw() -> Weight {
        work(4 * WORK).saturating_add(Self::db(8 + 2 * SERVICES, 4))
    }
    fn close() -> Weight {
        work(4 * WORK).saturating_add(Self::db(8 + SERVICES, 4))
    }
    fn poke() -> Weight {
        work(2 * WORK).saturating_add(Self::db(4 + SERVICES, 1))
    }
    // Clock, stake, commitment, list, book.
    fn commit_usage() -> Weight {
        work(3 * WORK).saturating_add(Self::db(8, 3))
    }
    fn authorize_commit_usage() -> Weight {
        work(WORK + SIGNATURE).saturating_add(Self::db(8, 0))
    }
    fn siblings(s: u32) -> Weight {
        work(u64::from(s) * NODE)
    }
    fn authorize_page(n: u32) -> Weight {
        work(WORK + SIGNATURE + u64::from(n) * 200)
            .saturating_add(page(n))
            .saturating_add(Self::db(5, 0))
    }
    // Commitment, book, totals, clock, count of gateways, pot; per entry: service, prices, account
    // twice, hold, balance, allowances, and as written account, hold, balance, line.
    fn settle(n: u32) -> Weight {
        work(4 * WORK)
            .saturating_add(page(n))
            .saturating_add(Self::db(9, 5))
            .saturating_add(work(2 * WORK).saturating_mul(n.into()))
            .saturating_add(Self::db(7 + SERVICES, 4).saturating_mul(n.into()))
    }
    // Commitment, list, book, totals, clock, nine parameters, owner, payouts of gateway and
    // treasury, pot, issuance, treasury; per entry: activity, owner, payout, and what is told of
    // matured charges (gateway and cache).
    fn credit(n: u32) -> Weight {
        work(6 * WORK)
            .saturating_add(page(n))
            .saturating_add(Self::db(26, 12))
            .saturating_add(work(2 * WORK).saturating_mul(n.into()))
            .saturating_add(Self::db(7, 3).saturating_mul(n.into()))
    }
    // Commitment, list, book, totals, clock, pot; per entry: line, account, hold, balance,
    // allowances.
    fn refund(n: u32) -> Weight {
        work(4 * WORK)
            .saturating_add(page(n))
            .saturating_add(Self::db(9, 6))
            .saturating_add(work(2 * WORK).saturating_mul(n.into()))
            .saturating_add(Self::db(6 + SERVICES, 5).saturating_mul(n.into()))
    }
    // Payout, pot, account, totals.
    fn claim() -> Weight {
        work(3 * WORK).saturating_add(Self::db(4, 4))
    }
    // Commitment, list, book, clearing.
    fn void() -> Weight {
        work(2 * WORK).saturating_add(Self::db(4, 4))
    }
    fn clear_step() -> Weight {
        work(WORK).saturating_add(Self::db(4, 2))
    }
    fn clear_batch(n: u32) -> Weight {
        work(WORK).saturating_add(Self::db(2, 1).saturating_mul(n.into()))
    }
}

/// Weights for tests.
impl WeightInfo for () {
    fn deposit() -> Weight {
        Weight::from_parts(10_000, 0)
    }
    fn withdraw() -> Weight {
        Weight::from_parts(10_000, 0)
    }
    fn close() -> Weight {
        Weight::from_parts(10_000, 0)
    }
    fn poke() -> Weight {
        Weight::from_parts(10_000, 0)
    }
    fn commit_usage() -> Weight {
        Weight::from_parts(10_000, 0)
    }
    fn authorize_commit_usage() -> Weight {
        Weight::from_parts(10_000, 0)
    }
    fn siblings(s: u32) -> Weight {
        Weight::from_parts(100, 0).saturating_mul(s.into())
    }
    fn authorize_page(n: u32) -> Weight {
        Weight::from_parts(1_000, 0).saturating_mul(n.into())
    }
    fn settle(n: u32) -> Weight {
        Weight::from_parts(1_000, 0).saturating_mul(n.into())
    }
    fn credit(n: u32) -> Weight {
        Weight::from_parts(1_000, 0).saturating_mul(n.into())
    }
    fn refund(n: u32) -> Weight {
        Weight::from_parts(1_000, 0).saturating_mul(n.into())
    }
    fn claim() -> Weight {
        Weight::from_parts(10_000, 0)
    }
    fn void() -> Weight {
        Weight::from_parts(10_000, 0)
    }
    fn clear_step() -> Weight {
        Weight::from_parts(10_000, 0)
    }
    fn clear_batch(n: u32) -> Weight {
        Weight::from_parts(1_000, 0).saturating_mul(n.into())
    }
}
