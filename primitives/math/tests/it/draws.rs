use crate::testkit::{any_leaves, build, leaf, one_each, Keccak, EPOCH, GATEWAY};
use codec::Encode;
use proptest::prelude::*;
use selvedge_primitives_math::{
    draw::{
        auditors, committee, draws, draws_for, entry_draws, find, leaves, locate, post, quorum,
        redrawn, Draw, Place, Sample, AUDITORS, DRAWS, POST_ONE_IN,
    },
    fraud::{OpenedEntry, OpenedLeaf},
    TreeKind, UsageTrees,
};
use selvedge_primitives_types::{DeviceId, Sum, TreeCommitment};
use std::collections::BTreeSet;

fn sum(leaves: u64, amount: u128) -> Sum {
    Sum {
        leaves,
        amount,
        ..Default::default()
    }
}

fn drawn(seed: u8, total: &Sum, count: u32) -> Vec<Draw> {
    draws::<Keccak>(&[seed; 32], &GATEWAY, EPOCH, total, count)
}

#[test]
fn half_of_the_draws_are_from_each_tree_and_three_quarters_by_amount() {
    let draws = drawn(1, &sum(1_000, 1_000_000), DRAWS);
    let of = |tree| draws.iter().filter(move |draw| draw.tree == tree);
    assert_eq!(of(TreeKind::Customers).count(), 22);
    assert_eq!(of(TreeKind::Caches).count(), 22);
    let by_index = |tree| {
        of(tree)
            .filter(|draw| matches!(draw.at, Place::Index(_)))
            .count()
    };
    assert_eq!(
        [by_index(TreeKind::Customers), by_index(TreeKind::Caches)],
        [5, 6]
    );
}

#[test]
fn one_fat_leaf_among_dust_is_drawn_by_its_amount() {
    let mut all = one_each(400);
    for leaf in &mut all {
        leaf.body.amount = 1;
    }
    all[137].body.amount = 400;
    let fat = all[137].body.service;
    let trees = build(all);
    let commitment = trees.commitment(GATEWAY, EPOCH);
    let Sample::Drawn(draws) = leaves::<Keccak>(&[9; 32], &commitment, DRAWS) else {
        panic!("400 leaves are not looked at whole");
    };
    let hits = draws.iter().filter(|draw| {
        let (entry, leaf) = find(&trees, draw).unwrap();
        trees.leaves_of(draw.tree, entry)[leaf].body.service == fat
    });
    // It holds half of the amount and a four-hundredth of the leaves: about 16 of the 33 by amount.
    let hits = hits.count();
    assert!((8..=24).contains(&hits), "{hits}");
}

#[test]
fn small_trees_are_looked_at_whole() {
    let commitment = build(one_each(44)).commitment(GATEWAY, EPOCH);
    assert_eq!(
        leaves::<Keccak>(&[1; 32], &commitment, DRAWS),
        Sample::Whole
    );
    let commitment = build(one_each(45)).commitment(GATEWAY, EPOCH);
    assert!(
        matches!(leaves::<Keccak>(&[1; 32], &commitment, DRAWS), Sample::Drawn(d) if d.len() == 44)
    );
}

#[test]
fn the_young_and_the_once_faulted_have_twice_as_many_leaves_drawn_each() {
    let counts = [(false, false), (true, false), (false, true), (true, true)]
        .map(|(is_young, was_at_fault)| draws_for(is_young, was_at_fault));
    assert_eq!(counts, [44, 88, 88, 176]);
    // What is small enough is looked at whole, at each of the ends.
    for count in [88, 176] {
        let sample = |leaves: u8| {
            let commitment = build(one_each(leaves.into())).commitment(GATEWAY, EPOCH);
            selvedge_primitives_math::draw::leaves::<Keccak>(&[1; 32], &commitment, count)
        };
        assert_eq!(sample(count as u8), Sample::Whole);
        let drawn = sample(count as u8 + 1);
        assert!(matches!(drawn, Sample::Drawn(draws) if draws.len() == count as usize));
    }
}

#[test]
fn more_draws_begin_with_the_usual_ones() {
    let total = sum(1_000, 1_000_000);
    let usual = drawn(1, &total, DRAWS);
    assert_eq!(drawn(1, &total, 4 * DRAWS)[..DRAWS as usize], usual);
}

#[test]
fn a_quarter_of_the_draws_of_an_entry_is_by_index() {
    let draws = entry_draws::<Keccak>(&[1; 32], &GATEWAY, EPOCH, 7, 4 * DRAWS);
    let inside: Vec<_> = draws
        .iter()
        .map(|draw| {
            assert_eq!(draw.tree, TreeKind::Customers);
            let before: Vec<_> = (0..8).map(|_| sum(100, 1_000)).collect();
            let (entry, inside) = locate(&before, draw.at).unwrap();
            assert_eq!(entry, 7);
            inside
        })
        .collect();
    let by_index = inside.iter().filter(|at| matches!(at, Place::Index(_)));
    assert_eq!(by_index.count(), DRAWS as usize);
    let other = entry_draws::<Keccak>(&[1; 32], &GATEWAY, EPOCH, 8, 4 * DRAWS);
    assert_ne!(other, draws);
}

#[test]
fn free_use_is_drawn_by_index_alone() {
    let mut free = leaf(1, 1, 1, 1);
    free.body.amount = 0;
    let trees = build(vec![free]);
    let total = trees.commitment(GATEWAY, EPOCH).customers.sum;
    for draw in drawn(3, &total, DRAWS) {
        assert_eq!(draw.at, Place::Index(0));
        assert_eq!(find(&trees, &draw), Some((0, 0)));
    }
    assert_eq!(drawn(3, &Sum::default(), DRAWS), []);
}

#[test]
fn committees_follow_the_number_of_the_eligible() {
    assert_eq!([0, 2].map(committee), [None, None]);
    assert_eq!([3, 4, 5, 90].map(committee), [3, 4, 5, 5].map(Some));
    assert_eq!([3, 4, 5, 11].map(quorum), [2, 3, 4, 8]);
    assert_eq!([redrawn(5, 90), redrawn(5, 7), redrawn(3, 3)], [11, 7, 3]);
}

#[test]
fn draws_are_the_same_everywhere_and_for_ever() {
    let draws = drawn(7, &sum(1_000, 1_000_000), 4);
    let expected = [
        (TreeKind::Customers, Place::Amount(866_751)),
        (TreeKind::Caches, Place::Amount(945_117)),
        (TreeKind::Customers, Place::Amount(382_457)),
        (TreeKind::Caches, Place::Index(962)),
    ];
    assert_eq!(
        draws,
        expected.map(|(tree, at)| Draw { tree, at }),
        "a changed draw is another audit"
    );
    let auditors = auditors::<Keccak>(&[7; 32], &GATEWAY, EPOCH, 0, 30, AUDITORS);
    assert_eq!(auditors, [14, 15, 19, 24, 29]);
}

#[test]
fn every_auditor_is_as_likely_as_the_others() {
    let mut seats = [0u32; 9];
    for seed in 0..900u32 {
        let mut hash = [0; 32];
        hash[..4].copy_from_slice(&seed.encode());
        for seat in auditors::<Keccak>(&hash, &GATEWAY, EPOCH, 0, 9, 3) {
            seats[seat as usize] += 1;
        }
    }
    // 300 each; six standard deviations of sqrt(900 · 1/3 · 2/3) = 14.
    assert!(
        seats.iter().all(|drawn| (216..=384).contains(drawn)),
        "{seats:?}"
    );
}

/// Every leaf of a tree, opened, in its order.
fn openings(trees: &UsageTrees, tree: TreeKind) -> Vec<OpenedLeaf> {
    let open = |entry: usize| {
        let opened = OpenedEntry {
            entry: trees.entries(tree)[entry],
            proof: trees.prove_entries::<Keccak>(tree, entry as u32, 1),
        };
        let leaves = trees.leaves_of(tree, entry).into_iter().enumerate();
        leaves.map(move |(index, leaf)| OpenedLeaf {
            entry: opened.clone(),
            leaf,
            proof: trees.prove_leaves::<Keccak>(tree, entry, index as u32, 1),
        })
    };
    (0..trees.entries(tree).len()).flat_map(open).collect()
}

fn tree_of(trees: &UsageTrees, tree: TreeKind) -> TreeCommitment {
    let commitment = trees.commitment(GATEWAY, EPOCH);
    match tree {
        TreeKind::Customers => commitment.customers,
        TreeKind::Caches => commitment.caches,
    }
}

#[test]
fn one_auditor_in_fifty_posts_a_leaf_of_its_sample() {
    let named = |count| {
        let commitment = build(one_each(count)).commitment(GATEWAY, EPOCH);
        let sample = leaves::<Keccak>(&[1; 32], &commitment, DRAWS);
        let posts: Vec<_> = (0..=255)
            .flat_map(|seed| (0..20).map(move |auditor| (seed, auditor)))
            .filter_map(|(seed, auditor)| {
                post::<Keccak>(&[seed; 32], &DeviceId([auditor; 32]), &commitment, &sample)
            })
            .collect();
        if let Sample::Drawn(draws) = sample {
            assert!(posts.iter().all(|draw| draws.contains(draw)));
        }
        posts
    };
    // 5,120 / 50 = 102; six standard deviations of sqrt(102 · 0.98) = 10.
    for count in [40, 400] {
        let posts = named(count).len();
        assert!((42..=162).contains(&posts), "{posts} of 1 in {POST_ONE_IN}");
    }
    let of_all = named(40).into_iter().map(|draw| draw.at.encode());
    assert!(
        of_all.collect::<BTreeSet<_>>().len() > 20,
        "every leaf of a small tree may be asked for"
    );
}

/// A node that a proof does not have, or a place beyond the tree, is nowhere.
#[test]
fn an_opening_without_its_path_is_nowhere() {
    let trees = build(one_each(20));
    let tree = TreeKind::Customers;
    let committed = tree_of(&trees, tree);
    let mut last = openings(&trees, tree).pop().unwrap();
    assert!(last.is_at(&committed, Place::Index(19)));
    last.entry.proof.siblings.clear();
    assert!(!last.is_at(&committed, Place::Index(19)));
    last.entry.proof.start = u32::MAX;
    assert!(!last.is_at(&committed, Place::Index(19)));
    last.entry.entry.sum.leaves = u64::MAX;
    assert!(!last.is_at(&committed, Place::Index(19)));
}

proptest! {
    #[test]
    fn an_opened_leaf_is_at_the_places_that_mean_it_and_no_others(all in any_leaves(), seed: u8) {
        let trees = build(all);
        let total = trees.commitment(GATEWAY, EPOCH).customers.sum;
        for draw in drawn(seed, &total, 16) {
            let committed = tree_of(&trees, draw.tree);
            let (entry, leaf) = find(&trees, &draw).unwrap();
            let meant = trees.leaves_of(draw.tree, entry)[leaf];
            for opened in openings(&trees, draw.tree) {
                prop_assert_eq!(opened.is_at(&committed, draw.at), opened.leaf == meant);
            }
        }
    }

    /// The chain knows the index of a disputed entry alone: whoever has the leaves finds those that are meant.
    #[test]
    fn a_draw_of_an_entry_means_a_leaf_of_it(all in any_leaves(), seed: u8, nth: u32) {
        let trees = build(all);
        let tree = TreeKind::Customers;
        let committed = tree_of(&trees, tree);
        let entry = nth % committed.entries;
        for draw in entry_draws::<Keccak>(&[seed; 32], &GATEWAY, EPOCH, entry, 12) {
            let (found, leaf) = find(&trees, &draw).unwrap();
            prop_assert_eq!(found as u32, entry);
            let meant = trees.leaves_of(tree, found)[leaf];
            for opened in openings(&trees, tree) {
                prop_assert_eq!(opened.is_at(&committed, draw.at), opened.leaf == meant);
            }
        }
        let beyond = entry_draws::<Keccak>(&[seed; 32], &GATEWAY, EPOCH, committed.entries, 4);
        prop_assert!(beyond.iter().all(|draw| find(&trees, draw).is_none()));
    }

    #[test]
    fn every_draw_means_one_leaf(all in any_leaves(), seed: u8, count in 0u32..60) {
        let trees = build(all);
        let total = trees.commitment(GATEWAY, EPOCH).customers.sum;
        let drawn = drawn(seed, &total, count);
        prop_assert_eq!(drawn.len(), count as usize);
        for draw in drawn {
            prop_assert!(find(&trees, &draw).is_some(), "{:?}", draw);
        }
    }

    #[test]
    fn every_planck_belongs_to_the_leaf_that_holds_it(amounts in proptest::collection::vec(0u128..9, 1..20)) {
        let sums: Vec<_> = amounts.iter().map(|amount| sum(1, *amount)).collect();
        let mut held = vec![0u128; sums.len()];
        let total: u128 = amounts.iter().sum();
        for planck in 0..total {
            let (index, _) = locate(&sums, Place::Amount(planck)).unwrap();
            held[index] += 1;
        }
        prop_assert_eq!(held, amounts);
        prop_assert_eq!(locate(&sums, Place::Amount(total)), None);
        prop_assert_eq!(locate(&sums, Place::Index(sums.len() as u64)), None);
        for index in 0..sums.len() {
            prop_assert_eq!(locate(&sums, Place::Index(index as u64)), Some((index, Place::Index(0))));
        }
    }

    #[test]
    fn auditors_are_different_ones_of_the_eligible(seed: u8, round: u8, eligible in 0u32..40, count in 0u32..50) {
        let drawn = auditors::<Keccak>(&[seed; 32], &GATEWAY, EPOCH, round, eligible, count);
        prop_assert_eq!(drawn.len() as u32, count.min(eligible));
        prop_assert_eq!(drawn.iter().collect::<BTreeSet<_>>().len(), drawn.len());
        prop_assert!(drawn.is_sorted() && drawn.iter().all(|seat| *seat < eligible));
    }
}
