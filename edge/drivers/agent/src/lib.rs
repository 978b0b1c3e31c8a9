//! Answers the chain node on loopback, and auditors and customers in public.
//!
//! It knows neither visitors nor caches: what it answers with comes from the role behind
//! [`Control`] and [`Audit`].
//!
//! - [`control`]: the messages of `selvedge_primitives_types::agent`, for whoever has the token.
//! - [`audit`]: the leaves behind a bill, for anyone, as JSON with SCALE in hex.
//! - [`ChainConfig`]: what the chain node pushed, put together and kept on disk.
//! - [`HostChecker`]: looks for a host's ownership record.
//! - [`OperatorServer`]: health and metrics for the operator.

#![warn(missing_docs)]

mod audit;
mod chain_config;
pub mod clock;
mod control;
mod host_check;
mod operator;
mod reply;
mod token;

pub use audit::{Audit, AuditServer, Invoice};
pub use chain_config::{ApplyError, ChainConfig, ConfigFile};
pub use control::{Control, ControlServer, Page};
pub use host_check::{HostCheckError, HostChecker};
pub use operator::{health, Operated, OperatorServer};
pub use token::{Token, TokenError};
