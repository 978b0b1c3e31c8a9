//! Serves and fetches HTTP: listeners, TLS, origins, limits.
//!
//! It holds no rule of caching, routing or billing: it accepts connections within limits, hands
//! requests to a [`Handler`], and fetches from origins whose addresses an operator allows.
//!
//! - [`Server`]: HTTP/1.1 and HTTP/2, plain or over TLS, with bounded connections, headers and
//!   waiting times.
//! - [`Workers`]: one thread per core, each with its own listener and runtime.
//! - [`PlainRequest`]: what is answered past hyper when it is at hand.
//! - [`CertStore`]: certificates from a folder of PEM files, replaced while connections run.
//! - [`OriginClient`]: pooled connections to origins behind an [`AddressGuard`], which sends again
//!   what may be sent again, within a budget.
//! - [`Progress`]: what a connection's peer has acknowledged, which is what an aborted response is
//!   charged for.

#![warn(missing_docs)]

mod at_once;
mod body;
mod certs;
mod connect;
mod guard;
mod hit;
mod limits;
mod origin;
mod place;
mod server;
mod socket;
mod stall;
mod through;
mod workers;

pub use body::{channel, collect, empty, full, Body, BodyError, BodySender, Closed, CollectError};
pub use certs::{CertError, CertStore};
pub use connect::ConnectError;
pub use guard::{AddressGuard, ForbiddenAddress};
pub use hit::{HitBody, HitHead, PlainRequest};
pub use limits::Limits;
pub use origin::{OriginClient, OriginError, OriginOptions, Patience, Phase};
pub use server::{ConnInfo, Handler, Server, ServerHandle, ServerStats};
pub use socket::{Following, Progress};
pub use through::ThroughError;
pub use workers::Workers;
