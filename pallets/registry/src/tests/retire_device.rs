use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

/// Goes to where devices of epoch 0 can be retired.
fn later() {
    go_to(Epoch(ERA + 1));
}

fn retire(operator: u8, id: u8) -> DispatchResult {
    NodeRegistry::retire_device(RuntimeOrigin::signed(account(operator)), device(id))
}

#[test]
fn releases_the_deposit_and_forgets_the_device() {
    run(|| {
        assert_ok!(register(1, 1));
        assert_ok!(register(2, 1));
        later();
        assert_ok!(retire(1, 1));
        assert_eq!(on_hold(1), DEPOSIT);
        assert!(!Devices::<Test>::contains_key(device(1)));
        System::assert_last_event(Event::<Test>::DeviceRetired { device: device(1) }.into());
        assert_noop!(retire(1, 1), Error::<Test>::UnknownDevice);
    });
}

#[test]
fn a_staked_device_stays() {
    run(|| {
        assert_ok!(register(1, 1));
        later();
        Stakes::assign(device(1));
        assert_noop!(retire(1, 1), Error::<Test>::StakeAssigned);
        assert_eq!(on_hold(1), DEPOSIT);
    });
}

#[test]
fn a_retired_device_may_go_to_another_operator() {
    run(|| {
        assert_ok!(register(1, 1));
        later();
        assert_ok!(retire(1, 1));
        assert_ok!(register(1, 2));
        assert_eq!((on_hold(1), on_hold(2)), (0, DEPOSIT));
    });
}

#[test]
fn only_the_operator_may() {
    run(|| {
        assert_ok!(register(1, 1));
        later();
        assert_noop!(retire(2, 1), Error::<Test>::NotOperator);
        assert_noop!(
            NodeRegistry::retire_device(RuntimeOrigin::root(), device(1)),
            DispatchError::BadOrigin
        );
    });
}

#[test]
fn a_device_stays_until_what_it_signed_before_is_over() {
    run(|| {
        go_to(Epoch(3));
        assert_ok!(register(1, 1));
        for epoch in [3, 3 + ERA] {
            go_to(Epoch(epoch));
            assert_noop!(retire(1, 1), Error::<Test>::AgreementHolds);
        }
        assert_eq!(on_hold(1), DEPOSIT);
        go_to(Epoch(3 + ERA + 1));
        assert_ok!(retire(1, 1));
        assert_eq!(on_hold(1), 0);
    });
}
