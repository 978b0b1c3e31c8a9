//! Prints what placing costs and how even it is: a million blobs over ten thousand caches.
//!
//! `cargo run --release -p selvedge-edge-core-routing --example placement [BLOBS [CACHES]]`

// It measures: what is measured is told the time as always.
#![allow(clippy::disallowed_methods)]

use std::collections::HashMap;
use std::env;
use std::time::Instant;

use selvedge_edge_core_routing::{Loads, Owners, Placement, Target};
use selvedge_primitives_types::agent::NodeConfig;
use selvedge_primitives_types::{Account, DeviceId, Region, Role, Score, MAX_FACTOR};

const REGIONS: [&str; 4] = ["africa", "asia", "europe", "us"];

/// A thousand operators, capacities 1 to 8, networks of their own.
fn nodes(caches: u32) -> Vec<NodeConfig> {
    let node = |number: u32| {
        let device = *blake3::hash(&number.to_le_bytes()).as_bytes();
        let region = Region::parse(REGIONS[device[0] as usize % REGIONS.len()]);
        NodeConfig {
            device: DeviceId(device),
            operator: Account(*blake3::hash(&[device[1], device[2] & 3]).as_bytes()),
            role: Role::Cache,
            region: region.unwrap_or_default(),
            endpoint: format!("10.{}.{}.1:4460", number / 256 % 256, number % 256).into_bytes(),
            public_url: Vec::new(),
            capacity: 1 + u32::from(device[3] % 8),
            quality: Score(1_000_000),
            draining: false,
        }
    };
    (0..caches).map(node).collect()
}

fn root(number: u64) -> [u8; 32] {
    let mut root = [0; 32];
    root[..8].copy_from_slice(&number.to_le_bytes());
    root
}

fn timed<T>(what: &str, run: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let made = run();
    println!("{what:<48} {:>9.3} s", began.elapsed().as_secs_f64());
    made
}

/// How uneven shares are: the largest excess over the ideal, and chi squared for each cache (1 is
/// what chance alone gives).
fn evenness(nodes: &[NodeConfig], shares: &HashMap<DeviceId, u64>) -> (f64, f64) {
    let all: u64 = shares.values().sum();
    let weights: u64 = nodes.iter().map(|node| u64::from(node.capacity)).sum();
    let (mut largest, mut chi_squared) = (0f64, 0.0);
    for node in nodes {
        let share = shares.get(&node.device).copied().unwrap_or(0) as f64;
        let ideal = all as f64 * f64::from(node.capacity) / weights as f64;
        largest = largest.max(share / ideal - 1.0);
        chi_squared += (share - ideal).powi(2) / ideal;
    }
    (largest, chi_squared / nodes.len() as f64)
}

fn main() {
    let mut numbers = env::args()
        .skip(1)
        .map_while(|text| text.parse::<u64>().ok());
    let blobs = numbers.next().unwrap_or(1_000_000);
    let caches = u32::try_from(numbers.next().unwrap_or(10_000)).unwrap_or(u32::MAX);
    let nodes = nodes(caches);
    println!(
        "{blobs} blobs, {caches} caches in {} regions",
        REGIONS.len()
    );

    let placement = timed("the rings are made", || Placement::new(&nodes));
    let place = |factor: u8| {
        let mut shares: HashMap<DeviceId, u64> = HashMap::new();
        for number in 0..blobs {
            for owner in placement.owners(Target::Content(&root(number)), factor) {
                *shares.entry(owner).or_default() += 1;
            }
        }
        shares
    };
    for factor in [1, 3, MAX_FACTOR] {
        let shares = timed(
            &format!("every blob has its owners, factor {factor}"),
            || place(factor),
        );
        let (largest, chi_squared) = evenness(&nodes, &shares);
        println!(
            "  most above its part: {:.1} %; chi squared per cache: {chi_squared:.3}",
            largest * 100.0
        );
        let mut by_weight = [(0.0, 0.0); 9];
        let all: u64 = shares.values().sum();
        let weights: u64 = nodes.iter().map(|node| u64::from(node.capacity)).sum();
        for node in &nodes {
            let group = &mut by_weight[node.capacity as usize];
            group.0 += shares.get(&node.device).copied().unwrap_or(0) as f64;
            group.1 += all as f64 * f64::from(node.capacity) / weights as f64;
        }
        let groups = by_weight[1..]
            .iter()
            .map(|(share, ideal)| format!("{:+.1}", (share / ideal - 1.0) * 100.0));
        println!(
            "  by weight 1 to 8, percent off: {}",
            groups.collect::<Vec<_>>().join(" ")
        );
    }

    let loads = timed("every blob has an owner, loads bounded", || {
        let mut loads = Loads::new();
        for number in 0..blobs {
            for owner in placement.owners_with(Target::Content(&root(number)), 1, &loads) {
                loads.add(owner, 1);
            }
        }
        loads
    });
    let shares = nodes
        .iter()
        .map(|node| (node.device, loads.of(&node.device)))
        .collect();
    println!(
        "  most above its part: {:.1} %",
        evenness(&nodes, &shares).0 * 100.0
    );

    let (gone, rest) = match nodes.split_first() {
        Some((gone, rest)) => (gone.device, rest),
        None => return,
    };
    for factor in [1, 3] {
        let after = Placement::new(rest);
        let (mut lost, mut moved) = (0u64, 0u64);
        for number in 0..blobs {
            let root = root(number);
            let old = placement.owners(Target::Content(&root), factor);
            let new = after.owners(Target::Content(&root), factor);
            lost += u64::from(old.contains(&gone));
            moved += new.iter().filter(|owner| !old.contains(owner)).count() as u64;
        }
        println!("one cache leaves, factor {factor}: {moved} copies move, {lost} were on it");
    }

    for few in [4, 20, 64] {
        let owners = Owners::everywhere(&nodes[..few.min(nodes.len())]);
        let began = Instant::now();
        let found =
            (0..blobs / 10).filter_map(|number| owners.first(Target::Content(&root(number))));
        let each = (found.count() as f64).recip() * began.elapsed().as_secs_f64();
        println!("the first of {few} caches: {:.0} ns", each * 1e9);
    }
}
