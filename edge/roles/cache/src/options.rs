//! What an operator chooses for a cache.

use selvedge_edge_core_http_cache::Policy;
use selvedge_edge_core_metering::ExposureLimits;
use selvedge_edge_drivers_http::Limits;
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// A cache's set-up.
#[derive(Clone, Debug)]
pub struct CacheOptions {
    /// Where gateways reach it.
    pub transport: SocketAddr,
    /// Where `/healthz`, `/readyz` and `/metrics` are.
    pub admin: SocketAddr,
    /// Folder of everything that must survive a restart.
    pub state: PathBuf,
    /// The most bytes on disk.
    pub quota: u64,
    /// Whether a stored object waits for the disk.
    pub sync: bool,
    /// How long a gateway that was granted a lease may take to send the first frame.
    pub lease: Duration,
    /// How long a fetch under way may stand still.
    pub stall: Duration,
    /// How far gateways are trusted.
    pub exposure: ExposureLimits,
    /// Bounds on gateways.
    pub limits: Limits,
    /// What the caching rules leave open.
    pub policy: Policy,
}
