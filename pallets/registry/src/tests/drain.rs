//! `request_drain` and `end_drain`.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use pallet_edge_traits::DeviceInspect;
use sp_runtime::DispatchError;

fn request(operator: u8, id: u8) -> DispatchResult {
    NodeRegistry::request_drain(RuntimeOrigin::signed(account(operator)), device(id))
}

fn end(operator: u8, id: u8) -> DispatchResult {
    NodeRegistry::end_drain(RuntimeOrigin::signed(account(operator)), device(id))
}

/// Device 1 of operator 1, with stake 0.
fn staked() {
    assert_ok!(register(1, 1));
    Stakes::assign(device(1));
}

fn is_draining(id: u8) -> bool {
    NodeRegistry::device(&device(id)).unwrap().draining
}

fn drained(from: u64, to: u64) -> bool {
    NodeRegistry::drained(&device(1), Epoch(from), Epoch(to))
}

#[test]
fn a_drain_lasts_for_the_rest_of_its_epoch_and_two_more() {
    run(|| {
        go_to(Epoch(5));
        staked();
        assert_ok!(request(1, 1));
        let until = Epoch(8);
        System::assert_last_event(
            Event::<Test>::DrainBegan {
                device: device(1),
                until,
            }
            .into(),
        );
        for epoch in 5..8 {
            go_to(Epoch(epoch));
            assert!(is_draining(1));
        }
        go_to(until);
        assert!(!is_draining(1));
        assert_noop!(end(1, 1), Error::<Test>::NotDraining);
        assert!(!drained(0, 4) && drained(0, 5) && drained(7, 20) && !drained(8, 20));
    });
}

#[test]
fn a_drain_that_is_ended_covers_the_epoch_of_its_end() {
    run(|| {
        staked();
        assert_ok!(request(1, 1));
        go_to(Epoch(1));
        assert_ok!(end(1, 1));
        System::assert_last_event(Event::<Test>::DrainEnded { device: device(1) }.into());
        assert!(!is_draining(1));
        assert!(drained(1, 1) && !drained(2, 2));
        assert_noop!(end(1, 1), Error::<Test>::NotDraining);
    });
}

#[test]
fn another_is_granted_after_three_eras() {
    run(|| {
        staked();
        assert_ok!(request(1, 1));
        assert_noop!(request(1, 1), Error::<Test>::AlreadyDraining);
        assert_ok!(end(1, 1));
        // Granted until 3, and three eras of four epochs rest.
        let next = Epoch(3 + 3 * ERA);
        assert_eq!(NodeRegistry::drain_of(&device(1)).1, Some(next));
        go_to(next.minus(1));
        assert_noop!(request(1, 1), Error::<Test>::DrainTooSoon);
        go_to(next);
        assert_eq!(NodeRegistry::drain_of(&device(1)).1, None);
        assert_ok!(request(1, 1));
    });
}

#[test]
fn a_stake_takes_what_it_was_granted_to_its_next_device() {
    run(|| {
        staked();
        assert_ok!(register(2, 1));
        assert_ok!(request(1, 1));
        Stakes::put(device(1), None);
        Stakes::put(device(2), Some(StakeId(0)));
        assert!(!is_draining(2));
        assert_noop!(request(1, 2), Error::<Test>::DrainTooSoon);
        Stakes::put(device(2), Some(StakeId(1)));
        assert_ok!(request(1, 2));
    });
}

#[test]
fn without_a_stake_there_is_nothing_to_drain() {
    run(|| {
        assert_ok!(register(1, 1));
        assert_noop!(request(1, 1), Error::<Test>::NoStake);
        assert_noop!(end(1, 1), Error::<Test>::NotDraining);
    });
}

#[test]
fn only_the_operator_may() {
    run(|| {
        staked();
        assert_noop!(request(2, 1), Error::<Test>::NotOperator);
        assert_noop!(request(1, 2), Error::<Test>::UnknownDevice);
        assert_noop!(end(2, 1), Error::<Test>::NotOperator);
        assert_noop!(
            NodeRegistry::request_drain(RuntimeOrigin::none(), device(1)),
            DispatchError::BadOrigin
        );
        assert_noop!(
            NodeRegistry::end_drain(RuntimeOrigin::root(), device(1)),
            DispatchError::BadOrigin
        );
    });
}
