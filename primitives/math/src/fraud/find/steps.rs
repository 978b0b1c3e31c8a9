//! Looks at one thing at a time: a node, an entry, a leaf.

use super::{Place, Search, Shown};
use crate::{
    fraud::{
        judge::{entry_defect, leaf_defect, node_defect, Stated},
        Below, Context, FraudProof, Item, OpenedNode,
    },
    hash::Keccak256,
    proof::RangeProof,
    tree::{Node, TreeKind},
};
use alloc::boxed::Box;
use selvedge_primitives_types::{Entry, EntryKey, Leaf, LeafKey};

/// What is sound, or the proof that it is not; `None` when nothing is known of it.
pub(super) type Step<T> = Result<Option<T>, Box<FraudProof>>;

impl<H: Keccak256, V: Shown<H>, C: Context> Search<'_, H, V, C> {
    /// What a node over entries hashes.
    pub(super) fn entry_node(
        &mut self,
        kind: TreeKind,
        place: Place,
        node: &Node<EntryKey>,
    ) -> Step<Below<EntryKey, Entry>> {
        let Some(below) = self.below_entries(kind, place, &node.hash) else {
            return Ok(None);
        };
        let stated = Stated::by_node(node);
        if node_defect::<H, Entry>(kind, place.count.into(), &stated, &below).is_some() {
            return self.found(|search| {
                let proof = search.prove_entries(kind, place)?;
                let node = opened(*node, place, proof, below);
                Some(FraudProof::EntryNode { tree: kind, node })
            });
        }
        Ok(Some(below))
    }

    /// What the root of an entry's leaves hashes, and its place.
    pub(super) fn leaves_root(
        &mut self,
        kind: TreeKind,
        (index, entry): (u32, &Entry),
    ) -> Step<(Place, Below<LeafKey, Leaf>)> {
        if entry_defect(kind, entry, self.context).is_some() {
            return self.found(|search| {
                let entry = search.open_entry(kind, index, entry)?;
                Some(FraudProof::Entry { tree: kind, entry })
            });
        }
        // The commitment's totals bound it: what is above is sound.
        let Ok(count) = u32::try_from(entry.sum.leaves) else {
            return Ok(None);
        };
        let place = Place { first: 0, count };
        let Some(below) = self.below_leaves(kind, index, place, &entry.leaves_root) else {
            return Ok(None);
        };
        let stated = Stated::by_entry(entry);
        if node_defect::<H, Leaf>(kind, count.into(), &stated, &below).is_some() {
            return self.found(|search| {
                Some(FraudProof::LeavesRoot {
                    tree: kind,
                    entry: search.open_entry(kind, index, entry)?,
                    below,
                })
            });
        }
        Ok(Some((place, below)))
    }

    /// What a node over leaves of an entry, below their root, hashes.
    pub(super) fn leaf_node(
        &mut self,
        kind: TreeKind,
        of: (u32, &Entry),
        place: Place,
        node: &Node<LeafKey>,
    ) -> Step<Below<LeafKey, Leaf>> {
        let Some(below) = self.below_leaves(kind, of.0, place, &node.hash) else {
            return Ok(None);
        };
        let stated = Stated::by_node(node);
        if node_defect::<H, Leaf>(kind, place.count.into(), &stated, &below).is_some() {
            return self.found(|search| {
                let proof = search.prove_leaves(kind, of, place)?;
                Some(FraudProof::LeafNode {
                    tree: kind,
                    entry: search.open_entry(kind, of.0, of.1)?,
                    node: opened(*node, place, proof, below),
                })
            });
        }
        Ok(Some(below))
    }

    /// A leaf that breaks no rule.
    pub(super) fn sound_leaf(
        &mut self,
        kind: TreeKind,
        of: (u32, &Entry),
        index: u32,
        leaf: &Leaf,
    ) -> Step<()> {
        if leaf_defect(kind, self.commitment, of.1, leaf, self.context).is_some() {
            return self.found(|search| {
                let leaf = search.open_leaf(kind, of, index, leaf)?;
                Some(FraudProof::Leaf { tree: kind, leaf })
            });
        }
        Ok(Some(()))
    }

    /// Ends the search with a proof. A gateway that shows a place once and not again has withheld
    /// it, which is noted by then.
    pub(super) fn found<T>(
        &mut self,
        prove: impl FnOnce(&mut Self) -> Option<FraudProof>,
    ) -> Step<T> {
        prove(self).map_or(Ok(None), |proof| Err(Box::new(proof)))
    }
}

fn opened<T: Item>(
    node: Node<T::Key>,
    place: Place,
    proof: RangeProof<T::Key>,
    below: Below<T::Key, T>,
) -> OpenedNode<T::Key, T> {
    OpenedNode {
        node,
        count: place.count,
        proof,
        below,
    }
}
