//! Fields that a gateway adds on the way: towards the origin, towards caches, towards the visitor.

use http::{header, HeaderMap, HeaderName, HeaderValue, Version};
use selvedge_edge_core_http_cache::strip_hop_by_hop;

use crate::exchange::Exchange;

/// The network's name in `Via`, `CDN-Loop` and `Cache-Status`.
pub const NAME: &str = "selvedge";

const CDN_LOOP: HeaderName = HeaderName::from_static("cdn-loop");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Fields that carry a visitor's credentials. No cache ever sees them.
const CREDENTIALS: [HeaderName; 3] = [
    header::AUTHORIZATION,
    header::COOKIE,
    header::PROXY_AUTHORIZATION,
];

/// Whether the request came through this network before (RFC 8586).
pub fn is_looping(headers: &HeaderMap) -> bool {
    headers
        .get_all(CDN_LOOP)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|member| {
            let name = member.split(';').next().unwrap_or_default();
            name.trim().eq_ignore_ascii_case(NAME)
        })
}

/// Turns a visitor's fields into those for the origin. Hop-by-hop fields go; who asked is said.
pub fn to_origin(headers: &mut HeaderMap, exchange: &Exchange) {
    strip_hop_by_hop(headers);
    headers.remove(header::HOST);
    headers.remove(header::EXPECT);
    append(headers, header::VIA, &via(exchange.version));
    append(headers, CDN_LOOP, NAME);
    append(
        headers,
        FORWARDED_FOR,
        &exchange.connection.peer.ip().to_string(),
    );
    set(headers, FORWARDED_PROTO, exchange.scheme());
    set(headers, FORWARDED_HOST, &exchange.host);
    set(headers, REQUEST_ID, &exchange.id);
}

/// Finishes the fields of an answer.
pub fn to_visitor(headers: &mut HeaderMap, exchange: &Exchange, via: HeaderValue) {
    headers.append(header::VIA, via);
    set(headers, REQUEST_ID, &exchange.id);
}

/// `Via` for a message that came with this version (RFC 9110 §7.6.3).
pub fn via(version: Version) -> String {
    let version = match version {
        Version::HTTP_09 => "0.9",
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => "1.1",
    };
    format!("{version} {NAME}")
}

/// The request's fields as a cache may see them: without credentials and what concerns the
/// connection.
pub fn to_cache(headers: &HeaderMap) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut headers = headers.clone();
    strip_hop_by_hop(&mut headers);
    for name in CREDENTIALS {
        headers.remove(name);
    }
    headers.remove(header::HOST);
    headers
        .iter()
        .map(|(name, value)| (name.as_str().as_bytes().to_vec(), value.as_bytes().to_vec()))
        .collect()
}

/// Whether a field carries credentials.
pub fn is_credential(name: &[u8]) -> bool {
    CREDENTIALS
        .iter()
        .any(|credential| credential.as_str().as_bytes().eq_ignore_ascii_case(name))
}

fn append(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    let joined = match headers.get(&name).and_then(|present| present.to_str().ok()) {
        Some(present) => format!("{present}, {value}"),
        None => value.to_owned(),
    };
    set(headers, name, &joined);
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_is_seen_among_other_networks() {
        let looping = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(CDN_LOOP, HeaderValue::from_static(value));
            is_looping(&headers)
        };
        assert!(looping("selvedge"));
        assert!(looping("other; x=1, Selvedge; v=2"));
        assert!(!looping("other, selvedge-not"));
        assert!(!is_looping(&HeaderMap::new()));
    }

    #[test]
    fn caches_never_see_credentials() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("authorization", "Basic x"),
            ("cookie", "a=b"),
            ("accept", "text/html"),
            ("connection", "x-own"),
            ("x-own", "1"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let expected = vec![(b"accept".to_vec(), b"text/html".to_vec())];
        assert_eq!(to_cache(&headers), expected);
        assert!(is_credential(b"cookie") && !is_credential(b"accept"));
    }
}
