//! The proof of one slice.

use codec::{Decode, Encode};
use selvedge_primitives_types::Hash;

use crate::outboard::check_group;
use crate::shape;
use crate::tree::{self, ChainingValue};
use crate::Error;

/// Values of a slice's groups, and the path from the slice to the root.
///
/// At most 2 KiB and 32 bytes per doubling of the body. Both lists are empty for a body of one group, which is checked
/// against the root itself.
#[derive(Clone, Debug, PartialEq, Eq, Default, Encode, Decode)]
pub struct SliceProof {
    /// One value per group of the slice, in order.
    pub groups: Vec<ChainingValue>,
    /// The subtrees beside the way from the root to the slice, the highest first.
    pub path: Vec<ChainingValue>,
}

impl SliceProof {
    /// How many values the proof of a slice has: groups and path. `None` when the body has no such slice.
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

    /// The values one after the other, without lengths: root, length and slice already say how many there are.
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
    /// Errors: [`Error::ProofShape`] when there are too few or too many bytes, [`Error::OutOfBody`] when there is no
    /// such slice.
    pub fn from_bytes(length: u64, slice: u64, bytes: &[u8]) -> Result<Self, Error> {
        let (groups, path) = Self::shape(length, slice).ok_or_else(|| no_slice(length, slice))?;
        let mut values: Vec<ChainingValue> = bytes
            .chunks_exact(32)
            .filter_map(|value| value.try_into().ok())
            .collect();
        if bytes.len() % 32 != 0 || values.len() != groups + path {
            return Err(Error::ProofShape { slice });
        }
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
    /// Errors: [`Error::GroupLength`], [`Error::GroupMismatch`], or [`Error::OutOfBody`] for a group of another slice.
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
