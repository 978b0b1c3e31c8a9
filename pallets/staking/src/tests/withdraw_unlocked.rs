use crate::{mock::*, types::DAY, *};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

fn withdraw(owner: u8, chunk: u32) -> DispatchResult {
    NodeStaking::withdraw_unlocked(RuntimeOrigin::signed(account(owner)), StakeId(0), chunk)
}

fn unlock(amount: Planck) {
    let origin = RuntimeOrigin::signed(account(1));
    assert_ok!(NodeStaking::request_unlock(origin, StakeId(0), amount));
}

#[test]
fn each_chunk_is_released_when_it_is_due() {
    run(|| {
        create(1, Role::Gateway);
        unlock(10_000);
        pass(DAY.0);
        unlock(5_000);
        pass(89 * DAY.0 - 1);
        assert_noop!(withdraw(1, 0), Error::<Test>::NotDue);
        pass(1);
        assert_noop!(withdraw(1, 1), Error::<Test>::NotDue);
        assert_ok!(withdraw(1, 0));
        System::assert_last_event(
            Event::<Test>::Withdrawn {
                stake: StakeId(0),
                chunk: 0,
                amount: 10_000,
            }
            .into(),
        );
        assert_eq!(on_hold(1), 15_000);
        assert_noop!(withdraw(1, 0), Error::<Test>::UnknownChunk);
        pass(DAY.0);
        assert_ok!(withdraw(1, 1));
        assert_eq!(on_hold(1), 10_000);
    });
}

#[test]
fn the_last_withdrawal_ends_the_stake() {
    run(|| {
        create(1, Role::Gateway);
        unlock(25_000);
        pass(90 * DAY.0);
        assert_ok!(withdraw(1, 0));
        assert_eq!((on_hold(1), free(1)), (0, FUNDS));
        assert!(!Stakes::<Test>::contains_key(StakeId(0)));
        assert!(!StakesOf::<Test>::contains_key(account(1), StakeId(0)));
        assert_noop!(withdraw(1, 0), Error::<Test>::UnknownStake);
    });
}

#[test]
fn strangers_are_refused() {
    run(|| {
        create(1, Role::Gateway);
        unlock(1);
        pass(90 * DAY.0);
        assert_noop!(withdraw(2, 0), Error::<Test>::NotOwner);
        assert_noop!(withdraw(1, u32::MAX), Error::<Test>::UnknownChunk);
        assert_noop!(
            NodeStaking::withdraw_unlocked(RuntimeOrigin::none(), StakeId(0), 0),
            DispatchError::BadOrigin
        );
    });
}
