use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{DispatchError, TokenError};

struct Form {
    device: DeviceId,
    region: Region,
    endpoint: &'static str,
    url: &'static str,
    capacity: u32,
    agent_key: [u8; 32],
    signature: Signature64,
}

impl Default for Form {
    fn default() -> Self {
        Self {
            device: device(1),
            region: EU,
            endpoint: "gw.example:443",
            url: "https://gw.example",
            capacity: 10,
            agent_key: AGENT,
            signature: agreed(1, 1, GENESIS),
        }
    }
}

impl Form {
    fn submit(self) -> DispatchResult {
        NodeRegistry::register_device(
            RuntimeOrigin::signed(account(1)),
            self.device,
            Role::Gateway,
            self.region,
            text(self.endpoint),
            text(self.url),
            self.capacity,
            self.agent_key,
            self.signature,
        )
    }
}

#[test]
fn holds_the_deposit_and_keeps_the_entry() {
    run(|| {
        assert_ok!(register(1, 1));
        let entry = Devices::<Test>::get(device(1)).unwrap();
        assert_eq!(
            (entry.operator, entry.role, entry.region),
            (account(1), Role::Gateway, EU)
        );
        assert_eq!(
            (entry.capacity, entry.agent_key, entry.draining),
            (10, AGENT, false)
        );
        assert_eq!(on_hold(1), DEPOSIT);
        System::assert_last_event(
            Event::<Test>::DeviceRegistered {
                device: device(1),
                operator: account(1),
                role: Role::Gateway,
                region: EU,
            }
            .into(),
        );
    });
}

#[test]
fn twice_is_refused() {
    run(|| {
        assert_ok!(register(1, 1));
        assert_noop!(register(1, 1), Error::<Test>::AlreadyRegistered);
        assert_noop!(register(1, 2), Error::<Test>::AlreadyRegistered);
        assert_eq!(on_hold(1), DEPOSIT);
    });
}

#[test]
fn without_the_devices_agreement_is_refused() {
    run(|| {
        let foreign = [
            // Another operator, another network, another device, another agent key, nothing.
            Form {
                signature: agreed(1, 2, GENESIS),
                ..Default::default()
            },
            Form {
                signature: agreed(1, 1, [8; 32]),
                ..Default::default()
            },
            Form {
                signature: agreed(2, 1, GENESIS),
                ..Default::default()
            },
            Form {
                agent_key: [4; 32],
                ..Default::default()
            },
            Form {
                signature: Signature64::default(),
                ..Default::default()
            },
        ];
        for form in foreign {
            assert_noop!(form.submit(), Error::<Test>::InvalidSignature);
        }
    });
}

#[test]
fn bad_input_is_refused_with_its_own_error() {
    run(|| {
        let none = DeviceId([0; 32]);
        assert_noop!(
            Form {
                device: none,
                ..Default::default()
            }
            .submit(),
            Error::<Test>::InvalidDevice
        );
        assert_noop!(
            Form {
                region: Region(*b"EU\0\0\0\0\0\0"),
                ..Default::default()
            }
            .submit(),
            Error::<Test>::InvalidRegion
        );
        assert_noop!(
            Form {
                endpoint: "gw.example",
                ..Default::default()
            }
            .submit(),
            Error::<Test>::InvalidEndpoint
        );
        assert_noop!(
            Form {
                url: "gw.example",
                ..Default::default()
            }
            .submit(),
            Error::<Test>::InvalidUrl
        );
        assert_noop!(
            Form {
                capacity: 0,
                ..Default::default()
            }
            .submit(),
            Error::<Test>::InvalidCapacity
        );
        assert_noop!(
            Form {
                agent_key: [0; 32],
                ..Default::default()
            }
            .submit(),
            Error::<Test>::InvalidAgentKey
        );
        assert_ok!(Form {
            capacity: u32::MAX,
            ..Default::default()
        }
        .submit());
    });
}

#[test]
fn without_funds_is_refused() {
    run(|| {
        // Operator 9 has no account.
        assert_noop!(register(1, 9), TokenError::FundsUnavailable);
    });
}

#[test]
fn only_an_account_may_register() {
    run(|| {
        let call = |origin| {
            NodeRegistry::register_device(
                origin,
                device(1),
                Role::Gateway,
                EU,
                text("a:1"),
                text("http://a"),
                1,
                AGENT,
                agreed(1, 1, GENESIS),
            )
        };
        assert_noop!(call(RuntimeOrigin::root()), DispatchError::BadOrigin);
        assert_noop!(call(RuntimeOrigin::none()), DispatchError::BadOrigin);
    });
}
