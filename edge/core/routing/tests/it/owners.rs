//! The order of a region's caches.

use proptest::prelude::*;
use selvedge_edge_core_routing::{Candidate, Owners, Target, MOST_OF_MEDIAN};
use selvedge_primitives_types::agent::NodeConfig;
use selvedge_primitives_types::{DeviceId, Region, Role, Score, ServiceId};

use crate::letter::{self, counts};
use crate::nodes::{cache, device, of_blob};

fn candidate(number: u32, weight: u64) -> Candidate {
    Candidate {
        device: device(number),
        weight,
        is_draining: false,
    }
}

fn key(number: u64) -> Vec<u8> {
    format!("https://example.org/{number}").into_bytes()
}

fn rank(owners: &Owners, number: u64, count: usize) -> Vec<DeviceId> {
    let key = key(number);
    let service = ServiceId(1);
    owners.rank(Target::Key { service, key: &key }, count)
}

fn first(owners: &Owners, number: u64) -> DeviceId {
    rank(owners, number, 1)[0]
}

fn candidates(weights: impl IntoIterator<Item = u64>) -> Vec<Candidate> {
    let weights = weights.into_iter().zip(0..);
    weights
        .map(|(weight, number)| candidate(number, weight))
        .collect()
}

fn region(name: &str) -> Region {
    Region::parse(name).unwrap()
}

#[test]
fn equal_caches_own_equal_shares() {
    let owners = Owners::from_candidates(candidates([7; 20]));
    for (device, share) in counts((0..60_000).map(|number| first(&owners, number))) {
        assert!(
            (2_700..=3_300).contains(&share),
            "{device} owns {share} of 3000 expected"
        );
    }
}

#[test]
fn shares_follow_the_weight() {
    let weights = [1u64, 2, 3, 4, 10];
    let owners = Owners::from_candidates(candidates(weights));
    let shares = counts((0..100_000).map(|number| first(&owners, number)));
    for (weight, number) in weights.iter().zip(0..) {
        let (ideal, share) = (weight * 5_000, shares[&device(number)]);
        assert!(
            share.abs_diff(ideal) * 10 < ideal,
            "weight {weight} owns {share} of {ideal}"
        );
    }
}

#[test]
fn only_the_keys_of_the_one_that_left_move() {
    let all = candidates(1..=10);
    let before = Owners::from_candidates(all.clone());
    let after = Owners::from_candidates(all[..9].to_vec());
    let mut moved = 0;
    for number in 0..20_000 {
        let (old, new) = (first(&before, number), first(&after, number));
        if old == device(9) {
            moved += 1;
            // The second owner takes over, so that it can be asked before anybody has noticed.
            assert_eq!(rank(&before, number, 2)[1], new);
        } else {
            assert_eq!(old, new);
        }
    }
    let ideal = 20_000 * 10 / 55;
    assert!(
        moved > ideal * 9 / 10 && moved < ideal * 11 / 10,
        "{moved} of {ideal}"
    );
}

#[test]
fn a_heavier_cache_only_gains() {
    let lighter = Owners::from_candidates(candidates([100; 5]));
    let heavier = Owners::from_candidates(candidates([100, 100, 100, 150, 100]));
    let mut gained = 0;
    for number in 0..10_000 {
        let (old, new) = (first(&lighter, number), first(&heavier, number));
        gained += u32::from(old != new);
        assert!(old == new || new == device(3));
    }
    assert!(gained > 500, "{gained}");
}

#[test]
fn a_region_is_served_by_its_own_caches_or_else_by_all() {
    let mut nodes = vec![cache(1, "eu", 1), cache(2, "us", 1)];
    nodes.push(NodeConfig {
        role: Role::Gateway,
        ..cache(3, "eu", 1)
    });
    let service = Target::Service(ServiceId(1));
    assert_eq!(
        Owners::new(&nodes, region("eu")).rank(service, 9),
        [device(1)]
    );
    assert_eq!(Owners::new(&nodes, region("asia")).len(), 2);
    assert_eq!(
        Owners::everywhere(&nodes),
        Owners::new(&nodes, region("asia"))
    );
    assert!(Owners::new(&[], region("eu")).is_empty());
    assert_eq!(of_blob(0, |target| Owners::default().first(target)), None);
}

#[test]
fn a_draining_cache_comes_last() {
    let mut nodes: Vec<_> = (1..5).map(|number| cache(number, "eu", 1)).collect();
    nodes[0].draining = true;
    nodes[0].capacity = u32::MAX;
    let owners = Owners::new(&nodes, region("eu"));
    for number in 0..100 {
        let order = owners.rank(Target::Service(ServiceId(number)), 9);
        assert_eq!(order.len(), 4);
        assert_eq!(order[3], device(1));
    }
}

#[test]
fn weight_is_capacity_times_score_and_never_nothing() {
    let weight = |capacity, quality| {
        let quality = Score(quality);
        let node = NodeConfig {
            quality,
            ..cache(1, "eu", capacity)
        };
        Candidate::of(&node).weight
    };
    assert_eq!(weight(4, 1_500_000), 6_000_000);
    assert_eq!(weight(0, 0), 10_000);
    assert_eq!(weight(u32::MAX, u32::MAX), u64::from(u32::MAX) * 1_500_000);
}

#[test]
fn whoever_says_it_has_endless_room_counts_for_a_few() {
    let mut nodes: Vec<_> = (0..9).map(|number| cache(number, "eu", 10)).collect();
    nodes[4].capacity = u32::MAX;
    let all = Candidate::all(&nodes);
    assert_eq!(all[4].1.weight, 10_000_000 * MOST_OF_MEDIAN);
    assert!(all
        .iter()
        .all(|(node, c)| node.capacity > 10 || c.weight == 10_000_000));
    // Of two, the lighter is the measure: nobody is the median of its own claim.
    let two = Candidate::all(&nodes[3..5]);
    assert_eq!(two[1].1.weight, 10_000_000 * MOST_OF_MEDIAN);
}

#[test]
fn kinds_of_target_are_told_apart() {
    let owners = Owners::from_candidates(candidates([1; 50]));
    let order = |target| owners.rank(target, 50);
    let key = |number| Target::Key {
        service: ServiceId(number),
        key: b"",
    };
    assert_ne!(order(key(3)), order(Target::Service(ServiceId(3))));
    assert_ne!(order(key(3)), order(key(4)));
}

#[test]
fn the_home_of_a_key_is_the_first_of_its_region() {
    let regions = ["eu", "us", "asia"];
    let mut nodes: Vec<_> = (0..90)
        .map(|number| cache(number, regions[number as usize % 3], 1 + number % 7))
        .collect();
    nodes[10].capacity = u32::MAX;
    let all = Owners::everywhere(&nodes);
    let by_region = regions.map(|name| Owners::new(&nodes, region(name)));
    for number in 0..1_000 {
        let home = of_blob(number, |target| all.first(target)).unwrap();
        let firsts = by_region
            .each_ref()
            .map(|owners| of_blob(number, |t| owners.first(t)));
        assert!(firsts.contains(&Some(home)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_the_config_does_not_matter(
        weights in prop::collection::vec(0u64.., 0..12),
        service in any::<u64>(),
        turn in any::<prop::sample::Index>(),
    ) {
        let mut candidates = candidates(weights);
        let target = Target::Service(ServiceId(service));
        let before = Owners::from_candidates(candidates.clone()).rank(target, 99);
        prop_assert_eq!(before.len(), candidates.len());
        if !candidates.is_empty() {
            let turn = turn.index(candidates.len());
            candidates.rotate_left(turn);
        }
        prop_assert_eq!(Owners::from_candidates(candidates).rank(target, 99), before);
    }

    #[test]
    fn what_is_looked_up_is_what_the_letter_says(
        bits in prop::collection::vec((0u32..64, any::<u64>(), prop::bool::weighted(0.1)), 1..400),
        number in any::<u64>(),
        count in 0usize..420,
    ) {
        let candidates: Vec<_> = bits.into_iter().zip(0..).map(|((shift, weight, is_draining), n)| {
            Candidate { is_draining, ..candidate(n, weight >> shift) }
        }).collect();
        let target = Target::Service(ServiceId(number));
        let mut expected = letter::rank(&candidates, target);
        expected.truncate(count);
        prop_assert_eq!(Owners::from_candidates(candidates).rank(target, count), expected);
    }
}
