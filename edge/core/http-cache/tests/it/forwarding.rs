use http::Method;
use selvedge_edge_core_http_cache::{Lookup, Policy, Rule};

use crate::testkit::{get, request, Request, DATE_TEXT};

fn forwarded(policy: &Policy, request: &Request) -> Option<Rule> {
    match policy.lookup_decision(&request.head()) {
        Lookup::Cache => None,
        Lookup::Forward { rule } => Some(rule),
    }
}

#[test]
fn s4_unsafe_methods_are_written_through() {
    let policy = Policy::default();
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
        assert_eq!(
            forwarded(&policy, &request(method, &[])),
            Some(Rule::UnsafeMethod)
        );
    }
    let unknown = Method::from_bytes(b"BREW").unwrap();
    assert_eq!(
        forwarded(&policy, &request(unknown, &[])),
        Some(Rule::UnsafeMethod)
    );
    for method in [Method::OPTIONS, Method::TRACE] {
        assert_eq!(
            forwarded(&policy, &request(method, &[])),
            Some(Rule::Method)
        );
    }
    assert_eq!(forwarded(&policy, &request(Method::HEAD, &[])), None);
}

#[test]
fn what_is_for_the_origin_alone_goes_there() {
    for (line, rule) in [
        (("upgrade", "websocket"), Rule::Upgrade),
        (("if-match", "\"1\""), Rule::OriginPrecondition),
        (("if-unmodified-since", DATE_TEXT), Rule::OriginPrecondition),
        (("authorization", "Bearer x"), Rule::Authorization),
        (("cache-control", "no-store"), Rule::RequestNoStore),
    ] {
        assert_eq!(
            forwarded(&Policy::default(), &get(&[line])),
            Some(rule),
            "{line:?}"
        );
    }
    for line in [
        ("range", "bytes=0-1"),
        ("if-none-match", "*"),
        ("cookie", "a=b"),
    ] {
        assert_eq!(
            forwarded(&Policy::default(), &get(&[line])),
            None,
            "{line:?}"
        );
    }
}

#[test]
fn s3_5_the_owner_may_let_credentials_use_the_cache() {
    let policy = Policy {
        share_authorized: true,
        ..Policy::default()
    };
    assert_eq!(
        forwarded(&policy, &get(&[("authorization", "Bearer x")])),
        None
    );
}

#[test]
fn every_rule_has_a_name_of_its_own_and_a_section() {
    let mut names: Vec<_> = Rule::ALL.iter().map(|rule| rule.name()).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
    for rule in Rule::ALL {
        let section = rule.section();
        assert!(
            section == "policy" || section.starts_with("RFC "),
            "{section}"
        );
    }
}
