//! Scores of gateways, caches and stargates.

use crate::mock::*;
use crate::Scores;
use pallet_edge_mocks::Network;
use pallet_edge_traits::OnMatured;
use selvedge_primitives_types::{Epoch, Era, Region, Role, Score};

fn matured(id: u8, amount: u128) {
    Reputation::on_matured(&device(id), Epoch(0), amount, 0);
}

#[test]
fn of_a_node_nothing_is_known_it_is_one() {
    run(|| assert_eq!(service(1), Score::ONE));
}

#[test]
fn follows_paid_work_against_the_regional_median() {
    run(|| {
        for id in 1..=5 {
            node(id, Role::Cache);
        }
        for (id, amount) in [(1, 0), (2, 50), (3, 100), (4, 200), (5, 110)] {
            matured(id, amount);
        }
        close_at(24);
        // Median 100 per 1,000 staked, of which an eighth is usual. ok and speed are 1, so S = (jobs + 1) / 2, and an eighth
        // of it counts. The node that did nothing says nothing about what is usual.
        let record = Scores::<Test>::get(stake(2)).unwrap();
        assert_eq!((record.jobs_per_stake, record.usual), (50_000, 6_250));
        assert_eq!(record.regional_median, 12_500);
        assert_eq!((record.jobs, record.era), (Score(500_000), Era(0)));
        assert_eq!(record.service, Score(968_750));
        assert_eq!(service(1), Score(937_500));
        assert_eq!(service(3), Score::ONE);
        // Twice the median counts as 1.25.
        assert_eq!(service(4), Score(1_015_625));
        assert_eq!(service(5), Score(1_006_250));
    });
}

#[test]
fn counts_work_per_stake() {
    run(|| {
        for id in 1..=3 {
            node(id, Role::Gateway);
            matured(id, 100);
        }
        Network::change(device(3), |node| node.stake = 2 * STAKE);
        close_at(24);
        assert_eq!(service(1), Score::ONE);
        assert_eq!(service(3), Score(968_750));
    });
}

#[test]
fn regions_and_roles_have_their_own_median() {
    run(|| {
        for id in 1..=6 {
            node(id, if id == 6 { Role::Gateway } else { Role::Cache });
            matured(id, 100);
        }
        for id in 4..=5 {
            Network::change(device(id), |node| node.region = Region(*b"us-east\0"));
            matured(id, 900);
        }
        close_at(24);
        for id in 1..=6 {
            assert_eq!(service(id), Score::ONE, "node {id}");
        }
    });
}

#[test]
fn without_any_work_in_the_region_nobody_falls() {
    run(|| {
        (1..=3).for_each(|id| node(id, Role::Cache));
        close_at(24);
        (1..=3).for_each(|id| assert_eq!(service(id), Score::ONE));
        assert_eq!(Scores::<Test>::get(stake(1)).unwrap().jobs, Score::ONE);
    });
}

#[test]
fn a_little_work_when_nobody_has_any_does_not_stand_out() {
    run(|| {
        (1..=5).for_each(|id| node(id, Role::Cache));
        for era in 1..=16 {
            (1..=5).for_each(|id| matured(id, 1_000));
            close_at(24 * era);
        }
        assert_eq!(service(1), Score::ONE);
        // A hundredth of what is usual for everybody, and three times that for the first.
        (1..=5).for_each(|id| matured(id, if id == 1 { 30 } else { 10 }));
        close_at(24 * 17);
        let record = Scores::<Test>::get(stake(1)).unwrap();
        // Era by era it would be 1.25.
        assert!(record.jobs > Score::ONE && record.jobs < Score(1_004_000));
    });
}

#[test]
fn a_node_that_joined_in_the_era_is_scored_with_the_others() {
    run(|| {
        for id in 1..=5 {
            node(id, Role::Cache);
            matured(id, if id < 5 { 100 } else { 0 });
        }
        Network::change(device(5), |node| node.from = Epoch(1));
        close_at(24);
        assert_eq!(service(5), Score(937_500));
    });
}

#[test]
fn work_counts_for_the_stake_that_did_it() {
    run(|| {
        for id in 1..=4 {
            node(id, Role::Cache);
        }
        matured(4, 300);
        // The stake moves on, and another comes onto its device.
        Network::change(device(4), |node| {
            node.from = Epoch(2);
            node.stake_id = Some(stake(5));
        });
        node(9, Role::Cache);
        Network::change(device(9), |node| {
            node.from = Epoch(2);
            node.stake_id = Some(stake(4));
        });
        begin(3);
        Reputation::on_matured(&device(4), Epoch(2), 100, 0);
        close_at(24);
        let usual = |id| Scores::<Test>::get(stake(id)).unwrap().usual;
        assert_eq!((usual(4), usual(5)), (37_500, 12_500));
    });
}

#[test]
fn the_order_of_nodes_and_of_charges_does_not_matter() {
    let amounts = [
        (1, 30),
        (2, 70),
        (3, 110),
        (4, 20),
        (5, 90),
        (2, 5),
        (1, 44),
    ];
    let scores = |reversed: bool| {
        let mut scores = Vec::new();
        run(|| {
            let mut charges = amounts.to_vec();
            if reversed {
                charges.reverse();
            }
            for (id, amount) in charges {
                // Devices sort the other way round.
                let id = if reversed { 100 - id } else { id };
                node(id, Role::Cache);
                matured(id, amount);
            }
            close_at(24);
            scores = (1..=5)
                .map(|id| service(if reversed { 100 - id } else { id }))
                .collect();
        });
        scores
    };
    assert_eq!(scores(false), scores(true));
}
