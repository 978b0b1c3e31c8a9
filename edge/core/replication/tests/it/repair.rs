//! What is missing is copied, in order, and nothing else is.

use selvedge_edge_core_replication::{CopyFailure, Input, Output, Rules};

use crate::net::{blob, device, Net, SERVICE};

const MIB: u64 = 1024 * 1024;

#[test]
fn what_one_cache_holds_is_copied_to_the_owners_that_lack_it() {
    let mut net = Net::new(8, Rules::default());
    let content = blob(1, MIB);
    net.keep(&[content], 3);
    let owners = net.owners(&content, 3);
    net.peer(owners[1]).holds.insert(content.root);
    net.run(10_000);
    assert_eq!(net.copies_of(&content), 3);
    let mut targets: Vec<_> = net.ordered(0).into_iter().map(|(_, _, to)| to).collect();
    targets.sort_unstable();
    let mut expected = vec![owners[0], owners[2]];
    expected.sort_unstable();
    assert_eq!(targets, expected);
}

#[test]
fn a_new_steward_orders_nothing_of_what_is_whole() {
    let mut net = Net::new(12, Rules::default());
    let contents: Vec<_> = (0..3_000).map(|id| blob(id, MIB)).collect();
    net.seed(&contents, 3);
    net.run(200_000);
    assert_eq!(net.ordered(0), []);
    let figures = net.steward.figures();
    assert_eq!((figures.objects, figures.whole), (3_000, 3_000));
}

#[test]
fn fewest_copies_come_first_and_then_the_hottest() {
    let mut net = Net::new(10, Rules::default());
    net.copies = false;
    let contents: Vec<_> = (0..3).map(|id| blob(id, MIB)).collect();
    net.keep(&contents, 3);
    for (content, copies) in contents.iter().zip([2, 1, 1]) {
        for owner in net.owners(content, copies) {
            net.peer(owner).holds.insert(content.root);
        }
    }
    net.input(Input::Heat {
        root: contents[2].root,
        region: crate::net::region(&device(1)),
        requests: 50,
    });
    net.run(10_000);
    let mut order: Vec<_> = net
        .ordered(0)
        .into_iter()
        .map(|(_, root, _)| root)
        .collect();
    order.dedup();
    // All caches are asked in one tick, so all three wait in the queue before the first begins.
    assert_eq!(order, [2, 1, 0].map(|index: usize| contents[index].root));
}

#[test]
fn what_nobody_holds_is_named_once() {
    let mut net = Net::new(6, Rules::default());
    let content = blob(1, MIB);
    net.keep(&[content], 2);
    net.run(300_000);
    let is_named = |output: &Output| matches!(output, Output::Unavailable { .. });
    assert_eq!((net.said(is_named), net.ordered(0).len()), (1, 0));
    assert_eq!(net.steward.figures().unavailable, 1);
    // The last in order has it, whom nobody would ask.
    let holder = net.owners(&content, 6)[5];
    net.peer(holder).holds.insert(content.root);
    net.run(120_000);
    assert_eq!(net.copies_of(&content), 3);
}

#[test]
fn the_next_in_order_stands_in_for_a_target_that_is_full_or_fails() {
    for why in [CopyFailure::Full, CopyFailure::Failed] {
        let mut net = Net::new(6, Rules::default());
        let content = blob(1, MIB);
        net.keep(&[content], 2);
        let order = net.owners(&content, 3);
        net.peer(order[0]).holds.insert(content.root);
        net.copies = why == CopyFailure::Full;
        net.peer(order[1]).is_full = true;
        for _ in 0..400 {
            net.run(250);
            let failing = net.ordered(net.now);
            for (_, root, to) in failing.into_iter().filter(|(_, _, to)| *to == order[1]) {
                if why == CopyFailure::Failed {
                    net.input(Input::CopyFailed { root, to, why });
                }
            }
        }
        let targets: Vec<_> = net.ordered(0).into_iter().map(|(_, _, to)| to).collect();
        assert!(targets.contains(&order[2]), "{why:?}: {targets:?}");
    }
}

#[test]
fn a_drain_moves_only_what_the_leaving_cache_alone_holds() {
    let mut net = Net::new(8, Rules::default());
    let contents: Vec<_> = (0..200).map(|id| blob(id, MIB)).collect();
    let (shared, alone) = contents.split_at(150);
    net.seed(shared, 3);
    net.seed(alone, 1);
    net.run(10_000);
    assert_eq!(net.ordered(0), []);
    let leaving = device(3);
    net.peer(leaving).is_draining = true;
    net.tell_caches();
    net.run(60_000);
    let only_there = |id: &u32| net.peers[&leaving].holds.contains(&blob(*id, MIB).root);
    let expected = (150..200).filter(only_there).count();
    assert!(expected > 0);
    let ordered = net.ordered(0);
    assert_eq!(ordered.len(), expected);
    assert!(ordered
        .iter()
        .all(|(_, root, _)| alone.iter().any(|content| content.root == *root)));
    // It leaves, and what it shared with others is made whole.
    net.peers.remove(&leaving);
    net.tell_caches();
    net.run(60_000);
    assert!(shared.iter().all(|content| net.copies_of(content) == 3));
    assert!(alone.iter().all(|content| net.copies_of(content) >= 1));
}

#[test]
fn a_drain_that_does_not_end_excuses_nothing_for_ever() {
    let rules = Rules {
        drain: selvedge_primitives_types::Millis(600_000),
        ..Rules::default()
    };
    let mut net = Net::new(6, rules);
    let contents: Vec<_> = (0..30).map(|id| blob(id, MIB)).collect();
    net.seed(&contents, 2);
    net.peer(device(2)).is_draining = true;
    net.tell_caches();
    net.run(590_000);
    assert_eq!(net.ordered(0), []);
    net.run(200_000);
    let held = |id: &u32| net.peers[&device(2)].holds.contains(&blob(*id, MIB).root);
    assert_eq!(net.ordered(0).len(), (0..30).filter(held).count());
}

#[test]
fn two_stewards_order_the_same_copies() {
    let mut orders = Vec::new();
    for own in [200, 201] {
        let mut net = Net::new(9, Rules::default());
        net.steward = selvedge_edge_core_replication::Steward::new(
            device(own),
            Rules::default(),
            Default::default(),
            selvedge_primitives_types::Millis(1_000),
        );
        net.tell_caches();
        let contents: Vec<_> = (0..50).map(|id| blob(id, MIB)).collect();
        net.seed(&contents, 3);
        net.peer(device(4)).is_down = true;
        net.run(180_000);
        let mut ordered: Vec<_> = net
            .ordered(0)
            .into_iter()
            .map(|(_, root, to)| (root, to))
            .collect();
        ordered.sort_unstable();
        assert!(!ordered.is_empty());
        orders.push(ordered);
    }
    assert_eq!(orders[0], orders[1]);
}

#[test]
fn what_no_service_keeps_any_more_is_copied_no_further() {
    let mut net = Net::new(6, Rules::default());
    net.copies = false;
    let content = blob(1, MIB);
    net.keep(&[content], 2);
    let owner = net.owners(&content, 1)[0];
    net.peer(owner).holds.insert(content.root);
    net.run(5_000);
    assert_eq!(net.ordered(0).len(), 1);
    net.input(Input::Objects {
        service: SERVICE,
        kept: Vec::new(),
        gone: vec![content.root],
    });
    assert_eq!(
        net.said(|output| matches!(output, Output::Cancel { .. })),
        1
    );
    net.run(120_000);
    assert_eq!(net.ordered(0).len(), 1);
}
