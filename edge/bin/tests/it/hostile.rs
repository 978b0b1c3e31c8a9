//! Origins whose answers can be read in two ways, or never end: no visitor and no store gets
//! anything of them but a clear refusal.

use crate::framing::{raw_site, raw_site_with};
use selvedge_edge_tools_testkit::{
    raw,
    raw_origin::{Heard, Then},
    Ask, Net, RawOrigin, Reply, Settings,
};

/// An origin that says one of these below `/bad/` and its number, and is a good one otherwise.
async fn saying(answers: Vec<(Then, String)>) -> RawOrigin {
    let answer = move |heard: &Heard| {
        let number = heard.target().strip_prefix("/bad/");
        let number = number.and_then(|rest| rest.split('/').next()?.parse::<usize>().ok());
        match number {
            Some(number) => Reply {
                octets: answers[number].1.clone().into_bytes(),
                then: answers[number].0.clone(),
            },
            None => Reply::good(heard),
        }
    };
    RawOrigin::start(answer).await
}

async fn goes_on(net: &Net, case: &str) {
    let visitor = net.gateways[0].visitor("raw.test");
    for number in 0..3 {
        let target = format!("/after/{number}");
        assert_eq!(visitor.get(&target).await.text(), target, "{case}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_no_http_is_a_502_and_not_kept() {
    let body = "\r\n\r\nhello";
    let many: String = (0..300)
        .map(|number| format!("x-{number}: 1\r\n"))
        .collect();
    let heads = [
        "garbage".to_owned(),
        "<html>".to_owned(),
        "HTTP/1.1".to_owned(),
        "HTTP/1.1 abc OK".to_owned(),
        "HTTP/1.1 20 OK".to_owned(),
        "HTTP/1.1 2000 OK".to_owned(),
        "HTTP/1.1 -20 OK".to_owned(),
        "HTTP/3.0 200 OK".to_owned(),
        "HTTP/1.1  200 OK".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length: 5, 6".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length: -5".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length: +5".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length: 5x".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length:".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999999".to_owned(),
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 5".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked".to_owned(),
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked".to_owned(),
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked, gzip".to_owned(),
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip".to_owned(),
        "HTTP/1.1 200 OK\r\ntransfer-encoding: xchunked".to_owned(),
        "HTTP/1.1 200 OK\r\ntransfer-encoding: identity\r\ncontent-length: 5".to_owned(),
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked".to_owned(),
        "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length : 5".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx: a\r\n folded".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx: a\0b".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx: a\rb".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n: a".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx y: a".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nno colon".to_owned(),
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade".to_owned(),
        format!("HTTP/1.1 200 OK\r\n{many}content-length: 5"),
        format!(
            "HTTP/1.1 200 OK\r\nx: {}\r\ncontent-length: 5",
            "w".repeat(200_000)
        ),
    ];
    let answers = heads
        .iter()
        .map(|head| (Then::Close, format!("{head}{body}")));
    let origin = saying(answers.collect()).await;
    let net = raw_site(&origin).await;
    let visitor = net.gateways[0].visitor("raw.test");
    for (number, head) in heads.iter().enumerate() {
        let case = &head[..head.len().min(80)];
        let target = format!("/bad/{number}");
        let asks = [
            Ask::get(&target),
            Ask::get(&target),
            Ask::post(&target, "x"),
        ];
        for ask in asks {
            let answer = visitor.ask(ask).await.unwrap();
            assert_eq!(
                (answer.status.as_u16(), answer.reason().as_str()),
                (502, "origin-broken"),
                "{case:?}"
            );
            assert!(!answer.text().contains("hello"), "{case:?}");
        }
    }
    goes_on(&net, "broken heads").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_ends_early_is_never_a_whole_one() {
    let chunked = "transfer-encoding: chunked\r\n\r\n";
    let bodies = [
        "content-length: 50\r\n\r\nhello".to_owned(),
        format!("{chunked}5\r\nhello\r\n"),
        format!("{chunked}5\r\nhello\r\n0\r\n"),
        format!("{chunked}5\r\nhelloXX"),
        format!("{chunked}-5\r\nhello\r\n0\r\n\r\n"),
        format!("{chunked}FFFFFFFFFFFFFFFFF\r\nhello"),
    ];
    let head = "HTTP/1.1 200 OK\r\ncache-control: max-age=600\r\n";
    let answers = bodies
        .iter()
        .map(|body| (Then::Close, format!("{head}{body}")));
    let origin = saying(answers.collect()).await;
    let net = raw_site(&origin).await;
    let visitor = net.gateways[0].visitor("raw.test");
    for (number, body) in bodies.iter().enumerate() {
        for _ in 0..2 {
            let got = visitor.ask(Ask::get(format!("/bad/{number}"))).await;
            assert!(got.is_err(), "{body:?}: {:?}", got.map(|got| got.text()));
        }
    }
    goes_on(&net, "bodies that end early").await;
}

/// What an origin says behind an answer, so that it is taken for the next one.
const SPLIT: &str =
    "HTTP/1.1 200 OK\r\ncache-control: max-age=600\r\ncontent-length: 6\r\n\r\npoison";

#[tokio::test(flavor = "multi_thread")]
async fn octets_behind_an_answer_answer_nobody() {
    let length = SPLIT.len();
    let answers = [
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_owned(),
            200,
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(),
            200,
        ),
        ("HTTP/1.1 204 No Content\r\n\r\n".to_owned(), 204),
        (
            format!("HTTP/1.1 204 No Content\r\ncontent-length: {length}\r\n\r\n"),
            204,
        ),
        (
            "HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(),
            204,
        ),
        (
            format!("HTTP/1.1 304 Not Modified\r\ncontent-length: {length}\r\n\r\n"),
            304,
        ),
    ];
    let said = answers
        .iter()
        .map(|(answer, _)| (Then::Listen, format!("{answer}{SPLIT}")));
    let origin = saying(said.collect()).await;
    let net = raw_site(&origin).await;
    let visitor = net.gateways[0].visitor("raw.test");
    for (case, (answer, status)) in answers.iter().enumerate() {
        for number in 0..5 {
            // Past the caches, so that a 304 answers the visitor's own condition.
            let ask = Ask::get(format!("/bad/{case}/{number}")).field("if-match", "\"x\"");
            let got = visitor.ask(ask).await.unwrap();
            let got = (got.status.as_u16(), got.text());
            assert_eq!(got, (*status, String::new()), "{answer:?}");
            let target = format!("/next/{case}/{number}");
            assert_eq!(visitor.get(&target).await.text(), target, "{answer:?}");
        }
        // `HEAD` has no body, whatever is said of its length.
        let request =
            format!("HEAD /bad/{case} HTTP/1.1\r\nhost: raw.test\r\nconnection: close\r\n\r\n");
        let said = raw(net.gateways[0].address("http"), request.as_bytes()).await;
        assert!(said.ends_with("\r\n\r\n"), "{answer:?}: {said}");
        assert!(!said.contains("poison"), "{answer:?}: {said}");
        goes_on(&net, answer).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_length_is_stated_once() {
    let twice = "content-length: 5\r\ncontent-length: 5";
    let answers = [twice, "content-length: 5, 5"]
        .map(|lengths| format!("HTTP/1.1 200 OK\r\n{lengths}\r\n\r\nhello"));
    // The origin ends the connection, because it answers `HEAD` with a body.
    let origin = saying(answers.map(|answer| (Then::Close, answer)).into()).await;
    let net = raw_site(&origin).await;
    for number in 0..2 {
        for method in ["GET", "POST", "HEAD"] {
            let request = format!(
                "{method} /bad/{number} HTTP/1.1\r\nhost: raw.test\r\nconnection: close\r\n\r\n"
            );
            let said = raw(net.gateways[0].address("http"), request.as_bytes()).await;
            assert!(said.starts_with("HTTP/1.1 200"), "{said}");
            assert_eq!(said.matches("content-length: 5\r\n").count(), 1, "{said}");
            assert_eq!(said.matches("content-length").count(), 1, "{said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn informational_answers_are_no_answers_and_have_an_end() {
    let early = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n";
    let good = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
    let more = |octets: &str| Then::Repeat(octets.repeat(50).into());
    let origin = saying(vec![
        (Then::Listen, format!("{}{good}", early.repeat(500))),
        (more(early), early.to_owned()),
        (more("\r\n"), "\r\n".to_owned()),
        (more("x-more: fields\r\n"), "HTTP/1.1 200 OK\r\n".to_owned()),
    ])
    .await;
    let settings = Settings::default().set("gateway.origin_head_seconds", 5);
    let net = raw_site_with(&origin, settings).await;
    let visitor = net.gateways[0].visitor("raw.test");
    assert_eq!(visitor.get("/bad/0").await.text(), "hello");
    let endless = futures::future::join_all(["/bad/1", "/bad/2", "/bad/3"].map(|target| {
        let visitor = visitor.clone();
        async move { visitor.get(target).await }
    }));
    for answer in endless.await {
        assert!(matches!(answer.status.as_u16(), 502 | 504), "{answer:?}");
    }
    goes_on(&net, "endless heads").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_of_the_origins_connection_end_there() {
    let answer =
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: x-own, set-cookie, cache-control\r\n\
        x-own: 1\r\nset-cookie: a=b\r\ncache-control: private\r\nkeep-alive: timeout=5\r\n\
        upgrade: h2c\r\ntrailer: x-late\r\nproxy-authenticate: Basic\r\nproxy-connection: x\r\n\
        x-kept: 1\r\n\r\nhello";
    let origin = saying(vec![(Then::Listen, answer.to_owned())]).await;
    let net = raw_site(&origin).await;
    for _ in 0..2 {
        let got = net.gateways[0].visitor("raw.test").get("/bad/0").await;
        for name in [
            "connection",
            "x-own",
            "keep-alive",
            "upgrade",
            "trailer",
            "proxy-authenticate",
            "proxy-connection",
        ] {
            assert!(!got.fields.contains_key(name), "{name}: {:?}", got.fields);
        }
        // Naming it in `Connection` neither hides a cookie nor makes a private answer public.
        assert_eq!(
            (got.field("set-cookie"), got.field("x-kept")),
            ("a=b".into(), "1".into())
        );
    }
    assert_eq!(origin.heard().len(), 2);
}
