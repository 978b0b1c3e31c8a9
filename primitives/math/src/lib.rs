//! Computes charges, shares, yields and Merkle sums exactly.
//!
//! It does no I/O, knows neither FRAME nor a clock, and holds of parameters the ranges alone: rates,
//! prices, times and the hash function are passed in. Everything is integer arithmetic; where a
//! result is rounded, its function says which way.
//!
//! Invariant 1: what is split comes out again to the unit ([`share`]).
//! Invariant 2: against a tree that was built honestly every mutation of a leaf, an entry, a node
//! or a proof is refused ([`proof`]).
//! Invariant 3: an overflow is an error, never a wrap.
//! Invariant 4: of whatever is wrong with a commitment, and shown, there is a proof; of an honest
//! commitment there is none ([`fraud`]).
//! Invariant 5: a bill adds up to the unit, and nothing behind it changes unnoticed ([`bill`]).

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::panic))]

extern crate alloc;

pub mod bill;
pub mod draw;
pub mod duty;
pub mod fraud;
pub mod hash;
pub mod lease;
pub mod price;
pub mod probe;
pub mod proof;
pub mod ranges;
pub mod ratio;
pub mod score;
pub mod share;
pub mod storage;
pub mod tree;
pub mod yields;

pub use hash::Keccak256;
pub use proof::{ProofError, RangeProof};
pub use tree::{Node, TreeError, TreeKind, UsageTrees};
