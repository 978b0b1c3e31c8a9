//! One range of a whole stored response (RFC 9110 §14).

use http::{header, HeaderMap, HeaderValue, Method, StatusCode};

use crate::fields::{self, EntityTag};
use crate::{RequestHead, Rule, Stored};

/// What a request's `Range` comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RangeAnswer {
    /// The whole response.
    Whole {
        /// Why not a part.
        rule: Rule,
    },
    /// These bytes, with status 206.
    Part {
        /// First byte.
        start: u64,
        /// One past the last byte; greater than `start`.
        end: u64,
    },
    /// Status 416.
    NotSatisfiable,
}

/// Evaluates `Range` and `If-Range` against a response that may answer the request.
///
/// Only GET, only a stored 200, only one range: several at once get the whole, as RFC 9110 §14.2
/// allows and as protects from amplification by overlapping ones.
pub fn evaluate(request: &RequestHead<'_>, stored: &Stored) -> RangeAnswer {
    let mut lines = request.headers.get_all(header::RANGE).into_iter();
    let Some(value) = lines.next() else {
        return RangeAnswer::Whole { rule: Rule::Whole };
    };
    let ignored = RangeAnswer::Whole {
        rule: Rule::RangeIgnored,
    };
    if *request.method != Method::GET || stored.status() != StatusCode::OK || lines.next().is_some()
    {
        return ignored;
    }
    if !if_range_holds(request.headers, stored) {
        return RangeAnswer::Whole {
            rule: Rule::IfRange,
        };
    }
    parse(value).map_or(ignored, |spec| spec.resolve(stored.length()))
}

/// `Content-Range` of a part (RFC 9110 §14.4).
pub fn content_range(start: u64, end: u64, length: u64) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("bytes {start}-{}/{length}", end.checked_sub(1)?)).ok()
}

/// `Content-Range` of a 416.
pub fn unsatisfied_range(length: u64) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("bytes */{length}")).ok()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spec {
    FromTo(u64, Option<u64>),
    Last(u64),
}

impl Spec {
    fn resolve(self, length: u64) -> RangeAnswer {
        match self {
            Self::FromTo(start, _) if start >= length => RangeAnswer::NotSatisfiable,
            Self::FromTo(start, last) => {
                let end = last.map_or(length, |last| last.saturating_add(1).min(length));
                RangeAnswer::Part { start, end }
            }
            Self::Last(0) => RangeAnswer::NotSatisfiable,
            // A part of nothing has no `Content-Range`; the whole says the same.
            Self::Last(_) if length == 0 => RangeAnswer::Whole {
                rule: Rule::RangeIgnored,
            },
            Self::Last(count) => RangeAnswer::Part {
                start: length.saturating_sub(count),
                end: length,
            },
        }
    }
}

/// One range in bytes. `None` for other units, several ranges and whatever cannot be read: all of
/// these are ignored.
fn parse(value: &HeaderValue) -> Option<Spec> {
    let (unit, ranges) = value.to_str().ok()?.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let mut ranges = ranges
        .split(',')
        .map(str::trim)
        .filter(|range| !range.is_empty());
    let (first, last) = ranges.next()?.split_once('-')?;
    if ranges.next().is_some() {
        return None;
    }
    match (first.as_bytes(), last.as_bytes()) {
        (b"", last) => fields::number(last).map(Spec::Last),
        (first, b"") => fields::number(first).map(|first| Spec::FromTo(first, None)),
        (first, last) => {
            let (first, last) = (fields::number(first)?, fields::number(last)?);
            (first <= last).then_some(Spec::FromTo(first, Some(last)))
        }
    }
}

/// RFC 9110 §13.1.5: the same strong tag, or the same date where that date is a strong validator.
fn if_range_holds(headers: &HeaderMap, stored: &Stored) -> bool {
    let Some(value) = headers.get(header::IF_RANGE) else {
        return true;
    };
    if let Some(date) = fields::date(value) {
        // §8.8.2.2: a date is strong when it lies at least a second before the message's own.
        return stored.last_modified() == Some(date) && date.0 + 1000 <= stored.date().0;
    }
    let (Some(theirs), Some(own)) = (EntityTag::parse(value.as_bytes()), stored.etag()) else {
        return false;
    };
    own.is_strongly(&theirs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn resolved(value: &str, length: u64) -> Option<RangeAnswer> {
        parse(&HeaderValue::from_str(value).unwrap()).map(|spec| spec.resolve(length))
    }

    #[test]
    fn s14_1_2_ranges_and_suffixes() {
        let part = |start, end| Some(RangeAnswer::Part { start, end });
        assert_eq!(resolved("bytes=0-4", 10), part(0, 5));
        assert_eq!(resolved("BYTES = 2-", 10), part(2, 10));
        assert_eq!(resolved("bytes=-3", 10), part(7, 10));
        assert_eq!(resolved("bytes=-30", 10), part(0, 10));
        assert_eq!(resolved("bytes=9-99", 10), part(9, 10));
        assert_eq!(resolved("bytes=0-18446744073709551615", 10), part(0, 10));
        assert_eq!(resolved("bytes=0-99999999999999999999999", 10), part(0, 10));
    }

    #[test]
    fn s15_5_17_what_starts_behind_the_end_is_not_satisfiable() {
        for (value, length) in [("bytes=10-", 10), ("bytes=0-0", 0), ("bytes=-0", 10)] {
            assert_eq!(
                resolved(value, length),
                Some(RangeAnswer::NotSatisfiable),
                "{value}"
            );
        }
    }

    #[test]
    fn s14_2_what_cannot_be_read_is_ignored() {
        for value in [
            "bytes=5-4",
            "bytes=a-b",
            "bytes=",
            "bytes=-",
            "lines=1-2",
            "bytes=1",
            "bytes=0-1,3-4",
            "bytes=+1-2",
        ] {
            assert_eq!(resolved(value, 10), None, "{value}");
        }
    }

    proptest! {
        #[test]
        fn a_part_lies_inside_the_body(
            bytes in prop::collection::vec(any::<u8>(), 0..60),
            length in any::<u64>(),
        ) {
            if let Some(spec) = HeaderValue::from_bytes(&bytes).ok().and_then(|value| parse(&value)) {
                if let RangeAnswer::Part { start, end } = spec.resolve(length) {
                    prop_assert!(start < end && end <= length);
                }
            }
        }

        #[test]
        fn a_readable_range_is_clipped(
            first in any::<u64>(),
            last in any::<u64>(),
            length in any::<u64>(),
        ) {
            let got = resolved(&format!("bytes={first}-{last}"), length);
            let expected = if first > last {
                None
            } else if first >= length {
                Some(RangeAnswer::NotSatisfiable)
            } else {
                Some(RangeAnswer::Part { start: first, end: last.saturating_add(1).min(length) })
            };
            prop_assert_eq!(got, expected);
        }
    }
}
