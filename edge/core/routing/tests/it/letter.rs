//! The rules by the letter, with nothing looked up: slow, and right to look at.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use selvedge_edge_core_routing::{Candidate, Target};
use selvedge_primitives_types::agent::NodeConfig;
use selvedge_primitives_types::DeviceId;

fn points(prefix: &[u8], rest: &[u8]) -> Vec<u64> {
    let mut octets = [0; 256];
    let mut hasher = blake3::Hasher::new();
    hasher.update(prefix).update(rest);
    hasher.finalize_xof().fill(&mut octets);
    let numbers = octets.chunks(8);
    numbers
        .map(|n| u64::from_le_bytes(n.try_into().unwrap()))
        .collect()
}

fn distance(device: &DeviceId, target: &[u64]) -> u64 {
    let rings = points(b"selvedge/node/v1", &device.0)
        .into_iter()
        .zip(target);
    rings
        .map(|(at, from)| at.wrapping_sub(*from))
        .min()
        .unwrap()
}

fn points_of(target: Target<'_>) -> Vec<u64> {
    let rest = match target {
        Target::Key { service, key } => [&[0], &service.0.to_le_bytes()[..], key].concat(),
        Target::Service(service) => [&[1], &service.0.to_le_bytes()[..]].concat(),
        Target::Content(root) => [&[2], &root[..]].concat(),
    };
    points(b"selvedge/route/v2", &rest)
}

fn by_place(a: (u64, u64, DeviceId), b: (u64, u64, DeviceId)) -> Ordering {
    let (left, right) = (
        u128::from(a.0) * u128::from(b.1),
        u128::from(b.0) * u128::from(a.1),
    );
    left.cmp(&right).then(a.2.cmp(&b.2))
}

/// All candidates in the order of owning.
pub fn rank(candidates: &[Candidate], target: Target<'_>) -> Vec<DeviceId> {
    let target = points_of(target);
    let mut places: Vec<_> = candidates
        .iter()
        .map(|c| {
            (
                c.is_draining,
                (distance(&c.device, &target), c.weight.max(1), c.device),
            )
        })
        .collect();
    places.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| by_place(a.1, b.1)));
    places
        .into_iter()
        .map(|(_, (_, _, device))| device)
        .collect()
}

fn network(endpoint: &[u8]) -> Option<String> {
    let text = String::from_utf8(endpoint.to_vec()).ok()?;
    let address: std::net::SocketAddrV4 = text.parse().ok()?;
    Some(format!("{:?}", &address.ip().octets()[..3]))
}

/// Who keeps the copies. Knows IPv4 networks only.
pub fn owners(nodes: &[NodeConfig], target: Target<'_>, factor: usize) -> Vec<DeviceId> {
    let all = Candidate::all(nodes);
    let points = points_of(target);
    let serving = || all.iter().filter(|(_, c)| !c.is_draining);
    let sum: u128 = serving()
        .map(|(_, c)| u128::from(c.weight))
        .sum::<u128>()
        .max(1);
    let mut chosen: Vec<&NodeConfig> = Vec::new();
    while chosen.len() < factor {
        let copies = chosen.len() as u128 + 1;
        let had = |same: &dyn Fn(&NodeConfig) -> bool| chosen.iter().filter(|n| same(n)).count();
        let turn = |node: &NodeConfig| {
            let in_region = serving().filter(|(other, _)| other.region == node.region);
            let due = 73 * copies * in_region.map(|(_, c)| u128::from(c.weight)).sum::<u128>();
            let had = had(&|other| other.region == node.region) as u128;
            if had < (due + 10 * sum) / (73 * sum) {
                return 0;
            }
            let slack = if copies == 2 { 37 } else { 10 };
            let most = due.saturating_sub(slack * sum).div_ceil(73 * sum).max(1);
            1 + (had + 1).saturating_sub(most)
        };
        let left = all
            .iter()
            .filter(|(node, _)| !chosen.iter().any(|c| c.device == node.device));
        let best = left
            .map(|(node, candidate)| {
                let own = network(&node.endpoint);
                let standing = (
                    candidate.is_draining,
                    had(&|other| other.operator == node.operator),
                    turn(node),
                    had(&|other| own.is_some() && network(&other.endpoint) == own),
                );
                let place = (
                    distance(&node.device, &points),
                    candidate.weight,
                    node.device,
                );
                (standing, place, *node)
            })
            .min_by(|a, b| a.0.cmp(&b.0).then_with(|| by_place(a.1, b.1)));
        let Some((_, _, node)) = best else {
            break;
        };
        chosen.push(node);
    }
    chosen.iter().map(|node| node.device).collect()
}

/// How many of what some things are there are.
pub fn counts<T: Ord>(of: impl IntoIterator<Item = T>) -> BTreeMap<T, u64> {
    let mut counts = BTreeMap::new();
    for one in of {
        *counts.entry(one).or_default() += 1;
    }
    counts
}
