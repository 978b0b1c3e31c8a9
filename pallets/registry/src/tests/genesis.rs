//! Devices of a preset.

use crate::{mock::*, *};
use frame_support::assert_ok;

fn preset(endpoint: &str) -> GenesisConfig<Test> {
    let devices = vec![GenesisDevice {
        operator: account(1),
        device: device(1),
        role: Role::Validator,
        region: EU,
        endpoint: endpoint.into(),
        public_url: "http://127.0.0.1:9000".into(),
        capacity: 1,
        agent_key: AGENT,
    }];
    GenesisConfig { devices }
}

#[test]
fn are_registered_without_a_deposit() {
    run_with(preset("127.0.0.1:8443"), || {
        let entry = Devices::<Test>::get(device(1)).unwrap();
        assert_eq!(
            (entry.operator, entry.role, entry.deposit),
            (account(1), Role::Validator, 0)
        );
        assert_eq!(on_hold(1), 0);
    });
}

#[test]
fn can_be_read_from_json() {
    let preset = preset("127.0.0.1:8443").devices;
    let json = serde_json::to_string(&preset).unwrap();
    assert_eq!(
        serde_json::from_str::<Vec<GenesisDevice<AccountId32>>>(&json).unwrap(),
        preset
    );
}

#[test]
#[should_panic(expected = "a genesis device is well-formed")]
fn are_checked() {
    run_with(preset("nowhere"), || {});
}

#[test]
fn can_be_retired_at_once() {
    run_with(preset("127.0.0.1:8443"), || {
        assert_ok!(NodeRegistry::retire_device(
            RuntimeOrigin::signed(account(1)),
            device(1)
        ));
    });
}
