//! Notices HTTP/2 responses that their peer does not take.
//!
//! A socket that stands still is noticed where it is written to. HTTP/2 has windows of its own: a
//! peer that leaves a window closed lets nothing be written at all, and would hold the places of its
//! requests for as long as it answers pings.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use parking_lot::Mutex;

use crate::body::{Body, BodyError};

/// The responses of one connection, with the moment since which each waits for its peer.
#[derive(Debug, Default)]
pub(crate) struct Watch(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    since: HashMap<u64, Instant>,
}

impl Watch {
    /// Watches a body, which waits for its peer from now on until it is asked for.
    pub(crate) fn body(self: &Arc<Self>, body: Body) -> Body {
        if body.is_end_stream() {
            return body;
        }
        let mut waiting = self.0.lock();
        let number = waiting.next;
        waiting.next += 1;
        waiting.since.insert(number, Instant::now());
        drop(waiting);
        Watched {
            inner: body,
            watch: self.clone(),
            number,
        }
        .boxed_unsync()
    }

    /// How long the peer has not taken what it could have, at most.
    pub(crate) fn longest(&self, now: Instant) -> Duration {
        let waiting = self.0.lock();
        let first = waiting.since.values().min();
        first.map_or(Duration::ZERO, |since| {
            now.saturating_duration_since(*since)
        })
    }

    fn note(&self, number: u64, since: Option<Instant>) {
        let mut waiting = self.0.lock();
        match since {
            Some(since) => waiting.since.insert(number, since),
            None => waiting.since.remove(&number),
        };
    }
}

struct Watched {
    inner: Body,
    watch: Arc<Watch>,
    number: u64,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let frame = Pin::new(&mut this.inner).poll_frame(cx);
        // Without a frame it is the origin that is waited for.
        let since = matches!(frame, Poll::Ready(Some(Ok(_)))).then(Instant::now);
        this.watch.note(this.number, since);
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.watch.note(self.number, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::{channel, empty};
    use futures::FutureExt;

    const HOUR: Duration = Duration::from_secs(3_600);

    #[tokio::test]
    async fn only_the_peer_is_waited_for() {
        let watch = Arc::new(Watch::default());
        let longest = || watch.longest(Instant::now() + HOUR);
        assert_eq!(longest(), Duration::ZERO);
        let (sender, body) = channel(1, None);
        let mut body = watch.body(body);
        assert!(longest() >= HOUR, "nobody asked for it yet");
        assert!(body.frame().now_or_never().is_none());
        assert_eq!(longest(), Duration::ZERO, "it has nothing to give");
        sender.send(Bytes::from_static(b"x")).await.unwrap();
        assert!(body.frame().await.unwrap().is_ok());
        assert!(longest() >= HOUR, "nobody asked for more");
        drop(body);
        assert_eq!(longest(), Duration::ZERO, "it is gone");
        let nothing = watch.body(empty());
        assert_eq!(longest(), Duration::ZERO, "nothing is to be taken");
        drop(nothing);
    }
}
