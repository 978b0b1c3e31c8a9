//! Bytes that a cache supplies, verified as they come and kept in memory on the way.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use selvedge_edge_core_http_cache::Stored;
use selvedge_edge_core_verify::{FrameVerifier, RangePlan, StreamDecoder};
use selvedge_edge_drivers_http::{channel, Body, BodySender};
use selvedge_edge_drivers_store::room;
use selvedge_edge_drivers_transport::{PeerAddress, Reply, ReplyStream, TransportError};
use selvedge_primitives_types::{Record, SignedRecord};
use tokio::sync::oneshot;

use crate::ask::{AskError, PIECES, REPLY_TIMEOUT};
use crate::cut::Cut;
use crate::entry::Entry;
use crate::gateway::Shared;
use crate::question::Question;

pub(crate) async fn next(replies: &mut ReplyStream, within: Duration) -> Result<Reply, AskError> {
    unanswered(replies.next(within).await)
}

/// A reply, or what it means that there is none.
pub(crate) fn unanswered(reply: Result<Option<Reply>, TransportError>) -> Result<Reply, AskError> {
    match reply? {
        Some(reply) => Ok(reply),
        None => Err(AskError::Transport(TransportError::Broken(
            "no reply".to_owned(),
        ))),
    }
}

/// The parts of a stored response that were asked for, as they are verified: each behind its head,
/// and an end behind the last.
pub(crate) struct Verified {
    replies: ReplyStream,
    decoder: Option<StreamDecoder>,
    next: VecDeque<(Bytes, StreamDecoder)>,
    end: Bytes,
}

impl Verified {
    /// Expects these parts of the body of a record, which must have been verified.
    pub(crate) fn new(replies: ReplyStream, record: &Record, cut: Cut) -> Result<Self, AskError> {
        let mut next = VecDeque::new();
        for (head, range) in cut.parts {
            let plan = RangePlan::new(record.length, range)?;
            next.push_back((head, StreamDecoder::new(record.root, plan)));
        }
        Ok(Self {
            replies,
            decoder: None,
            next,
            end: cut.end,
        })
    }

    /// The next verified bytes; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, AskError> {
        loop {
            if let Some(decoder) = &mut self.decoder {
                if let Some(bytes) = decoder.next()? {
                    return Ok(Some(bytes));
                }
            }
            let is_done = self.decoder.as_ref().is_none_or(StreamDecoder::is_done);
            if is_done {
                if let Some((head, decoder)) = self.next.pop_front() {
                    self.decoder = Some(decoder);
                    if !head.is_empty() {
                        return Ok(Some(head));
                    }
                    continue;
                }
                if !self.end.is_empty() {
                    return Ok(Some(std::mem::take(&mut self.end)));
                }
            }
            match next(&mut self.replies, 2 * REPLY_TIMEOUT).await? {
                Reply::Data(bytes) => match &mut self.decoder {
                    Some(decoder) => decoder.push(&bytes),
                    None => return Err(AskError::Fault("message")),
                },
                Reply::End(_) if is_done => return Ok(None),
                Reply::Abort | Reply::Refused(_) => return Err(AskError::Aborted),
                _ => return Err(AskError::Fault("message")),
            }
        }
    }
}

/// What happens to a stored response's bytes once the answer has begun.
pub(crate) struct Rest {
    pub(crate) shared: Arc<Shared>,
    pub(crate) cache: PeerAddress,
    pub(crate) question: Arc<Question>,
    pub(crate) keep: Option<(SignedRecord, Stored)>,
    /// Who wants all of it, where all of it comes.
    pub(crate) whole: Option<(SignedRecord, oneshot::Sender<Whole>)>,
}

/// A stored response with all its bytes, verified.
pub struct Whole {
    /// Its record.
    pub signed: SignedRecord,
    /// Its bytes.
    pub body: Bytes,
}

impl Rest {
    /// Keeps a whole body.
    pub(crate) fn keep(self, body: &Bytes) {
        if let Some((signed, stored)) = self.keep {
            let entry = Entry::new(signed, stored, body.clone(), self.cache.device);
            self.shared.keep(&self.question, entry);
        }
        if let Some((signed, wanting)) = self.whole {
            let body = body.clone();
            // Mostly nobody wants it.
            let _ = wanting.send(Whole { signed, body });
        }
    }

    fn wants_whole(&self) -> bool {
        let wanting = self.whole.as_ref();
        self.keep.is_some() || wanting.is_some_and(|(_, wanting)| !wanting.is_closed())
    }

    /// Sends on what is verified already, then the rest as it is.
    pub(crate) fn stream(self, head: Vec<Bytes>, mut bytes: Verified, length: u64) -> Body {
        let (sender, body) = channel(PIECES, Some(length));
        tokio::spawn(async move {
            let mut kept = self.wants_whole().then(|| room(Some(length)));
            let mut waiting = head.into_iter();
            loop {
                let piece = match waiting.next() {
                    Some(piece) => piece,
                    None => match bytes.next().await {
                        Ok(Some(piece)) => piece,
                        Ok(None) => break,
                        Err(error) => {
                            self.shared.broke_off(&self.cache, &self.question, &error);
                            sender.fail(error).await;
                            return;
                        }
                    },
                };
                if let Some(kept) = &mut kept {
                    kept.extend_from_slice(&piece);
                }
                if sender.send(piece).await.is_err() {
                    return;
                }
            }
            if let Some(kept) = kept {
                self.keep(&Bytes::from(kept));
            }
            let _ = sender.finish().await;
        });
        body
    }
}

/// Frames of a response under way.
pub(crate) struct Frames {
    pub(crate) shared: Arc<Shared>,
    pub(crate) cache: PeerAddress,
    pub(crate) question: Arc<Question>,
    pub(crate) replies: ReplyStream,
    pub(crate) verifier: FrameVerifier,
    pub(crate) kept: Option<Vec<u8>>,
}

impl Frames {
    /// The whole body, of which the first frame has come.
    pub(crate) async fn whole(mut self, first: Bytes) -> Result<Bytes, AskError> {
        self.keep(&first);
        let mut body = first.to_vec();
        while let Some(bytes) = self.next().await? {
            self.keep(&bytes);
            body.extend_from_slice(&bytes);
        }
        Ok(body.into())
    }

    /// Sends on what is wanted of the first frame, then of the others as they are verified. Who has
    /// all that is wanted is not kept waiting for the rest.
    pub(crate) async fn run(mut self, first: Bytes, sender: Option<BodySender>, mut wanted: Cut) {
        let mut sender = sender;
        let mut next = Ok(Some(first));
        loop {
            match next {
                Ok(Some(bytes)) => {
                    self.keep(&bytes);
                    for piece in wanted.next(&bytes) {
                        if let Some(reader) = &sender {
                            if reader.send(piece).await.is_err() {
                                return;
                            }
                        }
                    }
                    if let Some(sender) = sender.take_if(|_| wanted.is_served()) {
                        let _ = sender.finish().await;
                    }
                }
                Ok(None) => {
                    if let Some(sender) = sender {
                        let _ = sender.finish().await;
                    }
                    return;
                }
                Err(error) => {
                    self.shared.blame(&self.cache, &self.question, &error);
                    if let Some(sender) = sender {
                        sender.fail(error).await;
                    }
                    return;
                }
            }
            next = self.next().await;
        }
    }

    fn keep(&mut self, bytes: &Bytes) {
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(bytes);
            if !self.shared.fits_memory(kept.len() as u64) {
                self.kept = None;
            }
        }
    }

    async fn next(&mut self) -> Result<Option<Bytes>, AskError> {
        let patience = self.shared.options.body_timeout + REPLY_TIMEOUT;
        match next(&mut self.replies, patience).await? {
            Reply::Frame(frame, bytes) => {
                self.verifier.accept(&frame, &bytes)?;
                Ok(Some(bytes))
            }
            // The last frame says that the body is whole; the record is only for keeping it.
            Reply::End(Some(signed)) if self.verifier.is_ended() => {
                self.keep_with(signed);
                Ok(None)
            }
            Reply::End(None) | Reply::Abort if self.verifier.is_ended() => Ok(None),
            Reply::Abort => Err(AskError::Aborted),
            _ => Err(AskError::Fault("message")),
        }
    }

    fn keep_with(&mut self, signed: SignedRecord) {
        let Some(mut kept) = self.kept.take() else {
            return;
        };
        kept.shrink_to_fit();
        let is_same = *blake3::hash(&kept).as_bytes() == signed.record.root;
        match self.shared.check_record(&self.question, &signed) {
            Ok(stored) if is_same => {
                let entry = Entry::new(signed, stored, kept.into(), self.cache.device);
                self.shared.keep(&self.question, entry);
            }
            Ok(_) => self.shared.metrics.fault(&self.cache.device, "record"),
            Err(AskError::Fault(fault)) => self.shared.metrics.fault(&self.cache.device, fault),
            Err(_) => {}
        }
    }
}
