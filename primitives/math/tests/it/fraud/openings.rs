//! True openings of an honest epoch, and what can be made of them.

use super::{build, check, commitment, honest_leaves, usual};
use crate::{liar::flip, testkit::Keccak};
use proptest::{prelude::*, sample::Index};
use selvedge_primitives_math::{
    fraud::{
        Below, Counterpart, FraudProof, NotFraud, OpenedEntry, OpenedLeaf, OpenedNode, Run, Shown,
    },
    tree::{entry_node, leaf_node, root, Level},
    ProofError, TreeKind, UsageTrees,
};
use selvedge_primitives_types::Leaf;

/// Every opening of an honest epoch that a proof can be made of.
fn openings(trees: &UsageTrees) -> Vec<FraudProof> {
    let mut all = Vec::new();
    for tree in TreeKind::ALL {
        let units: Vec<_> = trees
            .entries(tree)
            .iter()
            .map(|entry| entry_node::<Keccak>(tree, entry))
            .collect();
        for (first, count) in subtrees((0, units.len() as u32)) {
            let own = &units[first as usize..(first + count) as usize];
            all.push(FraudProof::EntryNode {
                tree,
                node: OpenedNode {
                    node: root::<Keccak, _>(tree, Level::Entries, own).expect("honest"),
                    count,
                    proof: trees.prove_entries::<Keccak>(tree, first, count),
                    below: Shown::<Keccak>::entries(trees, tree, first, count).expect("shown"),
                },
            });
        }
        for (index, entry) in trees.entries(tree).iter().enumerate() {
            let entry = OpenedEntry {
                entry: *entry,
                proof: trees.prove_entries::<Keccak>(tree, index as u32, 1),
            };
            all.push(FraudProof::Entry {
                tree,
                entry: entry.clone(),
            });
            all.extend(openings_of_leaves(trees, tree, index, &entry));
        }
    }
    all
}

fn openings_of_leaves(
    trees: &UsageTrees,
    tree: TreeKind,
    index: usize,
    entry: &OpenedEntry,
) -> Vec<FraudProof> {
    let leaves = trees.leaves_of(tree, index);
    let units: Vec<_> = leaves
        .iter()
        .map(|leaf| leaf_node::<Keccak>(tree, leaf))
        .collect();
    let below = |first, count| -> Below<_, _> {
        Shown::<Keccak>::leaves(trees, tree, index as u32, first, count).expect("shown")
    };
    let mut all = vec![FraudProof::LeavesRoot {
        tree,
        entry: entry.clone(),
        below: below(0, leaves.len() as u32),
    }];
    for (first, count) in subtrees((0, leaves.len() as u32)) {
        let own = &units[first as usize..(first + count) as usize];
        all.push(FraudProof::LeafNode {
            tree,
            entry: entry.clone(),
            node: OpenedNode {
                node: root::<Keccak, _>(tree, Level::Leaves, own).expect("honest"),
                count,
                proof: trees.prove_leaves::<Keccak>(tree, index, first, count),
                below: below(first, count),
            },
        });
    }
    for (place, leaf) in leaves.iter().enumerate() {
        let leaf = OpenedLeaf {
            entry: entry.clone(),
            leaf: *leaf,
            proof: trees.prove_leaves::<Keccak>(tree, index, place as u32, 1),
        };
        all.push(FraudProof::Leaf {
            tree,
            leaf: leaf.clone(),
        });
        all.extend(
            counterparts(trees, tree.other(), &leaf.leaf)
                .into_iter()
                .map(|other| FraudProof::Disagreement {
                    tree,
                    leaf: leaf.clone(),
                    other,
                }),
        );
    }
    all
}

/// Everything in a tree that somebody might show in a leaf's place.
fn counterparts(trees: &UsageTrees, kind: TreeKind, leaf: &Leaf) -> Vec<Counterpart> {
    let entries = trees.entries(kind);
    let mut all = Vec::new();
    for start in 0..entries.len() {
        for second in [None, entries.get(start + 1)] {
            all.push(Counterpart::NoEntry {
                around: Run {
                    first: entries[start],
                    second: second.copied(),
                },
                proof: trees.prove_entries::<Keccak>(
                    kind,
                    start as u32,
                    1 + second.is_some() as u32,
                ),
            });
        }
    }
    let index = trees
        .index_of(kind, &kind.position(leaf).0)
        .expect("it is in both trees");
    let leaves = trees.leaves_of(kind, index);
    for start in 0..leaves.len() {
        for second in [None, leaves.get(start + 1)] {
            all.push(Counterpart::InEntry {
                entry: OpenedEntry {
                    entry: entries[index],
                    proof: trees.prove_entries::<Keccak>(kind, index as u32, 1),
                },
                around: Run {
                    first: leaves[start],
                    second: second.copied(),
                },
                proof: trees.prove_leaves::<Keccak>(
                    kind,
                    index,
                    start as u32,
                    1 + second.is_some() as u32,
                ),
            });
        }
    }
    all
}

fn subtrees(place: (u32, u32)) -> Vec<(u32, u32)> {
    let (first, count) = place;
    if count == 1 {
        return vec![place];
    }
    let half = count.next_power_of_two() / 2;
    let mut all = subtrees((first, half));
    all.extend(subtrees((first + half, count - half)));
    all.push(place);
    all
}

#[test]
fn every_true_opening_of_an_honest_epoch_proves_nothing() {
    let trees = build(usual());
    let committed = commitment(&trees);
    let mut honest = 0;
    for proof in openings(&trees) {
        let refusal = check(&proof, &committed).expect_err("nothing is wrong");
        assert!(
            matches!(
                refusal,
                NotFraud::Honest | NotFraud::NotAround | NotFraud::NotInner
            ),
            "{refusal}: {proof:?}"
        );
        honest += u32::from(refusal == NotFraud::Honest);
    }
    // Each opening but those of what is not around a leaf, and of the roots of entries' leaves.
    assert!(honest > 150, "{honest}");
}

#[test]
fn the_root_of_leaves_of_an_entry_has_no_range_to_misstate() {
    let trees = build(usual());
    let tree = TreeKind::Customers;
    let entry = OpenedEntry {
        entry: trees.entries(tree)[0],
        proof: trees.prove_entries::<Keccak>(tree, 0, 1),
    };
    let proof = openings_of_leaves(&trees, tree, 0, &entry)
        .into_iter()
        .find_map(|proof| match proof {
            FraudProof::LeafNode {
                tree,
                entry,
                mut node,
            } if node.count == 8 => {
                node.node.min.0[0] ^= 1;
                Some(FraudProof::LeafNode { tree, entry, node })
            }
            _ => None,
        })
        .expect("the root is among them");
    assert_eq!(check(&proof, &commitment(&trees)), Err(NotFraud::NotInner));
}

#[test]
fn a_place_that_is_no_subtree_is_refused_at_once() {
    let trees = build(usual());
    let committed = commitment(&trees);
    let openings = openings(&trees);
    let Some(FraudProof::EntryNode { tree, node }) = openings.first().cloned() else {
        panic!("the first entry is the first opening");
    };
    for (start, count) in [
        (1, 2),
        (0, 3_000_000_000),
        (u32::MAX, 1),
        (1, u32::MAX),
        (0, 0),
        (3, 1),
    ] {
        let mut node = node.clone();
        (node.proof.start, node.count) = (start, count);
        let proof = FraudProof::EntryNode { tree, node };
        let refused = Err(NotFraud::NotCommitted(ProofError::OutOfRange));
        assert_eq!(check(&proof, &committed), refused, "{start}, {count}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn nothing_made_of_an_honest_epoch_proves_anything(
        leaves in honest_leaves(), which: Index, bits in proptest::collection::vec(any::<Index>(), 24),
    ) {
        let trees = build(leaves);
        let committed = commitment(&trees);
        let openings = openings(&trees);
        let opening = &openings[which.index(openings.len())];
        prop_assert!(check(opening, &committed).is_err());
        for bit in &bits {
            let mut other = opening.clone();
            if flip(&mut other, bit, 0) {
                let verdict = check(&other, &committed);
                prop_assert!(verdict.is_err(), "{:?} of {:?}", verdict, other);
            }
        }
    }
}
