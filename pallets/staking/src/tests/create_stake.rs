use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{DispatchError, TokenError};

#[test]
fn holds_the_roles_amount() {
    run(|| {
        assert_eq!(create(1, Role::Gateway), StakeId(0));
        assert_eq!(create(1, Role::Cache), StakeId(1));
        assert_eq!(on_hold(1), 25_100);
        assert_eq!(free(1), FUNDS - 25_100);
        let entry = stake(0);
        assert_eq!(
            (entry.owner, entry.role, entry.amount),
            (account(1), Role::Gateway, 25_000)
        );
        assert_eq!((entry.device, entry.assignments), (None, 0));
        assert!(StakesOf::<Test>::contains_key(account(1), StakeId(1)));
        System::assert_last_event(
            Event::<Test>::StakeCreated {
                stake: StakeId(1),
                owner: account(1),
                role: Role::Cache,
                amount: 100,
            }
            .into(),
        );
    });
}

#[test]
fn without_funds_is_refused_and_no_id_is_used_up() {
    run(|| {
        for _ in 0..3 {
            create(1, Role::Stargate);
        }
        let again = NodeStaking::create_stake(RuntimeOrigin::signed(account(1)), Role::Stargate);
        assert_noop!(again, TokenError::FundsUnavailable);
        assert_eq!(NextStake::<Test>::get(), StakeId(3));
    });
}

#[test]
fn a_role_without_an_amount_is_refused() {
    run(|| {
        GatewayAmount::set(0);
        assert_noop!(
            NodeStaking::create_stake(RuntimeOrigin::signed(account(1)), Role::Gateway),
            Error::<Test>::ZeroAmount
        );
    });
}

#[test]
fn only_an_account_may_stake() {
    run(|| {
        assert_noop!(
            NodeStaking::create_stake(RuntimeOrigin::root(), Role::Cache),
            DispatchError::BadOrigin
        );
        assert_noop!(
            NodeStaking::create_stake(RuntimeOrigin::none(), Role::Cache),
            DispatchError::BadOrigin
        );
        assert_ok!(NodeStaking::create_stake(
            RuntimeOrigin::signed(account(1)),
            Role::Cache
        ));
    });
}
