//! A client's own conditions, answered from a stored response (RFC 9111 §4.3.2, RFC 9110 §13).

use http::{header, HeaderMap, Method};

use crate::fields::{self, EntityTag};
use crate::{RequestHead, Rule, Stored};

/// What a client's conditions come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conditional {
    /// There are none, or they do not hold the answer back.
    Proceed,
    /// Answer 304: the client has what is stored.
    NotModified {
        /// Which condition says so.
        rule: Rule,
    },
}

/// Evaluates `If-None-Match`, or where there is none `If-Modified-Since`, against a response that
/// may answer the request.
///
/// Conditions count only where the answer would be a success otherwise (RFC 9110 §13.2.1).
/// `If-Match` and `If-Unmodified-Since` are for the origin: [`crate::Policy::lookup_decision`] has
/// sent them there.
pub fn evaluate(request: &RequestHead<'_>, stored: &Stored) -> Conditional {
    let is_get = matches!(*request.method, Method::GET | Method::HEAD);
    if !is_get || !stored.status().is_success() {
        return Conditional::Proceed;
    }
    if request.headers.contains_key(header::IF_NONE_MATCH) {
        return if none_match(request.headers, stored.etag()) {
            Conditional::Proceed
        } else {
            Conditional::NotModified {
                rule: Rule::IfNoneMatch,
            }
        };
    }
    let Some(since) = fields::date_field(request.headers, &header::IF_MODIFIED_SINCE) else {
        return Conditional::Proceed;
    };
    // §4.3.2: without a modification date the message's own date stands in.
    if stored.last_modified().unwrap_or(stored.date()) <= since {
        Conditional::NotModified {
            rule: Rule::IfModifiedSince,
        }
    } else {
        Conditional::Proceed
    }
}

fn none_match(headers: &HeaderMap, own: Option<EntityTag<'_>>) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .into_iter()
        .all(|line| {
            let line = line.as_bytes();
            if line.trim_ascii() == b"*" {
                return false;
            }
            !fields::entity_tags(line).any(|tag| own.is_some_and(|own| own.is_weakly(&tag)))
        })
}
