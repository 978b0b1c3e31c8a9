//! HTTP/2 visitors who cost more than they ask for: each stays within bounds, and others are served
//! meanwhile.

use crate::{gateway, net};
use selvedge_edge_tools_testkit::{
    content,
    frames::{self, Frames, Outcome},
    wait_for, Ask, Net, Settings,
};

type Field = (&'static [u8], &'static [u8]);

const GET: [Field; 4] = [
    (b":method", b"GET"),
    (b":scheme", b"http"),
    (b":path", b"/page?cc=max-age=600"),
    (b":authority", b"site.test"),
];

/// HTTP/2's own words for what was done (RFC 9113 §7).
const PROTOCOL_ERROR: u32 = 1;
const FLOW_CONTROL_ERROR: u32 = 3;
const ENHANCE_YOUR_CALM: u32 = 11;

async fn open(net: &Net) -> Frames {
    Frames::open(net.gateways[0].address("http"), &[]).await
}

async fn goes_on(net: &Net) {
    let target = "/page?cc=max-age=600";
    for visitor in [net.visitor(0), net.visitor(0).http2()] {
        assert_eq!(visitor.get(target).await.body, content(target));
    }
}

/// Sends octets again and again until the gateway has had enough of it.
async fn until_ended(frames: &mut Frames, octets: &[u8], most: usize) -> Option<u32> {
    for _ in 0..most {
        if frames.octets(octets).await.is_err() {
            break;
        }
    }
    frames.ending().await
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_taken_back_at_once_end_the_connection() {
    let net = net(1, 1).await;
    let mut frames = open(&net).await;
    let mut octets = Vec::new();
    for number in 0..20_000u32 {
        let stream = 2 * number + 1;
        let flags = frames::END_HEADERS | frames::END_STREAM;
        octets.extend(frames::frame(
            frames::HEADERS,
            flags,
            stream,
            &frames::block(&GET),
        ));
        octets.extend(frames::frame(
            frames::RST_STREAM,
            0,
            stream,
            &8u32.to_be_bytes(),
        ));
    }
    let _ = frames.octets(&octets).await;
    let ended = frames.ending().await;
    assert!(
        matches!(ended, Some(ENHANCE_YOUR_CALM | PROTOCOL_ERROR) | None),
        "{ended:?}"
    );
    net.settle().await;
    goes_on(&net).await;
    // Most of them never were requests.
    assert!(
        net.origin.seen().len() < 1_000,
        "{}",
        net.origin.seen().len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_without_an_end_is_not_read_for_ever() {
    let net = net(1, 1).await;
    for field in [
        frames::block(&[(b"x-long", &[b'a'; 4_000])]),
        frames::block(&[(b"x", b"")]),
        Vec::new(),
    ] {
        let mut frames = open(&net).await;
        let _ = frames
            .send(frames::HEADERS, 0, 1, &frames::block(&GET))
            .await;
        let more = frames::frame(frames::CONTINUATION, 0, 1, &field).repeat(100);
        let ended = until_ended(&mut frames, &more, 2_000).await;
        assert!(matches!(ended, Some(1..) | None), "{ended:?}");
        goes_on(&net).await;
    }
    assert_eq!(net.origin.seen().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_block_that_unpacks_to_a_large_head_is_refused() {
    let net = gateway(Settings::default().set("limits.header_bytes", 16_384)).await;
    // One long field enters the table, and is then named by one octet each (RFC 7541 §6.1).
    let mut block = frames::block(&GET);
    let value = [b'a'; 3_000];
    block.extend([0x40, 1, b'x', 127, 0xb9, 0x16]);
    block.extend(value);
    block.extend([0xbe; 2_000]);
    let mut frames = open(&net).await;
    let flags = frames::END_HEADERS | frames::END_STREAM;
    frames
        .send(frames::HEADERS, flags, 1, &block)
        .await
        .unwrap();
    let outcome = frames.outcome(1).await;
    let is_refused = matches!(
        outcome,
        Outcome::Answered(431, _) | Outcome::Reset(_) | Outcome::GoneAway(_) | Outcome::Closed
    );
    assert!(is_refused, "{outcome:?}");
    assert!(net.origin.seen().is_empty());
    // Tables are bounded too, whatever a visitor says of them.
    for update in [
        &[0x3f, 0xe1, 0xff, 0xff, 0x7f][..],
        &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        &[0xbf],
    ] {
        let mut frames = open(&net).await;
        let block = [update, &frames::block(&GET)].concat();
        let _ = frames.send(frames::HEADERS, flags, 1, &block).await;
        let outcome = frames.outcome(1).await;
        assert!(
            !matches!(outcome, Outcome::Answered(..400, _)),
            "{update:?}: {outcome:?}"
        );
    }
    goes_on(&net).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn words_without_requests_keep_nobody_else_waiting() {
    let net = net(1, 1).await;
    let setting = frames::setting(4, 65_535);
    for frame in [
        frames::frame(frames::PING, 0, 0, &[7; 8]),
        frames::frame(frames::SETTINGS, 0, 0, &setting),
        frames::frame(frames::SETTINGS, 0, 0, &[]),
        frames::frame(2, 0, 1, &[0, 0, 0, 0, 1]),
        frames::frame(99, 0, 0, &[1; 100]),
        frames::frame(frames::DATA, 0, 1, &[]),
    ] {
        let address = net.gateways[0].address("http");
        let mut frames = Frames::open(address, &[]).await;
        let head: [Field; 4] = [
            (b":method", b"POST"),
            GET[1],
            (b":path", b"/held?hold=never"),
            GET[3],
        ];
        let _ = frames.head(1, &head, false).await;
        let flood = tokio::spawn(async move {
            let octets = frame.repeat(1_000);
            // Never reads, so that the answers pile up as well, until nobody takes more of it.
            while let Ok(Ok(())) =
                tokio::time::timeout(std::time::Duration::from_secs(2), frames.octets(&octets))
                    .await
            {}
        });
        for _ in 0..20 {
            goes_on(&net).await;
        }
        flood.abort();
    }
    net.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_against_the_rules_end_what_they_break() {
    let net = net(1, 1).await;
    let large = (1u32 << 31) - 1;
    let window = |stream: u32, more: u32| {
        frames::frame(frames::WINDOW_UPDATE, 0, stream, &more.to_be_bytes())
    };
    let settings = |name: u16, value: u32| {
        frames::frame(frames::SETTINGS, 0, 0, &frames::setting(name, value))
    };
    let flags = frames::END_HEADERS | frames::END_STREAM;
    let get = |stream: u32| frames::frame(frames::HEADERS, flags, stream, &frames::block(&GET));
    let cases = [
        ("a window beyond its end", window(0, large).repeat(2)),
        ("a window that grows by nothing", window(0, 0)),
        ("an initial window beyond its end", settings(4, 1 << 31)),
        ("frames too small", settings(5, 1)),
        ("frames too large", settings(5, 1 << 24)),
        (
            "a setting that is no setting",
            frames::frame(frames::SETTINGS, 0, 0, &[1]),
        ),
        (
            "a frame longer than allowed",
            frames::frame(frames::DATA, 0, 1, &[0; 20_000]),
        ),
        (
            "a ping of another size",
            frames::frame(frames::PING, 0, 0, &[1]),
        ),
        (
            "a ping of a stream",
            frames::frame(frames::PING, 0, 1, &[1; 8]),
        ),
        ("data of no stream", frames::frame(frames::DATA, 0, 0, b"x")),
        (
            "data before its request",
            frames::frame(frames::DATA, 0, 1, b"x"),
        ),
        ("a request of an even stream", get(2)),
        ("a request of an earlier stream", [get(5), get(3)].concat()),
        (
            "a promise from a visitor",
            frames::frame(frames::PUSH_PROMISE, 4, 1, &[0, 0, 0, 2]),
        ),
        (
            "an end of a head that never began",
            frames::frame(frames::CONTINUATION, 4, 1, &[]),
        ),
        (
            "a frame amid a head",
            [
                frames::frame(frames::HEADERS, 0, 1, &frames::block(&GET)),
                frames::frame(frames::PING, 0, 0, &[1; 8]),
            ]
            .concat(),
        ),
        (
            "padding longer than its frame",
            frames::frame(frames::DATA, 8, 1, &[9, 0]),
        ),
        (
            "a table entry that is none",
            frames::frame(frames::HEADERS, flags, 1, &[0xff, 0x7f]),
        ),
    ];
    for (case, octets) in cases {
        let mut frames = open(&net).await;
        let _ = frames.octets(&octets).await;
        let ended = frames.ending().await;
        // A gateway that hangs up with octets unread may reset its last word away.
        let is_ended = ended.is_none_or(|code| code != 0);
        assert!(is_ended, "{case}: {ended:?}");
    }
    // Of one stream only, so that the others live.
    let mut frames = open(&net).await;
    let post: [Field; 4] = [
        (b":method", b"POST"),
        GET[1],
        (b":path", b"/held?hold=never"),
        GET[3],
    ];
    frames.head(1, &post, false).await.unwrap();
    frames.octets(&window(1, large).repeat(2)).await.unwrap();
    assert_eq!(frames.outcome(1).await, Outcome::Reset(FLOW_CONTROL_ERROR));
    frames.octets(&get(3)).await.unwrap();
    assert!(matches!(frames.outcome(3).await, Outcome::Answered(200, _)));
    goes_on(&net).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_beyond_the_limit_are_refused_and_closed_windows_block_nobody() {
    let net = net(1, 1).await;
    goes_on(&net).await;
    // Nothing of any body may be sent here.
    let mut frames = Frames::open(net.gateways[0].address("http"), &[(4, 0)]).await;
    let mut refused = None;
    for number in 0..400u32 {
        if frames.head(2 * number + 1, &GET, true).await.is_err() {
            break;
        }
    }
    // The stream that is one too many is refused, or the connection ends; until then, nothing but
    // heads comes.
    while let Some(frame) = frames.next().await {
        assert!(frame.kind != frames::DATA || frame.payload.is_empty());
        if matches!(frame.kind, frames::RST_STREAM | frames::GOAWAY) {
            refused = Some(frame);
            break;
        }
    }
    assert!(refused.is_some());
    for _ in 0..20 {
        goes_on(&net).await;
    }
    drop(frames);
    net.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_of_one_octet_gets_its_page_one_octet_at_a_time() {
    let net = net(1, 1).await;
    let mut frames = Frames::open(net.gateways[0].address("http"), &[(4, 1)]).await;
    frames.head(1, &GET, true).await.unwrap();
    let mut body = Vec::new();
    while body.len() < 100 {
        let frame = frames.next().await.expect("the connection lives");
        if frame.kind == frames::DATA {
            assert!(frame.payload.len() <= 1);
            body.extend(frame.payload);
            let more = frames
                .send(frames::WINDOW_UPDATE, 0, 1, &1u32.to_be_bytes())
                .await;
            assert!(more.is_ok() || body.len() == 100);
        }
    }
    assert_eq!(body, content("/page?cc=max-age=600"));
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_senders_of_http2_bodies_are_given_up() {
    let net = gateway(Settings::default().set("limits.body_seconds", 1)).await;
    let mut frames = open(&net).await;
    let post: [Field; 5] = [
        (b":method", b"POST"),
        GET[1],
        (b":path", b"/slow"),
        GET[3],
        (b"content-length", b"100"),
    ];
    frames.head(1, &post, false).await.unwrap();
    frames.send(frames::DATA, 0, 1, b"half").await.unwrap();
    let outcome = frames.outcome(1).await;
    assert!(!matches!(outcome, Outcome::Answered(200, _)), "{outcome:?}");
    // The origin was told of no whole request.
    assert!(net.origin.seen().is_empty());
    wait_for("the place it took", || async {
        net.visitor(0).ask(Ask::get("/after")).await.ok()
    })
    .await;
}
