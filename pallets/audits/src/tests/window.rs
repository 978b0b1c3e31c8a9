//! Windows close, and auditors are drawn by randomness that came later.

use super::*;
use crate::{
    types::{Turn, TurnStep},
    WindowTurn, Windows,
};
use pallet_edge_mocks::{Network, Node};
use selvedge_primitives_types::Role;

fn panel(window: u64) -> Option<Vec<u8>> {
    let window = Windows::<Test>::get(Epoch(window))?;
    Some(
        window
            .panel
            .iter()
            .map(|auditor| auditor.device.0[0])
            .collect(),
    )
}

#[test]
fn randomness_that_was_known_when_the_window_closed_draws_nobody() {
    run(|| {
        (1..=4).for_each(add_auditor);
        run_to(WINDOW, 3);
        let closed = System::block_number();
        let waiting = Turn {
            window: Epoch(WINDOW),
            step: TurnStep::Closed(closed),
        };
        assert_eq!(WindowTurn::<Test>::get(), waiting);
        for since in [0, closed - 1, closed] {
            Seed::set(Some(([1; 32], since)));
            block();
            assert_eq!(WindowTurn::<Test>::get(), waiting);
        }
        Seed::set(Some(([2; 32], closed + 1)));
        (0..5).for_each(|_| block());
        assert_eq!(Windows::<Test>::get(Epoch(WINDOW)).unwrap().seed, [2; 32]);
        assert_eq!(panel(WINDOW), Some(vec![201, 202, 203, 204]));
    });
}

#[test]
fn a_window_whose_randomness_does_not_come_is_given_up_when_the_next_closes() {
    run(|| {
        (1..=4).for_each(add_auditor);
        run_to(WINDOW, 3);
        run_to(WINDOW + 1, 1);
        assert_eq!(WindowTurn::<Test>::get().window, Epoch(WINDOW));
        run_to(WINDOW + 1, 3);
        let closed = System::block_number();
        assert_eq!(
            WindowTurn::<Test>::get(),
            Turn {
                window: Epoch(WINDOW + 1),
                step: TurnStep::Closed(closed),
            }
        );
        Seed::set(Some(([1; 32], closed + 1)));
        (0..5).for_each(|_| block());
        assert_eq!(
            (panel(WINDOW), panel(WINDOW + 1).map(|panel| panel.len())),
            (None, Some(4))
        );
    });
}

/// A chain that stood for many epochs goes on with the newest window.
#[test]
fn windows_that_passed_unseen_are_skipped_at_once() {
    run(|| {
        (1..=4).for_each(add_auditor);
        run_to(WINDOW, 3);
        Network::set_now(selvedge_primitives_types::Millis(
            3_600_000 * (WINDOW + 500),
        ));
        block();
        assert_eq!(WindowTurn::<Test>::get().window, Epoch(WINDOW + 499));
    });
}

#[test]
fn an_operator_is_enrolled_once_with_its_lowest_device() {
    run(|| {
        (1..=3).for_each(add_auditor);
        for (number, role) in [(199, Role::Validator), (250, Role::Stargate)] {
            Network::set(DeviceId([number; 32]), Node::new(account(42), role, STAKE));
        }
        seeded(WINDOW, 1);
        assert_eq!(panel(WINDOW), Some(vec![201, 199, 203]));
    });
}

#[test]
fn caches_gateways_and_those_who_were_not_active_audit_nothing() {
    run(|| {
        (1..=3).for_each(add_auditor);
        Network::change(auditor(2).0, |node| node.from = Epoch(WINDOW + 1));
        let stargate = DeviceId([150; 32]);
        Network::set(stargate, Node::new(account(60), Role::Stargate, STAKE));
        seeded(WINDOW, 1);
        assert_eq!(panel(WINDOW), Some(vec![201, 203, 150]));
    });
}

#[test]
fn a_full_panel_begins_where_the_seed_points() {
    run(|| {
        MaxPanel::set(12);
        for number in 1..=40 {
            Network::set(
                DeviceId([100 + number; 32]),
                Node::new(account(40 + number), Role::Validator, STAKE),
            );
        }
        // Seed 0x84 is device 132: those behind it come first.
        seeded(WINDOW, 132);
        assert_eq!(
            panel(WINDOW),
            Some((133..=140).chain(101..=104).collect::<Vec<_>>()).map(|mut all| {
                all.sort_unstable();
                all
            })
        );
    });
}

#[test]
fn old_windows_are_forgotten() {
    run(|| {
        (1..=4).for_each(add_auditor);
        for window in WINDOW..WINDOW + 12 {
            seeded(window, window as u8);
        }
        let mut kept: Vec<_> = Windows::<Test>::iter_keys()
            .map(|window| window.0)
            .collect();
        kept.sort_unstable();
        assert_eq!(kept, (WINDOW + 4..WINDOW + 12).collect::<Vec<_>>());
    });
}

#[test]
fn the_audited_never_audits_itself() {
    run(|| {
        (1..=6).for_each(add_auditor);
        // The gateway's operator runs a validator too.
        Network::change(GATEWAY, |node| node.owner = account(43));
        committed(honest());
        seeded(WINDOW, 1);
        for seed in 0..200 {
            let mut window = Windows::<Test>::get(Epoch(WINDOW)).unwrap();
            window.seed = [seed; 32];
            for round in [0, 1] {
                let drawn = window.drawn(&GATEWAY, EPOCH, Some(&account(43)), round);
                assert_eq!(drawn.len(), 5);
                assert!(drawn.iter().all(|auditor| auditor.owner != account(43)));
            }
        }
    });
}
