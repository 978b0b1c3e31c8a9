//! Who is silent for a moment makes nothing move.

use selvedge_edge_core_replication::{Output, Rules};

use crate::net::{blob, device, Net};

const MIB: u64 = 1024 * 1024;

fn seeded(count: u8) -> Net {
    let mut net = Net::new(count, Rules::default());
    let contents: Vec<_> = (0..60).map(|id| blob(id, MIB)).collect();
    net.seed(&contents, 3);
    net.run(20_000);
    net
}

#[test]
fn a_restart_within_the_grace_time_moves_nothing() {
    let mut net = seeded(10);
    net.peer(device(1)).is_down = true;
    net.run(55_000);
    net.peer(device(1)).is_down = false;
    net.run(120_000);
    assert_eq!(net.ordered(0), []);
}

#[test]
fn what_a_lost_cache_held_is_copied_to_the_next_in_order_after_the_grace_time() {
    let mut net = seeded(10);
    net.peer(device(1)).is_down = true;
    let gone = net.now;
    net.run(120_000);
    let ordered = net.ordered(0);
    assert_eq!(ordered.len(), net.peers[&device(1)].holds.len());
    assert!(ordered
        .iter()
        .all(|(at, _, to)| *at > gone + 57_000 && *to != device(1)));
    assert!((0..60).all(|id| net.copies_of(&blob(id, MIB)) == 3));
}

#[test]
fn a_partition_that_heals_cancels_the_copies_under_way() {
    let mut net = seeded(10);
    net.copies = false;
    for id in [1, 2, 3] {
        net.peer(device(id)).is_down = true;
    }
    net.run(64_000);
    let ordered = net.ordered(0).len();
    assert!(ordered > 0);
    for id in [1, 2, 3] {
        net.peer(device(id)).is_down = false;
    }
    net.run(5_000);
    let cancelled = net.said(|output| matches!(output, Output::Cancel { .. }));
    assert_eq!(
        (cancelled, net.steward.figures().flights),
        (net.ordered(0).len(), 0)
    );
    let since = net.now;
    net.run(120_000);
    assert_eq!(net.ordered(since), []);
}

#[test]
fn while_most_are_silent_nothing_moves_for_ten_times_as_long() {
    let mut net = seeded(10);
    for id in 1..=6 {
        net.peer(device(id)).is_down = true;
    }
    net.run(500_000);
    assert!(net.steward.figures().is_cut_off);
    assert_eq!(net.ordered(0), []);
    // The cut ends; who is still silent has all of its time again.
    for id in 1..=4 {
        net.peer(device(id)).is_down = false;
    }
    let healed = net.now;
    net.run(40_000);
    assert!(!net.steward.figures().is_cut_off);
    assert_eq!(net.ordered(0), []);
    net.run(120_000);
    assert!(net.ordered(healed + 50_000).len() > 10);
}

#[test]
fn most_that_stay_silent_are_lost_in_the_end() {
    let mut net = seeded(10);
    for id in 1..=6 {
        net.peer(device(id)).is_down = true;
    }
    net.run(700_000);
    assert_eq!(net.steward.figures().lost, 6);
    assert!(!net.ordered(0).is_empty());
}

#[test]
fn a_clock_that_jumps_makes_nobody_silent() {
    let mut net = seeded(10);
    net.now += 86_400_000;
    net.run(50_000);
    assert_eq!(net.ordered(0), []);
    // And one that falls back stands still.
    net.now -= 43_200_000;
    net.run(50_000);
    assert_eq!(net.ordered(0), []);
}
