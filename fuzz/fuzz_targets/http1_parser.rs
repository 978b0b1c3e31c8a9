//! Whatever the hit loop's parser takes, hyper reads as the same request, which ends in the same place.

#![no_main]

#[path = "../../edge/drivers/http/src/hit/parse.rs"]
#[allow(dead_code)]
mod parse;

use std::convert::Infallible;
use std::sync::Mutex;

use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What requests are made of, in order and out of order.
const PIECES: [&str; 28] = [
    "GET ",
    "HEAD ",
    "/",
    "/a?b=%20c",
    " HTTP/1.1\r\n",
    "GET / HTTP/1.1\r\nhost: a.test\r\n",
    "Host: a.test\r\n",
    "host: b\r\n",
    "accept: text/*\r\n",
    "accept:",
    "cookie: a=b\r\n",
    "\r\n",
    "\r\n\r\n",
    "\n",
    "\r",
    " ",
    "\t",
    "content-length: 5\r\n",
    "transfer-encoding: chunked\r\n",
    "connection: keep-alive\r\n",
    "connection: close\r\n",
    "x-request-id: 7\r\n",
    "user-agent: x y\r\n",
    "expect: 100-continue\r\n",
    "upgrade: h2c\r\n",
    "sec-fetch-mode: cors\r\n",
    "\0",
    "\u{e4}",
];

/// Each octet names a piece, or is one.
fn message(bytes: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    for byte in bytes {
        let piece = byte.checked_sub(128).map(|at| PIECES.get(usize::from(at)));
        match piece {
            Some(Some(piece)) => message.extend_from_slice(piece.as_bytes()),
            _ => message.push(*byte),
        }
    }
    message
}

#[derive(Debug, PartialEq)]
struct Seen {
    method: Method,
    target: String,
    headers: HeaderMap,
    body: usize,
}

/// The requests that hyper finds in these octets, which are all that ever come.
fn hyper_reads(bytes: &[u8]) -> Vec<Seen> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime without a reactor");
    let seen = Mutex::new(Vec::new());
    runtime.block_on(async {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let service = service_fn(|request: Request<Incoming>| {
            let seen = &seen;
            async move {
                let (parts, body) = request.into_parts();
                let Ok(body) = body.collect().await else {
                    return Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()));
                };
                seen.lock().expect("one thread").push(Seen {
                    method: parts.method,
                    target: parts.uri.to_string(),
                    headers: parts.headers,
                    body: body.to_bytes().len(),
                });
                Ok(Response::new(Empty::new()))
            }
        });
        let serving = http1::Builder::new()
            .half_close(true)
            .serve_connection(TokioIo::new(far), service);
        let (mut reader, mut writer) = tokio::io::split(near);
        let visiting = async {
            let _ = writer.write_all(bytes).await;
            let _ = writer.shutdown().await;
            let _ = reader.read_to_end(&mut Vec::new()).await;
        };
        let _ = tokio::join!(serving, visiting);
    });
    seen.into_inner().expect("one thread")
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let message = message(bytes);
    let parse::Reading::Request(ours, length) = parse::read(&message) else {
        return;
    };
    let theirs = hyper_reads(&message[..length]);
    let expected = Seen {
        method: ours.method().clone(),
        target: ours.target.to_owned(),
        headers: ours.headers(),
        body: 0,
    };
    assert_eq!(theirs, [expected]);
    assert_eq!(ours.host.as_bytes(), theirs[0].headers["host"].as_bytes());
    // Not an octet earlier.
    assert_eq!(hyper_reads(&message[..length - 1]), []);
    // What follows is no part of it: hyper finds the same one first.
    assert_eq!(hyper_reads(&message).first(), theirs.first());
});
