//! Fetches an origin for everybody: under a lease of the key's owner, or alone where no cache
//! answers.

use std::sync::Arc;
use std::time::Duration;

use http::{header, HeaderMap, Method, Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use selvedge_edge_core_http_cache::{
    fetch_fields, record_fields, CacheStatus, ErrorReuse, Failure as OriginFailure, Forwarded,
    Kept, ResponseHead, Reuse, Rule, StoreDecision, Stored, Times, Update,
};
use selvedge_edge_core_rules::Plan;
use selvedge_edge_core_verify::{sign_record, LeaseId, PublisherDigest, RecordHead};
use selvedge_edge_drivers_http::{empty, Patience};
use selvedge_edge_drivers_transport::{PeerAddress, SeedMessage, SeedStream, Want};
use selvedge_primitives_types::{DeviceId, Millis, Record, SignedRecord};

use crate::ask::{Asked, Hit, VERIFY_FIRST};
use crate::cut::Cut;
use crate::entry::Entry;
use crate::exchange::NO_CACHE;
use crate::failure::{Failure, Reason};
use crate::fields;
use crate::gateway::Shared;
use crate::gather::Gathering;
use crate::landing::Landing;
use crate::metrics::Source;
use crate::parts::may_choose;
use crate::published::Fetched;
use crate::pump::Pump;
use crate::question::Question;
use crate::seeder::Seeder;
use crate::served::Served;
use crate::slices::all_of;
use crate::tab::Tab;
use crate::upload::download;
use selvedge_edge_drivers_agent::clock;

/// How long a response that is not for sharing is taken to stay so.
const PASS: Duration = Duration::from_secs(60);
/// The same for a failing origin.
const PASS_FAILING: Duration = Duration::from_secs(1);

/// A lease of one cache.
pub struct Grant {
    /// Who granted it.
    pub cache: PeerAddress,
    /// Its number.
    pub lease: LeaseId,
    /// The stream to the cache; `None` when it cannot be reached any more. When it ends without a
    /// message, the cache grants the lease to whoever waits.
    pub seed: Option<SeedStream>,
}

/// The right and the duty to fetch a key for everybody.
pub struct Leased {
    /// The lease of the key's home, or of another owner where that does not help.
    pub grant: Grant,
    /// That of the owner in this gateway's region, where the home is elsewhere.
    pub regional: Option<Grant>,
    /// Those of this gateway who wait for it.
    pub gathering: Option<Gathering>,
}

impl Leased {
    /// The caches that granted a lease, the one that is credited first.
    fn caches(&self) -> Vec<PeerAddress> {
        let grants = std::iter::once(&self.grant).chain(&self.regional);
        grants.map(|grant| grant.cache.clone()).collect()
    }

    /// The cache that is credited.
    fn cache(&self) -> DeviceId {
        self.grant.cache.device
    }

    fn grants(&mut self) -> impl Iterator<Item = &mut Grant> {
        std::iter::once(&mut self.grant).chain(&mut self.regional)
    }
}

/// A stored response that is not fresh.
#[derive(Clone)]
pub struct StaleCopy {
    /// Its record.
    pub signed: SignedRecord,
    /// What the record says.
    pub stored: Stored,
    /// Its bytes, where they are in memory.
    pub entry: Option<Arc<Entry>>,
    /// Whether a purge that is not known here may be about it: it answers only when the origin says
    /// that it is still good.
    pub is_doubtful: bool,
}

impl Shared {
    /// Fetches a key's response, shares it if it may be, and answers with it.
    pub async fn fetch(
        self: &Arc<Self>,
        question: &Arc<Question>,
        mut leased: Option<Leased>,
        stale: Option<StaleCopy>,
        why: CacheStatus,
    ) -> Result<Served, Failure> {
        let requested = clock::now();
        let conditions = stale.as_ref().and_then(|stale| {
            let head = question.head();
            match self
                .options
                .policy
                .reuse_decision(&head, Some(&stale.stored), requested)
            {
                Reuse::Validate { conditions, .. } if !conditions.is_empty() => Some(conditions),
                // It answers meanwhile, and is validated now.
                Reuse::Stale { .. } => Some(stale.stored.conditions()),
                // No owner knows that it is here.
                Reuse::Fresh { .. } if leased.is_none() => Some(stale.stored.conditions()),
                _ => None,
            }
        });
        let conditions = conditions.filter(|conditions| !conditions.is_empty());
        let besides = conditions.clone().unwrap_or_default();
        let answer = self.send(question, Method::GET, &besides).await;
        let times = Times {
            requested,
            received: clock::now(),
        };
        let response = match answer {
            Ok(response) => response,
            Err(error) => {
                tell(leased.as_mut(), SeedMessage::Abort);
                let failure = Failure::because(Reason::from(&error), &error);
                let fallback = stale
                    .filter(|stale| self.may_stay(question, stale, OriginFailure::Unreachable));
                return match fallback {
                    Some(stale) => {
                        self.serve_stale(question, leased, stale, failure, why)
                            .await
                    }
                    None => Err(failure),
                };
            }
        };
        let status = response.status();
        let said = why.clone();
        let why = why.forwarded_status(status);
        if let Some(stale) = &stale {
            if status == StatusCode::NOT_MODIFIED && conditions.is_some() {
                return self
                    .validated(question, leased, stale.clone(), response, times, why)
                    .await;
            }
            if self.may_stay(question, stale, OriginFailure::Status(status)) {
                tell(leased.as_mut(), SeedMessage::Abort);
                let failure = Failure::because(Reason::OriginDown, status);
                return self
                    .serve_stale(question, leased, stale.clone(), failure, why)
                    .await;
            }
        }
        if status == StatusCode::NOT_MODIFIED && conditions.is_none() {
            // The visitor's own conditions were not sent on, so this speaks of nothing anybody has.
            tell(leased.as_mut(), SeedMessage::Abort);
            let cause = "304 without a condition";
            return Err(Failure::because(Reason::OriginBroken, cause));
        }
        let verdict = self.storable(question, &response, times);
        let name = question.pass_name();
        self.verdicts.note(name, &verdict, times.received);
        match verdict {
            Ok(kept) => {
                let cache = leased.as_ref().map_or(NO_CACHE, Leased::cache);
                let mut tab = Tab::for_origin(&self.meter, &question.scope.service, cache);
                match self.published(&Method::GET, response, &mut tab).await {
                    Ok(checked) => self.share(question, leased, checked, times, kept, why, tab),
                    Err(failure) => {
                        tell(leased.as_mut(), SeedMessage::Abort);
                        // Those who wait need not fetch it one after the other.
                        let (name, now) = (question.pass_name(), std::time::Instant::now());
                        self.passes.remember(name, now, PASS_FAILING);
                        let broken = OriginFailure::Status(StatusCode::BAD_GATEWAY);
                        match stale.filter(|stale| self.may_stay(question, stale, broken)) {
                            Some(stale) => {
                                self.serve_stale(question, leased, stale, failure, why)
                                    .await
                            }
                            None => Err(failure),
                        }
                    }
                }
            }
            Err(rule @ Rule::Authorization) => {
                // What is for this visitor says nothing of what others get.
                tell(leased.as_mut(), SeedMessage::Abort);
                self.pass(question, response, why.detail(rule))
            }
            Err(rule) => {
                let until = if status.is_server_error() {
                    PASS_FAILING
                } else {
                    PASS
                };
                let until = Millis(until.as_millis() as u64);
                tell(leased.as_mut(), SeedMessage::Pass { until });
                self.passes.remember(
                    question.pass_name(),
                    std::time::Instant::now(),
                    Duration::from_millis(until.0),
                );
                if rule == Rule::Limit && self.is_too_long(&response) {
                    self.note_long(question);
                    if self.is_part_of_long(question) {
                        // Not all of it for the sake of a part.
                        drop(response);
                        return self.fetch_part(question, said).await;
                    }
                }
                self.pass(question, response, why.detail(rule))
            }
        }
    }

    /// Sends a request for everybody to the origin, with these fields besides.
    pub async fn send(
        &self,
        question: &Question,
        method: Method,
        besides: &HeaderMap,
    ) -> Result<Response<Incoming>, selvedge_edge_drivers_http::OriginError> {
        let mut headers = fetch_fields(&question.headers);
        fields::to_origin(&mut headers, &question.exchange);
        for (name, value) in besides {
            headers.append(name, value.clone());
        }
        let request = |origin: &Uri| {
            let mut request = Request::new(empty());
            *request.method_mut() = method.clone();
            *request.uri_mut() = question.exchange.origin_url(origin);
            *request.headers_mut() = headers.clone();
            request
        };
        let patience = Patience {
            deadline: Some(question.exchange.deadline),
            progress: None,
        };
        let asked = std::time::Instant::now();
        let plan = question.exchange.rules.as_deref();
        let sent = match plan.and_then(Plan::origin) {
            Some(origin) => {
                self.send_by_rules(question, origin, request, &patience)
                    .await
            }
            None => {
                let request = request(&question.scope.origin);
                self.send_to_origin(&question.exchange, request, &patience)
                    .await
            }
        };
        question.exchange.waited.add(asked.elapsed());
        let mut response = sent?;
        if let Some(plan) = plan {
            plan.on_origin(response.status(), response.headers_mut());
        }
        Ok(response)
    }

    fn may_stay(&self, question: &Question, stale: &StaleCopy, failure: OriginFailure) -> bool {
        if stale.is_doubtful {
            return false;
        }
        let policy = &self.options.policy;
        let (head, stored, now) = (question.head(), &stale.stored, clock::now());
        let decision = policy.error_decision(&head, stored, failure, now);
        let is_failure = match failure {
            OriginFailure::Status(status) => status.is_server_error(),
            OriginFailure::Unreachable => true,
        };
        // RFC 5861 §3: what may answer while it is validated may do so when that fails. So may what is
        // fresh, and was only asked about because no owner knows that it is here.
        let reuse = || policy.reuse_decision(&head, Some(stored), now);
        matches!(decision, ErrorReuse::Stale { .. })
            || is_failure && matches!(reuse(), Reuse::Stale { .. } | Reuse::Fresh { .. })
    }

    /// What of a response is stored, or why nothing is.
    fn storable(
        &self,
        question: &Question,
        response: &Response<Incoming>,
        times: Times,
    ) -> Result<Kept, Rule> {
        let policy = &self.options.policy;
        let head = ResponseHead::from(response);
        let kept = match policy.store_decision(&question.head(), &head, times) {
            StoreDecision::Store(kept) => *kept,
            StoreDecision::Pass { rule } => return Err(rule),
        };
        may_choose(&kept)?;
        if self.is_too_long(response) {
            return Err(Rule::Limit);
        }
        Ok(kept)
    }

    fn is_too_long(&self, response: &Response<Incoming>) -> bool {
        length(response).is_some_and(|length| length > self.options.max_object_bytes)
    }

    /// Answers with a response that everybody may have, and hands it to the cache and to memory on
    /// the way.
    #[allow(clippy::too_many_arguments)]
    fn share(
        self: &Arc<Self>,
        question: &Arc<Question>,
        mut leased: Option<Leased>,
        (response, digest): (Response<Fetched>, Option<PublisherDigest>),
        times: Times,
        kept: Kept,
        why: CacheStatus,
        tab: Tab,
    ) -> Result<Served, Failure> {
        let Kept {
            headers,
            variant,
            own,
        } = kept;
        let version = response.version();
        let length = length(&response);
        let cache = leased.as_ref().map_or(NO_CACHE, Leased::cache);
        let head = RecordHead {
            lease: leased
                .as_ref()
                .map_or(LeaseId(0), |leased| leased.grant.lease),
            cache,
            service: question.scope.service.id,
            key: question.key.as_bytes().to_vec(),
            variant: variant.as_slice().to_vec(),
            status: response.status().as_u16(),
            fields: record_fields(&headers),
            generation: question.generation,
            requested: times.requested,
            received: times.received,
            gateway: self.identity.device(),
            stated_length: length,
        };
        let policy = &self.options.policy;
        let stored = Stored::new(
            response.status(),
            headers,
            variant,
            times,
            length.unwrap_or(0),
            policy,
        );
        let now = clock::now();
        let answer = match length {
            Some(_) => question.answer_in_passing(&stored, now),
            None => question.answer_unknown_length(&stored, now),
        };
        // A short body is soon in memory, and those who wait find it there.
        let is_short = length.is_some_and(|length| length <= VERIFY_FIRST);
        let gathering = leased.as_mut().and_then(|leased| leased.gathering.take());
        let gathering = gathering.filter(|_| is_short);
        // What is fresh is shared from its first byte on, and need not be waited for.
        let is_validated_next = stored.directives().no_cache || stored.time_to_live(now) <= 0;
        let mut seeders = Vec::new();
        let mut grants = leased.iter_mut().flat_map(Leased::grants).peekable();
        while let Some(grant) = grants.next() {
            // The last one is of the owner that this gateway asks next.
            let is_waited_for = is_validated_next && grants.peek().is_none();
            let Some(seed) = grant.seed.take() else {
                continue;
            };
            let (key, genesis) = (self.identity.key().clone(), *question.scope.world.genesis());
            let landing = is_waited_for.then(|| Landing::new(&self.landings, question.pass_name()));
            let head = RecordHead {
                lease: grant.lease,
                cache: grant.cache.device,
                ..head.clone()
            };
            seeders.push(Seeder::start(seed, head, key, genesis, landing));
        }
        let body = Pump::start(
            self.clone(),
            question.clone(),
            (response.into_body(), digest),
            head,
            length,
            &answer.body,
            (seeders, gathering),
            tab,
        );
        let served = Served::stored(answer, body, Source::Origin, cache).say(why.stored());
        let mut served = served.with_own(own);
        served.version = version;
        Ok(served)
    }

    /// Answers with a response that is for this visitor alone.
    fn pass(
        self: &Arc<Self>,
        question: &Arc<Question>,
        response: Response<Incoming>,
        why: CacheStatus,
    ) -> Result<Served, Failure> {
        let tab = Tab::for_origin(&self.meter, &question.scope.service, NO_CACHE);
        Ok(self.pass_through(response, tab, why))
    }

    /// An origin's response as it is.
    pub fn pass_through(
        self: &Arc<Self>,
        response: Response<Incoming>,
        mut tab: Tab,
        why: CacheStatus,
    ) -> Served {
        let (parts, body) = response.into_parts();
        let mut headers = parts.headers;
        selvedge_edge_core_http_cache::strip_hop_by_hop(&mut headers);
        let shared = self.clone();
        let body = download(body, self.options.body_timeout, move |bytes| {
            shared.metrics.origin.inc_by(bytes);
            tab.origin(bytes)
                .map_err(|_| "the service's allowance is used up")
        });
        Served {
            status: parts.status,
            headers,
            body,
            source: Source::Pass,
            cache: NO_CACHE,
            said: vec![why],
            version: parts.version,
        }
    }

    /// The origin said that what is stored is still good.
    async fn validated(
        self: &Arc<Self>,
        question: &Arc<Question>,
        mut leased: Option<Leased>,
        stale: StaleCopy,
        response: Response<Incoming>,
        times: Times,
        why: CacheStatus,
    ) -> Result<Served, Failure> {
        let policy = &self.options.policy;
        let update = policy.update_stored(
            &question.head(),
            &stale.stored,
            &ResponseHead::from(&response),
            times,
        );
        let Update::Stored { stored, own } = update else {
            // It is about something else, or no longer for sharing: ask again without conditions.
            return Box::pin(self.fetch(question, leased, None, why)).await;
        };
        let record = Record {
            fields: record_fields(stored.headers()),
            generation: question.generation.max(stale.signed.record.generation),
            requested: times.requested,
            received: times.received,
            gateway: self.identity.device(),
            ..stale.signed.record.clone()
        };
        let genesis = question.scope.world.genesis();
        let signed = sign_record(self.identity.key(), genesis, record)
            .map_err(|error| Failure::because(Reason::Internal, error))?;
        let refresh = SeedMessage::Refresh(signed.clone());
        for grant in leased.iter_mut().flat_map(Leased::grants) {
            // The cache must know before it is asked for the bytes.
            if let Some(seed) = grant.seed.take() {
                end_with(seed, &refresh).await;
            }
        }
        let caches = leased.as_ref().map(Leased::caches).unwrap_or_default();
        let Some(entry) = stale.entry else {
            // Validated a moment ago, so it may answer even where it must be validated each time.
            return match self.ask_for_stale(question, &caches).await {
                Some((cache, hit)) => {
                    let (answer, body) = (hit.answer, hit.body);
                    let served = Served::stored(answer, body, Source::Validated, cache);
                    Ok(served.with_own(own).say(why))
                }
                None => Box::pin(self.fetch(question, None, None, why)).await,
            };
        };
        let credited = caches.first().map_or(NO_CACHE, |cache| cache.device);
        let entry = Entry::new(signed, *stored, entry.body.clone(), credited);
        let entry = self.keep(question, entry);
        Ok(self
            .from_entry(question, &entry, Source::Validated)
            .with_own(own)
            .say(why))
    }

    /// Answers with what is stored, because the origin failed and the rules allow it.
    async fn serve_stale(
        self: &Arc<Self>,
        question: &Arc<Question>,
        leased: Option<Leased>,
        stale: StaleCopy,
        failure: Failure,
        why: CacheStatus,
    ) -> Result<Served, Failure> {
        if let Some(entry) = &stale.entry {
            return Ok(self.from_entry(question, entry, Source::Stale).say(why));
        }
        let caches = leased.as_ref().map(Leased::caches).unwrap_or_default();
        match self.ask_for_stale(question, &caches).await {
            Some((cache, hit)) => {
                Ok(Served::stored(hit.answer, hit.body, Source::Stale, cache).say(why))
            }
            None => Err(failure),
        }
    }

    /// What one of these caches has stored, fresh or not, and which.
    async fn ask_for_stale(
        self: &Arc<Self>,
        question: &Arc<Question>,
        caches: &[PeerAddress],
    ) -> Option<(DeviceId, Box<Hit>)> {
        for cache in caches {
            if let Ok(Asked::Hit(hit)) = self.ask(cache, question, Want::Stale, None).await {
                return Some((cache.device, hit));
            }
        }
        None
    }

    /// Answers from memory.
    pub fn from_entry(&self, question: &Question, entry: &Entry, source: Source) -> Served {
        let answer = question.answer(&entry.stored, clock::now());
        let body = all_of(Cut::new(&answer.body).of(&entry.body));
        Served::stored(answer, body, source, entry.cache)
    }
}

/// Sends the one message of a seed without a body, behind the visitor's back.
pub fn tell(leased: Option<&mut Leased>, message: SeedMessage) {
    for grant in leased.into_iter().flat_map(Leased::grants) {
        grant.tell(message.clone());
    }
}

impl Grant {
    /// Ends the lease with a message, behind the visitor's back.
    pub fn tell(&mut self, message: SeedMessage) {
        if let Some(seed) = self.seed.take() {
            tokio::spawn(async move { end_with(seed, &message).await });
        }
    }
}

/// Sends the one message of a seed without a body.
async fn end_with(seed: SeedStream, message: &SeedMessage) {
    // A cache that is gone needs no end.
    if seed.send(message).await.is_ok() {
        let _ = seed.finish().await;
    }
}

/// The length an origin states for its body.
pub fn length<B: http_body::Body>(response: &Response<B>) -> Option<u64> {
    let hint = response.body().size_hint().exact();
    let stated = response.headers().get(header::CONTENT_LENGTH);
    stated
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse().ok())
        .or(hint)
}

/// Why a request goes on to the origin, in the gateway's words.
pub fn why(forwarded: Forwarded) -> CacheStatus {
    CacheStatus::new("selvedge-gateway").forwarded(forwarded)
}
