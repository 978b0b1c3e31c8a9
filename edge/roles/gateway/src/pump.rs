//! Carries the body of a shared fetch: to the visitor, to the cache, into memory.
//!
//! The visitor and the cache each have a bounded queue. A visitor who leaves ends the fetch only
//! when much is still to come: then the cache grants the lease to whoever else waits.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::BodyExt;
use selvedge_edge_core_http_cache::{Body as AnswerBody, Stored};
use selvedge_edge_core_verify::{sign_record, PublisherDigest, RecordHead};
use selvedge_edge_drivers_http::{channel, empty, Body, BodySender};
use selvedge_edge_drivers_store::room;

use crate::cut::Cut;
use crate::entry::Entry;
use crate::gateway::Shared;
use crate::gather::Gathering;
use crate::published::Fetched;
use crate::question::Question;
use crate::seeder::Seeder;
use crate::tab::Tab;

/// Pieces that may wait for the visitor.
const PIECES: usize = 64;
/// Bytes in a piece.
const PIECE: usize = 64 * 1024;
/// A fetch goes on without its visitor when at most this much is to come.
const WORTH_FINISHING: u64 = 32 * 1024 * 1024;

/// A body under way.
pub struct Pump {
    shared: Arc<Shared>,
    question: Arc<Question>,
    head: RecordHead,
    length: Option<u64>,
    visitor: Option<(BodySender, Cut)>,
    seeders: Vec<Seeder>,
    gathering: Option<Gathering>,
    kept: Option<Vec<u8>>,
    digest: Option<PublisherDigest>,
    tab: Tab,
    offset: u64,
}

impl Pump {
    /// Starts it and gives the visitor's part.
    #[allow(clippy::too_many_arguments)]
    pub fn start(
        shared: Arc<Shared>,
        question: Arc<Question>,
        (body, digest): (Fetched, Option<PublisherDigest>),
        head: RecordHead,
        length: Option<u64>,
        wanted: &AnswerBody,
        (seeders, gathering): (Vec<Seeder>, Option<Gathering>),
        tab: Tab,
    ) -> Body {
        let (visitor, answer) = match wanted {
            AnswerBody::None => (None, empty()),
            wanted => {
                let cut = Cut::new(wanted);
                let (sender, body) = channel(PIECES, length.map(|_| cut.length()));
                (Some((sender, cut)), body)
            }
        };
        let is_small = length.is_none_or(|length| shared.fits_memory(length));
        let pump = Self {
            shared,
            question,
            head,
            length,
            visitor,
            seeders,
            gathering: gathering.filter(|_| is_small),
            kept: is_small.then(|| room(length)),
            digest,
            tab,
            offset: 0,
        };
        tokio::spawn(pump.run(body));
        answer
    }

    async fn run(mut self, mut body: Fetched) {
        let timeout = self.shared.options.body_timeout;
        let failed = loop {
            let frame = match tokio::time::timeout(timeout, body.frame()).await {
                Ok(Some(Ok(frame))) => frame,
                Ok(None) => break None,
                Ok(Some(Err(error))) => break Some(error.to_string()),
                Err(_) => break Some("the origin's body stands still".to_owned()),
            };
            let Ok(mut data) = frame.into_data() else {
                continue;
            };
            let mut stopped = None;
            while !data.is_empty() {
                let piece = data.split_to(data.len().min(PIECE));
                if let Err(reason) = self.piece(piece).await {
                    stopped = Some(reason.to_owned());
                    break;
                }
            }
            if stopped.is_some() {
                break stopped;
            }
        };
        let failed = failed.or_else(|| self.check_digest().err().map(str::to_owned));
        match failed {
            None => self.finish().await,
            Some(reason) => {
                let id = &self.question.exchange.id;
                tracing::debug!(%id, reason, "a shared fetch ended early");
                // The seeders, dropped without their end, abort the leases.
                if let Some((visitor, _)) = self.visitor.take() {
                    visitor.fail(reason).await;
                }
            }
        }
    }

    async fn piece(&mut self, piece: Bytes) -> Result<(), &'static str> {
        let bytes = piece.len() as u64;
        self.shared.metrics.origin.inc_by(bytes);
        self.tab
            .origin(bytes)
            .map_err(|_| "the service's allowance is used up")?;
        self.offset += bytes;
        if self.offset > self.shared.options.max_object_bytes {
            self.seeders.clear();
            self.kept = None;
        }
        if let Some(digest) = &mut self.digest {
            digest.update(&piece);
        }
        if self.length == Some(self.offset) {
            // Before anybody has all of it.
            self.check_digest()?;
        }
        let mut at = 0;
        while let Some(seeder) = self.seeders.get(at) {
            if seeder.push(piece.clone()).await {
                at += 1;
            } else {
                self.seeders.remove(at);
            }
        }
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(&piece);
            if !self.shared.fits_memory(kept.len() as u64) {
                self.kept = None;
            }
        }
        if self.length == Some(self.offset) {
            // Before the last byte leaves, so that the visitor's next request finds it.
            self.keep();
            self.seeded().await;
        }
        if let Some((visitor, wanted)) = &mut self.visitor {
            let mut is_gone = visitor.is_closed();
            for part in wanted.next(&piece) {
                is_gone = is_gone || visitor.send(part).await.is_err();
            }
            let is_served = wanted.is_served();
            if is_gone || is_served {
                let visitor = self.visitor.take();
                if let Some((visitor, _)) = visitor.filter(|_| is_served) {
                    let _ = visitor.finish().await;
                }
            }
        }
        if self.visitor.is_none() && !self.is_worth_finishing() {
            return Err("nobody waits for the body any more");
        }
        Ok(())
    }

    fn check_digest(&mut self) -> Result<(), &'static str> {
        match self.digest.take().map(PublisherDigest::finish) {
            Some(Err(_)) => {
                self.shared.metrics.altered.inc();
                Err("the body does not match the digest that the origin states")
            }
            _ => Ok(()),
        }
    }

    fn is_worth_finishing(&self) -> bool {
        if self.seeders.is_empty() && self.kept.is_none() {
            return false;
        }
        match self.length {
            Some(length) => length.saturating_sub(self.offset) <= WORTH_FINISHING,
            None => self.offset <= WORTH_FINISHING,
        }
    }

    async fn seeded(&mut self) {
        for seeder in self.seeders.drain(..) {
            seeder.finish().await;
        }
    }

    async fn finish(mut self) {
        self.keep();
        self.seeded().await;
        if let Some((visitor, _)) = self.visitor.take() {
            let _ = visitor.finish().await;
        }
    }

    fn keep(&mut self) {
        // Whatever becomes of it, nobody waits any longer.
        let _gathering = self.gathering.take();
        let Some(mut kept) = self.kept.take() else {
            return;
        };
        kept.shrink_to_fit();
        let body = Bytes::from(kept);
        let root = *blake3::hash(&body).as_bytes();
        let record = self.head.clone().into_record(root, body.len() as u64);
        let (key, genesis) = (
            self.shared.identity.key(),
            self.question.scope.world.genesis(),
        );
        let signed = match sign_record(key, genesis, record) {
            Ok(signed) => signed,
            Err(error) => {
                tracing::error!(%error, "a record of our own cannot be signed");
                return;
            }
        };
        match Stored::from_record(&signed.record, &self.shared.options.policy) {
            Ok(stored) => {
                let cache = self.head.cache;
                let entry = Entry::new(signed, stored, body, cache);
                self.shared.keep(&self.question, entry);
            }
            Err(error) => tracing::debug!(%error, "a response is not kept"),
        }
    }
}
