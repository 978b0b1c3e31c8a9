//! BLAKE3 subtrees: the value of a group, and how values join.

use blake3::hazmat::{merge_subtrees_non_root, merge_subtrees_root, HasherExt, Mode};
use blake3::Hasher;
use selvedge_primitives_types::Hash;

use crate::shape;

/// The value of a BLAKE3 subtree that is not the root.
pub type ChainingValue = [u8; 32];

/// A hasher for the group that starts at `offset`, a multiple of [`shape::GROUP`].
pub(crate) fn group_hasher(offset: u64) -> Hasher {
    let mut hasher = Hasher::new();
    hasher.set_input_offset(offset);
    hasher
}

/// The value of the group that starts at `offset`; `bytes` holds 1 to [`shape::GROUP`] bytes.
pub(crate) fn group_value(offset: u64, bytes: &[u8]) -> ChainingValue {
    group_hasher(offset).update(bytes).finalize_non_root()
}

/// Joins the values of neighbouring subtrees of equal size (the last may be smaller) below the
/// root. `None` when there are none.
pub(crate) fn join(values: &[ChainingValue]) -> Option<ChainingValue> {
    match values {
        [] => None,
        [one] => Some(*one),
        _ => {
            let (left, right) = halves(values);
            Some(merge_subtrees_non_root(
                &join(left)?,
                &join(right)?,
                Mode::Hash,
            ))
        }
    }
}

/// Joins the values of all subtrees to the root. `None` when there are fewer than two: such a root
/// is hashed directly.
pub(crate) fn join_root(values: &[ChainingValue]) -> Option<Hash> {
    if values.len() < 2 {
        return None;
    }
    let (left, right) = halves(values);
    Some(root_of(&join(left)?, &join(right)?))
}

/// The parent of two subtrees, below the root.
pub(crate) fn parent_of(left: &ChainingValue, right: &ChainingValue) -> ChainingValue {
    merge_subtrees_non_root(left, right, Mode::Hash)
}

/// The root above two subtrees.
pub(crate) fn root_of(left: &ChainingValue, right: &ChainingValue) -> Hash {
    *merge_subtrees_root(left, right, Mode::Hash).as_bytes()
}

/// Splits two or more values as BLAKE3 splits its input.
pub(crate) fn halves(values: &[ChainingValue]) -> (&[ChainingValue], &[ChainingValue]) {
    values.split_at(shape::left_count(values.len() as u64) as usize)
}
