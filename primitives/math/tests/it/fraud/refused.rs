//! True proofs, spoilt.

use super::{build, check, commitment, honest_leaves, one_of_each, usual};
use crate::{liar::flip, testkit::Keccak};
use codec::{Decode, Encode};
use proptest::{prelude::*, sample::Index};
use selvedge_primitives_math::{
    fraud::{verify, Counterpart, FraudProof},
    proof::MAX_SIBLINGS,
    RangeProof, TreeKind,
};
use selvedge_primitives_types::UsageCommitment;

/// The range proofs of a fraud proof, as many as it has.
fn with_paths(proof: &mut FraudProof, mut change: impl FnMut(&mut dyn Path)) {
    match proof {
        FraudProof::EntryNode { node, .. } => change(&mut node.proof),
        FraudProof::LeavesRoot { entry, .. } | FraudProof::Entry { entry, .. } => {
            change(&mut entry.proof);
        }
        FraudProof::LeafNode { entry, node, .. } => {
            change(&mut entry.proof);
            change(&mut node.proof);
        }
        FraudProof::Leaf { leaf, .. } => {
            change(&mut leaf.entry.proof);
            change(&mut leaf.proof);
        }
        FraudProof::Disagreement { leaf, other, .. } => {
            change(&mut leaf.entry.proof);
            change(&mut leaf.proof);
            match other {
                Counterpart::NoEntry { proof, .. } => change(proof),
                Counterpart::InEntry { entry, proof, .. } => {
                    change(&mut entry.proof);
                    change(proof);
                }
            }
        }
    }
}

/// A path of either storey.
trait Path {
    fn siblings(&self) -> usize;
    fn shorten(&mut self);
    fn lengthen(&mut self, by: usize);
    fn reorder(&mut self);
}

impl<K: Clone> Path for RangeProof<K> {
    fn siblings(&self) -> usize {
        self.siblings.len()
    }
    fn shorten(&mut self) {
        self.siblings.pop();
    }
    fn lengthen(&mut self, by: usize) {
        if let Some(last) = self.siblings.last().cloned() {
            self.siblings.extend(std::iter::repeat_n(last, by));
        }
    }
    fn reorder(&mut self) {
        self.siblings.reverse();
    }
}

#[test]
fn proofs_cut_padded_reordered_or_too_long_are_refused() {
    for (chain, defect, proof, committed) in one_of_each() {
        let refused = |proof: &FraudProof, what: &str| {
            let verdict = verify::<Keccak>(proof, &committed, &chain);
            assert!(verdict.is_err(), "{defect:?}, {what}: {verdict:?}");
        };
        let mut paths = 0;
        with_paths(&mut proof.clone(), |_| paths += 1);
        for which in 0..paths {
            let changed = |change: &dyn Fn(&mut dyn Path), least: usize| {
                let (mut other, mut at, mut fits) = (proof.clone(), 0, false);
                with_paths(&mut other, |path| {
                    if at == which && path.siblings() >= least {
                        change(path);
                        fits = true;
                    }
                    at += 1;
                });
                fits.then_some(other)
            };
            for (what, change, least) in [
                (
                    "cut",
                    (&|path: &mut dyn Path| path.shorten()) as &dyn Fn(&mut dyn Path),
                    1,
                ),
                ("padded", &|path| path.lengthen(1), 1),
                ("reordered", &|path| path.reorder(), 2),
            ] {
                if let Some(other) = changed(change, least) {
                    refused(&other, what);
                }
            }
            if let Some(flood) = changed(&|path| path.lengthen(MAX_SIBLINGS + 1), 1) {
                refused(&flood, "flooded");
                assert!(FraudProof::decode(&mut &flood.encode()[..]).is_err());
            }
        }
        let bytes = proof.encode();
        for length in 0..bytes.len() {
            assert!(FraudProof::decode(&mut &bytes[..length]).is_err());
        }
    }
}

#[test]
fn a_proof_of_one_commitment_is_none_of_another() {
    let honest = commitment(&build(usual()));
    let all = one_of_each();
    for (chain, defect, proof, committed) in &all {
        // Two of them may hold the same tree, of which the proof may be; it is a tree that differs
        // that the proof is none of.
        let of = |commitment: &UsageCommitment| match tree_of(proof) {
            TreeKind::Customers => commitment.customers,
            TreeKind::Caches => commitment.caches,
        };
        for (_, _, _, other) in all.iter().filter(|case| of(&case.3) != of(committed)) {
            let verdict = verify::<Keccak>(proof, other, chain);
            assert!(verdict.is_err(), "{defect:?}: {verdict:?}");
        }
        assert!(check(proof, &honest).is_err(), "{defect:?}");
    }
}

fn tree_of(proof: &FraudProof) -> TreeKind {
    match proof {
        FraudProof::EntryNode { tree, .. }
        | FraudProof::LeavesRoot { tree, .. }
        | FraudProof::LeafNode { tree, .. }
        | FraudProof::Entry { tree, .. }
        | FraudProof::Leaf { tree, .. }
        | FraudProof::Disagreement { tree, .. } => *tree,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_true_proof_changed_proves_nothing_of_an_honest_epoch(
        leaves in honest_leaves(), which: Index, bits in proptest::collection::vec(any::<Index>(), 8),
    ) {
        let honest = commitment(&build(leaves));
        let cases = one_of_each();
        let (_, _, proof, _) = &cases[which.index(cases.len())];
        prop_assert!(check(proof, &honest).is_err());
        for bit in &bits {
            let mut other = proof.clone();
            if flip(&mut other, bit, 0) {
                prop_assert!(check(&other, &honest).is_err());
            }
        }
    }

    #[test]
    fn decoding_strangers_bytes_never_panics(bytes: Vec<u8>) {
        if let Ok(proof) = FraudProof::decode(&mut &bytes[..]) {
            let _ = check(&proof, &commitment(&build(usual())));
        }
    }
}
