//! What probes make of scores.

use crate::{mock::*, *};
use pallet_edge_mocks::{Network, Node};
use pallet_edge_traits::{OnMatured, ScoreInspect};
use selvedge_primitives_types::{Account, FetchVerdict, Probe, Score};

/// Gateways 1 to 8 of as many operators.
fn gateways() {
    (1..=8).for_each(|id| node(id, Role::Gateway));
}

fn quality(id: u8) -> Score {
    Reputation::quality(stake(id))
}

/// An era in which every prober sees the same in each epoch.
fn era(see: impl Fn(&Prober, DeviceId) -> Probe) {
    for epoch in 1..24 {
        probe(epoch, &see);
    }
    turn_to(24);
}

fn record(id: u8) -> ScoreRecord {
    Scores::<Test>::get(stake(id)).unwrap()
}

#[test]
fn without_reports_scores_are_those_of_paid_work_alone() {
    run(|| {
        gateways();
        turn_to(24);
        for id in 1..=8 {
            assert_eq!((quality(id), service(id)), (Score::ONE, Score::ONE));
            let ScoreRecord { ok, speed, .. } = record(id);
            assert_eq!((ok, speed), (Score::ONE, Score::ONE));
        }
    });
}

#[test]
fn nodes_that_answer_alike_keep_a_score_of_one() {
    run(|| {
        gateways();
        era(|_, node| good(node, 1_000));
        for id in 1..=8 {
            assert_eq!((quality(id), service(id)), (Score::ONE, Score::ONE));
        }
        let probes = ProbeRecords::<Test>::get(stake(1)).unwrap();
        assert_eq!(
            (probes.observed.sampled, probes.observed.answered),
            (23, 23)
        );
        assert_eq!(
            (probes.median_pace, probes.usual_round_trip),
            (2_000, 1_000)
        );
        assert_eq!(probes.place, Place::Plausible);
    });
}

#[test]
fn a_slow_node_falls_and_a_fast_one_rises_in_service_alone() {
    run(|| {
        gateways();
        era(|_, node| match node.0[0] {
            1 => good(node, 2_000),
            2 => good(node, 500),
            _ => good(node, 1_000),
        });
        assert_eq!(record(1).speed, Score(500_000));
        assert_eq!(record(2).speed, Score(1_250_000));
        // An eighth of a half is lost; S = (1 + 0.5) / 2.
        assert_eq!((quality(1), service(1)), (Score(937_500), Score(968_750)));
        assert_eq!((quality(2), service(2)), (Score::ONE, Score(1_015_625)));
        assert_eq!((quality(3), service(3)), (Score::ONE, Score::ONE));
    });
}

#[test]
fn wrong_bytes_cost_quality_and_service() {
    run(|| {
        gateways();
        era(|_, node| {
            let mut probe = good(node, 1_000);
            if node == device(1) {
                probe.fetch.as_mut().unwrap().verdict = FetchVerdict::Wrong;
            }
            probe
        });
        assert_eq!(record(1).ok, Score::MIN);
        assert_eq!((quality(1), service(1)), (Score(875_000), Score(875_000)));
        assert_eq!(quality(2), Score::ONE);
    });
}

#[test]
fn one_lying_prober_changes_nothing() {
    let scores = |liar: bool| {
        let mut scores = Vec::new();
        run(|| {
            gateways();
            Network::change(device(8), |node| node.stake = 1_000 * STAKE);
            era(|prober, node| match prober.device == device(8) && liar {
                true => silent(node),
                false => good(node, 1_000),
            });
            scores = (1..=8).map(|id| (quality(id), service(id))).collect();
        });
        scores
    };
    assert_eq!(scores(true), scores(false));
}

#[test]
fn an_operator_with_many_gateways_has_one_word() {
    run(|| {
        gateways();
        // Twelve more gateways of operator 8, all of which say that nobody answers.
        for id in 101..=112 {
            Network::set(device(id), Node::new(account(8), Role::Gateway, STAKE));
        }
        era(|prober, node| match prober.operator == Account([8; 32]) {
            true => silent(node),
            false => good(node, 1_000),
        });
        for id in 1..=7 {
            assert_eq!(
                (quality(id), service(id)),
                (Score::ONE, Score::ONE),
                "node {id}"
            );
        }
    });
}

#[test]
fn two_operators_together_are_too_few_to_judge() {
    run(|| {
        (1..=3).for_each(|id| node(id, Role::Gateway));
        // Of each node two others may speak.
        era(|_, node| silent(node));
        for id in 1..=3 {
            assert_eq!((quality(id), service(id)), (Score::ONE, Score::ONE));
            assert!(!Reputation::is_out(&device(id)));
        }
    });
}

#[test]
fn a_drain_lowers_nothing() {
    run(|| {
        gateways();
        node(20, Role::Cache);
        for epoch in 1..24 {
            probe(epoch, |_, node| match node.0[0] {
                1 | 20 => silent(node),
                _ => good(node, 1_000),
            });
            let drained = Some((Epoch(epoch), Epoch(epoch)));
            Network::change(device(1), |node| node.drained = drained);
            Network::change(device(20), |node| node.drained = drained);
            turn_to(epoch + 1);
        }
        for id in [1, 20] {
            assert_eq!(
                (quality(id), service(id)),
                (Score::ONE, Score::ONE),
                "node {id}"
            );
            assert!(!Reputation::is_out(&device(id)));
        }
    });
}

#[test]
fn the_last_epoch_of_an_era_counts_for_it() {
    run(|| {
        gateways();
        probe(23, |_, node| match node == device(1) {
            true => silent(node),
            false => good(node, 1_000),
        });
        turn_to(24);
        let probes = ProbeRecords::<Test>::get(stake(1)).unwrap();
        assert_eq!((probes.observed.sampled, probes.observed.answered), (1, 0));
        assert_eq!(quality(1), Score(875_000));
        assert_eq!(Observations::<Test>::iter().count(), 0);
    });
}

#[test]
fn the_number_of_blocks_does_not_matter() {
    let scores = |nodes_per_block| {
        let mut scores = Vec::new();
        run(|| {
            NodesPerBlock::set(nodes_per_block);
            gateways();
            (1..=8).for_each(|id| Reputation::on_matured(&device(id), Epoch(0), id.into(), 0));
            for epoch in 20..24 {
                probe(epoch, |_, node| {
                    good(node, 1_000 + 10 * u32::from(node.0[0]))
                });
            }
            turn_to(24);
            scores = (1..=8).map(|id| (quality(id), service(id))).collect();
        });
        scores
    };
    assert_eq!(scores(1), scores(1_000));
}
