//! Nodes of a row that are kept, so that a proof recomputes few.

use super::{root, Level, Node, TreeError, TreeKind};
use crate::hash::Keccak256;
use alloc::vec::Vec;
use codec::Encode;
use core::ops::Range;

/// Items below one kept node: a proof recomputes the nodes below it and looks up the others.
pub(super) const BUCKET: usize = 16;

/// Nodes over `BUCKET << i` items, up to the root alone; none for a row of one bucket.
#[derive(Clone, Debug)]
pub(super) struct Kept<K>(Vec<Vec<Node<K>>>);

impl<K: Copy + Ord + Encode> Kept<K> {
    /// Adds up a row of `count` items, of which `nodes` makes any run. Returns its root too.
    pub(super) fn build<H: Keccak256>(
        kind: TreeKind,
        level: Level,
        count: usize,
        nodes: impl Fn(Range<usize>) -> Vec<Node<K>>,
    ) -> Result<(Self, Node<K>), TreeError> {
        let mut top = (0..count)
            .step_by(BUCKET)
            .map(|first| {
                let run = first..count.min(first + BUCKET);
                root::<H, _>(kind, level, &nodes(run))
            })
            .collect::<Result<Vec<_>, _>>()?;
        if count <= BUCKET {
            let root = *top.first().ok_or(TreeError::Empty)?;
            return Ok((Self(Vec::new()), root));
        }
        let mut rows = Vec::new();
        loop {
            // Pairs from the left with an odd last node carried up give the shape of RFC 6962.
            let next = top
                .chunks(2)
                .map(|pair| root::<H, _>(kind, level, pair))
                .collect::<Result<Vec<_>, _>>()?;
            rows.push(top);
            if let [root] = next.as_slice() {
                let root = *root;
                rows.push(next);
                return Ok((Self(rows), root));
            }
            top = next;
        }
    }

    /// The node over the `count` items from `first`, a subtree of the row's shape.
    pub(super) fn node<H: Keccak256>(
        &self,
        kind: TreeKind,
        level: Level,
        (first, count): (u64, u64),
        nodes: impl Fn(Range<usize>) -> Vec<Node<K>>,
    ) -> Result<Node<K>, TreeError> {
        if count <= BUCKET as u64 {
            let first = first as usize;
            return root::<H, _>(kind, level, &nodes(first..first + count as usize));
        }
        let height = count.next_power_of_two().trailing_zeros();
        let row = (height - BUCKET.trailing_zeros()) as usize;
        Ok(self.0[row][(first >> height) as usize])
    }
}
