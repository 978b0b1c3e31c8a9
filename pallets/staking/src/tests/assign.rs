use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use pallet_edge_traits::StakeInspect;
use sp_runtime::DispatchError;

#[test]
fn the_device_is_active_from_the_next_epoch_on() {
    run(|| {
        let id = staked(1, 1, Role::Gateway);
        System::assert_last_event(
            Event::<Test>::StakeAssigned {
                stake: id,
                device: device(1),
                from: Epoch(1),
            }
            .into(),
        );
        assert!(!NodeStaking::is_active(&device(1), Role::Gateway, Epoch(0)));
        assert!(NodeStaking::is_active(&device(1), Role::Gateway, Epoch(1)));
        assert!(!NodeStaking::is_active(&device(1), Role::Cache, Epoch(1)));
        assert_eq!(NodeStaking::active_count(Role::Gateway, Epoch(0)), 0);
        assert_eq!(NodeStaking::active_count(Role::Gateway, Epoch(1)), 1);
        assert!(NodeStaking::active_devices(Role::Gateway, 9).is_empty());
        assert_eq!(NodeStaking::stake_of(&device(1)), Some((id, 25_000)));
        NodeStaking::check_invariants().unwrap();
        pass(EPOCH);
        assert_eq!(NodeStaking::active_devices(Role::Gateway, 9), [device(1)]);
        assert_eq!(
            NodeStaking::owner_at(&device(1), Epoch(1)),
            Some(account(1))
        );
        assert_eq!(stake(0).device, Some(device(1)));
    });
}

#[test]
fn a_device_that_did_not_sign_is_refused() {
    run(|| {
        register(1, 1, Role::Gateway);
        create(1, Role::Gateway);
        let origin = RuntimeOrigin::signed(account(1));
        let foreign = [
            // Another device, another stake, another owner, another nonce, nothing.
            agreed(2, 0, 1, 0),
            agreed(1, 1, 1, 0),
            agreed(1, 0, 2, 0),
            agreed(1, 0, 1, 1),
            Signature64::default(),
        ];
        for signature in foreign {
            assert_noop!(
                NodeStaking::assign(origin.clone(), StakeId(0), device(1), signature),
                Error::<Test>::InvalidSignature
            );
        }
    });
}

#[test]
fn an_old_signature_does_not_count_again() {
    run(|| {
        staked(1, 1, Role::Gateway);
        assert_ok!(unassign(0, 1));
        assert_noop!(
            NodeStaking::assign(
                RuntimeOrigin::signed(account(1)),
                StakeId(0),
                device(1),
                agreed(1, 0, 1, 0)
            ),
            Error::<Test>::InvalidSignature
        );
        assert_ok!(assign(0, 1, 1));
        assert_eq!(stake(0).assignments, 2);
    });
}

#[test]
fn stake_device_owner_and_role_must_fit() {
    run(|| {
        register(1, 1, Role::Gateway);
        register(2, 2, Role::Gateway);
        register(3, 1, Role::Cache);
        create(1, Role::Gateway);
        create(1, Role::Gateway);
        assert_noop!(assign(7, 1, 1), Error::<Test>::UnknownStake);
        assert_noop!(assign(0, 1, 2), Error::<Test>::NotOwner);
        assert_noop!(assign(0, 4, 1), Error::<Test>::UnknownDevice);
        assert_noop!(assign(0, 2, 1), Error::<Test>::NotOperator);
        assert_noop!(assign(0, 3, 1), Error::<Test>::WrongRole);
        assert_ok!(assign(0, 1, 1));
        assert_noop!(assign(0, 1, 1), Error::<Test>::AlreadyAssigned);
        assert_noop!(assign(1, 1, 1), Error::<Test>::DeviceTaken);
        pass(EPOCH);
        assert_noop!(assign(1, 1, 1), Error::<Test>::DeviceTaken);
    });
}

#[test]
fn a_stake_below_its_roles_amount_is_refused() {
    run(|| {
        register(1, 1, Role::Gateway);
        create(1, Role::Gateway);
        GatewayAmount::set(25_001);
        assert_noop!(assign(0, 1, 1), Error::<Test>::BelowRoleAmount);
    });
}

#[test]
fn a_full_role_is_refused() {
    run(|| {
        for id in 1..=6 {
            staked(id, 1, Role::Cache);
        }
        register(7, 1, Role::Cache);
        create(1, Role::Cache);
        assert_noop!(assign(6, 7, 1), Error::<Test>::RoleFull);
        assert_ok!(unassign(0, 1));
        assert_ok!(assign(6, 7, 1));
    });
}

#[test]
fn a_device_cannot_change_stakes_without_end() {
    run(|| {
        staked(1, 1, Role::Cache);
        for _ in 1..types::MAX_SPANS {
            pass(EPOCH / 4);
            // Within one epoch, an assignment that never became active leaves no span.
            assert_ok!(unassign(0, 1));
            assert_ok!(assign(0, 1, 1));
        }
        assert!(Assignments::<Test>::get(device(1)).len() < types::MAX_SPANS as usize);
        while Assignments::<Test>::get(device(1)).len() < types::MAX_SPANS as usize {
            Assignments::<Test>::mutate(device(1), |spans| {
                let last = spans.pop().unwrap();
                let filler = Span {
                    until: Some(last.from),
                    ..last.clone()
                };
                spans.try_push(filler).unwrap();
                spans.try_push(last).unwrap();
            });
        }
        pass(EPOCH);
        assert_ok!(unassign(0, 1));
        assert_noop!(assign(0, 1, 1), Error::<Test>::TooManyAssignments);
        Assignments::<Test>::remove(device(1));
        ActiveByRole::<Test>::remove(Role::Cache, device(1));
        Counts::<Test>::remove(Role::Cache);
    });
}

#[test]
fn only_an_account_may_assign() {
    run(|| {
        create(1, Role::Cache);
        let signature = agreed(1, 0, 1, 0);
        assert_noop!(
            NodeStaking::assign(RuntimeOrigin::root(), StakeId(0), device(1), signature),
            DispatchError::BadOrigin
        );
    });
}
