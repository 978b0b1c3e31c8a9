//! Simulates what coalitions gain and lose by cheating.
//!
//! A network of customers, gateways, caches, stargates and auditors runs over epochs and eras. Money
//! moves only by the functions of `selvedge-primitives-math` that the chain computes with, and every
//! movement is booked: at the end of each epoch the [`ledger`](model::ledger) must balance to the
//! unit. Each attack is run twice from the same seed, once as it is and once as the honest
//! alternative with the same capital; what counts is the difference.
//!
//! It knows no FRAME and no clock: a run is a function of its seed and its rules.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod model;
pub mod run;
pub mod scenario;
pub mod strategy;
pub mod summary;

pub use model::{Defect, Rules};
pub use run::{compare, Outcome};
pub use scenario::Scenario;
