//! Where there is demand there is a copy, until there is none.

use selvedge_edge_core_replication::{Input, Output, Rules};
use selvedge_primitives_types::{Millis, Region};

use crate::net::{blob, region, Net, REGIONS};

const MIB: u64 = 1024 * 1024;

fn regions(net: &Net, root: &[u8; 32]) -> Vec<Region> {
    let holding = net
        .peers
        .iter()
        .filter(|(_, peer)| peer.holds.contains(root));
    let mut regions: Vec<_> = holding.map(|(device, _)| region(device)).collect();
    regions.sort_unstable();
    regions.dedup();
    regions
}

#[test]
fn a_region_with_demand_has_a_copy_and_loses_it_when_that_ends() {
    let rules = Rules {
        spare_after: Millis(120_000),
        ..Rules::default()
    };
    let mut net = Net::new(12, rules);
    let content = blob(1, MIB);
    net.seed(&[content], 1);
    net.run(5_000);
    let home = regions(&net, &content.root)[0];
    let far = REGIONS.map(|name| Region::parse(name).unwrap());
    let far = far.into_iter().find(|region| *region != home).unwrap();
    let heat = |net: &mut Net, requests| {
        net.input(Input::Heat {
            root: content.root,
            region: far,
            requests,
        });
        net.run(5_000);
    };
    heat(&mut net, 599);
    assert_eq!(regions(&net, &content.root), [home]);
    heat(&mut net, 100);
    assert!(regions(&net, &content.root).contains(&far));
    assert_eq!(net.copies_of(&content), 2);
    let is_spare = |output: &Output| matches!(output, Output::Excess { .. });
    assert_eq!(net.said(is_spare), 0);
    net.run(1_200_000);
    let first = net.said.iter().find(|(_, output)| is_spare(output));
    let Some((_, Output::Excess { cache, .. })) = first else {
        panic!("nothing was called spare");
    };
    assert_eq!(region(cache), far);
}

#[test]
fn what_all_ask_for_is_in_every_region() {
    let mut net = Net::new(12, Rules::default());
    let content = blob(1, MIB);
    net.seed(&[content], 1);
    net.run(5_000);
    net.input(Input::Heat {
        root: content.root,
        region: region(&net.owners(&content, 1)[0]),
        requests: 6_100,
    });
    net.run(5_000);
    assert_eq!(regions(&net, &content.root).len(), 4);
}

#[test]
fn what_is_not_pinned_is_copied_where_there_is_demand_alone() {
    let mut net = Net::new(12, Rules::default());
    let content = blob(1, MIB);
    net.keep(&[content], 0);
    let holder = net.owners(&content, 1)[0];
    net.peer(holder).holds.insert(content.root);
    net.run(5_000);
    assert_eq!(net.ordered(0), []);
    // Somebody tells of what it holds without being asked.
    net.input(Input::Have {
        cache: holder,
        roots: vec![(content.root, true)],
    });
    net.input(Input::Heat {
        root: content.root,
        region: region(&holder),
        requests: 7_000,
    });
    net.run(5_000);
    assert_eq!(regions(&net, &content.root).len(), 4);
}
