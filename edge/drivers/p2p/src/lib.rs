//! Finds who holds content beyond those who own it: libp2p with Kademlia provider records and identify.
//!
//! Owners of content follow from the chain's config, and are asked first. This is for copies that no rule places: a node
//! says which roots it keeps, and whoever looks for one is told devices and addresses. It moves no content and believes
//! nothing: what a device then sends is verified against the root.
//!
//! ```text
//! /selvedge/<genesis, 8 bytes in hex>/kad/1     provider records by root; values are refused
//! /ipfs/id/1.0.0                                identify
//! ```
//!
//! Invariants
//! 1. A peer id is a device's key, so who is found can be held against the registry.
//! 2. Nodes of two networks never enter each other's tables: the protocol's name has the genesis hash.
//! 3. Whatever strangers send is bounded: connections, message length, records, providers and addresses of each.

#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

mod bounds;
mod discovery;
mod error;
mod identity;
mod late;
mod swarm;

pub use discovery::{Discovery, Options, Provider};
pub use error::P2pError;
pub use late::LateDiscovery;
pub use litep2p::types::multiaddr::Multiaddr;
