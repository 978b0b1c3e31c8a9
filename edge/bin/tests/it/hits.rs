//! What is answered past hyper is what hyper's way answers, to the field, the octet and the planck.

use crate::{net, tls::Secure};
use selvedge_edge_tools_testkit::{content, wait_for, Answer, Ask, Client, Net, Settings};
use std::cell::Cell;

/// An unknown field, which nothing depends on, is all it takes to go the other way.
fn doubtful(ask: &Ask) -> Ask {
    ask.clone().field("x-nobody-knows", "1")
}

async fn hits(net: &Net) -> f64 {
    let metrics = net.gateways[0].metrics().await;
    metrics.sum("selvedge_gateway_hits_total", &[])
}

/// Fields in order of their names, without what is new for every request.
fn lasting(answer: &Answer) -> Vec<(String, Vec<u8>)> {
    let changing = ["age", "x-request-id", "cache-status"];
    let fields = answer.fields.iter();
    let mut fields: Vec<_> = fields
        .filter(|(name, _)| !changing.contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
        .collect();
    fields.sort();
    fields
}

fn is_hit(answer: &Answer) -> bool {
    let said = answer.field("cache-status");
    let left = said.strip_prefix("\"selvedge-gateway\"; hit; ttl=");
    left.is_some_and(|left| (1..=600).contains(&left.parse().unwrap_or(0)))
}

#[tokio::test(flavor = "multi_thread")]
async fn both_ways_give_the_same_answer_and_count_the_same() {
    let net = net(1, 1).await;
    let visitor = net.visitor(0);
    both_ways(net, visitor).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_ways_are_the_same_over_tls() {
    let secure = Secure::start(Settings::default()).await;
    let visitor = secure.visitor("site.test", &secure.certificate);
    both_ways(secure.net, visitor).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_ways_are_the_same_over_http2() {
    let secure = Secure::start(Settings::default()).await;
    let visitor = secure.visitor("site.test", &secure.certificate).http2();
    both_ways(secure.net, visitor).await;
}

async fn both_ways(mut net: Net, visitor: Client) {
    let asks = [
        Ask::get("/small?len=1000&cc=max-age=600&etag=1"),
        Ask::get("/empty?len=0&cc=max-age=600"),
        Ask::get("/piece?len=65536&cc=max-age=600"),
        Ask::get("/pieces?len=65537&cc=max-age=600"),
        Ask::get("/more?len=102400&cc=max-age=600"),
        Ask::get("/long?len=3000000&cc=max-age=600"),
        Ask::get("/streamed?len=5000&chunked=1&cc=max-age=600"),
        Ask::get("/varied?len=500&vary=accept-language&cc=max-age=600")
            .field("accept-language", "de"),
        Ask::get("/varied?len=500&vary=accept-language&cc=max-age=600")
            .field("accept-language", "eo"),
        Ask::get("/asked?len=10&cc=max-age=600")
            .field("user-agent", "test")
            .field("cookie", "a=b")
            .field("accept-encoding", "gzip, br"),
    ];
    let total = Cell::new((0, 0));
    for ask in &asks {
        // In memory as soon as all of it has arrived, and its visitor may be ahead of that.
        wait_for(format!("{} in memory", ask.target), || async {
            let answer = visitor.ask(doubtful(ask)).await.unwrap();
            let (requests, octets) = total.get();
            total.set((requests + 1, octets + answer.body.len() as u64));
            is_hit(&answer).then_some(())
        })
        .await;
    }
    let (mut requests, mut octets) = total.get();
    let warm = requests;
    assert_eq!(hits(&net).await, 0.0);
    let mut plain_line = visitor.connect().await.unwrap();
    let mut other_line = visitor.connect().await.unwrap();
    let mut answered = 0.0;
    for ask in &asks {
        for method in [http::Method::GET, http::Method::HEAD] {
            let ask = Ask {
                method,
                ..ask.clone()
            };
            let name = format!("{} {}", ask.method, ask.target);
            let plain = plain_line.ask(ask.clone()).await.unwrap();
            answered += 1.0;
            assert_eq!(hits(&net).await, answered, "{name}");
            let other = other_line.ask(doubtful(&ask)).await.unwrap();
            assert_eq!(hits(&net).await, answered, "{name}");
            assert_eq!((plain.status.as_u16(), other.status.as_u16()), (200, 200));
            assert!(plain.body == other.body, "{name}");
            assert_eq!(lasting(&plain), lasting(&other), "{name}");
            for answer in [&plain, &other] {
                assert!(is_hit(answer), "{name}: {}", answer.field("cache-status"));
                assert!(answer.field("age").parse::<u64>().is_ok(), "{name}");
                assert_eq!(answer.field("x-request-id").len(), 32, "{name}");
            }
            requests += 2;
            octets += 2 * plain.body.len() as u64;
        }
    }
    net.settle().await;
    let books = net.roll().await.remove(0);
    assert_eq!((books.requests(), books.egress()), (requests, octets));
    let lines = wait_for("a line of each request", || async {
        let lines = net.gateways[0].access_log();
        (lines.len() as u64 == requests).then_some(lines)
    })
    .await;
    let logged: u64 = lines
        .iter()
        .map(|line| line["bytes"].as_u64().expect("a number"))
        .sum();
    assert_eq!(logged, octets);
    let from_memory = lines.iter().filter(|line| line["source"] == "memory");
    assert!(from_memory.count() as u64 >= requests - warm);
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_the_log_are_the_same_both_ways() {
    let net = net(1, 1).await;
    let ask = Ask::get("/page?len=1000&cc=max-age=600").field("x-request-id", "my-id.7");
    wait_for("a hit", || async {
        let answer = net.visitor(0).ask(doubtful(&ask)).await.unwrap();
        is_hit(&answer).then_some(())
    })
    .await;
    net.visitor(0).ask(ask.clone()).await.unwrap();
    assert_eq!(hits(&net).await, 1.0);
    let mut lines = wait_for("two lines", || async {
        let lines = net.gateways[0].access_log().into_iter();
        let lines: Vec<_> = lines.filter(|line| line["source"] == "memory").collect();
        (lines.len() == 2).then_some(lines)
    })
    .await;
    for line in &mut lines {
        let line = line.as_object_mut().expect("an object");
        for name in ["time_ms", "ttfb_us", "total_us"] {
            assert!(
                line.remove(name).is_some_and(|value| value.is_u64()),
                "{name}"
            );
        }
    }
    assert_eq!(lines[0], lines[1]);
    assert_eq!(lines[0]["request_id"], "my-id.7");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_stale_or_was_purged_is_no_hit() {
    let net = net(1, 1).await;
    let target = "/page?len=1000&cc=max-age=600";
    let visitor = net.visitor(0);
    wait_for("a hit", || async {
        assert!(visitor.get(target).await.body == content(target));
        (hits(&net).await > 0.0).then_some(())
    })
    .await;
    net.gateways[0].purge(1).await;
    let answer = visitor.get(target).await;
    assert!(answer.field("cache-status").contains("fwd="));
    let brief = "/brief?len=10&cc=max-age=1";
    wait_for("what is stale to be fetched again", || async {
        visitor.get(brief).await;
        (net.origin.count(brief) > 2).then_some(())
    })
    .await;
    assert_eq!(visitor.get(target).await.body, content(target));
}
