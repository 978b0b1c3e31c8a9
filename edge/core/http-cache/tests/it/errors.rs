use http::StatusCode;
use selvedge_edge_core_http_cache::{ErrorReuse, Failure, Policy};
use selvedge_primitives_types::Millis;

use crate::testkit::{after, get, stored, stored_for};

fn after_error(
    policy: &Policy,
    value: &str,
    request: &str,
    failure: Failure,
    seconds: u64,
) -> &'static str {
    let request = get(&[("cache-control", request)]);
    let stored = stored(&[("cache-control", value)]);
    match policy.error_decision(&request.head(), &stored, failure, after(seconds)) {
        ErrorReuse::Stale { rule } | ErrorReuse::Fail { rule } => rule.name(),
    }
}

const DOWN: Failure = Failure::Status(StatusCode::SERVICE_UNAVAILABLE);

#[test]
fn rfc_5861_s4_stale_within_the_window_that_response_or_request_allow() {
    let policy = Policy::default();
    let decide = |value, request, seconds| after_error(&policy, value, request, DOWN, seconds);
    assert_eq!(
        decide("max-age=60, stale-if-error=30", "x", 90),
        "stale-if-error"
    );
    assert_eq!(decide("max-age=60, stale-if-error=30", "x", 91), "stale");
    assert_eq!(
        decide("max-age=60", "stale-if-error=30", 90),
        "stale-if-error"
    );
    assert_eq!(
        decide("max-age=60, stale-if-error=5", "stale-if-error=30", 90),
        "stale-if-error"
    );
    assert_eq!(
        decide("s-maxage=60, stale-if-error=30", "x", 90),
        "stale-if-error"
    );
    assert_eq!(decide("s-maxage=60", "stale-if-error=30", 90), "s-maxage");
    assert_eq!(decide("max-age=60", "x", 61), "stale");
}

#[test]
fn rfc_5861_s4_only_failures_of_the_origin_count() {
    let policy = Policy::default();
    for (status, rule) in [
        (500, "stale-if-error"),
        (502, "stale-if-error"),
        (503, "stale-if-error"),
        (504, "stale-if-error"),
        (501, "stale"),
        (404, "stale"),
        (200, "stale"),
    ] {
        let failure = Failure::Status(StatusCode::from_u16(status).unwrap());
        let got = after_error(&policy, "max-age=0, stale-if-error=60", "x", failure, 10);
        assert_eq!(got, rule, "{status}");
    }
    let got = after_error(
        &policy,
        "max-age=0, stale-if-error=60",
        "x",
        Failure::Unreachable,
        10,
    );
    assert_eq!(got, "stale-if-error");
}

#[test]
fn s4_2_4_what_must_be_validated_is_not_served_stale_even_offline() {
    let policy = Policy {
        stale_when_unreachable: Millis(u64::MAX),
        ..Policy::default()
    };
    for (value, rule) in [
        (
            "max-age=0, must-revalidate, stale-if-error=60",
            "must-revalidate",
        ),
        (
            "max-age=0, proxy-revalidate, stale-if-error=60",
            "proxy-revalidate",
        ),
        ("no-cache, stale-if-error=60", "no-cache"),
        ("s-maxage=0", "s-maxage"),
        ("max-age=0", "disconnected"),
    ] {
        let got = after_error(
            &policy,
            value,
            "stale-if-error=60",
            Failure::Unreachable,
            10,
        );
        let expected = if value == "max-age=0" {
            "stale-if-error"
        } else {
            rule
        };
        assert_eq!(got, expected, "{value}");
        assert_eq!(
            after_error(&policy, value, "x", Failure::Unreachable, 100),
            rule,
            "{value}"
        );
    }
    // An answer is an answer, however bad.
    assert_eq!(after_error(&policy, "max-age=0", "x", DOWN, 10), "stale");
}

#[test]
fn s4_1_another_variant_answers_no_failure() {
    let policy = Policy::default();
    let lines = [
        ("cache-control", "max-age=0, stale-if-error=60"),
        ("vary", "accept"),
    ];
    let stored = stored_for(&policy, &get(&[("accept", "a")]), 200, &lines);
    let decision = policy.error_decision(&get(&[]).head(), &stored, DOWN, after(1));
    assert!(matches!(decision, ErrorReuse::Fail { rule } if rule.name() == "vary-mismatch"));
}

#[test]
fn s3_5_a_failure_shows_nobody_what_is_for_those_without_credentials() {
    let policy = Policy::rfc9111();
    let request = get(&[("authorization", "Basic eDp5")]);
    for (value, rule) in [
        ("max-age=0, stale-if-error=60", "authorization"),
        ("max-age=0, stale-if-error=60, public", "stale-if-error"),
    ] {
        let stored = stored(&[("cache-control", value)]);
        let decision = policy.error_decision(&request.head(), &stored, DOWN, after(1));
        let (ErrorReuse::Stale { rule: got } | ErrorReuse::Fail { rule: got }) = decision;
        assert_eq!(got.name(), rule, "{value}");
    }
}
