//! Answers the chain node on loopback, and auditors and customers in public.
//!
//! It knows neither visitors nor caches: what it answers with comes from the role behind
//! [`Control`], [`Audit`] and [`Insight`].
//!
//! - [`control`]: the messages of `selvedge_primitives_types::agent`, for whoever has the token.
//! - [`audit`]: the leaves behind a bill, for anyone, as JSON with SCALE in hex; drawn ones opened
//!   for auditors, in SCALE.
//! - [`insight`]: figures, log and explanations, for the customer of a service.
//! - [`PurgeDesk`]: purges, for customers and other gateways, beside the audit endpoint.
//! - [`ProbeDesk`]: nonces of other gateways, beside the audit endpoint too.
//! - [`ContentDesk`]: content that customers put and anyone reads, beside the audit endpoint too.
//! - [`ChainConfig`]: what the chain node pushed, put together and kept on disk.
//! - [`read_token`], [`publish_token`]: what a customer shows to read about a service, or to publish
//!   for it; [`Buckets`]: how often anybody may ask.
//! - [`HostChecker`]: looks for a host's ownership record.
//! - [`OperatorServer`]: health and metrics for the operator.

#![warn(missing_docs)]

mod audit;
mod chain_config;
pub mod clock;
mod content;
mod control;
mod customer;
mod host_check;
mod insight;
mod open;
mod operator;
mod probe;
mod purge;
mod rate;
mod reply;
mod token;

pub use audit::{Audit, AuditServer, Invoice};
pub use chain_config::{ApplyError, ChainConfig, ConfigFile};
pub use content::{ContentDesk, ContentRefused, Described, Lacking, Taken, Upload};
pub use control::{Control, ControlServer, Page};
pub use customer::{publish_token, read_token, ReadRefused};
pub use host_check::{HostCheckError, HostChecker};
pub use insight::{Asked, Insight, NoInsight};
pub use operator::{health, Operated, OperatorServer};
pub use probe::{answer_probe, ProbeDesk};
pub use purge::PurgeDesk;
pub use rate::Buckets;
pub use token::{Token, TokenError};
