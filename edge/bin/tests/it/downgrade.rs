//! HTTP/2 requests on their way to an HTTP/1.1 origin: what has no meaning there does not get
//! there.

use crate::framing::raw_site;
use selvedge_edge_tools_testkit::{
    frames::{self, Frames, Outcome},
    Net, RawOrigin,
};

type Field = (&'static [u8], &'static [u8]);

const METHOD: Field = (b":method", b"POST");
const SCHEME: Field = (b":scheme", b"http");
const PATH: Field = (b":path", b"/two");
const AUTHORITY: Field = (b":authority", b"raw.test");

async fn open(net: &Net) -> Frames {
    Frames::open(net.gateways[0].address("http"), &[]).await
}

async fn goes_on(net: &Net) {
    let visitor = net.gateways[0].visitor("raw.test").http2();
    assert_eq!(visitor.get("/after").await.text(), "/after");
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_that_http1_reads_in_another_way_are_refused() {
    let origin = RawOrigin::good().await;
    let net = raw_site(&origin).await;
    let fields: &[Field] = &[
        (b"transfer-encoding", b"chunked"),
        (b"transfer-encoding", b"identity"),
        (b"connection", b"close"),
        (b"connection", b"content-length"),
        (b"keep-alive", b"timeout=5"),
        (b"proxy-connection", b"keep-alive"),
        (b"upgrade", b"h2c"),
        (b"te", b"chunked"),
        (b"x", b"a\r\nx-injected: 1"),
        (b"x", b"a\nx-injected: 1"),
        (b"x", b"a\rx-injected: 1"),
        (b"x", b"a\0b"),
        (b"x", b"a\x01b"),
        (b"x: a\r\ny", b"b"),
        (b"x:y", b"a"),
        (b"x y", b"a"),
        (b"x\n", b"a"),
        (b"X-Upper", b"a"),
        (b"", b"a"),
        (b"x\xff", b"a"),
        (b":unknown", b"a"),
        (b":status", b"200"),
        (b":path", b"/late"),
        (b":authority", b"late.test"),
        (b":protocol", b"websocket"),
        (b"host", b"site.test"),
        (b"host", b"raw.test:8080"),
        (b"host", b"user@raw.test"),
        (b"host", b""),
        (b"content-length", b"-1"),
        (b"content-length", b"1, 2"),
        (b"content-length", b"x"),
        (b"content-length", b"4"),
        (b"content-length", b"6"),
        (b"content-length", b"99999999999999999999999"),
    ];
    for field in fields {
        let mut frames = open(&net).await;
        let head = [METHOD, SCHEME, PATH, AUTHORITY, *field];
        let _ = frames.head(1, &head, false).await;
        let _ = frames
            .send(frames::DATA, frames::END_STREAM, 1, b"hello")
            .await;
        let outcome = frames.outcome(1).await;
        let is_refused = !matches!(outcome, Outcome::Answered(200..=399, _));
        assert!(
            is_refused,
            "{:?}: {outcome:?}",
            field.1.escape_ascii().to_string()
        );
        assert!(origin.heard().is_empty(), "{field:?}: {:?}", origin.heard());
    }
    let twice: &[&[Field]] = &[
        &[(b"content-length", b"5"), (b"content-length", b"6")],
        &[(b"host", b"raw.test"), (b"host", b"raw.test")],
    ];
    for fields in twice {
        let mut frames = open(&net).await;
        let head = [&[METHOD, SCHEME, PATH, AUTHORITY], *fields].concat();
        let _ = frames.head(1, &head, false).await;
        let _ = frames
            .send(frames::DATA, frames::END_STREAM, 1, b"hello")
            .await;
        let outcome = frames.outcome(1).await;
        assert!(
            !matches!(outcome, Outcome::Answered(200..=399, _)),
            "{fields:?}: {outcome:?}"
        );
        assert!(origin.heard().is_empty(), "{fields:?}");
    }
    goes_on(&net).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pseudo_fields_cannot_write_a_request_line() {
    let origin = RawOrigin::good().await;
    let net = raw_site(&origin).await;
    let heads: &[&[Field]] = &[
        &[
            (b":method", b"GET / HTTP/1.1\r\nx: y\r\n\r\nGET"),
            SCHEME,
            PATH,
            AUTHORITY,
        ],
        &[(b":method", b"GET /other"), SCHEME, PATH, AUTHORITY],
        &[(b":method", b""), SCHEME, PATH, AUTHORITY],
        &[(b":method", b"G\0T"), SCHEME, PATH, AUTHORITY],
        &[
            METHOD,
            (b":scheme", b"http://other.test/?"),
            PATH,
            AUTHORITY,
        ],
        &[METHOD, (b":scheme", b"ht tp"), PATH, AUTHORITY],
        &[METHOD, (b":scheme", b""), PATH, AUTHORITY],
        &[METHOD, (b":scheme", b"ftp"), PATH, AUTHORITY],
        &[METHOD, SCHEME, (b":path", b""), AUTHORITY],
        &[METHOD, SCHEME, (b":path", b"two"), AUTHORITY],
        &[METHOD, SCHEME, (b":path", b"?two"), AUTHORITY],
        &[METHOD, SCHEME, (b":path", b"*"), AUTHORITY],
        &[
            METHOD,
            SCHEME,
            (b":path", b"/ HTTP/1.1\r\nx-injected: 1"),
            AUTHORITY,
        ],
        &[METHOD, SCHEME, (b":path", b"/\nx"), AUTHORITY],
        &[METHOD, SCHEME, (b":path", b"/a b"), AUTHORITY],
        &[METHOD, SCHEME, (b":path", b"/\0"), AUTHORITY],
        &[
            METHOD,
            SCHEME,
            PATH,
            (b":authority", b"raw.test\r\nx-injected: 1"),
        ],
        &[METHOD, SCHEME, PATH, (b":authority", b"user@raw.test")],
        &[
            METHOD,
            SCHEME,
            PATH,
            (b":authority", b"raw.test:80@site.test"),
        ],
        &[METHOD, SCHEME, PATH, (b":authority", b"raw.test/x")],
        &[METHOD, SCHEME, PATH, (b":authority", b"raw.test:x")],
        &[METHOD, SCHEME, PATH, (b":authority", b"raw test")],
        &[METHOD, SCHEME, PATH, (b":authority", b"")],
        &[METHOD, SCHEME, PATH, AUTHORITY, (b":path", b"/again")],
        &[METHOD, METHOD, SCHEME, PATH, AUTHORITY],
        &[SCHEME, PATH, AUTHORITY],
        &[METHOD, PATH, AUTHORITY],
        &[METHOD, SCHEME, AUTHORITY],
        &[METHOD, SCHEME, PATH],
        &[(b"x", b"first"), METHOD, SCHEME, PATH, AUTHORITY],
        &[(b":method", b"CONNECT"), SCHEME, PATH, AUTHORITY],
        &[(b":method", b"CONNECT"), AUTHORITY],
        &[(b":method", b"TRACE"), SCHEME, PATH, AUTHORITY],
    ];
    for head in heads {
        let mut frames = open(&net).await;
        let _ = frames.head(1, head, true).await;
        let outcome = frames.outcome(1).await;
        let is_refused = !matches!(outcome, Outcome::Answered(200..=399, _));
        assert!(is_refused, "{head:?}: {outcome:?}");
        assert!(origin.heard().is_empty(), "{head:?}: {:?}", origin.heard());
    }
    goes_on(&net).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_length_that_the_data_does_not_keep_never_becomes_a_request() {
    let origin = RawOrigin::good().await;
    let net = raw_site(&origin).await;
    let head =
        |length: &'static [u8]| [METHOD, SCHEME, PATH, AUTHORITY, (b"content-length", length)];
    // Nothing though something was stated, less, and more in a second piece.
    let mut frames = open(&net).await;
    let _ = frames.head(1, &head(b"5"), true).await;
    assert!(!matches!(
        frames.outcome(1).await,
        Outcome::Answered(200..=399, _)
    ));
    for (length, pieces) in [
        (&b"9"[..], vec![&b"hello"[..]]),
        (b"5", vec![b"hello", b"GET /"]),
    ] {
        let mut frames = open(&net).await;
        let _ = frames.head(1, &head(length), false).await;
        for (number, piece) in pieces.iter().enumerate() {
            let is_end = number + 1 == pieces.len();
            let _ = frames.send(frames::DATA, u8::from(is_end), 1, piece).await;
        }
        // An origin that has all it was promised may answer, though the visitor goes wrong behind.
        frames.outcome(1).await;
        for heard in origin.heard() {
            assert_eq!((heard.target(), &heard.body[..]), ("/two", &b"hello"[..]));
            assert_ne!(length, b"9");
        }
    }
    goes_on(&net).await;
    assert!(origin.heard().iter().all(|heard| heard.target() != "/"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_good_becomes_one_good_request() {
    let origin = RawOrigin::good().await;
    let net = raw_site(&origin).await;
    let cookies: &[Field] = &[
        (b"cookie", b"a=1"),
        (b"cookie", b"b=2"),
        (b"te", b"trailers"),
    ];
    let same: &[Field] = &[(b"host", b"RAW.test"), (b"content-length", b"5")];
    for (extra, cookie) in [(cookies, vec!["a=1; b=2"]), (same, vec![])] {
        let mut frames = open(&net).await;
        let head = [&[METHOD, SCHEME, PATH, AUTHORITY], extra].concat();
        frames.head(1, &head, false).await.unwrap();
        frames.send(frames::DATA, 0, 1, b"hell").await.unwrap();
        frames
            .send(frames::DATA, frames::END_STREAM, 1, b"o")
            .await
            .unwrap();
        let expected = Outcome::Answered(200, b"/two".to_vec());
        assert_eq!(frames.outcome(1).await, expected);
        let heard = origin.heard().pop().unwrap();
        assert_eq!(&heard.body[..], b"hello");
        // RFC 9113 §8.2.3: an HTTP/1.1 server need not know that cookies may be split.
        assert_eq!(heard.values("cookie"), cookie);
        let framings = ["content-length", "transfer-encoding"].map(|name| heard.values(name));
        assert_eq!(framings.concat().len(), 1, "{}", heard.head);
        assert!(heard.values("te").is_empty() && heard.values("host").len() == 1);
    }
    // Without `:authority`, the field says it.
    let mut frames = open(&net).await;
    let head = [METHOD, SCHEME, PATH, (&b"host"[..], &b"raw.test"[..])];
    frames.head(1, &head, true).await.unwrap();
    assert!(matches!(frames.outcome(1).await, Outcome::Answered(200, _)));
}
