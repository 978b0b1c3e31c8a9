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
    /// Pinned content.
    pub content: ContentOptions,
    /// How it tells others what it keeps, if at all.
    pub discovery: Option<selvedge_edge_drivers_p2p::Options>,
    /// Bounds on gateways.
    pub limits: Limits,
    /// What the caching rules leave open.
    pub policy: Policy,
}

/// How a cache keeps pinned content, beside what it may evict.
#[derive(Clone, Copy, Debug)]
pub struct ContentOptions {
    /// The most bytes of blobs.
    pub quota: u64,
    /// The most bytes of blobs that were put for a service and are not pinned yet.
    pub staging: u64,
    /// Bytes a second that are copied from other caches, and as many that they get.
    pub rate: u64,
}
