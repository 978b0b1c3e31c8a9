//! Decision: says whether a response may be stored, and whether a stored one may answer a request
//! (RFC 9110, 9111, 5861, 9213).
//!
//! Holds no bytes, opens no socket and reads no clock: the caller passes heads and moments and
//! obeys what comes back. Every decision carries the [`Rule`] it follows, for logs, metrics and
//! `Cache-Status`.
//!
//! One request of a shared cache, in the order of the calls:
//!
//! | Step | Call | Then |
//! |---|---|---|
//! | may a cache be asked at all? | [`Policy::lookup_decision`] | [`Lookup::Forward`]: send it on, store nothing |
//! | what is it called? | [`CacheKey::new`] | look it up, choose with [`select`] |
//! | may the stored response answer? | [`Policy::reuse_decision`] | answer, validate or fetch |
//! | what does the client get? | [`answer`] | status, fields and the bytes to send (ranges, 304, HEAD) |
//! | what is sent to the origin? | [`fetch_fields`], [`Validate::conditions`](Reuse::Validate) | |
//! | may the answer be stored? | [`Policy::store_decision`] | store the fields it gives; some are for this client alone |
//! | a 206 came back | [`Policy::part_decision`], [`Partial`] | keep the part; [`Policy::partial_decision`] answers with what is held |
//! | a 304 came back | [`Policy::update_stored`] | store and answer with what it gives |
//! | HEAD was answered | [`Policy::update_by_head`] | store what it gives, or forget what is stored |
//! | the origin failed | [`Policy::error_decision`] | a stale answer, or the failure |
//! | an unsafe method succeeded | [`invalidation`] | forget these keys |
//!
//! Invariants
//! 1. A response marked `private` or `no-store` is never stored.
//! 2. A stored response answers only requests whose fields match its `Vary`.
//! 3. `must-revalidate`, `proxy-revalidate` and `no-cache` are never answered stale, even offline.
//! 4. Bytes of two representations are never one answer.
//! 5. No input makes it panic, and no input makes it keep more than [`Limits`] says.

#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

mod answer;
pub mod conditional;
mod directives;
pub mod fields;
mod freshness;
mod invalidate;
mod key;
mod lookup;
mod multipart;
mod partial;
mod policy;
pub mod range;
mod reuse;
mod rule;
mod status;
mod store;
mod stored;
mod targeted;
mod validate;
mod variant;

pub use answer::{answer, Answer, Body};
pub use directives::{withheld, MaxStale, RequestDirectives, ResponseDirectives, Seconds};
pub use fields::{date_value, strip_hop_by_hop};
pub use freshness::{Heuristic, Source, Times};
pub use invalidate::{invalidation, Invalidation};
pub use key::{CacheKey, KeyError};
pub use lookup::Lookup;
pub use multipart::{Boundary, Parts};
pub use partial::{KeptPart, PartDecision, Partial, PartialReuse, MAX_PARTS};
pub use policy::{Limits, Policy, RequestHead, ResponseHead};
pub use reuse::{select, ErrorReuse, Failure, Reuse};
pub use rule::Rule;
pub use status::{CacheStatus, Forwarded};
pub use store::{Kept, StoreDecision};
pub use stored::{record_fields, FieldError, Stored};
pub use validate::{fetch_fields, HeadUpdate, Update};
pub use variant::Variant;
