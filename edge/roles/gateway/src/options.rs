//! What an operator chooses for a gateway.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use selvedge_edge_core_budget::Share;
use selvedge_edge_core_http_cache::Policy;
use selvedge_edge_drivers_http::{Limits, OriginOptions};
use selvedge_edge_drivers_transport::PeersOptions;

use crate::timing::ServerTiming;

/// A gateway's set-up.
#[derive(Clone, Debug)]
pub struct GatewayOptions {
    /// Where it listens for HTTP.
    pub http: Vec<SocketAddr>,
    /// Where it listens for HTTPS.
    pub https: Vec<SocketAddr>,
    /// Threads that serve visitors; 0 for one per core.
    pub workers: usize,
    /// Folder of certificates; needed with [`Self::https`].
    pub certs: Option<PathBuf>,
    /// Whether plain HTTP is answered with a redirect to HTTPS.
    pub redirect_https: bool,
    /// Where `/healthz`, `/readyz` and `/metrics` are.
    pub admin: SocketAddr,
    /// Folder of everything that must survive a restart.
    pub state: PathBuf,
    /// Where to write the access log.
    pub access_log: AccessLogTarget,
    /// Which answers have a `Server-Timing`.
    pub server_timing: ServerTiming,
    /// Bytes of the memory cache.
    pub memory_bytes: u64,
    /// Bytes of the largest body that is shared or kept.
    pub max_object_bytes: u64,
    /// Bytes of the largest request body.
    pub max_request_bytes: u64,
    /// A body, of a request or from an origin, that stands still for this long breaks off.
    pub body_timeout: Duration,
    /// From a request's head to the head of its answer, whoever is asked and however often.
    pub answer_timeout: Duration,
    /// How many lookups ask the next owner too when the first is late.
    pub hedges: Share,
    /// Requests at a time, of all visitors.
    pub max_requests: usize,
    /// How long it serves on, asking visitors to reconnect elsewhere, before it closes its
    /// listeners.
    pub drain: Duration,
    /// How long running requests may then take.
    pub shutdown: Duration,
    /// Bounds on visitors.
    pub limits: Limits,
    /// How origins are fetched from.
    pub origin: OriginOptions,
    /// A service none of whose purges' owners was heard of for this long is validated.
    pub purge_silence: Duration,
    /// How long caches are waited for.
    pub peers: PeersOptions,
    /// How it finds who has content beside its owners, if at all.
    pub discovery: Option<selvedge_edge_drivers_p2p::Options>,
    /// What the caching rules leave open.
    pub policy: Policy,
}

/// Where access log lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessLogTarget {
    /// Nowhere.
    Off,
    /// Standard error.
    Stderr,
    /// A file, appended to; opened again after a hang-up signal.
    File(PathBuf),
}
