//! A cacheable request, as it is looked up in memory, asked of caches and sent to the origin.

use std::time::{Duration, Instant};

use http::{header, HeaderMap, Method};
use rand::RngCore;
use selvedge_edge_core_http_cache::{
    answer, fetch_fields, Answer, Body, Boundary, CacheKey, Policy, RequestHead, Stored,
};
use selvedge_edge_core_verify::RecordHead;
use selvedge_edge_drivers_purge::Floors;
use selvedge_edge_drivers_transport::{LookupRequest, Want};
use selvedge_primitives_types::{Hash, Millis, Record, ServiceId};

use crate::exchange::{Exchange, Scope};
use crate::fields;
use crate::gateway::Shared;
use selvedge_edge_drivers_agent::clock;

/// How long a fetch of another gateway is waited for before it begins. Beyond it the next owner is
/// asked: the holder of the lease may be gone without a word.
const FOLLOW_TIMEOUT: Duration = Duration::from_secs(20);

/// A request that a cache may answer.
#[derive(Clone, Debug)]
pub struct Question {
    /// The exchange it belongs to.
    pub exchange: Exchange,
    /// Service and config.
    pub scope: Scope,
    /// The primary key.
    pub key: CacheKey,
    /// The visitor's fields.
    pub headers: HeaderMap,
    /// The generation of what is fetched for it.
    pub generation: u64,
    /// The generations below which records of the key were purged, as far as it is known.
    pub floors: Floors,
}

impl Question {
    /// The request as decisions see it.
    pub fn head(&self) -> RequestHead<'_> {
        RequestHead {
            method: &self.exchange.method,
            headers: &self.headers,
        }
    }

    /// Names service and key in short memories.
    pub fn pass_name(&self) -> [u8; 16] {
        name(self.scope.service.id, &self.key)
    }

    /// How long another gateway's fetch is waited for.
    pub fn patience(&self) -> Duration {
        self.exchange.left().min(FOLLOW_TIMEOUT)
    }

    /// What a cache is asked.
    pub fn lookup(&self, want: Want, have: Option<Hash>) -> LookupRequest {
        LookupRequest {
            service: self.scope.service.id,
            key: self.key.as_bytes().to_vec(),
            is_head: self.exchange.method == Method::HEAD,
            fields: fields::to_cache(&self.headers),
            generation: self.floors.hard,
            fresh_from: self.floors.soft,
            have,
            want,
            patience: Millis(self.patience().as_millis() as u64),
            waited: Millis(clock::now().0.saturating_sub(self.exchange.arrived.0)),
        }
    }

    /// The same request as if nobody in particular had sent it: for the whole, without conditions
    /// and without a word about how old it may be.
    pub fn for_everybody(&self) -> Self {
        let mut headers = fetch_fields(&self.headers);
        headers.remove(header::CACHE_CONTROL);
        headers.remove(header::PRAGMA);
        Self {
            exchange: Exchange {
                method: Method::GET,
                arrived: clock::now(),
                deadline: Instant::now() + (self.exchange.deadline - self.exchange.started),
                ..self.exchange.clone()
            },
            headers,
            ..self.clone()
        }
    }

    /// The answer from a response all of whose bytes, or at least their number, is known.
    pub fn answer(&self, stored: &Stored, now: Millis) -> Answer {
        answer(&self.head(), stored, now, boundary())
    }

    /// The answer from a response whose bytes pass by in their order.
    pub fn answer_in_passing(&self, stored: &Stored, now: Millis) -> Answer {
        let answer = self.answer(stored, now);
        match &answer.body {
            Body::Parts(parts) if !parts.are_ascending() => self.answer_whole(stored, now),
            _ => answer,
        }
    }

    /// The answer from a response whose length nobody knows yet: the whole, or no bytes at all.
    pub fn answer_unknown_length(&self, stored: &Stored, now: Millis) -> Answer {
        // Without the length there is no other way.
        let mut answer = self.answer_whole(stored, now);
        if answer.body != Body::None {
            answer.headers.remove(header::CONTENT_LENGTH);
            answer.body = Body::Bytes(0..u64::MAX);
        }
        answer
    }

    /// RFC 9110 §14.2: a server may ignore a range.
    fn answer_whole(&self, stored: &Stored, now: Millis) -> Answer {
        let mut headers = self.headers.clone();
        headers.remove(header::RANGE);
        let head = RequestHead {
            method: &self.exchange.method,
            headers: &headers,
        };
        answer(&head, stored, now, boundary())
    }
}

/// What stands between the parts of one answer.
pub fn boundary() -> Boundary {
    let mut random = [0; 16];
    rand::thread_rng().fill_bytes(&mut random);
    Boundary::new(random)
}

impl Shared {
    /// A request with these fields of its visitor's, and what the purges ask of its answer.
    pub fn question(
        &self,
        exchange: Exchange,
        scope: Scope,
        key: CacheKey,
        fields: &HeaderMap,
    ) -> Question {
        let service = scope.service.id;
        Question {
            headers: fields::of_everybody(fields),
            generation: self.purges.top(service),
            floors: self.purges.floors(service, key.as_bytes()),
            exchange,
            scope,
            key,
        }
    }
}

/// Names a service's key in short memories.
pub fn name(service: ServiceId, key: &CacheKey) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&service.0.to_le_bytes());
    hasher.update(key.as_bytes());
    let mut name = [0; 16];
    name.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    name
}

/// What a head under way says, read as if its body had this length.
pub fn stored_of_head(
    head: &RecordHead,
    length: u64,
    policy: &Policy,
) -> Result<Stored, &'static str> {
    let record: Record = head.clone().into_record([0; 32], length);
    Stored::from_record(&record, policy).map_err(|_| "fields")
}
