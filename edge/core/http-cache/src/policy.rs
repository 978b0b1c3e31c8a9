//! What the owner of a cache may choose, and the views it decides on.

use http::{HeaderMap, Method, StatusCode};
use selvedge_primitives_types::Millis;

use crate::Heuristic;

/// A request's head. Its target is a [`crate::CacheKey`] of its own.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    /// Method.
    pub method: &'a Method,
    /// Fields.
    pub headers: &'a HeaderMap,
}

impl<'a, B> From<&'a http::Request<B>> for RequestHead<'a> {
    fn from(request: &'a http::Request<B>) -> Self {
        Self {
            method: request.method(),
            headers: request.headers(),
        }
    }
}

impl<'a> From<&'a http::request::Parts> for RequestHead<'a> {
    fn from(parts: &'a http::request::Parts) -> Self {
        Self {
            method: &parts.method,
            headers: &parts.headers,
        }
    }
}

/// A response's head.
#[derive(Clone, Copy, Debug)]
pub struct ResponseHead<'a> {
    /// Status.
    pub status: StatusCode,
    /// Fields.
    pub headers: &'a HeaderMap,
}

impl<'a, B> From<&'a http::Response<B>> for ResponseHead<'a> {
    fn from(response: &'a http::Response<B>) -> Self {
        Self {
            status: response.status(),
            headers: response.headers(),
        }
    }
}

impl<'a> From<&'a http::response::Parts> for ResponseHead<'a> {
    fn from(parts: &'a http::response::Parts) -> Self {
        Self {
            status: parts.status,
            headers: &parts.headers,
        }
    }
}

/// What the standards leave to the owner of a shared cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Freshness of responses that do not state any (RFC 9111 §4.2.2). Default: none, so they are
    /// validated each time.
    pub heuristic: Option<Heuristic>,
    /// Whether a request's own `Cache-Control` and `Pragma` count. Default: yes.
    pub honour_request_directives: bool,
    /// Whether requests with `Authorization` may be answered from, and fill, the cache where the
    /// response allows it (RFC 9111 §3.5). Default: no, credentials pass by.
    pub share_authorized: bool,
    /// Whether responses with `Set-Cookie` are stored. Default: no.
    pub store_set_cookie: bool,
    /// Whether `stale-while-revalidate` is obeyed; the caller must then refresh in the background.
    /// Default: no.
    pub stale_while_revalidate: bool,
    /// Staleness that is allowed without the response saying so while the origin cannot be reached.
    /// Default: none.
    pub stale_when_unreachable: Millis,
    /// Bounds on what strangers send.
    pub limits: Limits,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            heuristic: None,
            honour_request_directives: true,
            share_authorized: false,
            store_set_cookie: false,
            stale_while_revalidate: false,
            stale_when_unreachable: Millis(0),
            limits: Limits::default(),
        }
    }
}

impl Policy {
    /// Keeps everything that RFC 9111 lets a shared cache keep: what is heuristically fresh
    /// (§4.2.2), answers to requests with credentials that say they may be shared (§3.5), and
    /// answers with `Set-Cookie` that say how long they are fresh (§7.3 leaves these to the
    /// origin).
    ///
    /// The default is stricter, because many origins say less than they mean.
    pub fn rfc9111() -> Self {
        Self {
            heuristic: Some(Heuristic::default()),
            share_authorized: true,
            store_set_cookie: true,
            ..Self::default()
        }
    }
}

/// Bounds on what strangers send. What is beyond them is passed on and not stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Field lines of a stored response.
    pub fields: usize,
    /// Bytes of one field line, name and value.
    pub field_bytes: usize,
    /// Bytes of all field lines of a stored response.
    pub head_bytes: usize,
    /// Names in `Vary`.
    pub vary_names: usize,
    /// Bytes of the request's values that a stored response was chosen by.
    pub vary_bytes: usize,
    /// Bytes of a cache key.
    pub key_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            fields: 128,
            field_bytes: 16 * 1024,
            head_bytes: 64 * 1024,
            vary_names: 16,
            vary_bytes: 4 * 1024,
            key_bytes: 8 * 1024,
        }
    }
}

impl Limits {
    /// Whether a response's fields are within the bounds.
    pub fn allows(&self, headers: &HeaderMap) -> bool {
        let mut bytes = 0usize;
        headers.len() <= self.fields
            && headers.iter().all(|(name, value)| {
                let line = name.as_str().len() + value.len();
                bytes += line;
                line <= self.field_bytes && bytes <= self.head_bytes
            })
    }
}
