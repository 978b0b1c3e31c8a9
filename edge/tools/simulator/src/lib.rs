//! Plays a network in virtual time: messages are lost, late and cut off, nodes are slow, gone, restarted or lie.
//!
//! All that decides is the real thing: owners of `edge/core/routing`, stewards and copiers of `edge/core/replication`,
//! logs of `edge/core/purge`. A seed makes the network and its trouble, and the same seed plays the same, so what
//! fails can be looked at.
//!
//! Properties of [`content`], over one hour:
//! 1. No pinned blob is lost while, from one time that all is whole to the next, fewer than its factor of its holders
//!    are gone: dead, emptied, or lying.
//! 2. All is whole again within the stated time of a loss.
//! 3. In any second no steward begins, and no cache asks for, more bytes than stated; nor are more under way.
//! 4. A cache that leaves after its drain takes nothing with it that was promised.
//! 5. A read of what a reachable cache holds all the while finds it.
//! 6. Silences below the grace time move nothing.
//!
//! Properties of [`purge`], over three minutes:
//! 7. Whoever is named in a purge's receipt calls nothing current that was fetched before that purge was asked for,
//!    whatever owners gave the numbers and whatever their clocks said.
//! 8. When trouble has ended, all have the same orders.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod content;
mod network;
pub mod purge;
mod schedule;
