//! What a client gets from a stored response: status, fields and bytes.

use core::ops::Range;

use http::{header, HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use selvedge_primitives_types::Millis;

use crate::conditional::{self, Conditional};
use crate::range::{self, RangeAnswer};
use crate::{RequestHead, Rule, Stored};

/// Fields that describe a representation, which a 304 leaves out (RFC 9110 §15.4.5).
const OF_A_REPRESENTATION: [HeaderName; 6] = [
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("repr-digest"),
];

/// Fields that say how long and by what name a response is good.
const OF_A_LIFETIME: [HeaderName; 5] = [
    header::AGE,
    header::ETAG,
    header::EXPIRES,
    header::LAST_MODIFIED,
    header::PRAGMA,
];

/// The bytes of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// None at all: HEAD, 304 and 416, and statuses that have none.
    None,
    /// These bytes of the stored body.
    Bytes(Range<u64>),
}

/// An answer from a stored response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Fields, with `Age` and `Content-Length` where they belong. Add `Via`, `Cache-Status` and
    /// what else is the connection's.
    pub headers: HeaderMap,
    /// Bytes.
    pub body: Body,
    /// Which rule shaped it.
    pub rule: Rule,
}

/// Answers a request from a stored response that [`crate::Policy::reuse_decision`] allowed: whole,
/// a range, 304, 416 or a head only.
pub fn answer(request: &RequestHead<'_>, stored: &Stored, now: Millis) -> Answer {
    let mut headers = stored.headers().clone();
    // §5.1: a stored response is never sent without its age.
    headers.insert(header::AGE, HeaderValue::from(stored.age(now).0 / 1000));

    if let Conditional::NotModified { rule } = conditional::evaluate(request, stored) {
        for name in &OF_A_REPRESENTATION {
            headers.remove(name);
        }
        if headers.contains_key(header::ETAG) {
            headers.remove(header::LAST_MODIFIED);
        }
        return Answer {
            status: StatusCode::NOT_MODIFIED,
            headers,
            body: Body::None,
            rule,
        };
    }
    if stored.status() == StatusCode::OK && !headers.contains_key(header::ACCEPT_RANGES) {
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    }
    let length = stored.length();
    match range::evaluate(request, stored) {
        RangeAnswer::Part { start, end } => {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(end - start));
            insert(&mut headers, range::content_range(start, end, length));
            let status = StatusCode::PARTIAL_CONTENT;
            Answer {
                status,
                headers,
                body: Body::Bytes(start..end),
                rule: Rule::Range,
            }
        }
        RangeAnswer::NotSatisfiable => {
            for name in OF_A_REPRESENTATION.iter().chain(&OF_A_LIFETIME) {
                headers.remove(name);
            }
            // What lets the whole be kept must not let its refusal be kept under the same name.
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(0u64));
            insert(&mut headers, range::unsatisfied_range(length));
            let status = StatusCode::RANGE_NOT_SATISFIABLE;
            Answer {
                status,
                headers,
                body: Body::None,
                rule: Rule::RangeNotSatisfiable,
            }
        }
        RangeAnswer::Whole { rule } => {
            let status = stored.status();
            let has_body = !matches!(status.as_u16(), 204 | 205 | 304);
            if has_body {
                headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
            }
            let is_head = *request.method == Method::HEAD;
            let body = if is_head || !has_body {
                Body::None
            } else {
                Body::Bytes(0..length)
            };
            Answer {
                status,
                headers,
                body,
                rule,
            }
        }
    }
}

fn insert(headers: &mut HeaderMap, value: Option<HeaderValue>) {
    if let Some(value) = value {
        headers.insert(header::CONTENT_RANGE, value);
    }
}
