//! No storm, and no more of anything than there may be.

use std::collections::BTreeMap;

use selvedge_edge_core_replication::{Error, Input, Limits, Output, Rules, Wanted};
use selvedge_primitives_types::Millis;

use crate::net::{blob, device, Net, SERVICE};

const MIB: u64 = 1024 * 1024;

#[test]
fn bytes_under_way_are_bounded_in_all_and_for_each_source_and_target() {
    let rules = Rules {
        in_flight: 20 * MIB,
        per_node: 5 * MIB,
        rate: 1 << 40,
        burst: 1 << 40,
        ..Rules::default()
    };
    let mut net = Net::new(10, rules);
    net.copies = false;
    let contents: Vec<_> = (0..300).map(|id| blob(id, 2 * MIB)).collect();
    net.keep(&contents, 3);
    for content in &contents {
        let owner = net.owners(content, 1)[0];
        net.peer(owner).holds.insert(content.root);
    }
    net.run(20_000);
    let (mut sources, mut targets, mut all) = (BTreeMap::new(), BTreeMap::new(), 0);
    for (_, output) in &net.said {
        if let Output::Copy { to, from, .. } = output {
            *sources.entry(from[0]).or_insert(0) += 2 * MIB;
            *targets.entry(*to).or_insert(0) += 2 * MIB;
            all += 2 * MIB;
        }
    }
    assert_eq!(all, 20 * MIB);
    assert_eq!(net.steward.figures().in_flight, all);
    let is_bounded = |bytes: &u64| *bytes <= 5 * MIB;
    assert!(sources.values().all(is_bounded) && targets.values().all(is_bounded));
}

#[test]
fn a_blob_above_every_bound_goes_alone() {
    let rules = Rules {
        in_flight: 20 * MIB,
        per_node: 5 * MIB,
        ..Rules::default()
    };
    let mut net = Net::new(6, rules);
    net.copies = false;
    let content = blob(1, 1 << 30);
    net.keep(&[content], 2);
    let owner = net.owners(&content, 1)[0];
    net.peer(owner).holds.insert(content.root);
    net.run(10_000);
    assert_eq!(net.ordered(0).len(), 1);
}

#[test]
fn copies_begin_no_faster_than_the_rate() {
    let rules = Rules {
        rate: 4 * MIB,
        burst: 8 * MIB,
        ..Rules::default()
    };
    let mut net = Net::new(10, rules);
    let contents: Vec<_> = (0..200).map(|id| blob(id, MIB)).collect();
    net.seed(&contents, 3);
    net.run(10_000);
    net.peer(device(1)).is_down = true;
    net.peer(device(2)).is_down = true;
    net.run(300_000);
    let begun: Vec<u64> = net.ordered(0).into_iter().map(|(at, _, _)| at).collect();
    assert!(begun.len() > 80, "{}", begun.len());
    for (first, from) in begun.iter().enumerate() {
        let within = begun[first..]
            .iter()
            .take_while(|at| **at < from + 1_000)
            .count();
        assert!(within <= 12, "{within} MiB in a second");
    }
    assert!(contents.iter().all(|content| net.copies_of(content) == 3));
}

#[test]
fn more_blobs_and_caches_than_fit_are_refused_by_name() {
    let limits = Limits {
        objects: 3,
        caches: 4,
        ..Limits::default()
    };
    let mut net = Net::bounded(4, Rules::default(), limits);
    let wanted = |id| Wanted {
        content: blob(id, MIB),
        factor: 2,
    };
    let kept = (0..5).map(wanted).collect();
    let input = Input::Objects {
        service: SERVICE,
        kept,
        gone: Vec::new(),
    };
    let said = net.steward.handle_input(Millis(net.now), input);
    let first = blob(3, MIB).root;
    assert_eq!(
        said,
        Err(Error::TooManyObjects {
            first,
            count: 2,
            limit: 3
        })
    );
    // What left makes room.
    net.input(Input::Objects {
        service: SERVICE,
        kept: vec![wanted(3)],
        gone: vec![blob(0, MIB).root],
    });
    let nodes = Net::new(6, Rules::default()).nodes();
    let caches = nodes
        .iter()
        .map(|node| selvedge_edge_core_replication::Cache {
            device: node.device,
            region: node.region,
            draining: false,
        });
    let said = net.steward.handle_input(
        Millis(net.now),
        Input::Caches {
            caches: caches.collect(),
            placement: selvedge_edge_core_replication::Ranked::new(&nodes),
        },
    );
    assert_eq!(said, Err(Error::TooManyCaches { count: 6, limit: 4 }));
    net.run(10_000);
}

#[test]
fn a_queue_that_overflows_is_found_again() {
    let limits = Limits {
        queue: 8,
        ..Limits::default()
    };
    let mut net = Net::bounded(8, Rules::default(), limits);
    let contents: Vec<_> = (0..200).map(|id| blob(id, MIB / 8)).collect();
    net.keep(&contents, 3);
    for content in &contents {
        let owner = net.owners(content, 1)[0];
        net.peer(owner).holds.insert(content.root);
    }
    net.run(3_000_000);
    assert!(contents.iter().all(|content| net.copies_of(content) == 3));
}

#[test]
fn a_place_that_a_cache_left_is_given_to_another_without_its_copies() {
    let limits = Limits {
        caches: 6,
        ..Limits::default()
    };
    let mut net = Net::bounded(6, Rules::default(), limits);
    let contents: Vec<_> = (0..40).map(|id| blob(id, MIB)).collect();
    net.seed(&contents, 2);
    net.run(10_000);
    for turn in 0..6u8 {
        net.peers.remove(&device(turn + 1));
        net.tell_caches();
        net.run(60_000);
        net.peers.insert(device(turn + 100), Default::default());
        net.tell_caches();
        net.run(120_000);
        for content in &contents {
            assert!(net.copies_of(content) >= 2);
            let believed = net.steward.holders(&content.root);
            let holds = |device| net.peers[device].holds.contains(&content.root);
            assert!(believed.iter().all(holds));
        }
    }
}
