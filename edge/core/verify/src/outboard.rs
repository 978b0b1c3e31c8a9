//! The hash tree of a body, kept beside it.

use blake3::hazmat::HasherExt;
use blake3::Hasher;
use codec::{Decode, Encode, Input};
use selvedge_primitives_types::Hash;

use crate::proof::SliceProof;
use crate::shape::{self, GROUP, GROUPS_PER_SLICE};
use crate::tree::{self, ChainingValue};
use crate::Error;

/// Hashes a body of unknown length as it arrives.
///
/// Costs one BLAKE3 pass and 32 bytes of memory per 16 KiB.
#[derive(Clone, Debug)]
pub struct Builder {
    /// The group under way. It is closed only when a byte follows it, because a body of one group
    /// has no parents.
    group: Hasher,
    in_group: u64,
    values: Vec<ChainingValue>,
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// Nothing hashed yet.
    pub fn new() -> Self {
        Self {
            group: Hasher::new(),
            in_group: 0,
            values: Vec::new(),
        }
    }

    /// Bytes hashed so far.
    pub fn length(&self) -> u64 {
        self.values.len() as u64 * GROUP + self.in_group
    }

    /// Takes the next bytes, in pieces of any size.
    pub fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.in_group == GROUP {
                self.values.push(self.group.finalize_non_root());
                self.group = tree::group_hasher(self.values.len() as u64 * GROUP);
                self.in_group = 0;
            }
            let room = (GROUP - self.in_group) as usize;
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.group.update(now);
            self.in_group += now.len() as u64;
            bytes = later;
        }
    }

    /// The body has ended.
    pub fn finish(mut self) -> Outboard {
        let length = self.length();
        if self.values.is_empty() {
            let root = *self.group.finalize().as_bytes();
            return Outboard {
                root,
                length,
                groups: Vec::new(),
                levels: Vec::new(),
            };
        }
        self.values.push(self.group.finalize_non_root());
        let levels = levels(&self.values);
        // Two or more groups always have a root; the default is unreachable and would verify
        // nothing.
        let root = tree::join_root(&self.values).unwrap_or_default();
        Outboard {
            root,
            length,
            groups: self.values,
            levels,
        }
    }
}

/// Root, length and the value of every group of a body.
///
/// In SCALE: root, length, values of the groups (none for a body of one group). A decoded outboard
/// is consistent: its values lead to its root, and there are as many as its length demands. Whether
/// the root is the right one only a signed record can say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outboard {
    root: Hash,
    length: u64,
    groups: Vec<ChainingValue>,
    /// Values of the slices, then of what each two of them make, and so on up to below the root.
    levels: Vec<Vec<ChainingValue>>,
}

impl Outboard {
    /// The outboard of bytes that are at hand.
    pub fn of(bytes: &[u8]) -> Self {
        let mut builder = Builder::new();
        builder.push(bytes);
        builder.finish()
    }

    /// The BLAKE3 hash of the body.
    pub fn root(&self) -> &Hash {
        &self.root
    }

    /// Length of the body in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Memory that it takes, in bytes.
    pub fn size(&self) -> usize {
        core::mem::size_of::<Self>()
            + 32 * (self.groups.len() + self.levels.iter().map(Vec::len).sum::<usize>())
    }

    /// Proves a slice: its groups' values and the path from the slice to the root. `None` when
    /// there is no such slice.
    pub fn slice_proof(&self, slice: u64) -> Option<SliceProof> {
        if slice >= shape::slices(self.length) {
            return None;
        }
        if self.groups.is_empty() {
            return Some(SliceProof::default());
        }
        let groups = shape::slice_groups(self.length, slice);
        let groups = self
            .groups
            .get(groups.start as usize..groups.end as usize)?
            .to_vec();
        // One that has no neighbour on its level goes up as it is.
        let mut path: Vec<_> = (self.levels.iter().enumerate())
            .filter_map(|(level, values)| values.get((slice as usize >> level) ^ 1).copied())
            .collect();
        path.reverse();
        Some(SliceProof { groups, path })
    }

    /// Checks the bytes of one group, as read back from a disk that may have decayed.
    pub fn check_group(&self, index: u64, bytes: &[u8]) -> Result<(), Error> {
        check_group(
            &self.root,
            self.length,
            self.groups.get(index as usize),
            index,
            bytes,
        )
    }
}

/// Checks the bytes of one group against its value, or against the root where the body has no other
/// group.
pub(crate) fn check_group(
    root: &Hash,
    length: u64,
    value: Option<&ChainingValue>,
    index: u64,
    bytes: &[u8],
) -> Result<(), Error> {
    let place = shape::group_bytes(length, index);
    if index >= shape::groups(length) {
        return Err(Error::OutOfBody {
            start: place.start,
            end: place.end,
            length,
        });
    }
    let expected = (place.end - place.start) as usize;
    if bytes.len() != expected {
        return Err(Error::GroupLength {
            index,
            expected,
            actual: bytes.len(),
        });
    }
    let matches = match value {
        Some(value) => tree::group_value(place.start, bytes) == *value,
        None => shape::groups(length) == 1 && blake3::hash(bytes) == *root,
    };
    if matches {
        Ok(())
    } else {
        Err(Error::GroupMismatch { index })
    }
}

/// The subtrees of a body by levels. BLAKE3's trees are full on the left, so joining neighbours makes the same ones.
fn levels(groups: &[ChainingValue]) -> Vec<Vec<ChainingValue>> {
    let join = |values: &[ChainingValue], count| -> Vec<ChainingValue> {
        values.chunks(count).filter_map(tree::join).collect()
    };
    let mut levels = Vec::new();
    let mut level = join(groups, GROUPS_PER_SLICE as usize);
    while level.len() > 1 {
        let above = join(&level, 2);
        levels.push(level);
        level = above;
    }
    levels
}

impl Encode for Outboard {
    fn size_hint(&self) -> usize {
        48 + 32 * self.groups.len()
    }

    fn encode_to<T: codec::Output + ?Sized>(&self, dest: &mut T) {
        self.root.encode_to(dest);
        self.length.encode_to(dest);
        self.groups.encode_to(dest);
    }
}

impl Decode for Outboard {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        let root = Hash::decode(input)?;
        let length = u64::decode(input)?;
        if length > shape::MAX_BODY {
            return Err("outboard: body too long".into());
        }
        let groups = Vec::<ChainingValue>::decode(input)?;
        let expected = shape::groups(length);
        if groups.len() as u64 != if expected == 1 { 0 } else { expected } {
            return Err("outboard: number of groups does not fit the length".into());
        }
        if expected > 1 && tree::join_root(&groups) != Some(root) {
            return Err("outboard: groups do not lead to the root".into());
        }
        let levels = levels(&groups);
        Ok(Self {
            root,
            length,
            groups,
            levels,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SLICE;
    use proptest::prelude::*;

    pub(crate) fn body(length: usize, seed: u8) -> Vec<u8> {
        (0..length)
            .map(|i| (i as u32).wrapping_mul(2_654_435_761).to_le_bytes()[3] ^ seed)
            .collect()
    }

    #[test]
    fn every_slice_of_a_tree_of_any_shape_is_proven() {
        for slices in 1..=70_u64 {
            // Values stand for groups: what they are of does not matter to the tree.
            let length = slices * SLICE;
            let groups: Vec<ChainingValue> = (0..shape::groups(length))
                .map(|group| *blake3::hash(&group.to_le_bytes()).as_bytes())
                .collect();
            let root = tree::join_root(&groups).unwrap();
            let encoded = (root, length, groups).encode();
            let outboard = Outboard::decode(&mut &encoded[..]).unwrap();
            for slice in 0..slices {
                let proof = outboard.slice_proof(slice).unwrap();
                assert!(
                    proof.verify(&root, length, slice).is_ok(),
                    "{slice} of {slices}"
                );
            }
        }
    }

    #[test]
    fn the_root_is_the_plain_hash() {
        let edges = [
            0,
            1,
            1024,
            1025,
            GROUP - 1,
            GROUP,
            GROUP + 1,
            3 * GROUP,
            SLICE - 1,
            SLICE,
        ];
        let more = [
            SLICE + 1,
            SLICE + GROUP,
            2 * SLICE,
            3 * SLICE + 5 * GROUP + 7,
            5 * SLICE,
        ];
        for length in edges.into_iter().chain(more) {
            let bytes = body(length as usize, 3);
            let outboard = Outboard::of(&bytes);
            assert_eq!(outboard.root(), blake3::hash(&bytes).as_bytes(), "{length}");
            assert_eq!(outboard.length(), length);
            let again = Outboard::decode(&mut &outboard.encode()[..]).unwrap();
            assert_eq!(again, outboard);
        }
    }

    #[test]
    fn a_damaged_outboard_does_not_decode() {
        let encoded = Outboard::of(&body(40_000, 1)).encode();
        for byte in 0..encoded.len() {
            let mut bad = encoded.clone();
            bad[byte] ^= 1;
            let same_shape = match Outboard::decode(&mut &bad[..]) {
                Ok(outboard) => outboard,
                Err(_) => continue,
            };
            // Only the length can differ: it is the last group that proves it.
            assert_eq!(
                *same_shape.root(),
                *blake3::hash(&body(40_000, 1)).as_bytes()
            );
            assert_ne!(same_shape.length(), 40_000);
            let last = &body(40_000, 1)[32_768..];
            assert!(matches!(
                same_shape.check_group(2, last),
                Err(Error::GroupLength { .. })
            ));
        }
        assert!(Outboard::decode(&mut &encoded[..encoded.len() - 1]).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn pieces_do_not_matter(
            length in 0usize..200_000,
            cuts in prop::collection::vec(1usize..40_000, 1..20),
        ) {
            let bytes = body(length, 9);
            let mut builder = Builder::new();
            let mut rest = bytes.as_slice();
            for cut in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (now, later) = rest.split_at((*cut).min(rest.len()));
                builder.push(now);
                prop_assert_eq!(builder.length(), (length - later.len()) as u64);
                rest = later;
            }
            prop_assert_eq!(builder.finish(), Outboard::of(&bytes));
        }
    }
}
