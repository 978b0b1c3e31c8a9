//! The answer to a plain request for what is in memory and fresh, in one step.
//!
//! It is the answer that [`crate::serve`] gives, from the same rules, on the same account, with the
//! same line in the access log. Where it is not sure of that, it gives none.

use std::cell::OnceCell;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{header, HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use selvedge_edge_core_http_cache::{
    answer, date_value, Boundary, CacheKey, CacheStatus, RequestHead, Reuse, Stored,
};
use selvedge_edge_drivers_agent::clock;
use selvedge_edge_drivers_http::{ConnInfo, HitBody, HitHead, PlainRequest};
use selvedge_edge_drivers_purge::Verdict;
use selvedge_primitives_types::agent::ServiceState;
use selvedge_primitives_types::{Millis, Quality, Usage, UsageClass};

use crate::access_log::Line;
use crate::entry::Entry;
use crate::exchange::{is_request_id, new_request_id, scheme_of};
use crate::fields;
use crate::gateway::Shared;
use crate::live::Live;
use crate::metered::{Base, MeteredBody};
use crate::metrics::Source;
use crate::serve::Front;
use crate::slices::{large_slices, slices, PIECE};
use crate::tab::{Running, Sent, Tab};
use crate::target::{host_of, may_leave};
use crate::timing::{self, Waited};
use crate::world::Service;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// [`fields::via`] of what is stored.
const VIA: &str = "1.1 selvedge";

/// The head of a stored response without the lines that are new each time.
#[derive(Debug)]
pub struct ReadyHead {
    text: Vec<u8>,
    has_date: bool,
}

impl ReadyHead {
    /// Octets of the lines that are the same for all responses, at most.
    pub const OWN_LINES: usize = 128;

    fn new(stored: &Stored, now: Millis) -> Self {
        let headers = plain_fields(stored, now);
        let mut text = b"HTTP/1.1 200 OK\r\n".to_vec();
        for (name, value) in &headers {
            if *name != header::AGE && *name != REQUEST_ID {
                for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                    text.extend_from_slice(part);
                }
            }
        }
        text.extend_from_slice(b"via: ");
        text.extend_from_slice(VIA.as_bytes());
        text.extend_from_slice(b"\r\n");
        text.shrink_to_fit();
        Self {
            text,
            has_date: headers.contains_key(header::DATE),
        }
    }

    /// Writes the whole head for HTTP/1.1.
    fn write(
        &self,
        head: &mut Vec<u8>,
        stored: &Stored,
        (id, now): (&str, Millis),
        told: Option<Duration>,
    ) {
        head.extend_from_slice(&self.text);
        let age = stored.age(now).0 / 1_000;
        let left = stored.time_to_live(now).div_euclid(1_000);
        // Writing into memory does not fail.
        let _ = write!(
            head,
            "age: {age}\r\ncache-status: \"selvedge-gateway\"; hit; ttl={left}\r\n\
             x-request-id: {id}\r\n"
        );
        if let Some(date) = date_value(now).filter(|_| !self.has_date) {
            head.extend_from_slice(b"date: ");
            head.extend_from_slice(date.as_bytes());
            head.extend_from_slice(b"\r\n");
        }
        if let Some(time) = told {
            timing::of_hit(head, time);
        }
        head.extend_from_slice(b"\r\n");
    }
}

/// What a plain request gets of a stored response's fields, with its age.
fn plain_fields(stored: &Stored, now: Millis) -> HeaderMap {
    let none = HeaderMap::new();
    let request = RequestHead {
        method: &Method::GET,
        headers: &none,
    };
    let mut headers = answer(&request, stored, now, Boundary::default()).headers;
    fields::untag(&mut headers);
    headers
}

/// The same head for HTTP/2.
fn write_fields(fields: &mut HeaderMap, stored: &Stored, id: &str, now: Millis) {
    *fields = plain_fields(stored, now);
    CacheStatus::new("selvedge-gateway")
        .hit()
        .time_to_live(stored.time_to_live(now))
        .append_to(fields);
    fields.append(header::VIA, HeaderValue::from_static(VIA));
    fields::identify(fields, id);
}

impl Front {
    /// Answers a plain request from memory; `None` when there is anything to think about.
    pub(crate) fn answer_hit(
        &self,
        request: &PlainRequest<'_>,
        connection: &ConnInfo,
        mut head: HitHead<'_>,
    ) -> Option<HitBody> {
        let (started, now) = (Instant::now(), clock::now());
        let shared = &self.shared;
        let is_own = request.target.starts_with("/.well-known/selvedge/");
        if self.redirect.is_some() || is_own || shared.is_busy() {
            return None;
        }
        let world = shared.world()?;
        let host = host_of(request.host)?;
        let service = world.service(&host)?;
        let leaves = match (&service.site, &service.origin) {
            (Some(_), _) => false,
            (None, Some(origin)) => may_leave(origin, request.target),
            (None, None) => true,
        };
        // Rules look at fields that a plain request need not have been read for (ADR 026).
        let is_ruled = service.rules.is_some() && !shared.rules.spare_hits(service.id);
        if service.state != ServiceState::Active || leaves || is_ruled {
            return None;
        }
        let scheme = scheme_of(connection);
        let entry = shared.fresh(service, request, (scheme, &host), now)?;
        let new_id;
        let id = match request.request_id.filter(|id| is_request_id(id)) {
            Some(id) => id,
            None => {
                new_id = new_request_id();
                std::str::from_utf8(&new_id).ok()?
            }
        };
        let length = if request.is_head { 0 } else { entry.body.len() };
        let is_told = shared.options.server_timing.covers(Source::Memory);
        match &mut head {
            HitHead::Text(text) => {
                let ready = entry
                    .ready
                    .get_or_init(|| ReadyHead::new(&entry.stored, now));
                let told = is_told.then(|| started.elapsed());
                ready.write(text, &entry.stored, (id, now), told);
            }
            HitHead::Fields(fields) => {
                write_fields(fields, &entry.stored, id, now);
                if is_told {
                    let waited = Waited::default();
                    timing::tell(fields, Source::Memory, started.elapsed(), &waited);
                }
            }
        }
        let line = Line {
            time_ms: now.0,
            request_id: id,
            peer: connection.peer.ip(),
            service: Some(service.id.0),
            host: &*host,
            method: request.method().as_str(),
            scheme,
            target: request.target,
            status: StatusCode::OK.as_u16(),
            source: Source::Memory.name(),
            reason: None,
            bytes: length as u64,
            complete: true,
            ttfb_us: 0,
            total_us: 0,
        };
        let live = service.live(&shared.analytics);
        // As many octets count as arrived when they are handed over last (`metered`).
        let body = if length <= PIECE {
            shared.count_hit(service, &entry, length as u64, started, now)?;
            if let Some(live) = live {
                live.sent(Source::Memory, length as u64);
            }
            shared.log_hit(line, live.map(|live| &**live), started);
            match length {
                0 => HitBody::Empty,
                _ => HitBody::Whole(entry.body.clone()),
            }
        } else {
            let tab = shared.open_hit(service, &entry, length as u64, started)?;
            let base = match &head {
                HitHead::Text(text) => {
                    Some(Base::after_head(&connection.progress, text.len() as u64))
                }
                HitHead::Fields(_) => None,
            };
            HitBody::Counted(shared.follow_hit(base, &entry, tab, live, line, started))
        };
        let elapsed = started.elapsed();
        shared.metrics.hit(elapsed.as_secs_f64());
        if let Some(live) = live {
            live.answered(Source::Memory, StatusCode::OK.as_u16(), elapsed);
        }
        Some(body)
    }
}

impl Shared {
    /// The stored response that answers best, if it is a whole one and fresh.
    fn fresh(
        &self,
        service: &Service,
        request: &PlainRequest<'_>,
        (scheme, host): (&'static str, &str),
        now: Millis,
    ) -> Option<Arc<Entry>> {
        let policy = &self.options.policy;
        let limit = policy.limits.key_bytes;
        let key = CacheKey::new(scheme, host, request.target, limit).ok()?;
        // The fields that a plain request may have choose a variant and nothing else.
        let all = OnceCell::new();
        let fields = || all.get_or_init(|| fields::of_everybody(&request.headers()));
        let none = HeaderMap::new();
        let is_fresh = |entry: &Entry| {
            let stored = &entry.stored;
            let has_variants = !stored.variant().as_slice().is_empty();
            let head = RequestHead {
                method: request.method(),
                headers: if has_variants { fields() } else { &none },
            };
            stored.status() == StatusCode::OK
                && entry.body.len() as u64 == stored.length()
                && (entry.site.is_some()
                    || matches!(
                        policy.reuse_decision(&head, Some(stored), now),
                        Reuse::Fresh { .. }
                    ))
        };
        let is_current = |entry: &Entry| self.verdict(service.id, entry) == Verdict::Current;
        // What was found below another root is another site's.
        let site = service.site.map(|site| site.content.root);
        let is_left = |entry: &Entry| entry.site == site && is_current(entry);
        let rank = |entry: &Entry| entry.rank(|| is_left(entry), fields);
        let entry = self
            .memory
            .best(service.id, key.as_bytes(), rank, is_fresh)?;
        self.is_held(&entry, now).then_some(entry)
    }

    /// Counts a response that is handed over at once. `None` when its service's lease does not
    /// cover it: then it is denied in the ordinary way.
    fn count_hit(
        &self,
        service: &Service,
        entry: &Entry,
        octets: u64,
        started: Instant,
        now: Millis,
    ) -> Option<()> {
        let usage = Usage::ZERO
            .with(UsageClass::Requests, 1)
            .with(UsageClass::EgressBytes, octets);
        let quality = Quality {
            answered: 1,
            failed: 0,
            ttfb_micros: started.elapsed().as_micros() as u64,
        };
        self.meter
            .count_whole(service.id, entry.cache, &usage, quality, now)
            .ok()?;
        self.metrics.egress.inc_by(octets);
        Some(())
    }

    fn log_hit(&self, mut line: Line<&str>, live: Option<&Live>, started: Instant) {
        let elapsed = started.elapsed().as_micros() as u64;
        (line.ttfb_us, line.total_us) = (elapsed, elapsed);
        self.write_line(&line, live);
    }

    /// Opens the account of a response that is handed over in pieces.
    fn open_hit(
        &self,
        service: &Service,
        entry: &Entry,
        octets: u64,
        started: Instant,
    ) -> Option<Tab> {
        let mut tab = Tab::open(&self.meter, service).ok()?;
        tab.credit(entry.cache);
        tab.answered(Some(octets), started.elapsed()).ok()?;
        Some(tab)
    }

    fn follow_hit(
        self: &Arc<Self>,
        base: Option<Base>,
        entry: &Entry,
        tab: Tab,
        live: Option<&Arc<Live>>,
        line: Line<&str>,
        started: Instant,
    ) -> selvedge_edge_drivers_http::Body {
        let mut line = line.into_owned();
        line.bytes = 0;
        line.complete = false;
        line.ttfb_us = started.elapsed().as_micros() as u64;
        let sent = Sent {
            shared: self.clone(),
            line: Some(line),
            started,
            tab: Some(tab),
            live: live.map(|live| (live.clone(), Source::Memory)),
            _running: Running::new(self),
        };
        let body = match base {
            Some(_) => large_slices(entry.body.clone()),
            None => slices(entry.body.clone()),
        };
        let body = MeteredBody::new(body, base, sent);
        http_body_util::BodyExt::boxed_unsync(body)
    }
}
