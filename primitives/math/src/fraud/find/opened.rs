//! What a gateway shows of its trees for drawn leaves.

use super::{place::Place, Search, Shown};
use crate::{
    draw::{Draw, Place as At},
    fraud::{committed, Below, OpenedLeaf},
    hash::Keccak256,
    tree::{Node, TreeKind},
};
use alloc::collections::BTreeMap;
use codec::{Decode, Encode};
use core::cell::RefCell;
use selvedge_primitives_types::{Entry, EntryKey, Hash, Leaf, LeafKey, UsageCommitment};

/// The nodes of both trees on the ways from the roots to drawn leaves, where each stands in its own
/// tree and in the other.
///
/// Every node shows both of its children, so that whatever is wrong with one is seen, and proven:
/// a path of siblings alone would only fail to climb.
#[derive(Clone, Debug, PartialEq, Eq, Default, Encode, Decode)]
pub struct Openings {
    /// Hashes of the root nodes.
    pub roots: BTreeMap<TreeKind, Hash>,
    /// What nodes over entries hash, by tree, first entry and number of entries.
    pub entries: BTreeMap<(TreeKind, u32, u32), Below<EntryKey, Entry>>,
    /// What nodes over leaves hash, by tree, entry, first leaf and number of leaves.
    pub leaves: BTreeMap<(TreeKind, u32, u32, u32), Below<LeafKey, Leaf>>,
}

impl Openings {
    /// Opens drawn leaves of all that is shown; draws beyond its end open nothing.
    pub fn of<H: Keccak256>(
        shown: &impl Shown<H>,
        commitment: &UsageCommitment,
        draws: &[Draw],
    ) -> Self {
        let recorder = Recorder {
            shown,
            openings: RefCell::default(),
        };
        let mut search = Search::<H, _, _>::new(&recorder, commitment, &());
        for draw in draws {
            if let Some((_, _, leaf)) = search.walk_to(draw) {
                search.walk_by_key(draw.tree.other(), &leaf);
            }
        }
        recorder.openings.into_inner()
    }
}

impl<H> Shown<H> for Openings {
    fn root(&self, tree: TreeKind) -> Option<Hash> {
        self.roots.get(&tree).copied()
    }

    fn entries(&self, tree: TreeKind, first: u32, count: u32) -> Option<Below<EntryKey, Entry>> {
        self.entries.get(&(tree, first, count)).copied()
    }

    fn leaves(
        &self,
        tree: TreeKind,
        entry: u32,
        first: u32,
        count: u32,
    ) -> Option<Below<LeafKey, Leaf>> {
        self.leaves.get(&(tree, entry, first, count)).copied()
    }
}

/// Opens one drawn leaf with its path, as the chain checks it; `None` when it is not shown or there
/// is none.
pub fn open_leaf<H: Keccak256>(
    shown: &impl Shown<H>,
    commitment: &UsageCommitment,
    draw: &Draw,
) -> Option<OpenedLeaf> {
    let mut search = Search::<H, _, _>::new(shown, commitment, &());
    let ((index, entry), place, leaf) = search.walk_to(draw)?;
    search.open_leaf(draw.tree, (index, &entry), place, &leaf)
}

/// Notes what is asked for.
struct Recorder<'a, V> {
    shown: &'a V,
    openings: RefCell<Openings>,
}

impl<H, V: Shown<H>> Shown<H> for Recorder<'_, V> {
    fn root(&self, tree: TreeKind) -> Option<Hash> {
        let hash = self.shown.root(tree)?;
        self.openings.borrow_mut().roots.insert(tree, hash);
        Some(hash)
    }

    fn entries(&self, tree: TreeKind, first: u32, count: u32) -> Option<Below<EntryKey, Entry>> {
        let key = (tree, first, count);
        let known = self.openings.borrow().entries.get(&key).copied();
        if known.is_some() {
            return known;
        }
        let below = self.shown.entries(tree, first, count)?;
        self.openings.borrow_mut().entries.insert(key, below);
        Some(below)
    }

    fn leaves(
        &self,
        tree: TreeKind,
        entry: u32,
        first: u32,
        count: u32,
    ) -> Option<Below<LeafKey, Leaf>> {
        let key = (tree, entry, first, count);
        let known = self.openings.borrow().leaves.get(&key).copied();
        if known.is_some() {
            return known;
        }
        let below = self.shown.leaves(tree, entry, first, count)?;
        self.openings.borrow_mut().leaves.insert(key, below);
        Some(below)
    }
}

impl<H: Keccak256, V: Shown<H>, C> Search<'_, H, V, C> {
    /// The entry, the index and the leaf that a draw means.
    fn walk_to(&mut self, draw: &Draw) -> Option<((u32, Entry), u32, Leaf)> {
        let mut at = draw.at;
        let total = committed(self.commitment, draw.tree).sum;
        // Beyond the end every step would go to the right.
        let entries = committed(self.commitment, draw.tree).entries;
        at.in_or_after(&total, entries).ok()?;
        let (index, entry) =
            self.find_entry(draw.tree, |place, left| is_left(&mut at, place, left))?;
        at = at.inside(&entry.sum);
        let of = (index, &entry);
        let (place, leaf) =
            self.find_leaf(draw.tree, of, |place, left| is_left(&mut at, place, left))?;
        Some(((index, entry), place, leaf))
    }

    fn walk_by_key(&mut self, kind: TreeKind, leaf: &Leaf) -> Option<Leaf> {
        let (entry_key, leaf_key) = kind.position(leaf);
        let (index, entry) = self.find_entry(kind, |_, left| entry_key <= left.max)?;
        let of = (index, &entry);
        let (_, leaf) = self.find_leaf(kind, of, |_, left| leaf_key <= left.max)?;
        Some(leaf)
    }
}

/// Whether a place falls into the left one of two nodes; otherwise it is counted from that one's
/// end.
fn is_left<K>(at: &mut At, place: Place, left: &Node<K>) -> bool {
    match at.in_or_after(&left.sum, place.count) {
        Ok(_) => true,
        Err(rest) => {
            *at = rest;
            false
        }
    }
}
