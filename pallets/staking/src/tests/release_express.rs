use crate::{mock::*, types::DAY, *};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

fn release(owner: u8) -> DispatchResult {
    NodeStaking::release_express(RuntimeOrigin::signed(account(owner)), StakeId(0))
}

#[test]
fn a_stake_that_never_served_leaves_at_once_for_a_quarter() {
    run(|| {
        create(1, Role::Gateway);
        assert_ok!(release(1));
        System::assert_last_event(
            Event::<Test>::ReleasedExpress {
                stake: StakeId(0),
                released: 18_750,
                fee: 6_250,
            }
            .into(),
        );
        assert_eq!((on_hold(1), free(1)), (0, FUNDS - 6_250));
        assert_eq!(free(FEES), FUNDS + 6_250);
        assert!(!Stakes::<Test>::contains_key(StakeId(0)));
        assert_noop!(release(1), Error::<Test>::UnknownStake);
    });
}

#[test]
fn chunks_that_are_due_cost_nothing() {
    run(|| {
        create(1, Role::Gateway);
        let origin = RuntimeOrigin::signed(account(1));
        assert_ok!(NodeStaking::request_unlock(
            origin.clone(),
            StakeId(0),
            5_000
        ));
        pass(90 * DAY.0);
        assert_ok!(NodeStaking::request_unlock(origin, StakeId(0), 4_000));
        assert_ok!(release(1));
        assert_eq!(free(1), FUNDS - 5_000);
    });
}

#[test]
fn hold_back_and_offence_window_come_first() {
    run(|| {
        staked(1, 1, Role::Gateway);
        pass(EPOCH);
        assert_noop!(release(1), Error::<Test>::StillAssigned);
        assert_ok!(unassign(0, 1));
        // Its last epoch is 1: usage is held back to epoch 2 + 24, offences for two days from epoch 2.
        pass(HOLD_BACK * EPOCH);
        assert_noop!(release(1), Error::<Test>::StillLiable);
        pass(EPOCH);
        assert_noop!(release(1), Error::<Test>::StillLiable);
        pass(24 * EPOCH - 1);
        assert_noop!(release(1), Error::<Test>::StillLiable);
        pass(1);
        assert_ok!(release(1));
    });
}

#[test]
fn an_assignment_undone_does_not_shorten_the_liability() {
    run(|| {
        staked(1, 1, Role::Gateway);
        pass(EPOCH);
        assert_ok!(unassign(0, 1));
        assert_ok!(assign(0, 1, 1));
        assert_ok!(unassign(0, 1));
        assert_noop!(release(1), Error::<Test>::StillLiable);
    });
}

#[test]
fn a_locked_stake_stays() {
    run(|| {
        create(1, Role::Gateway);
        assert_ok!(NodeStaking::commit_lock(
            RuntimeOrigin::signed(account(1)),
            StakeId(0),
            2
        ));
        assert_noop!(release(1), Error::<Test>::Locked);
        pass(2 * DAY.0);
        assert_ok!(release(1));
    });
}

#[test]
fn strangers_are_refused() {
    run(|| {
        create(1, Role::Gateway);
        assert_noop!(release(2), Error::<Test>::NotOwner);
        assert_noop!(
            NodeStaking::release_express(RuntimeOrigin::root(), StakeId(0)),
            DispatchError::BadOrigin
        );
    });
}
