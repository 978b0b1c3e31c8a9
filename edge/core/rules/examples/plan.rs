//! What a plan costs, for documents of the guide.
//!
//! `cargo run --release -p selvedge-edge-core-rules --example plan`

// It measures: the only place of this crate that looks at a clock.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Instant;

use http::{HeaderMap, HeaderValue, Method};
use selvedge_edge_core_rules::{Request, Rules, Unmetered};
use selvedge_primitives_types::Millis;

const TIMES: u32 = 200_000;

fn main() {
    let mut headers = HeaderMap::new();
    headers.insert("user-agent", HeaderValue::from_static("Mozilla/5.0"));
    headers.insert("cookie", HeaderValue::from_static("lang=de; a=b"));
    for (name, text) in [
        (
            "caching",
            include_str!("../../../../docs/guide/rules/caching.toml"),
        ),
        (
            "keys",
            include_str!("../../../../docs/guide/rules/keys.toml"),
        ),
        (
            "access",
            include_str!("../../../../docs/guide/rules/access.toml"),
        ),
        (
            "signed",
            include_str!("../../../../docs/guide/rules/signed.toml"),
        ),
    ] {
        let rules = Arc::new(Rules::parse(text, false).unwrap());
        let request = Request {
            is_tls: true,
            host: "www.example.org",
            method: &Method::GET,
            target: "/assets/a/b.css?v=1",
            headers: &headers,
            client: "192.0.2.1".parse().unwrap(),
        };
        let began = Instant::now();
        for _ in 0..TIMES {
            let _ = std::hint::black_box(rules.plan(
                &request,
                Millis(1_764_500_000_000),
                &mut Unmetered,
            ));
        }
        let each = began.elapsed().as_nanos() as f64 / f64::from(TIMES);
        println!("{name}: {each:.0} ns");
    }
}
