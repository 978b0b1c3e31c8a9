//! What a fraud proof shows of a commitment: items and nodes with their paths to a committed root.
//!
//! Every path is a [`RangeProof`], which decodes at most 64 siblings and is climbed in at most 64
//! steps. An opening says nothing of what it shows but that it stands there.

use super::NotFraud;
use crate::{
    draw::{locate, Place},
    hash::Keccak256,
    proof::{open_entry_node, open_leaf_node, open_leaves, verify_entries, RangeProof},
    tree::{entry_node, inner_hash, leaf_node, Level, Node, TreeKind},
};
use codec::{Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;
use selvedge_primitives_types::{Entry, EntryKey, Hash, Leaf, LeafKey, TreeCommitment};

/// One item, or two that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Run<T> {
    /// The item at the start of the run's proof.
    pub first: T,
    /// The one after it.
    pub second: Option<T>,
}

impl<T: Copy> Run<T> {
    /// The last of the run.
    pub fn last(&self) -> T {
        self.second.unwrap_or(self.first)
    }

    /// Calls `with` with the items in their order.
    pub(super) fn with_items<R>(&self, with: impl FnOnce(&[T]) -> R) -> R {
        match self.second {
            None => with(&[self.first]),
            Some(second) => with(&[self.first, second]),
        }
    }
}

/// What a node hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[expect(
    clippy::large_enum_variant,
    reason = "an item is as large as two nodes, whatever it is"
)]
pub enum Below<K, T> {
    /// Two nodes, left and right.
    #[codec(index = 0)]
    Inner(Node<K>, Node<K>),
    /// An entry or a leaf.
    #[codec(index = 1)]
    Item(T),
}

/// What a tree is made of: entries, or the leaves of one.
pub trait Item: Copy {
    /// Its position.
    type Key: Copy + Ord + Encode;
    /// The storey its nodes belong to.
    const LEVEL: Level;
    /// Its node.
    fn node<H: Keccak256>(&self, kind: TreeKind) -> Node<Self::Key>;
}

impl Item for Entry {
    type Key = EntryKey;
    const LEVEL: Level = Level::Entries;
    fn node<H: Keccak256>(&self, kind: TreeKind) -> Node<EntryKey> {
        entry_node::<H>(kind, self)
    }
}

impl Item for Leaf {
    type Key = LeafKey;
    const LEVEL: Level = Level::Leaves;
    fn node<H: Keccak256>(&self, kind: TreeKind) -> Node<LeafKey> {
        leaf_node::<H>(kind, self)
    }
}

impl<T: Item> Below<T::Key, T> {
    /// The hash of a node with this below it.
    pub fn hash<H: Keccak256>(&self, kind: TreeKind) -> Hash {
        match self {
            Self::Inner(left, right) => inner_hash::<H, _>(kind, T::LEVEL, left, right),
            Self::Item(item) => item.node::<H>(kind).hash,
        }
    }
}

/// A node with what it hashes.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct OpenedNode<K, T> {
    /// The node as the one above it states it.
    pub node: Node<K>,
    /// Items below it.
    pub count: u32,
    /// Its path; `start` is the index of the first item below it.
    pub proof: RangeProof<K>,
    /// What it hashes.
    pub below: Below<K, T>,
}

/// An entry of a committed tree.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct OpenedEntry {
    /// The entry.
    pub entry: Entry,
    /// Its path.
    pub proof: RangeProof<EntryKey>,
}

/// A leaf of a committed tree.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct OpenedLeaf {
    /// The entry it stands in.
    pub entry: OpenedEntry,
    /// The leaf.
    pub leaf: Leaf,
    /// Its path to the entry's `leaves_root`.
    pub proof: RangeProof<LeafKey>,
}

/// What stands in the other tree where a leaf should.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[expect(
    clippy::large_enum_variant,
    reason = "it is boxed with the proof that holds it"
)]
pub enum Counterpart {
    /// No entry: the two entries around its key, or the one beyond which the tree ends.
    #[codec(index = 0)]
    NoEntry {
        /// The entries around the key.
        around: Run<Entry>,
        /// Their path.
        proof: RangeProof<EntryKey>,
    },
    /// The entry, with what stands in the leaf's place: another leaf, or the two leaves around it,
    /// or the one beyond which the entry ends.
    #[codec(index = 1)]
    InEntry {
        /// The entry.
        entry: OpenedEntry,
        /// The leaf in its place, or those around it.
        around: Run<Leaf>,
        /// Their path to the entry's `leaves_root`.
        proof: RangeProof<LeafKey>,
    },
}

impl OpenedEntry {
    pub(super) fn check<H: Keccak256>(
        &self,
        kind: TreeKind,
        tree: &TreeCommitment,
    ) -> Result<(), NotFraud> {
        Ok(verify_entries::<H>(kind, tree, &[self.entry], &self.proof)?)
    }
}

impl OpenedLeaf {
    pub(super) fn check<H: Keccak256>(
        &self,
        kind: TreeKind,
        tree: &TreeCommitment,
    ) -> Result<(), NotFraud> {
        self.entry.check::<H>(kind, tree)?;
        Ok(open_leaves::<H>(
            kind,
            &self.entry.entry,
            &[self.leaf],
            &self.proof,
        )?)
    }
}

impl OpenedLeaf {
    /// Whether it is the leaf that a place means in the order of the tree it is opened in.
    ///
    /// Says nothing of whether it stands there at all: ask that first, with [`verify`](super::verify).
    pub fn is_at(&self, tree: &TreeCommitment, at: Place) -> bool {
        let sum = &self.entry.entry.sum;
        let leaves = self.proof.before(sum.leaves);
        let (before, at) = match at {
            Place::Entry { entry, .. } if entry != self.entry.proof.start => return false,
            Place::Entry { .. } => (leaves, at.inside(sum)),
            _ => {
                let entries = self.entry.proof.before(tree.entries.into());
                let before = entries
                    .zip(leaves)
                    .and_then(|(entries, leaves)| entries.checked_add(&leaves));
                (before, at)
            }
        };
        before.is_some_and(|before| {
            locate([&before, &self.leaf.sum()], at).is_some_and(|(found, _)| found == 1)
        })
    }
}

impl OpenedNode<EntryKey, Entry> {
    pub(super) fn check<H: Keccak256>(
        &self,
        kind: TreeKind,
        tree: &TreeCommitment,
    ) -> Result<(), NotFraud> {
        open_entry_node::<H>(kind, tree, &self.node, self.count, &self.proof)?;
        self.check_below::<H>(kind)
    }
}

impl OpenedNode<LeafKey, Leaf> {
    pub(super) fn check<H: Keccak256>(
        &self,
        kind: TreeKind,
        entry: &Entry,
    ) -> Result<(), NotFraud> {
        if u64::from(self.count) >= entry.sum.leaves {
            return Err(NotFraud::NotInner);
        }
        open_leaf_node::<H>(kind, entry, &self.node, self.count, &self.proof)?;
        self.check_below::<H>(kind)
    }
}

impl<T: Item> OpenedNode<T::Key, T> {
    fn check_below<H: Keccak256>(&self, kind: TreeKind) -> Result<(), NotFraud> {
        if self.below.hash::<H>(kind) == self.node.hash {
            Ok(())
        } else {
            Err(NotFraud::NotBelow)
        }
    }
}
