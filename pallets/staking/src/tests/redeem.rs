//! `StakeRedeem`: what a stake pays and burns for what its device owes.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use pallet_edge_traits::{Redeemed, StakeInspect, StakeRedeem, StakeRetire};
use sp_runtime::ArithmeticError;

/// Pays account 2 out of the stake that device 1 carried in epoch 1.
fn redeem(pay: Planck, burn: Planck) -> Result<Redeemed, DispatchError> {
    NodeStaking::redeem(&device(1), Epoch(1), &account(2), pay, burn)
}

fn total_issuance() -> u128 {
    <Balances as Inspect<AccountId32>>::total_issuance()
}

#[test]
fn pays_and_burns_out_of_the_stake() {
    run(|| {
        staked(1, 1, Role::Gateway);
        pass(EPOCH);
        let before = total_issuance();
        let redeemed = Redeemed {
            paid: 300,
            burnt: 100,
        };
        assert_eq!(redeem(300, 100), Ok(redeemed));
        assert_eq!((on_hold(1), free(2)), (24_600, FUNDS + 300));
        assert_eq!(total_issuance(), before - 100);
        System::assert_has_event(
            Event::<Test>::Redeemed {
                stake: StakeId(0),
                owner: account(1),
                to: account(2),
                paid: 300,
                burnt: 100,
            }
            .into(),
        );
        // What is left is below what the role takes.
        assert_eq!(stake(0).device, None);
    });
}

#[test]
fn cuts_both_in_proportion_when_less_is_left() {
    run(|| {
        staked(1, 1, Role::Gateway);
        pass(EPOCH);
        let redeemed = Redeemed {
            paid: 18_750,
            burnt: 6_250,
        };
        assert_eq!(redeem(75_000, 25_000), Ok(redeemed));
        assert_eq!(on_hold(1), 0);
        assert_eq!(NodeStaking::held_at(&device(1), Epoch(1)), 0);
        assert_eq!(redeem(1, 1), Ok(Redeemed::default()));
    });
}

#[test]
fn chunks_answer_too_after_the_device_left() {
    run(|| {
        staked(1, 1, Role::Gateway);
        pass(EPOCH);
        assert_ok!(unassign(0, 1));
        let owner = RuntimeOrigin::signed(account(1));
        assert_ok!(NodeStaking::request_unlock(owner, StakeId(0), 25_000));
        pass(3 * EPOCH);
        assert_eq!(NodeStaking::stake_of(&device(1)), None);
        assert_eq!(NodeStaking::held_at(&device(1), Epoch(1)), 25_000);
        assert_eq!(redeem(100, 100).map(|redeemed| redeemed.paid), Ok(100));
        assert_eq!(stake(0).held(), 24_800);
    });
}

#[test]
fn takes_nothing_where_no_stake_was() {
    run(|| {
        staked(1, 1, Role::Gateway);
        pass(EPOCH);
        let nothing = Ok(Redeemed::default());
        let before = NodeStaking::redeem(&device(1), Epoch(0), &account(2), 10, 10);
        let unknown = NodeStaking::redeem(&device(9), Epoch(1), &account(2), 10, 10);
        assert_eq!([before, unknown, redeem(0, 0)], [nothing; 3]);
        assert_noop!(redeem(u128::MAX, 1), ArithmeticError::Overflow);
        assert_eq!(on_hold(1), 25_000);
    });
}

#[test]
fn a_retired_device_leaves_when_the_epoch_ends() {
    run(|| {
        staked(1, 1, Role::Gateway);
        pass(EPOCH);
        NodeStaking::retire(&device(1), Epoch(1));
        assert_eq!((stake(0).device, on_hold(1)), (None, 25_000));
        assert!(NodeStaking::is_active(&device(1), Role::Gateway, Epoch(1)));
        assert!(!NodeStaking::is_active(&device(1), Role::Gateway, Epoch(2)));
        NodeStaking::retire(&device(1), Epoch(1));
        NodeStaking::retire(&device(9), Epoch(1));
    });
}
