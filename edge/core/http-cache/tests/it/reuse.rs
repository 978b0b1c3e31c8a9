use selvedge_edge_core_http_cache::{select, Policy, Reuse};

use crate::testkit::{after, date, get, reuse, stored, stored_for, word};

const MINUTE: (&str, &str) = ("cache-control", "max-age=60");
const TAG: (&str, &str) = ("etag", "\"1\"");

fn asked(value: &str, seconds: u64) -> (&'static str, &'static str) {
    word(&reuse(&[MINUTE, TAG], &[("cache-control", value)], seconds))
}

fn said(value: &str, request: &[(&str, &str)], seconds: u64) -> (&'static str, &'static str) {
    word(&reuse(&[("cache-control", value), TAG], request, seconds))
}

#[test]
fn s4_2_fresh_until_the_age_reaches_the_lifetime() {
    assert_eq!(word(&reuse(&[MINUTE, TAG], &[], 0)), ("fresh", "fresh"));
    assert_eq!(word(&reuse(&[MINUTE, TAG], &[], 59)), ("fresh", "fresh"));
    assert_eq!(word(&reuse(&[MINUTE, TAG], &[], 60)), ("validate", "stale"));
    assert_eq!(word(&reuse(&[MINUTE], &[], 60)), ("fetch", "stale"));
}

#[test]
fn s4_nothing_stored_is_fetched() {
    let request = get(&[]);
    let decision = Policy::default().reuse_decision(&request.head(), None, after(0));
    assert_eq!(word(&decision), ("fetch", "nothing-stored"));
}

#[test]
fn s4_1_another_variant_does_not_answer() {
    let (html, json) = (
        get(&[("accept", "text/html")]),
        get(&[("accept", "text/json")]),
    );
    let policy = Policy::default();
    let stored = stored_for(&policy, &html, 200, &[MINUTE, ("vary", "Accept")]);
    let decide = |request: &crate::testkit::Request| {
        word(&policy.reuse_decision(&request.head(), Some(&stored), after(1)))
    };
    assert_eq!(decide(&html), ("fresh", "fresh"));
    assert_eq!(decide(&json), ("fetch", "vary-mismatch"));
    assert_eq!(decide(&get(&[])), ("fetch", "vary-mismatch"));
}

#[test]
fn s4_1_of_several_that_match_the_latest_answers() {
    let policy = Policy::default();
    let request = get(&[("accept", "a")]);
    let make = |when: i64, who: &str| {
        let date = date(when);
        let lines = [MINUTE, ("vary", "accept"), ("date", &date), ("x-when", who)];
        stored_for(&policy, &request, 200, &lines)
    };
    let other = stored_for(&policy, &get(&[]), 200, &[MINUTE, ("vary", "accept")]);
    let all = [make(-5, "old"), make(-1, "new"), make(-3, "middle"), other];
    assert_eq!(
        select(&request.head(), &all).unwrap().headers()["x-when"],
        "new"
    );
    assert!(select(&get(&[("accept", "b")]).head(), &all).is_none());
}

#[test]
fn s5_2_2_4_no_cache_is_validated_even_when_fresh() {
    assert_eq!(
        said("no-cache, max-age=60", &[], 0),
        ("validate", "no-cache")
    );
    assert_eq!(
        said("no-cache=set-cookie, max-age=60", &[], 0),
        ("validate", "no-cache")
    );
    // Only the named fields are concerned, and they are not stored.
    assert_eq!(
        said("no-cache=\"set-cookie\", max-age=60", &[], 0),
        ("fresh", "fresh")
    );
}

#[test]
fn s3_5_a_request_with_credentials_gets_only_what_says_that_it_is_for_all() {
    let secret = [("authorization", "Basic eDp5")];
    assert_eq!(
        word(&reuse(&[MINUTE, TAG], &secret, 0)),
        ("fetch", "authorization")
    );
    for value in [
        "public, max-age=60",
        "s-maxage=60",
        "must-revalidate, max-age=60",
    ] {
        assert_eq!(said(value, &secret, 0), ("fresh", "fresh"), "{value}");
    }
}

#[test]
fn s5_2_1_4_a_request_may_demand_validation() {
    assert_eq!(asked("no-cache", 0), ("validate", "request-no-cache"));
    let request = get(&[("cache-control", "no-cache")]);
    let policy = Policy {
        honour_request_directives: false,
        ..Policy::default()
    };
    let decision = policy.reuse_decision(&request.head(), Some(&stored(&[MINUTE])), after(0));
    assert_eq!(word(&decision), ("fresh", "fresh"));
}

#[test]
fn s5_4_pragma_counts_only_without_cache_control() {
    let pragma = ("pragma", "no-cache");
    assert_eq!(
        word(&reuse(&[MINUTE, TAG], &[pragma], 0)),
        ("validate", "pragma")
    );
    let both = [pragma, ("cache-control", "max-age=100")];
    assert_eq!(word(&reuse(&[MINUTE, TAG], &both, 0)), ("fresh", "fresh"));
    assert_eq!(word(&reuse(&[MINUTE, pragma], &[], 0)), ("fresh", "fresh"));
}

#[test]
fn s5_2_1_1_a_request_may_want_a_younger_response() {
    assert_eq!(asked("max-age=10", 10), ("fresh", "fresh"));
    assert_eq!(asked("max-age=10", 11), ("validate", "request-max-age"));
    assert_eq!(asked("max-age=0", 0), ("fresh", "fresh"));
    assert_eq!(asked("max-age=100", 61), ("validate", "stale"));
}

#[test]
fn s5_2_1_3_a_request_may_want_freshness_left() {
    assert_eq!(asked("min-fresh=10", 50), ("fresh", "fresh"));
    assert_eq!(asked("min-fresh=10", 51), ("validate", "request-min-fresh"));
    assert_eq!(
        asked("min-fresh=99999999999999999999", 0),
        ("validate", "request-min-fresh")
    );
}

#[test]
fn s5_2_1_2_a_request_may_accept_staleness() {
    assert_eq!(asked("max-stale", 100_000), ("stale", "request-max-stale"));
    assert_eq!(asked("max-stale=40", 100), ("stale", "request-max-stale"));
    assert_eq!(asked("max-stale=39", 100), ("validate", "stale"));
}

#[test]
fn s4_2_4_must_revalidate_is_never_served_stale() {
    let greedy = [("cache-control", "max-stale")];
    for (value, rule) in [
        ("max-age=1, must-revalidate", "must-revalidate"),
        ("max-age=1, proxy-revalidate", "proxy-revalidate"),
        ("s-maxage=1", "s-maxage"),
        (
            "max-age=1, must-revalidate, stale-while-revalidate=99",
            "must-revalidate",
        ),
    ] {
        assert_eq!(said(value, &greedy, 0), ("fresh", "fresh"), "{value}");
        assert_eq!(said(value, &greedy, 2), ("validate", rule), "{value}");
    }
}

#[test]
fn s5_2_1_7_only_if_cached_never_asks_the_origin() {
    assert_eq!(asked("only-if-cached", 0), ("fresh", "fresh"));
    assert_eq!(asked("only-if-cached", 60), ("504", "stale"));
    assert_eq!(
        asked("only-if-cached, no-cache", 0),
        ("504", "request-no-cache")
    );
    assert_eq!(
        asked("only-if-cached, max-stale", 60),
        ("stale", "request-max-stale")
    );
    let request = get(&[("cache-control", "only-if-cached")]);
    let decision = Policy::default().reuse_decision(&request.head(), None, after(0));
    assert_eq!(word(&decision), ("504", "nothing-stored"));
}

#[test]
fn rfc_5861_s3_stale_while_it_is_validated_where_the_owner_refreshes() {
    let lines = [
        ("cache-control", "s-maxage=60, stale-while-revalidate=30"),
        TAG,
    ];
    let request = get(&[]);
    let mut policy = Policy::default();
    let decide = |policy: &Policy, seconds| {
        policy.reuse_decision(&request.head(), Some(&stored(&lines)), after(seconds))
    };
    assert_eq!(word(&decide(&policy, 61)), ("validate", "s-maxage"));
    policy.stale_while_revalidate = true;
    assert_eq!(word(&decide(&policy, 59)), ("fresh", "fresh"));
    assert!(matches!(
        decide(&policy, 90),
        Reuse::Stale { refresh: true, .. }
    ));
    assert_eq!(word(&decide(&policy, 91)), ("validate", "s-maxage"));
}
