//! Visitors who want others to get what they chose: nothing is stored that depends on what the next
//! visitor does not say as well.

use crate::{framing::raw_site, net};
use selvedge_edge_tools_testkit::{content, script::content_of, Ask, Net, RawOrigin, Reply};

/// What a target's second visitor gets, who says nothing special.
async fn is_clean(net: &Net, target: &str, case: &str) {
    let answer = net.visitor(0).get(target).await;
    assert_eq!(
        (answer.status.as_u16(), answer.body.to_vec()),
        (200, content(target)),
        "{case}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_that_an_origin_might_obey_stay_here() {
    let net = net(1, 1).await;
    for (number, (name, value)) in [
        ("x-original-url", "/admin"),
        ("x-original-uri", "/admin"),
        ("x-rewrite-url", "/admin"),
        ("x-http-method-override", "DELETE"),
        ("x-http-method", "DELETE"),
        ("x-method-override", "DELETE"),
        ("x-host", "evil.test"),
        ("x-original-host", "evil.test"),
        ("x-forwarded-server", "evil.test"),
        ("x-forwarded-port", "1337"),
        ("x-forwarded-scheme", "nothttps"),
        ("x-forwarded-prefix", "/evil"),
        ("x-forwarded-path", "/evil"),
        ("x-url-scheme", "nothttps"),
        ("front-end-https", "on"),
        ("forwarded", "host=evil.test;proto=https"),
        ("x-real-ip", "127.0.0.1"),
        ("x-client-ip", "127.0.0.1"),
        ("client-ip", "127.0.0.1"),
        ("true-client-ip", "127.0.0.1"),
        ("content-type", "text/html"),
        ("content-encoding", "evil"),
        ("range", "bytes=0-0"),
        ("if-range", "\"v1\""),
        ("if-none-match", "\"v1\""),
        ("if-modified-since", "Thu, 01 Jan 2099 00:00:00 GMT"),
        ("expect", "100-continue"),
        ("te", "gzip"),
        ("trailer", "x-evil"),
        ("proxy-authorization", "Basic x"),
    ]
    .into_iter()
    .enumerate()
    {
        let target = format!("/poison/{number}?cc=max-age=600&etag=1");
        let ask = Ask::get(&target).field(name, value);
        let status = net.visitor(0).ask(ask).await.unwrap().status.as_u16();
        assert!(matches!(status, 200 | 206 | 304), "{name}: {status}");
        is_clean(&net, &target, name).await;
        let seen = net.origin.seen();
        let seen: Vec<_> = seen.iter().filter(|seen| seen.target == target).collect();
        assert_eq!(seen.len(), 1, "{name}: it was stored");
        assert!(!seen[0].fields.contains_key(name), "{name}: {seen:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_visitor_says_of_its_way_is_not_believed() {
    let net = net(1, 1).await;
    for cc in ["max-age=600", "no-store"] {
        let target = format!("/way?cc={cc}");
        let ask = Ask::get(&target)
            .field("x-forwarded-host", "evil.test")
            .field("x-forwarded-proto", "https")
            .field("x-forwarded-for", "198.51.100.1")
            .field("x-forwarded-for", "198.51.100.2")
            .field("x-forwarded-port", "443")
            .field("forwarded", "for=198.51.100.1;host=evil.test")
            .field("via", "1.1 one")
            .field("via", "1.1 two")
            .field("cdn-loop", "one")
            .field("cdn-loop", "two")
            .field("x-request-id", "a\" , \"b");
        net.visitor(0).ask(ask).await.unwrap();
        let seen = net.origin.seen().pop().unwrap();
        assert_eq!(seen.target, target);
        for (name, expected) in [
            ("x-forwarded-host", &["site.test"][..]),
            ("x-forwarded-proto", &["http"]),
            (
                "x-forwarded-for",
                &["198.51.100.1, 198.51.100.2, 127.0.0.1"],
            ),
            ("x-forwarded-port", &[]),
            ("forwarded", &[]),
            ("via", &["1.1 one, 1.1 two, 1.1 selvedge"]),
            ("cdn-loop", &["one, two, selvedge"]),
        ] {
            let lines: Vec<_> = seen.fields.get_all(name).iter().collect();
            assert_eq!(lines, expected, "{name}");
        }
        let id = seen.fields["x-request-id"].to_str().unwrap();
        assert!(id.bytes().all(|octet| octet.is_ascii_hexdigit()), "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loop_is_seen_in_any_line_and_spelling() {
    let net = net(1, 1).await;
    for lines in [
        &["selvedge"][..],
        &["SELVEDGE; v=1"],
        &["one", "two, selvedge"],
        &["one;a=\"b\" ,\tselvedge ;c=d"],
    ] {
        let ask = lines
            .iter()
            .fold(Ask::get("/loop"), |ask, line| ask.field("cdn-loop", line));
        let answer = net.visitor(0).ask(ask).await.unwrap();
        assert_eq!(
            (answer.status.as_u16(), answer.reason().as_str()),
            (508, "loop")
        );
    }
    assert!(net.origin.seen().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_taken_away_by_connection_chooses_nothing() {
    let net = net(1, 1).await;
    let target = "/chosen?cc=max-age=600&vary=accept-language";
    let german = Ask::get(target).field("accept-language", "de");
    let without = german.clone().field("connection", "accept-language");
    // The origin does not get the field, so this is the page of those who have none.
    let answer = net.visitor(0).ask(without).await.unwrap();
    assert_eq!(answer.body, content_of(target, b"", 1));
    for _ in 0..2 {
        let answer = net.visitor(0).ask(german.clone()).await.unwrap();
        assert_eq!(answer.body, content_of(target, b"de", 1));
        assert_eq!(
            net.visitor(0).get(target).await.body,
            content_of(target, b"", 1)
        );
    }
    assert_eq!(net.origin.count(target), 2);
    // Nor does it take away what decides about sharing.
    let target = "/secret?cc=max-age=600";
    for (name, value) in [("authorization", "Basic x"), ("cookie", "a=b")] {
        let ask = Ask::get(target)
            .field(name, value)
            .field("connection", name);
        net.visitor(0).ask(ask).await.unwrap();
    }
    is_clean(&net, target, "connection").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_varies_by_the_visitor_itself_is_for_that_visitor() {
    let net = net(1, 1).await;
    for name in [
        "x-forwarded-for",
        "X-Request-Id",
        "via",
        "cdn-loop",
        "accept,%20x-forwarded-for",
    ] {
        let target = format!("/each?cc=max-age=600&vary={}", name.replace("%20", ""));
        for _ in 0..3 {
            assert_eq!(net.visitor(0).get(&target).await.status, 200);
        }
        assert_eq!(net.origin.count(&target), 3, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_method_answers_for_another() {
    let net = net(1, 1).await;
    for (number, method) in [
        "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH", "QUERY", "get", "GETX",
    ]
    .into_iter()
    .enumerate()
    {
        let target = format!("/method/{number}?cc=max-age=600");
        let mut ask = Ask::get(&target);
        ask.method = method.parse().unwrap();
        let answer = net.visitor(0).ask(ask.clone()).await.unwrap();
        assert_eq!(answer.status, 200, "{method}");
        is_clean(&net, &target, method).await;
        // And what `GET` stored is no answer to it, but for `HEAD`.
        net.visitor(0).ask(ask).await.unwrap();
        let expected = if method == "HEAD" { 2 } else { 3 };
        assert_eq!(net.origin.count(&target), expected, "{method}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_or_a_not_modified_that_nobody_asked_for_is_never_the_whole() {
    let part = |octets: &str| {
        let answer =
            format!("HTTP/1.1 206 Partial Content\r\ncache-control: max-age=600\r\n{octets}");
        move |heard: &selvedge_edge_tools_testkit::raw_origin::Heard| match heard.target() {
            "/after" => Reply::good(heard),
            _ => Reply::listen(answer.clone()),
        }
    };
    for answer in [
        "content-range: bytes 0-3/100\r\ncontent-length: 4\r\n\r\npart",
        "content-length: 4\r\n\r\npart",
        "content-range: bytes */*\r\ncontent-length: 4\r\n\r\npart",
    ] {
        let origin = RawOrigin::start(part(answer)).await;
        let net = raw_site(&origin).await;
        let visitor = net.gateways[0].visitor("raw.test");
        for round in 1..=2 {
            let answer = visitor.get("/part").await;
            assert_eq!(answer.status, 206);
            assert_eq!(
                origin.heard().len(),
                round,
                "a part was stored for the whole"
            );
        }
        assert_eq!(visitor.get("/after").await.text(), "/after");
    }
    let origin = RawOrigin::start(|heard| match heard.target() {
        "/after" => Reply::good(heard),
        _ => Reply::listen("HTTP/1.1 304 Not Modified\r\ncache-control: max-age=600\r\n\r\n"),
    })
    .await;
    let net = raw_site(&origin).await;
    let visitor = net.gateways[0].visitor("raw.test");
    for ask in [
        Ask::get("/not-modified"),
        Ask::get("/not-modified").field("if-none-match", "\"of-the-visitor\""),
    ] {
        let answer = visitor.ask(ask).await.unwrap();
        assert_eq!(
            (answer.status.as_u16(), answer.reason().as_str()),
            (502, "origin-broken")
        );
    }
    assert!(origin
        .heard()
        .iter()
        .all(|heard| heard.values("if-none-match").is_empty()));
    assert_eq!(visitor.get("/after").await.text(), "/after");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_never_kept_for_others() {
    let net = net(1, 1).await;
    let target = "/refused?cc=max-age=600";
    for ask in [
        Ask::get(target).field("cdn-loop", "selvedge"),
        Ask::get(target).field("x-wide", &"w".repeat(40_000)),
        Ask::get(target).field("cache-control", "only-if-cached"),
        Ask::get(target).field("range", "bytes=1000-"),
    ] {
        if let Ok(answer) = net.visitor(0).ask(ask).await {
            assert!(answer.status.as_u16() >= 400, "{:?}", answer.status);
        }
    }
    is_clean(&net, target, "after refusals").await;
}
