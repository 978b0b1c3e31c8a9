//! Stakes of a preset, and the first sessions.

use crate::{mock::*, *};
use pallet_edge_traits::StakeInspect;

#[test]
fn stakes_are_assigned_and_active_in_epoch_zero() {
    run_with(&[1, 2], || {
        assert_eq!(on_hold(1), 50_000);
        assert!(NodeStaking::is_active(
            &device(1),
            Role::Validator,
            Epoch(0)
        ));
        assert_eq!(NodeStaking::active_count(Role::Validator, Epoch(0)), 2);
        assert_eq!(
            NodeStaking::owner_at(&device(2), Epoch(0)),
            Some(account(2))
        );
        let mut devices = [device(1), device(2)];
        devices.sort_unstable();
        assert_eq!(NodeStaking::active_devices(Role::Validator, 9), devices);
    });
}

#[test]
fn tenure_begins_with_the_first_block() {
    run_with(&[1], || {
        FirstBlock::set(5_000);
        pass(6_000);
        assert_eq!(NodeStaking::assigned_since(&device(1)), Some(Millis(5_000)));
    });
}

#[test]
fn the_first_two_sessions_have_their_validators() {
    run_with(&[1, 2], || {
        assert_eq!(Session::validators(), [validator(1), validator(2)]);
        let queued: Vec<_> = Session::queued_keys()
            .into_iter()
            .map(|(id, _)| id)
            .collect();
        assert_eq!(queued, [validator(1), validator(2)]);
        let exposure = Exposure {
            stake: StakeId(1),
            amount: 50_000,
        };
        assert_eq!(ExposureOf::<Test>::convert(validator(2)), Some(exposure));
        assert_eq!(ExposureOf::<Test>::convert(validator(3)), None);
        assert_eq!(
            Historical::historical_root(0),
            Historical::historical_root(1)
        );
        assert!(Historical::historical_root(0).is_some());
    });
}

#[test]
fn a_preset_can_be_read_from_json() {
    let text = serde_json::json!({
        "owner": account(1),
        "device": device(1),
        "role": "validator",
    });
    let stake: GenesisStake = serde_json::from_value(text).unwrap();
    assert_eq!((stake.role, stake.amount), (Role::Validator, None));
}

#[test]
fn without_a_fitting_device_or_funds_genesis_fails() {
    let genesis = |owner, id, role| GenesisStake {
        owner: account(owner),
        device: device(id),
        role,
        amount: Some(1),
    };
    run(|| {
        register(1, 1, Role::Gateway);
        let create = |owner, id, role| Pallet::<Test>::create_at_genesis(&genesis(owner, id, role));
        assert_eq!(
            create(1, 2, Role::Gateway),
            Err(Error::<Test>::UnknownDevice.into())
        );
        assert_eq!(
            create(2, 1, Role::Gateway),
            Err(Error::<Test>::NotOperator.into())
        );
        assert_eq!(
            create(1, 1, Role::Cache),
            Err(Error::<Test>::WrongRole.into())
        );
        assert_eq!(create(1, 1, Role::Gateway), Ok(()));
        assert_eq!(
            create(1, 1, Role::Gateway),
            Err(Error::<Test>::DeviceTaken.into())
        );
    });
}
