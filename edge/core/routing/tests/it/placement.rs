//! Where copies belong.

use std::collections::BTreeSet;

use proptest::prelude::*;
use selvedge_edge_core_routing::{assignment, Epochs, Placement};
use selvedge_primitives_types::agent::NodeConfig;
use selvedge_primitives_types::{Account, DeviceId, Epoch, Region, Role, MAX_FACTOR};

use crate::letter::{self, counts};
use crate::nodes::{cache, device, of_blob};

fn owners(placement: &Placement, number: u64, factor: u8) -> Vec<DeviceId> {
    of_blob(number, |target| placement.owners(target, factor))
}

fn of<'a>(nodes: &'a [NodeConfig], owner: &DeviceId) -> &'a NodeConfig {
    nodes.iter().find(|node| node.device == *owner).unwrap()
}

/// So many caches in each of some regions.
fn regions(sizes: &[(&str, u32)]) -> Vec<NodeConfig> {
    let regions = sizes
        .iter()
        .flat_map(|(name, size)| (0..*size).map(move |_| *name));
    let nodes = regions.zip(0..);
    nodes
        .map(|(region, number)| cache(number, region, 1))
        .collect()
}

#[test]
fn no_operator_keeps_two_copies_while_another_keeps_none() {
    let mut nodes = regions(&[("eu", 100), ("us", 100)]);
    for (node, number) in nodes.iter_mut().zip(0u8..) {
        node.operator = Account([number % 4; 32]);
    }
    let placement = Placement::new(&nodes);
    for number in 0..200 {
        let owners = owners(&placement, number, 10);
        let operators = |count| {
            owners[..count]
                .iter()
                .map(|owner| of(&nodes, owner).operator)
        };
        assert_eq!(counts(operators(4)).len(), 4);
        assert!(counts(operators(8)).values().all(|had| *had == 2));
        assert_eq!(owners.iter().collect::<BTreeSet<_>>().len(), 10);
    }
}

#[test]
fn each_region_has_its_turn_before_one_has_a_second_copy() {
    let nodes = regions(&[("eu", 26), ("us", 26), ("asia", 24), ("africa", 24)]);
    let placement = Placement::new(&nodes);
    for number in 0..300 {
        let owners = owners(&placement, number, 8);
        let regions = |count| owners[..count].iter().map(|owner| of(&nodes, owner).region);
        for count in 1..=4 {
            assert_eq!(counts(regions(count)).len(), count);
        }
        assert!(counts(regions(8)).values().all(|had| *had == 2));
    }
}

#[test]
fn a_small_region_is_not_given_one_of_everything() {
    let nodes = regions(&[("eu", 99), ("us", 99), ("asia", 2)]);
    let placement = Placement::new(&nodes);
    let asia = Region::parse("asia").unwrap();
    let all = (0..20_000).flat_map(|number| owners(&placement, number, 4));
    let in_asia = all.filter(|owner| of(&nodes, owner).region == asia).count();
    // Its part of the weight is a hundredth: 800 of 80,000 copies.
    assert!((400..1_200).contains(&in_asia), "{in_asia}");
}

#[test]
fn a_large_region_does_not_keep_all_copies() {
    let nodes = regions(&[("eu", 70), ("us", 15), ("asia", 15)]);
    let placement = Placement::new(&nodes);
    for number in 0..1_000 {
        let owners = owners(&placement, number, 2);
        assert_ne!(of(&nodes, &owners[0]).region, of(&nodes, &owners[1]).region);
    }
}

#[test]
fn copies_are_in_networks_apart_while_there_are_some() {
    let mut nodes = regions(&[("eu", 80)]);
    for (node, number) in nodes.iter_mut().zip(0..) {
        node.endpoint = format!("192.0.{}.{number}:4460", number % 3).into_bytes();
    }
    let placement = Placement::new(&nodes);
    for number in 0..200 {
        let owners = owners(&placement, number, 6);
        let networks = |range: std::ops::Range<usize>| {
            counts(
                owners[range]
                    .iter()
                    .map(|owner| of(&nodes, owner).endpoint[6]),
            )
            .len()
        };
        assert_eq!((networks(0..3), networks(3..6)), (3, 3));
    }
}

#[test]
fn a_draining_cache_is_given_what_nobody_else_is_left_for() {
    let mut nodes = regions(&[("eu", 3), ("us", 3)]);
    for node in &mut nodes[..3] {
        node.draining = true;
    }
    let placement = Placement::new(&nodes);
    for number in 0..100 {
        let owners = owners(&placement, number, 16);
        assert_eq!(owners.len(), 6);
        assert!(owners[..3].iter().all(|owner| !of(&nodes, owner).draining));
    }
}

#[test]
fn who_is_no_cache_keeps_nothing() {
    let nodes = [NodeConfig {
        role: Role::Gateway,
        ..cache(1, "eu", 1)
    }];
    let placement = Placement::new(&nodes);
    assert!(placement.is_empty() && owners(&placement, 1, 3).is_empty());
    assert!(owners(&Placement::default(), 1, 3).is_empty());
    assert!(owners(&Placement::new(&[cache(1, "eu", 1)]), 1, 0).is_empty());
}

#[test]
fn no_more_copies_are_placed_than_a_pin_may_ask_for() {
    let placement = Placement::new(&regions(&[("eu", 30)]));
    assert_eq!(
        owners(&placement, 1, u8::MAX).len(),
        usize::from(MAX_FACTOR)
    );
}

#[test]
fn readers_ask_the_owners_of_the_epoch_before_too() {
    let nodes = regions(&[("eu", 12)]);
    let mut epochs = Epochs::new(Epoch(7), Placement::new(&nodes));
    let holders = |epochs: &Epochs| of_blob(5, |target| epochs.holders(target, 2));
    let old = holders(&epochs);
    assert_eq!(old.len(), 2);
    // The first owner drains: it still has its copy. A later config of the same epoch changes
    // nothing of the epoch before.
    let mut changed = nodes.clone();
    changed
        .iter_mut()
        .find(|node| node.device == old[0])
        .unwrap()
        .draining = true;
    for _ in 0..2 {
        epochs.advance(Epoch(8), Placement::new(&changed));
        let new = of_blob(5, |target| epochs.current().owners(target, 2));
        assert!(!new.contains(&old[0]) && new.contains(&old[1]));
        assert_eq!(holders(&epochs), [&new[..], &old[..1]].concat());
    }
    // Who is no longer registered is not asked.
    changed.retain(|node| node.device != old[0]);
    epochs.advance(Epoch(8), Placement::new(&changed));
    assert!(!holders(&epochs).contains(&old[0]));
    epochs.advance(Epoch(9), Placement::new(&changed));
    assert_eq!(holders(&epochs).len(), 2);
}

prop_compose! {
    fn any_cache()(
        operator in 0u8..9, region in 0usize..5, network in 0u8..40, is_known in prop::bool::weighted(0.9),
        capacity in prop_oneof![1u32..4, any::<u32>()], draining in prop::bool::weighted(0.1),
    ) -> NodeConfig {
        let endpoint = if is_known { format!("10.0.{network}.1:80") } else { "c.example:80".into() };
        NodeConfig {
            operator: Account([operator; 32]),
            endpoint: endpoint.into_bytes(),
            draining,
            ..cache(0, ["eu", "us", "asia", "africa", "mars"][region], capacity)
        }
    }
}

fn any_caches(most: usize) -> impl Strategy<Value = Vec<NodeConfig>> {
    prop::collection::vec(any_cache(), 0..most).prop_map(|mut nodes| {
        for (node, number) in nodes.iter_mut().zip(0..) {
            node.device = device(number);
        }
        nodes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn an_assignment_is_what_the_letter_says(
        nodes in prop_oneof![any_caches(12), any_caches(300)],
        number in any::<u64>(),
        factor in 0..=MAX_FACTOR,
        turn in any::<prop::sample::Index>(),
    ) {
        let expected = of_blob(number, |target| letter::owners(&nodes, target, usize::from(factor)));
        let mut nodes = nodes;
        if !nodes.is_empty() {
            let turn = turn.index(nodes.len());
            nodes.rotate_left(turn);
        }
        prop_assert_eq!(of_blob(number, |target| assignment(&nodes, target, factor)), expected);
    }

    #[test]
    fn fewer_copies_are_the_beginning_of_more(nodes in any_caches(100), number in any::<u64>()) {
        let placement = Placement::new(&nodes);
        let most = owners(&placement, number, MAX_FACTOR);
        for factor in 0..MAX_FACTOR {
            let owners = owners(&placement, number, factor);
            prop_assert_eq!(&owners, &most[..most.len().min(usize::from(factor))]);
        }
    }
}
