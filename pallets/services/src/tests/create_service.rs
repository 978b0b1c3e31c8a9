use super::*;
use crate::types::{MAX_HOSTS, MAX_SERVICES_PER_OWNER};
use sp_runtime::TokenError;

const ORIGIN: &[u8] = b"https://origin.example";

fn try_create(
    hosts: Vec<Vec<u8>>,
    origin: &[u8],
    cap: Planck,
    prices: u32,
) -> sp_runtime::DispatchResult {
    Services::create_service(by(ALICE), hosts, origin.to_vec(), cap, prices)
}

#[test]
fn holds_deposits_and_begins_in_this_epoch() {
    run(|| {
        let id = create(&["www.example.org", "shop.test"]);
        assert_eq!(on_hold(&ALICE), 100 + 2 * 5);
        let service = summary(id);
        assert_eq!(service.owner, ALICE);
        assert_eq!(service.origin, ORIGIN);
        assert_eq!(service.terms.from, Epoch(10));
        assert!(service.terms.active);
        let expected = [
            (b"www.example.org".to_vec(), false),
            (b"shop.test".to_vec(), true),
        ];
        assert_eq!(service.hosts, expected);
        let event = Event::ServiceCreated {
            service: id,
            owner: ALICE,
            cap: 1_000,
            price_version: 1,
        };
        assert_eq!(last_event(), event);
    });
}

#[test]
fn ids_are_given_in_order_and_never_again() {
    run(|| {
        assert_eq!([create(&[]), create(&[])], [ServiceId(0), ServiceId(1)]);
    });
}

#[test]
fn needs_a_signature() {
    run(|| {
        let unsigned =
            Services::create_service(RuntimeOrigin::none(), vec![], ORIGIN.to_vec(), 1, 1);
        assert_eq!(unsigned, Err(BadOrigin.into()));
        let root = Services::create_service(RuntimeOrigin::root(), vec![], ORIGIN.to_vec(), 1, 1);
        assert_eq!(root, Err(BadOrigin.into()));
    });
}

#[test]
fn refuses_a_bad_origin_cap_or_price_list() {
    run(|| {
        assert_noop!(
            try_create(vec![], b"ftp://example.org", 1, 1),
            Error::<Test>::OriginInvalid
        );
        assert_noop!(
            try_create(vec![], &[b'a'; 513], 1, 1),
            Error::<Test>::OriginInvalid
        );
        assert_noop!(try_create(vec![], ORIGIN, 0, 1), Error::<Test>::CapIsZero);
        for version in [0, 2, u32::MAX] {
            assert_noop!(
                try_create(vec![], ORIGIN, 1, version),
                Error::<Test>::UnknownPriceList
            );
        }
        assert_ok!(Services::publish_prices(
            RuntimeOrigin::root(),
            Prices([2; 6])
        ));
        assert_noop!(
            try_create(vec![], ORIGIN, 1, 2),
            Error::<Test>::PriceListNotInForce
        );
    });
}

#[test]
fn refuses_bad_host_names() {
    run(|| {
        let one = |name: &str| vec![name.as_bytes().to_vec()];
        for name in ["", "UPPER.org", "10.0.0.1", "example"] {
            assert_noop!(
                try_create(one(name), ORIGIN, 1, 1),
                Error::<Test>::HostNameInvalid
            );
        }
        let twice = [one("a.org"), one("a.org")].concat();
        assert_noop!(
            try_create(twice, ORIGIN, 1, 1),
            Error::<Test>::HostAlreadyListed
        );
        let many: Vec<_> = (0..=MAX_HOSTS)
            .map(|n| format!("h{n}.org").into_bytes())
            .collect();
        assert_noop!(try_create(many, ORIGIN, 1, 1), Error::<Test>::TooManyHosts);
    });
}

#[test]
fn local_names_are_refused_outside_devnets() {
    run(|| {
        AllowLocalNames::set(&false);
        let host = vec![b"shop.localhost".to_vec()];
        assert_noop!(
            try_create(host, ORIGIN, 1, 1),
            Error::<Test>::LocalNameRefused
        );
    });
}

#[test]
fn a_proven_name_is_taken_and_a_claimed_one_is_not() {
    run(|| {
        create(&["shop.test", "www.example.org"]);
        let hosts = vec![b"shop.test".to_vec()];
        let taken = Services::create_service(by(BOB), hosts, ORIGIN.to_vec(), 1, 1);
        assert_eq!(taken, Err(Error::<Test>::HostTaken.into()));
    });
    run(|| {
        create(&["www.example.org"]);
        let hosts = vec![b"www.example.org".to_vec()];
        assert_ok!(Services::create_service(
            by(BOB),
            hosts,
            ORIGIN.to_vec(),
            1,
            1
        ));
    });
}

#[test]
fn the_prepaid_balance_must_cover_all_caps_together() {
    run(|| {
        set_covered(1_500);
        create(&[]);
        assert_noop!(try_create(vec![], ORIGIN, 501, 1), NOT_COVERED);
        assert_ok!(try_create(vec![], ORIGIN, 500, 1));
        assert_noop!(try_create(vec![], ORIGIN, Planck::MAX, 1), NOT_COVERED);
    });
}

#[test]
fn the_deposit_must_be_there() {
    run(|| {
        let poor = sp_core::crypto::AccountId32::new([9; 32]);
        let call = Services::create_service(by(poor), vec![], ORIGIN.to_vec(), 1, 1);
        assert_eq!(call, Err(TokenError::FundsUnavailable.into()));
        let hosts = (0..16).map(|n| format!("h{n}.org").into_bytes()).collect();
        HostDeposit::set(&Planck::MAX);
        let call = Services::create_service(by(ALICE), hosts, ORIGIN.to_vec(), 1, 1);
        assert_eq!(call, Err(TokenError::FundsUnavailable.into()));
    });
}

#[test]
fn an_account_has_a_bounded_number_of_services() {
    run(|| {
        for _ in 0..MAX_SERVICES_PER_OWNER {
            create(&[]);
        }
        assert_noop!(
            try_create(vec![], ORIGIN, 1, 1),
            Error::<Test>::TooManyServices
        );
    });
}
