//! Where groups and slices of a body lie. All arithmetic is on byte offsets and never overflows for
//! a `u64` length.

use core::ops::Range;

/// Bytes in a chunk group: the unit that is verified.
pub const GROUP: u64 = 16 * 1024;
/// Bytes in a slice: the unit that is stored, proven and sent with one proof.
pub const SLICE: u64 = 1024 * 1024;
/// Groups in a full slice.
pub const GROUPS_PER_SLICE: u64 = SLICE / GROUP;

/// The longest body that is handled: 64 GiB, whose outboard takes 128 MiB.
pub const MAX_BODY: u64 = 64 * 1024 * 1024 * 1024;

/// Groups of a body; an empty body has one empty group, as in BLAKE3.
pub fn groups(length: u64) -> u64 {
    length.div_ceil(GROUP).max(1)
}

/// Slices of a body; an empty body has one empty slice.
pub fn slices(length: u64) -> u64 {
    length.div_ceil(SLICE).max(1)
}

/// The bytes of a group; empty when the body has no such group.
pub fn group_bytes(length: u64, group: u64) -> Range<u64> {
    clip(length, group, GROUP)
}

/// The bytes of a slice; empty when the body has no such slice.
pub fn slice_bytes(length: u64, slice: u64) -> Range<u64> {
    clip(length, slice, SLICE)
}

/// The numbers of the groups that lie in a slice; empty when the body has no such slice.
pub fn slice_groups(length: u64, slice: u64) -> Range<u64> {
    if slice >= slices(length) {
        return 0..0;
    }
    let first = slice * GROUPS_PER_SLICE;
    first..groups(length).min(first + GROUPS_PER_SLICE)
}

/// The numbers of the groups that a range of bytes touches.
pub fn range_groups(range: &Range<u64>) -> Range<u64> {
    range.start / GROUP..range.end.div_ceil(GROUP).max(range.start / GROUP + 1)
}

fn clip(length: u64, index: u64, size: u64) -> Range<u64> {
    let start = index.saturating_mul(size).min(length);
    start..start.saturating_add(size).min(length)
}

/// On the way from the root down to a slice: whether the slice lies on the left, one entry per
/// parent.
pub(crate) fn turns(slices: u64, slice: u64) -> Vec<bool> {
    let mut turns = Vec::new();
    descend(slices, slice, |is_left| turns.push(is_left));
    turns
}

/// How many parents a slice has.
pub(crate) fn depth(slices: u64, slice: u64) -> usize {
    let mut depth = 0;
    descend(slices, slice, |_| depth += 1);
    depth
}

fn descend(slices: u64, slice: u64, mut turn: impl FnMut(bool)) {
    let (mut first, mut count) = (0, slices);
    while count > 1 {
        let left = left_count(count);
        let is_left = slice < first + left;
        turn(is_left);
        if is_left {
            count = left;
        } else {
            first += left;
            count -= left;
        }
    }
}

/// How many of `count` (> 1) equal leaves stand left of the top: the largest power of two below
/// `count`.
pub(crate) fn left_count(count: u64) -> u64 {
    1 << (u64::BITS - 1 - (count - 1).leading_zeros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn left_is_the_largest_power_of_two_below() {
        for (count, left) in [
            (2, 1),
            (3, 2),
            (4, 2),
            (5, 4),
            (8, 4),
            (9, 8),
            (1 << 40, 1 << 39),
        ] {
            assert_eq!(left_count(count), left, "{count}");
        }
    }

    #[test]
    fn edges_of_a_body() {
        assert_eq!((groups(0), slices(0)), (1, 1));
        assert_eq!((groups(GROUP), groups(GROUP + 1)), (1, 2));
        assert_eq!((slices(SLICE), slices(SLICE + 1)), (1, 2));
        assert_eq!(group_bytes(GROUP + 5, 1), GROUP..GROUP + 5);
        assert_eq!(group_bytes(GROUP, 1), GROUP..GROUP);
        assert_eq!(slice_groups(SLICE + 1, 1), 64..65);
        assert_eq!(slice_groups(SLICE, 1), 0..0);
        assert_eq!(slice_bytes(u64::MAX, u64::MAX), u64::MAX..u64::MAX);
        assert_eq!(range_groups(&(GROUP - 1..GROUP + 1)), 0..2);
        assert_eq!(range_groups(&(0..0)), 0..1);
    }
}
