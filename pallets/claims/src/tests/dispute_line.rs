use super::*;
use sp_runtime::TokenError;

#[test]
fn holds_the_bond_and_has_more_leaves_looked_at() {
    run(|| {
        line(1_001);
        assert_ok!(dispute(4, 500));
        assert_eq!((balance(4), held(4)), (9_500, 500));
        assert_eq!(world(|world| world.samples.clone()), [(3, 4)]);
        assert_eq!(ToBurn::<Test>::get(EPOCH, device(1)), 500);
        assert_eq!(
            last_event(),
            Event::LineDisputed {
                gateway: device(1),
                epoch: EPOCH,
                customer: account(4),
                service: SERVICE,
                entry: 3,
                burn: 500,
                bond: 500,
            }
        );
        let twice = Error::<Test>::AlreadyDisputed;
        assert_noop!(dispute(4, 1), twice);
    });
}

#[test]
fn nothing_has_to_be_burnt() {
    run(|| {
        line(1_000);
        assert_ok!(dispute(4, 0));
        assert_eq!(ToBurn::<Test>::iter().count(), 0);
    });
}

#[test]
fn at_most_half_of_a_line_is_burnt() {
    run(|| {
        line(1_001);
        assert_noop!(dispute(4, 501), Error::<Test>::AboveHalf);
        assert_noop!(dispute(4, u128::MAX), Error::<Test>::AboveHalf);
        line(0);
        assert_noop!(dispute(4, 0), Error::<Test>::NothingCharged);
    });
}

#[test]
fn only_the_customer_disputes_and_only_in_hold_back() {
    run(|| {
        line(1_000);
        assert_noop!(dispute(12, 1), Error::<Test>::NoHeldLine);
        world(|world| world.lines.clear());
        assert_noop!(dispute(4, 1), Error::<Test>::NoHeldLine);
    });
}

#[test]
fn there_has_to_be_time_to_look() {
    run(|| {
        line(1_000);
        begin(19);
        assert_noop!(dispute(4, 1), Error::<Test>::TooLate);
        begin(25);
        assert_noop!(dispute(4, 1), Error::<Test>::TooLate);
    });
    run(|| {
        line(1_000);
        begin(18);
        assert_ok!(dispute(4, 1));
    });
}

#[test]
fn who_has_no_bond_has_no_dispute() {
    run(|| {
        line(1_000);
        let poor = account(4);
        frame_support::assert_ok!(Balances::force_set_balance(
            RuntimeOrigin::root(),
            poor,
            400
        ));
        assert_noop!(dispute(4, 1), TokenError::FundsUnavailable);
        let call = Call::dispute_line {
            gateway: device(1),
            epoch: EPOCH,
            service: SERVICE,
            burn: 0,
        };
        assert_noop!(
            dispatch(RuntimeOrigin::none(), call),
            DispatchError::BadOrigin
        );
    });
}
