//! What can go wrong.

use std::time::Duration;

/// Why discovery does not start, or finds nothing.
#[derive(Debug, thiserror::Error)]
pub enum P2pError {
    /// An address cannot be listened on.
    #[error("cannot listen on {0}: is the port taken, or the address another machine's?")]
    Listen(String),
    /// An address is none.
    #[error("{0} is no address such as /ip4/192.0.2.1/tcp/9900: {1}")]
    BadAddress(String, String),
    /// An address of a known peer does not end with its device.
    #[error("{0} does not end with /p2p/ and the peer's id")]
    NoPeer(String),
    /// The peer's id is no ed25519 key, as every device's is.
    #[error("{0} is not the id of an ed25519 key")]
    NotADevice(String),
    /// The network stack does not start.
    #[error("libp2p does not start: {0}")]
    Start(String),
    /// There are as many questions under way as are taken.
    #[error("too many lookups at once")]
    Busy,
    /// Nobody answered in time.
    #[error("no provider was found within {0:?}")]
    TooSlow(Duration),
    /// It has ended.
    #[error("discovery has ended")]
    Ended,
}
