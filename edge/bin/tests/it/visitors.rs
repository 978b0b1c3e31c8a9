//! Visitors who send what nobody should.

use crate::gateway;
use selvedge_edge_tools_testkit::{raw, wait_for, Ask, Net, Settings};
use tokio::{io::AsyncReadExt, net::TcpStream};

async fn sends(net: &Net, octets: &str) -> String {
    raw(net.gateways[0].address("http"), octets.as_bytes()).await
}

async fn goes_on(net: &Net) {
    assert_eq!(net.visitor(0).get("/page?cc=max-age=600").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_request_is_a_400_and_reaches_no_origin() {
    let net = gateway(Settings::default()).await;
    for request in [
        "nonsense\r\n\r\n",
        "GET / HTTP/9.9\r\nhost: site.test\r\n\r\n",
        "GET /a b HTTP/1.1\r\nhost: site.test\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: site.test\r\nno-colon\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: site.test\r\nbad name: x\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: site.test\r\nx: a\0b\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: site.test\r\n folded: x\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nhost:\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: site.test\r\nhost: site.test\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: me@site.test\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: site.test\r\ncontent-length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: site.test\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx",
        "POST / HTTP/1.1\r\nhost: site.test\r\ntransfer-encoding: gzip\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: site.test\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    ] {
        let answer = sends(&net, request).await;
        let is_refused = answer.starts_with("HTTP/1.1 400")
            || answer.starts_with("HTTP/1.0 400")
            || answer.is_empty();
        assert!(is_refused, "{request:?}: {answer}");
    }
    assert!(
        net.origin
            .seen()
            .iter()
            .all(|seen| seen.method == "POST" && seen.body == 0),
        "{:?}",
        net.origin.seen()
    );
    goes_on(&net).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_lengths_never_split_a_request_in_two() {
    let net = gateway(Settings::default()).await;
    let smuggled = "GET /smuggled HTTP/1.1\r\nhost: site.test\r\n\r\n";
    let length = 5 + smuggled.len();
    for fields in [
        format!("content-length: {length}\r\ntransfer-encoding: chunked\r\n"),
        format!("transfer-encoding: chunked\r\ncontent-length: {length}\r\n"),
    ] {
        sends(
            &net,
            &format!("POST /first HTTP/1.1\r\nhost: site.test\r\n{fields}\r\n0\r\n\r\n{smuggled}"),
        )
        .await;
        let first = format!("POST /first HTTP/1.1\r\nhost: site.test\r\ntransfer-encoding: identity\r\n{fields}\r\n0\r\n\r\n{smuggled}");
        sends(&net, &first).await;
    }
    // Wherever the gateway cut, it told the origin so in its own words: one request, one body.
    for seen in net.origin.seen() {
        assert!(
            seen.target != "/first" || seen.body == 0 || seen.body as usize == length,
            "{seen:?}"
        );
        let both = seen.fields.contains_key("content-length")
            && seen.fields.contains_key("transfer-encoding");
        assert!(!both, "{seen:?}");
    }
    goes_on(&net).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn methods_that_are_no_gateways_business_are_refused() {
    let net = gateway(Settings::default()).await;
    let trace = sends(
        &net,
        "TRACE / HTTP/1.1\r\nhost: site.test\r\nconnection: close\r\n\r\n",
    )
    .await;
    assert!(trace.starts_with("HTTP/1.1 405"), "{trace}");
    let connect = sends(
        &net,
        "CONNECT site.test:443 HTTP/1.1\r\nhost: site.test:443\r\n\r\n",
    )
    .await;
    assert!(
        connect.starts_with("HTTP/1.1 405") || connect.starts_with("HTTP/1.1 400"),
        "{connect}"
    );
    // The target names the host it is for, whatever the field says.
    let other = sends(
        &net,
        "GET http://other.test/ HTTP/1.1\r\nhost: site.test\r\nconnection: close\r\n\r\n",
    )
    .await;
    assert!(other.starts_with("HTTP/1.1 404"), "{other}");
    assert!(net.origin.seen().is_empty());
    goes_on(&net).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_is_too_large_is_refused() {
    let net = gateway(Settings::default().set("limits.header_bytes", 16_384)).await;
    let wide = Ask::get("/page").field("x-wide", &"w".repeat(40_000));
    match net.visitor(0).ask(wide.clone()).await {
        Ok(answer) => assert_eq!(answer.status, 431),
        // Closed before everything was sent.
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    match net.visitor(0).http2().ask(wide).await {
        Ok(answer) => assert_eq!(answer.status, 431),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    let many = (0..500).fold(Ask::get("/page"), |ask, n| {
        ask.field(&format!("x-{n}"), "1")
    });
    if let Ok(answer) = net.visitor(0).ask(many).await {
        assert_eq!(answer.status, 431);
    }
    let long = format!("/{}", "p".repeat(9_000));
    let answer = net.visitor(0).ask(Ask::get(long)).await.unwrap();
    assert_eq!(
        (answer.status.as_u16(), answer.reason().as_str()),
        (400, "bad-request")
    );
    assert!(net.origin.seen().is_empty());
    goes_on(&net).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_long_is_refused_stated_or_not() {
    let net = gateway(Settings::default().set("gateway.max_request_mib", 1)).await;
    let fits = net
        .visitor(0)
        .ask(Ask::post("/fits", vec![7; 1 << 20]))
        .await
        .unwrap();
    assert_eq!(fits.status, 200);
    assert_eq!(net.origin.seen().pop().unwrap().body, 1 << 20);
    let stated = "POST /stated HTTP/1.1\r\nhost: site.test\r\ncontent-length: 1048577\r\n\r\n";
    let answer = sends(&net, stated).await;
    assert!(
        answer.starts_with("HTTP/1.1 413") && answer.contains("request-too-long"),
        "{answer}"
    );
    let mut unstated =
        "POST /unstated HTTP/1.1\r\nhost: site.test\r\ntransfer-encoding: chunked\r\n\r\n"
            .to_owned();
    for _ in 0..40 {
        unstated += &format!("8000\r\n{}\r\n", "c".repeat(0x8000));
    }
    let answer = sends(&net, &(unstated + "0\r\n\r\n")).await;
    assert!(
        answer.starts_with("HTTP/1.1 413") || answer.is_empty(),
        "{answer}"
    );
    assert!(net.origin.seen().iter().all(|seen| seen.target == "/fits"));
    goes_on(&net).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_or_a_body_that_drips_is_given_up() {
    let settings = Settings::default()
        .set("limits.header_seconds", 1)
        .set("limits.body_seconds", 1);
    let net = gateway(settings).await;
    let address = net.gateways[0].address("http");
    for begun in [
        "",
        "GET / HT",
        "GET / HTTP/1.1\r\nhost: site.test\r\nx-slow: a",
        "PRI * HTTP/2.0\r\n",
    ] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, begun.as_bytes())
            .await
            .unwrap();
        // Whatever it says first, it hangs up; a daemon that waits for ever fails this test by
        // never ending.
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said).await;
        assert!(!said.starts_with(b"HTTP/1.1 200"), "{begun:?}");
    }
    let half = "POST /half HTTP/1.1\r\nhost: site.test\r\ncontent-length: 10\r\n\r\nhalf";
    let mut stream = TcpStream::connect(address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, half.as_bytes())
        .await
        .unwrap();
    let mut said = String::new();
    let _ = stream.read_to_string(&mut said).await;
    assert!(
        said.starts_with("HTTP/1.1 408") || said.is_empty(),
        "{said}"
    );
    goes_on(&net).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_the_limit_are_closed_and_the_others_live() {
    let net = gateway(Settings::default().set("limits.connections_per_ip", 4)).await;
    let visitor = net.visitor(0);
    let mut lines = Vec::new();
    for _ in 0..4 {
        let mut line = visitor.connect().await.unwrap();
        assert_eq!(
            line.ask(Ask::get("/page?cc=max-age=600"))
                .await
                .unwrap()
                .status,
            200
        );
        lines.push(line);
    }
    for _ in 0..3 {
        assert!(visitor.ask(Ask::get("/page?cc=max-age=600")).await.is_err());
    }
    for line in &mut lines {
        assert_eq!(
            line.ask(Ask::get("/page?cc=max-age=600"))
                .await
                .unwrap()
                .status,
            200
        );
    }
    drop(lines);
    wait_for("a free place", || async {
        visitor.ask(Ask::get("/page?cc=max-age=600")).await.ok()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_beyond_the_limit_are_told_to_come_back() {
    let net = gateway(Settings::default().set("gateway.max_requests", 3)).await;
    let mut held = Vec::new();
    for number in 0..3 {
        let visitor = net.visitor(0);
        let target = format!("/page/{number}?hold=gate");
        held.push(tokio::spawn(async move { visitor.get(&target).await }));
    }
    wait_for("three fetches", || async {
        (net.origin.seen().len() == 3).then_some(())
    })
    .await;
    let answer = net.visitor(0).get("/one-more").await;
    assert_eq!(
        (answer.status.as_u16(), answer.reason().as_str()),
        (503, "busy")
    );
    assert!(!answer.field("retry-after").is_empty());
    net.origin.open("gate");
    for one in held {
        assert_eq!(one.await.unwrap().status, 200);
    }
    goes_on(&net).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_client_and_a_careful_one_are_served() {
    let net = gateway(Settings::default()).await;
    let old = sends(
        &net,
        "GET /page?len=20&chunked=1&cc=max-age=600 HTTP/1.0\r\nhost: site.test\r\n\r\n",
    )
    .await;
    let (head, _) = old.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with("HTTP/1.0 200") || head.starts_with("HTTP/1.1 200"),
        "{head}"
    );
    assert!(!head.to_ascii_lowercase().contains("chunked"), "{head}");
    let careful = sends(
        &net,
        "POST /page HTTP/1.1\r\nhost: site.test\r\nexpect: 100-continue\r\ncontent-length: 4\r\nconnection: close\r\n\r\nbody",
    )
    .await;
    assert!(
        careful.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200"),
        "{careful}"
    );
    let seen = net.origin.seen().pop().unwrap();
    assert_eq!((seen.body, seen.fields.contains_key("expect")), (4, false));
    // Two requests in one packet are answered in their order.
    let two = sends(
        &net,
        "GET /one?len=11 HTTP/1.1\r\nhost: site.test\r\n\r\nGET /two?len=12 HTTP/1.1\r\nhost: site.test\r\nconnection: close\r\n\r\n",
    )
    .await;
    let lengths: Vec<_> = two
        .match_indices("content-length: ")
        .map(|(at, _)| &two[at + 16..at + 18])
        .collect();
    assert_eq!(lengths, ["11", "12"]);
}
