//! A gateway that ends while visitors ask for more: those who follow the protocol miss nothing.

use crate::{gateway, PROGRAM};
use selvedge_edge_tools_testkit::{
    content,
    frames::{self, Frames},
    wait_for, Ask, Client, Line, Net, Plan, Settings,
};
use std::sync::{
    atomic::{AtomicBool, AtomicU64, Ordering},
    Arc,
};

/// What a visitor saw.
#[derive(Default)]
struct Visit {
    requests: u64,
    octets: u64,
    closes: u64,
}

/// Asks one gateway for as long as it is there, then the other. A request that had no answer is
/// sent again over another connection, as RFC 9110 §9.2.2 and RFC 9113 §6.8 allow for these.
async fn visit(
    places: [Client; 2],
    number: usize,
    served: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
) -> Visit {
    let mut seen = Visit::default();
    let mut line: Option<Line> = None;
    while !is_over.load(Ordering::Acquire) {
        let page = seen.requests % 9;
        let target = match page {
            0 => format!("/mine/{number}?len=3000&cc=no-store"),
            1 => format!("/late/{number}?len=90000&chunked=1&cc=max-age=0"),
            page => format!("/page/{page}?len=5000&cc=max-age=600"),
        };
        let mut tries = 0;
        let answer = loop {
            assert!(tries < 4, "{target} was never answered");
            tries += 1;
            let mut open = match line.take() {
                Some(line) => line,
                None => match places[0].connect().await {
                    Ok(line) => line,
                    Err(_) => places[1].connect().await.expect("the other gateway"),
                },
            };
            if let Ok(download) = open.begin(Ask::get(&target)).await {
                let answer = download.whole().await;
                let answer = answer.unwrap_or_else(|error| panic!("{target}: {error:#}"));
                if answer.field("connection").eq_ignore_ascii_case("close") {
                    seen.closes += 1;
                } else {
                    line = Some(open);
                }
                break answer;
            }
        };
        assert_eq!(answer.status, 200, "{target}: {}", answer.reason());
        assert!(answer.body == content(&target), "{target}");
        seen.requests += 1;
        seen.octets += answer.body.len() as u64;
        served.fetch_add(1, Ordering::AcqRel);
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_misses_an_answer_when_a_gateway_leaves_under_load() {
    const VISITORS: usize = 16;
    let plan = Plan {
        gateways: 2,
        gateway: Settings::default().set("gateway.drain_seconds", 1),
        ..Plan::default()
    };
    let mut net = Net::start(PROGRAM, plan).await;
    let (served, is_over) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
    let begin = |number: usize| {
        let places = [net.visitor(0), net.visitor(1)];
        let places = match number % 2 {
            0 => places,
            _ => places.map(Client::http2),
        };
        tokio::spawn(visit(places, number, served.clone(), is_over.clone()))
    };
    let visits: Vec<_> = (0..VISITORS).map(begin).collect();
    let more = |count: u64| {
        let (served, before) = (served.clone(), served.load(Ordering::Acquire));
        wait_for("more requests", move || {
            let enough = served.load(Ordering::Acquire) >= before + count;
            async move { enough.then_some(()) }
        })
    };
    more(300).await;
    net.gateways[0].signal("TERM").await;
    assert!(net.gateways[0].ended().await.success());
    more(300).await;
    is_over.store(true, Ordering::Release);
    let (mut requests, mut octets, mut closes) = (0, 0, 0);
    for visit in visits {
        let seen = visit.await.unwrap();
        requests += seen.requests;
        octets += seen.octets;
        closes += seen.closes;
    }
    assert!(closes > 0, "visitors of HTTP/1.1 are told");
    assert!(!net.gateways[0].log().contains("cut off"));
    net.gateways[0].start_again().await;
    net.settle().await;
    let books = net.roll().await;
    let charged = books.iter().fold((0, 0), |sum, books| {
        (sum.0 + books.requests(), sum.1 + books.egress())
    });
    assert_eq!(charged, (requests, octets));
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_of_http2_are_told_to_go_and_served_to_the_end() {
    let mut net = gateway(Settings::default().set("gateway.drain_seconds", 600)).await;
    let begun = "/long?len=200000&pause=rest&at=40000&cc=no-store";
    let mut frames = Frames::open(net.gateways[0].address("http"), &[(4, 1 << 20)]).await;
    let get = |target: &'static str| {
        [
            (&b":method"[..], &b"GET"[..]),
            (b":scheme", b"http"),
            (b":path", target.as_bytes()),
            (b":authority", b"site.test"),
        ]
    };
    frames
        .send(8, 0, 0, &(1u32 << 24).to_be_bytes())
        .await
        .unwrap();
    frames.head(1, &get(begun), true).await.unwrap();
    wait_for("the fetch", || async {
        (net.origin.count(begun) == 1).then_some(())
    })
    .await;
    net.gateways[0].signal("TERM").await;
    let admin = net.gateways[0].admin();
    wait_for("draining", || async {
        (admin.get("/readyz").await.status == 503).then_some(())
    })
    .await;
    let page = "/page?len=100";
    frames.head(3, &get(page), true).await.unwrap();
    let (mut is_told, mut ended) = (false, Vec::new());
    // Until the gateway closes, which it does when everything was answered.
    while let Some(frame) = frames.next().await {
        is_told |= frame.kind == frames::GOAWAY && frame.payload[4..8] == [0; 4];
        let is_end = matches!(frame.kind, frames::DATA | frames::HEADERS)
            && frame.flags & frames::END_STREAM != 0;
        if is_end {
            ended.push(frame.stream);
            net.origin.open("rest");
        }
    }
    assert!(is_told);
    assert_eq!(ended, [3, 1]);
    assert_eq!(net.origin.sent(), 200_100);
    net.gateways[0].kill().await;
}
