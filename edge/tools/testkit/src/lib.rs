//! Starts real `selvedge-edge` processes, and plays everybody they talk to: the chain node, the
//! site's origin, visitors, auditors, a cache that lies, and an agent that does.
//!
//! It checks nothing about the daemons by itself, except that what they commit to adds up
//! ([`Books`]): a test says what must hold. It judges with code of its own where the code under
//! test could be wrong: HTTP by hyper, `h2` and by hand, hashes and signatures by their libraries.
//!
//! Everything is on the loopback, on ports the system chose, in folders that vanish; processes end
//! with the [`Daemon`] that started them, also when a test panics, and their logs are then printed.
//!
//! Functions panic when the scenery itself fails: a daemon that does not start, a chain node that
//! is not listened to. What a test is about comes back as a value.
//!
//! Waiting is always for something that can be seen, with [`wait::DEADLINE`] as the end of
//! patience.

#![warn(missing_docs)]

pub mod audit;
pub mod books;
pub mod certs;
pub mod chain;
pub mod client;
pub mod control;
pub mod daemon;
pub mod frames;
mod http2;
pub mod liar;
pub mod lying_agent;
pub mod net;
pub mod origin;
pub mod purge;
pub mod raw_origin;
pub mod script;
pub mod soak;
pub mod tree;
pub mod wait;

pub use books::Books;
pub use chain::{customer_key, Chain, Site};
pub use client::{raw, Answer, Ask, Client, Download, Line};
pub use daemon::{Daemon, Metrics, Settings};
pub use liar::{Liar, Lie};
pub use lying_agent::{AgentLie, LyingAgent};
pub use net::{Net, Plan};
pub use origin::Origin;
pub use raw_origin::{RawOrigin, Reply};
pub use script::content;
pub use wait::wait_for;

use ed25519_dalek::SigningKey;
use selvedge_primitives_types::DeviceId;

/// A device key that is the same in every run.
pub fn device_key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// The device of a key.
pub fn device_of(key: &SigningKey) -> DeviceId {
    DeviceId(key.verifying_key().to_bytes())
}
