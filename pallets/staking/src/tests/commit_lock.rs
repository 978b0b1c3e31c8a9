use crate::{mock::*, types::DAY, *};
use frame_support::{assert_noop, assert_ok};
use pallet_edge_traits::StakeInspect;
use sp_runtime::DispatchError;

fn lock(days: u32) -> DispatchResult {
    NodeStaking::commit_lock(RuntimeOrigin::signed(account(1)), StakeId(0), days)
}

#[test]
fn the_boost_is_linear_in_what_remains() {
    run(|| {
        staked(1, 1, Role::Gateway);
        assert_eq!(NodeStaking::boost_of(StakeId(0)), 1_000_000);
        assert_ok!(lock(1_460));
        assert_eq!(NodeStaking::boost_of(StakeId(0)), 4_000_000);
        pass(730 * DAY.0);
        assert_eq!(NodeStaking::boost_of(StakeId(0)), 2_500_000);
        pass(730 * DAY.0);
        assert_eq!(NodeStaking::boost_of(StakeId(0)), 1_000_000);
        assert_eq!(NodeStaking::boost_of(StakeId(1)), 1_000_000);
    });
}

#[test]
fn a_lock_begins_now_or_where_the_running_one_ends() {
    run(|| {
        create(1, Role::Gateway);
        pass(1_000 * DAY.0);
        assert_ok!(lock(10));
        assert_eq!(stake(0).locked_until, Millis(1_010 * DAY.0));
        pass(5 * DAY.0);
        assert_ok!(lock(10));
        assert_eq!(stake(0).locked_until, Millis(1_020 * DAY.0));
        System::assert_last_event(
            Event::<Test>::LockCommitted {
                stake: StakeId(0),
                until: Millis(1_020 * DAY.0),
            }
            .into(),
        );
    });
}

#[test]
fn nothing_and_too_long_are_refused() {
    run(|| {
        create(1, Role::Gateway);
        assert_noop!(lock(0), Error::<Test>::ZeroAmount);
        assert_noop!(lock(1_461), Error::<Test>::LockTooLong);
        assert_noop!(lock(u32::MAX), Error::<Test>::LockTooLong);
        assert_ok!(lock(1_000));
        assert_noop!(lock(461), Error::<Test>::LockTooLong);
        assert_ok!(lock(460));
    });
}

#[test]
fn strangers_are_refused() {
    run(|| {
        create(1, Role::Gateway);
        assert_noop!(
            NodeStaking::commit_lock(RuntimeOrigin::signed(account(2)), StakeId(0), 1),
            Error::<Test>::NotOwner
        );
        assert_noop!(
            NodeStaking::commit_lock(RuntimeOrigin::signed(account(1)), StakeId(1), 1),
            Error::<Test>::UnknownStake
        );
        assert_noop!(
            NodeStaking::commit_lock(RuntimeOrigin::root(), StakeId(0), 1),
            DispatchError::BadOrigin
        );
    });
}
