//! Answers lookups: from the store, from a fetch under way, or with a lease.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use selvedge_edge_core_http_cache::{answer, Body, Boundary, RequestHead, Reuse, Rule, Stored};
use selvedge_edge_core_verify::{Part, RangePlan, GROUP};
use selvedge_edge_drivers_agent::clock;
use selvedge_edge_drivers_http::Closed;
use selvedge_edge_drivers_purge::{Tags, Verdict, AHEAD};
use selvedge_edge_drivers_store::{BodyReader, Error as StoreError};
use selvedge_edge_drivers_transport::{LookupRequest, Refusal, Reply, ReplySender, Want};
use selvedge_primitives_types::{DeviceId, Millis, SignedRecord, Usage, UsageClass};

use crate::flight::{Begun, Boarding, End, Flight, State};
use crate::service::Shared;
use crate::world::World;

/// Times a lookup that waited for a fetch in vain looks again.
const TRIES: usize = 4;
/// Leases at a time; beyond it gateways fetch for themselves.
const MAX_LEASES: usize = 65_536;
/// The holder of a lease opens its stream at once; one that does not within this time is gone.
const LEASE_START: Duration = Duration::from_secs(5);
/// The longest time that a visitor may have waited before a lookup.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Bytes of one reply: groups of a range, with their proof.
const BATCH: usize = 6 * GROUP as usize;
/// Bounds on what a gateway asks.
const MAX_KEY: usize = 8 * 1024;
const MAX_FIELDS: usize = 128;
const MAX_FIELD_BYTES: usize = 64 * 1024;

/// The gateway is gone.
struct Gone;

impl From<Closed> for Gone {
    fn from(_: Closed) -> Self {
        Self
    }
}

/// A lookup under way.
struct Lookup {
    shared: Arc<Shared>,
    world: Arc<World>,
    peer: DeviceId,
    request: LookupRequest,
    method: Method,
    headers: HeaderMap,
    /// When the gateway's visitor asked.
    asked: Millis,
    began: Instant,
    replies: ReplySender,
}

/// Answers one lookup.
pub(crate) async fn run(
    shared: Arc<Shared>,
    peer: DeviceId,
    request: LookupRequest,
    replies: ReplySender,
) {
    let refusal = match shared.world() {
        None => Refusal::NotServing,
        Some(world) => match fields(&request) {
            None => Refusal::Limit,
            Some(headers) => {
                let began = Instant::now();
                let arrived = clock::now();
                let waited = request.waited.0.min(LONGEST_WAIT.as_millis() as u64);
                let asked = Millis(arrived.0.saturating_sub(waited));
                let lookup = Lookup {
                    method: if request.is_head {
                        Method::HEAD
                    } else {
                        Method::GET
                    },
                    shared,
                    world,
                    peer,
                    request,
                    headers,
                    asked,
                    began,
                    replies,
                };
                // A gateway that is gone needs no answer.
                let _ = lookup.answer().await;
                return;
            }
        },
    };
    shared.metrics.looked_up("refused");
    shared.note(request.service, &request.key);
    let _ = replies.send(&refusal.into()).await;
    let _ = replies.finish().await;
}

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
        let name = HeaderName::from_bytes(name).ok()?;
        headers.append(name, HeaderValue::from_bytes(value).ok()?);
    }
    Some(headers)
}

impl Lookup {
    fn head(&self) -> RequestHead<'_> {
        RequestHead {
            method: &self.method,
            headers: &self.headers,
        }
    }

    async fn end(self, name: &'static str, reply: Reply) -> Result<(), Gone> {
        self.shared.metrics.looked_up(name);
        if matches!(reply, Reply::Refused(_) | Reply::Abort) {
            // Then the gateway fetches for itself.
            self.note();
        }
        self.replies.send(&reply).await?;
        self.replies.finish().await?;
        Ok(())
    }

    async fn answer(self) -> Result<(), Gone> {
        let want = self.request.want;
        let mut waited = false;
        for round in 0..TRIES {
            if round > 0 && self.left().is_zero() {
                break;
            }
            let best = match self.best().await {
                Ok(best) => best,
                Err(error) => {
                    tracing::error!(%error, "the store failed");
                    return self.end("refused", Refusal::Store.into()).await;
                }
            };
            let stored = best.as_ref().map(|(_, stored)| stored);
            let reuse =
                self.shared
                    .options
                    .policy
                    .reuse_decision(&self.head(), stored, clock::now());
            let is_usable = match reuse {
                // The origin's newest word is that it is no longer for sharing.
                Reuse::Stale { refresh: true, .. } if self.is_passing() => want == Want::Stale,
                Reuse::Fresh { .. } | Reuse::Stale { .. } => true,
                _ => {
                    want == Want::Stale
                        || stored.is_some_and(|stored| self.is_validated_for_us(&reuse, stored))
                }
            };
            if let Some((signed, stored)) = best.as_ref().filter(|_| is_usable) {
                if matches!(reuse, Reuse::Stale { refresh: true, .. }) {
                    if let Some(flight) = self.lease_to_renew().await {
                        return self.lease(flight, Some(signed.clone())).await;
                    }
                }
                match self.open(signed, stored).await {
                    Ok(hit) => return self.hit(hit).await,
                    // It has left the store between the two looks, or it has decayed: as if it had
                    // never been there.
                    Err(StoreError::NoBody(_) | StoreError::Decayed(_)) => continue,
                    Err(error) => {
                        tracing::error!(%error, "the store failed");
                        return self.end("refused", Refusal::Store.into()).await;
                    }
                }
            }
            let nothing = Reply::Pass { until: Millis(0) };
            if want != Want::Share || matches!(reuse, Reuse::GatewayTimeout { .. }) {
                return self.end("nothing", nothing).await;
            }
            let (service, key) = (self.request.service, &self.request.key);
            if let Some(until) = self.shared.passes.left(service, key) {
                let until = Millis(until.as_millis() as u64);
                return self.end("pass", Reply::Pass { until }).await;
            }
            if !self.shared.takes_new(&self.world) {
                return self.end("refused", Refusal::NotServing.into()).await;
            }
            let suits = |flight: &Flight| self.suits(flight);
            let flights = &self.shared.flights;
            match flights.board(service, key, self.peer, MAX_LEASES, suits) {
                Boarding::Full => return self.end("refused", Refusal::Busy.into()).await,
                Boarding::Lease(flight) => {
                    // A fetch may have ended since the store was looked at: then everything is there.
                    if self.is_stored_now(true).await {
                        self.shared.fail(&flight);
                        continue;
                    }
                    let stale = best.map(|(signed, _)| signed);
                    return self.lease(flight, stale).await;
                }
                Boarding::Wait(flight) => {
                    if !std::mem::replace(&mut waited, true) {
                        self.replies.send(&Reply::Waiting).await?;
                    }
                    match self.wait(&flight).await {
                        State::Begun(begun) if self.suits(&flight) => {
                            return self.follow(&begun).await
                        }
                        State::Passed(time) => {
                            let until = Millis(time.as_millis() as u64);
                            return self.end("pass", Reply::Pass { until }).await;
                        }
                        _ => {}
                    }
                }
            }
        }
        self.end("aborted", Reply::Abort).await
    }

    /// The gateway may keep what it gets.
    fn note(&self) {
        self.shared.note(self.request.service, &self.request.key);
    }

    /// How much longer the gateway waits for another one's fetch.
    fn left(&self) -> Duration {
        let patience = Duration::from_millis(self.request.patience.0);
        patience.saturating_sub(self.began.elapsed())
    }

    /// Whether the key's response was not for sharing a moment ago.
    fn is_passing(&self) -> bool {
        let passes = &self.shared.passes;
        passes
            .left(self.request.service, &self.request.key)
            .is_some()
    }

    /// RFC 5861 §3: the first who asks for what may be stale meanwhile renews it; the others get it
    /// as it is. `None` for these, and where nothing is to be renewed now.
    async fn lease_to_renew(&self) -> Option<Arc<Flight>> {
        let (service, key) = (self.request.service, &self.request.key);
        if self.request.want != Want::Share || !self.shared.takes_new(&self.world) {
            return None;
        }
        let suits = |flight: &Flight| self.suits(flight);
        let flights = &self.shared.flights;
        let boarding = flights.board(service, key, self.peer, MAX_LEASES, suits);
        let Boarding::Lease(flight) = boarding else {
            return None;
        };
        if self.is_stored_now(false).await {
            self.shared.fail(&flight);
            return None;
        }
        Some(flight)
    }

    /// Whether a stored response may answer as it is: fresh, or `or_stale`.
    async fn is_stored_now(&self, or_stale: bool) -> bool {
        let best = self.best().await.ok().flatten();
        let stored = best.as_ref().map(|(_, stored)| stored);
        let policy = &self.shared.options.policy;
        match policy.reuse_decision(&self.head(), stored, clock::now()) {
            Reuse::Fresh { .. } => true,
            Reuse::Stale { .. } => or_stale,
            _ => false,
        }
    }

    /// The stored response that suits the request best, fresh or not.
    async fn best(&self) -> Result<Option<(SignedRecord, Stored)>, StoreError> {
        let store = self.shared.store.clone();
        let (service, key) = (self.request.service, self.request.key.clone());
        let latest = clock::now().0.saturating_add(AHEAD);
        let below = self.request.generation;
        let read = move || {
            let records = store.records(service, &key)?;
            let is_below = |signed: &SignedRecord| signed.record.generation < below;
            if below <= latest && records.iter().any(is_below) {
                // Whatever the purge was, and whoever asks next.
                store.forget_key_before(service, &key, below);
            }
            Ok(records)
        };
        let Ok(records) = tokio::task::spawn_blocking(read).await else {
            return Ok(None);
        };
        let policy = &self.shared.options.policy;
        let records: Result<Vec<SignedRecord>, StoreError> = records;
        let usable = records?
            .into_iter()
            .filter(|signed| self.world.is_gateway(&signed.record.gateway));
        let read = usable.filter_map(|signed| {
            let stored = Stored::from_record(&signed.record, policy).ok()?;
            let stored = self.unpurged(signed.record.generation, stored)?;
            stored
                .variant()
                .matches(&self.headers)
                .then_some((signed, stored))
        });
        Ok(read.max_by_key(|(_, stored)| (stored.date(), stored.times().received)))
    }

    /// What the purges leave of a stored response, as far as this cache or the gateway knows them.
    /// Whether orders are missing here is not for this cache to judge: the gateway believes none.
    fn unpurged(&self, generation: u64, stored: Stored) -> Option<Stored> {
        let request = &self.request;
        let tags = Tags::of(stored.headers());
        let purges = &self.shared.purges;
        let verdict = purges.verdict(request.service, generation, &request.key, &tags);
        let since = match verdict.0 {
            Verdict::Gone { .. } => return None,
            _ if generation < request.generation => return None,
            Verdict::Stale { since } => since,
            _ if generation < request.fresh_from => request.fresh_from,
            Verdict::Current | Verdict::Doubtful => return Some(stored),
        };
        // Numbers are about the time they were given.
        Some(stored.stale_since(Millis(since)))
    }

    /// Whether this request may have what a fetch under way brings, as far as that is known.
    fn suits(&self, flight: &Flight) -> bool {
        if flight.is_outdated() {
            return false;
        }
        match &*flight.state().borrow() {
            State::Granted => true,
            State::Begun(begun) => {
                let is_open = begun.progress().borrow().end.is_none();
                let unpurged = self.unpurged(begun.head.generation, begun.stored.clone());
                let Some(stored) = unpurged else {
                    return false;
                };
                let reuse = self.shared.options.policy.reuse_decision(
                    &self.head(),
                    Some(&stored),
                    clock::now(),
                );
                let is_usable = matches!(reuse, Reuse::Fresh { .. })
                    || self.is_validated_for_us(&reuse, &stored);
                is_open && is_usable
            }
            State::Passed(_) | State::Renewed | State::Failed => false,
        }
    }

    /// Whether the origin was asked after this lookup came: what must be validated for each request
    /// has then been validated for this one too, and those who ask at once share it.
    fn is_validated_for_us(&self, reuse: &Reuse, stored: &Stored) -> bool {
        let is_about_age = match reuse {
            Reuse::Validate { rule, .. } | Reuse::Fetch { rule } => *rule != Rule::RequestMinFresh,
            _ => false,
        };
        is_about_age
            && stored.variant().matches(&self.headers)
            && stored.times().received >= self.asked
    }

    async fn wait(&self, flight: &Flight) -> State {
        let mut state = flight.state();
        let patience = (LEASE_START + self.shared.options.lease).min(self.left());
        let changed = state.wait_for(|state| !matches!(state, State::Granted));
        let reached = tokio::select! {
            reached = tokio::time::timeout(patience, changed) => match reached {
                Ok(Ok(state)) => state.clone(),
                _ => State::Failed,
            },
            () = self.replies.closed() => State::Failed,
        };
        reached
    }

    async fn lease(self, flight: Arc<Flight>, stale: Option<SignedRecord>) -> Result<(), Gone> {
        let expires = Millis(LEASE_START.as_millis() as u64);
        let reply = Reply::Lease {
            lease: flight.lease,
            expires,
            stale,
        };
        let shared = self.shared.clone();
        let sent = self.end("lease", reply).await;
        // Taken back unless the holder's stream has come by then.
        tokio::spawn(async move {
            if sent.is_ok() {
                // One that has come to something is let go: its body may be open.
                let _ = tokio::time::timeout(LEASE_START, flight.moved()).await;
            }
            if !flight.is_seeding() {
                shared.fail(&flight);
            }
        });
        Ok(())
    }

    async fn follow(self, begun: &Begun) -> Result<(), Gone> {
        self.shared.metrics.looked_up("follow");
        self.note();
        self.replies
            .send(&Reply::Follow(begun.head.clone()))
            .await?;
        let mut progress = begun.progress();
        let mut next = 0;
        loop {
            let now = progress.borrow_and_update().clone();
            while next < now.frames {
                // Page cache almost always: the frame was written a moment ago.
                let Ok((frame, bytes)) = begun.read(next) else {
                    self.replies.send(&Reply::Abort).await?;
                    self.replies.finish().await?;
                    return Ok(());
                };
                if !self.supply(u64::from(frame.length)) {
                    return self.end("exposed", Reply::Abort).await;
                }
                self.replies.send(&Reply::Frame(frame, bytes)).await?;
                next += 1;
            }
            if let Some(end) = now.end {
                let reply = match end {
                    End::Record(signed) => Reply::End(Some(*signed)),
                    End::Broken => Reply::Abort,
                };
                self.replies.send(&reply).await?;
                self.replies.finish().await?;
                return Ok(());
            }
            tokio::select! {
                changed = progress.changed() => if changed.is_err() {
                    return Err(Gone);
                },
                () = self.replies.closed() => return Err(Gone),
            }
        }
    }

    /// Counts what is supplied, as far as the gateway signs for it.
    fn supply(&self, bytes: u64) -> bool {
        let meter = &self.shared.meter;
        if !meter.may_supply(&self.peer, bytes) {
            return false;
        }
        let usage = Usage::ZERO.with(UsageClass::EgressBytes, bytes);
        let counted = meter.supplied(self.peer, self.request.service, &usage, clock::now());
        if let Err(error) = &counted {
            tracing::error!(%error, "supply cannot be counted");
        }
        self.shared.metrics.supplied.inc_by(bytes);
        counted.is_ok()
    }

    /// Finds the bytes of an answer, and reads the first of them before anything is promised.
    async fn open(&self, signed: &SignedRecord, stored: &Stored) -> Result<Hit, StoreError> {
        // What is written between parts is the gateway's.
        let answer = answer(&self.head(), stored, clock::now(), Boundary::default());
        let ranges = match answer.body {
            Body::None => Vec::new(),
            Body::Bytes(range) => vec![range],
            Body::Parts(parts) => parts
                .parts()
                .iter()
                .map(|(_, range)| range.clone())
                .collect(),
        };
        let has_them = self.request.have == Some(signed.record.root);
        let source = if ranges.is_empty() || has_them {
            None
        } else {
            let length = signed.record.length;
            let plans: Result<Vec<_>, _> = ranges
                .into_iter()
                .map(|range| RangePlan::new(length, range))
                .collect();
            let plans = plans.map_err(StoreError::Range)?;
            let (store, root) = (self.shared.store.clone(), signed.record.root);
            let opened = tokio::task::spawn_blocking(move || {
                let reader = store.body(&root)?.ok_or(StoreError::NoBody(root))?;
                let mut source = Source::new(reader, plans);
                let first = source.batch()?;
                Ok((source, first))
            });
            match opened.await {
                Ok(opened) => Some(opened?),
                Err(_) => return Err(StoreError::NoBody(root)),
            }
        };
        Ok(Hit {
            signed: signed.clone(),
            source,
        })
    }

    async fn hit(self, hit: Hit) -> Result<(), Gone> {
        self.note();
        let Some((mut source, mut batch)) = hit.source else {
            self.replies.send(&Reply::Hit(hit.signed)).await?;
            return self.end("hit", Reply::End(None)).await;
        };
        let first = batch.as_ref().map_or(0, |(_, share)| *share);
        if !self.shared.meter.may_supply(&self.peer, first) {
            return self.end("exposed", Refusal::Exposure.into()).await;
        }
        self.replies.send(&Reply::Hit(hit.signed)).await?;
        while let Some((bytes, share)) = batch {
            if !self.supply(share) {
                return self.end("exposed", Reply::Abort).await;
            }
            self.replies.send(&Reply::Data(bytes)).await?;
            let read = tokio::task::spawn_blocking(move || {
                let batch = source.batch();
                (source, batch)
            });
            let Ok((read, next)) = read.await else {
                return Err(Gone);
            };
            source = read;
            batch = match next {
                Ok(next) => next,
                Err(error) => {
                    tracing::error!(%error, "a stored body broke off");
                    return self.end("decayed", Reply::Abort).await;
                }
            };
        }
        self.end("hit", Reply::End(None)).await
    }
}

/// A stored response that answers a lookup.
struct Hit {
    signed: SignedRecord,
    source: Option<(Source, Option<Batch>)>,
}

/// Bytes to send, and how many of them count.
type Batch = (Bytes, u64);

/// The encoded ranges of an answer, one after the other.
struct Source {
    reader: BodyReader,
    plans: std::vec::IntoIter<RangePlan>,
    parts: std::vec::IntoIter<Part>,
    /// What the visitor asked for of the range counts, not the proofs and the ends of groups round it.
    left: u64,
}

impl Source {
    fn new(reader: BodyReader, plans: Vec<RangePlan>) -> Self {
        Self {
            reader,
            plans: plans.into_iter(),
            parts: Vec::new().into_iter(),
            left: 0,
        }
    }

    /// The next bytes, all of one range; `None` after the last.
    fn batch(&mut self) -> Result<Option<Batch>, StoreError> {
        let mut bytes = BytesMut::new();
        if self.parts.as_slice().is_empty() {
            let Some(plan) = self.plans.next() else {
                return Ok(None);
            };
            let (range, parts) = (plan.range(), plan.parts().collect::<Vec<_>>());
            self.left = range.end - range.start;
            self.parts = parts.into_iter();
        }
        while bytes.len() < BATCH {
            let Some(part) = self.parts.next() else {
                break;
            };
            bytes.extend_from_slice(&self.reader.part(&part)?);
        }
        let share = self.left.min(bytes.len() as u64);
        self.left -= share;
        Ok((!bytes.is_empty()).then(|| (bytes.freeze(), share)))
    }
}

/// How long a fetch that is not for sharing stays so.
pub(crate) const MAX_PASS: Duration = Duration::from_secs(600);
