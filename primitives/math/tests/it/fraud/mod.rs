//! What a lying gateway commits to is found and proven; what an honest one commits to never is.

mod cases;
mod openings;
mod refused;
mod sampled;

pub(crate) use cases::one_of_each;

use crate::{
    liar::{flip, Liar, Spot},
    testkit::{Keccak, EPOCH, GATEWAY},
};
use codec::{Decode, Encode};
use proptest::{prelude::*, sample::Index};
use selvedge_primitives_math::{
    fraud::{find, verify, Context, Defect, FraudProof, NotFraud, Shown, Terms},
    price::charge,
    proof::verify_commitment,
    Keccak256, TreeKind, UsageTrees,
};
use selvedge_primitives_types::{
    Account, DeviceId, Leaf, LeafBody, Planck, Prices, Quality, ServiceId, Signature64, Slice,
    Usage, UsageCommitment,
};
use std::collections::BTreeMap;

pub(crate) const PRICES: Prices = Prices([1 << 32, 1 << 31, 1 << 30, 0, 0, 0]);
const LEASE: Planck = 1 << 60;
const STORAGE: u64 = 1 << 40;

/// A chain whose services 0 to 7 belong to customers 0 to 7, and whose caches are 1 to 7.
#[derive(Clone)]
pub(crate) struct Chain {
    pub(crate) lease: Planck,
    pub(crate) price_version: u32,
    pub(crate) services: u64,
    pub(crate) caches: u8,
    pub(crate) storage: u64,
}

impl Default for Chain {
    fn default() -> Self {
        Self {
            lease: LEASE,
            price_version: 1,
            services: 8,
            caches: 7,
            storage: STORAGE,
        }
    }
}

impl Context for Chain {
    fn terms(&self, service: ServiceId) -> Option<Terms> {
        (service.0 < self.services).then_some(Terms {
            owner: Account([service.0 as u8; 32]),
            lease: self.lease,
            price_version: self.price_version,
            prices: Some(PRICES),
            storage: self.storage,
        })
    }

    fn is_cache(&self, device: &DeviceId) -> bool {
        (1..=self.caches).any(|cache| *device == DeviceId([cache; 32]))
    }

    fn is_signed(&self, leaf: &Leaf) -> bool {
        leaf.cache_signature == signature(&leaf.body)
    }
}

/// Stands for a cache's signature: the scheme is the caller's affair.
fn signature(body: &LeafBody) -> Signature64 {
    let digest = Keccak::hash(&body.encode());
    let mut bytes = [1; 64];
    bytes[..32].copy_from_slice(&digest);
    Signature64(bytes)
}

/// An honest leaf of a service through a cache; cache 0 is none.
pub(crate) fn leaf(service: u8, cache: u8, slice: u16) -> Leaf {
    let units = u64::from(service) * 1_003 + u64::from(cache) * 101 + u64::from(slice) + 5;
    let paid = Usage([units % 89, units * 7, units / 3, 0, 0, 0]);
    let body = LeafBody {
        gateway: GATEWAY,
        epoch: EPOCH,
        customer: Account([service; 32]),
        service: ServiceId(service.into()),
        cache: DeviceId([cache; 32]),
        slice: Slice(slice),
        price_version: 1,
        paid,
        free: Usage([units % 5, units % 1_000, 0, 0, 0, 0]),
        amount: charge(&paid, &PRICES).expect("it fits"),
        quality: Quality {
            answered: units % 89,
            failed: units % 3,
            ttfb_micros: units * 40,
        },
        vouchers_root: if cache == 0 { [0; 32] } else { [cache; 32] },
    };
    resigned(body)
}

fn resigned(body: LeafBody) -> Leaf {
    let cache_signature = if body.cache.is_none() {
        Signature64::default()
    } else {
        signature(&body)
    };
    Leaf {
        body,
        cache_signature,
    }
}

pub(crate) fn build(leaves: Vec<Leaf>) -> UsageTrees {
    UsageTrees::build::<Keccak>(leaves).expect("distinct positions and small sums form trees")
}

/// Honest leaves, several per entry in both trees, some of them not signed.
fn honest_leaves() -> impl Strategy<Value = Vec<Leaf>> {
    proptest::collection::btree_map((0u8..5, 0u8..6, 0u16..6), any::<bool>(), 1..60)
        .prop_map(|positions: BTreeMap<_, _>| {
            let made = positions
                .into_iter()
                .map(|((service, cache, slice), signed)| {
                    let mut leaf = leaf(service, cache, slice);
                    if !signed {
                        leaf.cache_signature = Signature64::default();
                    }
                    leaf
                });
            made.collect::<Vec<_>>()
        })
        .prop_shuffle()
}

/// Three services, three caches and none, two slices: 24 leaves.
pub(crate) fn usual() -> Vec<Leaf> {
    (0..3u8)
        .flat_map(|service| (0..4u8).map(move |cache| (service, cache)))
        .flat_map(|(service, cache)| (0..2u16).map(move |slice| leaf(service, cache, slice)))
        .collect()
}

fn commitment(trees: &UsageTrees) -> UsageCommitment {
    trees.commitment(GATEWAY, EPOCH)
}

fn check(proof: &FraudProof, commitment: &UsageCommitment) -> Result<Defect, NotFraud> {
    verify::<Keccak>(proof, commitment, &Chain::default())
}

/// What is found and, independently, proven; the proof survives its encoding.
pub(crate) fn caught(
    shown: &impl Shown<Keccak>,
    commitment: &UsageCommitment,
    chain: &Chain,
) -> (Defect, FraudProof) {
    let proof = find::<Keccak>(shown, commitment, chain)
        .expect("nothing is withheld")
        .expect("something is wrong");
    let bytes = proof.encode();
    let read = FraudProof::decode(&mut &bytes[..]).expect("a proof decodes");
    assert_eq!(read, *proof);
    let defect = verify::<Keccak>(&read, commitment, chain).expect("what is found is proven");
    (defect, read)
}

/// The proof that a gateway which built its trees of these leaves is caught with.
pub(crate) fn caught_with(
    leaves: Vec<Leaf>,
    chain: &Chain,
) -> (Defect, FraudProof, UsageCommitment) {
    let trees = build(leaves);
    let commitment = commitment(&trees);
    let (defect, proof) = caught(&trees, &commitment, chain);
    (defect, proof, commitment)
}

/// The proof that a liar is caught with.
pub(crate) fn caught_lying(lie: impl FnOnce(&mut Liar)) -> (Defect, FraudProof, UsageCommitment) {
    let mut liar = Liar::of(&build(usual()));
    lie(&mut liar);
    liar.trees.iter_mut().for_each(|tree| tree.rehash(None));
    let commitment = liar.commitment_as(GATEWAY, EPOCH);
    let (defect, proof) = caught(&liar, &commitment, &Chain::default());
    (defect, proof, commitment)
}

#[test]
fn every_defect_has_a_case_that_is_caught_and_proven() {
    let found: Vec<_> = one_of_each().iter().map(|case| case.1).collect();
    assert_eq!(found, Defect::ALL);
}

#[test]
fn a_signature_without_a_cache_is_forged() {
    let mut leaves = usual();
    assert!(leaves[0].body.cache.is_none());
    leaves[0].cache_signature = signature(&leaves[0].body);
    let (defect, ..) = caught_with(leaves, &Chain::default());
    assert_eq!(defect, Defect::BadSignature);
}

#[test]
fn a_leaf_may_be_missing_anywhere() {
    // Both gateways have the same totals; in one tree a leaf stands elsewhere.
    let here = usual();
    for index in 0..here.len() {
        for (service, cache, slice) in [(0, 0, 5), (1, 2, 9), (2, 3, 59), (3, 1, 0), (0, 5, 1)] {
            let mut there = here.clone();
            let body = LeafBody {
                customer: Account([service; 32]),
                service: ServiceId(service.into()),
                cache: DeviceId([cache; 32]),
                slice: Slice(slice),
                ..here[index].body
            };
            there[index] = resigned(body);
            for liar in [
                Liar::two_faced(&build(here.clone()), &build(there.clone())),
                Liar::two_faced(&build(there), &build(here.clone())),
            ] {
                let committed = liar.commitment();
                assert_eq!(verify_commitment(&committed), Ok(()));
                let (defect, proof) = caught(&liar, &committed, &Chain::default());
                assert_eq!(defect, Defect::TreesDisagree);
                assert!(matches!(proof, FraudProof::Disagreement { .. }));
            }
        }
    }
}

#[test]
fn what_is_not_shown_is_neither_sound_nor_fraud() {
    let trees = build(usual());
    let mut liar = Liar::of(&trees);
    // A hash of which nobody knows what it is of.
    for (spot, entry) in [(Spot::EntryNode((0, 2)), None), (Spot::Entry(1), Some(1))] {
        let mut liar = liar.clone();
        let tree = &mut liar.trees[0];
        match spot {
            Spot::EntryNode(place) => tree.node(place).hash = [9; 32],
            _ => tree.entries[1].leaves_root = [9; 32],
        }
        tree.rehash(Some(spot));
        let withheld = find::<Keccak>(&liar, &liar.commitment(), &Chain::default())
            .expect_err("something is not shown");
        assert_eq!(
            (withheld.tree, withheld.entry),
            (TreeKind::Customers, entry)
        );
    }
    // Elsewhere a defect is found all the same.
    let tree = &mut liar.trees[0];
    tree.entries[0].leaves_root = [9; 32];
    tree.rehash(Some(Spot::Entry(0)));
    liar.trees[1].leaves[0][0].body.amount += 1;
    liar.trees[1].rehash(None);
    let committed = liar.commitment();
    let proof = find::<Keccak>(&liar, &committed, &Chain::default()).expect("a defect is shown");
    assert_eq!(
        check(&proof.expect("a proof"), &committed),
        Ok(Defect::WrongSum)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn nothing_is_found_in_an_honest_epoch(leaves in honest_leaves()) {
        let trees = build(leaves);
        let committed = commitment(&trees);
        prop_assert_eq!(find::<Keccak>(&trees, &committed, &Chain::default()), Ok(None));
        // The liar's own way of building says the same of the same trees.
        let mut liar = Liar::of(&trees);
        liar.trees.iter_mut().for_each(|tree| tree.rehash(None));
        prop_assert_eq!(liar.commitment(), committed);
        prop_assert_eq!(find::<Keccak>(&liar, &committed, &Chain::default()), Ok(None));
    }

    #[test]
    fn any_single_misstatement_is_found_and_proven(
        leaves in honest_leaves(), tree in 0usize..2, which: Index, bit: Index,
    ) {
        let mut liar = Liar::of(&build(leaves));
        let spot = liar.trees[tree].spot(&which);
        prop_assume!(liar.trees[tree].misstate(spot, &bit));
        liar.trees[tree].rehash(None);
        let committed = liar.commitment_as(GATEWAY, EPOCH);
        // The chain itself refuses a commitment whose totals, counts or ranges are impossible.
        if verify_commitment(&committed).is_ok() {
            caught(&liar, &committed, &Chain::default());
        }
    }

    #[test]
    fn another_number_of_entries_is_found_and_proven(
        leaves in honest_leaves(), tree in 0usize..2, claimed in 1u32..40,
    ) {
        let mut liar = Liar::of(&build(leaves));
        prop_assume!(claimed != liar.trees[tree].entries.len() as u32);
        liar.trees[tree].claim(claimed);
        let committed = liar.commitment();
        if verify_commitment(&committed).is_ok() {
            let (defect, _) = caught(&liar, &committed, &Chain::default());
            prop_assert!(matches!(defect, Defect::WrongShape | Defect::WrongCount));
        }
    }

    #[test]
    fn a_leaf_misstated_in_both_trees_is_found_when_its_cache_signed(
        leaves in honest_leaves(), which: Index, bit: Index,
    ) {
        let mut leaves = leaves;
        let at = which.index(leaves.len());
        prop_assume!(leaves[at].cache_signature != Signature64::default());
        prop_assume!(flip(&mut leaves[at].body, &bit, 0));
        let (gateway, epoch) = (leaves[at].body.gateway, leaves[at].body.epoch);
        prop_assume!((gateway, epoch) == (GATEWAY, EPOCH));
        // Built anew, so that every sum above it fits the lie.
        if let Ok(trees) = UsageTrees::build::<Keccak>(leaves) {
            caught(&trees, &commitment(&trees), &Chain::default());
        }
    }
}
