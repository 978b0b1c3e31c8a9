//! `StakeSlash` and what a slash takes.

use crate::{mock::*, types::DAY, *};
use frame_support::assert_ok;
use pallet_edge_traits::{StakeInspect, StakeSlash};

/// Slashes a part of the stake of a device in an epoch without a reporter; returns what was taken.
fn slash(id: u8, epoch: u64, part: Ppm) -> u128 {
    NodeStaking::slash(&device(id), Epoch(epoch), part, None).taken
}

fn total_issuance() -> u128 {
    <Balances as Inspect<AccountId32>>::total_issuance()
}

#[test]
fn takes_the_part_and_unassigns_what_falls_short() {
    run(|| {
        staked(1, 1, Role::Gateway);
        pass(EPOCH);
        let before = total_issuance();
        assert_eq!(slash(1, 1, Ppm::percent(20)), 5_000);
        assert_eq!((on_hold(1), free(SLASHES)), (20_000, FUNDS + 5_000));
        assert_eq!(total_issuance(), before);
        System::assert_has_event(
            Event::<Test>::Slashed {
                stake: StakeId(0),
                owner: account(1),
                amount: 5_000,
                reward: 0,
            }
            .into(),
        );
        assert_eq!(stake(0).device, None);
        assert_eq!(NodeStaking::active_count(Role::Gateway, Epoch(2)), 0);
    });
}

#[test]
fn never_takes_more_than_the_stake() {
    run(|| {
        staked(1, 1, Role::Gateway);
        create(1, Role::Gateway);
        pass(EPOCH);
        assert_eq!(slash(1, 1, Ppm(u32::MAX)), 25_000);
        assert_eq!(on_hold(1), 25_000);
        assert!(!Stakes::<Test>::contains_key(StakeId(0)));
        assert!(NodeStaking::is_active(&device(1), Role::Gateway, Epoch(1)));
        assert_eq!(NodeStaking::stake_of(&device(1)), Some((StakeId(0), 0)));
        assert_eq!(slash(1, 1, Ppm::ONE), 0);
    });
}

#[test]
fn chunks_do_not_dodge_it_and_the_youngest_go_first() {
    run(|| {
        staked(1, 1, Role::Gateway);
        pass(EPOCH);
        assert_ok!(unassign(0, 1));
        for amount in [4_000, 6_000, 15_000] {
            assert_ok!(NodeStaking::request_unlock(
                RuntimeOrigin::signed(account(1)),
                StakeId(0),
                amount
            ));
        }
        pass(3 * EPOCH);
        assert_eq!(slash(1, 1, Ppm::percent(68)), 17_000);
        let left: Vec<_> = stake(0).chunks.iter().map(|chunk| chunk.amount).collect();
        assert_eq!(left, [4_000, 4_000]);
        pass(90 * DAY.0);
        for chunk in [0, 1] {
            let origin = RuntimeOrigin::signed(account(1));
            assert_ok!(NodeStaking::withdraw_unlocked(origin, StakeId(0), chunk));
        }
        assert_eq!(free(1), FUNDS - 17_000);
    });
}

#[test]
fn takes_no_less_than_it_was_told_as_far_as_there_is_as_much() {
    run(|| {
        staked(1, 1, Role::Gateway);
        pass(EPOCH);
        let least = |least| {
            let part = Ppm::percent(4);
            NodeStaking::slash_at_least(&device(1), Epoch(1), part, least, None).taken
        };
        // 4 % of 25,000, of 24,000 and of 17,000.
        assert_eq!([least(0), least(7_000), least(100)], [1_000, 7_000, 680]);
        assert_eq!(least(1_000_000), 25_000 - 8_680);
        assert_eq!(on_hold(1), 0);
    });
}

#[test]
fn an_epoch_without_a_stake_costs_nothing() {
    run(|| {
        staked(1, 1, Role::Gateway);
        pass(EPOCH);
        assert_eq!(slash(1, 0, Ppm::percent(4)), 0);
        assert_eq!(slash(2, 1, Ppm::percent(4)), 0);
        assert_eq!(slash(1, 1, Ppm(0)), 0);
        assert_eq!((on_hold(1), stake(0).device), (25_000, Some(device(1))));
    });
}

#[test]
fn the_reporter_gets_a_capped_share() {
    run(|| {
        let small = create(1, Role::Gateway);
        let large = create(2, Role::Stargate);
        assert_eq!(
            Pallet::<Test>::slash_stake(small, 5_000, Some(&account(3))).taken,
            5_000
        );
        assert_eq!((free(3), free(SLASHES)), (FUNDS + 500, FUNDS + 4_500));
        // A tenth would be 25,000.
        assert_eq!(
            Pallet::<Test>::slash_stake(large, 250_000, Some(&account(3))).taken,
            250_000
        );
        assert_eq!(free(3), FUNDS + 1_500);
    });
}

#[test]
fn a_reward_below_the_existential_deposit_goes_where_slashes_go() {
    run(|| {
        let id = create(1, Role::Gateway);
        let slashed = Pallet::<Test>::slash_stake(id, 90, Some(&account(99)));
        assert_eq!((slashed.taken, slashed.reward), (90, 0));
        assert_eq!((free(99), free(SLASHES)), (0, FUNDS + 90));
    });
}

#[test]
fn who_reports_a_device_gets_the_share_too() {
    run(|| {
        staked(1, 1, Role::Gateway);
        pass(EPOCH);
        let slashed = NodeStaking::slash(&device(1), Epoch(1), Ppm::percent(20), Some(&account(3)));
        assert_eq!((slashed.taken, slashed.reward), (5_000, 500));
        assert_eq!((free(3), free(SLASHES)), (FUNDS + 500, FUNDS + 4_500));
    });
}
