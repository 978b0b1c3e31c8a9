//! What unsafe requests change while nodes are away, cut off or killed.

use crate::{
    invalidation::{assert_version, change},
    net, PROGRAM,
};
use selvedge_edge_tools_testkit::{script::content_of, wait_for, Ask, Net, Plan, Settings};

const PAGE: &str = "/page?len=900&etag=1&cc=max-age=600";

async fn invalid_keys(net: &Net, count: f64) {
    for node in net.gateways.iter().chain(&net.caches) {
        let name = format!("selvedge_{}_invalid_keys", node.role().name());
        wait_for(format!("{count} keys at {}", node.name()), || async {
            (node.metrics().await.gauge(&name) == count).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_that_was_away_does_not_serve_what_changed_meanwhile() {
    for away in 0..2 {
        let mut net = net(2, 2).await;
        assert_version(&net, PAGE, 1, "before").await;
        net.stored(1).await;
        net.caches[away].kill().await;
        net.origin.publish(2);
        change(&net, 0, PAGE).await;
        net.caches[away].start_again().await;
        assert_version(&net, PAGE, 2, "after").await;
        invalid_keys(&net, 1.0).await;
        // Nor do gateways that know of it by nothing but the caches.
        for gateway in 0..2 {
            net.gateways[gateway].kill().await;
            net.gateways[gateway].start_again().await;
        }
        assert_version(&net, PAGE, 2, "after a restart").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_owner_could_be_told_is_told_when_one_is_back() {
    let mut net = net(2, 1).await;
    assert_version(&net, PAGE, 1, "before").await;
    net.stored(1).await;
    net.caches[0].kill().await;
    net.origin.publish(2);
    let visitor = net.visitor(0);
    let answer = visitor.ask(Ask::post(PAGE, "change")).await.unwrap();
    assert_eq!(answer.status, 200);
    let metrics = net.gateways[0].metrics().await;
    assert_eq!(metrics.gauge("selvedge_gateway_invalidations_waiting"), 1.0);
    assert!(visitor.get(PAGE).await.body == content_of(PAGE, &[], 2));
    net.caches[0].start_again().await;
    net.invalidated().await;
    invalid_keys(&net, 1.0).await;
    assert_version(&net, PAGE, 2, "after").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_outlives_a_kill_of_its_gateway() {
    let mut net = net(2, 1).await;
    assert_version(&net, PAGE, 1, "before").await;
    net.stored(1).await;
    net.caches[0].kill().await;
    net.origin.publish(2);
    let answer = net.visitor(0).ask(Ask::post(PAGE, "change")).await.unwrap();
    assert_eq!(answer.status, 200);
    let kept = net.gateways[0].folder().join("state/invalidations.scale");
    wait_for("what waits to be kept", || async {
        kept.exists().then_some(())
    })
    .await;
    net.gateways[0].kill().await;
    net.caches[0].start_again().await;
    net.gateways[0].start_again().await;
    net.invalidated().await;
    invalid_keys(&net, 1.0).await;
    assert_version(&net, PAGE, 2, "after").await;
    wait_for("nothing to be kept", || async {
        (!kept.exists()).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_was_away_learns_what_changed_before_it_serves() {
    let mut net = net(2, 1).await;
    assert_version(&net, PAGE, 1, "before").await;
    net.stored(1).await;
    net.gateways[1].kill().await;
    net.origin.publish(2);
    let visitor = net.visitor(0);
    let answer = visitor.ask(Ask::post(PAGE, "change")).await.unwrap();
    assert_eq!(answer.status, 200);
    wait_for("the order", || async {
        let metrics = net.gateways[0].metrics().await;
        (metrics.gauge("selvedge_gateway_invalid_keys") == 1.0).then_some(())
    })
    .await;
    net.gateways[1].start_again().await;
    assert_version(&net, PAGE, 2, "after").await;
    invalid_keys(&net, 1.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_cut_off_serves_nothing_that_changed_elsewhere() {
    let plan = Plan {
        gateways: 2,
        gateway: Settings::default().set("gateway.purge_silence_seconds", 1),
        ..Plan::default()
    };
    let mut net = Net::start(PROGRAM, plan).await;
    assert_version(&net, PAGE, 1, "before").await;
    // Nobody listens where the two are told that the others are.
    let nowhere = "127.0.0.1:1";
    let (cut, cache) = (net.gateways[1].device(), net.caches[0].device());
    let mut its_view = net.chain.clone();
    its_view.node(cache).endpoint = nowhere.as_bytes().to_vec();
    its_view.push(&net.gateways[1]).await;
    let url_of_cut = net.chain.node(cut).public_url.clone();
    net.chain.node(cut).public_url = format!("http://{nowhere}").into_bytes();
    net.chain.push(&net.gateways[0]).await;
    wait_for("its silence", || async {
        let metrics = net.gateways[1].metrics().await;
        (metrics.gauge("selvedge_gateway_silent_services") == 1.0).then_some(())
    })
    .await;
    net.origin.publish(2);
    change(&net, 0, PAGE).await;
    assert_version(&net, PAGE, 2, "while it is cut off").await;
    // Together again, it learns what it missed.
    net.chain.node(cut).public_url = url_of_cut;
    net.push().await;
    invalid_keys(&net, 1.0).await;
    assert_version(&net, PAGE, 2, "after").await;
}
