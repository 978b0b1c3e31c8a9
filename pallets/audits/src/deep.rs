//! The proof that costs most to check: in trees as deep as trees can be, of which all but one path
//! are made up.

use alloc::vec::Vec;
use codec::Encode;
use pallet_edge_traits::HostKeccak;
use selvedge_primitives_math::{
    fraud::{Counterpart, FraudProof, OpenedEntry, OpenedLeaf, Run},
    tree::{entry_node, leaf_node, merge, seal, Level},
    Node, RangeProof, TreeKind,
};
use selvedge_primitives_types::{
    Account, CacheEntryKey, CustomerEntryKey, DeviceId, Entry, EntryKey, Epoch, Leaf, LeafBody,
    LeafKey, ServiceId, Slice, Sum, TreeCommitment, UsageCommitment,
};

/// As many items as a tree can have: their paths are 32 nodes long.
const ITEMS: u32 = u32::MAX;
/// The last item left of the topmost split, so that a run of two has the longest path.
pub(crate) const MIDDLE: u32 = (1 << 31) - 1;
/// Who pays for the one leaf that is shown.
#[cfg(feature = "runtime-benchmarks")]
pub(crate) const CUSTOMER: [u8; 32] = {
    let mut customer = [0; 32];
    let number = MIDDLE.to_be_bytes();
    (customer[0], customer[1]) = (number[0], number[1]);
    (customer[2], customer[3]) = (number[2], number[3]);
    customer[4] = 1;
    customer
};

/// Bytes that order as their number does, with room for others between two.
fn bytes(number: u32, between: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    bytes[4] = between;
    bytes
}

/// A tree around `given` items from `start` on.
struct Around<'a, K> {
    kind: TreeKind,
    level: Level,
    start: u32,
    given: &'a [Node<K>],
    key: fn(u32) -> K,
    siblings: Vec<Node<K>>,
}

impl<K: Copy + Ord + Encode> Around<'_, K> {
    fn node(&mut self, first: u64, count: u64) -> Node<K> {
        let (start, end) = (
            u64::from(self.start),
            u64::from(self.start) + self.given.len() as u64,
        );
        if first >= end || first + count <= start {
            let made_up = Node {
                min: (self.key)(first as u32),
                max: (self.key)((first + count - 1) as u32),
                sum: Sum {
                    leaves: count,
                    ..Default::default()
                },
                hash: [1; 32],
            };
            self.siblings.push(made_up);
            return made_up;
        }
        if count == 1 {
            return self.given[(first - start) as usize];
        }
        let half = count.next_power_of_two() / 2;
        let (left, right) = (
            self.node(first, half),
            self.node(first + half, count - half),
        );
        merge::<HostKeccak, K>(self.kind, self.level, &left, &right).expect("keys ascend")
    }
}

/// A path from items to the root of a full tree, and that root.
fn climb<K: Copy + Ord + Encode>(
    kind: TreeKind,
    level: Level,
    start: u32,
    given: &[Node<K>],
    key: fn(u32) -> K,
) -> (RangeProof<K>, Node<K>) {
    let mut tree = Around {
        kind,
        level,
        start,
        given,
        key,
        siblings: Vec::new(),
    };
    let root = tree.node(0, ITEMS.into());
    let siblings = tree.siblings;
    (RangeProof { start, siblings }, root)
}

fn leaf_in_entry(kind: TreeKind) -> fn(u32) -> LeafKey {
    match kind {
        TreeKind::Customers => {
            |number| LeafKey::in_customer_entry(DeviceId(bytes(number, 0)), Slice(0))
        }
        TreeKind::Caches => {
            |number| LeafKey::in_cache_entry(Account(bytes(number, 0)), ServiceId(0), Slice(0))
        }
    }
}

fn entry_key(kind: TreeKind) -> fn(u32) -> EntryKey {
    match kind {
        TreeKind::Customers => |number| {
            let key = CustomerEntryKey {
                customer: Account(bytes(number, 0)),
                service: ServiceId(0),
            };
            key.into()
        },
        TreeKind::Caches => |number| CacheEntryKey(DeviceId(bytes(number, 0))).into(),
    }
}

/// The entry of a run of leaves and the tree around it, with both paths.
fn tree_of(kind: TreeKind, leaves: &[Leaf]) -> (OpenedEntry, RangeProof<LeafKey>, TreeCommitment) {
    let nodes: Vec<_> = leaves
        .iter()
        .map(|leaf| leaf_node::<HostKeccak>(kind, leaf))
        .collect();
    let (leaf_path, root) = climb(kind, Level::Leaves, MIDDLE, &nodes, leaf_in_entry(kind));
    let entry = Entry {
        key: kind.position(&leaves[0]).0,
        sum: root.sum,
        leaves_root: root.hash,
    };
    let node = entry_node::<HostKeccak>(kind, &entry);
    let (path, root) = climb(kind, Level::Entries, MIDDLE, &[node], entry_key(kind));
    let commitment = TreeCommitment {
        root: seal::<HostKeccak>(kind, ITEMS, &root),
        entries: ITEMS,
        min: root.min,
        max: root.max,
        sum: root.sum,
    };
    (OpenedEntry { entry, proof: path }, leaf_path, commitment)
}

fn leaf(gateway: DeviceId, epoch: Epoch, customer: [u8; 32]) -> Leaf {
    let body = LeafBody {
        gateway,
        epoch,
        customer: Account(customer),
        cache: DeviceId(bytes(MIDDLE, 1)),
        ..Default::default()
    };
    Leaf {
        body,
        ..Default::default()
    }
}

/// A commitment whose trees disagree, and the proof of it: a leaf that is absent from the other
/// tree, between two others.
pub(crate) fn disagreement(gateway: DeviceId, epoch: Epoch) -> (UsageCommitment, FraudProof) {
    let missing = leaf(gateway, epoch, bytes(MIDDLE, 1));
    let around =
        [bytes(MIDDLE, 0), bytes(MIDDLE + 1, 0)].map(|customer| leaf(gateway, epoch, customer));
    let tree = TreeKind::Customers;
    let (entry, proof, customers) = tree_of(tree, &[missing]);
    let (other_entry, other_proof, caches) = tree_of(tree.other(), &around);
    let commitment = UsageCommitment {
        gateway,
        epoch,
        customers,
        caches,
    };
    let proof = FraudProof::Disagreement {
        tree,
        leaf: OpenedLeaf {
            entry,
            leaf: missing,
            proof,
        },
        other: Counterpart::InEntry {
            entry: other_entry,
            around: Run {
                first: around[0],
                second: Some(around[1]),
            },
            proof: other_proof,
        },
    };
    (commitment, proof)
}

/// A commitment with one leaf that is shown, and the proof of whatever is wrong with it.
#[cfg(feature = "runtime-benchmarks")]
pub(crate) fn one_leaf(
    gateway: DeviceId,
    epoch: Epoch,
    change: impl FnOnce(&mut Leaf),
) -> (UsageCommitment, FraudProof) {
    let mut shown = leaf(gateway, epoch, bytes(MIDDLE, 1));
    change(&mut shown);
    let tree = TreeKind::Customers;
    let (entry, proof, customers) = tree_of(tree, &[shown]);
    let (_, _, caches) = tree_of(tree.other(), &[shown]);
    let commitment = UsageCommitment {
        gateway,
        epoch,
        customers,
        caches,
    };
    let leaf = OpenedLeaf {
        entry,
        leaf: shown,
        proof,
    };
    (commitment, FraudProof::Leaf { tree, leaf })
}
