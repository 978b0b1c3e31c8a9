use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

fn set(operator: u8, id: u8, agent_key: [u8; 32]) -> DispatchResult {
    NodeRegistry::set_agent_key(
        RuntimeOrigin::signed(account(operator)),
        device(id),
        agent_key,
    )
}

#[test]
fn the_new_key_replaces_the_old() {
    run(|| {
        assert_ok!(register(1, 1));
        assert_ok!(set(1, 1, [5; 32]));
        assert_eq!(Devices::<Test>::get(device(1)).unwrap().agent_key, [5; 32]);
        System::assert_last_event(
            Event::<Test>::AgentKeySet {
                device: device(1),
                agent_key: [5; 32],
            }
            .into(),
        );
    });
}

#[test]
fn one_key_may_drive_several_devices() {
    run(|| {
        assert_ok!(register(1, 1));
        assert_ok!(register(2, 1));
        assert_eq!(
            Devices::<Test>::get(device(1)).unwrap().agent_key,
            Devices::<Test>::get(device(2)).unwrap().agent_key
        );
    });
}

#[test]
fn no_key_and_strangers_are_refused() {
    run(|| {
        assert_ok!(register(1, 1));
        assert_noop!(set(1, 1, [0; 32]), Error::<Test>::InvalidAgentKey);
        assert_noop!(set(2, 1, [5; 32]), Error::<Test>::NotOperator);
        assert_noop!(set(1, 2, [5; 32]), Error::<Test>::UnknownDevice);
        assert_noop!(
            NodeRegistry::set_agent_key(RuntimeOrigin::none(), device(1), [5; 32]),
            DispatchError::BadOrigin
        );
    });
}
