//! What a rule does to the fields of a message.

use std::collections::BTreeMap;

use http::{header, HeaderMap, HeaderName};
use serde::Deserialize;

use crate::words::{FieldWord, List, ValueWord, Word};

/// Fields that are set, appended and removed, in this order of precedence: what is removed goes
/// first.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edit {
    #[serde(default)]
    set: BTreeMap<String, Word<ValueWord>>,
    #[serde(default)]
    append: BTreeMap<String, Word<ValueWord>>,
    #[serde(default)]
    remove: List<FieldWord>,
}

/// Which message is edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The one to the origin.
    Request,
    /// The one to the visitor.
    Response,
}

/// Fields of the connection and of framing, and what the network itself says of the way.
const NETWORK: [&str; 22] = [
    "age",
    "cache-status",
    "cdn-loop",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "date",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-request-id",
    crate::KEY_FIELD,
];

/// Fields that make another request of it: for a part, on a condition, as somebody.
const OF_A_REQUEST: [&str; 9] = [
    "authorization",
    "cache-control",
    "cookie",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "range",
];

/// Fields by which caches tell one answer from another.
const OF_A_RESPONSE: [&str; 4] = ["accept-ranges", "etag", "last-modified", "vary"];

impl Edit {
    /// Why a field is not for rules to edit.
    pub fn fault(&self, side: Side) -> Option<String> {
        for name in self.set.keys().chain(self.append.keys()) {
            if let Err(fault) = name.parse::<FieldWord>() {
                return Some(format!("`{name}`: {fault}"));
            }
        }
        let written = self
            .set
            .keys()
            .chain(self.append.keys())
            .map(|name| (name.to_ascii_lowercase(), true));
        let removed = self.remove.iter().map(|name| (name.0.clone(), false));
        for (name, is_written) in written.chain(removed) {
            if NETWORK.contains(&name.as_str()) || name.starts_with("x-forwarded-") {
                return Some(format!(
                    "`{name}` belongs to the connection or to the network: leave it out"
                ));
            }
            match side {
                Side::Request if name == "authorization" && is_written => {
                    return Some(
                        "`authorization`: a rules document is public, so it holds no secret"
                            .to_owned(),
                    );
                }
                // Without a cookie the request is another one, but of nobody in particular.
                Side::Request if name == "cookie" && !is_written => {}
                Side::Request if OF_A_REQUEST.contains(&name.as_str()) => {
                    return Some(format!(
                        "`{name}` of a request says what is asked for: leave it out"
                    ));
                }
                Side::Response if OF_A_RESPONSE.contains(&name.as_str()) => {
                    return Some(format!(
                        "`{name}` of an answer tells it from others: leave it to the origin"
                    ));
                }
                _ => {}
            }
        }
        None
    }

    /// Names of the fields that it changes.
    pub fn names(&self) -> impl Iterator<Item = HeaderName> + '_ {
        let written = self
            .set
            .keys()
            .chain(self.append.keys())
            .map(String::as_str);
        let names = written.chain(self.remove.iter().map(|name| name.0.as_str()));
        names.filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok())
    }

    /// Does it.
    pub fn apply(&self, headers: &mut HeaderMap) {
        for name in self.remove.iter().filter_map(FieldWord::name) {
            headers.remove(name);
        }
        let named = |(name, value): (&String, &Word<ValueWord>)| {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            Some((name, value.0 .0.clone()))
        };
        for (name, value) in self.set.iter().filter_map(named) {
            headers.insert(name, value);
        }
        for (name, value) in self.append.iter().filter_map(named) {
            headers.append(name, value);
        }
    }
}

/// Keeps these cookies of a request, and no others.
pub(crate) fn keep_cookies(headers: &mut HeaderMap, is_kept: impl Fn(&str) -> bool) {
    let kept: Vec<String> = crate::request::cookies(headers)
        .filter(|(name, _)| is_kept(name))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    headers.remove(header::COOKIE);
    if let Ok(value) = http::HeaderValue::from_str(&kept.join("; ")) {
        if !kept.is_empty() {
            headers.insert(header::COOKIE, value);
        }
    }
}
