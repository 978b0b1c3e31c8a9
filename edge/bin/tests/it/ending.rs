//! Ending on request: whoever is being served is served to the end.

use crate::{gateway, net};
use selvedge_edge_tools_testkit::{content, wait_for, Ask, Settings};
use tokio::net::TcpStream;

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_ends_fails_no_request() {
    let mut net = gateway(Settings::default().set("gateway.drain_seconds", 1)).await;
    let long = "/long?len=3000000&pause=rest&at=1000000&cc=max-age=600";
    let mut line = net.visitor(0).connect().await.unwrap();
    let mut download = line.begin(Ask::get(long)).await.unwrap();
    let begun = download.at_least(1_000_000).await.unwrap();
    // Over HTTP/2 as well: what has begun is served to its end.
    let mut multiplexed = net.visitor(0).http2().connect().await.unwrap();
    let mut second = multiplexed.begin(Ask::get(long)).await.unwrap();
    let second_begun = second.at_least(1_000_000).await.unwrap();
    let mut busy = Vec::new();
    for number in 0..10 {
        let visitor = net.visitor(0);
        busy.push(tokio::spawn(async move {
            let target = format!("/page/{}?len=5000&cc=max-age=600", number % 3);
            let mut line = visitor.connect().await.unwrap();
            let mut served = 0u64;
            loop {
                let answer = line.ask(Ask::get(&target)).await.unwrap();
                assert!(answer.status == 200 && answer.body == content(&target));
                served += 1;
                if answer.field("connection") == "close" {
                    return served;
                }
            }
        }));
    }
    wait_for("many answers", || async {
        let metrics = net.gateways[0].metrics().await;
        (metrics.sum("selvedge_gateway_requests_total", &[]) > 200.0).then_some(())
    })
    .await;
    let address = net.gateways[0].address("http");
    net.gateways[0].signal("TERM").await;
    let mut served = 2;
    for one in busy {
        served += one.await.unwrap();
    }
    wait_for("the closed listener", || async {
        TcpStream::connect(address).await.is_err().then_some(())
    })
    .await;
    // The download that had begun is still under way.
    net.origin.open("rest");
    let rest = download.whole().await.unwrap();
    assert!([begun, rest.body.to_vec()].concat() == content(long));
    let rest = second.whole().await.unwrap();
    assert!([second_begun, rest.body.to_vec()].concat() == content(long));
    assert!(net.gateways[0].ended().await.success());

    net.gateways[0].start_again().await;
    let books = net.roll().await.remove(0);
    assert_eq!(books.requests(), served);
    assert_eq!(books.egress(), (served - 2) * 5_000 + 6_000_000);
    let complete = net.gateways[0]
        .access_log()
        .iter()
        .filter(|line| line["complete"] == true)
        .count() as u64;
    assert_eq!(
        complete, served,
        "every line is on disk, and says that all was sent"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_never_ends_is_cut_off_in_time() {
    let mut net = gateway(Settings::default().set("gateway.shutdown_seconds", 1)).await;
    let target = "/page?hold=never&cc=no-store";
    let visitor = net.visitor(0);
    let asking = tokio::spawn(async move { visitor.ask(Ask::get(target)).await });
    wait_for("the fetch", || async {
        (net.origin.count(target) == 1).then_some(())
    })
    .await;
    net.gateways[0].signal("TERM").await;
    assert!(net.gateways[0].ended().await.success());
    assert!(asking.await.unwrap().is_err());
    assert!(net.gateways[0].log().contains("cut off"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_drains_is_not_ready() {
    let mut net = gateway(Settings::default().set("gateway.drain_seconds", 600)).await;
    let admin = net.gateways[0].admin();
    assert_eq!(admin.get("/readyz").await.status, 200);
    net.gateways[0].signal("TERM").await;
    wait_for("draining", || async {
        (admin.get("/readyz").await.status == 503).then_some(())
    })
    .await;
    assert_eq!(admin.get("/readyz").await.text().trim(), "draining");
    assert_eq!(admin.get("/healthz").await.status, 200);
    let answer = net.visitor(0).get("/page").await;
    assert_eq!(
        (answer.status.as_u16(), answer.field("connection").as_str()),
        (200, "close")
    );
    net.gateways[0].kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_that_ends_keeps_everything() {
    let mut net = net(2, 1).await;
    let target = "/page?len=200000&cc=max-age=600";
    assert_eq!(net.visitor(0).get(target).await.status, 200);
    net.stored(1).await;
    net.caches[0].signal("TERM").await;
    assert!(net.caches[0].ended().await.success());
    net.caches[0].start_again().await;
    assert!(net.visitor(1).get(target).await.body == content(target));
    assert_eq!(net.origin.count(target), 1);
}
