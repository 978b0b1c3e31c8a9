//! What holds for every mixture of directives, judged by the words that it was mixed from.

use http::StatusCode;
use proptest::prelude::*;
use proptest::sample::subsequence;
use selvedge_edge_core_http_cache::{ErrorReuse, Failure, Policy, Reuse, StoreDecision};

use crate::testkit::{after, decide, get, stored_for};

const SAID: [&str; 13] = [
    "no-store",
    "private",
    "no-cache",
    "private=\"x-a\"",
    "no-cache=\"x-a, set-cookie\"",
    "x=\"no-store, private\"",
    "max-age=60",
    "s-maxage=30",
    "public",
    "must-revalidate",
    "proxy-revalidate",
    "stale-while-revalidate=600",
    "stale-if-error=600",
];

const ASKED: [&str; 5] = [
    "max-stale",
    "max-stale=500",
    "stale-if-error=500",
    "max-age=1000",
    "x",
];

fn policy() -> impl Strategy<Value = Policy> {
    any::<[bool; 4]>().prop_map(|[by_the_book, cookies, authorized, meanwhile]| {
        let policy = if by_the_book {
            Policy::rfc9111()
        } else {
            Policy::default()
        };
        Policy {
            store_set_cookie: cookies,
            share_authorized: authorized,
            stale_while_revalidate: meanwhile,
            ..policy
        }
    })
}

fn words(of: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(of, 0..=of.len()).prop_shuffle()
}

proptest! {
    /// RFC 9111 §3, §3.5, §5.2.2.
    #[test]
    fn what_is_for_one_client_is_never_stored(
        policy in policy(),
        said in words(&SAID),
        is_targeted in any::<bool>(),
        has_secret in any::<bool>(),
    ) {
        // Of two members of a dictionary with one name only the last counts.
        let is_said_once = |start: &str| {
            said.iter().filter(|word| word.starts_with(start)).count() < 2
        };
        let name = if is_targeted && is_said_once("private") && is_said_once("no-cache") {
            "cdn-cache-control"
        } else {
            "cache-control"
        };
        let said_line = said.join(", ");
        let lines = [
            (name, said_line.as_str()),
            ("etag", "\"1\""),
            ("x-a", "1"),
            ("set-cookie", "id=1"),
        ];
        let secret = [("authorization", "Basic eDp5")];
        let request = get(if has_secret { &secret } else { &[] });
        let StoreDecision::Store(kept) = decide(&policy, &request, 200, &lines) else {
            return Ok(());
        };
        let has = |word: &str| said.contains(&word);
        prop_assert!(!has("no-store") && !has("private"));
        let is_for_all = has("public") || has("must-revalidate") || has("s-maxage=30");
        prop_assert!(!has_secret || policy.share_authorized && is_for_all);
        let names_cookie = has("no-cache=\"x-a, set-cookie\"");
        if names_cookie || has("private=\"x-a\"") {
            prop_assert!(!kept.headers.contains_key("x-a") && kept.own.contains_key("x-a"));
        }
        if names_cookie || !policy.store_set_cookie {
            prop_assert!(!kept.headers.contains_key("set-cookie"));
        }
    }

    /// RFC 9111 §3.5, §4.2.4, §5.2.2.2, §5.2.2.4; RFC 5861.
    #[test]
    fn what_must_be_validated_is_never_answered_unasked(
        policy in policy(),
        said in words(&SAID),
        asked in words(&ASKED),
        has_secret in any::<bool>(),
        seconds in 0u64..1_000,
    ) {
        let (said_line, asked_line) = (said.join(", "), asked.join(", "));
        let lines = [("cache-control", said_line.as_str()), ("etag", "\"1\"")];
        let stored = stored_for(&policy, &get(&[]), 200, &lines);
        let mut fields = vec![("cache-control", asked_line.as_str())];
        if has_secret {
            fields.push(("authorization", "Basic eDp5"));
        }
        let request = get(&fields);
        let reuse = policy.reuse_decision(&request.head(), Some(&stored), after(seconds));
        let down = Failure::Status(StatusCode::SERVICE_UNAVAILABLE);
        let error = policy.error_decision(&request.head(), &stored, down, after(seconds));
        let is_answered = matches!(reuse, Reuse::Fresh { .. } | Reuse::Stale { .. });
        let outlives = matches!(error, ErrorReuse::Stale { .. });

        let has = |word: &str| said.contains(&word);
        prop_assert!(!has("no-cache") || !is_answered && !outlives);
        let is_for_all = has("public") || has("must-revalidate") || has("s-maxage=30");
        prop_assert!(!has_secret || is_for_all || !is_answered && !outlives);
        let lifetime = if has("s-maxage=30") {
            30
        } else if has("max-age=60") {
            60
        } else {
            0
        };
        prop_assert_eq!(matches!(reuse, Reuse::Fresh { .. }), is_answered && seconds < lifetime);
        if seconds >= lifetime && (has("must-revalidate") || has("proxy-revalidate")) {
            prop_assert!(!is_answered && !outlives);
        }
    }
}
