//! The messages, and the frames of the two streams.

use bytes::{Buf, Bytes};
use codec::{Decode, Encode};
use selvedge_edge_core_verify::{shape, Error as Wrong, RangePlan, SliceProof};
use selvedge_primitives_types::{ContentRef, DeviceId, Hash, ServiceId};

use crate::error::TransportError;
use crate::message::{decode, split, tagged};

/// The most roots that are asked about at a time.
pub const MAX_ROOTS: usize = 1_024;
/// The most devices that a copy may come from.
pub const MAX_SOURCES: usize = 32;
/// The most runs of missing slices that an answer names.
pub const MAX_RUNS: usize = 1_024;

/// Asks for a range of a blob.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct GetContent {
    /// The service that pays for it.
    pub service: ServiceId,
    /// The blob.
    pub content: ContentRef,
    /// First byte.
    pub start: u64,
    /// One past the last byte; `0..0` is the whole of an empty blob.
    pub end: u64,
}

impl GetContent {
    /// What is sent for it.
    ///
    /// Errors: when the range is none of the blob.
    pub fn plan(&self) -> Result<RangePlan, Wrong> {
        RangePlan::new(self.content.length, self.start..self.end)
    }
}

/// Offers slices of a blob, or asks which are missing.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct PutContent {
    /// The service that the blob is kept for.
    pub service: ServiceId,
    /// The blob.
    pub content: ContentRef,
}

/// Asks which blobs are there, whole.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct HaveContent {
    /// Their roots, at most [`MAX_ROOTS`].
    pub roots: Vec<Hash>,
}

/// Orders a cache to fetch a blob from another one and to keep it. The same order again asks how it
/// goes.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct CopyContent {
    /// The service that has it pinned.
    pub service: ServiceId,
    /// The blob.
    pub content: ContentRef,
    /// Who has it, the best first, at most [`MAX_SOURCES`].
    pub from: Vec<DeviceId>,
}

/// Why content is not given or taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, thiserror::Error)]
pub enum ContentRefusal {
    /// The gateway's vouchers are behind what it was supplied with.
    #[codec(index = 0)]
    #[error("vouchers are behind")]
    Exposure,
    /// It drains or has no chain config.
    #[codec(index = 1)]
    #[error("not serving now")]
    NotServing,
    /// It does as much as it can.
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
    /// The blob, or the range of it, is not here.
    #[codec(index = 5)]
    #[error("the content is not here")]
    Missing,
    /// There is no room for it.
    #[codec(index = 6)]
    #[error("no room for the content")]
    Full,
    /// What came does not match the root.
    #[codec(index = 7)]
    #[error("the bytes do not match the root")]
    Unverified,
    /// The service is not known, or nothing of it is kept.
    #[codec(index = 8)]
    #[error("the service keeps nothing here")]
    NotKept,
    /// None of the named sources gave it.
    #[codec(index = 9)]
    #[error("no source gave the content")]
    NoSource,
}

/// What became of slices that were put.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum PutAnswer {
    /// The blob is here, whole.
    #[codec(index = 0)]
    Complete,
    /// These slices are missing: runs of the first and how many, in order, at most [`MAX_RUNS`].
    #[codec(index = 1)]
    Missing(Vec<(u64, u64)>),
    /// Not taken.
    #[codec(index = 2)]
    Refused(ContentRefusal),
}

/// How a copy goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum CopyAnswer {
    /// The blob is here, whole.
    #[codec(index = 0)]
    Complete,
    /// It is being fetched, or waits for its turn.
    #[codec(index = 1)]
    UnderWay,
    /// It was not, or will not be, copied.
    #[codec(index = 2)]
    Refused(ContentRefusal),
}

/// A frame of the answer to [`GetContent`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum GetFrame {
    /// Bytes of the encoded range, never none.
    Data(Bytes),
    /// The range is complete.
    End,
    /// It breaks off.
    Abort,
    /// Nothing comes.
    Refused(ContentRefusal),
}

impl GetFrame {
    pub(crate) fn to_frame(&self) -> Bytes {
        match self {
            Self::Data(bytes) => tagged(0, (), bytes),
            Self::End => tagged(1, (), &[]),
            Self::Abort => tagged(2, (), &[]),
            Self::Refused(refusal) => tagged(3, refusal, &[]),
        }
    }

    pub(crate) fn from_frame(frame: Bytes) -> Result<Self, TransportError> {
        let (tag, bytes) = split(frame)?;
        Ok(match tag {
            0 if bytes.is_empty() => return Err(TransportError::Malformed("a frame of no bytes")),
            0 => Self::Data(bytes),
            1 => {
                decode::<()>(&bytes)?;
                Self::End
            }
            2 => {
                decode::<()>(&bytes)?;
                Self::Abort
            }
            3 => Self::Refused(decode(&bytes)?),
            _ => return Err(TransportError::Malformed("an unknown frame")),
        })
    }
}

/// A frame of what is put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PutFrame {
    /// What is put; the first frame.
    Head(PutContent),
    /// The proof of the slice whose bytes follow.
    Slice {
        /// Number of the slice.
        slice: u64,
        /// As [`SliceProof::to_bytes`] writes it.
        proof: Bytes,
    },
    /// Bytes of the slice, never none.
    Data(Bytes),
}

impl PutFrame {
    pub(crate) fn to_frame(&self) -> Bytes {
        match self {
            Self::Head(put) => tagged(0, put, &[]),
            Self::Slice { slice, proof } => tagged(1, slice, proof),
            Self::Data(bytes) => tagged(2, (), bytes),
        }
    }

    pub(crate) fn from_frame(frame: Bytes) -> Result<Self, TransportError> {
        let (tag, mut bytes) = split(frame)?;
        Ok(match tag {
            0 => Self::Head(decode(&bytes)?),
            1 if bytes.len() >= 8 => Self::Slice {
                slice: bytes.get_u64_le(),
                proof: bytes,
            },
            2 if bytes.is_empty() => return Err(TransportError::Malformed("a frame of no bytes")),
            2 => Self::Data(bytes),
            _ => return Err(TransportError::Malformed("an unknown frame")),
        })
    }
}

/// The proof of a slice as its sender wrote it, and how many bytes the slice has.
pub(crate) fn slice_of(
    content: &ContentRef,
    slice: u64,
    proof: &[u8],
) -> Result<(SliceProof, usize), TransportError> {
    let proof = SliceProof::from_bytes(content.length, slice, proof)
        .map_err(|_| TransportError::Malformed("the proof of no slice"))?;
    let place = shape::slice_bytes(content.length, slice);
    Ok((proof, (place.end - place.start) as usize))
}

#[cfg(test)]
mod tests {
    use super::*;
    use selvedge_primitives_types::ContentKind;

    fn content(frame: Bytes) -> Bytes {
        frame.slice(4..)
    }

    fn put() -> PutContent {
        PutContent {
            service: ServiceId(1),
            content: ContentRef {
                root: [2; 32],
                length: 3,
                kind: ContentKind::File,
            },
        }
    }

    #[test]
    fn frames_come_out_as_they_went_in() {
        for frame in [
            GetFrame::Data(Bytes::from_static(b"abc")),
            GetFrame::End,
            GetFrame::Abort,
            GetFrame::Refused(ContentRefusal::NoSource),
        ] {
            assert_eq!(
                GetFrame::from_frame(content(frame.to_frame())).unwrap(),
                frame
            );
        }
        for frame in [
            PutFrame::Head(put()),
            PutFrame::Slice {
                slice: 4,
                proof: Bytes::from_static(&[1; 64]),
            },
            PutFrame::Data(Bytes::from_static(b"abc")),
        ] {
            assert_eq!(
                PutFrame::from_frame(content(frame.to_frame())).unwrap(),
                frame
            );
        }
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        let mut longer = GetFrame::End.to_frame().to_vec();
        longer.push(0);
        for bytes in [
            Bytes::new(),
            Bytes::from_static(&[9]),
            Bytes::from_static(&[0]),
            Bytes::from_static(&[3, 99]),
            content(longer.into()),
        ] {
            assert!(GetFrame::from_frame(bytes.clone()).is_err(), "{bytes:?}");
        }
        for bytes in [&[][..], &[9], &[2], &[1, 0, 0], &[0, 1]] {
            assert!(
                PutFrame::from_frame(Bytes::from_static(bytes)).is_err(),
                "{bytes:?}"
            );
        }
    }

    #[test]
    fn a_proof_of_another_length_than_its_slice_demands_is_none() {
        let content = ContentRef {
            length: 40_000,
            ..put().content
        };
        assert_eq!(slice_of(&content, 0, &[0; 96]).unwrap().1, 40_000);
        assert!(slice_of(&content, 0, &[0; 95]).is_err());
        assert!(slice_of(&content, 1, &[0; 96]).is_err());
    }
}
