//! Weights estimated from storage accesses, not measured. Measure: `scripts/weights.sh services`.
//!
//! Reference time counts 20 µs per call for decoding and dispatch, 5 µs per hash over a short text,
//! and 60 µs for an ed25519 check; proof size counts the longest encoding of every item touched.

use crate::types::{HostClaim, Service, TermsHistory, MAX_SERVICES_PER_OWNER};
use codec::MaxEncodedLen;
use core::marker::PhantomData;
use frame_support::{
    traits::Get,
    weights::{constants::RocksDbWeight, RuntimeDbWeight, Weight},
};
use sp_runtime::AccountId32;

/// Weights of the calls.
pub trait WeightInfo {
    /// With that many host names.
    fn create_service(hosts: u32) -> Weight;
    /// Of `add_host`.
    fn add_host() -> Weight;
    /// Of `remove_host`.
    fn remove_host() -> Weight;
    /// Of `set_origin`.
    fn set_origin() -> Weight;
    /// Of `set_cap`.
    fn set_cap() -> Weight;
    /// Of `set_price_version`.
    fn set_price_version() -> Weight;
    /// Of `pause`.
    fn pause() -> Weight;
    /// Of `resume`.
    fn resume() -> Weight;
    /// With as many host names as a service may have.
    fn remove_service() -> Weight;
    /// Including the check of the signature.
    fn attest_host() -> Weight;
    /// Of the check before an unsigned answer enters a block.
    fn authorize_attest_host() -> Weight;
    /// Of `publish_prices`.
    fn publish_prices() -> Weight;
    /// At the beginning of an epoch with that many active gateways.
    fn begin_round(gateways: u32) -> Weight;
}

const CALL: u64 = 20_000_000;
const HASH: u64 = 5_000_000;
const VERIFY: u64 = 60_000_000;
/// The storage proof of one item beside its value.
const ITEM: u64 = 2_500;

struct Sizes;
impl Sizes {
    fn service() -> u64 {
        Service::<AccountId32>::max_encoded_len() as u64 + ITEM
    }
    fn history() -> u64 {
        TermsHistory::max_encoded_len() as u64 + ITEM
    }
    fn claim() -> u64 {
        HostClaim::max_encoded_len() as u64 + ITEM
    }
}

fn cost(db: RuntimeDbWeight, time: u64, proof: u64, reads: u64, writes: u64) -> Weight {
    Weight::from_parts(time, proof).saturating_add(db.reads_writes(reads, writes))
}

/// Reads of all caps of an owner and of the owner's prepaid account.
const COVER: u64 = MAX_SERVICES_PER_OWNER as u64 + 3;

fn create_service(db: RuntimeDbWeight, hosts: u32) -> Weight {
    let hosts = u64::from(hosts);
    let proof = Sizes::service() + COVER * Sizes::history() + hosts * Sizes::claim();
    cost(
        db,
        3 * CALL + hosts * 2 * HASH,
        proof,
        5 + COVER + hosts,
        6 + hosts,
    )
}
fn host_call(db: RuntimeDbWeight) -> Weight {
    cost(
        db,
        2 * CALL,
        Sizes::service() + 2 * Sizes::claim() + 2 * ITEM,
        5,
        5,
    )
}
fn terms_call(db: RuntimeDbWeight) -> Weight {
    cost(db, CALL, Sizes::service() + Sizes::history() + ITEM, 4, 1)
}
fn covered_call(db: RuntimeDbWeight) -> Weight {
    terms_call(db).saturating_add(cost(db, CALL, COVER * Sizes::history(), COVER, 0))
}
fn remove_service(db: RuntimeDbWeight) -> Weight {
    let hosts = u64::from(crate::types::MAX_HOSTS);
    let proof = Sizes::service() + Sizes::history() + hosts * 2 * Sizes::claim();
    cost(
        db,
        2 * CALL + hosts * HASH,
        proof,
        5 + 2 * hosts,
        5 + 2 * hosts,
    )
}
fn answer(db: RuntimeDbWeight, writes: u64) -> Weight {
    // The list of a round is one item of 32 bytes per gateway; 64 KiB cover 2,000 of them.
    cost(
        db,
        CALL + VERIFY + 4 * HASH,
        Sizes::claim() + 65_536 + 2 * ITEM,
        5,
        writes,
    )
}
fn begin_round(db: RuntimeDbWeight, gateways: u32) -> Weight {
    let gateways = u64::from(gateways);
    cost(
        db,
        CALL + gateways * 100_000,
        gateways * ITEM,
        1 + gateways,
        1,
    )
}

macro_rules! weights {
    ($db:expr) => {
        fn create_service(hosts: u32) -> Weight {
            create_service($db, hosts)
        }
        fn add_host() -> Weight {
            host_call($db)
        }
        fn remove_host() -> Weight {
            host_call($db)
        }
        fn set_origin() -> Weight {
            cost($db, CALL, Sizes::service(), 1, 1)
        }
        fn set_cap() -> Weight {
            covered_call($db)
        }
        fn set_price_version() -> Weight {
            terms_call($db)
        }
        fn pause() -> Weight {
            terms_call($db)
        }
        fn resume() -> Weight {
            covered_call($db)
        }
        fn remove_service() -> Weight {
            remove_service($db)
        }
        fn attest_host() -> Weight {
            answer($db, 2)
        }
        fn authorize_attest_host() -> Weight {
            answer($db, 0)
        }
        fn publish_prices() -> Weight {
            cost($db, CALL, 2 * ITEM, 2, 2)
        }
        fn begin_round(gateways: u32) -> Weight {
            begin_round($db, gateways)
        }
    };
}

/// Weights with the database costs of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    weights!(T::DbWeight::get());
}

impl WeightInfo for () {
    weights!(RocksDbWeight::get());
}
