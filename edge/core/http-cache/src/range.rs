//! Ranges of a whole stored response (RFC 9110 §14).

use core::ops::Range;

use http::{header, HeaderMap, HeaderValue, Method, StatusCode};

use crate::fields::{self, EntityTag};
use crate::{RequestHead, Rule, Stored};

/// The most ranges that one request is answered with; one that wants more gets the whole.
pub const MAX_RANGES: usize = 16;

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
    /// Two parts or more in the order they were asked for, with status 206. None of them is empty,
    /// overlaps another or touches one.
    Parts(Vec<Range<u64>>),
    /// Status 416.
    NotSatisfiable,
}

/// Evaluates `Range` and `If-Range` against a response that may answer the request.
///
/// Only GET, and only a stored 200. Of several ranges those that overlap or touch are one; more than
/// [`MAX_RANGES`] get the whole, as RFC 9110 §14.2 allows.
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
    parse(value).map_or(ignored, |specs| resolve(&specs, stored.length()))
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
    /// What it selects of so many bytes; nothing when it is not satisfiable, and an empty range for
    /// the end of nothing.
    fn resolve(self, length: u64) -> Option<Range<u64>> {
        match self {
            Self::FromTo(start, _) if start >= length => None,
            Self::FromTo(start, last) => {
                let end = last.map_or(length, |last| last.saturating_add(1).min(length));
                Some(start..end)
            }
            Self::Last(0) => None,
            Self::Last(count) => Some(length.saturating_sub(count)..length),
        }
    }
}

/// What a set of ranges comes to. Those behind the end count only when there are no others.
fn resolve(specs: &[Spec], length: u64) -> RangeAnswer {
    let mut parts = Vec::new();
    for part in specs.iter().filter_map(|spec| spec.resolve(length)) {
        // A part of nothing has no `Content-Range`; the whole says the same.
        if part.is_empty() {
            return RangeAnswer::Whole {
                rule: Rule::RangeIgnored,
            };
        }
        join(&mut parts, part);
    }
    match parts.as_slice() {
        [] => RangeAnswer::NotSatisfiable,
        [part] => RangeAnswer::Part {
            start: part.start,
            end: part.end,
        },
        _ => RangeAnswer::Parts(parts),
    }
}

/// Adds a part, as one with those that it overlaps or touches, in the place of the first of them
/// (RFC 9110 §15.3.7.2).
pub(crate) fn join(parts: &mut Vec<Range<u64>>, mut part: Range<u64>) {
    let mut place = None;
    let mut index = 0;
    while let Some(other) = parts.get(index) {
        if other.start <= part.end && part.start <= other.end {
            part = part.start.min(other.start)..part.end.max(other.end);
            parts.remove(index);
            place.get_or_insert(index);
        } else {
            index += 1;
        }
    }
    parts.insert(place.unwrap_or(parts.len()), part);
}

/// Ranges in bytes. `None` for other units, too many ranges and whatever cannot be read: all of
/// these are ignored.
fn parse(value: &HeaderValue) -> Option<Vec<Spec>> {
    let (unit, ranges) = value.to_str().ok()?.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let mut specs = Vec::new();
    let ranges = ranges.split(',').map(str::trim);
    for range in ranges.filter(|range| !range.is_empty()) {
        if specs.len() >= MAX_RANGES {
            return None;
        }
        specs.push(spec(range)?);
    }
    (!specs.is_empty()).then_some(specs)
}

fn spec(range: &str) -> Option<Spec> {
    let (first, last) = range.split_once('-')?;
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
    let mut lines = headers.get_all(header::IF_RANGE).into_iter();
    let Some(value) = lines.next() else {
        return true;
    };
    if lines.next().is_some() {
        return false;
    }
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
        parse(&HeaderValue::from_str(value).unwrap()).map(|specs| resolve(&specs, length))
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
    fn s14_1_2_the_end_of_nothing_is_the_whole() {
        let whole = Some(RangeAnswer::Whole {
            rule: Rule::RangeIgnored,
        });
        assert_eq!(resolved("bytes=-5", 0), whole);
        assert_eq!(resolved("bytes=0-, -5", 0), whole);
    }

    #[test]
    fn s15_3_7_2_several_in_their_order_and_what_meets_is_one() {
        let several = |value, expected: &[Range<u64>]| {
            let expected = match expected {
                [one] => RangeAnswer::Part {
                    start: one.start,
                    end: one.end,
                },
                _ => RangeAnswer::Parts(expected.to_vec()),
            };
            assert_eq!(resolved(value, 100), Some(expected), "{value}");
        };
        several("bytes=0-1,5-6", &[0..2, 5..7]);
        several("bytes=5-6 , 0-1,", &[5..7, 0..2]);
        several("bytes=0-0,-1", &[0..1, 99..100]);
        several("bytes=0-4,5-9", std::slice::from_ref(&(0..10)));
        several("bytes=5-9,0-4", std::slice::from_ref(&(0..10)));
        several("bytes=0-9,2-3,20-29,8-11", &[0..12, 20..30]);
        several("bytes=0-1,10-11,20-21,1-20", std::slice::from_ref(&(0..22)));
        several("bytes=50-51,0-1,10-11,2-9", &[50..52, 0..12]);
        several("bytes=0-1,500-600,5-5", &[0..2, 5..6]);
        several("bytes=500-600,5-5", std::slice::from_ref(&(5..6)));
    }

    #[test]
    fn s15_5_17_what_starts_behind_the_end_is_not_satisfiable() {
        for (value, length) in [
            ("bytes=10-", 10),
            ("bytes=0-0", 0),
            ("bytes=-0", 10),
            ("bytes=10-11,-0,20-", 10),
        ] {
            assert_eq!(
                resolved(value, length),
                Some(RangeAnswer::NotSatisfiable),
                "{value}"
            );
        }
    }

    #[test]
    fn s14_2_what_cannot_be_read_or_is_too_much_is_ignored() {
        let many = |count: u64| {
            let ranges: Vec<_> = (0..count).map(|n| format!("{}-{}", 3 * n, 3 * n)).collect();
            format!("bytes={}", ranges.join(","))
        };
        for value in [
            "bytes=5-4",
            "bytes=a-b",
            "bytes=",
            "bytes=,",
            "bytes=-",
            "lines=1-2",
            "bytes=1",
            "bytes=0-1,3",
            "bytes=0-1,4-3",
            "bytes=+1-2",
            &many(17),
        ] {
            assert_eq!(resolved(value, 10), None, "{value}");
        }
        let Some(RangeAnswer::Parts(parts)) = resolved(&many(16), 100) else {
            panic!("sixteen are few");
        };
        assert_eq!(parts.len(), 16);
    }

    proptest! {
        #[test]
        fn parts_lie_inside_the_body_and_apart(
            bytes in prop::collection::vec(any::<u8>(), 0..60),
            length in any::<u64>(),
        ) {
            if let Some(specs) = HeaderValue::from_bytes(&bytes).ok().and_then(|value| parse(&value)) {
                match resolve(&specs, length) {
                    RangeAnswer::Part { start, end } => prop_assert!(start < end && end <= length),
                    RangeAnswer::Parts(parts) => prop_assert!(parts.iter().all(|part| part.end <= length)),
                    _ => {}
                }
            }
        }

        #[test]
        fn several_ranges_select_each_byte_that_one_of_them_does_once(
            ranges in prop::collection::vec((0u64..70, 0u64..20), 1..=MAX_RANGES),
            length in 1u64..60,
        ) {
            let text: Vec<_> = ranges.iter().map(|(at, more)| format!("{at}-{}", at + more)).collect();
            let got = resolved(&format!("bytes={}", text.join(",")), length).unwrap();
            let parts = match got {
                RangeAnswer::Part { start, end } => std::iter::once(start..end).collect(),
                RangeAnswer::Parts(parts) => parts,
                _ => vec![],
            };
            let is_asked = |byte: &u64| ranges.iter().any(|(at, more)| (*at..=at + more).contains(byte));
            for byte in 0..length {
                let times = parts.iter().filter(|part| part.contains(&byte)).count();
                prop_assert_eq!(times, usize::from(is_asked(&byte)), "byte {}", byte);
            }
            for (index, part) in parts.iter().enumerate() {
                prop_assert!(!part.is_empty() && part.end <= length);
                for other in &parts[index + 1..] {
                    prop_assert!(other.end < part.start || part.end < other.start);
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
