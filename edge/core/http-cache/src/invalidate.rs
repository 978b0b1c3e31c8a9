//! What an unsafe request makes a cache forget (RFC 9111 §4.4).

use http::{header, HeaderName};

use crate::{CacheKey, RequestHead, ResponseHead, Rule};

/// Keys whose stored responses, with all variants, must not be used again without validation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalidation {
    /// The target, and what `Location` and `Content-Location` name on the same origin.
    pub keys: Vec<CacheKey>,
    /// Why.
    pub rule: Rule,
}

/// What to forget after a request; `None` when nothing is.
///
/// Other origins' keys are left alone, because anybody could otherwise empty a stranger's cache.
pub fn invalidation(
    request: &RequestHead<'_>,
    target: &CacheKey,
    response: &ResponseHead<'_>,
) -> Option<Invalidation> {
    let is_error = response.status.is_client_error() || response.status.is_server_error();
    if request.method.is_safe() || is_error || response.status.is_informational() {
        return None;
    }
    let mut keys = vec![target.clone()];
    let mut add = |name: HeaderName| {
        let reference = response
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok());
        let key = reference.and_then(|reference| target.resolve(reference));
        if let Some(key) = key.filter(|key| key.origin() == target.origin()) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
    };
    add(header::LOCATION);
    add(header::CONTENT_LOCATION);
    Some(Invalidation {
        keys,
        rule: Rule::Invalidation,
    })
}
