use super::*;

#[test]
fn holds_a_deposit_and_opens_a_claim() {
    run(|| {
        let id = create(&[]);
        assert_ok!(Services::add_host(
            by(ALICE),
            id,
            b"www.example.org".to_vec()
        ));
        assert_eq!(on_hold(&ALICE), 105);
        assert_eq!(summary(id).hosts, [(b"www.example.org".to_vec(), false)]);
        let host = b"www.example.org".to_vec();
        assert_eq!(
            last_event(),
            Event::HostAdded {
                service: id,
                host,
                proven: false
            }
        );
    });
}

#[test]
fn refuses_strangers_and_unknown_services() {
    run(|| {
        let id = create(&[]);
        let host = b"www.example.org".to_vec();
        assert_noop!(
            Services::add_host(by(BOB), id, host.clone()),
            Error::<Test>::NotOwner
        );
        assert_noop!(
            Services::add_host(by(ALICE), NOBODYS, host.clone()),
            Error::<Test>::UnknownService
        );
        assert_noop!(
            Services::add_host(RuntimeOrigin::none(), id, host),
            BadOrigin
        );
    });
}

#[test]
fn refuses_what_is_listed_taken_or_malformed() {
    run(|| {
        let id = create(&["a.test"]);
        let host = |name: &str| name.as_bytes().to_vec();
        let add = |name: &str| Services::add_host(by(ALICE), id, host(name));
        assert_noop!(add("a.test"), Error::<Test>::HostAlreadyListed);
        assert_noop!(add("*.org"), Error::<Test>::HostNameInvalid);
        assert_noop!(add(&"a".repeat(254)), Error::<Test>::HostNameInvalid);
        let other = create(&[]);
        assert_noop!(
            Services::add_host(by(ALICE), other, host("a.test")),
            Error::<Test>::HostTaken
        );
        for n in 1..16 {
            assert_ok!(add(&format!("h{n}.org")));
        }
        assert_noop!(add("one-too-many.org"), Error::<Test>::TooManyHosts);
    });
}

#[test]
fn needs_the_deposit() {
    run(|| {
        let id = create(&[]);
        HostDeposit::set(&FREE);
        assert_noop!(
            Services::add_host(by(ALICE), id, b"a.org".to_vec()),
            sp_runtime::TokenError::FundsUnavailable
        );
    });
}
