//! Machine: keeps as many copies of pinned content as were promised, and makes those that are
//! missing without a storm.
//!
//! Opens no connection, reads no clock and draws no random number: the caller says what came and
//! when, and drains what must be done with `poll_output` until it is `Timeout`.
//!
//! - [`Steward`]: what the steward gateway of some services does. It asks caches what they hold, orders the copies
//!   that are missing, and names who lies.
//! - [`Copier`]: what a cache does that was ordered to fetch copies from other caches.
//! - [`Placement`]: where copies belong, as the chain's nodes say; [`Ranked`] is one.
//!
//! ```text
//! steward ── Ask: which of these? ──> caches                 every few seconds
//!    |    <─ Have ──────────────────   '
//!    '────── Copy: from one of those ──> an owner that lacks it ── Fetch 1 MiB ──> a holder
//! ```
//!
//! Which copies are missing is a function of the chain's nodes and of what caches say, so that two stewards that overlap
//! order the same ones, and an owner that is told twice fetches once.
//!
//! Invariants
//! 1. A copy is ordered only of what a cache has said that it lacks, and only when others hold it.
//! 2. What begins in a time of `w` seconds is at most `rate · w` bytes and the larger of the burst and one blob. What
//!    is under way is at most `in_flight` bytes, or one blob: in all, for each source and for each target.
//! 3. Nothing moves because of a cache that was silent for less than `grace`, nor while most are silent.
//! 4. What a draining cache holds moves only where no other holds it.
//! 5. Nothing is called spare unless every cache that should hold it says so, and that for `spare_after`.
//! 6. Memory is bounded: at most [`BYTES_PER_OBJECT`] for each object and [`Limits`] for the rest. So is the work of
//!    one input.

#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

mod bucket;
mod copier;
mod error;
mod flights;
mod heat;
mod judge;
mod message;
mod nodes;
mod objects;
mod placement;
mod queue;
mod rules;
mod steward;
mod survey;

pub use copier::{Copier, CopierInput, CopierOutput, CopierRules, FetchFailure, Refusal};
pub use error::Error;
pub use message::{Cache, CopyFailure, Figures, Input, Output, Wanted, MAX_ASK};
pub use objects::{BYTES_PER_OBJECT, MAX_COPIES};
pub use placement::{Placement, Ranked};
pub use rules::{Limits, Rules};
pub use steward::Steward;
