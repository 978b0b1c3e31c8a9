//! How even it is with many caches, and what moves.

use std::collections::HashMap;

use selvedge_edge_core_routing::{Owners, Placement};
use selvedge_primitives_types::agent::NodeConfig;
use selvedge_primitives_types::DeviceId;

use crate::nodes::{cache, of_blob};

const CACHES: u32 = 10_000;
const BLOBS: u64 = 1_000_000;

/// Of capacities 1 to 8 in four regions.
fn network() -> Vec<NodeConfig> {
    let region = |number| ["eu", "us", "asia", "africa"][number as usize / 8 % 4];
    let caches = 0..CACHES;
    caches
        .map(|number| cache(number, region(number), 1 + number % 8))
        .collect()
}

#[test]
fn a_million_blobs_on_ten_thousand_caches_are_even() {
    let nodes = network();
    let placement = Placement::new(&nodes);
    let mut shares: HashMap<DeviceId, u64> = HashMap::new();
    for number in 0..BLOBS {
        *shares
            .entry(of_blob(number, |target| placement.owners(target, 1))[0])
            .or_default() += 1;
    }
    let weights: u64 = nodes.iter().map(|node| u64::from(node.capacity)).sum();
    let mut chi_squared = 0.0;
    let mut by_weight = [(0.0, 0.0); 9];
    for node in &nodes {
        let share = shares.get(&node.device).copied().unwrap_or(0) as f64;
        let ideal = BLOBS as f64 * f64::from(node.capacity) / weights as f64;
        chi_squared += (share - ideal).powi(2) / ideal;
        let group = &mut by_weight[node.capacity as usize];
        *group = (group.0 + share, group.1 + ideal);
    }
    for (share, ideal) in &by_weight[1..] {
        assert!((share / ideal - 1.0).abs() < 0.02, "{share} of {ideal}");
    }
    // One for each cache is what chance alone gives.
    let unevenness = chi_squared / f64::from(CACHES);
    assert!((0.9..1.15).contains(&unevenness), "{unevenness}");
}

#[test]
fn what_moves_when_one_leaves_is_what_it_had() {
    let nodes = network();
    let gone = nodes[77].device;
    let left: Vec<_> = nodes
        .iter()
        .filter(|node| node.device != gone)
        .cloned()
        .collect();
    let (before, after) = (Owners::everywhere(&nodes), Owners::everywhere(&left));
    for number in 0..20_000 {
        let (old, new) = of_blob(number, |target| (before.first(target), after.first(target)));
        assert!(old == new || old == Some(gone));
    }
}

#[test]
fn of_three_copies_hardly_more_than_the_lost_ones_move() {
    // Few caches, so that one has much to lose.
    let nodes = &network()[..96];
    let (mut lost, mut moved) = (0u64, 0u64);
    for gone in nodes.iter().step_by(19) {
        let left: Vec<_> = nodes
            .iter()
            .filter(|n| n.device != gone.device)
            .cloned()
            .collect();
        let (before, after) = (Placement::new(nodes), Placement::new(&left));
        for number in 0..8_000 {
            let (old, new) = of_blob(number, |t| (before.owners(t, 3), after.owners(t, 3)));
            lost += u64::from(old.contains(&gone.device));
            moved += new.iter().filter(|owner| !old.contains(owner)).count() as u64;
        }
    }
    assert!(
        lost > 1_000 && moved >= lost,
        "{moved} moved, {lost} were lost"
    );
    assert!(moved * 10 <= lost * 11, "{moved} moved, {lost} were lost");
}
