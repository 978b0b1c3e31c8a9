//! The proof that costs most to check: between two neighbours in the middle of a tree as deep as trees can be, of which all
//! but their paths are made up.

use crate::types::Shown;
use alloc::vec::Vec;
use pallet_edge_traits::HostKeccak;
use selvedge_primitives_math::{
    tree::{entry_node, merge, seal, Level},
    Node, RangeProof, TreeKind,
};
use selvedge_primitives_types::{
    DeviceId, Entry, EntryKey, Epoch, Sum, TreeCommitment, UsageCommitment,
};

/// The cache that would stand between the two.
pub(crate) const CACHE: DeviceId = DeviceId([102; 32]);
/// As many entries as a tree can have.
const ENTRIES: u32 = u32::MAX;
/// Nodes beside the path of an entry in either half of such a tree.
const DEPTH: u8 = 31;

fn key(number: u8) -> EntryKey {
    let mut key = [0; 40];
    key[..32].copy_from_slice(&[number; 32]);
    EntryKey(key)
}

fn beside(number: u8) -> Node<EntryKey> {
    Node {
        min: key(number),
        max: key(number),
        sum: Sum::default(),
        hash: [number; 32],
    }
}

/// The two entries in the middle of a full tree, between which the cache would stand, and the tree.
fn neighbours() -> (Shown, TreeCommitment) {
    let entry = |number| Entry {
        key: key(number),
        sum: Sum {
            leaves: 1,
            ..Default::default()
        },
        leaves_root: [0; 32],
    };
    let join = |left: &Node<EntryKey>, right: &Node<EntryKey>| {
        merge::<HostKeccak, _>(TreeKind::Caches, Level::Entries, left, right)
            .expect("keys ascend and sums are small")
    };
    let entries = [entry(101), entry(103)];
    let [mut left, mut right] =
        entries.map(|entry| entry_node::<HostKeccak>(TreeKind::Caches, &entry));
    let below: Vec<_> = (0..DEPTH).map(|up| beside(100 - up)).collect();
    let above: Vec<_> = (0..DEPTH).map(|up| beside(104 + up)).collect();
    for (less, more) in below.iter().zip(&above) {
        left = join(less, &left);
        right = join(&right, more);
    }
    let root = join(&left, &right);
    let tree = TreeCommitment {
        root: seal::<HostKeccak>(TreeKind::Caches, ENTRIES, &root),
        entries: ENTRIES,
        min: root.min,
        max: root.max,
        sum: root.sum,
    };
    let proof = RangeProof {
        start: (1 << DEPTH) - 1,
        siblings: below.into_iter().rev().chain(above).collect(),
    };
    let entries = entries.to_vec().try_into().expect("they are two");
    (Shown { entries, proof }, tree)
}

/// A commitment of that tree, with the proof that the cache has no entry in it.
pub(crate) fn commitment(gateway: DeviceId, epoch: Epoch) -> (Shown, UsageCommitment) {
    let (shown, tree) = neighbours();
    let commitment = UsageCommitment {
        gateway,
        epoch,
        customers: tree,
        caches: tree,
    };
    (shown, commitment)
}
