//! Proves that a commitment is defective: anybody finds it with the leaves, and the chain checks it
//! in O(log n) without them.
//!
//! A [`FraudProof`] shows the one spot where a rule is broken: a node with what it hashes, an
//! entry, a leaf, or a leaf of one tree with what stands in its place in the other. [`verify`]
//! accepts it when the spot is committed and [`Defect`] when it breaks a rule there; what is not
//! shown is never assumed. [`find`] looks at all a gateway shows of its trees and makes the proof.
//!
//! The path to the spot is climbed by the rules of a tree, so a proof is of the *topmost* defect on
//! its way: whatever stands above it is sound. A commitment in which something is wrong always has
//! one.
//!
//! What is checked of a leaf: its position, gateway, epoch and slice; that it is charged by the
//! price list in force and exactly; and its cache's ed25519 signature over the body, if it bears
//! one. A leaf without a signature is no defect (ADR 009). What `quality` and `vouchers_root` say is
//! checked by nobody but the cache that signs: it signs only leaves that cover its last voucher.
//!
//! Not provable here is what a gateway does not show: a hash that nothing is known to have. That is
//! data withheld ([`Withheld`]), and has to be challenged, not proven.
//!
//! Whether an account was funded is no question here: the chain forgets it sooner than a commitment
//! matures, and asks it when an entry is charged.

mod defect;
mod find;
mod judge;
mod opening;

pub use defect::{Defect, DefectClass, NotFraud};
pub use find::{find, held, open_leaf, sample, Flaw, Openings, Shown, Withheld};
pub use opening::{Below, Counterpart, Item, OpenedEntry, OpenedLeaf, OpenedNode, Run};

use crate::{
    hash::Keccak256,
    proof::{open_leaves, verify_entries},
    tree::{leaf_digest, TreeKind},
};
use codec::{Decode, DecodeWithMemTracking, Encode};
use judge::{entry_defect, leaf_defect, node_defect, Stated};
use scale_info::TypeInfo;
use selvedge_primitives_types::{
    Account, DeviceId, Entry, EntryKey, Leaf, LeafKey, Planck, Prices, ServiceId, TreeCommitment,
    UsageCommitment,
};

/// Terms of a service in the commitment's epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Terms {
    /// Who pays.
    pub owner: Account,
    /// The most the gateway may charge, in planck: nothing while the service is paused.
    pub lease: Planck,
    /// The price list in force.
    pub price_version: u32,
    /// Its prices; without them no price is judged.
    pub prices: Option<Prices>,
    /// The most storage byte-hours of its pins.
    pub storage: u64,
}

/// What the chain knows of the epoch and of the gateway of the commitment that is judged.
pub trait Context {
    /// Terms of a service; `None` if it did not exist in the epoch.
    fn terms(&self, service: ServiceId) -> Option<Terms>;
    /// Whether the device was an active cache for the whole of the epoch.
    fn is_cache(&self, device: &DeviceId) -> bool;
    /// Whether the leaf's signature is its cache's, by ed25519 over the body
    /// ([`Domain::Leaf`](selvedge_primitives_types::Domain::Leaf)).
    fn is_signed(&self, leaf: &Leaf) -> bool;
}

/// Proof that a commitment is defective.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[expect(
    clippy::large_enum_variant,
    reason = "whoever keeps a proof boxes the whole of it"
)]
pub enum FraudProof {
    /// A node of the entry tree does not fit what it hashes.
    #[codec(index = 0)]
    EntryNode {
        /// The tree.
        tree: TreeKind,
        /// The node.
        node: OpenedNode<EntryKey, Entry>,
    },
    /// An entry does not fit what its `leaves_root` hashes.
    #[codec(index = 1)]
    LeavesRoot {
        /// The tree.
        tree: TreeKind,
        /// The entry.
        entry: OpenedEntry,
        /// What its `leaves_root` hashes.
        below: Below<LeafKey, Leaf>,
    },
    /// A node below the root of an entry's leaves does not fit what it hashes.
    #[codec(index = 2)]
    LeafNode {
        /// The tree.
        tree: TreeKind,
        /// The entry.
        entry: OpenedEntry,
        /// The node.
        node: OpenedNode<LeafKey, Leaf>,
    },
    /// An entry breaks a rule.
    #[codec(index = 3)]
    Entry {
        /// The tree.
        tree: TreeKind,
        /// The entry.
        entry: OpenedEntry,
    },
    /// A leaf breaks a rule.
    #[codec(index = 4)]
    Leaf {
        /// The tree.
        tree: TreeKind,
        /// The leaf.
        leaf: OpenedLeaf,
    },
    /// A leaf is missing from the other tree, or says something else there.
    #[codec(index = 5)]
    Disagreement {
        /// The tree the leaf stands in.
        tree: TreeKind,
        /// The leaf.
        leaf: OpenedLeaf,
        /// What stands in its place in the other tree.
        other: Counterpart,
    },
}

/// Checks a proof against a commitment, and says what it proves.
///
/// Costs at most four paths of [`MAX_SIBLINGS`](crate::proof::MAX_SIBLINGS) hashes and one
/// signature, whatever the proof says. Fails on everything that is not committed and on everything
/// that breaks no rule.
pub fn verify<H: Keccak256>(
    proof: &FraudProof,
    commitment: &UsageCommitment,
    context: &impl Context,
) -> Result<Defect, NotFraud> {
    let defect = match proof {
        FraudProof::EntryNode { tree, node } => {
            node.check::<H>(*tree, committed(commitment, *tree))?;
            let stated = Stated::by_node(&node.node);
            node_defect::<H, Entry>(*tree, node.count.into(), &stated, &node.below)
        }
        FraudProof::LeavesRoot { tree, entry, below } => {
            entry.check::<H>(*tree, committed(commitment, *tree))?;
            let entry = &entry.entry;
            if below.hash::<H>(*tree) != entry.leaves_root {
                return Err(NotFraud::NotBelow);
            }
            let stated = Stated::by_entry(entry);
            node_defect::<H, Leaf>(*tree, entry.sum.leaves, &stated, below)
        }
        FraudProof::LeafNode { tree, entry, node } => {
            entry.check::<H>(*tree, committed(commitment, *tree))?;
            node.check::<H>(*tree, &entry.entry)?;
            let stated = Stated::by_node(&node.node);
            node_defect::<H, Leaf>(*tree, node.count.into(), &stated, &node.below)
        }
        FraudProof::Entry { tree, entry } => {
            entry.check::<H>(*tree, committed(commitment, *tree))?;
            entry_defect(*tree, &entry.entry, context)
        }
        FraudProof::Leaf { tree, leaf } => {
            leaf.check::<H>(*tree, committed(commitment, *tree))?;
            leaf_defect(*tree, commitment, &leaf.entry.entry, &leaf.leaf, context)
        }
        FraudProof::Disagreement { tree, leaf, other } => {
            leaf.check::<H>(*tree, committed(commitment, *tree))?;
            let other_tree = tree.other();
            let disagree = differs::<H>(
                other_tree,
                committed(commitment, other_tree),
                &leaf.leaf,
                other,
            )?;
            disagree.then_some(Defect::TreesDisagree)
        }
    };
    defect.ok_or(NotFraud::Honest)
}

fn committed(commitment: &UsageCommitment, kind: TreeKind) -> &TreeCommitment {
    match kind {
        TreeKind::Customers => &commitment.customers,
        TreeKind::Caches => &commitment.caches,
    }
}

/// Whether another leaf, or none, stands in a leaf's place in a tree.
fn differs<H: Keccak256>(
    kind: TreeKind,
    tree: &TreeCommitment,
    leaf: &Leaf,
    other: &Counterpart,
) -> Result<bool, NotFraud> {
    let (entry_key, leaf_key) = kind.position(leaf);
    match other {
        Counterpart::NoEntry { around, proof } => {
            around.with_items(|entries| verify_entries::<H>(kind, tree, entries, proof))?;
            let keys = (around.first.key, around.second.map(|entry| entry.key));
            is_between(&entry_key, keys, proof.start, tree.entries.into())
                .then_some(true)
                .ok_or(NotFraud::NotAround)
        }
        Counterpart::InEntry {
            entry,
            around,
            proof,
        } => {
            entry.check::<H>(kind, tree)?;
            let entry = &entry.entry;
            if entry.key != entry_key {
                return Err(NotFraud::NotAround);
            }
            around.with_items(|leaves| open_leaves::<H>(kind, entry, leaves, proof))?;
            let key = |leaf: Leaf| kind.position(&leaf).1;
            if around.second.is_none() && key(around.first) == leaf_key {
                return Ok(leaf_digest::<H>(&around.first) != leaf_digest::<H>(leaf));
            }
            let keys = (key(around.first), around.second.map(key));
            is_between(&leaf_key, keys, proof.start, entry.sum.leaves)
                .then_some(true)
                .ok_or(NotFraud::NotAround)
        }
    }
}

/// Whether a key lies between two neighbours, or beyond the first or the last of `total` items.
fn is_between<K: Ord>(key: &K, around: (K, Option<K>), start: u32, total: u64) -> bool {
    match around {
        (left, Some(right)) => left < *key && *key < right,
        (only, None) => {
            (start == 0 && *key < only) || (u64::from(start) + 1 == total && only < *key)
        }
    }
}
