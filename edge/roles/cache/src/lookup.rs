//! Answers lookups: from the store, from a fetch under way, or with the lease.

use crate::{
    leases::Turn,
    service::Shared,
    under_way::{Outcome, UnderWay},
    world::World,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use selvedge_edge_core_http_cache::{answer, Body, RequestHead, Reuse, Stored};
use selvedge_edge_core_verify::RangePlan;
use selvedge_edge_drivers_agent::clock::now;
use selvedge_edge_drivers_transport::{LookupRequest, Refusal, Reply, ReplySender, Want};
use selvedge_primitives_types::{DeviceId, Millis, ServiceId, SignedRecord, Usage, UsageClass};
use std::{sync::Arc, time::Instant};
use tokio::time::timeout;

/// Bytes of a key.
const MAX_KEY: usize = 16 * 1024;
/// Bytes and number of request fields.
const MAX_FIELD_BYTES: usize = 64 * 1024;
const MAX_FIELDS: usize = 128;
/// Turns that a waiting gateway takes when holders give up one after the other.
const MAX_TURNS: usize = 4;
/// Encoded bytes sent in one reply.
const PIECE: usize = 64 * 1024;

/// The gateway hung up, or got its last reply.
struct Done;

impl From<selvedge_edge_drivers_http::Closed> for Done {
    fn from(_: selvedge_edge_drivers_http::Closed) -> Self {
        Self
    }
}

/// A lookup under way.
struct Asked<'a> {
    shared: &'a Arc<Shared>,
    world: Arc<World>,
    peer: DeviceId,
    request: LookupRequest,
    headers: HeaderMap,
    replies: &'a ReplySender,
    has_waited: bool,
}

impl Shared {
    pub(crate) async fn answer_lookup(
        self: &Arc<Self>,
        peer: DeviceId,
        request: LookupRequest,
        replies: ReplySender,
    ) {
        self.metrics.lookups.inc();
        let refusal = match (self.worlds.current(), fields(&request)) {
            (None, _) => Refusal::NotServing,
            (Some(_), None) => Refusal::Limit,
            (Some(_), Some(_)) if !self.meter.may_supply(&peer, 1) => Refusal::Exposure,
            (Some(world), Some(headers)) => {
                let mut asked = Asked {
                    shared: self,
                    world,
                    peer,
                    request,
                    headers,
                    replies: &replies,
                    has_waited: false,
                };
                // An error says that nobody listens any more.
                let _ = asked.answer().await;
                let _ = replies.finish().await;
                return;
            }
        };
        let _ = replies.send(&refusal.into()).await;
        let _ = replies.finish().await;
    }
}

/// The request's fields, if they are within bounds.
fn fields(request: &LookupRequest) -> Option<HeaderMap> {
    let bytes: usize = request
        .fields
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    if request.key.len() > MAX_KEY || request.fields.len() > MAX_FIELDS || bytes > MAX_FIELD_BYTES {
        return None;
    }
    let mut headers = HeaderMap::with_capacity(request.fields.len());
    for (name, value) in &request.fields {
        headers.append(
            HeaderName::from_bytes(name).ok()?,
            HeaderValue::from_bytes(value).ok()?,
        );
    }
    Some(headers)
}

impl Asked<'_> {
    fn head(&self) -> RequestHead<'_> {
        static GET: Method = Method::GET;
        static HEAD: Method = Method::HEAD;
        RequestHead {
            method: if self.request.is_head { &HEAD } else { &GET },
            headers: &self.headers,
        }
    }

    async fn answer(&mut self) -> Result<(), Done> {
        for _ in 0..MAX_TURNS {
            let Some(best) = self.best().await else {
                return self.refuse(Refusal::Store).await;
            };
            if let Some((signed, stored)) = &best {
                let reuse =
                    self.shared
                        .options
                        .policy
                        .reuse_decision(&self.head(), Some(stored), now());
                let is_usable = self.request.want == Want::Stale
                    || matches!(reuse, Reuse::Fresh { .. } | Reuse::Stale { .. });
                if is_usable {
                    return self.hit(signed.clone(), stored).await;
                }
            }
            if self.request.want != Want::Share {
                // Zero stands for "nothing is stored", which is not a mark of the key.
                return self.send(Reply::Pass { until: Millis(0) }).await;
            }
            let service = self.request.service;
            match self
                .shared
                .leases
                .turn(service, &self.request.key, self.peer, Instant::now())
            {
                Turn::Holder(under_way) => {
                    return self.grant(under_way, best.map(|(signed, _)| signed)).await
                }
                Turn::Pass(left) => {
                    return self
                        .send(Reply::Pass {
                            until: Millis(left.as_millis().max(1) as u64),
                        })
                        .await;
                }
                Turn::Full => return self.refuse(Refusal::Busy).await,
                Turn::Waiter(under_way) => {
                    if self.wait(&under_way).await? {
                        return Ok(());
                    }
                }
            }
        }
        self.refuse(Refusal::Busy).await
    }

    /// The newest stored response for this request that is not below its generation; `None` when the store failed.
    #[allow(clippy::type_complexity)]
    async fn best(&self) -> Option<Option<(SignedRecord, Stored)>> {
        let (service, key) = (self.request.service, self.request.key.clone());
        let records = self
            .shared
            .on_disk(move |store| store.records(service, &key))
            .await?;
        let policy = &self.shared.options.policy;
        let usable = records
            .into_iter()
            .filter(|signed| signed.record.generation >= self.request.generation)
            .filter(|signed| self.world.is_gateway(&signed.record.gateway))
            .filter_map(|signed| Some((Stored::from_record(&signed.record, policy).ok()?, signed)))
            .filter(|(stored, _)| stored.variant().matches(&self.headers));
        let best = usable.max_by_key(|(stored, _)| (stored.date(), stored.times().received));
        Some(best.map(|(stored, signed)| (signed, stored)))
    }

    async fn hit(&self, signed: SignedRecord, stored: &Stored) -> Result<(), Done> {
        let range = match answer(&self.head(), stored, now()).body {
            Body::None => None,
            Body::Bytes(_) if self.request.have == Some(signed.record.root) => None,
            Body::Bytes(range) => Some(range),
        };
        let root = signed.record.root;
        let Some(range) = range else {
            self.shared.metrics.hits.inc();
            self.send(Reply::Hit(signed)).await?;
            return self.send(Reply::End(None)).await;
        };
        // The body is opened before the answer begins, so that a store that lost it costs the gateway nothing.
        let body = self
            .shared
            .on_disk(move |store| store.body(&root))
            .await
            .flatten();
        let Some(body) = body else {
            return self.refuse(Refusal::Store).await;
        };
        let Ok(plan) = RangePlan::new(body.length(), range) else {
            return self.refuse(Refusal::Limit).await;
        };
        self.shared.metrics.hits.inc();
        self.send(Reply::Hit(signed)).await?;
        self.send_parts(body, plan).await
    }

    async fn send_parts(
        &self,
        body: selvedge_edge_drivers_store::BodyReader,
        plan: RangePlan,
    ) -> Result<(), Done> {
        let parts: Vec<_> = plan.parts().collect();
        let mut next = 0;
        while next < parts.len() {
            let mut end = next;
            let mut length = 0;
            while end < parts.len() && (end == next || length + parts[end].length() <= PIECE as u64)
            {
                length += parts[end].length();
                end += 1;
            }
            if !self.shared.meter.may_supply(&self.peer, length) {
                return self.send(Reply::Refused(Refusal::Exposure)).await;
            }
            let (reader, piece) = (body.clone(), parts[next..end].to_vec());
            let read = self.shared.on_disk(move |_| {
                let mut bytes = Vec::with_capacity(length as usize);
                for part in &piece {
                    bytes.extend_from_slice(&reader.part(part)?);
                }
                Ok(bytes)
            });
            let Some(bytes) = read.await else {
                return self.send(Reply::Abort).await;
            };
            self.send(Reply::Data(bytes.into())).await?;
            self.shared
                .supplied(&self.peer, self.request.service, length)?;
            next = end;
        }
        self.send(Reply::End(None)).await
    }

    /// Grants the lease, and takes it back when the first frame does not come.
    async fn grant(
        &self,
        under_way: Arc<UnderWay>,
        stale: Option<SignedRecord>,
    ) -> Result<(), Done> {
        self.shared.metrics.leases.inc();
        let expires = Millis(self.shared.options.lease.as_millis() as u64);
        let granted = self
            .send(Reply::Lease {
                lease: under_way.lease,
                expires,
                stale,
            })
            .await;
        let shared = self.shared.clone();
        if granted.is_err() {
            shared
                .leases
                .end(&under_way, Outcome::Again, Instant::now());
            return granted;
        }
        tokio::spawn(async move {
            let mut progress = under_way.watch();
            let begins =
                progress.wait_for(|progress| progress.has_head || progress.outcome.is_some());
            if timeout(shared.options.lease, begins).await.is_err() {
                tracing::debug!(holder = %under_way.holder, "a lease ran out");
                shared
                    .leases
                    .end(&under_way, Outcome::Again, Instant::now());
            }
        });
        Ok(())
    }

    /// Waits for a fetch of another gateway and relays it; false when this gateway should take another turn.
    async fn wait(&mut self, under_way: &Arc<UnderWay>) -> Result<bool, Done> {
        let mut progress = under_way.watch();
        let has_begun = { progress.borrow().has_head || progress.borrow().outcome.is_some() };
        if !has_begun && !self.has_waited {
            self.has_waited = true;
            self.send(Reply::Waiting).await?;
        }
        let begins = progress.wait_for(|progress| progress.has_head || progress.outcome.is_some());
        let begun = tokio::select! {
            begun = timeout(self.shared.options.lease, begins) => {
                begun.map(|seen| seen.map(|progress| progress.outcome.clone()))
            }
            () = self.replies.closed() => return Err(Done),
        };
        let Ok(Ok(outcome)) = begun else {
            return Ok(false);
        };
        match (under_way.head(), outcome) {
            (None, Some(Outcome::Pass(until))) => {
                self.send(Reply::Pass { until }).await?;
                Ok(true)
            }
            (None, _) => Ok(false),
            // What was stored by now is read from the store.
            (Some(_), Some(Outcome::Whole(_))) => Ok(false),
            (Some(head), _) => {
                let variant =
                    selvedge_edge_core_http_cache::Variant::from_inner(head.variant.clone());
                if !variant.matches(&self.headers) || head.generation < self.request.generation {
                    self.refuse(Refusal::Busy).await?;
                    return Ok(true);
                }
                self.shared.metrics.follows.inc();
                self.send(Reply::Follow(head)).await?;
                self.relay(under_way).await?;
                Ok(true)
            }
        }
    }

    async fn relay(&self, under_way: &Arc<UnderWay>) -> Result<(), Done> {
        let mut progress = under_way.watch();
        let mut sent = 0;
        loop {
            let more =
                progress.wait_for(|progress| progress.frames > sent || progress.outcome.is_some());
            let seen = timeout(self.shared.options.stall, more).await;
            let seen =
                seen.map(|seen| seen.map(|progress| (progress.frames, progress.outcome.clone())));
            let Ok(Ok((frames, outcome))) = seen else {
                return self.send(Reply::Abort).await;
            };
            for index in sent..frames {
                let holder = under_way.clone();
                let read = tokio::task::spawn_blocking(move || holder.frame(index)).await;
                let Ok(Ok(Some((frame, bytes)))) = read else {
                    return self.send(Reply::Abort).await;
                };
                let length = bytes.len() as u64;
                if !self.shared.meter.may_supply(&self.peer, length) {
                    return self.send(Reply::Refused(Refusal::Exposure)).await;
                }
                self.send(Reply::Frame(frame, bytes)).await?;
                self.shared
                    .supplied(&self.peer, self.request.service, length)?;
            }
            sent = frames;
            match outcome {
                None => {}
                Some(Outcome::Whole(record)) => return self.send(Reply::End(Some(*record))).await,
                Some(_) => return self.send(Reply::Abort).await,
            }
        }
    }

    async fn send(&self, reply: Reply) -> Result<(), Done> {
        Ok(self.replies.send(&reply).await?)
    }

    async fn refuse(&self, refusal: Refusal) -> Result<(), Done> {
        self.shared.metrics.refusals.inc();
        self.send(refusal.into()).await
    }
}

impl Shared {
    /// Counts what was supplied; an error says that it cannot be counted, and so must not be given.
    fn supplied(&self, peer: &DeviceId, service: ServiceId, bytes: u64) -> Result<(), Done> {
        self.metrics.supplied_bytes.inc_by(bytes);
        let usage = Usage::ZERO.with(UsageClass::EgressBytes, bytes);
        self.meter
            .supplied(*peer, service, &usage, now())
            .map_err(|error| {
                tracing::warn!(%error, "what was supplied cannot be counted");
                Done
            })
    }
}
