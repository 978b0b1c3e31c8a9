//! Starts a whole Selvedge network on one machine: validators, gateways, caches, an origin.
//!
//! It holds no rule of the network: it makes keys and files, starts the real programs, watches them and stops them. The
//! binary `selvedge-devnet` is for people; system tests use [`Network`] to start, kill and restart the same processes.
//!
//! State lives in one folder ([`folder::Folder`]); a second start resumes from it.

#![warn(missing_docs)]

pub mod beside;
pub mod client;
pub mod edge;
pub mod figures;
pub mod folder;
pub mod genesis;
pub mod identity;
pub mod job;
pub mod network;
pub mod node;
pub mod origin;
pub mod plan;
pub mod process;
pub mod programs;
pub mod progress;

pub use network::{Network, Options};
