//! `rejoin`, `dispute_region` and `withdraw_dispute`.

use crate::{mock::*, types::Exclusion, *};
use frame_support::{assert_noop, assert_ok};
use pallet_edge_mocks::Network;
use pallet_edge_traits::ScoreInspect;
use selvedge_primitives_types::{Probe, Score};

fn by(id: u8) -> RuntimeOrigin {
    RuntimeOrigin::signed(account(id))
}

fn bonded(id: u8) -> Planck {
    Balances::balance_on_hold(&HoldReason::RegionDispute.into(), &account(id))
}

/// Gateways 1 to 8 in one region and 9 to 16 in another, 30 ms apart; a cache of operator 20 that says it is in the first.
fn world() {
    (1..=16).for_each(|id| node(id, Role::Gateway));
    (9..=16).for_each(|id| Network::change(device(id), |node| node.region = US));
    node(20, Role::Cache);
}

/// Microseconds between a prober and a node that is in `region`.
fn distance(prober: &Prober, region: Region) -> u32 {
    if prober.region == region {
        2_000
    } else {
        80_000
    }
}

/// Epochs `from` to `to` in which the cache is in `region` and everybody else where they say.
fn epochs(from: u64, to: u64, region: Region) {
    let claimed = |id: u8| if id < 9 { EU } else { US };
    for epoch in from..to {
        probe(epoch, |prober, node| {
            let at = if node == device(20) {
                region
            } else {
                claimed(node.0[0])
            };
            good(node, distance(prober, at))
        });
    }
    turn_to(to);
}

/// An era, from its second epoch on, in which the cache answers in so many epochs.
fn cache_up(from: u64, epochs: u64) {
    for epoch in from + 1..from + 24 {
        probe(epoch, |prober, node| -> Probe {
            match node == device(20) && epoch > from + epochs {
                true => silent(node),
                false => good(node, distance(prober, EU)),
            }
        });
    }
    turn_to(from + 24);
}

#[test]
fn under_half_of_what_is_expected_a_node_is_out_until_it_rejoins() {
    run(|| {
        (1..=8).for_each(|id| node(id, Role::Gateway));
        node(20, Role::Cache);
        // 2 of 23 epochs are 8.7 %; of a cache 20 % are expected.
        cache_up(0, 2);
        let out = Exclusion {
            since: Epoch(24),
            device: device(20),
            reason: Reason::Unavailable,
        };
        assert_eq!(Out::<Test>::get(stake(20)), Some(out));
        let scores = |id| {
            let stake = stake(id);
            (Reputation::quality(stake), Reputation::service(stake))
        };
        assert_eq!(scores(20), (Score::MIN, Score::MIN));
        let kept = Scores::<Test>::get(stake(20)).unwrap();

        assert_noop!(
            Reputation::rejoin(by(20), device(20)),
            Error::<Test>::TooSoon
        );
        turn_to(25);
        assert_noop!(
            Reputation::rejoin(by(1), device(20)),
            Error::<Test>::NotOperator
        );
        assert_noop!(Reputation::rejoin(by(1), device(1)), Error::<Test>::NotOut);
        assert_noop!(
            Reputation::rejoin(by(1), device(99)),
            Error::<Test>::UnknownDevice
        );
        assert_ok!(Reputation::rejoin(by(20), device(20)));
        System::assert_last_event(Event::<Test>::NodeRejoined { device: device(20) }.into());
        assert_eq!(scores(20), (kept.quality, kept.service));
    });
}

#[test]
fn half_of_what_is_expected_is_enough() {
    run(|| {
        (1..=8).for_each(|id| node(id, Role::Gateway));
        node(20, Role::Cache);
        cache_up(0, 3);
        assert!(!Reputation::is_out(&device(20)));
    });
}

#[test]
fn few_samples_put_nobody_out() {
    run(|| {
        (1..=8).for_each(|id| node(id, Role::Gateway));
        for epoch in 1..12 {
            probe(epoch, |_, node| silent(node));
        }
        turn_to(24);
        assert!(Out::<Test>::iter().next().is_none());
        assert_eq!(Reputation::quality(stake(1)), Score(875_000));
    });
}

#[test]
fn a_node_that_is_out_neither_probes_nor_is_probed_nor_scored() {
    run(|| {
        (1..=8).for_each(|id| node(id, Role::Gateway));
        for epoch in 1..24 {
            probe(epoch, |_, node| match node == device(1) {
                true => silent(node),
                false => good(node, 1_000),
            });
        }
        turn_to(24);
        assert!(Reputation::is_out(&device(1)));
        let kept = Scores::<Test>::get(stake(1));
        turn_to(25);
        let panel = Round::<Test>::get().unwrap().panel;
        assert!(panel.iter().all(|prober| prober.device != device(1)));
        for id in 2..=8 {
            assert!(!Reputation::duty_of(&device(id)).contains(&device(1)));
        }
        turn_to(48);
        assert_eq!(Scores::<Test>::get(stake(1)), kept);
    });
}

#[test]
fn a_dispute_is_decided_by_the_next_whole_era() {
    run(|| {
        world();
        turn_to(1);
        assert_ok!(Reputation::dispute_region(by(1), device(20)));
        System::assert_last_event(
            Event::<Test>::RegionDisputed {
                device: device(20),
                region: EU,
                by: account(1),
            }
            .into(),
        );
        assert_eq!(bonded(1), BOND);
        assert_noop!(
            Reputation::dispute_region(by(2), device(20)),
            Error::<Test>::AlreadyDisputed
        );
        epochs(1, 24, US);
        assert!(
            Disputes::<Test>::contains_key(device(20)),
            "its own era does not decide"
        );
        epochs(24, 48, US);
        assert_eq!((bonded(1), Balances::free_balance(account(1))), (0, FUNDS));
        let reason = Reason::RegionDisproved(EU);
        assert_eq!(
            Out::<Test>::get(stake(20)).map(|out| out.reason),
            Some(reason)
        );
        turn_to(50);
        assert_noop!(
            Reputation::rejoin(by(20), device(20)),
            Error::<Test>::RegionIsDisproved
        );
        // It is registered anew where it is.
        Network::change(device(20), |node| node.region = US);
        assert_ok!(Reputation::rejoin(by(20), device(20)));
    });
}

#[test]
fn a_node_that_is_where_it_says_costs_the_disputant_the_bond() {
    run(|| {
        world();
        turn_to(1);
        assert_ok!(Reputation::dispute_region(by(1), device(20)));
        epochs(1, 48, EU);
        assert_eq!(
            (bonded(1), Balances::free_balance(account(1))),
            (0, FUNDS - BOND)
        );
        assert_eq!(Balances::free_balance(account(SINK)), BOND);
        assert!(!Reputation::is_out(&device(20)));
        let probes = ProbeRecords::<Test>::get(stake(20)).unwrap();
        assert_eq!(probes.place, Place::Plausible);
    });
}

#[test]
fn where_nobody_can_tell_the_bond_is_released() {
    run(|| {
        world();
        turn_to(1);
        assert_ok!(Reputation::dispute_region(by(1), device(20)));
        turn_to(24);
        turn_to(48);
        assert_eq!((bonded(1), Balances::free_balance(account(1))), (0, FUNDS));
        System::assert_has_event(
            Event::<Test>::DisputeDecided {
                device: device(20),
                place: Place::Unknown,
            }
            .into(),
        );
        assert!(!Reputation::is_out(&device(20)));
    });
}

#[test]
fn what_is_not_probed_cannot_be_disputed() {
    run(|| {
        world();
        node(21, Role::Validator);
        turn_to(1);
        let dispute = |id| Reputation::dispute_region(by(1), device(id));
        assert_noop!(dispute(21), Error::<Test>::NotProbed);
        assert_noop!(dispute(22), Error::<Test>::UnknownDevice);
        Network::change(device(20), |node| node.until = Some(Epoch(1)));
        assert_noop!(dispute(20), Error::<Test>::NotProbed);
        // Account 9 has nothing.
        assert!(Reputation::dispute_region(by(9), device(1)).is_err());
    });
}

#[test]
fn a_dispute_that_no_era_decides_is_withdrawn() {
    run(|| {
        world();
        turn_to(1);
        assert_ok!(Reputation::dispute_region(by(1), device(20)));
        Network::change(device(20), |node| {
            node.drained = Some((Epoch(1), Epoch(60)))
        });
        turn_to(49);
        let withdraw = |id| Reputation::withdraw_dispute(by(id), device(20));
        assert_noop!(withdraw(1), Error::<Test>::StillOpen);
        turn_to(50);
        assert_noop!(withdraw(2), Error::<Test>::NotDisputant);
        assert_ok!(withdraw(1));
        assert_eq!(bonded(1), 0);
        assert_noop!(withdraw(1), Error::<Test>::NotDisputed);
    });
}
