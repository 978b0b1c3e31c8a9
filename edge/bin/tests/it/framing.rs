//! Requests whose end can be seen in two places: none of them splits in two, here or at the origin.
//!
//! The origin is the judge ([`RawOrigin`]): it cuts its requests by the letter of RFC 9112 §6.

use crate::gateway;
use selvedge_edge_tools_testkit::{raw, Ask, Net, RawOrigin, Settings, Site};

/// What a smuggler wants to be a request of its own.
const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nhost: raw.test\r\nconnection: close\r\n\r\n";

/// A network with a second site, `raw.test`, whose origin is this one.
pub async fn raw_site(origin: &RawOrigin) -> Net {
    raw_site_with(origin, Settings::default()).await
}

/// The same with these settings of the gateway.
pub async fn raw_site_with(origin: &RawOrigin, settings: Settings) -> Net {
    let mut net = gateway(settings).await;
    let site = Site::numbered(2, "raw.test", origin.url());
    net.chain.sites.push(site);
    net.push().await;
    net
}

async fn says(net: &Net, octets: &[u8]) -> String {
    raw(net.gateways[0].address("http"), octets).await
}

/// The statuses in what a connection said.
fn statuses(said: &str) -> Vec<&str> {
    let starts = said.match_indices("HTTP/1.1 ");
    starts.map(|(at, _)| &said[at + 9..at + 12]).collect()
}

async fn goes_on(net: &Net, origin: &RawOrigin) {
    let answer = net.gateways[0].visitor("raw.test").get("/after").await;
    assert_eq!(answer.text(), "/after");
    assert!(origin.strange().is_empty(), "{:?}", origin.strange());
}

/// A refusal, and the end: what was sent behind it is not a request.
async fn refused(lines: &[String]) {
    let origin = RawOrigin::good().await;
    let net = raw_site(&origin).await;
    for head in lines {
        let said = says(&net, format!("{head}{SMUGGLED}").as_bytes()).await;
        let statuses = statuses(&said);
        let is_refused = matches!(statuses[..], ["400"] | ["413"] | ["431"] | []);
        assert!(is_refused, "{head:?}: {said}");
        assert!(origin.heard().is_empty(), "{head:?}: {:?}", origin.heard());
    }
    goes_on(&net, &origin).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_length_or_a_coding_that_is_doubtful_is_refused() {
    let post = |fields: &str| format!("POST /post HTTP/1.1\r\nhost: raw.test\r\n{fields}\r\n");
    let lengths = [
        "",
        "+5",
        "-5",
        "0x5",
        "5;",
        "5 5",
        "5, 6",
        "5.0",
        "5e1",
        "\u{b}5",
        "\u{665}",
        "1_0",
        "99999999999999999999999",
        "18446744073709551615",
    ];
    let codings = [
        "",
        "chunked, identity",
        "xchunked",
        "chunkedx",
        "chunked;q=1",
        "identity",
        "gzip",
        "gzip, chunked",
        "chunked, chunked",
        "chunked,",
        ",chunked",
        "\"chunked\"",
        "chu nked",
        "\u{b}chunked",
        "chunked\u{b}",
        "'chunked'",
        "chunked identity",
    ];
    let fields = [
        "content-length: 5\r\ncontent-length: 6\r\n",
        "content-length: 6\r\ncontent-length: 5\r\n",
        "content-length : 5\r\n",
        "content-length\t: 5\r\n",
        "content-length: 5\0\r\n",
        "content-length: 5\r6\r\n",
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n",
        "transfer-encoding: identity\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding : chunked\r\n",
        "transfer-encoding\t: chunked\r\n",
        "transfer-encoding\r\n: chunked\r\n",
        "transfer-encoding:\r\n chunked\r\n",
        "transfer-encoding: chunked\0\r\n",
        "transfer-encoding: \rchunked\r\n",
        "x: y\r\n transfer-encoding: chunked\r\n",
        " transfer-encoding: chunked\r\n",
        "\ttransfer-encoding: chunked\r\n",
        ": chunked\r\n",
        "transfer-encoding\u{a0}: chunked\r\n",
        "transfer encoding: chunked\r\n",
        "(transfer-encoding): chunked\r\n",
    ];
    let lengths = lengths.map(|length| post(&format!("content-length: {length}\r\n")));
    let codings = codings.map(|coding| post(&format!("transfer-encoding: {coding}\r\n")));
    refused(&[&lengths[..], &codings, &fields.map(post)].concat()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_line_or_a_field_that_is_doubtful_is_refused() {
    let lines = [
        "GET /a HTTP/1.1\r\nhost: raw.test\r\nx: a\rb\r\n\r\n",
        "GET /a HTTP/1.1\r\nhost: raw.test\r\nx: a\0b\r\n\r\n",
        "GET /a HTTP/1.1\r\nhost: raw.test\r\nx: a\u{1}b\r\n\r\n",
        "GET /a HTTP/1.1\r\nhost: raw.test\r\nx: a\u{7f}b\r\n\r\n",
        "GET /a HTTP/1.1\r\nhost: raw.test\r\nx: a\r\n b\r\n\r\n",
        "GET /a HTTP/1.1\r\nhost: raw.test\r\nx\0: a\r\n\r\n",
        "GET /a HTTP/1.1\r\nhost: raw.test\r\nx\r: a\r\n\r\n",
        "GET /a HTTP/1.1\r\nhost: raw.test\r\n: a\r\n\r\n",
        "GET /a HTTP/1.1\r\nhost: raw.test\r\nx a\r\n\r\n",
        "GET /a HTTP/1.1\rhost: raw.test\r\n\r\n",
        "GET /a HTTP/1.1\r\n\r\nhost: raw.test\r\n\r\n",
        "GET /a HTTP/1.1\r\n host: raw.test\r\n\r\n",
        "GET /a HTTP/1.1 \r\nhost: raw.test\r\n\r\n",
        "GET /a HTTP/1.1x\r\nhost: raw.test\r\n\r\n",
        "GET /a HTTP/1.2\r\nhost: raw.test\r\n\r\n",
        "GET /a HTTP/2.0\r\nhost: raw.test\r\n\r\n",
        "GET /a http/1.1\r\nhost: raw.test\r\n\r\n",
        "GET /a\r\nhost: raw.test\r\n\r\n",
        "GET\t/a\tHTTP/1.1\r\nhost: raw.test\r\n\r\n",
        "GET  /a HTTP/1.1\r\nhost: raw.test\r\n\r\n",
        " GET /a HTTP/1.1\r\nhost: raw.test\r\n\r\n",
        "GE(T /a HTTP/1.1\r\nhost: raw.test\r\n\r\n",
        "GET /a\0 HTTP/1.1\r\nhost: raw.test\r\n\r\n",
        "GET /a\r/b HTTP/1.1\r\nhost: raw.test\r\n\r\n",
        "POST /a HTTP/1.0\r\nhost: raw.test\r\ntransfer-encoding: chunked\r\n\r\n",
    ];
    refused(&lines.map(str::to_owned)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chunks_that_are_doubtful_never_become_a_request() {
    let origin = RawOrigin::good().await;
    // One of them promises more than anybody ever sends.
    let settings = Settings::default().set("limits.body_seconds", 2);
    let net = raw_site_with(&origin, settings).await;
    let extension = "e".repeat(20_000);
    let trailers = "x-trailer: 1\r\n".repeat(200);
    let wide = format!("x-trailer: {}\r\n", "t".repeat(40_000));
    let many = format!("1;{}\r\na\r\n", "e".repeat(100)).repeat(400);
    let chunks = [
        "\r\n".to_owned(),
        "zz\r\nhello\r\n0\r\n\r\n".to_owned(),
        "-5\r\nhello\r\n0\r\n\r\n".to_owned(),
        "+5\r\nhello\r\n0\r\n\r\n".to_owned(),
        "0x5\r\nhello\r\n0\r\n\r\n".to_owned(),
        " 5\r\nhello\r\n0\r\n\r\n".to_owned(),
        "5 5\r\nhello\r\n0\r\n\r\n".to_owned(),
        "5\nhello\r\n0\r\n\r\n".to_owned(),
        "5\rhello\r\n0\r\n\r\n".to_owned(),
        "5;a\nb\r\nhello\r\n0\r\n\r\n".to_owned(),
        "5\r\nhelloXX0\r\n\r\n".to_owned(),
        "5\r\nhello\n0\r\n\r\n".to_owned(),
        "5\r\nhello\r\n0\r\nno colon\r\n\r\n".to_owned(),
        "5\r\nhello\r\n0\r\nx : y\r\n\r\n".to_owned(),
        "FFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n".to_owned(),
        "FFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n".to_owned(),
        "10000000000000005\r\nhello\r\n0\r\n\r\n".to_owned(),
        format!("5;{extension}\r\nhello\r\n0\r\n\r\n"),
        format!("{many}0\r\n\r\n"),
        format!("5\r\nhello\r\n0\r\n{trailers}\r\n"),
        format!("5\r\nhello\r\n0\r\n{wide}\r\n"),
    ];
    for chunks in &chunks {
        let head = "POST /chunks HTTP/1.1\r\nhost: raw.test\r\ntransfer-encoding: chunked\r\n\r\n";
        let said = says(&net, format!("{head}{chunks}{SMUGGLED}").as_bytes()).await;
        let named = &chunks[..chunks.len().min(60)];
        assert!(
            matches!(statuses(&said)[..], ["400"] | ["408"] | []),
            "{named:?}: {said}"
        );
        assert!(origin.heard().is_empty(), "{named:?}: {:?}", origin.heard());
    }
    // What the origin got of them was never whole, and it was told so by a closed connection.
    let answer = net.gateways[0].visitor("raw.test").get("/after").await;
    assert_eq!(answer.text(), "/after");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coding_beside_a_length_wins_and_ends_the_connection() {
    let origin = RawOrigin::good().await;
    let net = raw_site(&origin).await;
    let length = 5 + SMUGGLED.len();
    for fields in [
        format!("content-length: {length}\r\ntransfer-encoding: chunked\r\n"),
        format!("transfer-encoding: chunked\r\ncontent-length: {length}\r\n"),
        format!("content-length: {length}\r\nTransfer-Encoding:\tChunked\t\r\n"),
        "content-length: 3\r\ntransfer-encoding: chunked\r\n".to_owned(),
        "transfer-encoding: chunked\r\n".to_owned(),
    ] {
        for body in ["", "5\r\nhello\r\n"] {
            let before = origin.heard().len();
            let head = format!("POST /both HTTP/1.1\r\nhost: raw.test\r\n{fields}\r\n");
            let said = says(&net, format!("{head}{body}0\r\n\r\n{SMUGGLED}").as_bytes()).await;
            assert_eq!(statuses(&said), ["200"], "{fields:?}: {said}");
            assert!(said.contains("connection: close"), "{said}");
            let heard = origin.heard().split_off(before);
            assert_eq!(heard.len(), 1, "{heard:?}");
            let expected = if body.is_empty() { "" } else { "hello" };
            assert_eq!(
                (heard[0].target(), &heard[0].body[..]),
                ("/both", expected.as_bytes())
            );
            let framings =
                ["content-length", "transfer-encoding"].map(|name| heard[0].values(name));
            assert!(framings.concat().len() <= 1, "{:?}", heard[0].head);
        }
    }
    goes_on(&net, &origin).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_good_arrives_whole_in_the_gateways_own_words() {
    let origin = RawOrigin::good().await;
    let net = raw_site(&origin).await;
    for request in [
        "POST /good HTTP/1.1\r\nhost: raw.test\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello",
        "POST /good HTTP/1.1\r\nhost: raw.test\r\nContent-Length:\t5 \r\nconnection: close\r\n\r\nhello",
        "POST /good HTTP/1.1\r\nhost: raw.test\r\ncontent-length: 05\r\nconnection: close\r\n\r\nhello",
        "POST /good HTTP/1.1\r\nhost: raw.test\r\ncontent-length: 5\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello",
        "POST /good HTTP/1.1\r\nhost: raw.test\r\ntransfer-encoding: CHUNKED\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "POST /good HTTP/1.1\r\nhost: raw.test\r\ntransfer-encoding:chunked\r\n\r\n2;a=b\r\nhe\r\n003 \r\nllo\r\n000\r\n\r\n",
        "POST /good HTTP/1.1\r\nhost: raw.test\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\ncontent-length: 9\r\nx-late: 1\r\ntransfer-encoding: gzip\r\n\r\n",
        // RFC 9112 §2.2 lets a bare LF end a line.
        "POST /good HTTP/1.1\nhost: raw.test\ncontent-length: 5\nconnection: close\n\nhello",
        "\r\n\r\nPOST /good HTTP/1.1\r\nhost: raw.test\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello",
        "POST /good HTTP/1.0\r\nhost: raw.test\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello",
    ] {
        let before = origin.heard().len();
        let said = says(&net, request.as_bytes()).await;
        assert!(said.contains(" 200 OK\r\n") && said.ends_with("/good"), "{request:?}: {said}");
        let heard = origin.heard().split_off(before).remove(0);
        assert_eq!((heard.target(), &heard.body[..]), ("/good", &b"hello"[..]), "{request:?}");
        let framings = ["content-length", "transfer-encoding"].map(|name| heard.values(name));
        assert_eq!(framings.concat().len(), 1, "{}", heard.head);
        assert!(!heard.head.contains("x-late"), "{}", heard.head);
        assert!(!heard.head.replace("\r\n", "").contains(['\r', '\n']), "{:?}", heard.head);
    }
    goes_on(&net, &origin).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn octets_behind_a_body_are_no_part_of_it() {
    let origin = RawOrigin::good().await;
    let net = raw_site(&origin).await;
    for garbage in ["garbage\r\n\r\n", "\0\0\0\0", "{\"json\": 1}\r\n\r\n"] {
        let before = origin.heard().len();
        let request = "POST /body HTTP/1.1\r\nhost: raw.test\r\ncontent-length: 4\r\n\r\nbody";
        let said = says(&net, format!("{request}{garbage}").as_bytes()).await;
        assert!(
            matches!(statuses(&said)[..], ["200"] | ["200", "400"]),
            "{garbage:?}: {said}"
        );
        let heard = origin.heard().split_off(before);
        assert_eq!(
            (heard.len(), &heard[0].body[..]),
            (1, &b"body"[..]),
            "{garbage:?}"
        );
    }
    goes_on(&net, &origin).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_get_with_a_body_takes_nothing_from_the_next_request() {
    let origin = RawOrigin::good().await;
    let net = raw_site(&origin).await;
    let visitor = net.gateways[0].visitor("raw.test");
    for (number, fields) in [
        "content-length: 40\r\n\r\n0123456789012345678901234567890123456789",
        "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "content-encoding: gzip\r\ncontent-type: text/html\r\ncontent-length: 3\r\n\r\nabc",
    ]
    .into_iter()
    .enumerate()
    {
        let target = format!("/fat/{number}");
        let request =
            format!("GET {target} HTTP/1.1\r\nhost: raw.test\r\nconnection: close\r\n{fields}");
        let said = says(&net, request.as_bytes()).await;
        assert_eq!(statuses(&said), ["200"], "{said}");
        // The connection to the origin is used again: were it told of octets that never came, it
        // would take these for them.
        let next = format!("/next/{number}");
        assert_eq!(visitor.get(&next).await.text(), next);
        let heard = origin.heard();
        let fat = heard.iter().find(|heard| heard.target() == target).unwrap();
        for name in [
            "content-length",
            "transfer-encoding",
            "content-encoding",
            "content-type",
        ] {
            assert!(fat.values(name).is_empty(), "{}", fat.head);
        }
        assert!(heard.iter().any(|heard| heard.target() == next));
    }
    // The same over HTTP/2, and where nothing is for sharing.
    let mut fat = Ask::post("/fat/two", "hello");
    fat.method = http::Method::GET;
    let answer = visitor.clone().http2().ask(fat.clone()).await.unwrap();
    assert_eq!(answer.text(), "/fat/two");
    fat.target = "/fat/three".to_owned();
    let answer = visitor.ask(fat.field("cache-control", "no-store")).await;
    assert_eq!(answer.unwrap().text(), "/fat/three");
    let seen = origin.heard().pop().unwrap();
    assert!(
        seen.body.is_empty() || seen.body == b"hello",
        "{}",
        seen.head
    );
    goes_on(&net, &origin).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_passes_through_before_protocols_were_switched() {
    let origin = RawOrigin::good().await;
    let net = raw_site(&origin).await;
    for (number, fields) in [
        "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: a\r\n",
        "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n",
        "connection: upgrade\r\nupgrade: anything/1\r\ncontent-length: 0\r\n",
        "upgrade: websocket\r\n",
    ]
    .into_iter()
    .enumerate()
    {
        let target = format!("/upgrade/{number}");
        let before = origin.heard().len();
        let request =
            format!("GET {target} HTTP/1.1\r\nhost: raw.test\r\n{fields}\r\n\u{1}\u{5}frame");
        let said = says(&net, request.as_bytes()).await;
        assert!(
            matches!(statuses(&said)[..], ["200"] | ["200", "400"]),
            "{said}"
        );
        let heard = origin.heard().split_off(before);
        assert_eq!(heard.len(), 1, "{heard:?}");
        for name in ["upgrade", "http2-settings"] {
            assert!(heard[0].values(name).is_empty(), "{}", heard[0].head);
        }
    }
    goes_on(&net, &origin).await;
}
