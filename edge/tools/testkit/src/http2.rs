//! HTTP/2 of a visitor who counts every octet.
//!
//! It stands on `h2` itself, because hyper's client gives up requests that it has sent. After
//! `send_request` it asks `poll_ready` once more (1.12, `ClientTask::poll` in `proto/h2/client.rs`), where
//! `h2` tells of a `GOAWAY` before it looks at the stream; then the request is dropped, although its
//! stream is below the last one that the server will answer (RFC 9113 §6.8). The answer is sent and
//! charged, and nobody reads it: 119 times in 8,000 connections that a busy machine drained, and never
//! with this client.

use anyhow::Context;
use bytes::Bytes;
use h2::{client, Reason, RecvStream};
use http::{header, HeaderValue, Request, Response};
use std::future::poll_fn;
use tokio::io::{AsyncRead, AsyncWrite};

/// Requests at a time before the server has said how many it allows.
const STREAMS: usize = 100;
/// Octets that are received ahead of their reader, where nobody chose.
const STREAM_WINDOW: u32 = 2 * 1024 * 1024;
const CONNECTION_WINDOW: u32 = 5 * 1024 * 1024;

/// A user of a connection, which closes when the last user and the last answer are gone.
#[derive(Clone)]
pub(crate) struct Sender(client::SendRequest<Bytes>);

impl Sender {
    /// Begins a connection. `window` bounds the octets that nobody has read yet.
    pub(crate) async fn open<S>(io: S, window: Option<u32>) -> anyhow::Result<Self>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, connection) = client::Builder::new()
            .enable_push(false)
            .initial_max_send_streams(STREAMS)
            .initial_window_size(window.unwrap_or(STREAM_WINDOW))
            .initial_connection_window_size(window.unwrap_or(CONNECTION_WINDOW))
            .handshake(io)
            .await?;
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    /// Sends a request and waits for the head of the answer.
    pub(crate) async fn send(
        &mut self,
        request: Request<Bytes>,
    ) -> anyhow::Result<Response<RecvStream>> {
        let (mut head, body) = request.into_parts();
        let has_body = !body.is_empty();
        if has_body && !head.headers.contains_key(header::CONTENT_LENGTH) {
            let length = HeaderValue::from(body.len());
            head.headers.insert(header::CONTENT_LENGTH, length);
        }
        poll_fn(|cx| self.0.poll_ready(cx))
            .await
            .context("the connection takes no request")?;
        let (answer, mut upload) = self
            .0
            .send_request(Request::from_parts(head, ()), !has_body)?;
        if has_body {
            upload.send_data(body, true)?;
        }
        Ok(answer.await?)
    }
}

/// The next octets of a body; `None` at its end.
pub(crate) async fn next(body: &mut RecvStream) -> anyhow::Result<Option<Bytes>> {
    match body.data().await {
        Some(Ok(data)) => {
            // A connection that is gone needs no window.
            let _ = body.flow_control().release_capacity(data.len());
            Ok(Some(data))
        }
        // RFC 9113 §8.1: the answer is whole, and the rest of the request is not needed.
        Some(Err(error)) if error.is_reset() && error.reason() == Some(Reason::NO_ERROR) => {
            Ok(None)
        }
        Some(Err(error)) => Err(error.into()),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::{self, frame};
    use std::pin::pin;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

    /// The kind of the next frame of a peer, and the stream that it belongs to.
    async fn next_frame(peer: &mut DuplexStream) -> (u8, u32) {
        let mut head = [0; 9];
        peer.read_exact(&mut head).await.unwrap();
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        peer.read_exact(&mut payload).await.unwrap();
        (
            head[3],
            u32::from_be_bytes([head[5], head[6], head[7], head[8]]),
        )
    }

    #[tokio::test]
    async fn a_request_that_meets_a_goodbye_is_answered() {
        let (mut server, client) = tokio::io::duplex(1 << 16);
        let mut sender = Sender::open(client, None).await.unwrap();
        server.read_exact(&mut [0; 24]).await.unwrap();
        server
            .write_all(&frame(frames::SETTINGS, 0, 0, &[]))
            .await
            .unwrap();
        while next_frame(&mut server).await != (frames::SETTINGS, 0) {}

        // Both are there before the connection looks at either.
        let mut asking = pin!(sender.send(
            Request::get("http://site.test/")
                .body(Bytes::new())
                .unwrap()
        ));
        assert!(futures::poll!(asking.as_mut()).is_pending());
        let all = [&(u32::MAX >> 1).to_be_bytes()[..], &[0; 4]].concat();
        server
            .write_all(&frame(frames::GOAWAY, 0, 0, &all))
            .await
            .unwrap();

        loop {
            match next_frame(&mut server).await {
                (frames::HEADERS, 1) => break,
                (kind, stream) => assert_eq!(stream, 0, "frame {kind}"),
            }
        }
        // `:status: 200` of the static table.
        let flags = frames::END_HEADERS | frames::END_STREAM;
        server
            .write_all(&frame(frames::HEADERS, flags, 1, &[0x88]))
            .await
            .unwrap();
        assert_eq!(asking.await.unwrap().status(), 200);
    }
}
