use crate::testkit::{any_leaves, build, leaf, one_each, Keccak, EPOCH, GATEWAY};
use proptest::prelude::*;
use selvedge_primitives_math::{
    proof::verify_commitment,
    tree::{entry_node, leaf_digest, leaf_node, merge, seal, Level},
    Node, ProofError, TreeError, TreeKind, UsageTrees,
};
use selvedge_primitives_types::{DeviceId, EntryKey, Epoch, Slice, Sum};

const KINDS: [TreeKind; 2] = [TreeKind::Customers, TreeKind::Caches];

/// The tree as RFC 6962 §2.1 defines it, written a second time and in the plainest way.
fn by_definition(kind: TreeKind, nodes: &[Node<EntryKey>]) -> Node<EntryKey> {
    if nodes.len() == 1 {
        return nodes[0];
    }
    let mut half = 1;
    while half * 2 < nodes.len() {
        half *= 2;
    }
    let left = by_definition(kind, &nodes[..half]);
    let right = by_definition(kind, &nodes[half..]);
    merge::<Keccak, _>(kind, Level::Entries, &left, &right).unwrap()
}

#[test]
fn the_stored_nodes_have_the_shape_of_the_definition() {
    for count in (1..140).chain([191, 192, 193, 255, 256, 257, 300, 513]) {
        let trees = build(one_each(count));
        let kind = TreeKind::Customers;
        let nodes: Vec<_> = trees
            .entries(kind)
            .iter()
            .map(|entry| entry_node::<Keccak>(kind, entry))
            .collect();
        let root = by_definition(kind, &nodes);
        let committed = trees.commitment(GATEWAY, EPOCH).customers;
        assert_eq!(
            committed.root,
            seal::<Keccak>(kind, count as u32, &root),
            "{count} entries"
        );
        assert_eq!(
            (committed.min, committed.max, committed.sum),
            (root.min, root.max, root.sum)
        );
        assert_eq!(u64::from(committed.entries), count);
    }
}

#[test]
fn no_leaves_no_tree() {
    assert_eq!(
        UsageTrees::build::<Keccak>(Vec::new()).err(),
        Some(TreeError::Empty)
    );
}

#[test]
fn a_position_is_taken_once() {
    let mut again = leaf(1, 2, 3, 4);
    again.body.amount += 1;
    let leaves = vec![leaf(1, 2, 3, 4), leaf(1, 2, 3, 5), again];
    assert_eq!(
        UsageTrees::build::<Keccak>(leaves).err(),
        Some(TreeError::OutOfOrder)
    );
}

#[test]
fn a_sum_out_of_range_is_no_tree() {
    for spoil in [
        |leaf: &mut selvedge_primitives_types::Leaf| leaf.body.paid.0[1] = u64::MAX,
        |leaf: &mut selvedge_primitives_types::Leaf| leaf.body.free.0[5] = u64::MAX,
        |leaf: &mut selvedge_primitives_types::Leaf| leaf.body.amount = u128::MAX,
    ] {
        let (mut one, mut two) = (leaf(1, 1, 1, 1), leaf(2, 2, 2, 2));
        spoil(&mut one);
        spoil(&mut two);
        let result = UsageTrees::build::<Keccak>(vec![one, two]);
        assert_eq!(result.err(), Some(TreeError::Overflow));
        assert!(UsageTrees::build::<Keccak>(vec![one]).is_ok());
    }
}

#[test]
fn leaves_of_two_gateways_or_epochs_do_not_mix() {
    let mut other = leaf(2, 2, 2, 2);
    other.body.gateway = DeviceId([1; 32]);
    let result = UsageTrees::build::<Keccak>(vec![leaf(1, 1, 1, 1), other]);
    assert_eq!(result.err(), Some(TreeError::Mixed));
    let mut other = leaf(2, 2, 2, 2);
    other.body.epoch = Epoch(8);
    let result = UsageTrees::build::<Keccak>(vec![leaf(1, 1, 1, 1), other]);
    assert_eq!(result.err(), Some(TreeError::Mixed));
}

#[test]
fn a_slice_lies_inside_the_epoch() {
    let mut late = leaf(1, 1, 1, 1);
    late.body.slice = Slice(60);
    let result = UsageTrees::build::<Keccak>(vec![late]);
    assert_eq!(result.err(), Some(TreeError::SliceOutOfEpoch));
}

#[test]
fn nodes_merge_only_in_strict_order() {
    let kind = TreeKind::Customers;
    let node = |slice| leaf_node::<Keccak>(kind, &leaf(1, 1, 1, slice));
    let merge = |a, b| merge::<Keccak, _>(kind, Level::Leaves, &a, &b);
    assert!(merge(node(1), node(2)).is_ok());
    assert_eq!(merge(node(2), node(1)), Err(TreeError::OutOfOrder));
    assert_eq!(merge(node(1), node(1)), Err(TreeError::OutOfOrder));
    let inverted = Node {
        min: node(3).min,
        max: node(2).max,
        ..node(2)
    };
    assert_eq!(merge(node(1), inverted), Err(TreeError::OutOfOrder));
}

#[test]
fn the_two_trees_and_storeys_hash_apart() {
    let leaf = leaf(1, 1, 1, 1);
    let customers = leaf_node::<Keccak>(TreeKind::Customers, &leaf);
    let caches = leaf_node::<Keccak>(TreeKind::Caches, &leaf);
    assert_ne!(customers.hash, caches.hash);
    assert_ne!(customers.hash, leaf_digest::<Keccak>(&leaf));
    let other = leaf_node::<Keccak>(TreeKind::Customers, &crate::testkit::leaf(1, 1, 1, 2));
    let merge = |kind, level| {
        merge::<Keccak, _>(kind, level, &customers, &other)
            .unwrap()
            .hash
    };
    let hashes = [
        merge(TreeKind::Customers, Level::Leaves),
        merge(TreeKind::Customers, Level::Entries),
        merge(TreeKind::Caches, Level::Leaves),
        merge(TreeKind::Caches, Level::Entries),
    ];
    for (index, hash) in hashes.iter().enumerate() {
        assert!(!hashes[..index].contains(hash));
    }
}

#[test]
fn an_impossible_commitment_is_refused() {
    let good = build(one_each(3)).commitment(GATEWAY, EPOCH);
    assert_eq!(verify_commitment(&good), Ok(()));

    let mut bad = good;
    bad.caches.sum.amount += 1;
    assert_eq!(verify_commitment(&bad), Err(ProofError::TotalsDiffer));

    let mut bad = good;
    bad.customers.entries = 0;
    assert_eq!(verify_commitment(&bad), Err(ProofError::BadCount));
    bad.customers.entries = 4;
    assert_eq!(verify_commitment(&bad), Err(ProofError::BadCount));
    bad.customers.entries = 1;
    assert_eq!(verify_commitment(&bad), Err(ProofError::BadRange));

    let mut bad = good;
    bad.customers.min = bad.customers.max;
    assert_eq!(verify_commitment(&bad), Err(ProofError::BadRange));

    let mut bad = good;
    bad.caches.max.0[39] = 1;
    assert_eq!(verify_commitment(&bad), Err(ProofError::BadRange));

    let mut bad = good;
    bad.customers.sum.leaves = 1 << 32;
    bad.caches.sum.leaves = 1 << 32;
    assert_eq!(verify_commitment(&bad), Err(ProofError::TooManyLeaves));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn both_trees_have_the_totals_of_the_leaves(leaves in any_leaves()) {
        let total = leaves
            .iter()
            .try_fold(Sum::default(), |sum, leaf| sum.checked_add(&leaf.sum()))
            .unwrap();
        let trees = build(leaves);
        let commitment = trees.commitment(GATEWAY, EPOCH);
        prop_assert_eq!(commitment.customers.sum, total);
        prop_assert_eq!(commitment.caches.sum, total);
        prop_assert_eq!(verify_commitment(&commitment), Ok(()));
    }

    #[test]
    fn the_order_of_leaves_does_not_matter(leaves in any_leaves()) {
        let mut reversed = leaves.clone();
        reversed.reverse();
        prop_assert_eq!(
            build(leaves).commitment(GATEWAY, EPOCH),
            build(reversed).commitment(GATEWAY, EPOCH)
        );
    }

    #[test]
    fn every_leaf_is_in_one_entry_of_each_tree(leaves in any_leaves()) {
        let trees = build(leaves.clone());
        for kind in KINDS {
            let entries = trees.entries(kind);
            prop_assert!(entries.windows(2).all(|pair| pair[0].key < pair[1].key));
            let mut seen = 0;
            for (index, entry) in entries.iter().enumerate() {
                prop_assert_eq!(trees.index_of(kind, &entry.key), Some(index));
                let own = trees.leaves_of(kind, index);
                prop_assert_eq!(own.len() as u64, entry.sum.leaves);
                prop_assert!(own.iter().all(|leaf| kind.position(leaf).0 == entry.key));
                prop_assert!(own.windows(2).all(|w| kind.position(&w[0]).1 < kind.position(&w[1]).1));
                prop_assert!(own.iter().all(|leaf| leaves.contains(leaf)));
                seen += own.len();
            }
            prop_assert_eq!(seen, leaves.len());
            prop_assert!(trees.leaves_of(kind, entries.len()).is_empty());
        }
    }
}
