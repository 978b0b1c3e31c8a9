use http::{Method, StatusCode};
use selvedge_edge_core_http_cache::{
    fetch_fields, HeadUpdate, Policy, ResponseHead, Reuse, Rule, Stored, Times, Update,
};

use crate::testkit::{
    after, date, fields, get, request, reuse, stored, stored_for, word, DATE_TEXT,
};

const MINUTE: (&str, &str) = ("cache-control", "max-age=60");

fn update(stored: &Stored, lines: &[(&str, &str)]) -> Update {
    let headers = fields(lines);
    let response = ResponseHead {
        status: StatusCode::NOT_MODIFIED,
        headers: &headers,
    };
    let times = Times {
        requested: after(100),
        received: after(100),
    };
    Policy::default().update_stored(&get(&[]).head(), stored, &response, times)
}

fn updated(stored: &Stored, lines: &[(&str, &str)]) -> Stored {
    match update(stored, lines) {
        Update::Stored { stored, .. } => *stored,
        other => panic!("{other:?}"),
    }
}

#[test]
fn s4_3_1_the_stored_validators_are_the_conditions() {
    let lines = [MINUTE, ("etag", "W/\"1\""), ("last-modified", DATE_TEXT)];
    let Reuse::Validate { conditions, .. } = reuse(&lines, &[("if-none-match", "\"x\"")], 60)
    else {
        panic!("not validated");
    };
    assert_eq!(
        conditions,
        fields(&[
            ("if-none-match", "W/\"1\""),
            ("if-modified-since", DATE_TEXT)
        ])
    );
}

#[test]
fn a_fetch_for_all_carries_nothing_of_one_client() {
    let request = fields(&[
        ("accept", "text/html"),
        ("connection", "x-hop"),
        ("x-hop", "1"),
        ("te", "trailers"),
        ("range", "bytes=0-1"),
        ("if-range", "\"1\""),
        ("if-none-match", "\"1\""),
        ("if-modified-since", DATE_TEXT),
        ("cookie", "a=b"),
    ]);
    assert_eq!(
        fetch_fields(&request),
        fields(&[("accept", "text/html"), ("cookie", "a=b")])
    );
}

#[test]
fn s4_3_4_a_304_makes_the_stored_response_young_again() {
    let old = stored(&[MINUTE, ("etag", "\"1\""), ("age", "50")]);
    let (sent, request) = (date(100), get(&[]));
    let new = updated(&old, &[("date", &sent), ("etag", "\"1\"")]);
    let policy = Policy::default();
    let decision = policy.reuse_decision(&request.head(), Some(&new), after(159));
    assert_eq!(word(&decision), ("fresh", "fresh"));
    assert_eq!(new.age(after(110)).0, 10_000);
    assert_eq!(new.headers()["date"], sent);
    assert_eq!((new.status(), new.length()), (StatusCode::OK, 1000));
}

#[test]
fn s3_2_fields_of_a_304_replace_all_lines_of_the_stored_ones() {
    let old = stored(&[
        MINUTE,
        ("etag", "\"1\""),
        ("x-a", "1"),
        ("x-a", "2"),
        ("x-kept", "1"),
        ("content-encoding", "gzip"),
    ]);
    let new = updated(
        &old,
        &[
            ("cache-control", "max-age=10"),
            ("x-a", "3"),
            ("x-new", "1"),
            ("connection", "x-hop"),
            ("x-hop", "1"),
            ("content-length", "0"),
            ("content-encoding", "identity"),
            ("content-range", "bytes 0-1/2"),
        ],
    );
    let expected = [
        ("cache-control", "max-age=10"),
        ("date", &date(100)),
        ("etag", "\"1\""),
        ("content-encoding", "gzip"),
        ("x-a", "3"),
        ("x-kept", "1"),
        ("x-new", "1"),
    ];
    assert_eq!(*new.headers(), fields(&expected));
}

#[test]
fn s4_3_4_a_304_about_another_representation_changes_nothing() {
    let tagged = stored(&[MINUTE, ("etag", "\"1\""), ("last-modified", DATE_TEXT)]);
    let dated = stored(&[MINUTE, ("last-modified", DATE_TEXT)]);
    let is_mismatch = |update| {
        matches!(
            update,
            Update::Mismatch {
                rule: Rule::ValidatorMismatch
            }
        )
    };
    assert!(is_mismatch(update(&tagged, &[("etag", "\"2\"")])));
    assert!(is_mismatch(update(&dated, &[("etag", "\"1\"")])));
    assert!(is_mismatch(update(&dated, &[("last-modified", &date(-9))])));
    updated(&tagged, &[("etag", "W/\"1\"")]);
    // A strong tag is only about what has the same strong one.
    let weak = stored(&[MINUTE, ("etag", "W/\"1\"")]);
    assert!(is_mismatch(update(&weak, &[("etag", "\"1\"")])));
    updated(&weak, &[("etag", "W/\"1\"")]);
    updated(&dated, &[("last-modified", DATE_TEXT)]);
    updated(&dated, &[]);
}

#[test]
fn a_304_that_withdraws_sharing_answers_once_and_ends_the_storage() {
    let old = stored(&[MINUTE, ("etag", "\"1\"")]);
    for (value, rule) in [
        ("no-store", Rule::ResponseNoStore),
        ("private", Rule::Private),
    ] {
        match update(&old, &[("cache-control", value)]) {
            Update::UseOnce { rule: got, .. } => assert_eq!(got, rule),
            other => panic!("{other:?}"),
        }
    }
    let starred = update(&old, &[("vary", "*")]);
    assert!(matches!(
        starred,
        Update::UseOnce {
            rule: Rule::VaryStar,
            ..
        }
    ));
    // A cookie in a 304 is for the one that asked, and is not kept.
    let new = updated(&old, &[("set-cookie", "a=b")]);
    assert!(!new.headers().contains_key("set-cookie"));
}

#[test]
fn s3_2_a_304_renews_a_cookie_that_is_shared() {
    let policy = Policy::rfc9111();
    let lines = [MINUTE, ("etag", "\"1\""), ("set-cookie", "a=b")];
    let old = stored_for(&policy, &get(&[]), 200, &lines);
    let headers = fields(&[("set-cookie", "a=c")]);
    let response = ResponseHead {
        status: StatusCode::NOT_MODIFIED,
        headers: &headers,
    };
    let times = Times {
        requested: after(100),
        received: after(100),
    };
    let update = policy.update_stored(&get(&[]).head(), &old, &response, times);
    let Update::Stored { stored, own } = update else {
        panic!("{update:?}");
    };
    assert_eq!(stored.headers()["set-cookie"], "a=c");
    assert!(own.is_empty());
}

#[test]
fn s5_2_2_4_what_a_304_withholds_is_for_the_client_that_asked() {
    let old = stored(&[MINUTE, ("etag", "\"1\""), ("x-a", "old"), ("x-b", "old")]);
    let lines = [
        ("cache-control", "max-age=60, no-cache=\"x-a\""),
        ("x-a", "new"),
        ("x-b", "new"),
        ("set-cookie", "a=b"),
    ];
    let Update::Stored { stored, own } = update(&old, &lines) else {
        panic!("not renewed");
    };
    assert_eq!(own, fields(&[("set-cookie", "a=b"), ("x-a", "new")]));
    assert!(!stored.headers().contains_key("x-a"));
    assert_eq!(stored.headers()["x-b"], "new");
}

#[test]
fn s4_1_a_304_may_name_other_fields_to_choose_by() {
    let old = stored(&[MINUTE, ("etag", "\"1\"")]);
    let new = updated(&old, &[("vary", "accept")]);
    assert!(new.variant().matches(&fields(&[])));
    assert!(!new.variant().matches(&fields(&[("accept", "text/html")])));
}

#[test]
fn a_304_cannot_grow_the_stored_response_without_bound() {
    let old = stored(&[MINUTE, ("etag", "\"1\"")]);
    let long = "x".repeat(17 * 1024);
    assert!(matches!(
        update(&old, &[("x-a", &long)]),
        Update::Mismatch { rule: Rule::Limit }
    ));
}

fn headed(stored: &Stored, status: u16, lines: &[(&str, &str)]) -> HeadUpdate {
    let headers = fields(lines);
    let response = ResponseHead {
        status: StatusCode::from_u16(status).unwrap(),
        headers: &headers,
    };
    let times = Times {
        requested: after(100),
        received: after(100),
    };
    let head = request(Method::HEAD, &[]);
    Policy::default().update_by_head(&head.head(), stored, &response, times)
}

#[test]
fn s4_3_5_a_head_about_the_same_renews_what_is_stored() {
    let then = date(-60);
    let old = stored(&[
        MINUTE,
        ("etag", "\"1\""),
        ("last-modified", &then),
        ("x-a", "old"),
    ]);
    let length = ("content-length", "1000");
    for same in [
        vec![("etag", "\"1\"")],
        vec![("last-modified", then.as_str())],
        vec![("etag", "\"1\""), ("last-modified", then.as_str()), length],
        vec![length],
    ] {
        let mut lines = vec![("cache-control", "max-age=9"), ("x-a", "new")];
        lines.extend(&same);
        let HeadUpdate::Stored { stored } = headed(&old, 200, &lines) else {
            panic!("{same:?}");
        };
        assert_eq!(stored.time_to_live(after(100)), 9_000, "{same:?}");
        assert_eq!(stored.headers()["x-a"], "new");
        assert_eq!(
            (stored.headers()["etag"].to_str().unwrap(), stored.length()),
            ("\"1\"", 1000)
        );
    }
}

#[test]
fn s4_3_5_a_head_about_another_makes_what_is_stored_outdated() {
    let then = date(-60);
    let old = stored(&[MINUTE, ("etag", "\"1\""), ("last-modified", &then)]);
    let other = date(-30);
    for lines in [
        vec![("etag", "\"2\"")],
        vec![("etag", "W/\"1\"")],
        vec![("last-modified", other.as_str())],
        vec![("etag", "\"1\""), ("last-modified", other.as_str())],
        vec![("etag", "\"1\""), ("content-length", "1001")],
        vec![("etag", "\"1\""), ("cache-control", "no-store")],
    ] {
        let got = headed(&old, 200, &lines);
        assert!(
            matches!(got, HeadUpdate::Outdated { .. }),
            "{lines:?} {got:?}"
        );
    }
    let unnamed = stored(&[MINUTE]);
    let got = headed(&unnamed, 200, &[("etag", "\"1\"")]);
    assert!(matches!(got, HeadUpdate::Outdated { .. }));
}

#[test]
fn s4_3_5_only_a_200_to_head_says_anything() {
    let old = stored(&[MINUTE, ("etag", "\"1\"")]);
    for (status, lines) in [
        (404, [("etag", "\"2\"")]),
        (304, [("etag", "\"2\"")]),
        (200, [("x-a", "1")]),
    ] {
        let got = headed(&old, status, &lines);
        assert!(matches!(got, HeadUpdate::Nothing), "{status} {got:?}");
    }
    let secret = request(Method::HEAD, &[("authorization", "Basic eDp5")]);
    let headers = fields(&[("etag", "\"2\"")]);
    let response = ResponseHead {
        status: StatusCode::OK,
        headers: &headers,
    };
    let got = Policy::default().update_by_head(&secret.head(), &old, &response, Times::default());
    assert!(matches!(got, HeadUpdate::Nothing));
    let german = get(&[("accept-language", "de")]);
    let policy = Policy::default();
    let varied = stored_for(
        &policy,
        &german,
        200,
        &[MINUTE, ("vary", "accept-language")],
    );
    let got = headed(&varied, 200, &[("etag", "\"2\"")]);
    assert!(matches!(got, HeadUpdate::Nothing));
}
