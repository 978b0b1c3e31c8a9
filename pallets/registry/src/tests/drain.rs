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

#[test]
fn a_drain_begins_and_ends() {
    run(|| {
        assert_ok!(register(1, 1));
        assert_ok!(request(1, 1));
        assert!(NodeRegistry::device(&device(1)).unwrap().draining);
        System::assert_last_event(Event::<Test>::DrainBegan { device: device(1) }.into());
        assert!(Drains::take_ended().is_empty());
        assert_ok!(end(1, 1));
        assert_eq!(Drains::take_ended(), [device(1)]);
        assert!(!NodeRegistry::device(&device(1)).unwrap().draining);
        System::assert_last_event(Event::<Test>::DrainEnded { device: device(1) }.into());
    });
}

#[test]
fn again_is_refused() {
    run(|| {
        assert_ok!(register(1, 1));
        assert_noop!(end(1, 1), Error::<Test>::NotDraining);
        assert_ok!(request(1, 1));
        assert_noop!(request(1, 1), Error::<Test>::AlreadyDraining);
    });
}

#[test]
fn only_the_operator_may() {
    run(|| {
        assert_ok!(register(1, 1));
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
