//! Leaves to build trees of.

use blake2::{digest::consts::U32, Blake2b};
use proptest::prelude::*;
use selvedge_primitives_math::{Keccak256, UsageTrees};
use selvedge_primitives_types::{
    Account, DeviceId, Epoch, Hash, Leaf, LeafBody, Quality, ServiceId, Signature64, Slice, Usage,
};
use sha3::Digest;
use std::collections::BTreeMap;

pub(crate) struct Keccak;

impl Keccak256 for Keccak {
    fn hash(bytes: &[u8]) -> Hash {
        sha3::Keccak256::digest(bytes).into()
    }
}

pub(crate) fn blake2_256(bytes: &[u8]) -> Hash {
    Blake2b::<U32>::digest(bytes).into()
}

pub(crate) const GATEWAY: DeviceId = DeviceId([0xaa; 32]);
pub(crate) const EPOCH: Epoch = Epoch(7);

/// A leaf at a position, with usage that depends on the position.
pub(crate) fn leaf(customer: u8, service: u64, cache: u8, slice: u16) -> Leaf {
    let seed = u64::from(customer) * 1_000_003 + service * 10_007 + u64::from(cache) * 101;
    let units = seed + u64::from(slice);
    Leaf {
        body: LeafBody {
            gateway: GATEWAY,
            epoch: EPOCH,
            customer: Account([customer; 32]),
            service: ServiceId(service),
            cache: DeviceId([cache; 32]),
            slice: Slice(slice),
            price_version: 1,
            paid: Usage([units % 97, units, units / 3, 0, 0, 0]),
            free: Usage([units % 5, units % 1_000, 0, 0, 0, 0]),
            amount: u128::from(units) * 11,
            quality: Quality {
                answered: units % 97,
                failed: units % 3,
                ttfb_micros: units * 40,
            },
            vouchers_root: [cache ^ 0x5a; 32],
        },
        cache_signature: Signature64([cache ^ customer; 64]),
    }
}

/// One leaf for each of `count` customers.
pub(crate) fn one_each(count: u64) -> Vec<Leaf> {
    (0..count)
        .map(|id| leaf((id % 251) as u8, id, (id % 7) as u8, (id % 60) as u16))
        .collect()
}

pub(crate) fn build(leaves: Vec<Leaf>) -> UsageTrees {
    UsageTrees::build::<Keccak>(leaves).expect("distinct positions and small sums form trees")
}

/// Distinct leaves in any order, with several per entry in both trees.
pub(crate) fn any_leaves() -> impl Strategy<Value = Vec<Leaf>> {
    proptest::collection::vec((0u8..5, 0u64..3, 0u8..5, 0u16..6), 1..80)
        .prop_map(|positions| {
            let distinct: BTreeMap<_, _> = positions
                .into_iter()
                .map(|at| (at, leaf(at.0, at.1, at.2, at.3)))
                .collect();
            distinct.into_values().collect::<Vec<_>>()
        })
        .prop_shuffle()
}
