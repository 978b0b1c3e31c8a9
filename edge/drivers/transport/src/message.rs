//! What gateways and caches say to each other.
//!
//! A frame is a tag, its parts in SCALE, and for [`Reply::Data`] and frames of a body the raw bytes
//! behind them. Tags and the order of parts are fixed for good.

use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use codec::{Decode, DecodeAll, Encode};
use selvedge_edge_core_verify::{LeaseId, RecordHead, SignedFrame};
use selvedge_primitives_types::{Hash, Millis, ServiceId, SignedRecord};

use crate::error::TransportError;
use crate::framing;

/// What a gateway wants when nothing fresh is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Want {
    /// The lease, or the frames of whoever holds it.
    #[codec(index = 0)]
    Share,
    /// Nothing: it asks the origin itself and shares nothing, as for `HEAD`.
    #[codec(index = 1)]
    Stored,
    /// What is stored, however stale: the origin failed, and the rules allow it.
    #[codec(index = 2)]
    Stale,
}

/// Asks the owner of a key for a response.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct LookupRequest {
    /// The service.
    pub service: ServiceId,
    /// The primary cache key.
    pub key: Vec<u8>,
    /// Whether the visitor's method is `HEAD`: then no bytes are sent.
    pub is_head: bool,
    /// The visitor's request fields without credentials, in lower case. `Range` and conditions
    /// count as always.
    pub fields: Vec<(Vec<u8>, Vec<u8>)>,
    /// Records below this generation were purged, as far as the gateway can tell from the key.
    pub generation: u64,
    /// Records below this one are stale since a soft purge, and good for validation.
    pub fresh_from: u64,
    /// Root of a body the gateway holds already: a record with it needs no bytes.
    pub have: Option<Hash>,
    /// What it wants when nothing fresh is stored.
    pub want: Want,
    /// How long it waits for another gateway's fetch, in milliseconds: its visitor's patience.
    pub patience: Millis,
    /// How long ago its visitor asked, in milliseconds: what was validated since then was validated
    /// for that visitor too.
    pub waited: Millis,
}

/// Tells the owner of a key to forget what was fetched before a moment (RFC 9111 §4.4).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct InvalidateRequest {
    /// The service.
    pub service: ServiceId,
    /// The primary cache key.
    pub key: Vec<u8>,
    /// Records requested before this are forgotten.
    pub before: Millis,
}

/// How long a gateway answers from memory since it last told the key's owners that it does. They
/// remember it for longer, so that they know of every response that an unsafe request makes invalid.
pub const HOLD: Duration = Duration::from_secs(600);

/// Tells an owner of keys that the gateway goes on answering from memory.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct HoldRequest {
    /// Each key's service and id.
    pub keys: Vec<(ServiceId, u64)>,
}

/// Why a cache does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, thiserror::Error)]
pub enum Refusal {
    /// The gateway's vouchers are behind what it was supplied with.
    #[codec(index = 0)]
    #[error("vouchers are behind")]
    Exposure,
    /// It drains or has no chain config.
    #[codec(index = 1)]
    #[error("not serving now")]
    NotServing,
    /// It serves as much as it can.
    #[codec(index = 2)]
    #[error("busy")]
    Busy,
    /// The request breaks a limit.
    #[codec(index = 3)]
    #[error("the request breaks a limit")]
    Limit,
    /// Its disk failed.
    #[codec(index = 4)]
    #[error("the store failed")]
    Store,
}

/// A cache's answer to a lookup, frame by frame.
///
/// `Hit Data* End` · `Lease` · `Follow Frame* (End | Abort)` · `Pass` · `Refused`, each after at
/// most one `Waiting`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A stored response. The encoded range follows in [`Reply::Data`] unless the answer needs no
    /// bytes.
    Hit(SignedRecord),
    /// Bytes of an encoded range ([`selvedge_edge_core_verify::RangePlan`]).
    Data(Bytes),
    /// The gateway fetches the origin, and seeds the cache.
    Lease {
        /// Names the lease.
        lease: LeaseId,
        /// The first frame must arrive within this time.
        expires: Millis,
        /// What is stored and not fresh, for a conditional request.
        stale: Option<SignedRecord>,
    },
    /// Another gateway fetches; its frames follow.
    Follow(RecordHead),
    /// A frame of the body under way.
    Frame(SignedFrame, Bytes),
    /// The end; for a body under way with its record.
    End(Option<SignedRecord>),
    /// The fetch under way failed, or its holder is gone.
    Abort,
    /// The response is not for sharing: until then the gateway fetches for itself.
    Pass {
        /// For this long.
        until: Millis,
    },
    /// No answer from here.
    Refused(Refusal),
    /// Another gateway fetches, and its answer has not begun: the next reply may take as long as an
    /// origin may.
    Waiting,
}

/// What the holder of a lease sends, frame by frame.
///
/// `Head Frame* (End | Abort)` · `Refresh` · `Pass` · `Abort`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SeedMessage {
    /// The head of the response; vouched for by the first frame.
    Head(RecordHead),
    /// The next bytes.
    Frame(SignedFrame, Bytes),
    /// The body ended as this record says.
    End(SignedRecord),
    /// The fetch failed.
    Abort,
    /// The response is not for sharing.
    Pass {
        /// For this long.
        until: Millis,
    },
    /// The stale response is fresh again (`304`): the same root under a new record.
    Refresh(SignedRecord),
}

/// What became of a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum SeedAnswer {
    /// Stored, or passed on as asked.
    #[codec(index = 0)]
    Taken,
    /// The lease is not the gateway's (any more).
    #[codec(index = 1)]
    NoLease,
    /// A frame or the record did not verify.
    #[codec(index = 2)]
    Unverified,
    /// The store has no room or failed; waiting gateways got their frames.
    #[codec(index = 3)]
    NotStored,
}

pub(crate) fn tagged(tag: u8, head: impl Encode, bytes: &[u8]) -> Bytes {
    framing::frame(1 + head.size_hint() + bytes.len(), |out| {
        out.put_u8(tag);
        out.put_slice(&head.encode());
        out.put_slice(bytes);
    })
}

pub(crate) fn split(mut frame: Bytes) -> Result<(u8, Bytes), TransportError> {
    if frame.is_empty() {
        return Err(TransportError::Malformed("an empty frame"));
    }
    let tag = frame.get_u8();
    Ok((tag, frame))
}

pub(crate) fn decode<T: Decode>(bytes: &[u8]) -> Result<T, TransportError> {
    T::decode_all(&mut &bytes[..])
        .map_err(|_| TransportError::Malformed("a frame that is no message"))
}

fn decode_frame(mut bytes: Bytes) -> Result<(SignedFrame, Bytes), TransportError> {
    if bytes.len() < SignedFrame::ENCODED {
        return Err(TransportError::Malformed("a frame that is no message"));
    }
    let head = bytes.split_to(SignedFrame::ENCODED);
    let frame: SignedFrame = decode(&head)?;
    if frame.length as usize != bytes.len() {
        return Err(TransportError::Malformed(
            "a body frame of the wrong length",
        ));
    }
    Ok((frame, bytes))
}

impl Reply {
    /// The frame on the wire.
    pub(crate) fn to_frame(&self) -> Bytes {
        match self {
            Self::Hit(record) => tagged(0, record, &[]),
            Self::Data(bytes) => tagged(1, (), bytes),
            Self::Lease {
                lease,
                expires,
                stale,
            } => tagged(2, (lease, expires, stale), &[]),
            Self::Follow(head) => tagged(3, head, &[]),
            Self::Frame(frame, bytes) => tagged(4, frame, bytes),
            Self::End(record) => tagged(5, record, &[]),
            Self::Abort => tagged(6, (), &[]),
            Self::Pass { until } => tagged(7, until, &[]),
            Self::Refused(refusal) => tagged(8, refusal, &[]),
            Self::Waiting => tagged(9, (), &[]),
        }
    }

    /// Reads a frame.
    pub(crate) fn from_frame(frame: Bytes) -> Result<Self, TransportError> {
        let (tag, bytes) = split(frame)?;
        Ok(match tag {
            0 => Self::Hit(decode(&bytes)?),
            1 => Self::Data(bytes),
            2 => {
                let (lease, expires, stale) = decode(&bytes)?;
                Self::Lease {
                    lease,
                    expires,
                    stale,
                }
            }
            3 => Self::Follow(decode(&bytes)?),
            4 => {
                let (frame, bytes) = decode_frame(bytes)?;
                Self::Frame(frame, bytes)
            }
            5 => Self::End(decode(&bytes)?),
            6 => {
                decode::<()>(&bytes)?;
                Self::Abort
            }
            7 => Self::Pass {
                until: decode(&bytes)?,
            },
            8 => Self::Refused(decode(&bytes)?),
            9 => {
                decode::<()>(&bytes)?;
                Self::Waiting
            }
            _ => return Err(TransportError::Malformed("an unknown frame")),
        })
    }
}

impl SeedMessage {
    /// The frame on the wire.
    pub(crate) fn to_frame(&self) -> Bytes {
        match self {
            Self::Head(head) => tagged(0, head, &[]),
            Self::Frame(frame, bytes) => tagged(1, frame, bytes),
            Self::End(record) => tagged(2, record, &[]),
            Self::Abort => tagged(3, (), &[]),
            Self::Pass { until } => tagged(4, until, &[]),
            Self::Refresh(record) => tagged(5, record, &[]),
        }
    }

    /// Reads a frame.
    pub(crate) fn from_frame(frame: Bytes) -> Result<Self, TransportError> {
        let (tag, bytes) = split(frame)?;
        Ok(match tag {
            0 => Self::Head(decode(&bytes)?),
            1 => {
                let (frame, bytes) = decode_frame(bytes)?;
                Self::Frame(frame, bytes)
            }
            2 => Self::End(decode(&bytes)?),
            3 => {
                decode::<()>(&bytes)?;
                Self::Abort
            }
            4 => Self::Pass {
                until: decode(&bytes)?,
            },
            5 => Self::Refresh(decode(&bytes)?),
            _ => return Err(TransportError::Malformed("an unknown frame")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use selvedge_primitives_types::{DeviceId, Record, Signature64};

    fn record() -> SignedRecord {
        SignedRecord {
            record: Record {
                service: ServiceId(1),
                key: b"https://a.test/".to_vec(),
                variant: vec![(b"accept".to_vec(), None)],
                status: 200,
                fields: vec![(b"etag".to_vec(), b"\"1\"".to_vec())],
                root: [4; 32],
                length: 9,
                generation: 2,
                requested: Millis(3),
                received: Millis(4),
                gateway: DeviceId([5; 32]),
            },
            signature: Signature64([6; 64]),
        }
    }

    fn frame() -> (SignedFrame, Bytes) {
        let frame = SignedFrame {
            offset: 1,
            length: 3,
            bytes: [2; 32],
            is_last: false,
            signature: Signature64::default(),
        };
        (frame, Bytes::from_static(b"abc"))
    }

    fn content(frame: Bytes) -> Bytes {
        frame.slice(4..)
    }

    #[test]
    fn messages_come_out_as_they_went_in() {
        let (body_frame, bytes) = frame();
        for reply in [
            Reply::Hit(record()),
            Reply::Data(Bytes::from_static(b"xyz")),
            Reply::Lease {
                lease: LeaseId(7),
                expires: Millis(8),
                stale: Some(record()),
            },
            Reply::Frame(body_frame.clone(), bytes.clone()),
            Reply::End(None),
            Reply::Abort,
            Reply::Waiting,
            Reply::Pass { until: Millis(1) },
            Reply::Refused(Refusal::Exposure),
        ] {
            let read = Reply::from_frame(content(reply.to_frame())).unwrap();
            assert_eq!(read, reply);
        }
        for message in [
            SeedMessage::Frame(body_frame, bytes),
            SeedMessage::End(record()),
            SeedMessage::Abort,
            SeedMessage::Pass { until: Millis(5) },
            SeedMessage::Refresh(record()),
        ] {
            let read = SeedMessage::from_frame(content(message.to_frame())).unwrap();
            assert_eq!(read, message);
        }
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let (body_frame, _) = frame();
        let cut = Reply::Frame(body_frame, Bytes::from_static(b"abcd")).to_frame();
        let mut longer = Reply::Abort.to_frame().to_vec();
        longer.push(0);
        for bytes in [
            Bytes::new(),
            Bytes::from_static(&[99]),
            Bytes::from_static(&[0, 1]),
            content(cut),
            content(longer.into()),
        ] {
            assert!(Reply::from_frame(bytes.clone()).is_err(), "{bytes:?}");
        }
    }
}
