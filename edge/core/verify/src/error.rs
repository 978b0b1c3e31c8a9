//! What can be wrong, and whose fault it is.

use selvedge_primitives_types::{Account, DeviceId, Hash};

/// Whose fault an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The peer sent something that no honest peer sends: try another one and remember it.
    PeerMisbehaved,
    /// The peer stopped before the end: try another one.
    PeerIncomplete,
    /// The caller asked for something that does not exist.
    Local,
}

/// Why something was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The range does not lie inside the body, or is empty in a body that is not.
    #[error("range {start}..{end} does not lie inside a body of {length} bytes")]
    OutOfBody {
        /// First byte asked for.
        start: u64,
        /// One past the last byte asked for.
        end: u64,
        /// Length of the body.
        length: u64,
    },
    /// A group has another length than its place in the body demands.
    #[error("chunk group {index} has {actual} bytes instead of {expected}")]
    GroupLength {
        /// Number of the group in the body.
        index: u64,
        /// Length it must have.
        expected: usize,
        /// Length it has.
        actual: usize,
    },
    /// The bytes of a group are not those that the root names.
    #[error("chunk group {index} does not match its root")]
    GroupMismatch {
        /// Number of the group in the body.
        index: u64,
    },
    /// A proof does not lead to the root.
    #[error("the proof of slice {slice} does not match its root")]
    ProofMismatch {
        /// Number of the slice in the body.
        slice: u64,
    },
    /// A proof has more or fewer values than its place in the tree demands.
    #[error("the proof of slice {slice} has the wrong shape")]
    ProofShape {
        /// Number of the slice in the body.
        slice: u64,
    },
    /// A stream or a body ended before its end.
    #[error("the stream ended {missing} bytes early")]
    Truncated {
        /// Encoded bytes that are missing.
        missing: u64,
    },
    /// A stream went on after its end.
    #[error("the stream has bytes after its end")]
    TrailingBytes,
    /// The device id is not an ed25519 key.
    #[error("{0} is not an ed25519 public key")]
    NotAKey(DeviceId),
    /// Signed by, or naming, another device than the one expected.
    #[error("expected device {expected}, found {found}")]
    WrongDevice {
        /// The device that the config names.
        expected: DeviceId,
        /// The device in the message.
        found: DeviceId,
    },
    /// The signature does not verify.
    #[error("the signature of {0} does not verify")]
    BadSignature(DeviceId),
    /// The signature is not of the account's key.
    #[error("the signature of account {0} does not verify")]
    NotTheCustomer(Account),
    /// A frame does not start where the one before it ended.
    #[error("a frame starts at byte {found} instead of {expected}")]
    FrameOrder {
        /// Where it must start.
        expected: u64,
        /// Where it starts.
        found: u64,
    },
    /// A frame came after the last one.
    #[error("a frame came after the last one")]
    FrameAfterEnd,
    /// The bytes are not those that the frame names.
    #[error("the bytes of the frame at byte {offset} do not match it")]
    FrameMismatch {
        /// Where the frame starts.
        offset: u64,
    },
    /// A body under way is longer or shorter than its head stated.
    #[error("the head states {stated} bytes and the frames have {found}")]
    StatedLength {
        /// Bytes stated.
        stated: u64,
        /// Bytes of the frames.
        found: u64,
    },
    /// A record does not describe the body that was received.
    #[error("the record names root {record:?} and the body has {body:?}")]
    RecordMismatch {
        /// Root in the record.
        record: Hash,
        /// Root of the bytes.
        body: Hash,
    },
    /// Something is longer than this crate handles.
    #[error("{what} is longer than {limit}")]
    TooLong {
        /// What it is.
        what: &'static str,
        /// The most that is handled.
        limit: u64,
    },
}

impl Error {
    /// Whose fault it is.
    pub fn class(&self) -> Class {
        match self {
            Self::OutOfBody { .. } => Class::Local,
            Self::Truncated { .. } => Class::PeerIncomplete,
            _ => Class::PeerMisbehaved,
        }
    }
}
