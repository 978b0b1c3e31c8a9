use http::{Method, StatusCode};
use selvedge_edge_core_http_cache::{invalidation, CacheKey, ResponseHead};

use crate::testkit::{fields, request};

fn forgotten(method: Method, status: u16, lines: &[(&str, &str)]) -> Vec<String> {
    let target = CacheKey::new("https", "example.org", "/a/b?c", 8192).unwrap();
    let headers = fields(lines);
    let response = ResponseHead {
        status: StatusCode::from_u16(status).unwrap(),
        headers: &headers,
    };
    invalidation(&request(method, &[]).head(), &target, &response)
        .map(|found| found.keys.iter().map(ToString::to_string).collect())
        .unwrap_or_default()
}

#[test]
fn s4_4_a_successful_unsafe_request_makes_its_target_forgotten() {
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
        for status in [200, 201, 204, 302, 303] {
            assert_eq!(
                forgotten(method.clone(), status, &[]),
                ["https://example.org/a/b?c"]
            );
        }
        for status in [100, 400, 404, 412, 500, 503] {
            assert!(
                forgotten(method.clone(), status, &[]).is_empty(),
                "{method} {status}"
            );
        }
    }
    for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
        assert!(forgotten(method, 200, &[]).is_empty());
    }
    assert_eq!(
        forgotten(Method::from_bytes(b"BREW").unwrap(), 200, &[]).len(),
        1
    );
}

#[test]
fn s4_4_location_and_content_location_count_on_the_same_origin_only() {
    let lines = [
        ("location", "../new"),
        ("content-location", "https://EXAMPLE.org:443/c"),
    ];
    assert_eq!(
        forgotten(Method::POST, 201, &lines),
        [
            "https://example.org/a/b?c",
            "https://example.org/new",
            "https://example.org/c"
        ]
    );
    for other in [
        "https://evil.example/a",
        "http://example.org/a",
        "//evil.example/",
        "https://example.org:8443/",
    ] {
        assert_eq!(
            forgotten(Method::POST, 201, &[("location", other)]).len(),
            1,
            "{other}"
        );
    }
    let same = [("location", "/a/b?c"), ("content-location", "?c")];
    assert_eq!(forgotten(Method::POST, 201, &same).len(), 1);
}
