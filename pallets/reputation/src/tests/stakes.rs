//! Standing follows the stake, from device to device.

use crate::{mock::*, *};
use frame_support::assert_ok;
use pallet_edge_mocks::{Network, Node};
use pallet_edge_traits::{OnAbsence, ScoreInspect};
use selvedge_primitives_types::Score;

/// The stake that moves, on devices 20 and 21.
const MOVES: u8 = 20;

fn quality(id: u8) -> Score {
    Reputation::quality(stake(id))
}

/// Gateways 1 to 8 that answer, and a ninth stake on a cache of operator 20.
fn world() {
    (1..=8).for_each(|id| node(id, Role::Gateway));
    node(MOVES, Role::Cache);
}

/// Puts the stake onto the other device from an epoch on, for good.
fn move_to(id: u8, from: u64) {
    let other = if id == 20 { 21 } else { 20 };
    Network::change(device(other), |node| node.until = Some(Epoch(from)));
    put_on(id, from);
}

fn put_on(id: u8, from: u64) {
    Network::set(
        device(id),
        Node {
            from: Epoch(from),
            stake_id: Some(stake(MOVES)),
            ..Node::new(account(20), Role::Cache, STAKE)
        },
    );
}

/// An era in which everybody is probed, and the stake's device answers in some epochs.
fn era(from: u64, is_up: impl Fn(u64) -> bool) {
    for epoch in from.max(1)..from + 24 {
        probe(epoch, |_, node| match node.0[0] {
            20 | 21 if !is_up(epoch) => silent(node),
            _ => good(node, 1_000),
        });
    }
    turn_to(from + 24);
}

#[test]
fn a_fresh_device_has_the_score_of_its_stake() {
    run(|| {
        world();
        era(0, |epoch| epoch < 12);
        let kept = quality(MOVES);
        assert!(kept < Score::ONE);
        move_to(21, 25);
        turn_to(25);
        assert_eq!(Reputation::quality_of(&device(21)), kept);
        assert_eq!(
            Reputation::explain_score(device(21)).unwrap().score.quality,
            kept
        );
        // Without a stake there is nothing to say of the old one.
        Network::remove(device(20));
        assert_eq!(Reputation::quality_of(&device(20)), Score::ONE);
    });
}

#[test]
fn what_is_seen_of_both_devices_counts_for_the_stake() {
    run(|| {
        world();
        for epoch in 1..24 {
            if epoch == 12 {
                move_to(21, 12);
            }
            probe(epoch, |_, node| match node.0[0] {
                20 => silent(node),
                _ => good(node, 1_000),
            });
            turn_to(epoch + 1);
        }
        let probes = ProbeRecords::<Test>::get(stake(MOVES)).unwrap();
        assert_eq!(
            (probes.observed.sampled, probes.observed.answered),
            (23, 12)
        );
        assert_eq!(probes.place, Place::Unknown, "it was in two places");
    });
}

#[test]
fn throwing_devices_away_ends_as_being_away_does() {
    run(|| {
        world();
        let mut eras = 0;
        while !Reputation::is_out(&device(20)) && !Reputation::is_out(&device(21)) {
            era(24 * eras, |_| false);
            eras += 1;
            move_to(20 + (eras % 2) as u8, 24 * eras + 1);
            assert!(eras < 4, "it is never out");
        }
        // Out on the next device too, and no call of a stranger's brings it back.
        let (stake, _) = Network::stake_of(&device(21)).unwrap();
        turn_to(24 * eras + 2);
        assert_eq!(Reputation::quality(stake), Score::MIN);
        let by = RuntimeOrigin::signed(account(20));
        assert_ok!(Reputation::rejoin(by, device(20 + (eras % 2) as u8)));
        assert!(Reputation::quality(stake) < Score::ONE);
    });
}

#[test]
fn an_epoch_without_a_device_is_one_without_an_answer() {
    run(|| {
        world();
        for epoch in 1..24 {
            if epoch == 10 {
                Network::change(device(20), |node| node.until = Some(Epoch(10)));
            }
            if epoch == 16 {
                // Told twice: the assignment of epoch 14 was undone.
                Reputation::on_absence(stake(MOVES), Epoch(10), Epoch(15));
                Reputation::on_absence(stake(MOVES), Epoch(10), Epoch(17));
                put_on(21, 17);
            }
            probe(epoch, |_, node| good(node, 1_000));
            turn_to(epoch + 1);
        }
        let probes = ProbeRecords::<Test>::get(stake(MOVES)).unwrap();
        assert_eq!(probes.absent, 7);
        // Seen in 1 to 9 and in 17 to 23.
        assert_eq!(
            (probes.observed.sampled, probes.observed.answered),
            (23, 16)
        );
        assert!(quality(MOVES) < Score::ONE);
    });
}

#[test]
fn an_absence_counts_in_the_eras_it_reaches_into() {
    run(|| {
        world();
        turn_to(24);
        turn_to(30);
        Reputation::on_absence(stake(MOVES), Epoch(3), Epoch(31));
        let seen = Observations::<Test>::get(Period::<Test>::get(), stake(MOVES));
        assert_eq!(seen.absent, 7, "24 to 30");
    });
}

#[test]
fn a_retired_device_does_not_take_what_was_seen_with_it() {
    run(|| {
        world();
        probe(1, |_, node| match node.0[0] {
            20 => silent(node),
            _ => good(node, 1_000),
        });
        move_to(21, 2);
        begin(2);
        Network::retire(device(20));
        turn_to(2);
        let seen = Observations::<Test>::get(Period::<Test>::get(), stake(MOVES));
        assert_eq!((seen.observed.sampled, seen.observed.answered), (1, 0));
    });
}

#[test]
fn of_an_era_in_which_a_drain_let_nobody_see_it_a_node_keeps_its_score() {
    run(|| {
        world();
        era(0, |epoch| epoch < 12);
        let kept = Scores::<Test>::get(stake(MOVES)).unwrap();
        Network::change(device(20), |node| {
            node.drained = Some((Epoch(24), Epoch(47)));
        });
        era(24, |_| false);
        assert_eq!(Scores::<Test>::get(stake(MOVES)), Some(kept));
        // The drain is over.
        era(48, |_| false);
        assert!(Reputation::is_out(&device(20)));
    });
}

#[test]
fn a_part_of_an_era_in_which_a_node_drains_leaves_the_rest_to_count() {
    run(|| {
        world();
        Network::change(device(20), |node| {
            node.drained = Some((Epoch(5), Epoch(8)));
        });
        era(0, |epoch| !(5..10).contains(&epoch));
        let observed = ProbeRecords::<Test>::get(stake(MOVES)).unwrap().observed;
        assert_eq!((observed.sampled, observed.answered), (19, 18));
    });
}
