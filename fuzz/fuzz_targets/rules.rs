//! Reads arbitrary text as a rules document, and sends an arbitrary request through it: it ends, in time, and gives a target that is one.

#![no_main]

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Method, StatusCode};
use selvedge_edge_core_rules::{Request, Rules, Unmetered};
use selvedge_primitives_types::Millis;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // A zero stands between document, target and cookies.
    let mut parts = bytes.splitn(3, |byte| *byte == 0);
    let mut text = || String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    let (document, target, cookies) = (text(), text(), text());
    let Ok(rules) = Rules::parse(&document, false) else {
        return;
    };
    let rules = Arc::new(rules);
    let is_target = |text: &str| text.starts_with('/') && text.bytes().all(|byte| byte > b' ' && byte < 0x7f && byte != b'#');
    if !is_target(&target) {
        return;
    }
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(&cookies) {
        headers.insert("cookie", value);
    }
    let request = Request {
        is_tls: true,
        host: "a.test",
        method: &Method::GET,
        target: &target,
        headers: &headers,
        client: [192, 0, 2, 1].into(),
    };
    let Ok(plan) = rules.plan(&request, Millis(1_000), &mut Unmetered) else {
        return;
    };
    assert!(plan.target.as_deref().is_none_or(is_target), "{:?}", plan.target);
    let mut answer = HeaderMap::new();
    plan.on_origin(StatusCode::OK, &mut answer);
    plan.on_answer(&request, &mut answer);
});
