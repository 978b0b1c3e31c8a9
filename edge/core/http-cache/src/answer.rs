//! What a client gets from a stored response: status, fields and bytes.

use core::ops::Range;

use http::{header, HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use selvedge_primitives_types::Millis;

use crate::conditional::{self, Conditional};
use crate::range::{self, RangeAnswer};
use crate::{Boundary, Parts, RequestHead, Rule, Stored};

/// Fields that describe a representation, which a 304 leaves out (RFC 9110 §15.4.5).
const OF_A_REPRESENTATION: [HeaderName; 7] = [
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("repr-digest"),
];

/// Sums over the bytes of a message, which are not those of a part of it (RFC 9530 §2).
const OF_THE_MESSAGE: [HeaderName; 2] = [
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("content-md5"),
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
    /// Several parts of it.
    Parts(Parts),
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
/// ranges, 304, 416 or a head only. `boundary` is used where there are several ranges.
pub fn answer(
    request: &RequestHead<'_>,
    stored: &Stored,
    now: Millis,
    boundary: Boundary,
) -> Answer {
    let mut headers = stored.headers().clone();
    // §5.1: a stored response is never sent without its age.
    headers.insert(header::AGE, HeaderValue::from(stored.age(now).0 / 1000));

    if let Conditional::NotModified { rule } = conditional::evaluate(request, stored) {
        return not_modified(headers, rule);
    }
    if stored.status() == StatusCode::OK && !headers.contains_key(header::ACCEPT_RANGES) {
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    }
    let length = stored.length();
    match range::evaluate(request, stored) {
        RangeAnswer::Part { start, end } => {
            for name in &OF_THE_MESSAGE {
                headers.remove(name);
            }
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(end - start));
            insert(&mut headers, range::content_range(start, end, length));
            Answer {
                status: StatusCode::PARTIAL_CONTENT,
                headers,
                body: Body::Bytes(start..end),
                rule: Rule::Range,
            }
        }
        RangeAnswer::Parts(ranges) => {
            let content_type = headers.get(header::CONTENT_TYPE);
            let parts = Parts::new(ranges, length, content_type, boundary);
            // §14.2: what costs more than the whole is not worth it. A coding would be read as one of
            // the message with the parts, which it is not.
            if parts.length() >= length || headers.contains_key(header::CONTENT_ENCODING) {
                whole(request, stored, headers, Rule::RangeIgnored)
            } else {
                several(headers, parts)
            }
        }
        RangeAnswer::NotSatisfiable => not_satisfiable(headers, length),
        RangeAnswer::Whole { rule } => whole(request, stored, headers, rule),
    }
}

fn not_modified(mut headers: HeaderMap, rule: Rule) -> Answer {
    for name in &OF_A_REPRESENTATION {
        headers.remove(name);
    }
    if headers.contains_key(header::ETAG) {
        headers.remove(header::LAST_MODIFIED);
    }
    Answer {
        status: StatusCode::NOT_MODIFIED,
        headers,
        body: Body::None,
        rule,
    }
}

fn several(mut headers: HeaderMap, parts: Parts) -> Answer {
    for name in &OF_THE_MESSAGE {
        headers.remove(name);
    }
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(parts.length()));
    if let Some(value) = parts.content_type() {
        headers.insert(header::CONTENT_TYPE, value);
    }
    Answer {
        status: StatusCode::PARTIAL_CONTENT,
        headers,
        body: Body::Parts(parts),
        rule: Rule::Ranges,
    }
}

fn not_satisfiable(mut headers: HeaderMap, length: u64) -> Answer {
    for name in OF_A_REPRESENTATION.iter().chain(&OF_A_LIFETIME) {
        headers.remove(name);
    }
    // What lets the whole be kept must not let its refusal be kept under the same name.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(0u64));
    insert(&mut headers, range::unsatisfied_range(length));
    Answer {
        status: StatusCode::RANGE_NOT_SATISFIABLE,
        headers,
        body: Body::None,
        rule: Rule::RangeNotSatisfiable,
    }
}

fn whole(request: &RequestHead<'_>, stored: &Stored, mut headers: HeaderMap, rule: Rule) -> Answer {
    let status = stored.status();
    let has_body = !matches!(status.as_u16(), 204 | 205 | 304);
    if has_body {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(stored.length()));
    }
    let is_head = *request.method == Method::HEAD;
    let body = if is_head || !has_body {
        Body::None
    } else {
        Body::Bytes(0..stored.length())
    };
    Answer {
        status,
        headers,
        body,
        rule,
    }
}

fn insert(headers: &mut HeaderMap, value: Option<HeaderValue>) {
    if let Some(value) = value {
        headers.insert(header::CONTENT_RANGE, value);
    }
}
