//! Drawn leaves: an honest gateway's are sound, and what a liar shows of its own is refused or
//! proven.

use super::{build, commitment, honest_leaves, leaf, resigned, usual, Chain};
use crate::{
    liar::{flip, Liar, Spot},
    testkit::{blake2_256, Keccak, EPOCH, GATEWAY},
};
use codec::{DecodeAll, Encode};
use proptest::{prelude::*, sample::Index};
use selvedge_primitives_math::{
    draw::{draws, find as find_drawn, Draw, Place, DRAWS},
    fraud::{held, open_leaf, sample, verify, Defect, Flaw, FraudProof, Openings, Shown},
    proof::verify_commitment,
    TreeKind, UsageTrees,
};
use selvedge_primitives_types::{DeviceId, Leaf, UsageCommitment};

/// Every leaf, from both trees.
fn all_of(commitment: &UsageCommitment) -> Vec<Draw> {
    let leaves = commitment.customers.sum.leaves.min(200);
    TreeKind::ALL
        .into_iter()
        .flat_map(|tree| {
            (0..leaves).map(move |leaf| Draw {
                tree,
                at: Place::Index(leaf),
            })
        })
        .collect()
}

fn look(
    shown: &impl Shown<Keccak>,
    commitment: &UsageCommitment,
    draws: &[Draw],
) -> Result<Vec<Leaf>, Flaw> {
    sample::<Keccak>(shown, commitment, &Chain::default(), draws)
}

fn drawn(seed: u8, commitment: &UsageCommitment) -> Vec<Draw> {
    draws::<Keccak>(
        &[seed; 32],
        &GATEWAY,
        EPOCH,
        &commitment.customers.sum,
        DRAWS,
    )
}

fn meant(trees: &UsageTrees, draw: &Draw) -> Leaf {
    let (entry, leaf) = find_drawn(trees, draw).expect("a draw means a leaf");
    trees.leaves_of(draw.tree, entry)[leaf]
}

/// What is proven of it, by the judge that the chain uses.
fn proven(flaw: Flaw, commitment: &UsageCommitment) -> Defect {
    let Flaw::Defect(proof) = flaw else {
        panic!("not proven: {flaw}");
    };
    verify::<Keccak>(&proof, commitment, &Chain::default()).expect("what is found is proven")
}

#[test]
fn a_draw_beyond_the_end_opens_nothing_and_is_passed_over() {
    let trees = build(usual());
    let committed = commitment(&trees);
    let total = committed.customers.sum;
    let beyond = [Place::Index(total.leaves), Place::Amount(total.amount)].map(|at| Draw {
        tree: TreeKind::Caches,
        at,
    });
    assert_eq!(
        Openings::of::<Keccak>(&trees, &committed, &beyond),
        Openings::default()
    );
    assert_eq!(look(&trees, &committed, &beyond), Ok(vec![]));
    assert_eq!(open_leaf::<Keccak>(&trees, &committed, &beyond[0]), None);
}

#[test]
fn what_is_shown_of_a_large_epoch_is_small() {
    let leaves: Vec<_> = (0..250u8)
        .flat_map(|service| (0..4u16).map(move |slice| (service, slice)))
        .flat_map(|(service, slice)| (0..4u8).map(move |cache| leaf(service, cache, slice)))
        .collect();
    let whole = leaves.encoded_size();
    let trees = build(leaves);
    let committed = commitment(&trees);
    let openings = Openings::of::<Keccak>(&trees, &committed, &drawn(1, &committed)[..11]);
    // 22 ways of 12 nodes, below 500 octets each.
    let shown = openings.encoded_size();
    assert!(
        shown < 22 * 12 * 500 && shown * 10 < whole,
        "{shown} of {whole}"
    );
}

#[test]
fn a_liar_who_shows_the_lie_is_proven_to_lie() {
    let honest = build(usual());
    let mut sums = Liar::of(&honest);
    sums.trees[0].node((0, 2)).sum.amount += 1;
    sums.trees[0].node((2, 1)).sum.amount -= 1;
    let mut entry = Liar::of(&honest);
    entry.trees[1].entries[0].sum.amount -= 1;
    for (mut liar, defect) in [(sums, Defect::WrongSum), (entry, Defect::WrongSum)] {
        liar.trees.iter_mut().for_each(|tree| tree.rehash(None));
        let committed = liar.commitment_as(GATEWAY, EPOCH);
        let all = all_of(&committed);
        let openings = Openings::of::<Keccak>(&liar, &committed, &all);
        let flaw = look(&openings, &committed, &all).expect_err("a lie");
        assert_eq!(proven(flaw, &committed), defect);
    }
}

#[test]
fn a_leaf_that_is_missing_from_the_other_tree_is_found_by_its_draw() {
    let here = usual();
    for (service, cache, slice) in [(0, 0, 5), (1, 2, 9), (2, 3, 59), (0, 5, 1)] {
        let mut there = here.clone();
        let mut body = here[7].body;
        body.customer.0 = [service; 32];
        body.service.0 = service.into();
        body.cache = DeviceId([cache; 32]);
        body.slice.0 = slice;
        there[7] = resigned(body);
        let liar = Liar::two_faced(&build(here.clone()), &build(there));
        let committed = liar.commitment();
        let flaw = look(&liar, &committed, &all_of(&committed)).expect_err("two faces");
        assert_eq!(proven(flaw, &committed), Defect::TreesDisagree);
        // What a gateway shows of it is refused, whether or not it proves it.
        let all = all_of(&committed);
        let openings = Openings::of::<Keccak>(&liar, &committed, &all);
        assert!(look(&openings, &committed, &all).is_err());
    }
}

#[test]
fn a_hash_of_nothing_known_is_withheld_where_a_draw_meets_it() {
    let mut liar = Liar::of(&build(usual()));
    liar.trees[0].entries[1].leaves_root = [9; 32];
    liar.trees[0].rehash(Some(Spot::Entry(1)));
    let committed = liar.commitment();
    let first = [0, 8].map(|leaf| Draw {
        tree: TreeKind::Customers,
        at: Place::Index(leaf),
    });
    let of_first = look(&liar, &committed, &first[..1]).expect("it is not met");
    assert_eq!(of_first.len(), 1);
    let flaw = look(&liar, &committed, &first).expect_err("it is met");
    assert!(matches!(flaw, Flaw::Withheld(it) if it.entry == Some(1)));
}

#[test]
fn no_auditor_states_what_another_does() {
    let leaves = usual();
    let held = |auditor, leaves: &[Leaf]| held(&DeviceId([auditor; 32]), leaves, blake2_256);
    let one = held(1, &leaves);
    assert_ne!(one, held(2, &leaves));
    assert_ne!(one, held(1, &leaves[1..]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn an_honest_epoch_is_sound_by_what_is_shown_of_it(leaves in honest_leaves(), seed: u8) {
        let trees = build(leaves);
        let committed = commitment(&trees);
        let draws = drawn(seed, &committed);
        let expected: Vec<_> = draws.iter().map(|draw| meant(&trees, draw)).collect();
        let openings = Openings::of::<Keccak>(&trees, &committed, &draws);
        let read = Openings::decode_all(&mut &openings.encode()[..]).unwrap();
        prop_assert_eq!(&read, &openings);
        prop_assert_eq!(look(&read, &committed, &draws), Ok(expected.clone()));
        for (draw, leaf) in draws.iter().zip(expected) {
            let opened = open_leaf::<Keccak>(&openings, &committed, draw).unwrap();
            prop_assert_eq!(opened.leaf, leaf);
            let proof = FraudProof::Leaf { tree: draw.tree, leaf: opened };
            let verdict = verify::<Keccak>(&proof, &committed, &Chain::default());
            prop_assert_eq!(verdict, Err(selvedge_primitives_math::fraud::NotFraud::Honest));
        }
    }

    #[test]
    fn a_changed_opening_of_an_honest_epoch_is_withheld_and_proves_nothing(
        leaves in honest_leaves(), seed: u8, bits in proptest::collection::vec(any::<Index>(), 24),
    ) {
        let trees = build(leaves);
        let committed = commitment(&trees);
        let draws = drawn(seed, &committed);
        let openings = Openings::of::<Keccak>(&trees, &committed, &draws);
        for bit in &bits {
            let mut other = openings.clone();
            if flip(&mut other, bit, 0) {
                let looked = look(&other, &committed, &draws);
                prop_assert!(matches!(looked, Err(Flaw::Withheld(_))), "{:?}", looked);
            }
        }
    }

    #[test]
    fn any_misstatement_is_proven_when_its_spot_is_drawn(
        leaves in honest_leaves(), tree in 0usize..2, which: Index, bit: Index,
    ) {
        let mut liar = Liar::of(&build(leaves));
        let spot = liar.trees[tree].spot(&which);
        prop_assume!(liar.trees[tree].misstate(spot, &bit));
        liar.trees[tree].rehash(None);
        let committed = liar.commitment_as(GATEWAY, EPOCH);
        // The chain itself refuses a commitment whose totals, counts or ranges are impossible.
        prop_assume!(verify_commitment(&committed).is_ok());
        let all = all_of(&committed);
        let flaw = look(&liar, &committed, &all).expect_err("a lie");
        proven(flaw, &committed);
        let openings = Openings::of::<Keccak>(&liar, &committed, &all);
        match look(&openings, &committed, &all).expect_err("a lie") {
            flaw @ Flaw::Defect(_) => {
                proven(flaw, &committed);
            }
            Flaw::Withheld(_) => {}
        }
    }

    #[test]
    fn strangers_bytes_are_never_sound(bytes: Vec<u8>) {
        if let Ok(openings) = Openings::decode_all(&mut &bytes[..]) {
            let committed = commitment(&build(usual()));
            let draws = drawn(1, &committed);
            prop_assert!(matches!(look(&openings, &committed, &draws), Err(Flaw::Withheld(_))));
        }
    }
}
