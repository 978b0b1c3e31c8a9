//! The way of a request: who is asked, in which order, and what the visitor gets.
//!
//! ```text
//! host -> service -> lease -> may it be shared? -no-> origin
//!                                   | yes
//!                                memory -> owner -> next owner -> origin alone
//! ```

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::request::Parts;
use http::{header, HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use selvedge_edge_core_http_cache::{
    invalidation, Answer, CacheKey, CacheStatus, Forwarded, Lookup, RequestHead, ResponseHead,
    Reuse, Rule,
};
use selvedge_edge_drivers_http::{
    empty, Body, ConnInfo, Handler, HitBody, HitHead, Patience, PlainRequest,
};
use selvedge_edge_drivers_purge::Verdict;
use selvedge_edge_drivers_transport::{PeerAddress, TransportError, Want};

use crate::ask::{AskError, Asked, Follow};
use crate::entry;
use crate::exchange::{Exchange, Scope, NO_CACHE};
use crate::failure::{Failure, Reason};
use crate::fetch::why;
use crate::fields;
use crate::gateway::Shared;
use crate::gather::{Gathering, Place};
use crate::home::Homed;
use crate::metrics::Source;
use crate::question::Question;
use crate::rules::{own_page, Planned};
use crate::served::Served;
use crate::tab::{Running, Tab};
use crate::upload::upload;
use selvedge_edge_drivers_agent::clock;

/// Caches asked for one request before the origin is.
pub(crate) const OWNERS: usize = 2;
/// Times a fetch that broke off is asked for again.
const TRIES: usize = 3;
/// How long a cache that was caught is not asked for the same key.
const DISTRUST: Duration = Duration::from_secs(60);
/// How long a cache that did not answer in time is not asked at all, and one that broke an answer
/// off not for the same key.
const REST: Duration = Duration::from_secs(3);

/// The handler of one listener.
pub struct Front {
    /// The gateway.
    pub shared: Arc<Shared>,
    /// Where to redirect plain HTTP to: the port of HTTPS.
    pub redirect: Option<u16>,
}

impl Handler for Front {
    const HAS_HITS: bool = true;

    fn hit(
        &self,
        request: &PlainRequest<'_>,
        connection: &ConnInfo,
        head: HitHead<'_>,
    ) -> Option<HitBody> {
        self.answer_hit(request, connection, head)
    }

    async fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
        connection: ConnInfo,
    ) -> Response<Body> {
        // RFC 9112 §6.1: where a length stood beside the coding, the connection must end, for a
        // proxy before us may have cut the request by the length. hyper drops that length unseen.
        let has_coding = request.headers().contains_key(header::TRANSFER_ENCODING);
        let mut response = self.respond(request, connection).await;
        if has_coding {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
        response
    }
}

impl Front {
    async fn respond(&self, request: Request<Incoming>, connection: ConnInfo) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let shared = &self.shared;
        let exchange = Exchange::new(&parts, connection, shared.options.answer_timeout);
        let running = Running::new(shared);
        if let Some(health) = parts.uri.path().strip_prefix("/.well-known/selvedge/") {
            let response = selvedge_edge_drivers_agent::health(&**shared, health);
            return shared.finish(exchange, response, Source::Own, None, None, running);
        }
        let answered = match self.redirect.filter(|_| !exchange.connection.is_tls) {
            Some(port) => shared
                .redirect(&exchange, port)
                .map(|response| (response, None)),
            None => shared.answer(&exchange, &parts, body).await,
        };
        match answered {
            Ok((response, Some((source, tab)))) => {
                shared.finish(exchange, response, source, None, Some(tab), running)
            }
            Ok((response, None)) => {
                shared.finish(exchange, response, Source::Own, None, None, running)
            }
            Err(failure) => {
                if let Some(cause) = &failure.cause {
                    let (id, host, reason) = (&exchange.id, &exchange.host, failure.reason.name());
                    tracing::info!(%id, %host, reason, cause, "not answered");
                }
                shared.metrics.failed(failure.reason);
                let mut response = failure.response(&parts.headers, &exchange.id);
                let own = HeaderValue::from_static(fields::NAME);
                fields::to_visitor(
                    response.headers_mut(),
                    &exchange,
                    HeaderValue::from_str(&fields::via(exchange.version)).unwrap_or(own),
                );
                if exchange.method == Method::HEAD {
                    *response.body_mut() = empty();
                }
                if failure.reason.ends_connection() {
                    let close = HeaderValue::from_static("close");
                    response.headers_mut().insert(header::CONNECTION, close);
                }
                {
                    let reason = Some(failure.reason);
                    shared.finish(exchange, response, Source::Own, reason, None, running)
                }
            }
        }
    }
}

/// An answer, and on whose account it goes.
type Answered = (Response<Body>, Option<(Source, Tab)>);

/// What came of waiting for those who ask for the same.
enum Gathered {
    /// Nothing, and others may wait for this one.
    First(Option<Gathering>),
    /// It is in memory.
    Held(Arc<entry::Entry>),
    /// It is not for sharing.
    Passing,
}

impl Shared {
    /// Sends a visitor of a known host to HTTPS.
    fn redirect(&self, exchange: &Exchange, port: u16) -> Result<Response<Body>, Failure> {
        let world = self.world().ok_or(Failure::new(Reason::NotReady))?;
        Scope::new(world, exchange)?;
        let port = if port == 443 {
            String::new()
        } else {
            format!(":{port}")
        };
        let target = format!("https://{}{port}{}", exchange.host, exchange.target);
        let target = HeaderValue::from_str(&target)
            .map_err(|error| Failure::because(Reason::BadRequest, error))?;
        let mut response = Response::new(empty());
        // 308 keeps the method, as 301 would not.
        *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
        response.headers_mut().insert(header::LOCATION, target);
        Ok(response)
    }

    async fn answer(
        self: &Arc<Self>,
        exchange: &Exchange,
        parts: &Parts,
        body: Incoming,
    ) -> Result<Answered, Failure> {
        let world = self.world().ok_or(Failure::new(Reason::NotReady))?;
        let scope = Scope::new(world, exchange)?;
        if let Some(reason) = scope.refusal(&exchange.method, &parts.headers) {
            return Err(Failure::new(reason));
        }
        match self.plan(exchange, &parts.headers, &scope)? {
            Planned::Free => {
                let asked = (exchange, &parts.headers);
                self.answer_as(asked, exchange, parts, body, &scope).await
            }
            Planned::Answered(answer) => self.answer_alone(exchange, &scope, *answer),
            Planned::Changed(ruled) => {
                let mut changed = parts.clone();
                changed.headers = ruled.headers;
                let (asked, own) = ((exchange, &parts.headers), &ruled.exchange);
                let answered = self.answer_as(asked, own, &changed, body, &ruled.scope);
                answered.await.map_err(|failure| own_page(own, failure))
            }
        }
    }

    /// Answers a request as `exchange` and `parts` say; its visitor's own is `asked`.
    async fn answer_as(
        self: &Arc<Self>,
        asked: (&Exchange, &HeaderMap),
        exchange: &Exchange,
        parts: &Parts,
        body: Incoming,
        scope: &Scope,
    ) -> Result<Answered, Failure> {
        let stated = parts
            .headers
            .get(header::CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok());
        let stated: Option<u64> = stated.and_then(|value| value.parse().ok());
        if stated.is_some_and(|length| length > self.options.max_request_bytes) {
            return Err(Failure::new(Reason::TooLong));
        }
        let mut tab = self.open_tab(scope)?;
        let served = match self.content(exchange, parts, body, scope).await {
            Ok(served) => self.finish_by_rules(asked, exchange, served).await,
            Err(failure) => Err(failure),
        };
        let served = match served {
            Ok(served) => served,
            Err(failure) => {
                if failure.reason == Reason::Internal {
                    tab.failed();
                }
                return Err(failure);
            }
        };
        tab.credit(served.cache);
        let length = http_body::Body::size_hint(&served.body).exact();
        tab.answered(length, exchange.started.elapsed())
            .map_err(|denied| self.denied(scope, denied))?;
        let source = served.source;
        Ok((served.into_response(exchange), Some((source, tab))))
    }

    async fn content(
        self: &Arc<Self>,
        exchange: &Exchange,
        parts: &Parts,
        body: Incoming,
        scope: &Scope,
    ) -> Result<Served, Failure> {
        if let Some(site) = scope.service.site {
            return self
                .answer_site(exchange, &parts.headers, scope, site)
                .await;
        }
        let head = RequestHead::from(parts);
        let limit = self.options.policy.limits.key_bytes;
        let own = exchange.rules.as_ref().and_then(|plan| plan.key.as_deref());
        let target = own.unwrap_or(&exchange.target);
        let key = CacheKey::new(exchange.scheme(), &exchange.host, target, limit);
        let key = key.map_err(|error| Failure::because(Reason::BadRequest, error))?;
        let lookup = match &exchange.rules {
            Some(plan) if plan.store.is_off || plan.is_overlong => Lookup::Forward {
                rule: Rule::RulesOff,
            },
            _ => self.options.policy.lookup_decision(&head),
        };
        match lookup {
            Lookup::Forward { rule } => {
                self.forward(exchange, parts, body, scope, &key, rule).await
            }
            Lookup::Cache => {
                let (exchange, scope) = (exchange.clone(), scope.clone());
                let question = self.question(exchange, scope, key, &parts.headers);
                self.look_up(&Arc::new(question), parts, body).await
            }
        }
    }

    async fn look_up(
        self: &Arc<Self>,
        question: &Arc<Question>,
        parts: &Parts,
        body: Incoming,
    ) -> Result<Served, Failure> {
        let head = question.head();
        let now = clock::now();
        let service = question.scope.service.id;
        let key = question.key.as_bytes();
        let is_left = |entry: &entry::Entry| {
            entry.site.is_none() && !matches!(self.verdict(service, entry), Verdict::Gone { .. })
        };
        let entry = entry::find(&self.memory, service, key, &head, is_left);
        let verdict = entry.as_ref().map(|entry| self.verdict(service, entry));
        let since = verdict.and_then(|verdict| verdict.stale_since());
        let outdated = entry.as_ref().zip(since);
        let outdated = outdated.map(|(entry, since)| entry.stored.clone().stale_since(since));
        let stored = outdated
            .as_ref()
            .or(entry.as_ref().map(|entry| &entry.stored));
        let reuse = self.options.policy.reuse_decision(&head, stored, now);
        let is_doubtful = verdict == Some(Verdict::Doubtful) || self.purges.is_silent(service);
        let only_if_cached = matches!(reuse, Reuse::GatewayTimeout { .. });
        let is_passing = self.passes.holds(&question.pass_name(), Instant::now());
        let is_usable = match reuse {
            _ if is_doubtful => false,
            Reuse::Fresh { .. } | Reuse::Stale { refresh: false, .. } => true,
            // The origin's newest word may be that it is no longer for sharing.
            Reuse::Stale { refresh: true, .. } => !is_passing,
            _ => false,
        };
        let is_usable = is_usable && entry.as_ref().is_some_and(|entry| self.is_held(entry, now));
        if let Some(entry) = entry.as_ref().filter(|_| is_usable) {
            if matches!(reuse, Reuse::Stale { refresh: true, .. }) {
                self.refresh_later(question, entry.clone());
            }
            let said = CacheStatus::new("selvedge-gateway")
                .decided(&reuse)
                .time_to_live(entry.stored.time_to_live(now));
            return Ok(self.from_entry(question, entry, Source::Memory).say(said));
        }
        if let Some(served) = self.from_parts(question) {
            return Ok(served);
        }
        let said = CacheStatus::new("selvedge-gateway").decided(&reuse);
        if self.is_part_of_long(question) && !only_if_cached {
            return self.fetch_part(question, said).await;
        }
        if is_passing && !only_if_cached {
            return self.pass_by(question, parts, body).await;
        }
        let is_head = question.exchange.method == Method::HEAD;
        let want = if is_head || only_if_cached {
            Want::Stored
        } else {
            Want::Share
        };
        if is_doubtful && !only_if_cached && !is_head {
            // Only the origin knows what is still good.
            let stale = self.stale_copy(None, entry);
            return self.fetch(question, None, stale, said).await;
        }
        if entry.is_none() {
            self.landings.wait(&question.pass_name()).await;
        }
        let gathering = match self.gather(question, want).await {
            Gathered::First(gathering) => gathering,
            Gathered::Held(entry) => {
                let served = self.from_entry(question, &entry, Source::Memory);
                return Ok(served.say(said.collapsed()));
            }
            Gathered::Passing => return self.pass_by(question, parts, body).await,
        };
        let owners = question.scope.world.owners(service, key, OWNERS);
        for (place, cache) in owners.iter().enumerate() {
            if self.rests(cache, question, Instant::now()) {
                continue;
            }
            let next = owners.get(place + 1);
            let next = next.filter(|next| !self.rests(next, question, Instant::now()));
            let (cache, asked) = self
                .ask_owner(cache, next, question, want, entry.as_ref())
                .await;
            match asked {
                Ok(Asked::Hit(hit)) => {
                    let left = hit.stored.time_to_live(now);
                    return Ok(from_cache(&cache, hit.answer, hit.body, left).say(said));
                }
                Ok(Asked::Follow(follow)) => return Ok(from_flight(&cache, follow).say(said)),
                Ok(Asked::Lease { lease, stale }) => {
                    let grant = self.grant(cache, lease).await;
                    let stale = self.stale_copy(stale, entry);
                    if let Some(copy) = &stale {
                        let served = self.stale_meanwhile(question, &grant.cache, copy).await;
                        if let Some(served) = served {
                            self.fetch_later(question, grant, stale);
                            return Ok(served.say(said));
                        }
                    }
                    match self.ask_home(question, grant, stale).await {
                        Homed::Fetch(fetch) => {
                            let (mut leased, stale) = *fetch;
                            leased.gathering = gathering;
                            return self.fetch(question, Some(leased), stale, said).await;
                        }
                        Homed::Answered(served) => return Ok(served.say(said)),
                        Homed::Pass(time) => {
                            self.pass_for(question, time);
                            return self.pass_by(question, parts, body).await;
                        }
                    }
                }
                Ok(Asked::Pass(time)) => {
                    self.pass_for(question, time);
                    return self.pass_by(question, parts, body).await;
                }
                Ok(Asked::Nothing) => break,
                Err(error) => self.blame(&cache, question, &error),
            }
        }
        if only_if_cached {
            return Err(Failure::new(Reason::NotStored));
        }
        if is_head {
            return self.fetch_head(question, entry).await;
        }
        let stale = self.stale_copy(None, entry);
        self.fetch(question, None, stale, said).await
    }

    /// Remembers that a key is not for sharing, for so long.
    pub(crate) fn pass_for(&self, question: &Question, time: Duration) {
        self.passes
            .remember(question.pass_name(), Instant::now(), time);
    }

    /// Forwards a request for what is not for sharing.
    async fn pass_by(
        self: &Arc<Self>,
        question: &Question,
        parts: &Parts,
        body: Incoming,
    ) -> Result<Served, Failure> {
        let (exchange, scope) = (&question.exchange, &question.scope);
        let rule = Rule::NotCacheable;
        let served = self
            .forward(exchange, parts, body, scope, &question.key, rule)
            .await?;
        self.note_length(question, &served);
        self.note_verdict(question, &served);
        Ok(served)
    }

    /// Waits for those of this gateway who ask for the same already.
    async fn gather(self: &Arc<Self>, question: &Question, want: Want) -> Gathered {
        let has_credentials = question.headers.contains_key(header::AUTHORIZATION);
        if want != Want::Share || has_credentials || !self.fits_memory(1) {
            return Gathered::First(None);
        }
        let mut over = match self.gatherings.join(question.pass_name()) {
            Place::First(gathering) => return Gathered::First(Some(gathering)),
            Place::Later(over) => over,
        };
        let _ = tokio::time::timeout(question.patience(), over.changed()).await;
        if self.passes.holds(&question.pass_name(), Instant::now()) {
            return Gathered::Passing;
        }
        match self.held(question) {
            Some(entry) => Gathered::Held(entry),
            // It asks for itself, and keeps nobody waiting: or they would all come one by one.
            None => Gathered::First(None),
        }
    }

    /// What came into memory since the visitor asked, or is fresh.
    pub(crate) fn held(&self, question: &Question) -> Option<Arc<entry::Entry>> {
        let (service, head) = (question.scope.service.id, question.head());
        let key = question.key.as_bytes();
        let is_current = |entry: &entry::Entry| {
            entry.site.is_none() && matches!(self.verdict(service, entry), Verdict::Current)
        };
        let entry = entry::find(&self.memory, service, key, &head, is_current)?;
        if self.purges.is_silent(service) {
            return None;
        }
        let policy = &self.options.policy;
        let is_usable = match policy.reuse_decision(&head, Some(&entry.stored), clock::now()) {
            Reuse::Fresh { .. } => true,
            // Validated for those who ask at once.
            Reuse::Validate { .. } => entry.stored.times().received >= question.exchange.arrived,
            _ => false,
        };
        (is_usable && self.is_held(&entry, clock::now())).then_some(entry)
    }

    /// Whether a cache is not to be asked for a while, at all or for this key.
    pub fn rests(&self, cache: &PeerAddress, question: &Question, now: Instant) -> bool {
        let place = (cache.device, question.pass_name());
        self.resting.holds(&cache.device, now)
            || self.distrust.holds(&place, now)
            || self.choices.is_ejected(&cache.device)
    }

    /// Asks an owner, again when the fetch it followed breaks off before it began. Says who
    /// answered: the next owner may, when the first is late.
    pub async fn ask_owner(
        self: &Arc<Self>,
        cache: &PeerAddress,
        next: Option<&PeerAddress>,
        question: &Arc<Question>,
        want: Want,
        have: Option<&Arc<entry::Entry>>,
    ) -> (PeerAddress, Result<Asked, AskError>) {
        let mut tries = 1;
        let mut question = question.clone();
        loop {
            let (cache, asked) = self.ask_either(cache, next, &question, want, have).await;
            let is_left = tries < TRIES && !question.exchange.left().is_zero();
            match asked {
                Err(AskError::Aborted) if is_left => tries += 1,
                Err(AskError::Purged(floors)) if is_left => {
                    tries += 1;
                    question = Arc::new(Question {
                        floors,
                        ..(*question).clone()
                    });
                }
                asked => return (cache, asked),
            }
        }
    }

    /// Notes that a cache broke an answer off that had begun: whatever the reason, the visitor's next
    /// try must not end the same way.
    pub fn broke_off(&self, cache: &PeerAddress, question: &Question, error: &AskError) {
        let place = (cache.device, question.pass_name());
        self.distrust.remember(place, Instant::now(), REST);
        self.blame(cache, question, error);
    }

    /// Notes what a cache did. One that lied is not asked for the same key for a while.
    pub fn blame(&self, cache: &PeerAddress, question: &Question, error: &AskError) {
        let (device, id) = (cache.device, &question.exchange.id);
        match error {
            AskError::Fault(fault) => {
                tracing::warn!(cache = %device, fault, %id, "a cache is not believed");
                self.metrics.fault(&cache.device, fault);
                self.choices.fault(device);
                let place = (cache.device, question.pass_name());
                self.distrust.remember(place, Instant::now(), DISTRUST);
            }
            error => {
                if matches!(error, AskError::Transport(TransportError::TooSlow { .. })) {
                    self.resting.remember(cache.device, Instant::now(), REST);
                }
                tracing::debug!(cache = %device, %error, %id, "a cache did not help");
            }
        }
    }

    /// Sends a request to the origin as it is, past all caches.
    async fn forward(
        self: &Arc<Self>,
        exchange: &Exchange,
        parts: &Parts,
        body: Incoming,
        scope: &Scope,
        key: &CacheKey,
        rule: Rule,
    ) -> Result<Served, Failure> {
        let mut headers = parts.headers.clone();
        fields::to_origin(&mut headers, exchange);
        let options = &self.options;
        let upload = upload(body, options.max_request_bytes, options.body_timeout);
        let has_body = !http_body::Body::is_end_stream(&upload.body);
        let patience = Patience {
            // A body takes the time that it takes, as long as it goes on.
            deadline: (!has_body).then_some(exchange.deadline),
            progress: has_body.then_some(upload.progress),
        };
        let mut request = Request::new(upload.body);
        *request.method_mut() = exchange.method.clone();
        *request.uri_mut() = exchange.origin_url(&scope.origin);
        *request.headers_mut() = headers;
        let asked = Instant::now();
        let sent = self.send_to_origin(exchange, request, &patience).await;
        exchange.waited.add(asked.elapsed());
        let mut response = sent.map_err(|error| {
            let reason = upload.fault.reason().unwrap_or(Reason::from(&error));
            Failure::because(reason, error)
        })?;
        if let Some(plan) = &exchange.rules {
            plan.on_origin(response.status(), response.headers_mut());
        }
        let head = ResponseHead::from(&response);
        if let Some(gone) = invalidation(&RequestHead::from(parts), key, &head) {
            self.invalidate(scope, gone.keys).await;
        }
        let said = why(Forwarded::from(rule))
            .forwarded_status(response.status())
            .detail(rule);
        let tab = Tab::for_origin(&self.meter, &scope.service, NO_CACHE);
        Ok(self.pass_through(response, tab, said))
    }
}

/// What a cache has stored, fresh for so many milliseconds more.
pub(crate) fn from_cache(cache: &PeerAddress, answer: Answer, body: Body, left: i64) -> Served {
    let said = CacheStatus::new("selvedge-cache").hit().time_to_live(left);
    Served::stored(answer, body, Source::Cache, cache.device).say(said)
}

/// What another gateway fetches, by way of a cache.
pub(crate) fn from_flight(cache: &PeerAddress, follow: Follow) -> Served {
    let said = CacheStatus::new("selvedge-cache")
        .forwarded(Forwarded::UriMiss)
        .collapsed();
    Served::stored(follow.answer, follow.body, Source::Shared, cache.device).say(said)
}
