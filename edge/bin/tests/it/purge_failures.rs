//! Purges while nodes are away, cut off or killed.

use crate::{net, PROGRAM};
use selvedge_edge_tools_testkit::{
    purge::{check, Purge},
    script::content_of,
    wait_for, Net, Plan, Settings,
};
use selvedge_primitives_types::PurgeKind;

const PAGE: &str = "/page?len=900&etag=1&cc=max-age=600";

fn url(target: &str) -> PurgeKind {
    PurgeKind::Url(format!("http://site.test{target}").into_bytes())
}

async fn is_version(net: &Net, gateway: usize, version: u32) -> bool {
    let mut is = true;
    for visitor in [net.visitor(gateway), net.visitor(gateway).http2()] {
        let answer = visitor.get(PAGE).await;
        assert_eq!(answer.status, 200);
        is &= answer.body == content_of(PAGE, &[], version);
    }
    is
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_owner_is_gone_the_next_one_orders_above_it() {
    let mut net = net(1, 3).await;
    assert!(is_version(&net, 0, 1).await);
    let tag = |tag: &str| PurgeKind::Tag(tag.as_bytes().to_vec());
    let first = Purge::hard(&net.chain, tag("first"))
        .everywhere(&net.gateways[0])
        .await;
    let owner = first.order.order.owner;
    let place = net.caches.iter().position(|cache| cache.device() == owner);
    let place = place.expect("the owner is a cache");
    net.caches[place].kill().await;
    net.origin.publish(2);
    let purge = Purge::hard(&net.chain, url(PAGE));
    let second = purge.until(&net.gateways[0], &[owner]).await;
    assert_eq!(check(&second, &net.chain), Ok(()));
    assert_ne!(second.order.order.owner, owner);
    assert!(second.order.order.number > first.order.order.number);
    assert!(is_version(&net, 0, 2).await);
    // It comes back, learns what it missed, and orders above that.
    net.caches[place].start_again().await;
    wait_for("the purge at the cache that was away", || async {
        let metrics = net.caches[place].metrics().await;
        (metrics.gauge("selvedge_cache_purges") == 2.0).then_some(())
    })
    .await;
    let third = Purge::hard(&net.chain, tag("third"))
        .everywhere(&net.gateways[0])
        .await;
    assert!(third.order.order.number > second.order.order.number);
    assert_eq!(check(&third, &net.chain), Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_that_was_acknowledged_outlives_a_kill_of_every_node() {
    let mut net = net(1, 1).await;
    assert!(is_version(&net, 0, 1).await);
    net.stored(1).await;
    net.origin.publish(2);
    let purge = Purge::hard(&net.chain, url(PAGE));
    let receipt = purge.everywhere(&net.gateways[0]).await;
    net.gateways[0].kill().await;
    net.caches[0].kill().await;
    net.caches[0].start_again().await;
    net.gateways[0].start_again().await;
    for node in net.gateways.iter().chain(&net.caches) {
        let name = format!("selvedge_{}_purges", node.role().name());
        assert_eq!(node.metrics().await.gauge(&name), 1.0, "{}", node.name());
    }
    assert!(is_version(&net, 0, 2).await);
    assert_eq!(purge.everywhere(&net.gateways[0]).await, receipt);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_was_away_learns_what_it_missed_before_it_serves() {
    let mut net = net(2, 1).await;
    for gateway in 0..2 {
        assert!(is_version(&net, gateway, 1).await);
    }
    net.stored(1).await;
    net.gateways[1].kill().await;
    net.origin.publish(2);
    let away = net.gateways[1].device();
    let receipt = Purge::hard(&net.chain, url(PAGE))
        .until(&net.gateways[0], &[away])
        .await;
    assert_eq!(check(&receipt, &net.chain), Ok(()));
    net.gateways[1].start_again().await;
    for gateway in 0..2 {
        assert!(is_version(&net, gateway, 2).await);
    }
    wait_for("the purge at the gateway that was away", || async {
        let metrics = net.gateways[1].metrics().await;
        (metrics.gauge("selvedge_gateway_purges") == 1.0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_cut_off_serves_nothing_that_the_origin_has_not_confirmed() {
    let plan = Plan {
        gateways: 2,
        gateway: Settings::default().set("gateway.purge_silence_seconds", 1),
        ..Plan::default()
    };
    let mut net = Net::start(PROGRAM, plan).await;
    for gateway in 0..2 {
        assert!(is_version(&net, gateway, 1).await);
    }
    // Nobody listens where the two are told that the others are.
    let nowhere = "127.0.0.1:1";
    let (cut, cache) = (net.gateways[1].device(), net.caches[0].device());
    let mut its_view = net.chain.clone();
    its_view.node(cache).endpoint = nowhere.as_bytes().to_vec();
    its_view.push(&net.gateways[1]).await;
    let url_of_cut = net.chain.node(cut).public_url.clone();
    net.chain.node(cut).public_url = format!("http://{nowhere}").into_bytes();
    let chain = &mut net.chain;
    chain.push(&net.gateways[0]).await;
    let silent = |expected: f64| {
        let gateway = &net.gateways[1];
        wait_for(format!("{expected} silent services"), move || async move {
            let metrics = gateway.metrics().await;
            (metrics.gauge("selvedge_gateway_silent_services") == expected).then_some(())
        })
    };
    silent(1.0).await;
    // Every answer is confirmed now.
    for _ in 0..3 {
        let asked = net.origin.count(PAGE);
        assert!(net.visitor(1).get(PAGE).await.body == content_of(PAGE, &[], 1));
        assert_eq!(net.origin.count(PAGE), asked + 1);
    }
    net.origin.publish(2);
    let receipt = Purge::hard(&net.chain, url(PAGE))
        .until(&net.gateways[0], &[cut])
        .await;
    assert_eq!(check(&receipt, &net.chain), Ok(()));
    for gateway in 0..2 {
        assert!(is_version(&net, gateway, 2).await);
    }
    // Together again, it learns what it missed.
    net.chain.node(cut).public_url = url_of_cut;
    net.push().await;
    let silent = wait_for("the purge at the gateway that was cut off", || async {
        let metrics = net.gateways[1].metrics().await;
        let has = metrics.gauge("selvedge_gateway_purges") == 1.0;
        let hears = metrics.gauge("selvedge_gateway_silent_services") == 0.0;
        (has && hears).then_some(())
    });
    silent.await;
    assert!(is_version(&net, 1, 2).await);
    Purge::hard(&net.chain, PurgeKind::Tag(b"more".to_vec()))
        .everywhere(&net.gateways[1])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_cache_that_orders_it_a_purge_is_refused() {
    let mut net = net(1, 1).await;
    net.caches[0].kill().await;
    let answer = Purge::hard(&net.chain, PurgeKind::Everything)
        .send(&net.gateways[0])
        .await;
    assert_eq!(answer.status, 503);
    assert!(answer.text().contains("no cache"), "{}", answer.text());
}
