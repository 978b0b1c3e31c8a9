use http::{Method, StatusCode};
use selvedge_edge_core_http_cache::{Answer, Body, Boundary, Policy};

use crate::testkit::{after, answer, date, fields, get, request, stored, stored_for, DATE_TEXT};

const LINES: [(&str, &str); 4] = [
    ("cache-control", "max-age=60"),
    ("etag", "\"1\""),
    ("content-type", "text/plain"),
    ("last-modified", "Sun, 06 Nov 1994 08:00:00 GMT"),
];

fn answered(request: &[(&str, &str)]) -> Answer {
    answer(&get(request).head(), &stored(&LINES), after(7))
}

fn status(lines: &[(&str, &str)], request: &[(&str, &str)]) -> u16 {
    answer(&get(request).head(), &stored(lines), after(7))
        .status
        .as_u16()
}

#[test]
fn s5_1_the_whole_answer_has_its_age_and_length() {
    let got = answered(&[]);
    assert_eq!(
        (got.status, got.body),
        (StatusCode::OK, Body::Bytes(0..1000))
    );
    let mut expected = fields(&LINES);
    expected.extend(fields(&[
        ("date", DATE_TEXT),
        ("age", "7"),
        ("content-length", "1000"),
        ("accept-ranges", "bytes"),
    ]));
    assert_eq!(got.headers, expected);
}

#[test]
fn s9_3_2_of_rfc_9110_head_is_get_without_the_bytes() {
    let whole = answered(&[]);
    let head = answer(
        &request(Method::HEAD, &[]).head(),
        &stored(&LINES),
        after(7),
    );
    assert_eq!(
        (head.status, &head.headers, head.body),
        (whole.status, &whole.headers, Body::None)
    );
    // A range means nothing to HEAD.
    let ranged = request(Method::HEAD, &[("range", "bytes=0-1")]);
    assert_eq!(
        answer(&ranged.head(), &stored(&LINES), after(7)).status,
        StatusCode::OK
    );
}

#[test]
fn s13_1_2_if_none_match_compares_weakly() {
    for value in ["\"1\"", "W/\"1\"", "\"0\", \"1\"", "*", " \"1\" "] {
        assert_eq!(
            answered(&[("if-none-match", value)]).status,
            StatusCode::NOT_MODIFIED,
            "{value}"
        );
    }
    for value in ["\"2\"", "1", "W/\"11\"", "\"0\",\"2\""] {
        assert_eq!(
            answered(&[("if-none-match", value)]).status,
            StatusCode::OK,
            "{value}"
        );
    }
    // Over all lines; and a response without a tag matches the star only.
    let lines = [("if-none-match", "\"0\""), ("if-none-match", "\"1\"")];
    assert_eq!(answered(&lines).status, StatusCode::NOT_MODIFIED);
    let untagged = [LINES[0]];
    assert_eq!(status(&untagged, &[("if-none-match", "\"1\"")]), 200);
    assert_eq!(status(&untagged, &[("if-none-match", "*")]), 304);
}

#[test]
fn s13_1_3_if_modified_since_counts_only_without_if_none_match() {
    let modified = LINES[3].1;
    assert_eq!(
        answered(&[("if-modified-since", modified)]).status,
        StatusCode::NOT_MODIFIED
    );
    assert_eq!(
        answered(&[("if-modified-since", &date(0))]).status,
        StatusCode::NOT_MODIFIED
    );
    let earlier = date(-7200);
    assert_eq!(
        answered(&[("if-modified-since", &earlier)]).status,
        StatusCode::OK
    );
    assert_eq!(
        answered(&[("if-modified-since", "yesterday")]).status,
        StatusCode::OK
    );
    let both = [("if-none-match", "\"2\""), ("if-modified-since", modified)];
    assert_eq!(answered(&both).status, StatusCode::OK);
    // Without a modification date the message's own date stands in (RFC 9111 §4.3.2).
    assert_eq!(
        status(&LINES[..1], &[("if-modified-since", DATE_TEXT)]),
        304
    );
    assert_eq!(
        status(&LINES[..1], &[("if-modified-since", &date(-1))]),
        200
    );
}

#[test]
fn s13_2_1_conditions_count_only_where_the_answer_is_a_success() {
    let policy = Policy::default();
    let stored = stored_for(&policy, &get(&[]), 404, &LINES);
    let got = answer(
        &get(&[("if-none-match", "\"1\"")]).head(),
        &stored,
        after(7),
    );
    assert_eq!((got.status.as_u16(), got.body), (404, Body::Bytes(0..1000)));
}

#[test]
fn s15_4_5_a_304_has_what_renews_and_nothing_that_describes_bytes() {
    let got = answered(&[("if-none-match", "\"1\"")]);
    assert_eq!(got.body, Body::None);
    let expected = [LINES[0], LINES[1], ("date", DATE_TEXT), ("age", "7")];
    assert_eq!(got.headers, fields(&expected));
}

#[test]
fn s14_2_one_range_is_a_part() {
    let got = answered(&[("range", "bytes=10-19")]);
    assert_eq!(
        (got.status, got.body),
        (StatusCode::PARTIAL_CONTENT, Body::Bytes(10..20))
    );
    assert_eq!(got.headers["content-range"], "bytes 10-19/1000");
    assert_eq!(got.headers["content-length"], "10");
    assert_eq!(
        answered(&[("range", "bytes=-1")]).body,
        Body::Bytes(999..1000)
    );
    assert_eq!(
        answered(&[("range", "bytes=990-")]).body,
        Body::Bytes(990..1000)
    );
}

#[test]
fn s14_6_several_ranges_are_a_message_of_parts() {
    let got = answered(&[("range", "bytes=10-19,900-901,-1")]);
    assert_eq!(got.status, StatusCode::PARTIAL_CONTENT);
    let boundary = "00000000000000000000000000000000";
    let head = |start: &str, range: &str| {
        let kind = "content-type: text/plain";
        format!("{start}--{boundary}\r\n{kind}\r\ncontent-range: bytes {range}/1000\r\n\r\n")
    };
    let Body::Parts(parts) = &got.body else {
        panic!("{got:?}");
    };
    let expected = [
        (head("", "10-19").into_bytes(), 10..20),
        (head("\r\n", "900-901").into_bytes(), 900..902),
        (head("\r\n", "999-999").into_bytes(), 999..1000),
    ];
    assert_eq!(parts.parts(), expected);
    let end = format!("\r\n--{boundary}--\r\n");
    assert_eq!(parts.end(), end.as_bytes());
    let octets: usize = expected.iter().map(|(head, _)| head.len()).sum();
    assert_eq!(parts.length() as usize, octets + 10 + 2 + 1 + end.len());
    assert_eq!(got.headers["content-length"], parts.length().to_string());
    let kind = format!("multipart/byteranges; boundary={boundary}");
    assert_eq!(got.headers["content-type"], kind);
    // RFC 9110 §15.3.7.2: that would be taken for one part.
    assert!(!got.headers.contains_key("content-range"));
}

#[test]
fn s15_3_7_2_parts_come_in_the_order_they_were_asked_for() {
    let are_ascending = |value: &str| match answered(&[("range", value)]).body {
        Body::Parts(parts) => parts.are_ascending(),
        other => panic!("{other:?}"),
    };
    assert!(are_ascending("bytes=0-1,5-6"));
    assert!(!are_ascending("bytes=5-6,0-1"));
}

#[test]
fn s14_6_each_answer_has_a_boundary_of_its_own() {
    let request = get(&[("range", "bytes=0-1,5-6")]);
    let kind = |random| {
        let boundary = Boundary::new(random);
        let stored = stored(&LINES);
        let got =
            selvedge_edge_core_http_cache::answer(&request.head(), &stored, after(7), boundary);
        got.headers["content-type"].clone()
    };
    assert_ne!(kind([1; 16]), kind([2; 16]));
}

#[test]
fn s14_2_ranges_that_cost_more_than_the_whole_get_the_whole() {
    let whole = (StatusCode::OK, Body::Bytes(0..1000));
    for value in [
        "bytes=0-500,502-999",
        "bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22",
        "bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,24-24,26-26,28-28,30-30,32-32",
    ] {
        let got = answered(&[("range", value)]);
        assert_eq!((got.status, got.body), whole, "{value}");
    }
    let twice = [("range", "bytes=0-1"), ("range", "bytes=5-6")];
    assert_eq!(answered(&twice).status, StatusCode::OK);
    // Over and over the same is the same once.
    let same = answered(&[("range", "bytes=0-9,0-9,5-9,0-4")]);
    assert_eq!(same.body, Body::Bytes(0..10));
}

#[test]
fn s8_4_parts_of_what_is_coded_are_not_mixed() {
    let coded = [LINES[0], ("content-encoding", "gzip")];
    assert_eq!(status(&coded, &[("range", "bytes=0-1,5-6")]), 200);
    assert_eq!(status(&coded, &[("range", "bytes=0-1")]), 206);
}

#[test]
fn rfc_9530_s2_a_sum_of_the_message_is_not_one_of_its_part() {
    let lines = [
        LINES[0],
        ("content-digest", "sha-256=:AA==:"),
        ("content-md5", "AA=="),
        ("repr-digest", "sha-256=:AA==:"),
    ];
    for (value, is_part) in [("bytes=0-1", true), ("bytes=0-1,5-6", true), ("x=1", false)] {
        let request = get(&[("range", value)]);
        let got = answer(&request.head(), &stored(&lines), after(7));
        assert_eq!(
            !got.headers.contains_key("content-digest"),
            is_part,
            "{value}"
        );
        assert_eq!(!got.headers.contains_key("content-md5"), is_part, "{value}");
        assert!(got.headers.contains_key("repr-digest"), "{value}");
    }
}

#[test]
fn s15_5_17_a_range_behind_the_end_is_416_with_the_length() {
    let got = answered(&[("range", "bytes=1000-")]);
    assert_eq!(
        (got.status, got.body),
        (StatusCode::RANGE_NOT_SATISFIABLE, Body::None)
    );
    let expected = [
        ("cache-control", "no-store"),
        ("date", DATE_TEXT),
        ("accept-ranges", "bytes"),
        ("content-range", "bytes */1000"),
        ("content-length", "0"),
    ];
    assert_eq!(got.headers, fields(&expected));
}

#[test]
fn s13_1_5_if_range_wants_the_very_same_bytes() {
    let part = |value: &str| {
        answered(&[("range", "bytes=0-9"), ("if-range", value)])
            .status
            .as_u16()
    };
    assert_eq!(part("\"1\""), 206);
    for value in ["W/\"1\"", "\"2\"", "nonsense", &date(0)] {
        assert_eq!(part(value), 200, "{value}");
    }
    assert_eq!(part(LINES[3].1), 206);
    let twice = [
        ("range", "bytes=0-9"),
        ("if-range", "\"1\""),
        ("if-range", "\"1\""),
    ];
    assert_eq!(answered(&twice).status, StatusCode::OK);
    let several = [("range", "bytes=0-9,50-59"), ("if-range", "\"2\"")];
    assert_eq!(answered(&several).status, StatusCode::OK);
    // §13.1.5: without a range it means nothing.
    assert_eq!(answered(&[("if-range", "\"1\"")]).status, StatusCode::OK);
    // A change within the second of the message's own date could be followed by another one.
    let young = [LINES[0], ("last-modified", DATE_TEXT)];
    assert_eq!(
        status(&young, &[("range", "bytes=0-9"), ("if-range", DATE_TEXT)]),
        200
    );
    let weak = [LINES[0], ("etag", "W/\"1\"")];
    assert_eq!(
        status(&weak, &[("range", "bytes=0-9"), ("if-range", "W/\"1\"")]),
        200
    );
}

#[test]
fn s14_2_ranges_are_of_200_only() {
    let policy = Policy::default();
    let missing = stored_for(&policy, &get(&[]), 404, &LINES);
    let got = answer(&get(&[("range", "bytes=0-1")]).head(), &missing, after(7));
    assert_eq!((got.status.as_u16(), got.body), (404, Body::Bytes(0..1000)));
    assert!(!got.headers.contains_key("accept-ranges"));
}

#[test]
fn s13_2_2_a_304_comes_before_a_range() {
    let both = [("if-none-match", "\"1\""), ("range", "bytes=0-1")];
    assert_eq!(answered(&both).status, StatusCode::NOT_MODIFIED);
}

#[test]
fn a_status_without_a_body_has_no_length() {
    let empty = stored_for(&Policy::default(), &get(&[]), 204, &LINES[..1]);
    let got = answer(&get(&[]).head(), &empty, after(7));
    assert_eq!((got.status.as_u16(), got.body), (204, Body::None));
    assert!(!got.headers.contains_key("content-length"));
}
