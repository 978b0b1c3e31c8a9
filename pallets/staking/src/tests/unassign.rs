use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use pallet_edge_traits::StakeInspect;
use sp_runtime::DispatchError;

#[test]
fn the_device_stays_active_until_the_epoch_ends() {
    run(|| {
        let id = staked(1, 1, Role::Gateway);
        pass(EPOCH);
        assert_ok!(unassign(0, 1));
        System::assert_last_event(
            Event::<Test>::StakeUnassigned {
                stake: id,
                device: device(1),
                from: Epoch(2),
            }
            .into(),
        );
        assert_eq!(NodeStaking::active_devices(Role::Gateway, 9), [device(1)]);
        assert_eq!(NodeStaking::stake_of(&device(1)), Some((id, 25_000)));
        assert_eq!(NodeStaking::active_count(Role::Gateway, Epoch(2)), 0);
        NodeStaking::check_invariants().unwrap();
        pass(EPOCH);
        assert!(NodeStaking::active_devices(Role::Gateway, 9).is_empty());
        assert_eq!(NodeStaking::stake_of(&device(1)), None);
        assert!(NodeStaking::is_active(&device(1), Role::Gateway, Epoch(1)));
        assert!(!NodeStaking::is_active(&device(1), Role::Gateway, Epoch(2)));
        assert_eq!(ActiveByRole::<Test>::iter().count(), 0);
        assert_eq!(stake(0).inactive_from, Some(Epoch(2)));
        assert_eq!(on_hold(1), 25_000);
    });
}

#[test]
fn an_assignment_that_is_not_active_yet_leaves_no_trace() {
    run(|| {
        staked(1, 1, Role::Gateway);
        assert_ok!(unassign(0, 1));
        assert_eq!(NodeStaking::active_count(Role::Gateway, Epoch(1)), 0);
        assert!(Assignments::<Test>::get(device(1)).is_empty());
        assert_eq!(stake(0).inactive_from, None);
        assert_eq!(NodeStaking::stake_of(&device(1)), None);
    });
}

#[test]
fn a_device_may_change_stakes_without_a_gap() {
    run(|| {
        staked(1, 1, Role::Gateway);
        create(1, Role::Gateway);
        pass(EPOCH);
        assert_ok!(unassign(0, 1));
        assert_ok!(assign(1, 1, 1));
        assert_eq!(NodeStaking::active_devices(Role::Gateway, 9), [device(1)]);
        assert_eq!(NodeStaking::active_count(Role::Gateway, Epoch(2)), 1);
        NodeStaking::check_invariants().unwrap();
        pass(EPOCH);
        assert_eq!(NodeStaking::active_devices(Role::Gateway, 9), [device(1)]);
        assert_eq!(
            NodeStaking::stake_of(&device(1)),
            Some((StakeId(1), 25_000))
        );
        // Back and forth within an epoch.
        assert_ok!(unassign(1, 1));
        assert_ok!(assign(0, 1, 1));
        assert_ok!(unassign(0, 1));
        NodeStaking::check_invariants().unwrap();
        pass(EPOCH);
        assert!(NodeStaking::active_devices(Role::Gateway, 9).is_empty());
        assert_eq!(ActiveByRole::<Test>::iter().count(), 0);
    });
}

#[test]
fn a_stake_may_move_to_another_device() {
    run(|| {
        staked(1, 1, Role::Gateway);
        register(2, 1, Role::Gateway);
        pass(EPOCH);
        assert_ok!(unassign(0, 1));
        assert_ok!(assign(0, 2, 1));
        assert_eq!(NodeStaking::active_devices(Role::Gateway, 9), [device(1)]);
        pass(EPOCH);
        assert_eq!(NodeStaking::active_devices(Role::Gateway, 9), [device(2)]);
        assert_eq!(
            NodeStaking::owner_at(&device(1), Epoch(1)),
            Some(account(1))
        );
        assert_eq!(NodeStaking::owner_at(&device(1), Epoch(2)), None);
    });
}

#[test]
fn strangers_and_repetition_are_refused() {
    run(|| {
        staked(1, 1, Role::Gateway);
        assert_noop!(unassign(0, 2), Error::<Test>::NotOwner);
        assert_noop!(unassign(3, 1), Error::<Test>::UnknownStake);
        assert_ok!(unassign(0, 1));
        assert_noop!(unassign(0, 1), Error::<Test>::NotAssigned);
        assert_noop!(
            NodeStaking::unassign(RuntimeOrigin::none(), StakeId(0)),
            DispatchError::BadOrigin
        );
    });
}

#[test]
fn an_epoch_that_many_leave_in_is_full() {
    run(|| {
        staked(1, 1, Role::Cache);
        pass(EPOCH);
        let others = vec![(Role::Cache, device(9)); types::MAX_LEAVING as usize];
        Leaving::<Test>::put(BoundedVec::truncate_from(others));
        assert_noop!(unassign(0, 1), Error::<Test>::TooManyLeaving);
        pass(EPOCH);
        assert_ok!(unassign(0, 1));
    });
}
