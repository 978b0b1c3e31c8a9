use proptest::prelude::*;
use selvedge_edge_core_http_cache::{Heuristic, Policy, Source, Stored, Times, Variant};
use selvedge_primitives_types::{Millis, Record, ServiceId};

use crate::testkit::{after, at_once, date, fields, get, stored, stored_for, DATE, DATE_TEXT};

fn lifetime(lines: &[(&str, &str)]) -> (u64, Source) {
    let (millis, source) = stored(lines).lifetime();
    (millis.0 / 1000, source)
}

#[test]
fn s4_2_1_the_most_specific_lifetime_counts() {
    let expires = date(100);
    let lines = [
        ("cache-control", "max-age=20, s-maxage=10"),
        ("expires", expires.as_str()),
    ];
    assert_eq!(lifetime(&lines), (10, Source::SharedMaxAge));
    let lines = [("cache-control", "max-age=20"), ("expires", &expires)];
    assert_eq!(lifetime(&lines), (20, Source::MaxAge));
    assert_eq!(lifetime(&[("expires", &expires)]), (100, Source::Expires));
    assert_eq!(lifetime(&[]), (0, Source::None));
}

#[test]
fn s5_3_expires_counts_from_the_responses_own_date() {
    let (sent, expires) = (date(-3600), date(-3500));
    assert_eq!(
        lifetime(&[("date", &sent), ("expires", &expires)]),
        (100, Source::Expires)
    );
    assert_eq!(lifetime(&[("expires", DATE_TEXT)]), (0, Source::Expires));
    assert_eq!(lifetime(&[("expires", &date(-1))]), (0, Source::Expires));
}

#[test]
fn s5_3_an_expiry_that_cannot_be_read_has_passed() {
    for value in ["0", "-1", "", "tomorrow", "Sat, 99 Nov 2094 08:49:37 GMT"] {
        assert_eq!(
            lifetime(&[("expires", value)]),
            (0, Source::Expires),
            "{value:?}"
        );
    }
    let twice = [("expires", date(10)), ("expires", date(1000))];
    let twice: Vec<_> = twice
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    assert_eq!(lifetime(&twice), (0, Source::Expires));
}

#[test]
fn s4_2_2_a_guess_is_a_tenth_of_the_age_of_the_last_change_and_capped() {
    let guess = |status, lines: &[(&str, &str)], policy: &Policy| {
        let (millis, source) = stored_for(policy, &get(&[]), status, lines).lifetime();
        (millis.0 / 1000, source)
    };
    let policy = Policy {
        heuristic: Some(Heuristic::default()),
        ..Policy::default()
    };
    let (hour, year, later) = (date(-3600), date(-31_536_000), date(60));
    assert_eq!(
        guess(200, &[("last-modified", &hour)], &policy),
        (360, Source::Heuristic)
    );
    assert_eq!(
        guess(404, &[("last-modified", &year)], &policy),
        (86_400, Source::Heuristic)
    );
    assert_eq!(
        guess(200, &[("last-modified", &later)], &policy),
        (0, Source::Heuristic)
    );
    // Not without a date, not for other statuses, not over a stated lifetime, not where the owner
    // does not want it.
    assert_eq!(guess(200, &[], &policy), (0, Source::None));
    assert_eq!(
        guess(302, &[("last-modified", &hour)], &policy),
        (0, Source::None)
    );
    let stated = [
        ("last-modified", hour.as_str()),
        ("cache-control", "max-age=5"),
    ];
    assert_eq!(guess(200, &stated, &policy), (5, Source::MaxAge));
    let public = [
        ("last-modified", hour.as_str()),
        ("cache-control", "public"),
    ];
    assert_eq!(guess(302, &public, &policy), (360, Source::Heuristic));
    assert_eq!(
        guess(200, &[("last-modified", &hour)], &Policy::default()),
        (0, Source::None)
    );
}

fn age(lines: &[(&str, &str)], requested: i64, received: u64, now: u64) -> u64 {
    let times = Times {
        requested: Millis(DATE.0.saturating_add_signed(requested * 1000)),
        received: after(received),
    };
    let headers = fields(lines);
    let policy = Policy::default();
    let status = http::StatusCode::OK;
    let stored = Stored::new(status, headers, Variant::default(), times, 0, &policy);
    stored.age(after(now)).0 / 1000
}

#[test]
fn s4_2_3_age_is_the_larger_of_what_the_date_and_the_age_field_say() {
    // Ten seconds under way by the clocks, then five in store.
    assert_eq!(age(&[("date", DATE_TEXT)], 10, 10, 15), 15);
    // 30 seconds in caches before, two of delay, then five in store.
    assert_eq!(age(&[("date", DATE_TEXT), ("age", "30")], 8, 10, 15), 37);
    // A clock that runs ahead never makes it younger than new.
    assert_eq!(age(&[("date", &date(500))], 0, 0, 7), 7);
    // Without a date it was made when it came; the delay counts as age.
    assert_eq!(age(&[], -3, 0, 7), 10);
    // A clock that is set back does not make it younger.
    assert_eq!(age(&[("age", "30")], 10, 10, 0), 30);
}

#[test]
fn s5_1_an_age_that_cannot_be_read_is_ignored_and_of_several_the_first_counts() {
    for value in ["-1", "1.5", "x", "", "+3"] {
        assert_eq!(
            age(&[("date", DATE_TEXT), ("age", value)], 0, 0, 7),
            7,
            "{value:?}"
        );
    }
    assert_eq!(age(&[("age", "20, 90")], 0, 0, 0), 20);
    assert_eq!(age(&[("age", "20"), ("age", "90")], 0, 0, 0), 20);
    let huge = "9".repeat(50);
    assert_eq!(age(&[("age", &huge)], 0, 0, 0), 1 << 31);
}

#[test]
fn a_record_gives_back_the_response_it_was_made_of() {
    let request = get(&[("accept", "text/html")]);
    let lines = [
        ("cache-control", "max-age=60"),
        ("vary", "accept"),
        ("x-a", "1"),
        ("x-a", "2"),
    ];
    let policy = Policy::default();
    let stored = stored_for(&policy, &request, 404, &lines);
    let mut record = Record {
        service: ServiceId(1),
        key: Vec::new(),
        variant: stored.variant().as_slice().to_vec(),
        status: 404,
        fields: selvedge_edge_core_http_cache::record_fields(stored.headers()),
        root: [0; 32],
        length: 1000,
        generation: 0,
        requested: at_once().requested,
        received: at_once().received,
        gateway: Default::default(),
    };
    let again = Stored::from_record(&record, &policy).unwrap();
    assert_eq!(again.headers(), stored.headers());
    assert_eq!(again.variant(), stored.variant());
    assert_eq!((again.status(), again.length()), (stored.status(), 1000));
    assert_eq!(again.time_to_live(after(10)), 50_000);

    let good = record.clone();
    for status in [0, 99, 103, 1000] {
        record.status = status;
        assert!(Stored::from_record(&record, &policy).is_err(), "{status}");
    }
    for field in [
        (b"".to_vec(), b"x".to_vec()),
        (b"x".to_vec(), b"a\r\nb".to_vec()),
    ] {
        record = good.clone();
        record.fields.push(field);
        assert!(Stored::from_record(&record, &policy).is_err());
    }
    record = good;
    record.fields = vec![(b"x".to_vec(), b"y".to_vec()); 1000];
    assert!(Stored::from_record(&record, &policy).is_err());
}

proptest! {
    #[test]
    fn time_to_live_and_age_never_overflow(
        max_age in any::<u64>(), age in any::<u64>(), requested in any::<u64>(),
        received in any::<u64>(), now in any::<u64>(),
    ) {
        let (max_age, age) = (format!("max-age={max_age}"), age.to_string());
        let headers = fields(&[("cache-control", &max_age), ("age", &age)]);
        let times = Times { requested: Millis(requested), received: Millis(received) };
        let policy = Policy::default();
        let status = http::StatusCode::OK;
        let stored = Stored::new(status, headers, Variant::default(), times, 0, &policy);
        let left = stored.time_to_live(Millis(now));
        prop_assert_eq!(left > 0, stored.lifetime().0 > stored.age(Millis(now)));
    }
}

#[test]
fn rfc_9213_s2_2_expires_does_not_count_beside_the_targeted_field() {
    let expires = date(3600);
    let expires = ("expires", expires.as_str());
    let targeted = |value| [expires, ("cdn-cache-control", value)];
    assert_eq!(lifetime(&targeted("max-age=10")), (10, Source::MaxAge));
    assert_eq!(lifetime(&targeted("public")), (0, Source::None));
    assert_eq!(
        lifetime(&targeted("not, a, dictionary,")),
        (3600, Source::Expires)
    );
}
