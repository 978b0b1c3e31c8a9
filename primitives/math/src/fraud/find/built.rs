//! Trees that were built of leaves, as a gateway that shows all it has.

use super::{Place, Shown};
use crate::{
    fraud::Below,
    hash::Keccak256,
    tree::{TreeKind, UsageTrees},
};
use selvedge_primitives_types::{Entry, EntryKey, Hash, Leaf, LeafKey};

impl<H: Keccak256> Shown<H> for UsageTrees {
    fn root(&self, tree: TreeKind) -> Option<Hash> {
        Some(self.tree(tree).root.hash)
    }

    fn entries(&self, tree: TreeKind, first: u32, count: u32) -> Option<Below<EntryKey, Entry>> {
        if count == 1 {
            return self
                .entries(tree)
                .get(first as usize)
                .copied()
                .map(Below::Item);
        }
        let end = first.checked_add(count)?;
        if end as usize > self.entries(tree).len() {
            return None;
        }
        let (left, right) = Place { first, count }.halves()?;
        let node = |at: Place| {
            self.tree(tree)
                .node::<H>(tree, at.first.into(), at.count.into())
                .ok()
        };
        Some(Below::Inner(node(left)?, node(right)?))
    }

    fn leaves(
        &self,
        tree: TreeKind,
        entry: u32,
        first: u32,
        count: u32,
    ) -> Option<Below<LeafKey, Leaf>> {
        if count == 1 {
            return self
                .leaf_of(tree, entry as usize, first as usize)
                .map(Below::Item);
        }
        let (left, right) = Place { first, count }.halves()?;
        let node = |at: Place| {
            self.node_of_leaves::<H>(tree, entry as usize, at.first.into(), at.count.into())
        };
        Some(Below::Inner(node(left)?, node(right)?))
    }
}
