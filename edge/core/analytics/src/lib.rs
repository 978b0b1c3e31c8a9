//! State: what a service's visitors got in the last hour, counted while it is served.
//!
//! It reads no clock and knows no request: whoever answers says what the answer was, and whoever
//! collects says when.
//!
//! ```text
//! every answer -> Recorder: three atomic additions, in the stripe of the thread
//!                    | once a second
//!                 Series: a slice for each second of a minute, for each minute of an hour
//!                    | when somebody asks
//!                 Window: the counts of a period, and the period they are of
//! ```
//!
//! Invariants
//! 1. What is recorded is in exactly one slice: no answer is lost or counted twice by collecting.
//! 2. A quantile is off by at most a thirty-second of the exact one ([`Histogram::quantile`]).
//! 3. Histograms and counts of several gateways add up to those of all of them together.
//! 4. Memory is bounded by the number of slices, whatever is recorded.

#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

mod counts;
mod histogram;
mod recorder;
mod series;
mod source;

pub use counts::Counts;
pub use histogram::Histogram;
pub use recorder::Recorder;
pub use series::{Series, Window, LONGEST, RECENT};
pub use source::{Source, StatusClass};
