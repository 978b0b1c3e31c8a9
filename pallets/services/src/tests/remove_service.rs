use super::*;

#[test]
fn frees_everything_once_no_claim_may_come_any_more() {
    run(|| {
        let id = create(&["a.test", "b.org"]);
        assert_ok!(Services::pause(by(ALICE), id));
        for epoch in [10, 11, 40] {
            go_to(epoch);
            assert_noop!(
                Services::remove_service(by(ALICE), id),
                Error::<Test>::StillUnsettled
            );
        }
        go_to(41);
        assert_ok!(Services::remove_service(by(ALICE), id));
        assert_eq!(
            last_event(),
            Event::ServiceRemoved {
                service: id,
                owner: ALICE
            }
        );
        assert_eq!(on_hold(&ALICE), 0);
        assert_eq!(Services::summary_at(id, Epoch(41)), None);
        assert!(!crate::Owned::<Test>::contains_key(ALICE));
        let again = create(&["a.test"]);
        assert!(again > id, "an id is never used again");
    });
}

#[test]
fn a_change_while_paused_starts_the_wait_again() {
    run(|| {
        let id = create(&[]);
        assert_ok!(Services::pause(by(ALICE), id));
        go_to(30);
        assert_ok!(Services::resume(by(ALICE), id));
        go_to(31);
        assert_ok!(Services::pause(by(ALICE), id));
        go_to(61);
        assert_noop!(
            Services::remove_service(by(ALICE), id),
            Error::<Test>::StillUnsettled
        );
        go_to(62);
        assert_ok!(Services::remove_service(by(ALICE), id));
    });
}

#[test]
fn refuses_strangers_and_active_services() {
    run(|| {
        let id = create(&[]);
        assert_noop!(
            Services::remove_service(by(BOB), id),
            Error::<Test>::NotOwner
        );
        assert_noop!(
            Services::remove_service(RuntimeOrigin::root(), id),
            BadOrigin
        );
        assert_noop!(
            Services::remove_service(by(ALICE), NOBODYS),
            Error::<Test>::UnknownService
        );
        assert_noop!(
            Services::remove_service(by(ALICE), id),
            Error::<Test>::NotPaused
        );
    });
}

#[test]
fn removing_twice_is_an_error() {
    run(|| {
        let id = create(&[]);
        assert_ok!(Services::pause(by(ALICE), id));
        go_to(41);
        assert_ok!(Services::remove_service(by(ALICE), id));
        assert_noop!(
            Services::remove_service(by(ALICE), id),
            Error::<Test>::UnknownService
        );
    });
}

#[test]
fn pins_are_forgotten_with_their_deposits() {
    run(|| {
        let (id, other) = (create(&[]), create(&[]));
        for n in 1..=3 {
            pin_directory(id, n);
        }
        pin_directory(other, 1);
        assert_ok!(Services::set_site(by(ALICE), id, Some([2; 32])));
        assert_ok!(Services::pause(by(ALICE), id));
        go_to(41);
        assert_ok!(Services::remove_service(by(ALICE), id));
        assert_eq!(on_hold(&ALICE), 107);
        assert_eq!(crate::PinCount::<Test>::get(), 1);
        assert!(!crate::Contents::<Test>::contains_key(id));
        assert!(!crate::KeptBytes::<Test>::contains_key(id));
    });
}
