//! A range of a body on the wire: for each slice it touches, the slice's proof, then the touched
//! groups, whole.
//!
//! ```text
//! proof of slice 3 | group 254 | group 255 | proof of slice 4 | group 256 | ...
//! ```
//!
//! Nothing in it says how long anything is: root, length and range, which both ends know, fix every
//! size. A body of one group has no proof.

use core::ops::Range;

use bytes::{Bytes, BytesMut};
use selvedge_primitives_types::Hash;

use crate::proof::{SliceProof, VerifiedSlice};
use crate::shape::{self, GROUPS_PER_SLICE};
use crate::Error;

/// A piece of an encoded range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The proof of a slice, as [`SliceProof::to_bytes`] writes it. Left out where it would be
    /// empty.
    Proof {
        /// Number of the slice.
        slice: u64,
        /// Encoded length in bytes.
        length: usize,
    },
    /// One whole group.
    Group {
        /// Number of the group.
        index: u64,
        /// Its bytes in the body.
        bytes: Range<u64>,
    },
}

impl Part {
    /// Bytes on the wire.
    pub fn length(&self) -> u64 {
        match self {
            Self::Proof { length, .. } => *length as u64,
            Self::Group { bytes, .. } => bytes.end - bytes.start,
        }
    }
}

/// What is sent for a range of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangePlan {
    length: u64,
    range: Range<u64>,
    groups: Range<u64>,
}

impl RangePlan {
    /// Plans for `range` of a body of `length` bytes. The whole of an empty body is `0..0`.
    ///
    /// Errors: [`Error::OutOfBody`] when the range is empty (in a body that is not) or leaves the
    /// body, [`Error::TooLong`] for a body above [`shape::MAX_BODY`].
    pub fn new(length: u64, range: Range<u64>) -> Result<Self, Error> {
        if length > shape::MAX_BODY {
            return Err(Error::TooLong {
                what: "a body",
                limit: shape::MAX_BODY,
            });
        }
        let is_whole_empty_body = length == 0 && range == (0..0);
        if (range.start >= range.end && !is_whole_empty_body) || range.end > length {
            return Err(Error::OutOfBody {
                start: range.start,
                end: range.end,
                length,
            });
        }
        let groups = shape::range_groups(&range);
        Ok(Self {
            length,
            range,
            groups,
        })
    }

    /// Plans for the whole body.
    ///
    /// Errors: [`Error::TooLong`] for a body above [`shape::MAX_BODY`].
    pub fn whole(length: u64) -> Result<Self, Error> {
        Self::new(length, 0..length)
    }

    /// The bytes asked for.
    pub fn range(&self) -> Range<u64> {
        self.range.clone()
    }

    /// The pieces in the order they are sent in.
    pub fn parts(&self) -> impl Iterator<Item = Part> + '_ {
        self.groups.clone().flat_map(|index| {
            let slice = index / GROUPS_PER_SLICE;
            let opens = index == self.groups.start || index % GROUPS_PER_SLICE == 0;
            let values =
                SliceProof::shape(self.length, slice).map_or(0, |(groups, path)| groups + path);
            let proof = (opens && values > 0).then_some(Part::Proof {
                slice,
                length: 32 * values,
            });
            let group = Part::Group {
                index,
                bytes: shape::group_bytes(self.length, index),
            };
            proof.into_iter().chain([group])
        })
    }

    /// Bytes on the wire of all parts together.
    pub fn encoded_length(&self) -> u64 {
        let last = self.groups.end - 1;
        let bytes = shape::group_bytes(self.length, last).end
            - shape::group_bytes(self.length, self.groups.start).start;
        let proofs: usize = (self.groups.start / GROUPS_PER_SLICE..=last / GROUPS_PER_SLICE)
            .filter_map(|slice| SliceProof::shape(self.length, slice))
            .map(|(groups, path)| 32 * (groups + path))
            .sum();
        bytes + proofs as u64
    }
}

/// Checks an encoded range as it arrives and hands out verified bytes only.
///
/// Push what was received, then take [`StreamDecoder::next`] until it gives `None`; at the end of
/// the stream call [`StreamDecoder::finish`]. It holds at most what was pushed and one proof. After
/// an error it gives nothing more.
#[derive(Debug)]
pub struct StreamDecoder {
    root: Hash,
    plan: RangePlan,
    next: u64,
    slice: Option<(u64, VerifiedSlice)>,
    buffer: BytesMut,
    received: u64,
    failed: Option<Error>,
}

impl StreamDecoder {
    /// Expects `plan` of the body with this root. Root and length must come from a signed record.
    pub fn new(root: Hash, plan: RangePlan) -> Self {
        let next = plan.groups.start;
        Self {
            root,
            plan,
            next,
            slice: None,
            buffer: BytesMut::new(),
            received: 0,
            failed: None,
        }
    }

    /// Takes received bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.received += bytes.len() as u64;
        if self.failed.is_none() {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// The next verified bytes of the range, never empty; `None` when more must be pushed or all
    /// was given.
    ///
    /// Errors: what [`SliceProof::verify`] and [`VerifiedSlice::check_group`] say; the same one
    /// again on each call.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Bytes>, Error> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.step().inspect_err(|error| {
            self.failed = Some(error.clone());
            self.buffer = BytesMut::new();
        })
    }

    fn step(&mut self) -> Result<Option<Bytes>, Error> {
        if self.is_done() {
            return if self.buffer.is_empty() {
                Ok(None)
            } else {
                Err(Error::TrailingBytes)
            };
        }
        let (index, length) = (self.next, self.plan.length);
        let number = index / GROUPS_PER_SLICE;
        let slice = match &self.slice {
            Some((held, slice)) if *held == number => slice,
            _ => {
                let values =
                    SliceProof::shape(length, number).map_or(0, |(groups, path)| groups + path);
                if self.buffer.len() < 32 * values {
                    return Ok(None);
                }
                let proof = self.buffer.split_to(32 * values);
                let proof = SliceProof::from_bytes(length, number, &proof)?;
                let slice = proof.verify(&self.root, length, number)?;
                &self.slice.insert((number, slice)).1
            }
        };
        let place = shape::group_bytes(length, index);
        if (self.buffer.len() as u64) < place.end - place.start {
            return Ok(None);
        }
        let mut group = self
            .buffer
            .split_to((place.end - place.start) as usize)
            .freeze();
        slice.check_group(index, &group)?;
        self.next += 1;
        let range = &self.plan.range;
        group.truncate((range.end.min(place.end) - place.start) as usize);
        let skip = range.start.saturating_sub(place.start) as usize;
        let bytes = group.split_off(skip.min(group.len()));
        // Only the one group of an empty body is empty.
        Ok((!bytes.is_empty()).then_some(bytes))
    }

    /// Whether every byte of the range was handed out.
    pub fn is_done(&self) -> bool {
        self.next >= self.plan.groups.end
    }

    /// The stream has ended.
    ///
    /// Errors: [`Error::Truncated`] when bytes are missing, [`Error::TrailingBytes`] when there
    /// were too many, or the error that [`StreamDecoder::next`] gave.
    pub fn finish(mut self) -> Result<(), Error> {
        let encoded = self.plan.encoded_length();
        match self.next()? {
            None if self.is_done() => Ok(()),
            // The caller left verified bytes behind, or they never came.
            _ if self.received > encoded => Err(Error::TrailingBytes),
            _ => Err(Error::Truncated {
                missing: encoded - self.received,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Outboard, GROUP, SLICE};
    use proptest::prelude::*;

    fn body(length: usize) -> Vec<u8> {
        (0..length)
            .map(|i| (i as u32).wrapping_mul(2_654_435_761).to_le_bytes()[3])
            .collect()
    }

    fn encode(bytes: &[u8], plan: &RangePlan) -> Vec<u8> {
        let outboard = Outboard::of(bytes);
        let mut out = Vec::new();
        for part in plan.parts() {
            let before = out.len();
            match &part {
                Part::Proof { slice, .. } => {
                    out.extend(outboard.slice_proof(*slice).unwrap().to_bytes());
                }
                Part::Group { bytes: place, .. } => {
                    out.extend_from_slice(&bytes[place.start as usize..place.end as usize]);
                }
            }
            assert_eq!((out.len() - before) as u64, part.length());
        }
        assert_eq!(out.len() as u64, plan.encoded_length());
        out
    }

    fn decode(root: Hash, plan: RangePlan, encoded: &[u8], piece: usize) -> Result<Vec<u8>, Error> {
        let mut decoder = StreamDecoder::new(root, plan);
        let mut out = Vec::new();
        for piece in encoded.chunks(piece) {
            decoder.push(piece);
            while let Some(bytes) = decoder.next()? {
                out.extend_from_slice(&bytes);
            }
        }
        decoder.finish()?;
        Ok(out)
    }

    #[test]
    fn ranges_at_every_kind_of_edge_verify() {
        let edges = [
            0,
            1,
            GROUP - 1,
            GROUP,
            GROUP + 1,
            SLICE - 1,
            SLICE,
            SLICE + 1,
            2 * SLICE,
        ];
        for length in [1, GROUP, GROUP + 1, SLICE, SLICE + 1, 2 * SLICE + GROUP + 3] {
            let bytes = body(length as usize);
            let root = *blake3::hash(&bytes).as_bytes();
            for start in edges.into_iter().filter(|start| *start < length) {
                for end in edges.into_iter().chain([length]) {
                    if end <= start || end > length {
                        continue;
                    }
                    let plan = RangePlan::new(length, start..end).unwrap();
                    let got = decode(root, plan.clone(), &encode(&bytes, &plan), 5_000).unwrap();
                    assert_eq!(
                        got,
                        bytes[start as usize..end as usize],
                        "{start}..{end} of {length}"
                    );
                }
            }
        }
    }

    #[test]
    fn an_empty_body_is_proven_too() {
        let plan = RangePlan::whole(0).unwrap();
        let root = *blake3::hash(b"").as_bytes();
        assert_eq!(decode(root, plan.clone(), &[], 1), Ok(Vec::new()));
        assert_eq!(
            decode([7; 32], plan, &[], 1),
            Err(Error::GroupMismatch { index: 0 })
        );
    }

    #[test]
    fn ranges_outside_the_body_are_refused() {
        let reversed = Range { start: 6, end: 5 };
        for range in [5..5, reversed, 0..101, 100..101] {
            assert!(matches!(
                RangePlan::new(100, range),
                Err(Error::OutOfBody { .. })
            ));
        }
        assert!(RangePlan::new(0, 0..0).is_ok());
    }

    #[test]
    fn too_little_and_too_much_are_told_apart() {
        let bytes = body(40_000);
        let root = *blake3::hash(&bytes).as_bytes();
        let plan = RangePlan::whole(40_000).unwrap();
        let mut encoded = encode(&bytes, &plan);
        let short = decode(root, plan.clone(), &encoded[..encoded.len() - 10], 999);
        assert_eq!(short, Err(Error::Truncated { missing: 10 }));
        encoded.push(0);
        assert_eq!(decode(root, plan, &encoded, 999), Err(Error::TrailingBytes));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_range_of_any_body_verifies(
            length in 1u64..2_300_000,
            a in any::<prop::sample::Index>(),
            b in any::<prop::sample::Index>(),
            piece in 1usize..100_000,
        ) {
            let (a, b) = (a.index(length as usize) as u64, b.index(length as usize) as u64);
            let range = a.min(b)..a.max(b) + 1;
            let bytes = body(length as usize);
            let plan = RangePlan::new(length, range.clone()).unwrap();
            let encoded = encode(&bytes, &plan);
            let got = decode(*blake3::hash(&bytes).as_bytes(), plan, &encoded, piece).unwrap();
            prop_assert_eq!(&got[..], &bytes[range.start as usize..range.end as usize]);
        }

        #[test]
        fn any_flipped_bit_is_found(
            length in 1u64..1_200_000,
            a in any::<prop::sample::Index>(),
            b in any::<prop::sample::Index>(),
            at in any::<prop::sample::Index>(),
            bit in 0u8..8,
        ) {
            let (a, b) = (a.index(length as usize) as u64, b.index(length as usize) as u64);
            let range = a.min(b)..a.max(b) + 1;
            let bytes = body(length as usize);
            let plan = RangePlan::new(length, range).unwrap();
            let mut encoded = encode(&bytes, &plan);
            let at = at.index(encoded.len());
            encoded[at] ^= 1 << bit;
            let got = decode(*blake3::hash(&bytes).as_bytes(), plan, &encoded, 7_001);
            let is_found =
                matches!(got, Err(Error::GroupMismatch { .. } | Error::ProofMismatch { .. }));
            prop_assert!(is_found);
        }

        #[test]
        fn another_length_never_verifies_the_whole(length in 1u64..200_000, other in 0u64..200_000) {
            prop_assume!(length != other);
            let bytes = body(length as usize);
            let encoded = encode(&bytes, &RangePlan::whole(length).unwrap());
            let root = *blake3::hash(&bytes).as_bytes();
            prop_assert!(decode(root, RangePlan::whole(other).unwrap(), &encoded, 4_096).is_err());
        }
    }
}
