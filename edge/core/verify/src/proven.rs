//! A slice behind its proof: what is uploaded and read in one piece.
//!
//! ```text
//! proof, as SliceProof::to_bytes writes it | bytes of the slice
//! ```
//!
//! It is what [`RangePlan`](crate::RangePlan) says for the range of the slice.

use bytes::Bytes;
use selvedge_primitives_types::Hash;

use crate::proof::SliceProof;
use crate::shape;
use crate::Error;

/// A slice that was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenSlice {
    /// Its number in the body.
    pub slice: u64,
    /// Its proof.
    pub proof: SliceProof,
    /// Its bytes.
    pub bytes: Bytes,
}

impl ProvenSlice {
    /// Bytes of a slice with its proof: at most [`SLICE`](crate::SLICE), 2 KiB and 32 for each doubling of the body.
    /// `None` when the body has no such slice.
    pub fn encoded_length(length: u64, slice: u64) -> Option<usize> {
        let (groups, path) = SliceProof::shape(length, slice)?;
        let place = shape::slice_bytes(length, slice);
        Some(32 * (groups + path) + (place.end - place.start) as usize)
    }

    /// Reads and verifies a slice of the body with this root and length.
    ///
    /// Errors: [`Error::OutOfBody`] when there is no such slice, [`Error::Truncated`] and [`Error::TrailingBytes`] for another length,
    /// [`Error::ProofMismatch`] and [`Error::GroupMismatch`] for what the root does not name.
    pub fn read(root: &Hash, length: u64, slice: u64, mut encoded: Bytes) -> Result<Self, Error> {
        let (expected, place) = match Self::encoded_length(length, slice) {
            Some(expected) => (expected, shape::slice_bytes(length, slice)),
            None => {
                let (start, end) = (slice, slice.saturating_add(1));
                return Err(Error::OutOfBody { start, end, length });
            }
        };
        if encoded.len() < expected {
            let missing = (expected - encoded.len()) as u64;
            return Err(Error::Truncated { missing });
        }
        if encoded.len() > expected {
            return Err(Error::TrailingBytes);
        }
        let bytes = encoded.split_off(expected - (place.end - place.start) as usize);
        let proof = SliceProof::from_bytes(length, slice, &encoded)?;
        Self::verify(root, length, slice, proof, bytes)
    }

    /// Verifies a slice of the body with this root and length.
    ///
    /// Errors: as [`ProvenSlice::read`], and [`Error::ProofShape`].
    pub fn verify(
        root: &Hash,
        length: u64,
        slice: u64,
        proof: SliceProof,
        bytes: Bytes,
    ) -> Result<Self, Error> {
        let verified = proof.clone().verify(root, length, slice)?;
        let mut rest = bytes.clone();
        for index in shape::slice_groups(length, slice) {
            let group = shape::group_bytes(length, index);
            let group = (group.end - group.start) as usize;
            let group = rest.split_to(group.min(rest.len()));
            verified.check_group(index, &group)?;
        }
        if !rest.is_empty() {
            return Err(Error::TrailingBytes);
        }
        Ok(Self {
            slice,
            proof,
            bytes,
        })
    }

    /// Writes it.
    pub fn to_bytes(&self) -> Bytes {
        let mut encoded = self.proof.to_bytes();
        encoded.extend_from_slice(&self.bytes);
        encoded.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Outboard, RangePlan, GROUP, SLICE};

    fn body(length: u64) -> Bytes {
        let bytes = (0..length as u32).map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()[3]);
        bytes.collect()
    }

    fn slice_of(bytes: &Bytes, slice: u64) -> ProvenSlice {
        let place = shape::slice_bytes(bytes.len() as u64, slice);
        ProvenSlice {
            slice,
            proof: Outboard::of(bytes).slice_proof(slice).unwrap(),
            bytes: bytes.slice(place.start as usize..place.end as usize),
        }
    }

    #[test]
    fn a_slice_is_read_as_it_was_written() {
        for length in [0, 1, GROUP, GROUP + 1, SLICE, SLICE + 1, 3 * SLICE + 5] {
            let bytes = body(length);
            let root = *Outboard::of(&bytes).root();
            for slice in 0..shape::slices(length) {
                let written = slice_of(&bytes, slice);
                let encoded = written.to_bytes();
                let expected = ProvenSlice::encoded_length(length, slice);
                assert_eq!(Some(encoded.len()), expected);
                let plan = RangePlan::new(length, shape::slice_bytes(length, slice)).unwrap();
                assert_eq!(plan.encoded_length(), encoded.len() as u64);
                let read = ProvenSlice::read(&root, length, slice, encoded);
                assert_eq!(read, Ok(written));
            }
        }
    }

    #[test]
    fn no_bit_may_differ() {
        let bytes = body(SLICE + GROUP + 1);
        let (root, length) = (*Outboard::of(&bytes).root(), bytes.len() as u64);
        let encoded = slice_of(&bytes, 1).to_bytes();
        for at in 0..encoded.len() {
            let mut changed = encoded.to_vec();
            changed[at] ^= 1 << (at % 8);
            assert!(ProvenSlice::read(&root, length, 1, changed.into()).is_err());
        }
        for (length, slice) in [(length, 0), (length, 2), (length - 1, 1), (length + 1, 1)] {
            assert!(ProvenSlice::read(&root, length, slice, encoded.clone()).is_err());
        }
        let longer = [&encoded[..], &[0]].concat().into();
        let read = |bytes| ProvenSlice::read(&root, length, 1, bytes);
        assert_eq!(read(longer), Err(Error::TrailingBytes));
        let shorter = encoded.slice(..encoded.len() - 1);
        assert_eq!(read(shorter), Err(Error::Truncated { missing: 1 }));
    }
}
