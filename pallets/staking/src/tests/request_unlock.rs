use crate::{mock::*, types::DAY, *};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

fn unlock(stake: u64, owner: u8, amount: Planck) -> DispatchResult {
    NodeStaking::request_unlock(
        RuntimeOrigin::signed(account(owner)),
        StakeId(stake),
        amount,
    )
}

#[test]
fn a_second_request_does_not_reset_the_first() {
    run(|| {
        create(1, Role::Gateway);
        assert_ok!(unlock(0, 1, 10_000));
        pass(DAY.0);
        assert_ok!(unlock(0, 1, 5_000));
        System::assert_last_event(
            Event::<Test>::UnlockRequested {
                stake: StakeId(0),
                chunk: 1,
                amount: 5_000,
                due: Millis(91 * DAY.0),
            }
            .into(),
        );
        let entry = stake(0);
        let dues: Vec<_> = entry
            .chunks
            .iter()
            .map(|chunk| chunk.due.0 / DAY.0)
            .collect();
        assert_eq!((entry.amount, dues), (10_000, vec![90, 91]));
        assert_eq!(on_hold(1), 25_000);
    });
}

#[test]
fn an_assigned_stake_keeps_its_roles_amount() {
    run(|| {
        staked(1, 1, Role::Gateway);
        assert_noop!(unlock(0, 1, 1), Error::<Test>::StillAssigned);
        GatewayAmount::set(20_000);
        assert_noop!(unlock(0, 1, 5_001), Error::<Test>::StillAssigned);
        assert_ok!(unlock(0, 1, 5_000));
        assert_ok!(unassign(0, 1));
        assert_ok!(unlock(0, 1, 20_000));
        assert_eq!(stake(0).amount, 0);
    });
}

#[test]
fn bad_input_is_refused() {
    run(|| {
        create(1, Role::Gateway);
        assert_noop!(unlock(0, 1, 0), Error::<Test>::ZeroAmount);
        assert_noop!(unlock(0, 1, 25_001), Error::<Test>::AmountTooHigh);
        assert_noop!(unlock(0, 1, Planck::MAX), Error::<Test>::AmountTooHigh);
        assert_noop!(unlock(0, 2, 1), Error::<Test>::NotOwner);
        assert_noop!(unlock(1, 1, 1), Error::<Test>::UnknownStake);
        assert_noop!(
            NodeStaking::request_unlock(RuntimeOrigin::root(), StakeId(0), 1),
            DispatchError::BadOrigin
        );
    });
}

#[test]
fn a_locked_stake_is_refused() {
    run(|| {
        create(1, Role::Gateway);
        assert_ok!(NodeStaking::commit_lock(
            RuntimeOrigin::signed(account(1)),
            StakeId(0),
            1
        ));
        assert_noop!(unlock(0, 1, 1), Error::<Test>::Locked);
        pass(DAY.0);
        assert_ok!(unlock(0, 1, 1));
    });
}

#[test]
fn chunks_are_bounded() {
    run(|| {
        create(1, Role::Gateway);
        for _ in 0..types::MAX_CHUNKS {
            assert_ok!(unlock(0, 1, 1));
        }
        assert_noop!(unlock(0, 1, 1), Error::<Test>::TooManyChunks);
    });
}
