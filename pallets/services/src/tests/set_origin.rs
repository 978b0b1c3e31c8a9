use super::*;

#[test]
fn takes_effect_at_once() {
    run(|| {
        let id = create(&[]);
        let origin = b"http://127.0.0.1:8080".to_vec();
        assert_ok!(Services::set_origin(by(ALICE), id, origin.clone()));
        assert_eq!(summary(id).origin, origin);
        assert_eq!(
            last_event(),
            Event::OriginSet {
                service: id,
                origin
            }
        );
    });
}

#[test]
fn refuses_strangers_bad_urls_and_the_same_again() {
    run(|| {
        let id = create(&[]);
        let url = b"https://other.example".to_vec();
        assert_noop!(
            Services::set_origin(by(BOB), id, url.clone()),
            Error::<Test>::NotOwner
        );
        assert_noop!(
            Services::set_origin(RuntimeOrigin::none(), id, url.clone()),
            BadOrigin
        );
        assert_noop!(
            Services::set_origin(by(ALICE), NOBODYS, url),
            Error::<Test>::UnknownService
        );
        for bad in [&b""[..], b"https://u@h.org", &[b'x'; 600]] {
            assert_noop!(
                Services::set_origin(by(ALICE), id, bad.to_vec()),
                Error::<Test>::OriginInvalid
            );
        }
        assert_noop!(
            Services::set_origin(by(ALICE), id, b"https://origin.example".to_vec()),
            Error::<Test>::Unchanged
        );
    });
}
