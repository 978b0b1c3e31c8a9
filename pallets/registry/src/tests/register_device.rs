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
    until: Epoch,
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
            until: soon(),
            signature: agreed(1, 1, soon(), GENESIS),
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
            self.until,
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
            (entry.capacity, entry.agent_key, entry.drain),
            (10, AGENT, None)
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
            // Another operator, network, device, agent key or last epoch, nothing.
            Form {
                signature: agreed(1, 2, soon(), GENESIS),
                ..Default::default()
            },
            Form {
                signature: agreed(1, 1, soon(), [8; 32]),
                ..Default::default()
            },
            Form {
                signature: agreed(2, 1, soon(), GENESIS),
                ..Default::default()
            },
            Form {
                agent_key: [4; 32],
                ..Default::default()
            },
            Form {
                until: soon().next(),
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
                soon(),
                agreed(1, 1, soon(), GENESIS),
            )
        };
        assert_noop!(call(RuntimeOrigin::root()), DispatchError::BadOrigin);
        assert_noop!(call(RuntimeOrigin::none()), DispatchError::BadOrigin);
    });
}

#[test]
fn an_agreement_holds_until_its_last_epoch() {
    run(|| {
        go_to(Epoch(7));
        let agreement = agreed(1, 1, Epoch(9), GENESIS);
        go_to(Epoch(10));
        assert_noop!(
            register_with(1, 1, Epoch(9), agreement),
            Error::<Test>::AgreementOver
        );
        go_to(Epoch(9));
        assert_ok!(register_with(1, 1, Epoch(9), agreement));
        assert_eq!(
            Devices::<Test>::get(device(1)).unwrap().free_from,
            Epoch(9 + ERA + 1)
        );
    });
}

#[test]
fn an_agreement_for_more_than_an_era_is_refused() {
    run(|| {
        go_to(Epoch(7));
        for until in [Epoch(7 + ERA + 1), Epoch(u64::MAX)] {
            let agreement = agreed(1, 1, until, GENESIS);
            assert_noop!(
                register_with(1, 1, until, agreement),
                Error::<Test>::AgreementTooLong
            );
        }
        let longest = Epoch(7 + ERA);
        let agreement = agreed(1, 1, longest, GENESIS);
        assert_ok!(register_with(1, 1, longest, agreement));
    });
}

#[test]
fn no_agreement_of_before_can_be_used_once_the_device_is_retired() {
    run(|| {
        go_to(Epoch(7));
        // The one that was used, and the longest that was never used.
        let agreements =
            [soon(), Epoch(7 + ERA)].map(|until| (until, agreed(1, 1, until, GENESIS)));
        let (until, agreement) = agreements[0];
        assert_ok!(register_with(1, 1, until, agreement));
        go_to(Devices::<Test>::get(device(1)).unwrap().free_from);
        assert_ok!(NodeRegistry::retire_device(
            RuntimeOrigin::signed(account(1)),
            device(1)
        ));
        for (until, agreement) in agreements {
            assert_noop!(
                register_with(1, 1, until, agreement),
                Error::<Test>::AgreementOver
            );
            // Nor under a later epoch: it is signed.
            assert_noop!(
                register_with(1, 1, soon(), agreement),
                Error::<Test>::InvalidSignature
            );
        }
        assert_ok!(register(1, 2));
        assert_eq!((on_hold(1), on_hold(2)), (0, DEPOSIT));
    });
}
