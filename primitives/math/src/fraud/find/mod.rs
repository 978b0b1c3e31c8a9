//! Finds what is wrong with a commitment, with all that its gateway shows of it.

mod built;
mod drawn;
mod opened;
mod place;
mod prove;
mod steps;

pub use drawn::{held, sample, Flaw};
pub use opened::{open_leaf, Openings};

use super::{committed, Below, Context, FraudProof};
use crate::{
    hash::Keccak256,
    tree::{leaf_digest, seal, Node, TreeKind},
};
use alloc::{boxed::Box, collections::BTreeMap, vec::Vec};
use core::fmt;
use place::Place;
use selvedge_primitives_types::{
    Entry, EntryKey, Hash, Leaf, LeafKey, TreeCommitment, UsageCommitment,
};

/// What a gateway shows of the two trees it committed to.
///
/// Nothing of it is believed: each answer has to hash to what was committed, and counts as withheld
/// otherwise. Places are those of the tree's shape: `count` items from `first`.
pub trait Shown<H> {
    /// Hash of the root node of a tree, which the commitment seals.
    fn root(&self, tree: TreeKind) -> Option<Hash>;
    /// What the node over these entries hashes.
    fn entries(&self, tree: TreeKind, first: u32, count: u32) -> Option<Below<EntryKey, Entry>>;
    /// What the node over these leaves of an entry hashes; over all of them, its `leaves_root`.
    fn leaves(
        &self,
        tree: TreeKind,
        entry: u32,
        first: u32,
        count: u32,
    ) -> Option<Below<LeafKey, Leaf>>;
}

/// Something that was committed is not shown, so nothing is known of what it says: neither that it
/// is sound nor that it is defective.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Withheld {
    /// The tree.
    pub tree: TreeKind,
    /// The entry whose leaves are not shown; `None` when it is a node over entries.
    pub entry: Option<u32>,
    /// Index of the first item below the node.
    pub first: u32,
    /// Items below it.
    pub count: u32,
}

impl fmt::Display for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            tree,
            entry,
            first,
            count,
        } = self;
        let tree = match tree {
            TreeKind::Customers => "customer",
            TreeKind::Caches => "cache",
        };
        match entry {
            Some(entry) => write!(
                f,
                "{count} leaves from {first} of entry {entry} by {tree} are not shown"
            ),
            None => write!(f, "{count} entries from {first} by {tree} are not shown"),
        }
    }
}

impl core::error::Error for Withheld {}

/// Looks at everything that is shown and returns a proof that [`verify`](super::verify) accepts, or
/// `None` when every rule holds.
///
/// Fails when nothing shown is defective but something is withheld. Takes O(n log n) time, and
/// memory for a digest per leaf; it never asks for more places than the commitment has.
pub fn find<H: Keccak256>(
    shown: &impl Shown<H>,
    commitment: &UsageCommitment,
    context: &impl Context,
) -> Result<Option<Box<FraudProof>>, Withheld> {
    let mut search = Search::<H, _, _>::new(shown, commitment, context);
    match search.run() {
        Err(proof) => Ok(Some(proof)),
        Ok(()) => search.withheld.map_or(Ok(None), Err),
    }
}

/// Ends a search when a proof is found.
type Sound = Result<(), Box<FraudProof>>;

/// Where a sound leaf stands in its tree, and what it says.
struct Seen {
    entry: u32,
    index: u32,
    digest: Hash,
}

struct Search<'a, H, V, C> {
    shown: &'a V,
    commitment: &'a UsageCommitment,
    context: &'a C,
    withheld: Option<Withheld>,
    /// The leaves of both trees by their position in the tree by customer, which both imply.
    seen: [BTreeMap<(EntryKey, LeafKey), Seen>; 2],
    hash: core::marker::PhantomData<H>,
}

impl<H: Keccak256, V: Shown<H>, C: Context> Search<'_, H, V, C> {
    fn run(&mut self) -> Sound {
        for kind in TreeKind::ALL {
            if let Some(node) = self.root(kind) {
                self.entry_nodes(kind, self.all_entries(kind), &node)?;
            }
        }
        self.compare()
    }

    /// Looks at a node over entries and at all below it.
    fn entry_nodes(&mut self, kind: TreeKind, place: Place, node: &Node<EntryKey>) -> Sound {
        let Some(below) = self.entry_node(kind, place, node)? else {
            return Ok(());
        };
        match (below, place.halves()) {
            (Below::Inner(left, right), Some(halves)) => {
                self.entry_nodes(kind, halves.0, &left)?;
                self.entry_nodes(kind, halves.1, &right)
            }
            (Below::Item(entry), None) => self.entry(kind, place.first, &entry),
            _ => Ok(()),
        }
    }

    fn entry(&mut self, kind: TreeKind, index: u32, entry: &Entry) -> Sound {
        let of = (index, entry);
        match self.leaves_root(kind, of)? {
            Some((place, below)) => self.below_leaf_node(kind, of, place, below),
            None => Ok(()),
        }
    }

    fn below_leaf_node(
        &mut self,
        kind: TreeKind,
        of: (u32, &Entry),
        place: Place,
        below: Below<LeafKey, Leaf>,
    ) -> Sound {
        match (below, place.halves()) {
            (Below::Inner(left, right), Some(halves)) => {
                self.leaf_nodes(kind, of, halves.0, &left)?;
                self.leaf_nodes(kind, of, halves.1, &right)
            }
            (Below::Item(leaf), None) => self.leaf(kind, of, place.first, &leaf),
            _ => Ok(()),
        }
    }

    /// Looks at a node over leaves of an entry, below their root, and at all below it.
    fn leaf_nodes(
        &mut self,
        kind: TreeKind,
        of: (u32, &Entry),
        place: Place,
        node: &Node<LeafKey>,
    ) -> Sound {
        match self.leaf_node(kind, of, place, node)? {
            Some(below) => self.below_leaf_node(kind, of, place, below),
            None => Ok(()),
        }
    }

    fn leaf(&mut self, kind: TreeKind, of: (u32, &Entry), index: u32, leaf: &Leaf) -> Sound {
        if self.sound_leaf(kind, of, index, leaf)?.is_some() {
            let seen = Seen {
                entry: of.0,
                index,
                digest: leaf_digest::<H>(leaf),
            };
            self.seen[kind as usize].insert(leaf.customer_position(), seen);
        }
        Ok(())
    }

    /// Compares the leaves of both trees, which are sound each for itself.
    fn compare(&mut self) -> Sound {
        for kind in TreeKind::ALL {
            let others = &self.seen[kind.other() as usize];
            let differing: Vec<(u32, u32)> = self.seen[kind as usize]
                .iter()
                .filter(|(at, leaf)| others.get(at).is_none_or(|it| it.digest != leaf.digest))
                .map(|(_, leaf)| (leaf.entry, leaf.index))
                .collect();
            // One proves it, unless what stands in its place is withheld.
            for (entry, index) in differing {
                self.found::<()>(|search| search.disagreement(kind, entry, index))?;
            }
        }
        Ok(())
    }
}

impl<'a, H: Keccak256, V: Shown<H>, C> Search<'a, H, V, C> {
    fn new(shown: &'a V, commitment: &'a UsageCommitment, context: &'a C) -> Self {
        Self {
            shown,
            commitment,
            context,
            withheld: None,
            seen: [BTreeMap::new(), BTreeMap::new()],
            hash: core::marker::PhantomData,
        }
    }

    fn all_entries(&self, kind: TreeKind) -> Place {
        Place {
            first: 0,
            count: committed(self.commitment, kind).entries,
        }
    }

    /// The root node, if it is shown.
    fn root(&mut self, kind: TreeKind) -> Option<Node<EntryKey>> {
        let TreeCommitment {
            root: sealed,
            entries,
            min,
            max,
            sum,
        } = *committed(self.commitment, kind);
        let node = self.shown.root(kind).map(|hash| Node {
            min,
            max,
            sum,
            hash,
        });
        let node = node.filter(|node| entries > 0 && seal::<H>(kind, entries, node) == sealed);
        if node.is_none() {
            self.miss(kind, None, self.all_entries(kind));
        }
        node
    }

    fn miss(&mut self, tree: TreeKind, entry: Option<u32>, place: Place) {
        self.withheld.get_or_insert(Withheld {
            tree,
            entry,
            first: place.first,
            count: place.count,
        });
    }

    /// What a node over entries hashes, if it is shown.
    fn below_entries(
        &mut self,
        kind: TreeKind,
        place: Place,
        hash: &Hash,
    ) -> Option<Below<EntryKey, Entry>> {
        let below = self.shown.entries(kind, place.first, place.count);
        let below = below.filter(|below| below.hash::<H>(kind) == *hash);
        if below.is_none() {
            self.miss(kind, None, place);
        }
        below
    }

    /// What a node over leaves hashes, if it is shown.
    fn below_leaves(
        &mut self,
        kind: TreeKind,
        entry: u32,
        place: Place,
        hash: &Hash,
    ) -> Option<Below<LeafKey, Leaf>> {
        let below = self.shown.leaves(kind, entry, place.first, place.count);
        let below = below.filter(|below| below.hash::<H>(kind) == *hash);
        if below.is_none() {
            self.miss(kind, Some(entry), place);
        }
        below
    }
}
