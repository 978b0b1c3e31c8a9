//! One origin fetch for the whole network, whoever asks.

use crate::net;
use selvedge_edge_tools_testkit::{content, wait_for, Ask, Net};

const FOREVER: &str = "cc=max-age=600";

#[tokio::test(flavor = "multi_thread")]
async fn a_response_is_fetched_once_and_then_comes_from_memory_and_from_the_cache() {
    let net = net(2, 2).await;
    let target = format!("/page?len=70000&{FOREVER}");
    for (gateway, expected) in [(0, "origin"), (0, "memory"), (1, "cache"), (1, "memory")] {
        let answer = net.visitor(gateway).get(&target).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.body, content(&target));
        let metrics = net.gateways[gateway].metrics().await;
        let labels = [("status", "200"), ("source", expected)];
        assert_eq!(
            metrics.sum("selvedge_gateway_requests_total", &labels),
            1.0,
            "{expected}"
        );
        // The seed ends after the visitor's answer does.
        net.stored(1).await;
    }
    assert_eq!(net.origin.count(&target), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_misses_at_once_over_two_gateways_are_one_fetch() {
    const EACH: usize = 40;
    let net = net(2, 2).await;
    let target = format!("/page?len=300000&hold=head&{FOREVER}");
    let mut asking = Vec::new();
    for number in 0..2 * EACH {
        let (visitor, target) = (net.visitor(number % 2), target.clone());
        asking.push(tokio::spawn(async move { visitor.get(&target).await }));
    }
    wait_for("every request", || async {
        let mut running = 0.0;
        for gateway in &net.gateways {
            running += gateway
                .metrics()
                .await
                .gauge("selvedge_gateway_running_requests");
        }
        (running == 2.0 * EACH as f64).then_some(())
    })
    .await;
    net.origin.open("head");
    let expected = content(&target);
    for answer in asking {
        let answer = answer.await.unwrap();
        assert_eq!(answer.status, 200);
        assert!(answer.body == expected);
    }
    assert_eq!(net.origin.count(&target), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn misses_that_race_with_the_end_of_a_fetch_do_not_fetch_again() {
    const KEYS: usize = 150;
    let net = net(2, 1).await;
    let targets: Vec<_> = (0..KEYS)
        .map(|key| format!("/race/{key}?len=2000&{FOREVER}"))
        .collect();
    let mut asking = Vec::new();
    for number in 0..8 {
        let (visitor, targets) = (net.visitor(number % 2), targets.clone());
        asking.push(tokio::spawn(async move {
            let mut line = visitor.connect().await.unwrap();
            for target in targets {
                let answer = line.ask(Ask::get(&target)).await.unwrap();
                assert!(answer.body == content(&target), "{target}");
            }
        }));
    }
    for one in asking {
        one.await.unwrap();
    }
    for target in &targets {
        assert_eq!(net.origin.count(target), 1, "{target}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_wait_read_along_before_the_body_ends() {
    let net = net(2, 1).await;
    let target = format!("/film?len=400000&pause=rest&at=100000&{FOREVER}");
    let expected = content(&target);
    let mut first = net.visitor(0).connect().await.unwrap();
    let mut first = first.begin(Ask::get(&target)).await.unwrap();
    let begun = first.at_least(100_000).await.unwrap();
    let mut line = net.visitor(1).connect().await.unwrap();
    let mut second = line.begin(Ask::get(&target)).await.unwrap();
    let read_along = second.at_least(100_000).await.unwrap();
    assert!(begun == expected[..100_000] && read_along == expected[..100_000]);
    net.origin.open("rest");
    for (begun, rest) in [(begun, first), (read_along, second)] {
        let rest = rest.whole().await.unwrap();
        assert!([begun, rest.body.to_vec()].concat() == expected);
    }
    assert_eq!(net.origin.count(&target), 1);
    let metrics = net.gateways[1].metrics().await;
    assert_eq!(
        metrics.sum("selvedge_gateway_requests_total", &[("source", "shared")]),
        1.0
    );
}

/// Waits until a cache has told a gateway to follow another one's fetch.
async fn followed(net: &Net) {
    wait_for("a follower", || async {
        let metrics = net.caches[0].metrics().await;
        let labels = [("answer", "follow")];
        (metrics.sum("selvedge_cache_lookups_total", &labels) > 0.0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_short_body_notices_nothing_of_a_cache_that_dies() {
    let mut net = net(2, 1).await;
    let target = format!("/page?len=5000&pause=rest&at=1000&{FOREVER}");
    let mut line = net.visitor(0).connect().await.unwrap();
    let mut first = line.begin(Ask::get(&target)).await.unwrap();
    let begun = first.at_least(1_000).await.unwrap();
    let second = tokio::spawn({
        let (visitor, target) = (net.visitor(1), target.clone());
        async move { visitor.get(&target).await }
    });
    followed(&net).await;
    net.caches[0].kill().await;
    wait_for("a fetch of its own", || async {
        (net.origin.count(&target) == 2).then_some(())
    })
    .await;
    net.origin.open("rest");
    let rest = first.whole().await.unwrap();
    assert!([begun, rest.body.to_vec()].concat() == content(&target));
    assert!(second.await.unwrap().body == content(&target));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_of_a_body_under_way_is_only_that() {
    let net = net(2, 1).await;
    let target = format!("/film?len=900000&pause=rest&at=600000&{FOREVER}");
    let mut line = net.visitor(0).connect().await.unwrap();
    let mut first = line.begin(Ask::get(&target)).await.unwrap();
    let begun = first.at_least(600_000).await.unwrap();
    // What is there already does not wait for the end.
    for client in [net.visitor(1), net.visitor(1).http2()] {
        let ask = Ask::get(&target).field("range", "bytes=100000-499999");
        let part = client.ask(ask).await.unwrap();
        assert_eq!(part.status, 206);
        assert!(part.body == content(&target)[100_000..500_000]);
        assert_eq!(
            part.fields.get("content-range").unwrap(),
            "bytes 100000-499999/900000"
        );
    }
    net.origin.open("rest");
    let rest = first.whole().await.unwrap();
    assert!([begun, rest.body.to_vec()].concat() == content(&target));
    assert_eq!(net.origin.count(&target), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_dies_hands_the_fetch_to_who_waits() {
    let mut net = net(2, 1).await;
    let target = format!("/page?len=5000&hold=head&{FOREVER}");
    let first = tokio::spawn({
        let (visitor, target) = (net.visitor(0), target.clone());
        async move { visitor.ask(Ask::get(target)).await }
    });
    wait_for("the first fetch", || async {
        (net.origin.count(&target) == 1).then_some(())
    })
    .await;
    let second = tokio::spawn({
        let (visitor, target) = (net.visitor(1), target.clone());
        async move { visitor.get(&target).await }
    });
    wait_for("the second request", || async {
        let metrics = net.gateways[1].metrics().await;
        (metrics.gauge("selvedge_gateway_running_requests") == 1.0).then_some(())
    })
    .await;
    net.gateways[0].kill().await;
    assert!(first.await.unwrap().is_err());
    wait_for("the second fetch", || async {
        (net.origin.count(&target) == 2).then_some(())
    })
    .await;
    net.origin.open("head");
    assert!(second.await.unwrap().body == content(&target));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_cache_each_gateway_fetches_for_itself() {
    let net = net(1, 0).await;
    let target = format!("/page?len=5000&{FOREVER}");
    for _ in 0..2 {
        assert!(net.visitor(0).get(&target).await.body == content(&target));
    }
    assert_eq!(net.origin.count(&target), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_that_drains_gives_what_it_has_and_takes_nothing_new() {
    let mut net = net(2, 1).await;
    let (old, new) = (
        format!("/old?len=5000&{FOREVER}"),
        format!("/new?len=5000&{FOREVER}"),
    );
    assert_eq!(net.visitor(0).get(&old).await.status, 200);
    net.stored(1).await;
    let cache = net.caches[0].device();
    net.chain.node(cache).draining = true;
    net.push().await;
    assert!(net.visitor(1).get(&old).await.body == content(&old));
    assert_eq!(net.origin.count(&old), 1);
    for gateway in 0..2 {
        assert!(net.visitor(gateway).get(&new).await.body == content(&new));
    }
    assert_eq!(net.origin.count(&new), 2, "each gateway for itself");
    let taken = net.caches[0]
        .metrics()
        .await
        .sum("selvedge_cache_seeds_total", &[("answer", "taken")]);
    assert_eq!(taken, 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_left_the_network_is_believed_by_nobody() {
    let mut net = net(2, 1).await;
    let target = format!("/page?len=5000&{FOREVER}");
    assert_eq!(net.visitor(0).get(&target).await.status, 200);
    net.stored(1).await;
    // What it signed is worth nothing any more, and it is not answered.
    let left = net.gateways[0].device();
    net.chain.nodes.retain(|node| node.device != left);
    net.chain.push(&net.caches[0]).await;
    net.chain.push(&net.gateways[1]).await;
    assert!(net.visitor(1).get(&target).await.body == content(&target));
    assert_eq!(net.origin.count(&target), 2);
    let other = format!("/other?len=5000&{FOREVER}");
    assert!(
        net.visitor(0).get(&other).await.body == content(&other),
        "it fetches for itself"
    );
    net.settle().await;
    net.landed().await;
    assert!(net.visitor(1).get(&other).await.body == content(&other));
    assert_eq!(net.origin.count(&other), 2);
}
