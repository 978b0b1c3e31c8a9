//! A cache: owns objects, keeps them on disk, leases origin fetches and relays what is fetched.
//!
//! It decides nothing about caching itself: freshness and ranges are decided by `core/http-cache`,
//! placement by whoever asks, and what it says is never believed by anybody. It does not meter
//! visitors; it bounds what it supplies without a voucher, keeps vouchers, and signs the leaves
//! that keep what they promised.
//!
//! ```text
//! lookup ── fresh record ──> Hit, bytes with their proofs from the store
//!        ── fetch under way ──> Follow, its frames as they arrive
//!        ── nothing ──> Lease: the asking gateway fetches, and seeds
//! ```
//!
//! Invariants
//! 1. Of one key and one choice of request fields there is at most one lease at a time.
//! 2. A lease whose holder is gone ends at once, and the next who waits gets one.
//! 3. A gateway is supplied on credit up to a limit.
//! 4. Content that a pin covers is never evicted (`content`).

#![warn(missing_docs)]

mod asked;
mod cache;
mod content;
mod control;
mod flight;
mod lookup;
mod metrics;
mod operated;
mod options;
mod passes;
mod purging;
mod seed;
mod service;
mod world;

pub use cache::{Cache, CacheError};
pub use options::{CacheOptions, ContentOptions};
