//! The proof of one slice.

use codec::{Decode, Encode};
use selvedge_primitives_types::Hash;

use crate::outboard::check_group;
use crate::shape;
use crate::tree::{self, ChainingValue};
use crate::Error;

/// Values of a slice's groups, and the path from the slice to the root.
///
/// At most 2 KiB and 32 bytes per doubling of the body. Both lists are empty for a body of one
/// group, which is checked against the root itself.
#[derive(Clone, Debug, PartialEq, Eq, Default, Encode, Decode)]
pub struct SliceProof {
    /// One value per group of the slice, in order.
    pub groups: Vec<ChainingValue>,
    /// The subtrees beside the way from the root to the slice, the highest first.
    pub path: Vec<ChainingValue>,
}

impl SliceProof {
    /// How many values the proof of a slice has: groups and path. `None` when the body has no such
    /// slice.
    pub fn shape(length: u64, slice: u64) -> Option<(usize, usize)> {
        if slice >= shape::slices(length) {
            return None;
        }
        if shape::groups(length) == 1 {
            return Some((0, 0));
        }
        let groups = shape::slice_groups(length, slice);
        let path = shape::depth(shape::slices(length), slice);
        Some(((groups.end - groups.start) as usize, path))
    }

    /// The values one after the other, without lengths: root, length and slice already say how many
    /// there are.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.groups
            .iter()
            .chain(&self.path)
            .flatten()
            .copied()
            .collect()
    }

    /// Reads what [`SliceProof::to_bytes`] wrote.
    ///
    /// Errors: [`Error::ProofShape`] when there are too few or too many bytes, [`Error::OutOfBody`]
    /// when there is no such slice.
    pub fn from_bytes(length: u64, slice: u64, bytes: &[u8]) -> Result<Self, Error> {
        let (groups, path) = Self::shape(length, slice).ok_or_else(|| no_slice(length, slice))?;
        let (values, rest) = bytes.as_chunks::<32>();
        if !rest.is_empty() || values.len() != groups + path {
            return Err(Error::ProofShape { slice });
        }
        let mut values = values.to_vec();
        let path = values.split_off(groups);
        Ok(Self {
            groups: values,
            path,
        })
    }

    /// Checks that the proof leads from the slice to the root of a body of this length.
    ///
    /// Errors: [`Error::ProofShape`], [`Error::ProofMismatch`] or [`Error::OutOfBody`].
    pub fn verify(self, root: &Hash, length: u64, slice: u64) -> Result<VerifiedSlice, Error> {
        let (groups, path) = Self::shape(length, slice).ok_or_else(|| no_slice(length, slice))?;
        if (self.groups.len(), self.path.len()) != (groups, path) {
            return Err(Error::ProofShape { slice });
        }
        if shape::groups(length) > 1 && self.root(length, slice) != Some(*root) {
            return Err(Error::ProofMismatch { slice });
        }
        let first = shape::slice_groups(length, slice).start;
        Ok(VerifiedSlice {
            root: *root,
            length,
            first,
            groups: self.groups,
        })
    }

    fn root(&self, length: u64, slice: u64) -> Option<Hash> {
        let turns = shape::turns(shape::slices(length), slice);
        let mut way = self.path.iter().zip(turns);
        let Some((top, top_is_left)) = way.next() else {
            return tree::join_root(&self.groups);
        };
        let below = way
            .rev()
            .try_fold(tree::join(&self.groups)?, |value, (beside, is_left)| {
                Some(if is_left {
                    tree::parent_of(&value, beside)
                } else {
                    tree::parent_of(beside, &value)
                })
            })?;
        Some(if top_is_left {
            tree::root_of(&below, top)
        } else {
            tree::root_of(top, &below)
        })
    }
}

fn no_slice(length: u64, slice: u64) -> Error {
    let bytes = shape::slice_bytes(length, slice);
    Error::OutOfBody {
        start: bytes.start,
        end: bytes.end,
        length,
    }
}

/// A slice whose groups can be checked one by one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedSlice {
    root: Hash,
    length: u64,
    first: u64,
    groups: Vec<ChainingValue>,
}

impl VerifiedSlice {
    /// Checks the bytes of a group of this slice; `index` counts from the start of the body.
    ///
    /// Errors: [`Error::GroupLength`], [`Error::GroupMismatch`], or [`Error::OutOfBody`] for a
    /// group of another slice.
    pub fn check_group(&self, index: u64, bytes: &[u8]) -> Result<(), Error> {
        let within = index.checked_sub(self.first);
        let value = within.and_then(|within| self.groups.get(within as usize));
        if value.is_none() && (shape::groups(self.length) > 1 || index != 0) {
            let place = shape::group_bytes(self.length, index);
            return Err(Error::OutOfBody {
                start: place.start,
                end: place.end,
                length: self.length,
            });
        }
        check_group(&self.root, self.length, value, index, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Outboard, GROUP, SLICE};

    fn body(length: u64) -> Vec<u8> {
        (0..length as u32)
            .map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()[3])
            .collect()
    }

    #[test]
    fn every_slice_of_a_tree_with_uneven_sides_is_proven() {
        let bytes = body(10 * SLICE + 3 * GROUP + 7);
        let (outboard, length) = (Outboard::of(&bytes), bytes.len() as u64);
        for slice in 0..11 {
            let proof = outboard.slice_proof(slice).unwrap();
            let verified = proof
                .clone()
                .verify(outboard.root(), length, slice)
                .unwrap();
            for index in shape::slice_groups(length, slice) {
                let place = shape::group_bytes(length, index);
                let group = &bytes[place.start as usize..place.end as usize];
                verified.check_group(index, group).unwrap();
                let wrong = verified.check_group(index, &vec![0; group.len()]);
                assert_eq!(wrong, Err(Error::GroupMismatch { index }));
            }
            // The proof of one slice is none of another, even where it has the same shape.
            let other = (slice + 1) % 11;
            assert!(proof.verify(outboard.root(), length, other).is_err());
            let outside = shape::slice_groups(length, other).start;
            assert!(matches!(
                verified.check_group(outside, &bytes[..GROUP as usize]),
                Err(Error::OutOfBody { .. })
            ));
        }
        assert_eq!(outboard.slice_proof(11), None);
    }

    #[test]
    fn a_proof_has_one_shape() {
        let bytes = body(3 * SLICE);
        let (outboard, length) = (Outboard::of(&bytes), bytes.len() as u64);
        let proof = outboard.slice_proof(1).unwrap();
        let encoded = proof.to_bytes();
        assert_eq!(
            SliceProof::from_bytes(length, 1, &encoded),
            Ok(proof.clone())
        );
        for cut in [0, 31, encoded.len() - 1, encoded.len() - 32] {
            let shorter = SliceProof::from_bytes(length, 1, &encoded[..cut]);
            assert_eq!(shorter, Err(Error::ProofShape { slice: 1 }));
        }
        let mut longer = proof.clone();
        longer.path.push([0; 32]);
        assert_eq!(
            longer.verify(outboard.root(), length, 1),
            Err(Error::ProofShape { slice: 1 })
        );
        let mut moved = proof;
        let value = moved.path.remove(0);
        moved.groups.push(value);
        assert_eq!(
            moved.verify(outboard.root(), length, 1),
            Err(Error::ProofShape { slice: 1 })
        );
    }

    /// Nodes of different versions exchange and keep these bytes. Computed apart, by a BLAKE3
    /// compression function in Python.
    #[test]
    fn wire_and_disk_forms_are_fixed_for_good() {
        use codec::Encode;
        let bytes = body(SLICE + 2 * GROUP + 5);
        let outboard = Outboard::of(&bytes);
        let digest = |bytes: &[u8]| blake3::hash(bytes).to_hex()[..16].to_owned();
        let proofs = [0, 1].map(|slice| outboard.slice_proof(slice).unwrap().to_bytes());
        assert_eq!(
            [
                digest(&outboard.encode()),
                digest(&proofs[0]),
                digest(&proofs[1])
            ],
            ["23021e45c453e99b", "e5d4300f7bd1deb5", "084944f93bf902c1"]
        );
    }
}
