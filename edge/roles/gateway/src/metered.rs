//! Counts a response's body as it is sent.
//!
//! Egress is body octets after content coding (economy.md, section 2): over HTTP/2 those handed to
//! the connection; over HTTP/1.1 those the peer acknowledged, and all of them once the body has
//! been handed over whole. The counters only grow, so what is still in flight is not counted yet; a
//! gateway that is killed loses at most that, in the customer's favour.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{ready, Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Version};
use http_body::{Body as _, Frame, SizeHint};
use selvedge_edge_drivers_http::{Body, BodyError, Progress};

/// A response is checked against the lease each time this many more bytes were sent.
pub const CHECK_EVERY: u64 = 1024 * 1024;

/// What a body's octets are counted for.
pub trait Counting: Send + Unpin + 'static {
    /// Counts octets that were sent. `false` when they are not covered; then nothing more is sent.
    fn sent(&mut self, octets: u64) -> bool;

    /// Whether as many more, at most [`CHECK_EVERY`], may be sent.
    fn may_continue(&mut self, octets: u64) -> bool;

    /// The body has ended, whole or not; called once.
    fn ended(&mut self, octets: u64, is_complete: bool);
}

/// Where the acknowledged octets of an HTTP/1.1 response begin.
struct Acknowledged {
    progress: Arc<Progress>,
    base: u64,
}

/// A body that counts.
pub struct MeteredBody<C: Counting> {
    inner: Body,
    counting: C,
    acknowledged: Option<Acknowledged>,
    expected: Option<u64>,
    handed_over: u64,
    counted: u64,
    checked: u64,
    is_ended: bool,
    is_over: bool,
}

impl<C: Counting> MeteredBody<C> {
    /// Counts `inner`, the body of an answer with these fields, over a connection.
    pub fn new(
        inner: Body,
        fields: &HeaderMap,
        version: Version,
        progress: &Arc<Progress>,
        counting: C,
    ) -> Self {
        let acknowledged = (version < Version::HTTP_2).then(|| Acknowledged {
            progress: progress.clone(),
            // HTTP/1.1 answers one request after the other, so everything before is written
            // already.
            base: progress.written() + head_length(fields),
        });
        let expected = inner.size_hint().exact();
        Self {
            inner,
            counting,
            acknowledged,
            expected,
            handed_over: 0,
            counted: 0,
            checked: 0,
            is_ended: false,
            is_over: false,
        }
    }

    fn is_complete(&self) -> bool {
        self.is_ended || self.expected == Some(self.handed_over)
    }

    fn count(&mut self) {
        let arrived = match &self.acknowledged {
            Some(from) if !self.is_complete() => from
                .progress
                .acked()
                .saturating_sub(from.base)
                .min(self.handed_over),
            _ => self.handed_over,
        };
        if arrived > self.counted {
            if self.counting.sent(arrived - self.counted) {
                self.counted = arrived;
            } else {
                self.is_over = true;
            }
        }
    }
}

impl<C: Counting> http_body::Body for MeteredBody<C> {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        if this.handed_over >= this.checked + CHECK_EVERY {
            this.checked = this.handed_over;
            let left = this
                .expected
                .map(|all| all.saturating_sub(this.handed_over));
            let next = left.map_or(CHECK_EVERY, |left| left.min(CHECK_EVERY));
            this.is_over |= !this.counting.may_continue(next);
        }
        if this.is_over {
            let text = "the service's allowance is used up";
            return Poll::Ready(Some(Err(text.into())));
        }
        let frame = ready!(Pin::new(&mut this.inner).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => {
                this.handed_over += frame.data_ref().map_or(0, Bytes::len) as u64;
                this.count();
            }
            Some(Err(_)) => {}
            None => {
                this.is_ended = true;
                this.count();
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<C: Counting> Drop for MeteredBody<C> {
    fn drop(&mut self) {
        // The connection drops a body when it is sent or when the visitor is gone, and this is the
        // only word of it.
        let is_complete = self.is_complete() || self.inner.is_end_stream();
        self.is_ended |= is_complete;
        self.count();
        self.counting.ended(self.counted, is_complete);
    }
}

/// Octets of an HTTP/1.1 head with these fields: status line, `Date`, and framing that is not in
/// them yet.
fn head_length(fields: &HeaderMap) -> u64 {
    let lines: usize = fields
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum();
    (lines + 17 + 37 + 2) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;
    use parking_lot::Mutex;
    use selvedge_edge_drivers_http::{channel, full};

    /// Octets counted, how it ended, and checks of the lease.
    type Seen = (u64, Option<(u64, bool)>, u64);

    #[derive(Clone, Default)]
    struct Tally(Arc<Mutex<Seen>>);

    impl Counting for Tally {
        fn sent(&mut self, octets: u64) -> bool {
            self.0.lock().0 += octets;
            true
        }

        fn may_continue(&mut self, octets: u64) -> bool {
            assert_eq!(octets, CHECK_EVERY);
            let mut tally = self.0.lock();
            tally.2 += 1;
            tally.2 < 3
        }

        fn ended(&mut self, octets: u64, is_complete: bool) {
            assert!(self.0.lock().1.replace((octets, is_complete)).is_none());
        }
    }

    fn metered(inner: Body, version: Version) -> (MeteredBody<Tally>, Tally) {
        let tally = Tally::default();
        let progress = Arc::new(Progress::default());
        let body = MeteredBody::new(inner, &HeaderMap::new(), version, &progress, tally.clone());
        (body, tally)
    }

    #[tokio::test]
    async fn a_whole_body_is_counted_once() {
        for version in [Version::HTTP_11, Version::HTTP_2] {
            let (body, tally) = metered(full(vec![1; 5_000]), version);
            assert_eq!(body.collect().await.unwrap().to_bytes().len(), 5_000);
            assert_eq!(*tally.0.lock(), (5_000, Some((5_000, true)), 0));
        }
    }

    #[tokio::test]
    async fn an_aborted_body_counts_what_arrived() {
        for (version, counted) in [(Version::HTTP_11, 0), (Version::HTTP_2, 7)] {
            let (sender, inner) = channel(4, None);
            let (mut body, tally) = metered(inner, version);
            sender.send(Bytes::from_static(b"seven b")).await.unwrap();
            body.frame().await.unwrap().unwrap();
            drop(body);
            // Nothing was ever written to the socket of this test, so over HTTP/1.1 nothing
            // arrived.
            assert_eq!(*tally.0.lock(), (counted, Some((counted, false)), 0));
        }
    }

    #[tokio::test]
    async fn a_long_body_ends_with_the_lease() {
        let (sender, inner) = channel(64, None);
        let (mut body, tally) = metered(inner, Version::HTTP_2);
        for _ in 0..32 {
            sender.send(Bytes::from(vec![0; 256 * 1024])).await.unwrap();
        }
        let mut frames = 0;
        while let Some(Ok(_)) = body.frame().await {
            frames += 1;
        }
        drop(body);
        assert_eq!(frames, 12);
        assert_eq!(tally.0.lock().1, Some((3 * CHECK_EVERY, false)));
    }
}
