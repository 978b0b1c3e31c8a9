//! Whom and what a request is for, read as strictly as its next recipient might.
//!
//! A request that two recipients can read in two ways is refused: one of them may be a proxy before
//! the gateway, the other the site's origin, and the difference is what smuggling and cache
//! poisoning live on.

use http::request::Parts;
use http::{header, HeaderMap, HeaderValue, Method, Uri, Version};

/// Whom and what a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Host in lower case, without port and final dot.
    pub host: String,
    /// Path and query; begins with a slash.
    pub path_and_query: String,
}

impl Target {
    /// Reads a request's head.
    ///
    /// Errors: what makes it a request that is not answered.
    pub fn read(parts: &Parts) -> Result<Self, &'static str> {
        check_framing(&parts.headers)?;
        let uri = &parts.uri;
        match (uri.scheme_str(), uri.authority()) {
            (None, None) | (Some("http" | "https"), Some(_)) => {}
            // RFC 9112 §3.2.3: a bare authority is for `CONNECT` only.
            (None, Some(_)) if parts.method == Method::CONNECT => {}
            _ => return Err("the target has a form that is not for this method"),
        }
        let field = host_field(parts)?;
        let own = match uri.authority() {
            Some(authority) => Some(Place::read(authority.as_str())?),
            None => None,
        };
        let place = match (own, field) {
            // RFC 9113 §8.3.1: they must agree. HTTP/1.1 has its own rule: the target counts (RFC
            // 9112 §3.2.2).
            (Some(own), Some(field)) if parts.version >= Version::HTTP_2 && own != field => {
                return Err(":authority and Host are not the same");
            }
            (Some(own), _) => own,
            (None, Some(field)) => field,
            (None, None) => return Err("no host"),
        };
        let path_and_query = match uri.path_and_query().map_or("/", |target| target.as_str()) {
            // Only an absolute target can have a query without a path, which is the root's.
            query if query.starts_with('?') && parts.version < Version::HTTP_2 => {
                format!("/{query}")
            }
            target if target.starts_with('/') => target.to_owned(),
            _ => return Err("the target does not begin with a slash"),
        };
        Ok(Self {
            host: place.host,
            path_and_query,
        })
    }
}

/// The host that a `Host` field names, as in [`Target::host`]; `None` when it is not valid.
pub fn host_of(field: &str) -> Option<String> {
    Place::read(field).ok().map(|place| place.host)
}

/// A host with its port, in lower case.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    host: String,
    port: Option<u16>,
}

impl Place {
    fn read(authority: &str) -> Result<Self, &'static str> {
        const INVALID: &str = "the host is not valid";
        let (host, port, is_address) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']').ok_or(INVALID)?;
                (host, port, true)
            }
            None => {
                let end = authority.find(':').unwrap_or(authority.len());
                (&authority[..end], &authority[end..], false)
            }
        };
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => None,
            Some("") => None,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(digits.parse().map_err(|_| INVALID)?)
            }
            _ => return Err(INVALID),
        };
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        let is_valid = |byte: u8| match is_address {
            true => byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'),
            false => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'),
        };
        if host.is_empty() || host.len() > 253 || !host.bytes().all(is_valid) {
            return Err(INVALID);
        }
        Ok(Self { host, port })
    }
}

/// RFC 9112 §3.2: exactly one `Host` that is valid, in HTTP/1.1.
fn host_field(parts: &Parts) -> Result<Option<Place>, &'static str> {
    let mut fields = parts.headers.get_all(header::HOST).iter();
    let Some(field) = fields.next() else {
        return match parts.version {
            Version::HTTP_11 => Err("no Host"),
            _ => Ok(None),
        };
    };
    if fields.next().is_some() {
        return Err("more than one Host");
    }
    let field = field.to_str().map_err(|_| "the host is not valid")?;
    Place::read(field).map(Some)
}

/// RFC 9112 §6.1: a coding that nobody here undoes would reach the origin as if it were none.
fn check_framing(headers: &HeaderMap) -> Result<(), &'static str> {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let is_plain = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"chunked");
    match (codings.next(), codings.next()) {
        (None, _) => Ok(()),
        (Some(_), _) if headers.contains_key(header::CONTENT_LENGTH) => {
            Err("both Content-Length and Transfer-Encoding")
        }
        (Some(coding), None) if is_plain(coding) => Ok(()),
        _ => Err("a transfer coding other than chunked"),
    }
}

/// Whether a target could leave the base path of an origin that has one. Nothing a browser sends
/// does: it resolves dot segments itself.
pub fn may_leave(origin: &Uri, path_and_query: &str) -> bool {
    if origin.path().trim_end_matches('/').is_empty() {
        return false;
    }
    let path = path_and_query.split('?').next().unwrap_or_default();
    decoded(path.as_bytes())
        .split(|byte| matches!(byte, b'/' | b'\\'))
        // Some servers cut parameters off before they resolve the rest.
        .any(|segment| segment.split(|byte| *byte == b';').next() == Some(b".."))
}

fn decoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        let pair = behind.get(..2).filter(|_| *first == b'%');
        let byte = pair
            .and_then(|pair| std::str::from_utf8(pair).ok())
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        out.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &behind[2..] } else { behind };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn read(uri: &str, fields: &[(&str, &str)]) -> Result<Target, &'static str> {
        let mut request = Request::builder().uri(uri);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        Target::read(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn a_host_is_read_without_port_case_and_final_dot() {
        for (uri, field, host) in [
            ("/", "A.Test:8080", "a.test"),
            ("/", "a.test.", "a.test"),
            ("/", "a.test:", "a.test"),
            ("/", "[::1]:80", "::1"),
            ("http://b.test/x", "a.test", "b.test"),
        ] {
            assert_eq!(read(uri, &[("host", field)]).unwrap().host, host, "{field}");
        }
    }

    #[test]
    fn what_two_could_read_in_two_ways_is_refused() {
        for (uri, fields) in [
            ("/", vec![]),
            ("/", vec![("host", "")]),
            ("/", vec![("host", ".")]),
            ("/", vec![("host", "a.test"), ("host", "a.test")]),
            ("/", vec![("host", "a test")]),
            ("/", vec![("host", "user@a.test")]),
            ("/", vec![("host", "a.test:80@b.test")]),
            ("/", vec![("host", "a.test:http")]),
            ("/", vec![("host", "a.test:65536")]),
            ("/", vec![("host", "a.test:1:2")]),
            ("/", vec![("host", "a.test/x")]),
            ("/", vec![("host", "[::1")]),
            ("/", vec![("host", "[::1]x")]),
            ("http://a.test/", vec![]),
            ("http://a.test/", vec![("host", "b test")]),
            ("http://user@a.test/", vec![("host", "a.test")]),
            ("http://a.test:x@b.test/", vec![("host", "a.test")]),
            ("ftp://a.test/", vec![("host", "a.test")]),
            ("a.test:80", vec![("host", "a.test")]),
            ("*", vec![("host", "a.test")]),
        ] {
            assert!(read(uri, &fields).is_err(), "{uri} {fields:?}");
        }
    }

    #[test]
    fn a_query_without_a_path_is_the_roots() {
        let fields = [("host", "a.test")];
        let target = read("http://a.test?b", &fields).unwrap();
        assert_eq!(target.path_and_query, "/?b");
        let target = read("http://a.test", &fields).unwrap();
        assert_eq!(target.path_and_query, "/");
    }

    #[test]
    fn only_chunked_alone_is_a_framing() {
        for (coding, is_good) in [
            ("chunked", true),
            ("Chunked", true),
            ("gzip, chunked", false),
            ("chunked, chunked", false),
            ("identity", false),
        ] {
            let fields = [("host", "a.test"), ("transfer-encoding", coding)];
            assert_eq!(read("/", &fields).is_ok(), is_good, "{coding}");
        }
        let twice = [
            ("host", "a.test"),
            ("transfer-encoding", "chunked"),
            ("transfer-encoding", "chunked"),
        ];
        assert!(read("/", &twice).is_err());
    }

    #[test]
    fn dot_segments_do_not_leave_a_base_path() {
        let (base, root) = ("http://o.test/base/", "http://o.test/");
        for target in [
            "/..",
            "/../x",
            "/a/../b",
            "/%2e%2E/x",
            "/.%2e/x",
            "/..%2fx",
            "/..%5cx",
            "/a\\..\\x",
            "/..;a=b/x",
        ] {
            assert!(may_leave(&base.parse().unwrap(), target), "{target}");
            assert!(!may_leave(&root.parse().unwrap(), target), "{target}");
        }
        for target in ["/", "/a..b/...", "/a?../..", "/%2", "/%zz/%2e"] {
            assert!(!may_leave(&base.parse().unwrap(), target), "{target}");
        }
    }
}
