//! Answers plain requests for what is at hand, past hyper.
//!
//! ```text
//! read -> complete, plain, at hand? -yes-> one write of head and body -> read on
//!                   | no, for whatever reason
//!                   hyper, with the connection and what of it is unread, for good
//! ```
//!
//! It decides nothing: [`Handler::hit`] does, at once and without waiting. A connection that was
//! handed over is never taken back, so that both sides of a doubt are read by one parser. Over
//! HTTP/2 hyper reads and writes, and only what comes between is passed by.

mod parse;
mod rewind;

pub use parse::PlainRequest;
pub(crate) use rewind::Rewind;

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::{pin, Pin};
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{sleep_until, Instant};

use crate::body::{empty, full, Body};
use crate::server::{stopped, ConnInfo, Handler, Shared};
use parse::Reading;

/// Octets that are read at a time, and of a head at most.
const READ: usize = 8 * 1024;

/// How long a connection is waited for that has asked for nothing yet when the server stops.
const LAST_REQUEST: Duration = Duration::from_secs(1);

/// Where the head of an answer, with status 200, is written to.
pub enum HitHead<'a> {
    /// Octets of HTTP/1.1, up to and with the empty line.
    Text(&'a mut Vec<u8>),
    /// Fields for HTTP/2.
    Fields(&'a mut HeaderMap),
}

/// What follows an answer's head.
pub enum HitBody {
    /// Nothing.
    Empty,
    /// These octets, which are counted already.
    Whole(Bytes),
    /// A body that counts itself.
    Counted(Body),
}

/// How the loop ended.
#[derive(Debug)]
pub(crate) enum End {
    /// The connection is done with.
    Closed,
    /// Hyper goes on with it.
    HandOver {
        /// What was read and not answered.
        unread: Bytes,
        /// Whether something was answered, so that the protocol is settled.
        is_begun: bool,
    },
}

/// Answers a request that hyper has read, if its answer is at hand.
pub(crate) fn of_read<H: Handler>(
    request: &Request<Incoming>,
    info: &ConnInfo,
    handler: &H,
) -> Option<Response<Body>> {
    let request = PlainRequest::of(request)?;
    let mut fields = HeaderMap::new();
    let body = match handler.hit(&request, info, HitHead::Fields(&mut fields))? {
        HitBody::Empty => empty(),
        HitBody::Whole(bytes) => full(bytes),
        HitBody::Counted(body) => body,
    };
    let mut response = Response::new(body);
    *response.headers_mut() = fields;
    Some(response)
}

/// Answers what is at hand until there is a doubt or an end.
pub(crate) async fn run<H, I>(
    io: &mut I,
    info: &ConnInfo,
    shared: &Shared<H>,
    stop: &watch::Receiver<bool>,
) -> End
where
    H: Handler,
    I: AsyncRead + AsyncWrite + Unpin,
{
    let mut patience = shared.limits.header_timeout;
    let mut unread = BytesMut::with_capacity(READ);
    let mut head = Vec::with_capacity(1024);
    let (mut is_begun, mut is_last) = (false, false);
    let mut since = Instant::now();
    let mut stop = stop.clone();
    let mut stopping = pin!(stopped(&mut stop));
    let mut silence = pin!(sleep_until(since + patience));
    loop {
        loop {
            let is_draining = shared.is_draining.load(Ordering::Acquire);
            let hit = match parse::read(&unread) {
                Reading::Partial if unread.len() < READ => break,
                Reading::Request(request, length) if !is_draining => {
                    head.clear();
                    let text = HitHead::Text(&mut head);
                    let body = shared.handler.hit(&request, info, text);
                    body.map(|body| (length, body))
                }
                _ => None,
            };
            let Some((length, body)) = hit else {
                let unread = unread.freeze();
                return End::HandOver { unread, is_begun };
            };
            unread.advance(length);
            is_begun = true;
            if let Err(error) = answer(io, &head, body).await {
                tracing::debug!(peer = %info.peer, %error, "a connection ended early");
                return End::Closed;
            }
            since = Instant::now();
        }
        unread.reserve(READ - unread.len());
        tokio::select! {
            biased;
            read = io.read_buf(&mut unread) => {
                if !read.is_ok_and(|octets| octets > 0) {
                    return End::Closed;
                }
            }
            () = stopping.as_mut(), if !is_last => {
                if unread.is_empty() && is_begun {
                    return End::Closed;
                }
                if unread.is_empty() {
                    // It was let in, so its first request is still waited for, though not long.
                    is_last = true;
                    since = Instant::now();
                    patience = patience.min(LAST_REQUEST);
                    silence.as_mut().reset(since + patience);
                    continue;
                }
                let unread = unread.freeze();
                return End::HandOver { unread, is_begun };
            }
            () = silence.as_mut() => {
                // Set anew only when it is over: most requests come long before.
                if since + patience <= Instant::now() {
                    return End::Closed;
                }
                silence.as_mut().reset(since + patience);
            }
        }
    }
}

/// Sends an answer, all of it: what is counted by the connection's octets begins with the next.
async fn answer<I: AsyncWrite + Unpin>(io: &mut I, head: &[u8], body: HitBody) -> io::Result<()> {
    match body {
        HitBody::Empty => write(io, head, &[]).await?,
        HitBody::Whole(bytes) => write(io, head, &bytes).await?,
        HitBody::Counted(body) => pieces(io, head, body).await?,
    }
    io.flush().await
}

async fn pieces<I: AsyncWrite + Unpin>(
    io: &mut I,
    mut head: &[u8],
    mut body: Body,
) -> io::Result<()> {
    loop {
        let Some(frame) = body.frame().await else {
            return write(io, head, &[]).await;
        };
        let piece = frame.map_err(io::Error::other)?;
        let piece = piece.into_data().unwrap_or_default();
        if http_body::Body::is_end_stream(&body) {
            // All of it is handed over, and that is when a body is done counting.
            drop(body);
            return write(io, head, &piece).await;
        }
        write(io, head, &piece).await?;
        head = &[];
    }
}

/// Writes both, together where the system takes them so.
async fn write<I: AsyncWrite + Unpin>(
    io: &mut I,
    mut first: &[u8],
    mut second: &[u8],
) -> io::Result<()> {
    while !first.is_empty() || !second.is_empty() {
        let slices = [IoSlice::new(first), IoSlice::new(second)];
        let slices = if first.is_empty() {
            &slices[1..]
        } else {
            &slices[..]
        };
        let written = poll_fn(|cx| Pin::new(&mut *io).poll_write_vectored(cx, slices)).await?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        let of_first = written.min(first.len());
        first = &first[of_first..];
        second = &second[written - of_first..];
    }
    Ok(())
}

#[cfg(test)]
mod tests;
