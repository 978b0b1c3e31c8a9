//! What an origin does, as the query of the request says.
//!
//! ```text
//! /any/path?len=1000&cc=max-age=60&etag=1
//! ```
//!
//! | Name | Effect |
//! |---|---|
//! | `len` | octets of the body; 100 if left out |
//! | `cc` | `Cache-Control` |
//! | `cdn` | `CDN-Cache-Control` |
//! | `withhold` | names of fields that `Cache-Control` says are private |
//! | `etag` | an entity tag that names the version, and 304 for who has it |
//! | `ranges` | one range at a time is answered with 206, on the condition of `If-Range` |
//! | `tag` | `Cache-Tag` |
//! | `keys` | `Surrogate-Key`, separated by `+` |
//! | `vary` | `Vary`; the body depends on that field of the request |
//! | `cookie` | `Set-Cookie`, a new one each time |
//! | `status` | status |
//! | `to` | a redirect there |
//! | `chunked` | the length is not stated |
//! | `hold=NAME` | the answer begins when the gate is open |
//! | `pause=NAME` with `at=N` | the body goes on after `N` octets when the gate is open |
//! | `break=N` | the connection breaks after `N` octets |
//! | `wide=N` | a field of `N` octets |
//! | `digest` | `Repr-Digest` of the whole body |
//! | `flip=N` | octet `N` of the first version's body is another one on the way, after its digest was stated |

use http::{header, HeaderMap, Method};
use std::{collections::HashMap, ops::Range};

/// What to do with one request.
#[derive(Clone, Debug, Default)]
pub struct Script(HashMap<String, String>);

impl Script {
    /// Reads a target's query.
    pub fn of(target: &str) -> Self {
        let query = target
            .split_once('?')
            .map(|(_, query)| query)
            .unwrap_or_default();
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        Self(
            pairs
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        )
    }

    /// The text of a name.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The number of a name.
    pub fn number(&self, name: &str) -> Option<usize> {
        self.text(name)?.parse().ok()
    }

    /// Octets of the body.
    pub fn length(&self) -> usize {
        self.number("len").unwrap_or(100)
    }

    /// The body for a request of a version of the site.
    pub fn body(&self, target: &str, fields: &HeaderMap, version: u32) -> Vec<u8> {
        let chosen = self.text("vary").and_then(|name| fields.get(name));
        let chosen = chosen.map(|value| value.as_bytes()).unwrap_or_default();
        octets(target, chosen, version, self.length())
    }

    /// The part of a body of so many octets that these fields ask for, where the script gives parts.
    pub(crate) fn part(
        &self,
        fields: &HeaderMap,
        version: u32,
        length: usize,
    ) -> Option<Range<usize>> {
        self.text("ranges")?;
        let text = |name| fields.get(name).and_then(|value| value.to_str().ok());
        let condition = text(header::IF_RANGE);
        if condition.is_some_and(|tag| self.etag(version).as_deref() != Some(tag)) {
            return None;
        }
        let (first, last) = text(header::RANGE)?
            .strip_prefix("bytes=")?
            .split_once('-')?;
        let part = match (first.parse::<usize>(), last.parse::<usize>()) {
            (Ok(first), Ok(last)) => first..(last + 1).min(length),
            (Ok(first), Err(_)) if last.is_empty() => first..length,
            (Err(_), Ok(last)) if first.is_empty() => length.saturating_sub(last)..length,
            _ => return None,
        };
        (part.start < part.end).then_some(part)
    }

    /// The entity tag of a version.
    pub fn etag(&self, version: u32) -> Option<String> {
        self.text("etag").map(|_| format!("\"v{version}\""))
    }

    /// Whether the request may have no body in its answer.
    pub(crate) fn is_bodiless(method: &Method, status: u16) -> bool {
        method == Method::HEAD || matches!(status, 204 | 304)
    }
}

/// The body an origin gives for a target in the first version of its site: the same in every run,
/// and another one for each target.
pub fn content(target: &str) -> Vec<u8> {
    content_of(target, &[], 1)
}

/// The body of a version, chosen by this value of the field in `vary`.
pub fn content_of(target: &str, chosen: &[u8], version: u32) -> Vec<u8> {
    octets(target, chosen, version, Script::of(target).length())
}

fn octets(target: &str, chosen: &[u8], version: u32, length: usize) -> Vec<u8> {
    let mut hasher = blake3::Hasher::new();
    hasher
        .update(target.as_bytes())
        .update(&[0])
        .update(chosen)
        .update(&version.to_le_bytes());
    let mut body = vec![0; length];
    hasher.finalize_xof().fill(&mut body);
    body
}
