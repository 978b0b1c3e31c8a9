use crate::testkit::{any_leaves, build, leaf, one_each, Keccak, EPOCH, GATEWAY};
use codec::{Decode, Encode};
use proptest::{prelude::*, sample::Index};
use selvedge_primitives_math::{
    proof::{verify_entries, verify_leaves, MAX_SIBLINGS},
    Node, ProofError, RangeProof, TreeError, TreeKind, UsageTrees,
};
use selvedge_primitives_types::{Entry, EntryKey, Leaf, LeafKey, Slice, TreeCommitment};

const KINDS: [TreeKind; 2] = [TreeKind::Customers, TreeKind::Caches];

fn committed(trees: &UsageTrees, kind: TreeKind) -> TreeCommitment {
    let commitment = trees.commitment(GATEWAY, EPOCH);
    match kind {
        TreeKind::Customers => commitment.customers,
        TreeKind::Caches => commitment.caches,
    }
}

fn check_entries(
    trees: &UsageTrees,
    kind: TreeKind,
    start: usize,
    len: usize,
) -> Result<(), ProofError> {
    let proof = trees.prove_entries::<Keccak>(kind, start as u32, len as u32);
    assert!(proof.siblings.len() <= MAX_SIBLINGS);
    let entries = &trees.entries(kind)[start..start + len];
    verify_entries::<Keccak>(kind, &committed(trees, kind), entries, &proof)
}

#[test]
fn every_run_of_every_small_tree_is_proven() {
    for count in 1..=20 {
        let trees = build(one_each(count));
        for kind in KINDS {
            let total = trees.entries(kind).len();
            for start in 0..total {
                for len in 1..=total - start {
                    assert_eq!(check_entries(&trees, kind, start, len), Ok(()));
                }
            }
        }
    }
}

#[test]
fn runs_across_stored_nodes_are_proven() {
    for count in [63, 64, 65, 127, 128, 129, 191, 300] {
        let trees = build(one_each(count));
        for start in (0..count as usize).step_by(13) {
            for len in [1, 2, 63, 64, 65, 200] {
                let len = len.min(count as usize - start);
                assert_eq!(
                    check_entries(&trees, TreeKind::Customers, start, len),
                    Ok(())
                );
            }
        }
    }
}

#[test]
fn every_run_of_leaves_is_proven() {
    for count in [1u16, 2, 3, 7, 8, 9, 60] {
        let trees = build((0..count).map(|slice| leaf(1, 1, 1, slice)).collect());
        for kind in KINDS {
            let entry = trees.entries(kind)[0];
            let leaves = trees.leaves_of(kind, 0);
            for start in 0..leaves.len() {
                for end in start + 1..=leaves.len() {
                    let proof =
                        trees.prove_leaves::<Keccak>(kind, 0, start as u32, (end - start) as u32);
                    let result = verify_leaves::<Keccak>(kind, &entry, &leaves[start..end], &proof);
                    assert_eq!(result, Ok(()));
                }
            }
        }
    }
}

#[test]
fn a_run_that_is_not_there_is_refused() {
    let trees = build(one_each(5));
    let kind = TreeKind::Customers;
    let tree = committed(&trees, kind);
    let entries = trees.entries(kind);
    let none = trees.prove_entries::<Keccak>(kind, 5, 3);
    assert_eq!(none.siblings, Vec::new());
    let verify =
        |entries: &[Entry], proof: &_| verify_entries::<Keccak>(kind, &tree, entries, proof);
    assert_eq!(verify(&[], &none), Err(ProofError::Empty));
    assert_eq!(verify(&entries[..1], &none), Err(ProofError::OutOfRange));
    let last = RangeProof {
        start: u32::MAX,
        siblings: Vec::new(),
    };
    assert_eq!(verify(&entries[..1], &last), Err(ProofError::OutOfRange));
    // A run cut at the end of the tree proves what is left of it.
    let cut = trees.prove_entries::<Keccak>(kind, 3, 100);
    assert_eq!(verify(&entries[3..], &cut), Ok(()));
}

#[test]
fn siblings_too_many_or_too_few_are_refused() {
    let trees = build(one_each(9));
    let kind = TreeKind::Caches;
    let tree = committed(&trees, kind);
    let entry = &trees.entries(kind)[2..3];
    let good = trees.prove_entries::<Keccak>(kind, 2, 1);
    let mut short = good.clone();
    short.siblings.pop();
    let mut long = good.clone();
    long.siblings.push(good.siblings[0]);
    let mut flood = good.clone();
    flood.siblings.resize(MAX_SIBLINGS + 1, good.siblings[0]);
    assert_eq!(verify_entries::<Keccak>(kind, &tree, entry, &good), Ok(()));
    for bad in [short, long, flood.clone()] {
        assert!(verify_entries::<Keccak>(kind, &tree, entry, &bad).is_err());
    }
    assert!(RangeProof::<EntryKey>::decode(&mut &flood.encode()[..]).is_err());
    assert_eq!(RangeProof::decode(&mut &good.encode()[..]), Ok(good));
}

#[test]
fn a_hidden_overflow_is_refused() {
    let trees = build(one_each(4));
    let kind = TreeKind::Customers;
    let tree = committed(&trees, kind);
    let mut proof = trees.prove_entries::<Keccak>(kind, 0, 1);
    proof.siblings[0].sum.amount = u128::MAX;
    assert_eq!(
        verify_entries::<Keccak>(kind, &tree, &trees.entries(kind)[..1], &proof),
        Err(ProofError::Tree(TreeError::Overflow))
    );
}

#[test]
fn the_number_of_entries_is_part_of_the_root() {
    // The proof of the first entry looks the same in a tree of three and of four.
    let trees = build(one_each(3));
    let kind = TreeKind::Customers;
    let proof = trees.prove_entries::<Keccak>(kind, 0, 1);
    let tree = TreeCommitment {
        entries: 4,
        ..committed(&trees, kind)
    };
    assert_eq!(
        verify_entries::<Keccak>(kind, &tree, &trees.entries(kind)[..1], &proof),
        Err(ProofError::WrongRoot)
    );
}

#[test]
fn an_entry_proof_does_not_serve_the_other_tree() {
    // One entry in each tree, so that only the domain byte differs.
    let trees = build(vec![leaf(0, 0, 0, 1), leaf(0, 0, 0, 2)]);
    let proof = trees.prove_entries::<Keccak>(TreeKind::Customers, 0, 1);
    let entries = trees.entries(TreeKind::Customers);
    let tree = committed(&trees, TreeKind::Customers);
    assert_eq!(
        verify_entries::<Keccak>(TreeKind::Caches, &tree, entries, &proof),
        Err(ProofError::WrongRoot)
    );
}

#[test]
fn an_entry_that_claims_too_many_leaves_is_refused() {
    let trees = build(vec![leaf(1, 1, 1, 1)]);
    let mut entry = trees.entries(TreeKind::Customers)[0];
    entry.sum.leaves = 1 << 32;
    let leaves = trees.leaves_of(TreeKind::Customers, 0);
    let proof = trees.prove_leaves::<Keccak>(TreeKind::Customers, 0, 0, 1);
    assert_eq!(
        verify_leaves::<Keccak>(TreeKind::Customers, &entry, &leaves, &proof),
        Err(ProofError::TooManyLeaves)
    );
}

#[test]
fn a_leaf_outside_its_entry_or_epoch_is_refused() {
    let trees = build(vec![leaf(1, 1, 1, 1), leaf(2, 1, 1, 1)]);
    let kind = TreeKind::Customers;
    let proof = trees.prove_leaves::<Keccak>(kind, 0, 0, 1);
    let entry = trees.entries(kind)[0];
    let foreign = trees.leaves_of(kind, 1);
    assert_eq!(
        verify_leaves::<Keccak>(kind, &entry, &foreign, &proof),
        Err(ProofError::ForeignLeaf)
    );
    let mut late = trees.leaves_of(kind, 0);
    late[0].body.slice = Slice(60);
    assert_eq!(
        verify_leaves::<Keccak>(kind, &entry, &late, &proof),
        Err(ProofError::SliceOutOfEpoch)
    );
}

/// `value` with one bit of its SCALE form flipped, if that is still a value.
fn flipped<T: Encode + Decode>(value: &T, at: &Index) -> Option<T> {
    let mut bytes = value.encode();
    let bit = at.index(bytes.len() * 8);
    bytes[bit / 8] ^= 1 << (bit % 8);
    T::decode(&mut &bytes[..])
        .ok()
        .filter(|other| other.encode() == bytes)
}

type EntryRun = (TreeCommitment, Vec<Entry>, RangeProof<EntryKey>);
type LeafRun = (Entry, Vec<Leaf>, RangeProof<LeafKey>);

fn entry_run(trees: &UsageTrees, kind: TreeKind, a: &Index, b: &Index) -> EntryRun {
    let entries = trees.entries(kind);
    let start = a.index(entries.len());
    let len = 1 + b.index(entries.len() - start);
    let proof = trees.prove_entries::<Keccak>(kind, start as u32, len as u32);
    (
        committed(trees, kind),
        entries[start..start + len].to_vec(),
        proof,
    )
}

fn leaf_run(trees: &UsageTrees, kind: TreeKind, which: &Index, a: &Index, b: &Index) -> LeafRun {
    let index = which.index(trees.entries(kind).len());
    let leaves = trees.leaves_of(kind, index);
    let start = a.index(leaves.len());
    let len = 1 + b.index(leaves.len() - start);
    let proof = trees.prove_leaves::<Keccak>(kind, index, start as u32, len as u32);
    (
        trees.entries(kind)[index],
        leaves[start..start + len].to_vec(),
        proof,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn an_honest_run_is_accepted_and_a_flipped_bit_is_not(
        leaves in any_leaves(),
        at: [Index; 3],
        bits in proptest::collection::vec(any::<Index>(), 16),
    ) {
        let trees = build(leaves);
        for kind in KINDS {
            let run = entry_run(&trees, kind, &at[0], &at[1]);
            let verify = |(tree, entries, proof): &EntryRun| {
                verify_entries::<Keccak>(kind, tree, entries, proof)
            };
            prop_assert_eq!(verify(&run), Ok(()));
            for run in bits.iter().filter_map(|bit| flipped(&run, bit)) {
                prop_assert!(verify(&run).is_err(), "{:?}", run);
            }

            let run = leaf_run(&trees, kind, &at[2], &at[0], &at[1]);
            let verify = |(entry, leaves, proof): &LeafRun| {
                verify_leaves::<Keccak>(kind, entry, leaves, proof)
            };
            prop_assert_eq!(verify(&run), Ok(()));
            for run in bits.iter().filter_map(|bit| flipped(&run, bit)) {
                prop_assert!(verify(&run).is_err(), "{:?}", run);
            }
        }
    }

    #[test]
    fn leaving_out_moving_or_doubling_is_refused(leaves in any_leaves(), at: [Index; 5]) {
        let trees = build(leaves);
        for kind in KINDS {
            let (entry, leaves, proof) = leaf_run(&trees, kind, &at[0], &at[1], &at[2]);
            let verify = |leaves: &[Leaf]| verify_leaves::<Keccak>(kind, &entry, leaves, &proof);
            let (one, two) = (at[3].index(leaves.len()), at[4].index(leaves.len()));
            let mut without = leaves.clone();
            without.remove(one);
            prop_assert!(verify(&without).is_err());
            let mut doubled = leaves.clone();
            doubled.insert(one, leaves[one]);
            prop_assert!(verify(&doubled).is_err());
            if one != two {
                let mut moved = leaves.clone();
                moved.swap(one, two);
                prop_assert!(verify(&moved).is_err());
                let mut replaced = leaves;
                replaced[one] = replaced[two];
                prop_assert!(verify(&replaced).is_err());
            }
        }
    }

    #[test]
    fn a_proof_of_another_tree_is_refused(one in any_leaves(), two in any_leaves(), at: [Index; 2]) {
        let (one, two) = (build(one), build(two));
        for kind in KINDS {
            let (_, entries, proof) = entry_run(&one, kind, &at[0], &at[1]);
            let tree = committed(&two, kind);
            if tree != committed(&one, kind) {
                prop_assert!(verify_entries::<Keccak>(kind, &tree, &entries, &proof).is_err());
            }
        }
    }

    #[test]
    fn decoding_strangers_bytes_never_panics(bytes: Vec<u8>) {
        let _ = RangeProof::<EntryKey>::decode(&mut &bytes[..]);
        let _ = RangeProof::<LeafKey>::decode(&mut &bytes[..]);
        let _ = Node::<EntryKey>::decode(&mut &bytes[..]);
    }
}
