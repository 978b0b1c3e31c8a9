//! One file for each call, for windows, for what decides and what is forgotten, and for the invariants.

mod acceptance;
mod answer;
mod canary;
mod challenge_leaf;
mod decide;
mod forget;
mod honest;
mod invariants;
mod look;
mod post_leaf;
mod prove;
mod report_fraud;
mod reveal;
mod scene;
mod standing;
mod suspicion;
mod vote;
mod window;

use crate::{mock::*, Call, Error, Event, Frauds};
use pallet_edge_traits::HostKeccak;
use scene::*;
use selvedge_primitives_math::{
    fraud::{FraudProof, OpenedEntry, OpenedLeaf},
    price::charge,
    TreeKind, UsageTrees,
};
use selvedge_primitives_types::{
    Account, DeviceId, Domain, Epoch, Leaf, LeafBody, ServiceId, Signature64, Slice, Usage,
    UsageClass,
};
use sp_core::Pair;

/// Use of a service through a cache, signed by it; cache 0 is none.
fn leaf(service: u8, number: u8, slice: u16) -> Leaf {
    let paid = Usage::ZERO
        .with(UsageClass::Requests, 10 + u64::from(slice))
        .with(UsageClass::EgressBytes, 33);
    let mut body = LeafBody {
        gateway: GATEWAY,
        epoch: EPOCH,
        customer: Account([service + 1; 32]),
        service: ServiceId(service.into()),
        slice: Slice(slice),
        price_version: 1,
        paid,
        amount: charge(&paid, &PRICES).unwrap(),
        ..Default::default()
    };
    if number > 0 {
        body.cache = id_of(&cache(number));
    }
    signed(body, number)
}

/// A leaf with the signature of a cache; cache 0 signs nothing.
fn signed(body: LeafBody, number: u8) -> Leaf {
    let cache_signature = match number {
        0 => Signature64::default(),
        _ => Signature64(cache(number).sign(&Domain::Leaf.message(&[7; 32], &body)).0),
    };
    Leaf {
        body,
        cache_signature,
    }
}

/// What both services used through both caches and none.
fn honest() -> Vec<Leaf> {
    (0..2)
        .flat_map(|service| (0..3).map(move |number| (service, number)))
        .flat_map(|(service, number)| (0..2).map(move |slice| leaf(service, number, slice)))
        .collect()
}

/// The honest leaves with the amount of one, which cache 1 signed, raised.
fn inflated() -> Vec<Leaf> {
    let mut leaves = honest();
    leaves[2].body.amount += 1;
    leaves[2] = signed(leaves[2].body, 1);
    leaves
}

/// Commits to leaves of the gateway.
fn commit_to(leaves: Vec<Leaf>) -> UsageTrees {
    let trees = UsageTrees::build::<HostKeccak>(leaves).unwrap();
    commit(trees.commitment(GATEWAY, EPOCH));
    trees
}

fn entry(trees: &UsageTrees, tree: TreeKind, index: usize) -> OpenedEntry {
    OpenedEntry {
        entry: trees.entries(tree)[index],
        proof: trees.prove_entries::<HostKeccak>(tree, index as u32, 1),
    }
}

/// The opening of a leaf, whatever it says.
fn opening(trees: &UsageTrees, of: impl Fn(&Leaf) -> bool) -> FraudProof {
    let tree = TreeKind::Customers;
    for index in 0..trees.entries(tree).len() {
        let leaves = trees.leaves_of(tree, index);
        if let Some(at) = leaves.iter().position(&of) {
            let leaf = OpenedLeaf {
                entry: entry(trees, tree, index),
                leaf: leaves[at],
                proof: trees.prove_leaves::<HostKeccak>(tree, index, at as u32, 1),
            };
            return FraudProof::Leaf { tree, leaf };
        }
    }
    panic!("no such leaf");
}

/// The opening of the inflated leaf.
fn proof_of_inflation(trees: &UsageTrees) -> FraudProof {
    opening(trees, |leaf| {
        charge(&leaf.body.paid, &PRICES) != Ok(leaf.body.amount)
    })
}

fn call(proof: FraudProof) -> Call<Test> {
    Call::report_fraud {
        gateway: GATEWAY,
        epoch: EPOCH,
        proof: proof.into(),
    }
}

fn stake() -> u128 {
    use pallet_edge_traits::StakeInspect;
    pallet_edge_mocks::Network::stake_of(&GATEWAY).unwrap().1
}
