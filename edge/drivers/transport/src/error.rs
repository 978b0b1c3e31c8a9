//! Why a message did not get through, and whose fault that is.

use selvedge_primitives_types::DeviceId;

/// Why a message did not get through.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The device key or certificate cannot be used here.
    #[error("the device key cannot be used for TLS: {0}")]
    Identity(String),
    /// The peer cannot be reached, or is not the device that was dialled.
    #[error("no connection to {peer}: {reason}")]
    Connect {
        /// Who was dialled.
        peer: DeviceId,
        /// What went wrong.
        reason: String,
    },
    /// The peer failed a moment ago and is left alone for now.
    #[error("{peer} failed a moment ago")]
    BackingOff {
        /// Who is left alone.
        peer: DeviceId,
    },
    /// It took too long.
    #[error("{what} took too long")]
    TooSlow {
        /// What was waited for.
        what: &'static str,
    },
    /// The connection broke off.
    #[error("the connection broke off: {0}")]
    Broken(String),
    /// The peer answered with an error status.
    #[error("the peer answered with status {0}")]
    Status(u16),
    /// The peer sent something that no honest peer sends.
    #[error("the peer sent {0}")]
    Malformed(&'static str),
}

impl TransportError {
    /// Whether the peer did something that no honest peer does, rather than being slow or gone.
    pub fn is_misbehaviour(&self) -> bool {
        matches!(self, Self::Malformed(_))
    }
}
