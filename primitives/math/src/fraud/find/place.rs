//! Places in the shape of a tree.

use crate::tree::split;

/// A node's place: index of its first item and their number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) first: u32,
    pub(super) count: u32,
}

impl Place {
    /// The place of one item.
    pub(super) fn of(item: u32) -> Self {
        Self {
            first: item,
            count: 1,
        }
    }

    /// Where its children stand; `None` for an item.
    pub(super) fn halves(self) -> Option<(Self, Self)> {
        if self.count < 2 {
            return None;
        }
        let half = split(self.count.into()) as u32;
        let left = Self {
            first: self.first,
            count: half,
        };
        let right = Self {
            first: self.first + half,
            count: self.count - half,
        };
        Some((left, right))
    }

    pub(super) fn last(self) -> u32 {
        self.first + self.count - 1
    }
}
