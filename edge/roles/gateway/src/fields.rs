//! Fields that a gateway adds on the way: towards the origin, towards caches, towards the visitor.

use http::{header, HeaderMap, HeaderName, HeaderValue, Version};
use selvedge_edge_core_http_cache::strip_hop_by_hop;
use selvedge_edge_core_rules::KEY_FIELD;
use selvedge_edge_drivers_purge::TAG_FIELDS;

use crate::exchange::Exchange;

/// The network's name in `Via`, `CDN-Loop` and `Cache-Status`.
pub const NAME: &str = "selvedge";

const FORWARDED: HeaderName = HeaderName::from_static("forwarded");
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

/// Fields of a visitor that some origins obey and hardly any names in `Vary`: another target,
/// another method, another host, another visitor. In a fetch for everybody one visitor would choose
/// by them what all the others get.
const UNKEYED: [HeaderName; 14] = [
    HeaderName::from_static("client-ip"),
    HeaderName::from_static("front-end-https"),
    HeaderName::from_static("true-client-ip"),
    HeaderName::from_static("x-client-ip"),
    HeaderName::from_static("x-host"),
    HeaderName::from_static("x-http-method"),
    HeaderName::from_static("x-http-method-override"),
    HeaderName::from_static("x-method-override"),
    HeaderName::from_static("x-original-host"),
    HeaderName::from_static("x-original-uri"),
    HeaderName::from_static("x-original-url"),
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("x-rewrite-url"),
    HeaderName::from_static("x-url-scheme"),
];

/// Fields about a request's body, which a fetch for everybody does not have. A length without its
/// octets would have the origin take them from the next request on the connection.
const OF_A_BODY: [HeaderName; 8] = [
    HeaderName::from_static("content-digest"),
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_LENGTH,
    header::CONTENT_LOCATION,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
    HeaderName::from_static("content-md5"),
];

/// The visitor's fields by which a response for everybody may be chosen, and which go along when it
/// is fetched.
pub fn of_everybody(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    // Also what `Connection` names: the origin does not get it, so nothing may be stored by it.
    strip_hop_by_hop(&mut headers);
    for name in UNKEYED.iter().chain(&OF_A_BODY) {
        headers.remove(name);
    }
    headers
}

/// Whether a gateway writes this field of a request anew for each visitor. A response that varies
/// by it is for one visitor, whatever the visitor's own field says.
pub fn is_of_each_visitor(name: &[u8]) -> bool {
    [CDN_LOOP, FORWARDED_FOR, REQUEST_ID, header::VIA]
        .iter()
        .any(|own| own.as_str().as_bytes().eq_ignore_ascii_case(name))
}

/// Whether the request came through this network before (RFC 8586).
pub fn is_looping(headers: &HeaderMap) -> bool {
    headers
        .get_all(CDN_LOOP)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .any(|member| {
            let name = member.split(|byte| *byte == b';').next();
            let name = name.unwrap_or_default().trim_ascii();
            name.eq_ignore_ascii_case(NAME.as_bytes())
        })
}

/// Turns a visitor's fields into those for the origin. Hop-by-hop fields go; who asked is said.
pub fn to_origin(headers: &mut HeaderMap, exchange: &Exchange) {
    strip_hop_by_hop(headers);
    headers.remove(header::HOST);
    headers.remove(header::EXPECT);
    headers.remove(KEY_FIELD);
    join_cookies(headers);
    // What a visitor says of the way so far is worth nothing, except for the list that each hop
    // appends to.
    headers.remove(FORWARDED);
    let claimed: Vec<HeaderName> = headers
        .keys()
        .filter(|name| name.as_str().starts_with("x-forwarded-") && **name != FORWARDED_FOR)
        .cloned()
        .collect();
    for name in &claimed {
        headers.remove(name);
    }
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

/// RFC 9113 §8.2.3: an HTTP/2 visitor may split its cookies, an HTTP/1.1 server need not join them.
fn join_cookies(headers: &mut HeaderMap) {
    let lines: Vec<&[u8]> = headers
        .get_all(header::COOKIE)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    if lines.len() > 1 {
        if let Ok(joined) = HeaderValue::from_bytes(&lines.join(&b"; "[..])) {
            headers.insert(header::COOKIE, joined);
        }
    }
}

/// Takes tags out of an answer: they are between the origin and this network.
pub fn untag(headers: &mut HeaderMap) {
    for name in &TAG_FIELDS {
        headers.remove(name);
    }
}

/// Finishes the fields of an answer.
pub fn to_visitor(headers: &mut HeaderMap, exchange: &Exchange, via: HeaderValue) {
    untag(headers);
    headers.append(header::VIA, via);
    identify(headers, &exchange.id);
}

/// Names the request in an answer.
pub fn identify(headers: &mut HeaderMap, id: &str) {
    if let Ok(mut value) = HeaderValue::from_str(id) {
        // RFC 7541 §6.2.3: an id comes once, and would push out of the table what comes again.
        value.set_sensitive(true);
        headers.insert(REQUEST_ID, value);
    }
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

/// Appends to all lines of a list, as one line. Lines that are no text are dropped.
fn append(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    let present = headers.get_all(&name).iter();
    let mut members: Vec<&str> = present.filter_map(|line| line.to_str().ok()).collect();
    members.push(value);
    let joined = members.join(", ");
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
        // Text of another kind hides nothing.
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_bytes(b"\xff, selvedge").unwrap();
        headers.insert(CDN_LOOP, value);
        assert!(is_looping(&headers));
    }

    #[test]
    fn a_list_grows_whatever_its_lines_are() {
        let mut headers = HeaderMap::new();
        for line in [&b"a, b"[..], b"\xff", b"c"] {
            headers.append(header::VIA, HeaderValue::from_bytes(line).unwrap());
        }
        append(&mut headers, header::VIA, "d");
        assert_eq!(headers.get_all(header::VIA).iter().count(), 1);
        assert_eq!(headers[header::VIA], "a, b, c, d");
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
