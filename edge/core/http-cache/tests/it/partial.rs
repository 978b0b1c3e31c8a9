// One range is meant where one stands.
#![allow(clippy::single_range_in_vec_init)]

use core::ops::Range;

use http::{Method, StatusCode};
use selvedge_edge_core_http_cache::{
    Answer, Body, Boundary, KeptPart, PartDecision, Partial, PartialReuse, Policy, ResponseHead,
    Rule, Times,
};
use selvedge_primitives_types::Millis;

use crate::testkit::{after, at_once, date, fields, get, request, Request};

const MINUTE: (&str, &str) = ("cache-control", "max-age=60");
const TAG: (&str, &str) = ("etag", "\"1\"");

fn decide(request: &Request, lines: &[(&str, &str)], times: Times) -> PartDecision {
    let mut headers = fields(lines);
    if !headers.contains_key("date") {
        let now = date((times.received.0 - at_once().received.0) as i64 / 1_000);
        headers.extend(fields(&[("date", &now)]));
    }
    let response = ResponseHead {
        status: StatusCode::PARTIAL_CONTENT,
        headers: &headers,
    };
    Policy::default().part_decision(&request.head(), &response, times)
}

fn asked() -> Request {
    get(&[("range", "bytes=0-9")])
}

fn rule(lines: &[(&str, &str)]) -> Option<Rule> {
    match decide(&asked(), lines, at_once()) {
        PartDecision::Keep(_) => None,
        PartDecision::Pass { rule } => Some(rule),
    }
}

fn seconds(seconds: u64) -> Times {
    Times {
        requested: after(seconds),
        received: after(seconds),
    }
}

fn part_at(lines: &[(&str, &str)], range: Range<u64>, times: Times) -> KeptPart {
    let place = format!("bytes {}-{}/1000", range.start, range.end - 1);
    let mut all = vec![("content-range", place.as_str())];
    all.extend_from_slice(lines);
    match decide(&asked(), &all, times) {
        PartDecision::Keep(part) => *part,
        PartDecision::Pass { rule } => panic!("{rule}"),
    }
}

fn part(range: Range<u64>) -> KeptPart {
    part_at(&[MINUTE, TAG], range, at_once())
}

fn partial(ranges: &[Range<u64>]) -> Partial {
    let policy = Policy::default();
    let (first, others) = ranges.split_first().unwrap();
    let first = Partial::new(&part(first.clone()), at_once(), &policy);
    others.iter().fold(first, |partial, range| {
        let part = part(range.clone());
        partial.combine(&part, at_once(), &policy).unwrap()
    })
}

fn reuse(partial: &Partial, lines: &[(&str, &str)], now: Millis) -> PartialReuse {
    let request = get(lines);
    Policy::default().partial_decision(&request.head(), partial, now, Boundary::default())
}

fn ranged(partial: &Partial, range: &str) -> PartialReuse {
    reuse(partial, &[("range", range)], after(1))
}

fn answered(reuse: PartialReuse) -> Answer {
    match reuse {
        PartialReuse::Answer(answer) => *answer,
        other => panic!("{other:?}"),
    }
}

#[test]
fn s3_3_a_part_is_kept_where_it_is_sure_what_it_is_of() {
    let place = ("content-range", "bytes 0-9/1000");
    let kept = match decide(&asked(), &[MINUTE, TAG, place], at_once()) {
        PartDecision::Keep(part) => *part,
        PartDecision::Pass { rule } => panic!("{rule}"),
    };
    assert_eq!((kept.range, kept.length), (0..10, 1000));
    for name in ["content-range", "content-length"] {
        assert!(!kept.kept.headers.contains_key(name), "{name}");
    }
    for bad in [
        "bytes 0-9/*",
        "bytes */1000",
        "bytes 9-0/1000",
        "bytes 0-1000/1000",
        "lines 0-9/1000",
        "bytes=0-9/1000",
        "bytes 0-9/99999999999999999999999",
        "bytes 0-9",
        "",
    ] {
        let lines = [MINUTE, TAG, ("content-range", bad)];
        assert_eq!(rule(&lines), Some(Rule::Incomplete), "{bad}");
    }
    assert_eq!(rule(&[MINUTE, TAG]), Some(Rule::Incomplete));
    assert_eq!(rule(&[MINUTE, TAG, place, place]), Some(Rule::Incomplete));
    // RFC 9110 §15.3.7: what nobody asked for answers nothing.
    let unasked = decide(&get(&[]), &[MINUTE, TAG, place], at_once());
    assert!(matches!(unasked, PartDecision::Pass { .. }));
}

#[test]
fn s3_3_a_part_that_contradicts_its_length_is_not_kept() {
    let place = ("content-range", "bytes 0-9/1000");
    assert_eq!(rule(&[MINUTE, TAG, place, ("content-length", "10")]), None);
    let short = [MINUTE, TAG, place, ("content-length", "9")];
    assert_eq!(rule(&short), Some(Rule::Incomplete));
}

#[test]
fn s3_a_part_is_for_sharing_as_the_whole_would_be() {
    let place = ("content-range", "bytes 0-9/1000");
    for (value, expected) in [
        ("no-store", Rule::ResponseNoStore),
        ("private", Rule::Private),
    ] {
        assert_eq!(
            rule(&[("cache-control", value), TAG, place]),
            Some(expected)
        );
    }
    let cookie = [MINUTE, TAG, place, ("set-cookie", "a=b")];
    assert_eq!(rule(&cookie), Some(Rule::SetCookie));
    let secret = get(&[("range", "bytes=0-9"), ("authorization", "Basic eDp5")]);
    let decision = decide(&secret, &[MINUTE, TAG, place], at_once());
    let rule = Rule::Authorization;
    assert_eq!(decision, PartDecision::Pass { rule });
}

#[test]
fn s3_4_only_a_strong_validator_says_what_a_part_is_of() {
    let place = ("content-range", "bytes 0-9/1000");
    let modified = date(-1);
    let same_second = date(0);
    for (lines, expected) in [
        (vec![TAG], None),
        (vec![("etag", "W/\"1\"")], Some(Rule::NoStrongValidator)),
        (vec![("etag", "1")], Some(Rule::NoStrongValidator)),
        (vec![], Some(Rule::NoStrongValidator)),
        (vec![("last-modified", modified.as_str())], None),
        (
            vec![("last-modified", same_second.as_str())],
            Some(Rule::NoStrongValidator),
        ),
        (
            vec![("etag", "W/\"1\""), ("last-modified", modified.as_str())],
            Some(Rule::NoStrongValidator),
        ),
    ] {
        let mut all = vec![MINUTE, place];
        all.extend(&lines);
        assert_eq!(rule(&all), expected, "{lines:?}");
    }
}

#[test]
fn s3_4_parts_of_the_same_are_one() {
    let all = partial(&[0..10, 20..30, 10..15, 16..18]);
    assert_eq!(all.held(), [0..15, 16..18, 20..30]);
    assert!(all.has(&(3..12)) && !all.has(&(3..16)) && !all.is_complete());
    let all = partial(&[500..1000, 0..400, 300..600]);
    assert_eq!(all.held(), [0..1000]);
    assert!(all.is_complete());
}

#[test]
fn s3_4_parts_of_different_things_are_never_one() {
    let policy = Policy::default();
    let first = partial(&[0..10]);
    let modified = date(-5);
    for lines in [
        vec![MINUTE, ("etag", "\"2\"")],
        vec![MINUTE, ("last-modified", modified.as_str())],
        vec![MINUTE, TAG, ("vary", "accept")],
    ] {
        let other = part_at(&lines, 10..20, at_once());
        let got = first.combine(&other, at_once(), &policy);
        assert_eq!(got.err(), Some(Rule::ValidatorMismatch), "{lines:?}");
    }
    let mut longer = part(10..20);
    longer.length = 1001;
    let got = first.combine(&longer, at_once(), &policy);
    assert_eq!(got.err(), Some(Rule::ValidatorMismatch));
}

#[test]
fn s3_4_the_newer_fields_count_for_all_parts() {
    let policy = Policy::default();
    let lines = [MINUTE, TAG, ("x-a", "old"), ("x-b", "old"), ("age", "30")];
    let first = Partial::new(&part_at(&lines, 0..10, at_once()), at_once(), &policy);
    let lines = [("cache-control", "max-age=5"), TAG, ("x-a", "new")];
    let next = part_at(&lines, 10..20, seconds(20));
    let both = first.combine(&next, seconds(20), &policy).unwrap();
    let headers = both.stored().headers();
    assert_eq!(
        (&headers["x-a"], &headers["x-b"]),
        (&"new".parse().unwrap(), &"old".parse().unwrap())
    );
    assert!(!headers.contains_key("age"));
    assert_eq!(both.stored().time_to_live(after(21)), 4_000);
}

#[test]
fn s5_2_2_7_what_a_newer_part_withholds_is_gone_from_all() {
    let policy = Policy::default();
    let first = part_at(&[MINUTE, TAG, ("x-a", "1")], 0..10, at_once());
    let first = Partial::new(&first, at_once(), &policy);
    let said = ("cache-control", "max-age=60, private=\"x-a\"");
    let next = part_at(&[said, TAG, ("x-a", "2")], 10..20, at_once());
    let both = first.combine(&next, at_once(), &policy).unwrap();
    assert!(!both.stored().headers().contains_key("x-a"));
}

#[test]
fn s3_4_parts_that_are_held_apart_are_bounded() {
    let policy = Policy::default();
    let ranges: Vec<_> = (0..64).map(|n| 3 * n..3 * n + 1).collect();
    let full = partial(&ranges);
    assert_eq!(full.held().len(), 64);
    let got = full.combine(&part(900..901), at_once(), &policy);
    assert_eq!(got.err(), Some(Rule::Limit));
    // What fills a gap is no further part.
    let got = full.combine(&part(1..3), at_once(), &policy).unwrap();
    assert_eq!(got.held().len(), 63);
}

#[test]
fn s3_3_what_is_held_answers_and_only_that() {
    let some = partial(&[0..100, 990..1000]);
    for (range, expected) in [
        ("bytes=0-99", 0..100),
        ("bytes=5-5", 5..6),
        ("bytes=-10", 990..1000),
        ("bytes=-3", 997..1000),
        ("bytes=995-2000", 995..1000),
    ] {
        let answer = answered(ranged(&some, range));
        assert_eq!(answer.status, StatusCode::PARTIAL_CONTENT, "{range}");
        assert_eq!(answer.body, Body::Bytes(expected), "{range}");
        assert_eq!(answer.headers["age"], "1");
    }
    let answer = answered(ranged(&some, "bytes=5-6,-1"));
    assert!(matches!(answer.body, Body::Parts(_)));
    let beyond = answered(ranged(&some, "bytes=1000-"));
    assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);
    for range in ["bytes=100-200", "bytes=500-500", "bytes=5-6,500-501"] {
        let rule = Rule::Incomplete;
        assert_eq!(
            ranged(&some, range),
            PartialReuse::Fetch { rule },
            "{range}"
        );
    }
}

#[test]
fn s3_4_what_is_missing_is_asked_for_on_condition() {
    let some = partial(&[0..100, 400..500, 990..1000]);
    for (range, missing) in [
        ("bytes=50-149", 100..150),
        ("bytes=300-450", 300..400),
        ("bytes=50-450", 100..400),
        ("bytes=50-995", 100..990),
        ("bytes=0-", 100..990),
        ("bytes=450-600", 500..601),
    ] {
        let PartialReuse::Complete {
            answer,
            missing: got,
            fields,
        } = ranged(&some, range)
        else {
            panic!("{range}");
        };
        assert_eq!(got, missing, "{range}");
        let wanted = format!("bytes={}-{}", missing.start, missing.end - 1);
        assert_eq!(
            (&fields["range"], fields.len()),
            (&wanted.parse().unwrap(), 2)
        );
        assert_eq!(fields["if-range"], "\"1\"");
        assert_eq!(answer.status, StatusCode::PARTIAL_CONTENT);
    }
    // RFC 9111 §3.3: a part is not the whole, but the rest completes it.
    let PartialReuse::Complete {
        answer, missing, ..
    } = reuse(&some, &[], after(1))
    else {
        panic!("the whole was asked for");
    };
    assert_eq!((answer.status.as_u16(), missing), (200, 100..990));
}

#[test]
fn s3_4_the_whole_of_it_is_a_200() {
    let all = partial(&[0..600, 600..1000]);
    let answer = answered(reuse(&all, &[], after(1)));
    assert_eq!(
        (answer.status.as_u16(), answer.body),
        (200, Body::Bytes(0..1000))
    );
    assert!(!answer.headers.contains_key("content-range"));
}

#[test]
fn s4_2_a_stale_part_answers_nobody() {
    let some = partial(&[0..100]);
    let got = reuse(&some, &[("range", "bytes=0-9")], after(60));
    assert_eq!(got, PartialReuse::Fetch { rule: Rule::Stale });
    let lines = [("range", "bytes=0-9"), ("cache-control", "no-cache")];
    let rule = Rule::RequestNoCache;
    assert_eq!(reuse(&some, &lines, after(1)), PartialReuse::Fetch { rule });
}

#[test]
fn s4_3_2_conditions_count_for_parts_too() {
    let some = partial(&[0..100]);
    let lines = [("range", "bytes=0-9"), ("if-none-match", "\"1\"")];
    let answer = answered(reuse(&some, &lines, after(1)));
    assert_eq!(answer.status, StatusCode::NOT_MODIFIED);
    // RFC 9110 §13.1.5: of another representation, so the whole is wanted.
    let lines = [("range", "bytes=0-9"), ("if-range", "\"0\"")];
    let got = reuse(&some, &lines, after(1));
    let PartialReuse::Complete {
        answer, missing, ..
    } = got
    else {
        panic!("{got:?}");
    };
    assert_eq!((answer.status.as_u16(), missing), (200, 100..1000));
}

#[test]
fn s3_3_only_get_is_answered_from_parts() {
    let some = partial(&[0..1000]);
    let head = request(Method::HEAD, &[]);
    let policy = Policy::default();
    let got = policy.partial_decision(&head.head(), &some, after(1), Boundary::default());
    assert_eq!(got, PartialReuse::Fetch { rule: Rule::Method });
}

mod laws {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever comes in whatever order, what is answered is of one version, byte for byte.
        #[test]
        fn s3_4_no_answer_mixes_versions(
            arrivals in prop::collection::vec((0u8..3, 0u64..60, 1u64..30), 1..20),
            asks in prop::collection::vec((0u64..60, 0u64..40), 1..6),
        ) {
            let policy = Policy::default();
            // The version of each byte that is kept, as who keeps the bytes would know it.
            let mut kept: [Option<u8>; 1000] = [None; 1000];
            let mut held: Option<(u8, Partial)> = None;
            for (version, start, length) in arrivals {
                let tag = format!("\"{version}\"");
                let range = start..start + length;
                let part = part_at(&[MINUTE, ("etag", &tag)], range.clone(), at_once());
                let combined = held
                    .as_ref()
                    .and_then(|(_, partial)| partial.combine(&part, at_once(), &policy).ok());
                if combined.is_none() {
                    kept = [None; 1000];
                }
                let next = combined.unwrap_or_else(|| Partial::new(&part, at_once(), &policy));
                held = Some((version, next));
                for byte in range {
                    kept[byte as usize] = Some(version);
                }
            }
            let (version, partial) = held.unwrap();
            for (first, more) in asks {
                let range = format!("bytes={first}-{}", first + more);
                if let PartialReuse::Answer(answer) = ranged(&partial, &range) {
                    let Body::Bytes(bytes) = answer.body else {
                        panic!("one range");
                    };
                    prop_assert_eq!(bytes.clone(), first..first + more + 1);
                    for byte in bytes {
                        prop_assert_eq!(kept[byte as usize], Some(version));
                    }
                }
            }
            for byte in 0..1000u64 {
                let is_held = partial.held().iter().any(|range| range.contains(&byte));
                prop_assert_eq!(is_held, kept[byte as usize].is_some(), "byte {}", byte);
            }
        }
    }
}
