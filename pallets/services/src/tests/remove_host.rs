use super::*;

#[test]
fn releases_what_was_held_for_this_name() {
    run(|| {
        let id = create(&["a.org"]);
        HostDeposit::set(&50);
        assert_ok!(Services::add_host(by(ALICE), id, b"b.org".to_vec()));
        assert_eq!(on_hold(&ALICE), 155);
        assert_ok!(Services::remove_host(by(ALICE), id, b"a.org".to_vec()));
        assert_eq!(
            on_hold(&ALICE),
            150,
            "the deposit as it stood when the name was added"
        );
        assert_ok!(Services::remove_host(by(ALICE), id, b"b.org".to_vec()));
        assert_eq!(on_hold(&ALICE), 100);
        assert_eq!(
            last_event(),
            Event::HostRemoved {
                service: id,
                host: b"b.org".to_vec()
            }
        );
    });
}

#[test]
fn frees_a_proven_name_for_others() {
    run(|| {
        let id = create(&["a.test"]);
        assert_ok!(Services::remove_host(by(ALICE), id, b"a.test".to_vec()));
        let other = create(&["a.test"]);
        assert_eq!(summary(other).hosts, [(b"a.test".to_vec(), true)]);
    });
}

#[test]
fn never_frees_a_name_that_another_service_has_proven() {
    run(|| {
        AllowLocalNames::set(&true);
        let claimant = create(&["www.example.org"]);
        let winner = create(&["www.example.org"]);
        activate_gateways(1);
        go_to(11);
        let (verdict, signature) = answer(&gateway(1), winner, "www.example.org", true);
        assert_ok!(Services::attest_host(
            by(BOB),
            winner,
            verdict.host,
            verdict.device,
            verdict.epoch,
            true,
            signature
        ));
        assert_ok!(Services::remove_host(
            by(ALICE),
            claimant,
            b"www.example.org".to_vec()
        ));
        assert_eq!(summary(winner).hosts, [(b"www.example.org".to_vec(), true)]);
    });
}

#[test]
fn refuses_strangers_and_what_is_not_listed() {
    run(|| {
        let id = create(&["a.org"]);
        let host = b"a.org".to_vec();
        assert_noop!(
            Services::remove_host(by(BOB), id, host.clone()),
            Error::<Test>::NotOwner
        );
        assert_noop!(
            Services::remove_host(by(ALICE), NOBODYS, host.clone()),
            Error::<Test>::UnknownService
        );
        assert_noop!(
            Services::remove_host(RuntimeOrigin::root(), id, host.clone()),
            BadOrigin
        );
        assert_ok!(Services::remove_host(by(ALICE), id, host.clone()));
        assert_noop!(
            Services::remove_host(by(ALICE), id, host),
            Error::<Test>::HostNotListed
        );
    });
}
