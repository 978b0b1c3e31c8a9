//! The chain node's end and the public one, with whatever strangers send there.

use crate::net;
use codec::Encode;
use selvedge_edge_tools_testkit::{control::ControlClient, daemon::TOKEN, raw, Ask, Client, Net};
use selvedge_primitives_types::{
    agent::{HostCheckRequest, SectionVersions, MAX_MESSAGE},
    Epoch, ServiceId,
};

/// Every end of the control endpoint.
fn asks() -> Vec<Ask> {
    let gets = ["status", "commitment/100", "settle/100/0", "credit/100/0"];
    let mut asks: Vec<_> = gets
        .iter()
        .map(|path| Ask::get(format!("/control/v1/{path}")))
        .collect();
    asks.push(Ask::post("/control/v1/config", "x"));
    asks.push(Ask::post("/control/v1/host-check", "x"));
    asks.push(Ask::get("/"));
    asks
}

async fn goes_on(net: &Net) {
    assert_eq!(net.visitor(0).get("/page?cc=max-age=600").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_told_or_taken_without_the_token() {
    let net = net(1, 1).await;
    for daemon in [&net.gateways[0], &net.caches[0]] {
        let address = daemon.address("control");
        let before = daemon.control().status().await;
        let stranger = Client::new(address, "localhost");
        for ask in asks() {
            let target = ask.target.clone();
            let answer = stranger.ask(ask).await.unwrap();
            assert_eq!(answer.status, 401, "{target}");
            assert_eq!(answer.field("www-authenticate"), "Bearer");
        }
        let shorter = &TOKEN[1..];
        let longer = format!("{TOKEN}0");
        for wrong in [shorter, &longer, &TOKEN.to_uppercase(), "x"] {
            for ask in asks() {
                let answer = ControlClient::new(address, wrong).ask(ask).await.unwrap();
                assert_eq!(answer.status, 401, "{wrong}");
            }
        }
        assert_eq!(daemon.control().status().await, before);
    }
    goes_on(&net).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_refused_and_changes_nothing() {
    let net = net(1, 1).await;
    let whole = net.chain.delta(&SectionVersions::default()).encode();
    for daemon in [&net.gateways[0], &net.caches[0]] {
        let control = daemon.control();
        let before = control.status().await;
        let mut longer = whole.clone();
        longer.push(0);
        for body in [
            vec![],
            vec![0xff; 1_000],
            whole[..whole.len() / 2].to_vec(),
            longer,
        ] {
            for path in ["config", "host-check"] {
                let answer = control
                    .ask(Ask::post(format!("/control/v1/{path}"), body.clone()))
                    .await
                    .unwrap();
                assert_eq!(answer.status, 400, "{path}: {}", answer.text());
            }
        }
        let oversized = Ask::post("/control/v1/config", vec![0; MAX_MESSAGE + 1]);
        // Refused before it is read: then the connection may be gone before the last octet was
        // sent.
        if let Ok(answer) = control.ask(oversized).await {
            assert_eq!(answer.status, 413);
        }
        let head = format!(
            "POST /control/v1/config HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\ncontent-length: 99999999999\r\n\r\n"
        );
        let answer = raw(daemon.address("control"), head.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
        for target in [
            "/",
            "/control/v1/",
            "/control/v2/status",
            "/control/v1/commitment/x",
            "/control/v1/settle/1",
        ] {
            assert_eq!(
                control.ask(Ask::get(target)).await.unwrap().status,
                404,
                "{target}"
            );
        }
        assert_eq!(
            control
                .ask(Ask::post("/control/v1/status", ""))
                .await
                .unwrap()
                .status,
            404
        );
        assert_eq!(control.status().await, before);
    }
    goes_on(&net).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_config_that_cannot_be_is_refused_with_a_reason() {
    let net = net(1, 1).await;
    for daemon in [&net.gateways[0], &net.caches[0]] {
        let control = daemon.control();
        let before = control.status().await;
        let delta = net.chain.delta(&SectionVersions::default());
        let mut other = delta.clone();
        other.clock.genesis = [9; 32];
        assert!(control
            .configure(&other)
            .await
            .unwrap_err()
            .contains("another chain"));
        let mut stopped = delta.clone();
        stopped.clock.epoch_length.0 = 0;
        assert!(control
            .configure(&stopped)
            .await
            .unwrap_err()
            .contains("clock"));
        let mut tomorrow = delta.clone();
        tomorrow.clock.epoch_start.0 = delta.clock.now.0 + 1;
        assert!(control
            .configure(&tomorrow)
            .await
            .unwrap_err()
            .contains("clock"));
        assert_eq!(control.status().await, before);
        // The same once more is no news.
        assert_eq!(control.configure(&delta).await.unwrap(), before);
    }
    goes_on(&net).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_that_takes_an_epoch_back_loses_no_use() {
    let mut net = net(1, 1).await;
    let first = net.chain.clone();
    goes_on(&net).await;
    let epoch = net.chain.epoch;
    let books = net.roll().await.remove(0);
    assert_eq!((books.requests(), books.commitment.epoch), (1, epoch));
    goes_on(&net).await;
    // The block that began the epoch is taken back: what was closed stays closed, and use counts in
    // the epoch after.
    for daemon in [&net.gateways[0], &net.caches[0]] {
        let taken = daemon
            .control()
            .configure(&first.delta(&SectionVersions::default()))
            .await;
        assert!(taken.is_ok(), "{taken:?}");
    }
    goes_on(&net).await;
    net.push().await;
    goes_on(&net).await;
    let again = net.chain.books(&net.gateways[0], epoch).await;
    assert_eq!(again.commitment, books.commitment);
    assert_eq!(net.roll().await.remove(0).requests(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_knows_no_chain_serves_nobody_and_says_so() {
    let mut net = net(1, 1).await;
    // A new gateway beside the network, that no chain node has found yet.
    let program = crate::PROGRAM.as_ref();
    let settings = selvedge_edge_tools_testkit::Settings::default();
    let role = selvedge_primitives_types::Role::Gateway;
    let mut young = selvedge_edge_tools_testkit::Daemon::new(
        program,
        net.folder(),
        "young",
        role,
        50,
        &settings,
    );
    young.start().await;
    assert_eq!(young.admin().get("/healthz").await.status, 200);
    assert_eq!(young.admin().get("/readyz").await.status, 503);
    let answer = young.visitor("site.test").get("/page").await;
    assert_eq!(
        (answer.status.as_u16(), answer.reason().as_str()),
        (503, "not-ready")
    );
    assert_eq!(
        young.control().status().await.versions,
        SectionVersions::default()
    );
    assert!(young.control().commitment(Epoch(100)).await.is_none());
    // Sections may come one by one; until there is a price list nothing can be charged, so nothing
    // is served.
    net.chain.register(&young);
    let mut delta = net.chain.delta(&SectionVersions::default());
    let prices = delta.prices.take();
    young.control().configure(&delta).await.unwrap();
    let answer = young.visitor("site.test").get("/page").await;
    assert_eq!(
        (answer.status.as_u16(), answer.reason().as_str()),
        (502, "origin-invalid")
    );
    delta.prices = prices;
    young.control().configure(&delta).await.unwrap();
    assert_eq!(young.visitor("site.test").get("/page").await.status, 200);
    assert_eq!(young.admin().get("/readyz").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_end_gives_leaves_and_nothing_else() {
    let mut net = net(1, 1).await;
    goes_on(&net).await;
    let epoch = net.roll().await.remove(0).commitment.epoch;
    let public = Client::new(net.gateways[0].address("audit"), "localhost");
    let (customer, service) = (net.site().customer, net.site().id);
    let base = format!("/audit/v1/{epoch}");
    let good = format!("{base}/customer/{customer}/{service}");
    let answer = public.get(&good).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.field("access-control-allow-origin"), "*");
    for target in [
        "/".to_owned(),
        "/control/v1/status".to_owned(),
        "/audit/v1/99/commitment".to_owned(),
        "/audit/v1/x/commitment".to_owned(),
        format!("{base}/customer/{customer}/9"),
        format!("{base}/customer/0x00/{service}"),
        format!("{good}?start=1000000"),
        format!("{good}?limit=0"),
    ] {
        assert_eq!(public.get(&target).await.status, 404, "{target}");
    }
    assert_eq!(public.ask(Ask::post(&good, "x")).await.unwrap().status, 405);
    // Whoever asks too often is slowed down.
    let mut line = public.connect().await.unwrap();
    let mut slowed = None;
    for _ in 0..500 {
        let answer = line.ask(Ask::get(&good)).await.unwrap();
        if answer.status == 429 {
            slowed = Some(answer);
            break;
        }
    }
    assert_eq!(
        slowed
            .expect("500 requests at once are too many")
            .field("retry-after"),
        "1"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_checks_no_host_names() {
    let net = net(1, 1).await;
    let request = HostCheckRequest {
        host: b"site.test".to_vec(),
        expected: b"x".to_vec(),
        service: ServiceId(1),
        epoch: net.chain.epoch,
    };
    let ask = Ask::post("/control/v1/host-check", request.encode());
    let answer = net.caches[0].control().ask(ask).await.unwrap();
    assert_eq!(answer.status, 409);
    assert!(answer.text().contains("gateways"), "{}", answer.text());
}
