use http::Method;
use selvedge_edge_core_http_cache::{Kept, Limits, Policy, Rule, StoreDecision};

use crate::testkit::{decide, fields, get, request, DATE_TEXT};

fn verdict(status: u16, lines: &[(&str, &str)]) -> Option<Rule> {
    pass(decide(&Policy::default(), &get(&[]), status, lines))
}

fn pass(decision: StoreDecision) -> Option<Rule> {
    match decision {
        StoreDecision::Pass { rule } => Some(rule),
        StoreDecision::Store(_) => None,
    }
}

const FRESH: (&str, &str) = ("cache-control", "max-age=60");

#[test]
fn s3_a_fresh_response_to_get_is_stored_and_to_others_is_not() {
    assert_eq!(verdict(200, &[FRESH]), None);
    for method in [Method::HEAD, Method::POST, Method::PUT, Method::OPTIONS] {
        let decision = decide(&Policy::default(), &request(method, &[]), 200, &[FRESH]);
        assert_eq!(pass(decision), Some(Rule::Method));
    }
}

#[test]
fn s3_statuses_without_a_word_about_caching() {
    let tag = ("etag", "\"1\"");
    for status in [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501] {
        assert_eq!(verdict(status, &[tag]), None, "{status}");
    }
    for status in [201, 202, 302, 303, 307, 400, 403, 500, 502, 503, 504, 599] {
        assert_eq!(
            verdict(status, &[tag]),
            Some(Rule::NotCacheable),
            "{status}"
        );
        assert_eq!(verdict(status, &[FRESH]), None, "{status} with a lifetime");
        assert_eq!(
            verdict(status, &[tag, ("cache-control", "public")]),
            None,
            "{status} public"
        );
        assert_eq!(
            verdict(status, &[("expires", "Sat, 06 Nov 2094 08:49:37 GMT")]),
            None
        );
    }
}

#[test]
fn s3_parts_statements_and_interim_responses_are_not_stored() {
    assert_eq!(verdict(206, &[FRESH]), Some(Rule::Incomplete));
    assert_eq!(verdict(304, &[FRESH]), Some(Rule::Incomplete));
    assert_eq!(verdict(103, &[FRESH]), Some(Rule::NotFinal));
}

#[test]
fn s5_2_2_5_no_store_and_s5_2_2_7_private_are_not_stored() {
    for (value, rule) in [
        ("no-store, max-age=60", Rule::ResponseNoStore),
        ("NO-STORE, public, s-maxage=9", Rule::ResponseNoStore),
        ("private, max-age=60", Rule::Private),
        ("private=set-cookie, max-age=60", Rule::Private),
    ] {
        assert_eq!(
            verdict(200, &[("cache-control", value)]),
            Some(rule),
            "{value}"
        );
    }
    // One line of several is enough, and a name inside another argument is none.
    let lines = [FRESH, ("cache-control", "no-store")];
    assert_eq!(verdict(200, &lines), Some(Rule::ResponseNoStore));
    let quoted = [("cache-control", "x=\"a, no-store\", max-age=60")];
    assert_eq!(verdict(200, &quoted), None);
}

#[test]
fn s5_2_2_3_must_understand_overrides_no_store_where_the_status_is_understood() {
    let value = [("cache-control", "no-store, must-understand, max-age=60")];
    assert_eq!(verdict(200, &value), None);
    assert_eq!(verdict(299, &value), Some(Rule::MustUnderstand));
}

#[test]
fn s5_2_1_5_a_request_may_forbid_storing() {
    let request = get(&[("cache-control", "no-store")]);
    let mut policy = Policy::default();
    assert_eq!(
        pass(decide(&policy, &request, 200, &[FRESH])),
        Some(Rule::RequestNoStore)
    );
    policy.honour_request_directives = false;
    assert_eq!(pass(decide(&policy, &request, 200, &[FRESH])), None);
}

#[test]
fn s3_5_answers_to_credentials_are_shared_only_where_the_response_says_so() {
    let request = get(&[("authorization", "Basic eDp5")]);
    let mut policy = Policy::default();
    for value in [
        "public, max-age=60",
        "s-maxage=60",
        "must-revalidate, max-age=60",
    ] {
        let lines = [("cache-control", value)];
        policy.share_authorized = false;
        assert_eq!(
            pass(decide(&policy, &request, 200, &lines)),
            Some(Rule::Authorization)
        );
        policy.share_authorized = true;
        assert_eq!(
            pass(decide(&policy, &request, 200, &lines)),
            None,
            "{value}"
        );
    }
    assert_eq!(
        pass(decide(&policy, &request, 200, &[FRESH])),
        Some(Rule::Authorization)
    );
}

#[test]
fn s7_3_a_response_that_sets_a_cookie_is_for_one_visitor() {
    let lines = [
        ("cache-control", "public, max-age=60"),
        ("set-cookie", "id=1"),
    ];
    assert_eq!(verdict(200, &lines), Some(Rule::SetCookie));
    let policy = Policy {
        store_set_cookie: true,
        ..Policy::default()
    };
    assert_eq!(pass(decide(&policy, &get(&[]), 200, &lines)), None);
}

#[test]
fn s4_1_vary_star_is_not_stored() {
    assert_eq!(
        verdict(200, &[FRESH, ("vary", "accept, *")]),
        Some(Rule::VaryStar)
    );
    assert_eq!(
        verdict(200, &[FRESH, ("vary", "accept"), ("vary", "*")]),
        Some(Rule::VaryStar)
    );
}

#[test]
fn what_was_chosen_by_a_secret_is_shared_only_among_those_without_one() {
    let lines = [FRESH, ("vary", "Cookie")];
    let decision = decide(&Policy::default(), &get(&[("cookie", "id=1")]), 200, &lines);
    assert_eq!(pass(decision), Some(Rule::CredentialVariant));
    assert_eq!(verdict(200, &lines), None);
}

#[test]
fn a_quote_that_is_never_closed_hides_nothing() {
    let value = ("cache-control", "max-age=60, x=\"y, no-store");
    assert_eq!(verdict(200, &[value]), Some(Rule::ResponseNoStore));
}

#[test]
fn what_could_never_be_used_again_is_not_stored() {
    assert_eq!(verdict(200, &[]), Some(Rule::Useless));
    assert_eq!(
        verdict(200, &[("cache-control", "no-cache, max-age=60")]),
        Some(Rule::Useless)
    );
    assert_eq!(verdict(200, &[("expires", "0")]), Some(Rule::Useless));
    for lines in [
        [("cache-control", "no-cache"), ("etag", "\"1\"")],
        [("cache-control", "max-age=0"), ("last-modified", DATE_TEXT)],
        [
            ("cache-control", "max-age=0, stale-if-error=60"),
            ("x", "y"),
        ],
    ] {
        assert_eq!(verdict(200, &lines), None, "{lines:?}");
    }
}

#[test]
fn s3_1_what_belongs_to_the_connection_is_not_stored() {
    let lines = [
        FRESH,
        ("connection", "x-hop"),
        ("x-hop", "1"),
        ("keep-alive", "timeout=5"),
        ("transfer-encoding", "chunked"),
        ("content-length", "5"),
        ("proxy-authenticate", "Basic"),
        ("content-type", "text/plain"),
        ("x-a", "1"),
        ("x-a", "2"),
    ];
    let decision = decide(&Policy::default(), &get(&[]), 200, &lines);
    let StoreDecision::Store(kept) = decision else {
        panic!("not stored");
    };
    let Kept {
        headers,
        variant,
        own,
    } = *kept;
    let mut names: Vec<_> = headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["cache-control", "content-type", "date", "x-a"]);
    assert_eq!(headers.get_all("x-a").iter().count(), 2);
    assert_eq!(headers["date"], DATE_TEXT);
    assert!(variant.as_slice().is_empty() && own.is_empty());
}

#[test]
fn s5_2_2_7_named_fields_go_to_the_client_that_asked_and_nowhere_else() {
    for value in ["no-cache", "private"].map(|name| format!("{name}=\"Set-Cookie, x-a\"")) {
        let lines = [
            FRESH,
            ("cache-control", value.as_str()),
            ("set-cookie", "id=1"),
            ("set-cookie", "theme=2"),
            ("x-a", "1"),
            ("x-b", "1"),
        ];
        let decision = decide(&Policy::default(), &get(&[]), 200, &lines);
        let StoreDecision::Store(kept) = decision else {
            panic!("not stored");
        };
        let Kept { headers, own, .. } = *kept;
        let expected = [
            ("set-cookie", "id=1"),
            ("set-cookie", "theme=2"),
            ("x-a", "1"),
        ];
        assert_eq!(own, fields(&expected));
        assert!(!headers.contains_key("set-cookie") && !headers.contains_key("x-a"));
        assert_eq!(headers["x-b"], "1");
    }
}

#[test]
fn rfc_9213_s2_2_the_targeted_field_decides_for_this_cache() {
    let targeted = |value| ("cdn-cache-control", value);
    let own = |value| ("cache-control", value);
    for (lines, rule) in [
        ([targeted("max-age=60"), own("no-store")], None),
        ([targeted("max-age=60"), own("private")], None),
        ([targeted("no-store"), FRESH], Some(Rule::ResponseNoStore)),
        ([targeted("private"), FRESH], Some(Rule::Private)),
        // It says nothing of a lifetime, and what is meant for others does not count.
        ([targeted("x"), FRESH], Some(Rule::Useless)),
        (
            [targeted("x"), ("expires", "Sat, 06 Nov 2094 08:49:37 GMT")],
            Some(Rule::Useless),
        ),
        // What cannot be read is as if it were not there.
        (
            [targeted("max-age=60,"), own("no-store")],
            Some(Rule::ResponseNoStore),
        ),
    ] {
        assert_eq!(verdict(200, &lines), rule, "{lines:?}");
    }
}

#[test]
fn a_cookie_is_shared_only_where_the_origin_says_how_long() {
    let policy = Policy::rfc9111();
    let cookie = ("set-cookie", "id=1");
    let guessed = [("last-modified", "Sun, 06 Nov 1994 07:49:37 GMT"), cookie];
    assert_eq!(
        pass(decide(&policy, &get(&[]), 200, &guessed)),
        Some(Rule::SetCookie)
    );
    assert_eq!(pass(decide(&policy, &get(&[]), 200, &guessed[..1])), None);
    assert_eq!(
        pass(decide(&policy, &get(&[]), 200, &[FRESH, cookie])),
        None
    );
}

#[test]
fn s6_6_1_of_rfc_9110_a_date_that_cannot_be_read_is_replaced() {
    let decision = decide(
        &Policy::default(),
        &get(&[]),
        200,
        &[FRESH, ("date", "yesterday")],
    );
    assert!(matches!(decision, StoreDecision::Store(kept) if kept.headers["date"] == DATE_TEXT));
}

#[test]
fn more_than_the_limits_is_passed_on() {
    let long = "x".repeat(17 * 1024);
    assert_eq!(verdict(200, &[FRESH, ("x-long", &long)]), Some(Rule::Limit));
    let many: Vec<_> = (0..200).map(|_| ("x-many", "1")).chain([FRESH]).collect();
    assert_eq!(verdict(200, &many), Some(Rule::Limit));
    let policy = Policy {
        limits: Limits {
            head_bytes: 40,
            ..Limits::default()
        },
        ..Policy::default()
    };
    assert_eq!(
        pass(decide(&policy, &get(&[]), 200, &[FRESH])),
        Some(Rule::Limit)
    );
}
