use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{DispatchError, TokenError};

fn claim(id: u8) -> DispatchResult {
    NodeYields::claim(RuntimeOrigin::signed(account(id)))
}

fn free(id: u8) -> Planck {
    Balances::free_balance(account(id))
}

#[test]
fn pays_what_was_granted_once() {
    run(|| {
        node(1, Role::Cache, 100 * SEL);
        close_at(10);
        // Half of 10 % of 100.
        assert_eq!(payable(1), 5 * SEL);
        assert_ok!(claim(1));
        assert_eq!(free(1), 5 * SEL);
        System::assert_last_event(
            Event::<Test>::Claimed {
                account: account(1),
                amount: 5 * SEL,
            }
            .into(),
        );
        assert_noop!(claim(1), Error::<Test>::NothingToClaim);
        close_at(20);
        assert_ok!(claim(1));
        assert_eq!(free(1), 10 * SEL);
        let payout = Payouts::<Test>::get(account(1));
        assert_eq!((payout.payable, payout.claimed), (10 * SEL, 10 * SEL));
        assert_eq!(
            Balances::free_balance(NodeYields::pool_account()),
            POOL - 10 * SEL
        );
    });
}

#[test]
fn without_a_grant_is_refused() {
    run(|| {
        assert_noop!(claim(1), Error::<Test>::NothingToClaim);
        assert_noop!(
            NodeYields::claim(RuntimeOrigin::root()),
            DispatchError::BadOrigin
        );
        assert_noop!(
            NodeYields::claim(RuntimeOrigin::none()),
            DispatchError::BadOrigin
        );
    });
}

#[test]
fn too_little_for_an_account_stays_claimable() {
    run(|| {
        node(1, Role::Cache, 100);
        close_at(10);
        assert_eq!(payable(1), 5);
        assert_noop!(claim(1), TokenError::BelowMinimum);
        close_at(20);
        assert_ok!(claim(1));
        assert_eq!(free(1), 10);
    });
}

#[test]
fn does_not_change_what_is_emitted() {
    let emission = |claims: bool| {
        let mut emission = Pools::default();
        run(|| {
            node(1, Role::Cache, 1_000 * SEL);
            close_at(10);
            if claims {
                assert_ok!(claim(1));
            }
            close_at(20);
            emission = LastEra::<Test>::get().unwrap().emission;
        });
        emission
    };
    assert_eq!(emission(true), emission(false));
}
