//! How an epoch's probers are enrolled.

use crate::{mock::*, *};
use pallet_edge_mocks::{Network, Node};
use pallet_edge_traits::{OnEpoch, ProbeDuties};
use selvedge_primitives_types::Millis;
use std::collections::BTreeSet;

fn panel() -> Vec<Prober> {
    Round::<Test>::get().unwrap().panel.into_inner()
}

fn devices() -> BTreeSet<DeviceId> {
    panel().iter().map(|prober| prober.device).collect()
}

#[test]
fn every_fit_gateway_is_enrolled_once() {
    for nodes_per_block in [1, 3, 64] {
        run(|| {
            NodesPerBlock::set(nodes_per_block);
            (1..=20).for_each(|id| node(id, Role::Gateway));
            (21..=30).for_each(|id| node(id, Role::Cache));
            Network::change(device(4), |node| node.draining = true);
            Network::change(device(5), |node| node.from = Epoch(9));
            turn_to(1);
            let fit: BTreeSet<_> = (1..=20)
                .filter(|id| ![4, 5].contains(id))
                .map(device)
                .collect();
            assert_eq!(devices(), fit);
            assert!(panel().is_sorted());
            assert_eq!(panel()[0].weight, STAKE as u64);
        });
    }
}

#[test]
fn of_more_than_the_panel_holds_the_seed_chooses() {
    let enrolled = |seed: u8| {
        let mut devices = BTreeSet::new();
        run(|| {
            MaxProbers::set(8);
            ProbeSeed::set([seed; 32]);
            (1..=40).for_each(|id| node(id, Role::Gateway));
            turn_to(1);
            devices = self::devices();
        });
        devices
    };
    // The storage's order is that of the ids here; it goes round at its end.
    assert_eq!(enrolled(10), (11..=18).map(device).collect());
    assert_eq!(enrolled(36), (37..=40).chain(1..=4).map(device).collect());
}

#[test]
fn a_block_enrols_no_more_than_it_may() {
    run(|| {
        NodesPerBlock::set(5);
        (1..=60).for_each(|id| node(id, Role::Gateway));
        begin(1);
        let mut blocks = 0;
        while TurnOf::<Test>::exists() {
            let before = Enrolled::<Test>::get().len();
            block();
            assert!(Enrolled::<Test>::get().len().saturating_sub(before) <= 5);
            blocks += 1;
        }
        assert!(blocks > 12, "{blocks}");
        assert_eq!(panel().len(), 60);
    });
}

#[test]
fn a_turn_that_the_next_epoch_overtakes_begins_to_enrol_anew() {
    run(|| {
        NodesPerBlock::set(2);
        (1..=20).for_each(|id| node(id, Role::Gateway));
        begin(1);
        for _ in 0..6 {
            block();
        }
        assert!(!Enrolled::<Test>::get().is_empty());
        begin(2);
        assert!(Enrolled::<Test>::get().is_empty());
        turn_to(2);
        assert_eq!(Round::<Test>::get().unwrap().epoch, Epoch(2));
        assert_eq!(panel().len(), 20);
    });
}

#[test]
fn the_round_ends_with_its_epoch() {
    run(|| {
        (1..=4).for_each(|id| node(id, Role::Gateway));
        turn_to(1);
        assert!(!Reputation::duty_of(&device(1)).is_empty());
        Network::set_now(Millis(2 * EPOCH));
        Reputation::on_epoch(Epoch(1), Epoch(2));
        assert!(Round::<Test>::get().is_none());
        assert!(Reputation::duty_of(&device(1)).is_empty());
    });
}

#[test]
fn duties_are_the_draws_of_all_nodes() {
    run(|| {
        (1..=12).for_each(|id| node(id, Role::Gateway));
        (13..=40).for_each(|id| node(id, Role::Cache));
        node(41, Role::Validator);
        turn_to(1);
        let duties: Vec<_> = (1..=12)
            .map(|id| Reputation::duty_of(&device(id)))
            .collect();
        for id in 1..=40 {
            let probers = duties.iter().filter(|nodes| nodes.contains(&device(id)));
            assert_eq!(probers.count(), 5, "node {id}");
            // Every node is its own operator here.
            assert!(id > 12 || !duties[usize::from(id) - 1].contains(&device(id)));
        }
        assert!(duties.iter().all(|nodes| !nodes.contains(&device(41))));
        assert!(Reputation::duty_of(&device(20)).is_empty(), "a cache");
    });
}

#[test]
fn nobody_probes_more_nodes_than_a_report_holds() {
    run(|| {
        (1..=3).for_each(|id| node(id, Role::Gateway));
        for id in 4..=200 {
            Network::set(device(id), Node::new(account(200), Role::Cache, STAKE));
        }
        turn_to(1);
        for id in 1..=3 {
            let duty = Reputation::duty_of(&device(id));
            assert_eq!(duty.len(), 64);
            assert!(duty.is_sorted());
        }
    });
}

#[test]
fn a_duty_ends_with_its_report() {
    run(|| {
        (1..=6).for_each(|id| node(id, Role::Gateway));
        report_time(1);
        let duty = Reputation::duty(&device(1));
        assert_eq!(duty, Reputation::duty_of(&device(1)));
        report(device(1), duty.into_iter().map(silent).collect()).unwrap();
        assert!(Reputation::duty(&device(1)).is_empty());
    });
}
