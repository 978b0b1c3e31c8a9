//! What a stranger may ask of a listener.

use std::time::Duration;

/// Bounds of a [`crate::Server`]. Every size that a stranger chooses and every wait for one is
/// bounded here.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of a request's head; also the size of an HTTP/2 header list.
    pub header_bytes: usize,
    /// Fields of a request's head.
    pub header_count: usize,
    /// From accepting a connection, or the end of a response, to the end of the next request's
    /// head.
    pub header_timeout: Duration,
    /// A TLS handshake.
    pub handshake_timeout: Duration,
    /// A connection whose peer takes no byte of a response for this long is closed.
    pub write_timeout: Duration,
    /// A connection takes no new request when its peer has left the HTTP/2 window of one response
    /// closed for this long, and is closed after as long again. `None` for peers that may have to
    /// wait for others before they take more.
    pub stall_timeout: Option<Duration>,
    /// Connections at a time.
    pub connections: usize,
    /// Connections at a time from one address (one /64 for IPv6).
    pub connections_per_ip: usize,
    /// Requests at a time on an HTTP/2 connection.
    pub streams: u32,
    /// Bytes of a request's body that an HTTP/2 peer may send before they are read; a whole
    /// connection gets eight times as many.
    pub stream_window: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_bytes: 32 * 1024,
            header_count: 100,
            header_timeout: Duration::from_secs(15),
            handshake_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(60),
            stall_timeout: Some(Duration::from_secs(60)),
            connections: 10_000,
            connections_per_ip: 512,
            streams: 128,
            stream_window: 256 * 1024,
        }
    }
}
