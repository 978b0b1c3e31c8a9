//! Addresses that need a signature.

use ed25519_dalek::SigningKey;
use selvedge_edge_core_rules::{sign_cookie, sign_url, Grant, Rules, SignError};
use std::sync::Arc;

use crate::{get, rules};

fn signing(cookies: bool) -> (SigningKey, Arc<Rules>) {
    let key = SigningKey::from_bytes(&[7; 32]);
    let public = hex::encode(key.verifying_key().to_bytes());
    let rules = rules(&format!(
        "[[key]]\nid = 'k1'\ned25519 = '{public}'\n\
         [[rule]]\nwhen.path = '/film/**'\nsigned = {{ keys = 'k1', cookies = {cookies} }}"
    ));
    (key, rules)
}

/// The moment that plans are made at, in seconds.
const NOW: u64 = 1_000;

#[test]
fn a_signed_target_is_let_through_until_it_runs_out() {
    let (key, rules) = signing(false);
    let target = "/film/a.mp4?q=1";
    let grant = Grant::Target(target.to_owned());
    let sign = |expires| sign_url("a.test", target, &grant, ("k1", &key), expires).unwrap();
    let plan = get(&sign(NOW + 1)).plan(&rules);
    assert!(plan.answer.is_none());
    // The origin and the key see the target as if nobody had signed it.
    assert_eq!(plan.target.as_deref(), Some(target));
    assert_eq!(get(&sign(NOW)).answer(&rules).0, 403);
    assert_eq!(get(target).answer(&rules).0, 403);
    let good = sign(NOW + 1);
    for bad in [
        good.replace("a.mp4", "b.mp4"),
        good.replace("q=1", "q=2"),
        good.replace("expires=1001", "expires=1002"),
        good.replace("key=k1", "key=k2"),
        good[..good.len() - 2].to_owned(),
        format!("{good}&selvedge-prefix=/film/"),
        format!("{good}&selvedge-expires=9999"),
    ] {
        assert_eq!(get(&bad).answer(&rules).0, 403, "{bad}");
    }
    let elsewhere = sign_url("b.test", target, &grant, ("k1", &key), NOW + 1).unwrap();
    assert_eq!(get(&elsewhere).answer(&rules).0, 403);
}

#[test]
fn a_signed_beginning_covers_what_is_below_it() {
    let (key, rules) = signing(false);
    let grant = Grant::Prefix("/film/7/".to_owned());
    let sign = |target: &str| sign_url("a.test", target, &grant, ("k1", &key), NOW + 1).unwrap();
    assert_eq!(get(&sign("/film/7/part1.ts")).answer(&rules).0, 0);
    assert_eq!(get(&sign("/film/8/part1.ts")).answer(&rules).0, 403);
    assert_eq!(get(&sign("/film/7/../8/part1.ts")).answer(&rules).0, 403);
    let bad = Grant::Prefix("/film/../".to_owned());
    let error = sign_url("a.test", "/", &bad, ("k1", &key), NOW).unwrap_err();
    assert_eq!(error, SignError::Path);
}

#[test]
fn a_signed_cookie_counts_where_the_rule_says_so() {
    let (key, rules) = signing(true);
    let cookie = sign_cookie("a.test", "/film/7/", ("k1", &key), NOW + 1).unwrap();
    let with = |cookie: &str, target: &str| get(target).field("cookie", cookie).answer(&rules).0;
    assert_eq!(with(&cookie, "/film/7/x"), 0);
    assert_eq!(with(&cookie, "/film/8/x"), 403);
    assert_eq!(with(&cookie.replace(":1001:", ":1002:"), "/film/7/x"), 403);
    let (_, without) = signing(false);
    assert_eq!(
        get("/film/7/x").field("cookie", &cookie).answer(&without).0,
        403
    );
}
