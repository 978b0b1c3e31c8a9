//! The two usage trees of a gateway's epoch: two-level Merkle-sum trees over the same leaves.
//!
//! ```text
//! leaf tree of an entry                          entry tree
//!   node  = {min, max, sum, hash}                  node = {min, max, sum, hash}
//!   leaf  : keccak(d ‖ leaf digest)                entry: keccak(d ‖ SCALE(entry))
//!   inner : keccak(d ‖ SCALE(left) ‖ SCALE(right)) inner: keccak(d ‖ SCALE(left) ‖ SCALE(right))
//! leaf digest = keccak(0x00 ‖ SCALE(leaf))         entry = {key, sum, root of its leaf tree}
//!
//! committed root = keccak(d ‖ number of entries ‖ SCALE(root node of the entry tree))
//! ```
//!
//! `d` is one byte: `0x10` in the tree by customer, `0x20` in the tree by cache, plus 1 for a leaf,
//! 2 inside a leaf tree, 3 for an entry, 4 inside the entry tree, 5 for the committed root. An
//! inner hash covers its children *with* their ranges and sums, so that neither can be stated
//! differently below the same root. The shape is that of RFC 6962 §2.1: a tree of `n` splits at the
//! largest power of two below `n`.

mod kept;

use crate::{
    hash::Keccak256,
    proof::{siblings, RangeProof},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use kept::Kept;
use scale_info::TypeInfo;
use selvedge_primitives_types::{
    DeviceId, Entry, EntryKey, Epoch, Hash, Leaf, LeafKey, Sum, TreeCommitment, UsageCommitment,
};

/// A node of a Merkle-sum tree; `K` is [`EntryKey`] or [`LeafKey`].
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Node<K> {
    /// Lowest key below.
    pub min: K,
    /// Highest key below.
    pub max: K,
    /// What the leaves below add up to.
    pub sum: Sum,
    /// Hash of what is below.
    pub hash: Hash,
}

/// Which of the two trees.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum TreeKind {
    /// Entries by (customer, service).
    #[codec(index = 0)]
    Customers,
    /// Entries by cache.
    #[codec(index = 1)]
    Caches,
}

/// Which of a tree's two storeys a node belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The leaves of one entry.
    Leaves,
    /// The entries.
    Entries,
}

const LEAF_DIGEST: u8 = 0x00;

impl TreeKind {
    /// Both trees.
    pub const ALL: [Self; 2] = [Self::Customers, Self::Caches];

    fn domain(self) -> u8 {
        match self {
            Self::Customers => 0x10,
            Self::Caches => 0x20,
        }
    }

    /// The tree that holds the same leaves.
    pub fn other(self) -> Self {
        match self {
            Self::Customers => Self::Caches,
            Self::Caches => Self::Customers,
        }
    }

    /// Where a leaf stands in this tree.
    pub fn position(self, leaf: &Leaf) -> (EntryKey, LeafKey) {
        match self {
            Self::Customers => leaf.customer_position(),
            Self::Caches => leaf.cache_position(),
        }
    }
}

/// Why nodes do not form a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeError {
    /// There are no nodes: an epoch without use has no commitment.
    Empty,
    /// A key occurs twice or is not above the key before it.
    OutOfOrder,
    /// A sum left the range of its type.
    Overflow,
    /// More than 2^32 - 1 leaves.
    TooManyLeaves,
    /// A leaf's slice lies outside the epoch.
    SliceOutOfEpoch,
    /// Leaves of more than one gateway or epoch.
    Mixed,
}

impl fmt::Display for TreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "a tree needs at least one node",
            Self::OutOfOrder => "a key occurs twice or is not above the key before it",
            Self::Overflow => "the sum of two nodes is out of range",
            Self::TooManyLeaves => "a tree holds at most 2^32 - 1 leaves",
            Self::SliceOutOfEpoch => "the slice of a leaf lies outside the epoch",
            Self::Mixed => "the leaves are of more than one gateway or epoch",
        })
    }
}

impl core::error::Error for TreeError {}

/// Digest of a leaf with its cache's signature; the same in both trees.
pub fn leaf_digest<H: Keccak256>(leaf: &Leaf) -> Hash {
    hash_of::<H>(LEAF_DIGEST, leaf)
}

/// The node of a leaf.
pub fn leaf_node<H: Keccak256>(kind: TreeKind, leaf: &Leaf) -> Node<LeafKey> {
    let (_, key) = kind.position(leaf);
    let hash = hash_of::<H>(kind.domain() + 1, &leaf_digest::<H>(leaf));
    Node {
        min: key,
        max: key,
        sum: leaf.sum(),
        hash,
    }
}

/// The node of an entry.
pub fn entry_node<H: Keccak256>(kind: TreeKind, entry: &Entry) -> Node<EntryKey> {
    let hash = hash_of::<H>(kind.domain() + 3, entry);
    Node {
        min: entry.key,
        max: entry.key,
        sum: entry.sum,
        hash,
    }
}

/// The parent of two nodes: the right one's keys must all lie above the left one's, and the sums
/// must fit.
pub fn merge<H: Keccak256, K: Copy + Ord + Encode>(
    kind: TreeKind,
    level: Level,
    left: &Node<K>,
    right: &Node<K>,
) -> Result<Node<K>, TreeError> {
    if left.min > left.max || left.max >= right.min || right.min > right.max {
        return Err(TreeError::OutOfOrder);
    }
    let sum = left
        .sum
        .checked_add(&right.sum)
        .ok_or(TreeError::Overflow)?;
    Ok(Node {
        min: left.min,
        max: right.max,
        sum,
        hash: inner_hash::<H, K>(kind, level, left, right),
    })
}

/// The hash of the parent of two nodes, whatever they are.
pub fn inner_hash<H: Keccak256, K: Encode>(
    kind: TreeKind,
    level: Level,
    left: &Node<K>,
    right: &Node<K>,
) -> Hash {
    let inside = match level {
        Level::Leaves => 2,
        Level::Entries => 4,
    };
    hash_of::<H>(kind.domain() + inside, &(left, right))
}

/// The root over `nodes` in their order.
pub fn root<H: Keccak256, K: Copy + Ord + Encode>(
    kind: TreeKind,
    level: Level,
    nodes: &[Node<K>],
) -> Result<Node<K>, TreeError> {
    match nodes {
        [] => Err(TreeError::Empty),
        [node] => Ok(*node),
        _ => {
            let (left, right) = nodes.split_at(split(nodes.len() as u64) as usize);
            merge::<H, K>(
                kind,
                level,
                &root::<H, K>(kind, level, left)?,
                &root::<H, K>(kind, level, right)?,
            )
        }
    }
}

/// What a commitment calls the root of a tree: it covers the number of entries, which the nodes do
/// not, since proofs of one entry look alike in trees of different size.
pub fn seal<H: Keccak256>(kind: TreeKind, entries: u32, root: &Node<EntryKey>) -> Hash {
    hash_of::<H>(kind.domain() + 5, &(entries, root))
}

/// Where a tree of `n > 1` splits: the largest power of two below `n`.
pub(crate) fn split(n: u64) -> u64 {
    n.next_power_of_two() / 2
}

fn hash_of<H: Keccak256>(domain: u8, value: &impl Encode) -> Hash {
    let mut bytes = Vec::with_capacity(1 + value.size_hint());
    bytes.push(domain);
    value.encode_to(&mut bytes);
    H::hash(&bytes)
}

/// One tree over leaves that are kept elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    entries: Vec<Entry>,
    /// Indices of the leaves in this tree's order.
    order: Vec<u32>,
    /// Where each entry's leaves begin in `order`, and its end.
    bounds: Vec<usize>,
    kept: Kept<EntryKey>,
    /// Of the leaves of each entry.
    kept_leaves: Vec<Kept<LeafKey>>,
    pub(crate) root: Node<EntryKey>,
    sealed: Hash,
}

impl Tree {
    fn build<H: Keccak256>(kind: TreeKind, leaves: &[Leaf]) -> Result<Self, TreeError> {
        let count = u32::try_from(leaves.len()).map_err(|_| TreeError::TooManyLeaves)?;
        let mut order: Vec<u32> = (0..count).collect();
        order.sort_by_cached_key(|index| kind.position(&leaves[*index as usize]));

        let mut entries = Vec::new();
        let mut bounds = Vec::from([0]);
        let mut kept_leaves = Vec::new();
        for same in order.chunk_by(|a, b| {
            kind.position(&leaves[*a as usize]).0 == kind.position(&leaves[*b as usize]).0
        }) {
            let (kept, node) = Kept::build::<H>(kind, Level::Leaves, same.len(), |run| {
                leaf_nodes::<H>(kind, leaves, &same[run])
            })?;
            let (key, _) = kind.position(&leaves[same[0] as usize]);
            entries.push(Entry {
                key,
                sum: node.sum,
                leaves_root: node.hash,
            });
            bounds.push(bounds[bounds.len() - 1] + same.len());
            kept_leaves.push(kept);
        }

        let (kept, root) = Kept::build::<H>(kind, Level::Entries, entries.len(), |run| {
            entry_nodes::<H>(kind, &entries[run])
        })?;
        Ok(Self {
            sealed: seal::<H>(kind, entries.len() as u32, &root),
            entries,
            order,
            bounds,
            kept,
            kept_leaves,
            root,
        })
    }

    /// The node over the `count` entries from `first`, a subtree of the shape.
    pub(crate) fn node<H: Keccak256>(
        &self,
        kind: TreeKind,
        first: u64,
        count: u64,
    ) -> Result<Node<EntryKey>, TreeError> {
        self.kept
            .node::<H>(kind, Level::Entries, (first, count), |run| {
                entry_nodes::<H>(kind, &self.entries[run])
            })
    }

    fn commitment(&self) -> TreeCommitment {
        TreeCommitment {
            root: self.sealed,
            entries: self.entries.len() as u32,
            min: self.root.min,
            max: self.root.max,
            sum: self.root.sum,
        }
    }
}

fn entry_nodes<H: Keccak256>(kind: TreeKind, entries: &[Entry]) -> Vec<Node<EntryKey>> {
    let node = |entry| entry_node::<H>(kind, entry);
    entries.iter().map(node).collect()
}

fn leaf_nodes<H: Keccak256>(kind: TreeKind, leaves: &[Leaf], order: &[u32]) -> Vec<Node<LeafKey>> {
    let node = |index: &u32| leaf_node::<H>(kind, &leaves[*index as usize]);
    order.iter().map(node).collect()
}

/// Both usage trees of one gateway and epoch, with their leaves.
#[derive(Clone, Debug)]
pub struct UsageTrees {
    leaves: Vec<Leaf>,
    customers: Tree,
    caches: Tree,
}

impl UsageTrees {
    /// Builds both trees; the order of `leaves` does not matter.
    ///
    /// Fails when there are none, when two have the same position, when they are of different
    /// gateways or epochs, when a slice lies outside the epoch and when a sum overflows.
    pub fn build<H: Keccak256>(leaves: Vec<Leaf>) -> Result<Self, TreeError> {
        let first = &leaves.first().ok_or(TreeError::Empty)?.body;
        let same =
            |leaf: &Leaf| leaf.body.gateway == first.gateway && leaf.body.epoch == first.epoch;
        if !leaves.iter().all(same) {
            return Err(TreeError::Mixed);
        }
        if !leaves.iter().all(|leaf| leaf.body.slice.is_valid()) {
            return Err(TreeError::SliceOutOfEpoch);
        }
        let customers = Tree::build::<H>(TreeKind::Customers, &leaves)?;
        let caches = Tree::build::<H>(TreeKind::Caches, &leaves)?;
        Ok(Self {
            leaves,
            customers,
            caches,
        })
    }

    /// What the gateway commits to.
    pub fn commitment(&self, gateway: DeviceId, epoch: Epoch) -> UsageCommitment {
        UsageCommitment {
            gateway,
            epoch,
            customers: self.customers.commitment(),
            caches: self.caches.commitment(),
        }
    }

    /// Every leaf, in the order they were given in.
    pub fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    /// The entries of a tree, sorted by key.
    pub fn entries(&self, kind: TreeKind) -> &[Entry] {
        &self.tree(kind).entries
    }

    /// The leaves of an entry, sorted by key; none when there is no such entry.
    pub fn leaves_of(&self, kind: TreeKind, entry_index: usize) -> Vec<Leaf> {
        self.order_of(kind, entry_index)
            .iter()
            .map(|index| self.leaves[*index as usize])
            .collect()
    }

    /// Which entry has this key.
    pub fn index_of(&self, kind: TreeKind, key: &EntryKey) -> Option<usize> {
        self.entries(kind)
            .binary_search_by(|entry| entry.key.cmp(key))
            .ok()
    }

    /// The proof for `len` entries from `start`, cut at the end of the tree. The proof of no entry
    /// proves nothing and no verifier accepts it.
    pub fn prove_entries<H: Keccak256>(
        &self,
        kind: TreeKind,
        start: u32,
        len: u32,
    ) -> RangeProof<EntryKey> {
        let tree = self.tree(kind);
        let total = tree.entries.len() as u64;
        let mut proof = RangeProof {
            start,
            siblings: Vec::new(),
        };
        siblings(total, start, len, |first, count| {
            // Building has added these very nodes up, so none is left out here.
            proof.siblings.extend(tree.node::<H>(kind, first, count));
        });
        proof
    }

    /// The proof for `len` leaves from `start` of an entry, cut at its end. The proof of no leaf
    /// proves nothing and no verifier accepts it.
    pub fn prove_leaves<H: Keccak256>(
        &self,
        kind: TreeKind,
        entry_index: usize,
        start: u32,
        len: u32,
    ) -> RangeProof<LeafKey> {
        let total = self.order_of(kind, entry_index).len() as u64;
        let mut proof = RangeProof {
            start,
            siblings: Vec::new(),
        };
        siblings(total, start, len, |first, count| {
            // Building has added these very nodes up, so none is left out here.
            proof
                .siblings
                .extend(self.node_of_leaves::<H>(kind, entry_index, first, count));
        });
        proof
    }

    /// The node over the `count` leaves from `first` of an entry, a subtree of the shape; `None`
    /// beyond its end.
    pub(crate) fn node_of_leaves<H: Keccak256>(
        &self,
        kind: TreeKind,
        entry_index: usize,
        first: u64,
        count: u64,
    ) -> Option<Node<LeafKey>> {
        let order = self.order_of(kind, entry_index);
        if first.checked_add(count)? > order.len() as u64 {
            return None;
        }
        let kept = self.tree(kind).kept_leaves.get(entry_index)?;
        kept.node::<H>(kind, Level::Leaves, (first, count), |run| {
            leaf_nodes::<H>(kind, &self.leaves, &order[run])
        })
        .ok()
    }

    /// One leaf of an entry.
    pub(crate) fn leaf_of(&self, kind: TreeKind, entry_index: usize, index: usize) -> Option<Leaf> {
        let place = self.order_of(kind, entry_index).get(index)?;
        self.leaves.get(*place as usize).copied()
    }

    fn order_of(&self, kind: TreeKind, entry_index: usize) -> &[u32] {
        let tree = self.tree(kind);
        match tree.bounds.get(entry_index..).unwrap_or_default() {
            [first, end, ..] => &tree.order[*first..*end],
            _ => &[],
        }
    }

    pub(crate) fn tree(&self, kind: TreeKind) -> &Tree {
        match kind {
            TreeKind::Customers => &self.customers,
            TreeKind::Caches => &self.caches,
        }
    }
}
