use super::*;
use crate::body::full;
use crate::limits::Limits;
use crate::server::{Server, ServerHandle};
use http::{Request, Response};
use hyper::body::Incoming;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// Has `/hit...` at hand, and says who answered.
struct Shelf;

impl Handler for Shelf {
    const HAS_HITS: bool = true;

    fn hit(&self, request: &PlainRequest<'_>, _: &ConnInfo, head: HitHead<'_>) -> Option<HitBody> {
        let rest = request.target.strip_prefix("/hit")?;
        let body = format!("hit{rest};").into_bytes();
        match head {
            HitHead::Text(text) => {
                let length = body.len();
                text.extend(format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n").bytes());
            }
            HitHead::Fields(fields) => {
                fields.insert("x-hit", body.len().into());
            }
        }
        if request.is_head {
            return Some(HitBody::Empty);
        }
        Some(match rest.strip_prefix("/counted") {
            Some(_) => HitBody::Counted(full(body)),
            None => HitBody::Whole(body.into()),
        })
    }

    async fn handle(self: Arc<Self>, request: Request<Incoming>, _: ConnInfo) -> Response<Body> {
        let path = request.uri().path().to_owned();
        let octets = request
            .into_body()
            .collect()
            .await
            .unwrap()
            .to_bytes()
            .len();
        Response::new(full(format!("hyper{path}+{octets};")))
    }
}

async fn start(limits: Limits) -> ServerHandle {
    let server = Server::bind("127.0.0.1:0".parse().unwrap(), limits).await;
    server.unwrap().serve(Arc::new(Shelf))
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: a.test\r\n\r\n")
}

fn last(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: a.test\r\nconnection: close\r\n\r\n")
}

/// Sends these pieces one after the other, each when the one before was answered or has at least
/// arrived by itself, and gives the bodies of all answers.
async fn bodies(server: &ServerHandle, pieces: &[&str]) -> String {
    let mut stream = TcpStream::connect(server.local_addr()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for piece in pieces {
        stream.write_all(piece.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await.unwrap();
    let bodies = answers.split("HTTP/1.1 200 OK\r\n").skip(1);
    bodies
        .map(|one| one.split_once("\r\n\r\n").unwrap().1)
        .collect()
}

#[tokio::test]
async fn hits_are_answered_in_order_whatever_the_pieces() {
    let server = start(Limits::default()).await;
    let all = [
        get("/hit/1"),
        get("/hit/counted"),
        get("/hit/3"),
        last("/end"),
    ]
    .concat();
    let expected = "hit/1;hit/counted;hit/3;hyper/end+0;";
    assert_eq!(bodies(&server, &[&all]).await, expected);
    for cut in (0..all.len()).step_by(7) {
        let (one, two) = all.split_at(cut);
        assert_eq!(bodies(&server, &[one, two]).await, expected, "{cut}");
    }
}

#[tokio::test]
async fn hyper_goes_on_for_good_in_the_middle_of_the_buffer() {
    let server = start(Limits::default()).await;
    let post =
        "POST /form HTTP/1.1\r\nhost: a.test\r\ncontent-length: 19\r\n\r\nGET /hit/in HTTP/1.1";
    let chunked = "POST /form HTTP/1.1\r\nhost: a.test\r\ntransfer-encoding: chunked\r\n\r\n\
        5\r\nGET /\r\n0\r\n\r\n";
    for (doubt, answer) in [
        (get("/miss"), "hyper/miss+0;"),
        (
            post.replace("content-length: 19", "content-length: 20"),
            "hyper/form+20;",
        ),
        (chunked.to_owned(), "hyper/form+5;"),
        (
            "GET /hit/odd HTTP/1.1\r\nhost: a.test\r\nx-odd: 1\r\n\r\n".to_owned(),
            "hyper/hit/odd+0;",
        ),
    ] {
        let all = [get("/hit/1"), doubt, get("/hit/2"), last("/hit/3")].concat();
        // What follows a doubt is hyper's too, although it would be at hand.
        let expected = format!("hit/1;{answer}hyper/hit/2+0;hyper/hit/3+0;");
        assert_eq!(bodies(&server, &[&all]).await, expected);
        for cut in (0..all.len()).step_by(11) {
            let (one, two) = all.split_at(cut);
            assert_eq!(
                bodies(&server, &[one, two]).await,
                expected,
                "{cut} of {all}"
            );
        }
    }
}

#[tokio::test]
async fn a_head_has_no_body() {
    let server = start(Limits::default()).await;
    let head = "HEAD /hit/1 HTTP/1.1\r\nhost: a.test\r\n\r\n";
    let all = [head, &get("/hit/2"), &last("/end")].concat();
    assert_eq!(bodies(&server, &[&all]).await, "hit/2;hyper/end+0;");
}

#[tokio::test]
async fn a_connection_that_has_begun_does_not_become_http2() {
    let server = start(Limits::default()).await;
    let mut stream = TcpStream::connect(server.local_addr()).await.unwrap();
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let all = get("/hit/1") + preface;
    stream.write_all(all.as_bytes()).await.unwrap();
    let mut answers = Vec::new();
    // The end may be a reset: what hyper did not read is thrown away.
    let _ = stream.read_to_end(&mut answers).await;
    let text = String::from_utf8(answers).expect("no frames of HTTP/2");
    assert!(text.starts_with("HTTP/1.1 200 OK"), "{text}");
    assert!(!text.contains("hyper"), "{text}");
}

#[tokio::test]
async fn a_head_that_never_ends_is_given_up() {
    let limits = Limits {
        header_timeout: Duration::from_millis(100),
        ..Limits::default()
    };
    let server = start(limits).await;
    let long = format!(
        "GET /hit/{} HTTP/1.1\r\nhost: a.test\r\n",
        "x".repeat(2 * READ)
    );
    for sent in [
        String::new(),
        "GET /hit HTTP/1.1\r\nhost: a.t".to_owned(),
        get("/hit/1"),
        get("/hit/1") + "GET /hi",
        long.clone(),
    ] {
        let mut stream = TcpStream::connect(server.local_addr()).await.unwrap();
        // A client that is held up for too long before it has sent anything is given up too.
        let _ = stream.write_all(sent.as_bytes()).await;
        let mut answers = Vec::new();
        let _ = stream.read_to_end(&mut answers).await;
        assert!(
            answers.is_empty() || answers.ends_with(b"hit/1;"),
            "{sent:?}"
        );
    }
    let patient = start(Limits::default()).await;
    let whole = long + "connection: close\r\n\r\n";
    assert!(bodies(&patient, &[&whole])
        .await
        .starts_with("hyper/hit/xxx"));
}

#[tokio::test]
async fn draining_hands_over_and_shutdown_closes() {
    let server = start(Limits::default()).await;
    let mut kept = TcpStream::connect(server.local_addr()).await.unwrap();
    let mut idle = TcpStream::connect(server.local_addr()).await.unwrap();
    for stream in [&mut kept, &mut idle] {
        stream.write_all(get("/hit/1").as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"hit/1;") {
            assert!(stream.read_buf(&mut answer).await.unwrap() > 0);
        }
    }
    server.drain();
    kept.write_all(get("/hit/2").as_bytes()).await.unwrap();
    let mut answer = String::new();
    kept.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.to_ascii_lowercase().contains("connection: close"),
        "{answer}"
    );
    assert!(answer.ends_with("hyper/hit/2+0;"), "{answer}");
    assert!(server.shutdown(Duration::from_secs(60)).await);
    assert_eq!(idle.read(&mut [0; 8]).await.unwrap(), 0);
}
