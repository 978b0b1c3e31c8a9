//! How long a response is fresh, and how old it is (RFC 9111 §4.2).

use http::{header, HeaderMap, StatusCode};
use selvedge_primitives_types::Millis;

use crate::{fields, ResponseDirectives, Seconds};

/// When a response was asked for and when its head came (RFC 9111 §4.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Times {
    /// `request_time`.
    pub requested: Millis,
    /// `response_time`.
    pub received: Millis,
}

/// Freshness guessed from `Last-Modified` (RFC 9111 §4.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heuristic {
    /// Per cent of the time since the last modification.
    pub percent: u8,
    /// The longest guess.
    pub cap: Millis,
}

impl Default for Heuristic {
    /// A tenth, at most a day.
    fn default() -> Self {
        Self {
            percent: 10,
            cap: Millis(24 * 60 * 60 * 1000),
        }
    }
}

/// What a freshness lifetime was taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// `s-maxage`.
    SharedMaxAge,
    /// `max-age`.
    MaxAge,
    /// `Expires`.
    Expires,
    /// A guess.
    Heuristic,
    /// Nothing: the lifetime is zero.
    None,
}

/// Statuses that may be stored without the response saying so (RFC 9110 §15.1).
pub(crate) fn is_cacheable_by_default(status: StatusCode) -> bool {
    matches!(
        status.as_u16(),
        200 | 203 | 204 | 206 | 300 | 301 | 308 | 404 | 405 | 410 | 414 | 501
    )
}

/// RFC 9111 §4.2.1. `date` is the response's `Date`, or when it was received.
pub(crate) fn lifetime(
    status: StatusCode,
    headers: &HeaderMap,
    directives: &ResponseDirectives,
    date: Millis,
    heuristic: Option<Heuristic>,
) -> (Millis, Source) {
    if let Some(seconds) = directives.s_maxage {
        return (seconds.millis(), Source::SharedMaxAge);
    }
    if let Some(seconds) = directives.max_age {
        return (seconds.millis(), Source::MaxAge);
    }
    // RFC 9213 §2.2: beside directives for a CDN, `Expires` is for others.
    if !directives.is_targeted && headers.contains_key(header::EXPIRES) {
        // §5.3: a date that cannot be read, such as `0`, has passed.
        let expires = fields::date_field(headers, &header::EXPIRES).unwrap_or_default();
        return (Millis(expires.0.saturating_sub(date.0)), Source::Expires);
    }
    let is_guessable = is_cacheable_by_default(status) || directives.public;
    let modified = fields::date_field(headers, &header::LAST_MODIFIED);
    match (heuristic, modified) {
        (Some(heuristic), Some(modified)) if is_guessable => {
            let since = u128::from(date.0.saturating_sub(modified.0));
            let guess = since * u128::from(heuristic.percent) / 100;
            (
                Millis(guess.min(u128::from(heuristic.cap.0)) as u64),
                Source::Heuristic,
            )
        }
        _ => (Millis(0), Source::None),
    }
}

/// `corrected_initial_age` of RFC 9111 §4.2.3.
pub(crate) fn initial_age(headers: &HeaderMap, times: Times, date: Millis) -> Millis {
    let apparent = times.received.0.saturating_sub(date.0);
    // §5.1: of several values the first counts, and what cannot be read is ignored.
    let value = fields::list(headers, &header::AGE)
        .next()
        .and_then(fields::number);
    let value = value
        .map(|seconds| Seconds::new(seconds).millis().0)
        .unwrap_or_default();
    let delay = times.received.0.saturating_sub(times.requested.0);
    Millis(apparent.max(value.saturating_add(delay)))
}

/// `current_age` of RFC 9111 §4.2.3.
pub(crate) fn current_age(initial: Millis, times: Times, now: Millis) -> Millis {
    Millis(
        initial
            .0
            .saturating_add(now.0.saturating_sub(times.received.0)),
    )
}
