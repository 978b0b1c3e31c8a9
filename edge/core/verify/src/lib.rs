//! Decision: proves chunk groups, ranges, frames and records against their root and signer.
//!
//! Reads no file, opens no socket and knows no clock. It does not say who is a gateway: the caller
//! passes the device it expects, taken from the chain's config.
//!
//! ```text
//! body    |--------------- slice 0: 1 MiB ----------------|-- slice 1 --| ...   aligned BLAKE3 subtrees
//! groups  | 16 KiB | 16 KiB | ... 64 of them ...          |  ...                the unit that is verified
//! ```
//!
//! - [`Builder`] turns a body of unknown length into an [`Outboard`]: root, length and one value
//!   per group.
//! - [`SliceProof`] proves the groups of one slice against the root; [`RangePlan`] says what to
//!   send for a range and [`StreamDecoder`] checks what arrives, group by group, before a byte of
//!   it leaves; [`ProvenSlice`] is a slice with its proof in one piece.
//! - [`frame`] authenticates a body under way, whose root nobody knows yet; [`sign`] the record of
//!   a finished one.
//! - [`publisher`] checks a body against the digest that its origin states.
//! - [`sign_request`] tells an origin which gateway asks it.
//! - [`customer`] checks what the account that pays has signed.
//!
//! Invariants
//! 1. The root of a body is the plain BLAKE3 hash of its bytes.
//! 2. No byte is handed out before the group it lies in matched the root, or the frame it came in
//!    its signature.
//! 3. A root means nothing without its length; both come from one signed record.

#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

pub mod customer;
mod error;
pub mod frame;
mod outboard;
mod proof;
mod proven;
pub mod publisher;
mod request;
pub mod shape;
pub mod sign;
mod stream;
mod tree;

pub use customer::verify_customer;
pub use error::{Class, Error};
pub use frame::{FrameVerifier, FrameWriter, LeaseId, RecordHead, SignedFrame};
pub use outboard::{Builder, Outboard};
pub use proof::{SliceProof, VerifiedSlice};
pub use proven::ProvenSlice;
pub use publisher::{PublisherDigest, WrongDigest};
pub use request::{sign_request, RequestSignature, RequestTarget};
pub use shape::{GROUP, SLICE};
pub use sign::{sign_record, verify_record};
pub use stream::{Part, RangePlan, StreamDecoder};
pub use tree::ChainingValue;

pub use ed25519_dalek::{SigningKey, VerifyingKey};
