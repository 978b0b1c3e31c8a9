//! Proofs that a run of entries or leaves is what a commitment says, with its sums.
//!
//! A range proof holds, from left to right, one node per maximal subtree outside the range: at most
//! two per level. The verifier computes the rest. A proof always leads to the whole root: hash, key
//! range and sums.

use crate::{
    hash::Keccak256,
    tree::{self, entry_node, leaf_node, split, Level, Node, TreeError, TreeKind},
};
use alloc::vec::Vec;
use codec::{Compact, Decode, DecodeWithMemTracking, Encode, Input};
use core::fmt;
use scale_info::TypeInfo;
use selvedge_primitives_types::{
    Entry, EntryKey, Hash, Leaf, LeafKey, Sum, TreeCommitment, UsageCommitment,
};

/// Levels of the deepest tree, of 2^32 nodes.
pub const MAX_DEPTH: u32 = 32;

/// Nodes in the longest proof of a run.
pub const MAX_SIBLINGS: usize = 2 * MAX_DEPTH as usize;

/// Proof of a run of entries or leaves.
#[derive(Clone, Debug, PartialEq, Eq, Encode, TypeInfo)]
pub struct RangeProof<K> {
    /// Index of the first one.
    pub start: u32,
    /// The nodes outside the run, from left to right; at most [`MAX_SIBLINGS`], also when decoding.
    pub siblings: Vec<Node<K>>,
}

impl<K: Decode> Decode for RangeProof<K> {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        let start = u32::decode(input)?;
        let Compact(count) = Compact::<u32>::decode(input)?;
        if count as usize > MAX_SIBLINGS {
            return Err("a range proof has at most 64 siblings".into());
        }
        let mut siblings = Vec::with_capacity(count as usize);
        for _ in 0..count {
            siblings.push(Node::decode(input)?);
        }
        Ok(Self { start, siblings })
    }
}

impl<K> RangeProof<K> {
    /// The sum of what stands before the run, in a tree of `total` items that the proof was checked against. `None` when
    /// the proof does not have the nodes, or their sums leave their range.
    pub fn before(&self, total: u64) -> Option<Sum> {
        let start = u64::from(self.start);
        if total > u32::MAX.into() {
            return None;
        }
        let (mut begin, mut size, mut lefts) = (0, total, 0);
        while begin < start {
            let half = split(size);
            if size < 2 || begin + size <= start {
                return None;
            }
            if begin + half <= start {
                begin += half;
                size -= half;
                lefts += 1;
            } else {
                size = half;
            }
        }
        let mut left = self.siblings.get(..lefts)?.iter();
        left.try_fold(Sum::default(), |sum, node| sum.checked_add(&node.sum))
    }
}

// The length is bounded above, so decoding allocates at most `MAX_SIBLINGS` nodes.
impl<K: DecodeWithMemTracking> DecodeWithMemTracking for RangeProof<K> {}

/// Why a proof or a commitment is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofError {
    /// It proves nothing.
    Empty,
    /// The run ends beyond the tree.
    OutOfRange,
    /// Fewer or more siblings than the run needs.
    WrongLength,
    /// The nodes do not form a tree: a sum overflows or keys are not strictly sorted.
    Tree(TreeError),
    /// Another root.
    WrongRoot,
    /// The right root, under other sums.
    WrongSum,
    /// The right root, under another key range.
    WrongRange,
    /// A leaf that belongs into another entry.
    ForeignLeaf,
    /// A leaf's slice lies outside the epoch.
    SliceOutOfEpoch,
    /// An entry claims more leaves than a tree holds.
    TooManyLeaves,
    /// The totals of both trees differ.
    TotalsDiffer,
    /// A tree without entries, or with more entries than leaves.
    BadCount,
    /// A key range that no tree of that many entries has.
    BadRange,
}

impl fmt::Display for ProofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Empty => "the proof is of nothing",
            Self::OutOfRange => "the run ends beyond the tree",
            Self::WrongLength => "the proof has fewer or more siblings than the run needs",
            Self::Tree(error) => return write!(f, "the proof is not of a tree: {error}"),
            Self::WrongRoot => "the proof leads to another root",
            Self::WrongSum => "the proof leads to other sums",
            Self::WrongRange => "the proof leads to another key range",
            Self::ForeignLeaf => "a leaf belongs into another entry",
            Self::SliceOutOfEpoch => "the slice of a leaf lies outside the epoch",
            Self::TooManyLeaves => "the entry claims more leaves than a tree holds",
            Self::TotalsDiffer => "the totals of the two trees differ",
            Self::BadCount => "a tree has no entries, or more entries than leaves",
            Self::BadRange => "a tree's key range does not fit its number of entries",
        };
        f.write_str(text)
    }
}

impl core::error::Error for ProofError {}

impl From<TreeError> for ProofError {
    fn from(error: TreeError) -> Self {
        Self::Tree(error)
    }
}

/// Checks that `entries` are the entries from `proof.start` of the committed tree.
///
/// Costs at most `2 × entries + MAX_SIBLINGS` hashes; the caller bounds the number of entries.
pub fn verify_entries<H: Keccak256>(
    kind: TreeKind,
    tree: &TreeCommitment,
    entries: &[Entry],
    proof: &RangeProof<EntryKey>,
) -> Result<(), ProofError> {
    let nodes: Vec<_> = entries
        .iter()
        .map(|entry| entry_node::<H>(kind, entry))
        .collect();
    let root = climb::<H, _>(kind, Level::Entries, tree.entries.into(), &nodes, proof)?;
    check_committed::<H>(kind, tree, &root)
}

/// Checks that `leaves` are the leaves from `proof.start` of an entry, and belong into it.
///
/// Says nothing about the entry itself: verify it with [`verify_entries`]. Costs at most `3 ×
/// leaves + MAX_SIBLINGS` hashes; the caller bounds the number of leaves.
pub fn verify_leaves<H: Keccak256>(
    kind: TreeKind,
    entry: &Entry,
    leaves: &[Leaf],
    proof: &RangeProof<LeafKey>,
) -> Result<(), ProofError> {
    if entry.sum.leaves > u32::MAX.into() {
        return Err(ProofError::TooManyLeaves);
    }
    if leaves.iter().any(|leaf| kind.position(leaf).0 != entry.key) {
        return Err(ProofError::ForeignLeaf);
    }
    if leaves.iter().any(|leaf| !leaf.body.slice.is_valid()) {
        return Err(ProofError::SliceOutOfEpoch);
    }
    open_leaves::<H>(kind, entry, leaves, proof)
}

/// Checks that `leaves` stand in the leaf tree of an entry from `proof.start` on, whatever they
/// say.
pub(crate) fn open_leaves<H: Keccak256>(
    kind: TreeKind,
    entry: &Entry,
    leaves: &[Leaf],
    proof: &RangeProof<LeafKey>,
) -> Result<(), ProofError> {
    let nodes: Vec<_> = leaves
        .iter()
        .map(|leaf| leaf_node::<H>(kind, leaf))
        .collect();
    let root = climb::<H, _>(kind, Level::Leaves, entry.sum.leaves, &nodes, proof)?;
    check(&root, &root.hash, &entry.leaves_root, &entry.sum)
}

/// Checks that `node` stands in the committed tree over the `count` entries from `proof.start`,
/// whatever is below it.
pub(crate) fn open_entry_node<H: Keccak256>(
    kind: TreeKind,
    tree: &TreeCommitment,
    node: &Node<EntryKey>,
    count: u32,
    proof: &RangeProof<EntryKey>,
) -> Result<(), ProofError> {
    let root = climb_from::<H, _>(
        kind,
        Level::Entries,
        tree.entries.into(),
        node,
        count,
        proof,
    )?;
    check_committed::<H>(kind, tree, &root)
}

/// Checks that `node` stands in the leaf tree of an entry over the `count` leaves from
/// `proof.start`, whatever is below it.
pub(crate) fn open_leaf_node<H: Keccak256>(
    kind: TreeKind,
    entry: &Entry,
    node: &Node<LeafKey>,
    count: u32,
    proof: &RangeProof<LeafKey>,
) -> Result<(), ProofError> {
    let root = climb_from::<H, _>(kind, Level::Leaves, entry.sum.leaves, node, count, proof)?;
    check(&root, &root.hash, &entry.leaves_root, &entry.sum)
}

/// Checks what can be seen of a commitment without a proof: that both trees have the same totals,
/// and that counts and key ranges are possible.
pub fn verify_commitment(commitment: &UsageCommitment) -> Result<(), ProofError> {
    let UsageCommitment {
        customers, caches, ..
    } = commitment;
    if customers.sum != caches.sum {
        return Err(ProofError::TotalsDiffer);
    }
    for tree in [customers, caches] {
        if tree.entries == 0 || tree.sum.leaves < tree.entries.into() {
            return Err(ProofError::BadCount);
        }
        let fits = if tree.entries == 1 {
            tree.min == tree.max
        } else {
            tree.min < tree.max
        };
        if !fits {
            return Err(ProofError::BadRange);
        }
    }
    if caches.min.as_cache().is_none() || caches.max.as_cache().is_none() {
        return Err(ProofError::BadRange);
    }
    if customers.sum.leaves > u32::MAX.into() {
        return Err(ProofError::TooManyLeaves);
    }
    Ok(())
}

fn check_committed<H: Keccak256>(
    kind: TreeKind,
    tree: &TreeCommitment,
    root: &Node<EntryKey>,
) -> Result<(), ProofError> {
    check(
        root,
        &tree::seal::<H>(kind, tree.entries, root),
        &tree.root,
        &tree.sum,
    )?;
    if (root.min, root.max) != (tree.min, tree.max) {
        return Err(ProofError::WrongRange);
    }
    Ok(())
}

fn check<K>(root: &Node<K>, found: &Hash, expected: &Hash, sum: &Sum) -> Result<(), ProofError> {
    if found != expected {
        return Err(ProofError::WrongRoot);
    }
    if root.sum != *sum {
        return Err(ProofError::WrongSum);
    }
    Ok(())
}

/// The root of a tree of `total` items in which `node` stands over the `count` ones from
/// `proof.start`.
fn climb_from<H: Keccak256, K: Copy + Ord + Encode>(
    kind: TreeKind,
    level: Level,
    total: u64,
    node: &Node<K>,
    count: u32,
    proof: &RangeProof<K>,
) -> Result<Node<K>, ProofError> {
    if proof.siblings.len() > MAX_SIBLINGS {
        return Err(ProofError::WrongLength);
    }
    let (first, mut size) = (u64::from(proof.start), total);
    let end = first + u64::from(count);
    if count == 0 || end > total {
        return Err(ProofError::OutOfRange);
    }
    // The way down: where each sibling stands, the topmost first.
    let mut lefts = Vec::new();
    let mut begin = 0;
    while (begin, size) != (first, u64::from(count)) {
        if size == 1 {
            return Err(ProofError::OutOfRange);
        }
        let half = split(size);
        let middle = begin + half;
        if end <= middle {
            size = half;
            lefts.push(false);
        } else if first >= middle {
            begin = middle;
            size -= half;
            lefts.push(true);
        } else {
            // It lies across the middle, so it is no subtree of the shape.
            return Err(ProofError::OutOfRange);
        }
    }
    if lefts.len() != proof.siblings.len() {
        return Err(ProofError::WrongLength);
    }
    // From left to right: left siblings from the top down, then right ones from the bottom up.
    let (left, right) = proof
        .siblings
        .split_at(lefts.iter().filter(|is_left| **is_left).count());
    let (mut left, mut right) = (left.iter().rev(), right.iter());
    let mut root = *node;
    for is_left in lefts.iter().rev() {
        root = if *is_left {
            let sibling = left.next().ok_or(ProofError::WrongLength)?;
            tree::merge::<H, K>(kind, level, sibling, &root)?
        } else {
            let sibling = right.next().ok_or(ProofError::WrongLength)?;
            tree::merge::<H, K>(kind, level, &root, sibling)?
        };
    }
    Ok(root)
}

/// The root of a tree of `total` nodes of which `given` are the ones from `proof.start`.
fn climb<H: Keccak256, K: Copy + Ord + Encode>(
    kind: TreeKind,
    level: Level,
    total: u64,
    given: &[Node<K>],
    proof: &RangeProof<K>,
) -> Result<Node<K>, ProofError> {
    let start = u64::from(proof.start);
    let end = start
        .checked_add(given.len() as u64)
        .ok_or(ProofError::OutOfRange)?;
    if given.is_empty() {
        return Err(ProofError::Empty);
    }
    if end > total {
        return Err(ProofError::OutOfRange);
    }
    if proof.siblings.len() > MAX_SIBLINGS {
        return Err(ProofError::WrongLength);
    }
    let mut climb = Climb {
        kind,
        level,
        start,
        end,
        given,
        siblings: proof.siblings.iter(),
    };
    let root = climb.node::<H>(0, total)?;
    if climb.siblings.next().is_some() {
        return Err(ProofError::WrongLength);
    }
    Ok(root)
}

struct Climb<'a, K> {
    kind: TreeKind,
    level: Level,
    start: u64,
    end: u64,
    given: &'a [Node<K>],
    siblings: core::slice::Iter<'a, Node<K>>,
}

impl<K: Copy + Ord + Encode> Climb<'_, K> {
    /// The node over the `count` nodes from `first`. Halves at each call, so it nests at most
    /// [`MAX_DEPTH`] deep.
    fn node<H: Keccak256>(&mut self, first: u64, count: u64) -> Result<Node<K>, ProofError> {
        if first >= self.end || first + count <= self.start {
            return self.siblings.next().copied().ok_or(ProofError::WrongLength);
        }
        if count == 1 {
            return Ok(self.given[(first - self.start) as usize]);
        }
        let half = split(count);
        let left = self.node::<H>(first, half)?;
        let right = self.node::<H>(first + half, count - half)?;
        Ok(tree::merge::<H, K>(self.kind, self.level, &left, &right)?)
    }
}

/// Names, from left to right, the maximal subtrees outside a run as (first, count); nothing for an
/// empty run.
pub(crate) fn siblings(total: u64, start: u32, len: u32, mut name: impl FnMut(u64, u64)) {
    let start = u64::from(start);
    let end = (start + u64::from(len)).min(total);
    if start < end {
        outside(0, total, start, end, &mut name);
    }
}

fn outside(first: u64, count: u64, start: u64, end: u64, name: &mut impl FnMut(u64, u64)) {
    let end_of_node = first + count;
    if first >= end || end_of_node <= start {
        name(first, count);
    } else if first < start || end_of_node > end {
        let half = split(count);
        outside(first, half, start, end, name);
        outside(first + half, count - half, start, end, name);
    }
}
