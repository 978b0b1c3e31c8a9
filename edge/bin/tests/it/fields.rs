//! Fields that are added on the way, and the loop they betray.

use crate::{gateway, net};
use selvedge_edge_tools_testkit::{wait_for, Ask, Settings};

#[tokio::test(flavor = "multi_thread")]
async fn the_origin_learns_who_asks_and_by_which_way() {
    let net = net(1, 1).await;
    let ask = Ask::get("/page?cc=no-store")
        .field("x-request-id", "my-id.7")
        .field("x-forwarded-for", "203.0.113.9")
        .field("x-forwarded-proto", "gopher")
        .field("via", "1.1 before")
        .field("cdn-loop", "othernet; v=1")
        .field("connection", "x-secret")
        .field("x-secret", "of this connection")
        .field("te", "trailers");
    let answer = net.visitor(0).ask(ask).await.unwrap();
    let seen = net.origin.seen().remove(0);
    let field = |name: &str| {
        seen.fields
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(field("x-request-id").unwrap(), "my-id.7");
    assert_eq!(field("x-forwarded-for").unwrap(), "203.0.113.9, 127.0.0.1");
    assert_eq!(field("x-forwarded-proto").unwrap(), "http");
    assert_eq!(field("x-forwarded-host").unwrap(), "site.test");
    assert_eq!(field("via").unwrap(), "1.1 before, 1.1 selvedge");
    assert_eq!(field("cdn-loop").unwrap(), "othernet; v=1, selvedge");
    assert_eq!(field("host").unwrap(), net.origin.address().to_string());
    assert_eq!(
        (field("x-secret"), field("te"), field("connection")),
        (None, None, None)
    );

    assert_eq!(answer.field("x-request-id"), "my-id.7");
    assert_eq!(answer.field("via"), "1.1 selvedge");
    assert!(
        answer
            .field("cache-status")
            .starts_with("\"selvedge-gateway\"; fwd="),
        "{}",
        answer.field("cache-status")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_an_id_of_its_own_that_the_log_knows() {
    let net = net(1, 1).await;
    let mut ids = Vec::new();
    for ask in [
        Ask::get("/page?cc=max-age=600"),
        Ask::get("/page?cc=max-age=600"),
        Ask::get("/page?cc=max-age=600").field("x-request-id", "not/harmless"),
        Ask::get("/page?cc=max-age=600").field("cdn-loop", "selvedge"),
    ] {
        let answer = net.visitor(0).ask(ask).await.unwrap();
        ids.push(answer.field("x-request-id"));
    }
    assert!(ids.iter().all(|id| id.len() == 32), "{ids:?}");
    let lines = wait_for("four lines", || async {
        let lines = net.gateways[0].access_log();
        (lines.len() == 4).then_some(lines)
    })
    .await;
    for (id, source) in ids.iter().zip(["origin", "memory", "memory", "own"]) {
        let line = lines
            .iter()
            .find(|line| line["request_id"] == **id)
            .expect("a line");
        assert_eq!(line["source"], source);
        assert_eq!(line["bytes"], if source == "own" { 0 } else { 100 });
        assert_eq!(
            (line["host"].as_str(), line["peer"].as_str()),
            (Some("site.test"), Some("127.0.0.1"))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_whose_origin_is_the_network_itself_is_no_loop() {
    let mut net = net(2, 1).await;
    // The first gateway's origin is the second gateway, and the other way round.
    net.site().origin = format!("http://{}", net.gateways[1].address("http"));
    net.chain.push(&net.gateways[0]).await;
    net.chain.sites[0].origin = format!("http://{}", net.gateways[0].address("http"));
    net.chain.sites[0].hosts.push("127.0.0.1".to_owned());
    net.chain.push(&net.gateways[1]).await;
    let answer = net.visitor(0).get("/page").await;
    assert_eq!(
        (answer.status.as_u16(), answer.reason().as_str()),
        (508, "loop")
    );
    assert!(net.origin.seen().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_says_what_it_did() {
    let net = net(2, 1).await;
    let target = "/page?cc=max-age=600";
    let status = |answer: selvedge_edge_tools_testkit::Answer| answer.field("cache-status");
    let first = status(net.visitor(0).get(target).await);
    assert!(
        first.contains("\"selvedge-gateway\"; fwd=uri-miss") && first.contains("stored"),
        "{first}"
    );
    let second = status(net.visitor(0).get(target).await);
    assert!(second.contains("\"selvedge-gateway\"; hit"), "{second}");
    net.stored(1).await;
    let third = status(net.visitor(1).get(target).await);
    assert!(
        third.contains("\"selvedge-cache\"; hit")
            && third.contains("\"selvedge-gateway\"; fwd=uri-miss"),
        "{third}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_opened_again_after_it_was_moved() {
    let net = gateway(Settings::default()).await;
    let daemon = &net.gateways[0];
    let (log, moved) = (
        daemon.folder().join("access.log"),
        daemon.folder().join("access.log.1"),
    );
    net.visitor(0).get("/one").await;
    wait_for("a line", || async {
        (daemon.access_log().len() == 1).then_some(())
    })
    .await;
    std::fs::rename(&log, &moved).unwrap();
    daemon.signal("HUP").await;
    wait_for("a new file", || async { log.exists().then_some(()) }).await;
    net.visitor(0).get("/two").await;
    wait_for("a line", || async {
        (daemon.access_log().len() == 1).then_some(())
    })
    .await;
    assert_eq!(daemon.access_log()[0]["target"], "/two");
}
