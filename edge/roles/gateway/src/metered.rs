//! Counts a response's body as it is sent.
//!
//! Egress is body octets after content coding (economy.md, section 2): over HTTP/2 those handed to
//! the connection; over HTTP/1.1 those the peer acknowledged. What is still on the way when the
//! connection has taken the whole body is followed until it arrives, or counted at once when it is
//! little. The counters only grow. What is on the way stands beside them, so that after a kill it is
//! counted: the system goes on sending what a dead gateway handed to it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{ready, Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Version};
use http_body::{Body as _, Frame, SizeHint};
use selvedge_edge_drivers_http::{Body, BodyError, Following, Progress};

/// A response is checked against the lease each time this many more bytes were sent.
pub const CHECK_EVERY: u64 = 1024 * 1024;

/// Octets on the way that are not worth following: they count as arrived once the body is whole.
const FEW: u64 = 128 * 1024;
/// What has arrived is asked for each time this many more octets were handed over.
const ASK_EVERY: u64 = 256 * 1024;
/// How much a head may be shorter than [`head_length`] says.
const SLACK: u64 = 256;
/// How often octets on the way are looked at, and how long they may stand still.
const LOOK: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(60);

/// What a body's octets are counted for.
pub trait Counting: Send + Unpin + 'static {
    /// Counts octets that were sent. `false` when they are not covered; then nothing more is sent.
    fn sent(&mut self, octets: u64) -> bool;

    /// Notes octets that were sent and not counted yet, all of them. `false` when they are not
    /// covered; then nothing more is sent.
    fn ahead(&mut self, octets: u64) -> bool;

    /// Whether as many more, at most [`CHECK_EVERY`], may be sent.
    fn may_continue(&mut self, octets: u64) -> bool;

    /// The body has ended, whole or not; called once.
    fn ended(&mut self, octets: u64, is_complete: bool);
}

/// Where the body of an HTTP/1.1 response is in the octets of its connection.
#[derive(Clone, Debug)]
pub struct Base {
    progress: Arc<Progress>,
    /// Octets of the connection that are not of this body: all before it, and its framing.
    base: u64,
    is_chunked: bool,
}

impl Base {
    /// Behind a head of this length that is written next.
    ///
    /// HTTP/1.1 answers one request after the other, so everything before is written already.
    pub fn after_head(progress: &Arc<Progress>, length: u64) -> Self {
        Self {
            progress: progress.clone(),
            base: progress.written() + length,
            is_chunked: false,
        }
    }

    /// Behind a head with these fields; `None` where responses share a connection.
    pub fn after_fields(
        version: Version,
        progress: &Arc<Progress>,
        fields: &HeaderMap,
        body: &Body,
    ) -> Option<Self> {
        let is_chunked = version == Version::HTTP_11 && body.size_hint().exact().is_none();
        (version < Version::HTTP_2).then(|| Self {
            is_chunked,
            ..Self::after_head(progress, head_length(fields))
        })
    }

    fn octets(&self) -> u64 {
        self.progress.acked().saturating_sub(self.base)
    }

    fn written(&self) -> u64 {
        self.progress.written().saturating_sub(self.base)
    }
}

/// A body that counts.
pub struct MeteredBody<C: Counting> {
    inner: Body,
    /// `None` once the body has ended and somebody else counts on.
    count: Option<Count<C>>,
    expected: Option<u64>,
    checked: u64,
    is_ended: bool,
    is_over: bool,
}

/// What was counted so far.
struct Count<C: Counting> {
    counting: C,
    acknowledged: Option<Base>,
    handed_over: u64,
    /// What was handed over when the system was last asked what has arrived.
    asked: u64,
    counted: u64,
    ahead: u64,
}

impl<C: Counting> Count<C> {
    /// Counts up to `octets`. `false` when they are not covered.
    fn up_to(&mut self, octets: u64) -> bool {
        if octets <= self.counted {
            return true;
        }
        let is_covered = self.counting.sent(octets - self.counted);
        if is_covered {
            self.ahead = self.ahead.saturating_sub(octets - self.counted);
            self.counted = octets;
        }
        is_covered
    }

    /// Notes what was sent beyond what is counted. `false` when it is not covered.
    fn note_ahead(&mut self, sent: u64) -> bool {
        let ahead = sent.min(self.handed_over).saturating_sub(self.counted);
        if ahead == self.ahead {
            return true;
        }
        let is_covered = self.counting.ahead(ahead);
        self.ahead = if is_covered { ahead } else { 0 };
        is_covered
    }

    /// Octets that have arrived; `is_whole` says that no more will be handed over.
    fn arrived(&mut self, is_whole: bool) -> u64 {
        let Some(from) = &self.acknowledged else {
            return self.handed_over;
        };
        if is_whole && self.handed_over - self.counted <= FEW {
            return self.handed_over;
        }
        self.asked = self.handed_over;
        let arrived = from.octets().min(self.handed_over);
        let on_the_way = self.handed_over - arrived;
        if is_whole && on_the_way <= FEW {
            self.handed_over
        } else {
            arrived
        }
    }

    /// Counts what is still on the way to an HTTP/1.1 visitor, until it has arrived or will not.
    async fn follow(mut self, from: Base, _following: Following) {
        let mut seen = Instant::now();
        loop {
            tokio::time::sleep(LOOK).await;
            let is_over = from.progress.is_over();
            let arrived = from.octets();
            let has_all = arrived.saturating_add(SLACK) >= self.handed_over;
            let before = self.counted;
            let octets = if has_all {
                self.handed_over
            } else {
                arrived.min(self.handed_over)
            };
            let is_sent = from.written().saturating_add(SLACK) >= self.handed_over;
            let sent = if is_sent {
                self.handed_over
            } else {
                from.written()
            };
            let is_covered = self.up_to(octets) && self.note_ahead(sent);
            if self.counted > before {
                seen = Instant::now();
            }
            if has_all || is_over || !is_covered || seen.elapsed() > PATIENCE {
                self.counting.ended(self.counted, has_all);
                return;
            }
        }
    }
}

impl<C: Counting> MeteredBody<C> {
    /// Counts `inner`, by what is acknowledged of its connection where it has one of its own.
    pub fn new(inner: Body, acknowledged: Option<Base>, counting: C) -> Self {
        let expected = inner.size_hint().exact();
        Self {
            inner,
            count: Some(Count {
                counting,
                acknowledged,
                handed_over: 0,
                asked: 0,
                counted: 0,
                ahead: 0,
            }),
            expected,
            checked: 0,
            is_ended: false,
            is_over: false,
        }
    }

    /// Notes what is handed over, and counts what has arrived; always when nothing comes after it.
    fn hand_over(&mut self, octets: u64, is_last: bool) {
        let Some(count) = &mut self.count else {
            return;
        };
        // The connection asks for more when it has passed on most of what it has.
        let before = match &count.acknowledged {
            Some(from) => from.written(),
            None => count.handed_over,
        };
        count.handed_over += octets;
        if let Some(from) = &mut count.acknowledged {
            from.base += if from.is_chunked { framing(octets) } else { 0 };
        }
        let is_whole = self.is_ended || self.expected == Some(count.handed_over);
        let is_due = is_last || is_whole || count.handed_over >= count.asked + ASK_EVERY;
        let arrived = if is_due || count.acknowledged.is_none() {
            count.arrived(is_whole)
        } else {
            count.counted
        };
        let sent = if is_whole { count.handed_over } else { before };
        self.is_over |= !(count.up_to(arrived) && count.note_ahead(sent));
    }

    /// Checks the lease, each time enough was handed over.
    fn check(&mut self) {
        let Some(count) = &mut self.count else {
            return;
        };
        if count.handed_over >= self.checked + CHECK_EVERY {
            self.checked = count.handed_over;
            let left = self
                .expected
                .map(|all| all.saturating_sub(count.handed_over));
            let next = left.map_or(CHECK_EVERY, |left| left.min(CHECK_EVERY));
            self.is_over |= !count.counting.may_continue(next);
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
        this.check();
        if this.is_over {
            let text = "the service's allowance is used up";
            return Poll::Ready(Some(Err(text.into())));
        }
        let frame = ready!(Pin::new(&mut this.inner).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => this.hand_over(frame.data_ref().map_or(0, Bytes::len) as u64, false),
            Some(Err(_)) => {}
            None => {
                this.is_ended = true;
                this.hand_over(0, true);
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
        // The connection drops a body when it has taken all of it or when the visitor is gone, and
        // this is the only word of it.
        self.is_ended |= self.inner.is_end_stream();
        self.hand_over(0, true);
        let Some(mut count) = self.count.take() else {
            return;
        };
        let is_whole = self.is_ended || self.expected == Some(count.handed_over);
        let is_on_the_way = is_whole && !self.is_over && count.counted < count.handed_over;
        let from = count.acknowledged.clone().filter(|_| is_on_the_way);
        match (from, tokio::runtime::Handle::try_current()) {
            (Some(from), Ok(runtime)) => {
                // From now on: the connection may close before the task first runs.
                let following = from.progress.follow();
                runtime.spawn(count.follow(from, following));
            }
            _ => count
                .counting
                .ended(count.counted, is_whole && !self.is_over),
        }
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

/// Octets around a chunk (RFC 9112 section 7.1).
fn framing(octets: u64) -> u64 {
    match octets.checked_ilog(16) {
        Some(log) => u64::from(log) + 1 + 4,
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;
    use parking_lot::Mutex;
    use selvedge_edge_drivers_http::{channel, full};

    #[derive(Clone, Copy, Debug, Default, PartialEq)]
    struct Seen {
        counted: u64,
        ahead: u64,
        checks: u64,
        /// Octets, and whether the body was whole.
        ended: Option<(u64, bool)>,
    }

    #[derive(Clone, Default)]
    struct Tally(Arc<Mutex<Seen>>);

    impl Counting for Tally {
        fn sent(&mut self, octets: u64) -> bool {
            let mut seen = self.0.lock();
            seen.counted += octets;
            seen.ahead = seen.ahead.saturating_sub(octets);
            true
        }

        fn ahead(&mut self, octets: u64) -> bool {
            self.0.lock().ahead = octets;
            true
        }

        fn may_continue(&mut self, octets: u64) -> bool {
            assert_eq!(octets, CHECK_EVERY);
            let mut seen = self.0.lock();
            seen.checks += 1;
            seen.checks < 3
        }

        fn ended(&mut self, octets: u64, is_complete: bool) {
            let mut seen = self.0.lock();
            seen.ahead = 0;
            assert!(seen.ended.replace((octets, is_complete)).is_none());
        }
    }

    fn metered(inner: Body, version: Version) -> (MeteredBody<Tally>, Tally) {
        let tally = Tally::default();
        let progress = Arc::new(Progress::default());
        let base = Base::after_fields(version, &progress, &HeaderMap::new(), &inner);
        let body = MeteredBody::new(inner, base, tally.clone());
        (body, tally)
    }

    #[tokio::test]
    async fn a_whole_body_is_counted_once() {
        for version in [Version::HTTP_11, Version::HTTP_2] {
            let (body, tally) = metered(full(vec![1; 5_000]), version);
            assert_eq!(body.collect().await.unwrap().to_bytes().len(), 5_000);
            let seen = Seen {
                counted: 5_000,
                ended: Some((5_000, true)),
                ..Seen::default()
            };
            assert_eq!(*tally.0.lock(), seen);
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
            let seen = Seen {
                counted,
                ended: Some((counted, false)),
                ..Seen::default()
            };
            assert_eq!(*tally.0.lock(), seen);
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
        assert_eq!(tally.0.lock().ended, Some((3 * CHECK_EVERY, false)));
    }

    #[tokio::test]
    async fn what_is_on_the_way_is_ahead_until_it_has_arrived() {
        let length = 4 * FEW as usize;
        let (mut body, tally) = metered(full(vec![1; length]), Version::HTTP_11);
        body.frame().await.unwrap().unwrap();
        drop(body);
        // Nothing was ever written to the socket of this test, and it is over.
        let seen = *tally.0.lock();
        assert_eq!((seen.counted, seen.ahead), (0, length as u64));
        while tally.0.lock().ended.is_none() {
            tokio::task::yield_now().await;
        }
        let seen = *tally.0.lock();
        assert_eq!((seen.counted, seen.ahead), (0, 0));
    }

    #[test]
    fn chunks_are_framed_as_rfc_9112_says() {
        for (octets, around) in [(0, 0), (1, 5), (15, 5), (16, 6), (255, 6), (65_536, 9)] {
            assert_eq!(framing(octets), around, "{octets}");
        }
    }
}
