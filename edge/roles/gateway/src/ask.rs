//! Asks a cache, and believes nothing of what it says.
//!
//! A record counts when a registered gateway signed it, when it is for this very request, fresh,
//! and not below the service's generation. Bytes count group by group against the record's root, or
//! frame by frame against the fetching gateway's signature. Whatever else a cache sends is a
//! [`AskError::Fault`]: the cache is not asked for this key again for a while, and the request is answered
//! from elsewhere.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::future::{select, Either};
use http::header;
use selvedge_edge_core_http_cache::{Answer, Body as AnswerBody, Reuse, Rule, Stored};
use selvedge_edge_core_verify::{verify_record, Class, FrameVerifier, LeaseId, RecordHead};
use selvedge_edge_drivers_http::{channel, Body};
use selvedge_edge_drivers_purge::{Floors, AHEAD};
use selvedge_edge_drivers_store::room;
use selvedge_edge_drivers_transport::{
    LookupRequest, PeerAddress, Refusal, Reply, ReplyStream, TransportError, Want,
};
use selvedge_primitives_types::{Millis, SignedRecord};
use tokio::sync::oneshot;

use crate::cut::Cut;
use crate::entry::Entry;
use crate::gateway::Shared;
use crate::question::{stored_of_head, Question};
use crate::slices::{all_of, slices};
use crate::supplied::{next, unanswered, Frames, Rest, Verified, Whole};
use selvedge_edge_drivers_agent::clock;

/// A reply that does not wait for an origin.
pub(crate) const REPLY_TIMEOUT: Duration = Duration::from_secs(5);
/// Bodies up to this length are verified as a whole before the answer begins, so that a fault in
/// them costs the visitor nothing but time.
pub(crate) const VERIFY_FIRST: u64 = 256 * 1024;
/// Bodies up to this length are collected for who wants all of it.
const LONGEST_WHOLE: u64 = 32 * 1024 * 1024;
/// How far a cache's clock may differ from ours before a stale record is its fault, in
/// milliseconds.
const CLOCK_SLACK: i64 = 5_000;
/// The longest time that a cache's word keeps a key from being shared.
const MAX_PASS: Duration = Duration::from_secs(60);
/// Verified pieces that may wait for the visitor.
pub(crate) const PIECES: usize = 16;

/// What a cache said.
pub enum Asked {
    /// A stored response that answers the request.
    Hit(Box<Hit>),
    /// We fetch the origin.
    Lease {
        /// Names the lease.
        lease: LeaseId,
        /// What is stored and not fresh. It was verified.
        stale: Option<Box<(SignedRecord, Stored)>>,
    },
    /// Another gateway fetches; its bytes follow.
    Follow(Follow),
    /// The response is not for sharing, for this long.
    Pass(Duration),
    /// Nothing usable is stored, and nothing else was wanted.
    Nothing,
}

/// A stored response.
pub struct Hit {
    /// What the visitor gets.
    pub answer: Answer,
    /// The stored response.
    pub stored: Stored,
    /// The bytes of the answer.
    pub body: Body,
    /// Gives the whole response as soon as it is here; closes when only a part of it comes.
    pub whole: oneshot::Receiver<Whole>,
}

/// A response under way.
pub struct Follow {
    /// What the visitor gets.
    pub answer: Answer,
    /// The bytes of the answer.
    pub body: Body,
}

/// Why a cache did not help.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// It sent what no honest cache sends.
    #[error("the cache sent a wrong {0}")]
    Fault(&'static str),
    /// It did not answer as it should, for reasons an honest cache may have.
    #[error(transparent)]
    Transport(TransportError),
    /// It refused.
    #[error("the cache refused: {0}")]
    Refused(Refusal),
    /// A purge is about what it has, which it does not know: ask again, for generations from these.
    #[error("it does not know of a purge")]
    Purged(Floors),
    /// A purge may be about what it has, which is not known here.
    #[error("a purge was missed")]
    Doubtful,
    /// The fetch it followed failed.
    #[error("the fetch that was followed failed")]
    Aborted,
    /// The visitor's time, or that for another gateway's fetch, was over first. The cache need not
    /// be the reason.
    #[error("the time was over")]
    Late,
}

/// Waits for a cache no longer than the visitor does.
async fn in_time<T>(
    question: &Question,
    reply: impl Future<Output = Result<T, AskError>>,
) -> Result<T, AskError> {
    match tokio::time::timeout(question.exchange.left(), reply).await {
        Ok(reply) => reply,
        Err(_) => Err(AskError::Late),
    }
}

impl From<TransportError> for AskError {
    fn from(error: TransportError) -> Self {
        if error.is_misbehaviour() {
            Self::Fault("message")
        } else {
            Self::Transport(error)
        }
    }
}

impl From<selvedge_edge_core_verify::Error> for AskError {
    fn from(error: selvedge_edge_core_verify::Error) -> Self {
        match error.class() {
            Class::PeerIncomplete => Self::Transport(TransportError::Broken(error.to_string())),
            _ => Self::Fault("body"),
        }
    }
}

/// The first reply of a cache, and those that follow.
type Begun = (Reply, ReplyStream);

impl Shared {
    /// Asks one cache.
    pub async fn ask(
        self: &Arc<Self>,
        cache: &PeerAddress,
        question: &Arc<Question>,
        want: Want,
        have: Option<&Arc<Entry>>,
    ) -> Result<Asked, AskError> {
        let request = question.lookup(want, have.map(|entry| entry.root()));
        let begun = self.begin(cache, question, &request).await?;
        self.take(cache, question, want, have, begun).await
    }

    /// Asks one cache, and the key's next owner too when the first is late. Says who answered.
    pub async fn ask_either(
        self: &Arc<Self>,
        cache: &PeerAddress,
        next: Option<&PeerAddress>,
        question: &Arc<Question>,
        want: Want,
        have: Option<&Arc<Entry>>,
    ) -> (PeerAddress, Result<Asked, AskError>) {
        let late = self.choices.late_after(&cache.device);
        let (Some(next), Some(late)) = (next, late) else {
            let asked = self.ask(cache, question, want, have).await;
            return (cache.clone(), asked);
        };
        let request = question.lookup(want, have.map(|entry| entry.root()));
        let began = Instant::now();
        let mut first = std::pin::pin!(self.begin(cache, question, &request));
        let mut begun = tokio::time::timeout(late, first.as_mut()).await.ok();
        if begun.is_none() && self.choices.take_hedge(&cache.device) {
            self.metrics.hedges.inc();
            // What it has, and nothing else: a late answer must not become a second fetch.
            let stored = LookupRequest {
                want: Want::Stored,
                ..request.clone()
            };
            let second = std::pin::pin!(self.begin(next, question, &stored));
            match select(first.as_mut(), second).await {
                Either::Left((first, _)) => begun = Some(first),
                Either::Right((Ok(hit @ (Reply::Hit(_), _)), _)) => {
                    let asked = self.take(next, question, Want::Stored, have, hit).await;
                    match asked {
                        Ok(asked) => {
                            self.metrics.hedges_won.inc();
                            // It took at least this long.
                            self.choices.was_late(cache.device, began.elapsed());
                            return (next.clone(), Ok(asked));
                        }
                        Err(error) => self.blame(next, question, &error),
                    }
                }
                Either::Right(_) => {}
            }
        }
        let begun = match begun {
            Some(begun) => begun,
            None => first.await,
        };
        let asked = match begun {
            Ok(begun) => self.take(cache, question, want, have, begun).await,
            Err(error) => Err(error),
        };
        (cache.clone(), asked)
    }

    /// Asks a cache and waits for its first reply.
    async fn begin(
        &self,
        cache: &PeerAddress,
        question: &Question,
        request: &LookupRequest,
    ) -> Result<Begun, AskError> {
        let mut seen = self.choices.ask(cache.device);
        let asking = async {
            let mut replies = self.peers.lookup(cache, request).await?;
            let first = next(&mut replies, REPLY_TIMEOUT).await?;
            Ok((first, replies))
        };
        let begun = in_time(question, asking).await;
        match &begun {
            Ok(_) => seen.replied(),
            Err(AskError::Transport(error)) => seen.failed(error),
            // Faults are told by `blame`.
            Err(_) => {}
        }
        begun
    }

    /// Takes what a cache replied.
    async fn take(
        self: &Arc<Self>,
        cache: &PeerAddress,
        question: &Arc<Question>,
        want: Want,
        have: Option<&Arc<Entry>>,
        (mut first, mut replies): Begun,
    ) -> Result<Asked, AskError> {
        if first == Reply::Waiting {
            if question.headers.contains_key(header::AUTHORIZATION) {
                // What comes of it is seldom for this visitor, and those who have credentials would
                // wait for each other, one after the other.
                return Ok(Asked::Nothing);
            }
            let patience = question.patience();
            let began = Instant::now();
            let reached = tokio::time::timeout(patience, replies.next(patience)).await;
            first = match reached {
                Ok(Ok(Some(reply))) => reply,
                Ok(Err(TransportError::TooSlow { .. })) | Err(_) => return Err(AskError::Late),
                Ok(other) => unanswered(other)?,
            };
            if first == Reply::Abort && began.elapsed() >= patience {
                return Err(AskError::Late);
            }
        }
        match first {
            Reply::Hit(signed) => self.hit(cache, question, want, have, signed, replies).await,
            Reply::Lease { lease, stale, .. } => {
                let stale = match stale {
                    Some(signed) => match self.check_record(question, &signed) {
                        Ok(stored) => Some(Box::new((signed, stored))),
                        Err(AskError::Purged(_) | AskError::Doubtful) => None,
                        Err(error) => return Err(error),
                    },
                    None => None,
                };
                Ok(Asked::Lease { lease, stale })
            }
            Reply::Follow(head) => self.follow(cache, question, head, replies).await,
            Reply::Pass { until } if until == Millis(0) && want != Want::Share => {
                Ok(Asked::Nothing)
            }
            Reply::Pass { until } => {
                let time = Duration::from_millis(until.0).min(MAX_PASS);
                Ok(Asked::Pass(time))
            }
            Reply::Abort => Err(AskError::Aborted),
            Reply::Refused(refusal) => Err(AskError::Refused(refusal)),
            Reply::Data(_) | Reply::Frame(..) | Reply::End(_) | Reply::Waiting => {
                Err(AskError::Fault("message"))
            }
        }
    }

    /// Checks everything about a record but its freshness. Gives its response as the purges leave it.
    pub(crate) fn check_record(
        &self,
        question: &Question,
        signed: &SignedRecord,
    ) -> Result<Stored, AskError> {
        let stored = self.genuine(question, signed).map_err(AskError::Fault)?;
        self.unpurged(question, signed.record.generation, stored)
    }

    /// Checks that a record is one of this network, of this request. The error names the fault.
    fn genuine(&self, question: &Question, signed: &SignedRecord) -> Result<Stored, &'static str> {
        let (world, record) = (&question.scope.world, &signed.record);
        if !world.is_gateway(&record.gateway) {
            return Err("signer");
        }
        verify_record(signed, world.genesis(), &record.gateway).map_err(|_| "signature")?;
        if record.service != question.scope.service.id || record.key != question.key.as_bytes() {
            return Err("key");
        }
        let latest = clock::now().0.saturating_add(AHEAD);
        if record.generation < question.floors.hard || record.generation > latest {
            return Err("generation");
        }
        let stored = Stored::from_record(record, &self.options.policy).map_err(|_| "fields")?;
        if !stored.variant().matches(&question.headers) {
            return Err("variant");
        }
        Ok(stored)
    }

    async fn hit(
        self: &Arc<Self>,
        cache: &PeerAddress,
        question: &Arc<Question>,
        want: Want,
        have: Option<&Arc<Entry>>,
        signed: SignedRecord,
        replies: ReplyStream,
    ) -> Result<Asked, AskError> {
        let stored = self.check_record(question, &signed)?;
        let now = clock::now();
        let reuse = self
            .options
            .policy
            .reuse_decision(&question.head(), Some(&stored), now);
        if let Reuse::Fetch {
            rule: Rule::Authorization,
        } = reuse
        {
            // A cache never sees credentials, and cannot know that there are some.
            return Err(AskError::Refused(Refusal::NotServing));
        }
        // What was validated after the visitor asked is as good as if it had been validated for it:
        // that is how those who ask at once share one validation.
        let is_usable = match reuse {
            Reuse::Fresh { .. } | Reuse::Stale { .. } => true,
            _ => want == Want::Stale || stored.times().received >= question.exchange.arrived,
        };
        let changes = &self.changes;
        if changes.outdate(&question.pass_name(), signed.record.requested) {
            // The cache was not reached when the key changed.
            return Err(AskError::Refused(Refusal::NotServing));
        }
        if !is_usable {
            let is_close = stored.time_to_live(now).abs() <= CLOCK_SLACK;
            return Err(if is_close {
                AskError::Refused(Refusal::NotServing)
            } else {
                AskError::Fault("age")
            });
        }
        let answer = question.answer(&stored, now);
        let held = have.filter(|entry| entry.root() == signed.record.root);
        let cut = Cut::new(&answer.body);
        let (wanting, whole) = oneshot::channel();
        let body = match (&answer.body, held) {
            (AnswerBody::None, _) => selvedge_edge_drivers_http::empty(),
            (_, Some(entry)) => {
                let (body, cache) = (entry.body.clone(), cache.device);
                let renewed = Entry::new(signed.clone(), stored.clone(), body.clone(), cache);
                self.keep(question, renewed);
                // Mostly nobody wants it.
                let _ = wanting.send(Whole { signed, body });
                all_of(cut.of(&entry.body))
            }
            (wanted, None) => {
                let record = &signed.record;
                let is_all = *wanted == AnswerBody::Bytes(0..record.length);
                let keep = is_all && self.fits_memory(record.length);
                let whole =
                    (is_all && record.length <= LONGEST_WHOLE).then(|| (signed.clone(), wanting));
                let length = cut.length();
                let mut bytes = Verified::new(replies, record, cut)?;
                let mut head = Vec::new();
                let mut had = 0;
                let is_whole = loop {
                    match in_time(question, bytes.next()).await? {
                        Some(piece) => {
                            had += piece.len() as u64;
                            head.push(piece);
                        }
                        None => break true,
                    }
                    // The end of a long body is checked on the way; of a short one before the
                    // answer begins.
                    if length > VERIFY_FIRST && had >= selvedge_edge_core_verify::GROUP {
                        break false;
                    }
                };
                let finish = Rest {
                    shared: self.clone(),
                    cache: cache.clone(),
                    question: question.clone(),
                    keep: keep.then(|| (signed, stored.clone())),
                    whole,
                };
                if is_whole {
                    let whole = Bytes::from(head.concat());
                    finish.keep(&whole);
                    slices(whole)
                } else {
                    finish.stream(head, bytes, length)
                }
            }
        };
        Ok(Asked::Hit(Box::new(Hit {
            answer,
            stored,
            body,
            whole,
        })))
    }

    async fn follow(
        self: &Arc<Self>,
        cache: &PeerAddress,
        question: &Arc<Question>,
        head: RecordHead,
        mut replies: ReplyStream,
    ) -> Result<Asked, AskError> {
        let world = &question.scope.world;
        let is_ours = head.service == question.scope.service.id
            && head.key == question.key.as_bytes()
            && head.cache == cache.device;
        if !is_ours || !world.is_gateway(&head.gateway) {
            return Err(AskError::Fault("head"));
        }
        if head.generation < question.floors.hard {
            return Err(AskError::Fault("generation"));
        }
        let mut verifier = FrameVerifier::new(*world.genesis(), &head.gateway, &head)?;
        let stated = head.stated_length;
        let stored = stored_of_head(&head, stated.unwrap_or(0), &self.options.policy)
            .map_err(AskError::Fault)?;
        if !stored.variant().matches(&question.headers) {
            return Err(AskError::Fault("variant"));
        }
        let stored = self.unpurged(question, head.generation, stored)?;
        let now = clock::now();
        let policy = &self.options.policy;
        if let Reuse::Fetch {
            rule: Rule::Authorization,
        } = policy.reuse_decision(&question.head(), Some(&stored), now)
        {
            return Err(AskError::Refused(Refusal::NotServing));
        }
        if stored.time_to_live(now) < -CLOCK_SLACK {
            return Err(AskError::Fault("age"));
        }
        // Only the first frame vouches for the head.
        let first = match in_time(question, next(&mut replies, REPLY_TIMEOUT)).await? {
            Reply::Frame(frame, bytes) => {
                verifier.accept(&frame, &bytes)?;
                bytes
            }
            Reply::Abort => return Err(AskError::Aborted),
            _ => return Err(AskError::Fault("message")),
        };
        let answer = match stated {
            Some(_) => question.answer_in_passing(&stored, now),
            None => question.answer_unknown_length(&stored, now),
        };
        let wanted = Cut::new(&answer.body);
        let is_wanted = answer.body != AnswerBody::None
            && !matches!(&answer.body, AnswerBody::Bytes(range) if range.is_empty());
        let frames = Frames {
            shared: self.clone(),
            cache: cache.clone(),
            question: question.clone(),
            replies,
            verifier,
            kept: Some(room(stated.filter(|length| self.fits_memory(*length)))),
        };
        let body = if stated.is_some_and(|length| length <= VERIFY_FIRST) && is_wanted {
            let whole = in_time(question, frames.whole(first)).await?;
            all_of(wanted.of(&whole))
        } else if is_wanted {
            let (sender, body) = channel(PIECES, stated.map(|_| wanted.length()));
            tokio::spawn(frames.run(first, Some(sender), wanted));
            body
        } else {
            tokio::spawn(frames.run(first, None, wanted));
            selvedge_edge_drivers_http::empty()
        };
        Ok(Asked::Follow(Follow { answer, body }))
    }
}
