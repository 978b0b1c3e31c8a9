//! Makes the proof of what was found.

use super::{Place, Search, Shown};
use crate::{
    fraud::{Below, Counterpart, FraudProof, OpenedEntry, OpenedLeaf, Run},
    hash::Keccak256,
    proof::{siblings, RangeProof},
    tree::{Node, TreeKind},
};
use alloc::vec::Vec;
use selvedge_primitives_types::{Entry, EntryKey, Hash, Leaf, LeafKey};

impl<H: Keccak256, V: Shown<H>, C> Search<'_, H, V, C> {
    /// The proof that a sound leaf is not what stands in its place in the other tree.
    pub(super) fn disagreement(
        &mut self,
        kind: TreeKind,
        entry: u32,
        index: u32,
    ) -> Option<FraudProof> {
        let (_, entry_at) = self.find_entry(kind, |place, _| place.last() >= entry)?;
        let of = (entry, &entry_at);
        let (_, leaf) = self.find_leaf(kind, of, |place, _| place.last() >= index)?;
        Some(FraudProof::Disagreement {
            tree: kind,
            leaf: self.open_leaf(kind, of, index, &leaf)?,
            other: self.counterpart(kind.other(), &leaf)?,
        })
    }

    /// What stands in a leaf's place.
    fn counterpart(&mut self, kind: TreeKind, leaf: &Leaf) -> Option<Counterpart> {
        let (entry_key, leaf_key) = kind.position(leaf);
        let (index, entry) = self.find_entry(kind, |_, left| entry_key <= left.max)?;
        if entry.key != entry_key {
            let place = around(index, entry.key > entry_key, self.all_entries(kind).count);
            let first = self.entry_at(kind, place.first)?;
            let second = match place.count {
                2 => Some(self.entry_at(kind, place.last())?),
                _ => None,
            };
            return Some(Counterpart::NoEntry {
                around: Run { first, second },
                proof: self.prove_entries(kind, place)?,
            });
        }
        let of = (index, &entry);
        let (index, found) = self.find_leaf(kind, of, |_, left| leaf_key <= left.max)?;
        let found_key = kind.position(&found).1;
        let place = if found_key == leaf_key {
            Place::of(index)
        } else {
            around(index, found_key > leaf_key, entry.sum.leaves as u32)
        };
        let first = self.leaf_at(kind, of, place.first)?;
        let second = match place.count {
            2 => Some(self.leaf_at(kind, of, place.last())?),
            _ => None,
        };
        Some(Counterpart::InEntry {
            entry: self.open_entry(kind, of.0, of.1)?,
            around: Run { first, second },
            proof: self.prove_leaves(kind, of, place)?,
        })
    }

    fn entry_at(&mut self, kind: TreeKind, index: u32) -> Option<Entry> {
        self.find_entry(kind, |left, _| left.last() >= index)
            .map(|(_, entry)| entry)
    }

    fn leaf_at(&mut self, kind: TreeKind, of: (u32, &Entry), index: u32) -> Option<Leaf> {
        self.find_leaf(kind, of, |left, _| left.last() >= index)
            .map(|(_, leaf)| leaf)
    }

    /// Goes down the entry tree, to the left where `is_left` says so of the left child.
    pub(super) fn find_entry(
        &mut self,
        kind: TreeKind,
        mut is_left: impl FnMut(Place, &Node<EntryKey>) -> bool,
    ) -> Option<(u32, Entry)> {
        let mut place = self.all_entries(kind);
        let mut hash = self.root(kind)?.hash;
        loop {
            match self.below_entries(kind, place, &hash)? {
                Below::Item(entry) => return Some((place.first, entry)),
                Below::Inner(left, right) => {
                    (place, hash) = step(place, &left, &right, &mut is_left)?;
                }
            }
        }
    }

    /// Goes down the leaf tree of an entry, to the left where `is_left` says so of the left child.
    pub(super) fn find_leaf(
        &mut self,
        kind: TreeKind,
        of: (u32, &Entry),
        mut is_left: impl FnMut(Place, &Node<LeafKey>) -> bool,
    ) -> Option<(u32, Leaf)> {
        let mut place = all_leaves(of.1);
        let mut hash = of.1.leaves_root;
        loop {
            match self.below_leaves(kind, of.0, place, &hash)? {
                Below::Item(leaf) => return Some((place.first, leaf)),
                Below::Inner(left, right) => {
                    (place, hash) = step(place, &left, &right, &mut is_left)?;
                }
            }
        }
    }

    pub(super) fn open_entry(
        &mut self,
        kind: TreeKind,
        index: u32,
        entry: &Entry,
    ) -> Option<OpenedEntry> {
        let place = Place::of(index);
        Some(OpenedEntry {
            entry: *entry,
            proof: self.prove_entries(kind, place)?,
        })
    }

    pub(super) fn open_leaf(
        &mut self,
        kind: TreeKind,
        of: (u32, &Entry),
        index: u32,
        leaf: &Leaf,
    ) -> Option<OpenedLeaf> {
        let place = Place::of(index);
        Some(OpenedLeaf {
            entry: self.open_entry(kind, of.0, of.1)?,
            leaf: *leaf,
            proof: self.prove_leaves(kind, of, place)?,
        })
    }

    /// The path of a run of entries, or of a node over entries.
    pub(super) fn prove_entries(
        &mut self,
        kind: TreeKind,
        place: Place,
    ) -> Option<RangeProof<EntryKey>> {
        let root = self.root(kind)?;
        let all = self.all_entries(kind);
        prove(all, place, |at| {
            descend(root, all, at, |place, hash| {
                self.below_entries(kind, place, hash)
            })
        })
    }

    /// The path of a run of leaves, or of a node over leaves, to its entry.
    pub(super) fn prove_leaves(
        &mut self,
        kind: TreeKind,
        of: (u32, &Entry),
        place: Place,
    ) -> Option<RangeProof<LeafKey>> {
        let (index, entry) = of;
        let all = all_leaves(entry);
        if place == all {
            return prove(all, place, |_| None);
        }
        let below = self.below_leaves(kind, index, all, &entry.leaves_root)?;
        let Below::Inner(left, right) = below else {
            return None;
        };
        let halves = all.halves()?;
        prove(all, place, |at| {
            let (node, half) = if at.first < halves.1.first {
                (left, halves.0)
            } else {
                (right, halves.1)
            };
            descend(node, half, at, |place, hash| {
                self.below_leaves(kind, index, place, hash)
            })
        })
    }
}

fn all_leaves(entry: &Entry) -> Place {
    Place {
        first: 0,
        count: entry.sum.leaves as u32,
    }
}

/// The items around a key that is absent: `index` is the last one below it, or the first above it.
fn around(index: u32, is_above: bool, total: u32) -> Place {
    let first = if is_above {
        index.saturating_sub(1)
    } else {
        index
    };
    let is_inside = if is_above {
        index > 0
    } else {
        index + 1 < total
    };
    Place {
        first,
        count: if is_inside { 2 } else { 1 },
    }
}

fn step<K>(
    place: Place,
    left: &Node<K>,
    right: &Node<K>,
    mut is_left: impl FnMut(Place, &Node<K>) -> bool,
) -> Option<(Place, Hash)> {
    let halves = place.halves()?;
    Some(if is_left(halves.0, left) {
        (halves.0, left.hash)
    } else {
        (halves.1, right.hash)
    })
}

/// The proof of a place, with the nodes outside it as `node_at` tells them.
fn prove<K>(
    all: Place,
    place: Place,
    mut node_at: impl FnMut(Place) -> Option<Node<K>>,
) -> Option<RangeProof<K>> {
    let mut places = Vec::new();
    siblings(
        all.count.into(),
        place.first,
        place.count,
        |first, count| {
            places.push(Place {
                first: first as u32,
                count: count as u32,
            });
        },
    );
    let nodes = places.into_iter().map(&mut node_at);
    Some(RangeProof {
        start: place.first,
        siblings: nodes.collect::<Option<_>>()?,
    })
}

/// The node at a place, from one above it.
fn descend<K: Copy, T>(
    mut node: Node<K>,
    mut place: Place,
    at: Place,
    mut below: impl FnMut(Place, &Hash) -> Option<Below<K, T>>,
) -> Option<Node<K>> {
    while place != at {
        let Below::Inner(left, right) = below(place, &node.hash)? else {
            return None;
        };
        let halves = place.halves()?;
        (node, place) = if at.first < halves.1.first {
            (left, halves.0)
        } else {
            (right, halves.1)
        };
    }
    Some(node)
}
