//! The record of a stored response. Its bytes are named by their BLAKE3 root and travel apart.

use crate::{DeviceId, Hash, Millis, ServiceId, Signature64};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode};

/// Everything about a stored response except its bytes. Signed by the gateway that fetched it, and never taken on a
/// cache's word.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct Record {
    /// The service it belongs to.
    pub service: ServiceId,
    /// The primary cache key: `GET` target in its normal form, `scheme://host/path?query`.
    pub key: Vec<u8>,
    /// The variant: names in `Vary`, lower case and sorted, each with the request's normalised value.
    pub variant: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// Status code.
    pub status: u16,
    /// Response fields in order, names in lower case; hop-by-hop ones are left out.
    pub fields: Vec<(Vec<u8>, Vec<u8>)>,
    /// BLAKE3 root of the body.
    pub root: Hash,
    /// Length of the body in bytes.
    pub length: u64,
    /// Purge generation of the service when the fetch began; a record below the current one is never served.
    pub generation: u64,
    /// When the request for it was sent (RFC 9111 §4.2.3 `request_time`).
    pub requested: Millis,
    /// When its head was received (RFC 9111 §4.2.3 `response_time`).
    pub received: Millis,
    /// The gateway that fetched it.
    pub gateway: DeviceId,
}

/// A record with its gateway's ed25519 signature ([`crate::Domain::Record`]).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct SignedRecord {
    /// The record.
    pub record: Record,
    /// The gateway's signature.
    pub signature: Signature64,
}
