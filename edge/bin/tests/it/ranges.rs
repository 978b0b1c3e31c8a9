//! Parts of responses, one or several at once, from memory, from caches and from an origin on the
//! way.

use crate::framing::raw_site_with;
use crate::{gateway, net, PROGRAM};
use selvedge_edge_tools_testkit::{
    content, origin::Seen, script::content_of, wait_for, Answer, Ask, Net, Plan, RawOrigin, Reply,
    Settings,
};
use std::ops::Range;

async fn get(net: &Net, gateway: usize, target: &str, range: &str) -> Answer {
    let ask = Ask::get(target).field("range", range);
    let answer = net.visitor(gateway).ask(ask).await;
    answer.unwrap_or_else(|error| panic!("{target} {range}: {error:#}"))
}

/// Reads a message of several parts as RFC 2046 writes it: where each lies, and its bytes.
fn parts(answer: &Answer) -> Vec<(String, Vec<u8>)> {
    assert_eq!(answer.status, 206);
    assert!(!answer.fields.contains_key("content-range"));
    let kind = answer.field("content-type");
    let boundary = kind
        .strip_prefix("multipart/byteranges; boundary=")
        .unwrap_or_else(|| panic!("{kind}"));
    let (mut parts, mut rest) = (Vec::new(), &answer.body[..]);
    let mut delimiter = format!("--{boundary}");
    loop {
        rest = rest
            .strip_prefix(delimiter.as_bytes())
            .expect("a delimiter");
        delimiter = format!("\r\n--{boundary}");
        if rest == b"--\r\n" {
            return parts;
        }
        rest = rest.strip_prefix(b"\r\n").expect("a head");
        let end = rest
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .expect("the end of a head");
        let head = std::str::from_utf8(&rest[..end]).expect("text");
        let place = head
            .lines()
            .find_map(|line| line.strip_prefix("content-range: "))
            .expect("a place")
            .to_owned();
        rest = &rest[end + 4..];
        let (first, last) = place["bytes ".len()..place.find('/').unwrap()]
            .split_once('-')
            .expect("two numbers");
        let length = last.parse::<usize>().unwrap() - first.parse::<usize>().unwrap() + 1;
        parts.push((place, rest[..length].to_vec()));
        rest = &rest[length..];
    }
}

fn expect(answer: &Answer, whole: &[u8], ranges: &[Range<usize>], name: &str) {
    let expected: Vec<_> = ranges
        .iter()
        .map(|range| {
            let place = format!("bytes {}-{}/{}", range.start, range.end - 1, whole.len());
            (place, whole[range.clone()].to_vec())
        })
        .collect();
    assert!(parts(answer) == expected, "{name}");
    let length = answer.body.len().to_string();
    assert_eq!(answer.field("content-length"), length, "{name}");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_parts_come_from_memory_from_a_cache_and_from_an_origin_on_the_way() {
    let mut net = net(2, 1).await;
    let target = "/file?len=400000&cc=max-age=600&etag=1";
    let whole = content(target);
    // Cold: cut out of the origin's body as it passes.
    let answer = get(&net, 0, target, "bytes=0-99,200000-349999,-50").await;
    let ranges = [0..100, 200_000..350_000, 399_950..400_000];
    expect(&answer, &whole, &ranges, "cold");
    let mut octets = answer.body.len();
    net.stored(1).await;
    wait_for("it in memory", || async {
        let metrics = net.gateways[0].metrics().await;
        (metrics.gauge("selvedge_gateway_memory_objects") == 1.0).then_some(())
    })
    .await;
    // From the cache: each part is proven for itself, in whatever order.
    let answer = get(&net, 1, target, "bytes=300000-300009,5-9,16383-16384").await;
    let ranges = [300_000..300_010, 5..10, 16_383..16_385];
    expect(&answer, &whole, &ranges, "cache");
    octets += answer.body.len();
    let answer = get(&net, 1, target, "bytes=1-299999,399999-").await;
    expect(&answer, &whole, &[1..300_000, 399_999..400_000], "long");
    octets += answer.body.len();
    let answer = get(&net, 0, target, "bytes=399990-399999,70000-70001").await;
    let ranges = [399_990..400_000, 70_000..70_002];
    expect(&answer, &whole, &ranges, "memory");
    assert!(answer.field("cache-status").contains("hit"));
    octets += answer.body.len();
    assert_eq!(net.origin.count(target), 1);
    net.settle().await;
    let books = net.roll().await;
    let (requests, egress) = books.iter().fold((0, 0), |(requests, egress), books| {
        (requests + books.requests(), egress + books.egress())
    });
    assert_eq!((requests, egress), (4, octets as u64));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_meets_is_one_part_and_what_costs_more_than_the_whole_is_the_whole() {
    let net = net(1, 1).await;
    let target = "/file?len=50000&cc=max-age=600&etag=1";
    let whole = content(target);
    for memory in ["cold", "warm"] {
        let one = get(&net, 0, target, "bytes=10-19,0-9,15-29").await;
        assert_eq!(one.status, 206, "{memory}");
        assert_eq!(one.field("content-range"), "bytes 0-29/50000");
        assert!(one.body == whole[..30]);
        for greedy in [
            "bytes=0-30000,30002-",
            "bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,24-24,26-26,28-28,30-30,32-32",
        ] {
            let answer = get(&net, 0, target, greedy).await;
            assert_eq!(answer.status, 200, "{greedy}");
            assert!(answer.body == whole, "{greedy}");
        }
        let beyond = get(&net, 0, target, "bytes=50000-,60000-60001").await;
        assert_eq!(beyond.status, 416);
        assert_eq!(beyond.field("content-range"), "bytes */50000");
        net.stored(1).await;
    }
    assert_eq!(net.origin.count(target), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_that_go_back_in_a_body_that_passes_are_the_whole() {
    let net = net(1, 1).await;
    let target = "/file?len=50000&cc=max-age=600";
    let answer = get(&net, 0, target, "bytes=40000-40009,0-9").await;
    assert_eq!(answer.status, 200);
    assert!(answer.body == content(target));
    let streamed = "/streamed?len=50000&chunked=1&cc=max-age=600";
    let answer = get(&net, 0, streamed, "bytes=0-9,40000-40009").await;
    assert_eq!(answer.status, 200);
    assert!(answer.body == content(streamed));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_a_fetch_gets_its_parts() {
    let plan = Plan {
        gateways: 2,
        gateway: Settings::default().set("gateway.memory_mib", 0),
        ..Plan::default()
    };
    let net = Net::start(PROGRAM, plan).await;
    let target = "/file?len=900000&pause=desk&at=500000&cc=max-age=600";
    let whole = content(target);
    let mut line = net.visitor(0).connect().await.unwrap();
    let mut first = line.begin(Ask::get(target)).await.unwrap();
    let mut body = first.at_least(400_000).await.unwrap();
    // Ahead of the gate: answered while the fetch waits there.
    let answer = get(&net, 1, target, "bytes=0-9,300000-399999").await;
    expect(&answer, &whole, &[0..10, 300_000..400_000], "following");
    net.origin.open("desk");
    body.extend(first.whole().await.unwrap().body);
    assert!(body == whole);
    assert_eq!(net.origin.count(target), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn if_range_gives_parts_of_the_same_and_the_whole_of_another() {
    let net = net(2, 1).await;
    let target = "/file?len=50000&cc=max-age=600&etag=1";
    let whole = content(target);
    for gateway in [0, 0, 1] {
        for (tag, is_part) in [("\"v1\"", true), ("\"v0\"", false), ("W/\"v1\"", false)] {
            let ask = Ask::get(target)
                .field("range", "bytes=0-9,20000-20009")
                .field("if-range", tag);
            let answer = net.visitor(gateway).ask(ask).await.unwrap();
            if is_part {
                expect(&answer, &whole, &[0..10, 20_000..20_010], tag);
            } else {
                assert_eq!(answer.status, 200, "{tag}");
                assert!(answer.body == whole, "{tag}");
            }
        }
        net.stored(1).await;
    }
    assert_eq!(net.origin.count(target), 1);
}

fn wanted(seen: &[Seen]) -> Vec<(String, String)> {
    let text = |seen: &Seen, name: &str| {
        let value = seen.fields.get(name);
        value.map_or("", |value| value.to_str().unwrap()).to_owned()
    };
    seen.iter()
        .map(|seen| (text(seen, "range"), text(seen, "if-range")))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_of_what_is_too_long_to_be_shared_are_kept_and_completed() {
    let mut net = gateway(Settings::default().set("gateway.max_object_mib", 1)).await;
    let target = "/film?len=3000000&ranges=1&etag=1&cc=max-age=600";
    let whole = content(target);
    let mut octets = 0;
    let mut expected = vec![(String::new(), String::new())];
    for (range, bytes, asked) in [
        // Not all of it for the sake of a part.
        ("bytes=0-99999", 0..100_000, Some(("bytes=0-99999", ""))),
        ("bytes=0-99999", 0..100_000, None),
        ("bytes=20-29", 20..30, None),
        // What is missing is asked for, on condition that the rest is of the same.
        (
            "bytes=50000-149999",
            50_000..150_000,
            Some(("bytes=100000-149999", "\"v1\"")),
        ),
        ("bytes=1-149999", 1..150_000, None),
        (
            "bytes=-100000",
            2_900_000..3_000_000,
            Some(("bytes=-100000", "")),
        ),
        (
            "bytes=140000-2950000",
            140_000..2_950_001,
            Some(("bytes=150000-2899999", "\"v1\"")),
        ),
        ("bytes=0-", 0..3_000_000, None),
    ] {
        let answer = get(&net, 0, target, range).await;
        assert_eq!(answer.status, 206, "{range}");
        assert!(answer.body == whole[bytes.clone()], "{range}");
        let place = format!("bytes {}-{}/3000000", bytes.start, bytes.end - 1);
        assert_eq!(answer.field("content-range"), place, "{range}");
        octets += answer.body.len() as u64;
        match asked {
            Some((range, tag)) => expected.push((range.to_owned(), tag.to_owned())),
            None => {
                let said = answer.field("cache-status");
                assert!(
                    said.contains("\"selvedge-gateway\"; hit"),
                    "{range}: {said}"
                );
            }
        }
        assert_eq!(wanted(&net.origin.seen()), expected, "{range}");
    }
    // All of it is held, so it answers who wants the whole, and who wants several parts.
    let answer = net.visitor(0).get(target).await;
    assert_eq!(answer.status, 200);
    assert!(answer.body == whole);
    octets += answer.body.len() as u64;
    let answer = get(&net, 0, target, "bytes=0-9,2000000-2000009").await;
    expect(&answer, &whole, &[0..10, 2_000_000..2_000_010], "several");
    octets += answer.body.len() as u64;
    assert_eq!(wanted(&net.origin.seen()), expected);
    net.settle().await;
    let books = net.roll().await.remove(0);
    assert_eq!((books.requests(), books.egress()), (10, octets));
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_of_two_versions_are_never_one_answer() {
    let net = gateway(Settings::default().set("gateway.max_object_mib", 1)).await;
    let target = "/film?len=2000000&ranges=1&etag=1&cc=max-age=600";
    let old = get(&net, 0, target, "bytes=0-9999").await;
    assert!(old.body == content(target)[..10_000]);
    net.origin.publish(2);
    let new = content_of(target, &[], 2);
    // Half of it is held of the version before: the origin says so, with all of what it has now.
    let answer = get(&net, 0, target, "bytes=5000-14999").await;
    assert_eq!(answer.status, 200);
    assert!(answer.body == new);
    let answer = get(&net, 0, target, "bytes=0-9999").await;
    assert_eq!(answer.status, 206);
    assert!(answer.body == new[..10_000]);
    net.origin.publish(3);
    net.gateways[0].purge(1).await;
    let answer = get(&net, 0, target, "bytes=0-9999").await;
    assert!(answer.body == content_of(target, &[], 3)[..10_000]);
}

/// Only a fetch for everybody may be kept, and it carries nothing that one visitor could choose by.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_longer_too_long_is_taken_for_nothing_special() {
    let origin = RawOrigin::start(|heard| {
        let ranges = heard.values("range");
        let (status, place, length) = match ranges.first().copied() {
            None => ("200 OK", String::new(), 2_000_000),
            Some(range) => {
                let range = range.strip_prefix("bytes=").expect("a range");
                let whole = if range == "0-9" { 2_000_000 } else { 100 };
                let place = format!("content-range: bytes {range}/{whole}\r\n");
                ("206 Partial Content", place, 10)
            }
        };
        let said = "cache-control: max-age=600\r\netag: \"1\"\r\n";
        let head = format!("HTTP/1.1 {status}\r\n{said}{place}content-length: {length}\r\n\r\n");
        Reply::listen(head + &"x".repeat(length))
    })
    .await;
    let settings = Settings::default().set("gateway.max_object_mib", 1);
    let net = raw_site_with(&origin, settings).await;
    let visitor = net.gateways[0].visitor("raw.test");
    for range in ["bytes=0-9", "bytes=20-29", "bytes=40-49"] {
        let ask = Ask::get("/film")
            .field("range", range)
            .field("x-real-ip", "1");
        let answer = visitor.ask(ask).await.unwrap();
        assert_eq!(
            (answer.status.as_u16(), answer.text().as_str()),
            (206, "xxxxxxxxxx")
        );
    }
    let heard = origin.heard();
    let whose: Vec<_> = heard
        .iter()
        .map(|heard| (heard.values("range"), heard.values("x-real-ip").len()))
        .collect();
    let expected = [
        (vec![], 0),
        (vec!["bytes=0-9"], 0),
        (vec!["bytes=20-29"], 0),
        // As long as nothing of it may be shared, it is forwarded as it came.
        (vec!["bytes=40-49"], 1),
    ];
    assert_eq!(whose, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_that_are_for_one_visitor_are_not_kept() {
    let net = gateway(Settings::default().set("gateway.max_object_mib", 1)).await;
    for rest in [
        "cc=private&etag=1",
        "cc=no-store&etag=1",
        "cc=max-age=600",
        "cc=max-age=600&etag=1&cookie=1",
    ] {
        let target = format!("/film?len=2000000&ranges=1&{rest}");
        for _ in 0..3 {
            // What is not for sharing is forwarded as it is asked for, from the second time on.
            let answer = get(&net, 0, &target, "bytes=0-9999").await;
            let bytes = if answer.status == 206 {
                0..10_000
            } else {
                0..2_000_000
            };
            assert!(answer.body == content(&target)[bytes], "{target}");
        }
        assert!(net.origin.count(&target) >= 3, "{target}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_head_says_counts_for_what_is_stored() {
    let net = net(1, 1).await;
    let target = "/page?len=3000&etag=1&cc=max-age=600";
    assert!(net.visitor(0).get(target).await.body == content(target));
    net.stored(1).await;
    let anew = || Ask::head(target).field("cache-control", "no-cache");
    for _ in 0..2 {
        let answer = net.visitor(0).ask(anew()).await.unwrap();
        assert_eq!(
            (answer.status.as_u16(), answer.field("etag").as_str()),
            (200, "\"v1\"")
        );
        assert!(net.visitor(0).get(target).await.body == content(target));
    }
    let gets = |net: &Net| {
        let seen = net.origin.seen();
        seen.iter()
            .filter(|seen| seen.method == http::Method::GET)
            .count()
    };
    assert_eq!(gets(&net), 1);
    net.origin.publish(2);
    assert!(
        net.visitor(0).get(target).await.body == content(target),
        "still fresh"
    );
    let answer = net.visitor(0).ask(anew()).await.unwrap();
    assert_eq!(answer.field("etag"), "\"v2\"");
    assert!(net.visitor(0).get(target).await.body == content_of(target, &[], 2));
    assert_eq!(gets(&net), 2);
}
