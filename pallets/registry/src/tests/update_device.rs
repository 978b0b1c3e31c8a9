use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

fn update(operator: u8, id: u8, endpoint: &str, url: &str, capacity: u32) -> DispatchResult {
    let origin = RuntimeOrigin::signed(account(operator));
    NodeRegistry::update_device(origin, device(id), text(endpoint), text(url), capacity)
}

#[test]
fn changes_addresses_and_capacity_only() {
    run(|| {
        assert_ok!(register(1, 1));
        assert_ok!(update(1, 1, "[::1]:8443", "http://[::1]:9000", 3));
        let entry = Devices::<Test>::get(device(1)).unwrap();
        assert_eq!(entry.endpoint, text("[::1]:8443"));
        assert_eq!(entry.public_url, text("http://[::1]:9000"));
        assert_eq!(
            (entry.capacity, entry.agent_key, entry.deposit),
            (3, AGENT, DEPOSIT)
        );
        System::assert_last_event(Event::<Test>::DeviceUpdated { device: device(1) }.into());
    });
}

#[test]
fn bad_input_leaves_the_entry_as_it_was() {
    run(|| {
        assert_ok!(register(1, 1));
        assert_noop!(
            update(1, 1, "a", "http://a", 1),
            Error::<Test>::InvalidEndpoint
        );
        assert_noop!(update(1, 1, "a:1", "a", 1), Error::<Test>::InvalidUrl);
        assert_noop!(
            update(1, 1, "a:1", "http://a", 0),
            Error::<Test>::InvalidCapacity
        );
    });
}

#[test]
fn only_the_operator_may() {
    run(|| {
        assert_ok!(register(1, 1));
        assert_noop!(
            update(2, 1, "a:1", "http://a", 1),
            Error::<Test>::NotOperator
        );
        assert_noop!(
            update(1, 2, "a:1", "http://a", 1),
            Error::<Test>::UnknownDevice
        );
        assert_noop!(
            NodeRegistry::update_device(
                RuntimeOrigin::root(),
                device(1),
                text("a:1"),
                text("http://a"),
                1
            ),
            DispatchError::BadOrigin
        );
    });
}
