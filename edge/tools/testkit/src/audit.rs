//! An auditor: leaves behind a bill, checked against the commitment.

use crate::{
    books::{Books, Keccak},
    client::Client,
    daemon::Daemon,
};
use codec::{Decode, DecodeAll};
use ed25519_dalek::{Signature, VerifyingKey};
use selvedge_primitives_math::{
    price::charge,
    proof::{verify_entries, verify_leaves},
    RangeProof, TreeKind, UsageTrees,
};
use selvedge_primitives_types::{
    Account, CustomerEntryKey, DeviceId, Domain, Entry, EntryKey, GenesisHash, Leaf, LeafKey,
    Prices, ServiceId, Sum, UsageCommitment,
};
use serde_json::Value;

/// Leaves in a page; small, so that a bill has several pages.
const PAGE: usize = 3;

/// Asks a gateway in public for all leaves of a customer's service and checks each: that it stands
/// in the committed tree, belongs to the gateway and epoch, lies inside the epoch and costs what
/// the price list says.
///
/// Panics when anything does not fit.
pub async fn leaves(
    gateway: &Daemon,
    books: &Books,
    customer: Account,
    service: ServiceId,
    prices: &Prices,
) -> Vec<Leaf> {
    let public = Client::new(gateway.address("audit"), "localhost");
    let epoch = books.commitment.epoch;
    let head = get(&public, &format!("/audit/v1/{epoch}/commitment")).await;
    assert_eq!(
        scale::<UsageCommitment>(&head["commitment"]),
        books.commitment
    );

    let base = format!("/audit/v1/{epoch}/customer/{customer}/{service}");
    let mut leaves: Vec<Leaf> = Vec::new();
    let entry = loop {
        let page = get(
            &public,
            &format!("{base}?start={}&limit={PAGE}", leaves.len()),
        )
        .await;
        let entry: Entry = scale(&page["entry"]);
        assert_eq!(entry.key, CustomerEntryKey { customer, service }.into());
        let proof: RangeProof<EntryKey> = scale(&page["entry_proof"]);
        verify_entries::<Keccak>(
            TreeKind::Customers,
            &books.commitment.customers,
            &[entry],
            &proof,
        )
        .expect("the entry stands in the committed tree");
        let listed = page["leaves"].as_array().expect("leaves");
        let new: Vec<Leaf> = listed.iter().map(scale).collect();
        let proof: RangeProof<LeafKey> = scale(&page["leaves_proof"]);
        assert_eq!(proof.start as usize, leaves.len());
        verify_leaves::<Keccak>(TreeKind::Customers, &entry, &new, &proof)
            .expect("the leaves are the entry's");
        leaves.extend(new);
        if leaves.len() as u64 == entry.sum.leaves {
            break entry;
        }
    };
    let mut sum = Sum::default();
    for leaf in &leaves {
        let body = &leaf.body;
        assert_eq!((body.gateway, body.epoch), (gateway.device(), epoch));
        assert!(body.slice.is_valid());
        assert_eq!(charge(&body.paid, prices), Ok(body.amount));
        sum = sum.checked_add(&leaf.sum()).expect("no overflow");
    }
    assert_eq!(sum, entry.sum);
    leaves
}

/// Asks a gateway in public for every leaf of a closed epoch and builds both trees of them.
///
/// Panics unless they are the committed ones.
pub async fn everything(gateway: &Daemon, books: &Books) -> UsageTrees {
    let public = Client::new(gateway.address("audit"), "localhost");
    let epoch = books.commitment.epoch;
    let mut leaves: Vec<Leaf> = Vec::new();
    loop {
        let target = format!(
            "/audit/v1/{epoch}/leaves?start={}&limit={PAGE}",
            leaves.len()
        );
        let page = get(&public, &target).await;
        let new: Vec<Leaf> = page["leaves"]
            .as_array()
            .expect("leaves")
            .iter()
            .map(scale)
            .collect();
        let is_last = new.is_empty();
        leaves.extend(new);
        if is_last {
            assert_eq!(page["total"], leaves.len());
            break;
        }
    }
    let trees = UsageTrees::build::<Keccak>(leaves).expect("the leaves form trees");
    assert_eq!(trees.commitment(gateway.device(), epoch), books.commitment);
    trees
}

/// Whether the cache that a leaf names signed it.
pub fn is_signed(leaf: &Leaf, genesis: &GenesisHash) -> bool {
    let DeviceId(cache) = leaf.body.cache;
    let Ok(key) = VerifyingKey::from_bytes(&cache) else {
        return false;
    };
    let signature = Signature::from_bytes(&leaf.cache_signature.0);
    key.verify_strict(&Domain::Leaf.message(genesis, &leaf.body), &signature)
        .is_ok()
}

async fn get(public: &Client, target: &str) -> Value {
    let answer = public.get(target).await;
    assert_eq!(answer.status, 200, "{target}: {}", answer.text());
    serde_json::from_slice(&answer.body).expect("JSON")
}

fn scale<T: Decode>(value: &Value) -> T {
    let text = value.as_str().expect("a text");
    let bytes = hex::decode(text.strip_prefix("0x").expect("0x")).expect("hex");
    T::decode_all(&mut &bytes[..]).expect("SCALE")
}
