//! Decision: which of the caches that have something is asked, and who is not asked for a while.
//!
//! Asks nobody, and has no clock: the caller says what it began and how it ended, and passes the
//! time since any fixed moment. Who *should* have something is placement (`edge/core/routing`); this
//! is about who of them answers soonest.
//!
//! - [`Choice::order`]: of two drawn at random the less loaded is first (power of two choices), by
//!   its latency times what it is asked at the moment. What was slow once counts at once and is
//!   forgotten over ten seconds (peak EWMA). A cache of the own region comes first until what waits
//!   there takes longer than the way to another region.
//! - Ejection: who fails several times in a row, or clearly more often than its peers, comes after
//!   all others for a while; for longer each time, and never more than a third of all.
//! - [`Choice::late_after`] and [`Choice::take_hedge`]: when a second one is asked, within a budget.
//! - [`Filter`]: what a cache has beyond what it owns, in ten bits for each blob.
//!
//! Invariants
//! 1. [`Choice::order`] gives each replica once: nobody is ever out of reach for being ejected.
//! 2. At most a third of the peers is ejected at a time, so of fewer than three none, and each for
//!    at most [`LONGEST_EJECTION`].
//! 3. What is remembered is bounded: [`MOST_PEERS`] peers, [`MOST_BLOCKS`] blocks of a filter.
//! 4. The same seed, inputs and times give the same orders.

#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

mod choice;
mod filter;
mod holdings;
mod outliers;
mod peer;
mod random;

pub use choice::{Choice, Outcome, Replica, MOST_PEERS};
pub use filter::{Delta, Filter, FilterError, MOST_BLOCKS};
pub use holdings::Holdings;
pub use outliers::{LONGEST_EJECTION, MOST_IN_A_ROW};
