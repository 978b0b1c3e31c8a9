//! Origins that fail, in every way they can.

use crate::{gateway, net};
use selvedge_edge_tools_testkit::{certs::Certificate, content, Ask, Net, Origin, Settings, Site};
use tokio::net::TcpListener;

async fn fails(net: &Net, host: &str, target: &str, status: u16, reason: &str) {
    let answer = net.gateways[0].visitor(host).get(target).await;
    assert_eq!(
        (answer.status.as_u16(), answer.reason().as_str()),
        (status, reason),
        "{}",
        answer.text()
    );
    assert!(
        !answer.text().contains("127.0.0.1"),
        "a visitor learns no addresses: {}",
        answer.text()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_origin_that_is_down_is_a_502_and_free() {
    let mut net = net(1, 1).await;
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = taken.local_addr().unwrap();
    drop(taken);
    net.chain
        .sites
        .push(Site::numbered(2, "down.test", format!("http://{nobody}")));
    net.chain.sites.push(Site::numbered(
        3,
        "nowhere.test",
        "http://no-such-host.invalid".to_owned(),
    ));
    net.chain
        .sites
        .push(Site::numbered(4, "wrong.test", "no url at all".to_owned()));
    net.push().await;
    for method in [Ask::get("/page"), Ask::post("/page", "x")] {
        let answer = net.gateways[0]
            .visitor("down.test")
            .ask(method)
            .await
            .unwrap();
        assert_eq!(
            (answer.status.as_u16(), answer.reason().as_str()),
            (502, "origin-down")
        );
    }
    fails(&net, "nowhere.test", "/page", 502, "origin-down").await;
    fails(&net, "wrong.test", "/page", 502, "origin-invalid").await;
    assert_eq!(net.visitor(0).get("/page").await.status, 200);
    let books = net.roll().await.remove(0);
    assert_eq!(
        (books.requests(), books.egress(), books.customers.len()),
        (1, 100, 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_origin_that_is_slow_is_a_504() {
    let net = gateway(Settings::default().set("gateway.origin_head_seconds", 1)).await;
    for target in [
        "/slow?hold=never&cc=max-age=600",
        "/slow?hold=never&cc=no-store",
    ] {
        fails(&net, "site.test", target, 504, "origin-slow").await;
    }
    let posted = net
        .visitor(0)
        .ask(Ask::post("/slow?hold=never", "x"))
        .await
        .unwrap();
    assert_eq!(posted.status, 504);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_stands_still_breaks_off() {
    let net = gateway(Settings::default().set("limits.body_seconds", 1)).await;
    for cc in ["max-age=600", "no-store"] {
        let target = format!("/still?len=90000&pause=never&at=40000&cc={cc}");
        let mut line = net.visitor(0).connect().await.unwrap();
        let download = line.begin(Ask::get(&target)).await.unwrap();
        assert!(download.whole().await.is_err(), "{cc}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_body_is_never_taken_for_a_whole_one() {
    let net = net(2, 1).await;
    for kind in [
        "cc=max-age=600",
        "cc=max-age=600&chunked=1",
        "cc=no-store",
        "cc=no-store&chunked=1",
    ] {
        let target = format!("/half?len=90000&break=40000&{kind}");
        for gateway in [0, 1, 0] {
            let answer = net.visitor(gateway).ask(Ask::get(&target)).await;
            assert!(
                answer.is_err(),
                "{kind}: {:?}",
                answer.map(|answer| answer.status)
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_origin_is_refused_unless_the_operator_allows_it() {
    let mut net = gateway(Settings::default().set("gateway.allow_private_origins", false)).await;
    let port = net.origin.address().port();
    for (number, host) in [
        "127.0.0.1",
        "localhost",
        "10.0.0.1",
        "[::1]",
        "169.254.169.254",
        "[::ffff:127.0.0.1]",
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("private-{number}.test");
        net.chain.sites.push(Site::numbered(
            number as u64 + 2,
            &name,
            format!("http://{host}:{port}"),
        ));
    }
    net.push().await;
    for number in 0..6 {
        fails(
            &net,
            &format!("private-{number}.test"),
            "/page",
            502,
            "origin-forbidden",
        )
        .await;
    }
    assert!(net.origin.seen().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_the_visitors_affair_and_never_followed() {
    let net = net(1, 1).await;
    let elsewhere = Origin::start().await;
    for to in [
        elsewhere.url(),
        "http://10.0.0.1/secret".to_owned(),
        "http://169.254.169.254/latest/".to_owned(),
    ] {
        for cc in ["max-age=600", "no-store"] {
            let target = format!("/moved?to={to}&cc={cc}");
            let answer = net.visitor(0).get(&target).await;
            assert_eq!(
                (answer.status.as_u16(), answer.field("location")),
                (302, to.clone())
            );
        }
    }
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_is_too_wide_is_the_origins_fault() {
    let net = net(1, 1).await;
    // Passed on, but more than is stored.
    for _ in 0..2 {
        let answer = net.visitor(0).get("/wide?wide=20000&cc=max-age=600").await;
        assert_eq!(
            (answer.status.as_u16(), answer.field("x-wide").len()),
            (200, 20_000)
        );
    }
    assert_eq!(net.origin.count("/wide?wide=20000&cc=max-age=600"), 2);
    fails(
        &net,
        "site.test",
        "/wide?wide=200000&cc=max-age=600",
        502,
        "origin-broken",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_origins_certificate_must_verify() {
    let folder = tempfile::tempdir().unwrap();
    let (good, bad) = (
        Certificate::new(&["localhost"]),
        Certificate::new(&["localhost"]),
    );
    let roots = folder.path().join("roots.pem");
    good.write_root(&roots);
    let settings =
        Settings::default().set("gateway.extra_origin_roots", roots.display().to_string());
    let mut net = gateway(settings).await;
    let (trusted, stranger) = (
        Origin::start_tls(good.server()).await,
        Origin::start_tls(bad.server()).await,
    );
    let url = |origin: &Origin| format!("https://localhost:{}", origin.address().port());
    net.chain
        .sites
        .push(Site::numbered(2, "good.test", url(&trusted)));
    net.chain
        .sites
        .push(Site::numbered(3, "bad.test", url(&stranger)));
    // The right certificate under a name that is not in it.
    net.chain
        .sites
        .push(Site::numbered(4, "other.test", trusted.url()));
    net.push().await;
    let answer = net.gateways[0]
        .visitor("good.test")
        .get("/page?cc=max-age=600")
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.body.to_vec()),
        (200, content("/page?cc=max-age=600"))
    );
    fails(&net, "bad.test", "/page", 502, "origin-untrusted").await;
    fails(&net, "other.test", "/page", 502, "origin-untrusted").await;
    assert!(stranger.seen().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_who_leaves_ends_a_fetch_that_nobody_else_wants() {
    let net = net(1, 1).await;
    let target = "/long?len=100000000&pause=never&at=60000000&cc=max-age=600";
    let mut line = net.visitor(0).connect().await.unwrap();
    let mut download = line.begin(Ask::get(target)).await.unwrap();
    download.at_least(100_000).await.unwrap();
    drop((download, line));
    net.landed().await;
    assert!(net.origin.sent() < 60_000_000, "{}", net.origin.sent());
}
