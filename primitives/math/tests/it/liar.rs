//! A gateway that states what it likes of its trees and hashes it all correctly.

use crate::testkit::Keccak;
use codec::{Decode, Encode};
use proptest::sample::Index;
use selvedge_primitives_math::{
    fraud::{Below, Shown},
    tree::{entry_node, inner_hash, leaf_node, root, seal, Level},
    Node, TreeKind, UsageTrees,
};
use selvedge_primitives_types::{
    DeviceId, Entry, EntryKey, Epoch, Hash, Leaf, LeafKey, Slice, TreeCommitment, UsageCommitment,
};
use std::collections::BTreeMap;

/// A place in a tree: first item and number of items.
pub(crate) type Place = (u32, u32);

/// One tree with every node that is stated in it.
#[derive(Clone)]
pub(crate) struct LyingTree {
    kind: TreeKind,
    /// Entries that the commitment says there are.
    claimed: u32,
    pub(crate) nodes: BTreeMap<Place, Node<EntryKey>>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) leaf_nodes: Vec<BTreeMap<Place, Node<LeafKey>>>,
    pub(crate) leaves: Vec<Vec<Leaf>>,
    /// What a claimed number of entries makes of the tree.
    reshaped: BTreeMap<Place, Below<EntryKey, Entry>>,
}

/// Both trees of a gateway.
#[derive(Clone)]
pub(crate) struct Liar {
    pub(crate) trees: [LyingTree; 2],
}

/// Something in a tree that can be misstated.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Spot {
    EntryNode(Place),
    Entry(usize),
    LeafNode(usize, Place),
    Leaf(usize, usize),
}

fn halves((first, count): Place) -> (Place, Place) {
    let half = count.next_power_of_two() / 2;
    ((first, half), (first + half, count - half))
}

/// Every place of a tree, children before their parents.
fn places(place: Place) -> Vec<Place> {
    if place.1 == 1 {
        return vec![place];
    }
    let (left, right) = halves(place);
    let mut all = places(left);
    all.extend(places(right));
    all.push(place);
    all
}

fn nodes<K: Copy + Ord + Encode>(
    kind: TreeKind,
    level: Level,
    items: &[Node<K>],
) -> BTreeMap<Place, Node<K>> {
    places((0, items.len() as u32))
        .into_iter()
        .map(|(first, count)| {
            let below = &items[first as usize..(first + count) as usize];
            let node = root::<Keccak, _>(kind, level, below).expect("honest nodes form a tree");
            ((first, count), node)
        })
        .collect()
}

impl LyingTree {
    fn honest(kind: TreeKind, trees: &UsageTrees) -> Self {
        let entries = trees.entries(kind).to_vec();
        let units: Vec<_> = entries
            .iter()
            .map(|entry| entry_node::<Keccak>(kind, entry))
            .collect();
        let leaves: Vec<_> = (0..entries.len())
            .map(|index| trees.leaves_of(kind, index))
            .collect();
        let leaf_nodes = leaves
            .iter()
            .map(|own| {
                let units: Vec<_> = own
                    .iter()
                    .map(|leaf| leaf_node::<Keccak>(kind, leaf))
                    .collect();
                nodes(kind, Level::Leaves, &units)
            })
            .collect();
        Self {
            kind,
            claimed: entries.len() as u32,
            nodes: nodes(kind, Level::Entries, &units),
            entries,
            leaf_nodes,
            leaves,
            reshaped: BTreeMap::new(),
        }
    }

    fn all(&self) -> Place {
        (0, self.entries.len() as u32)
    }

    /// Hashes everything as it is stated, from the leaves up. `keep` stays as it is: a hash of
    /// which nobody knows what it is of.
    pub(crate) fn rehash(&mut self, keep: Option<Spot>) {
        for (index, own) in self.leaves.iter().enumerate() {
            let stated = &mut self.leaf_nodes[index];
            for place in places((0, own.len() as u32)) {
                let hash = if place.1 == 1 {
                    leaf_node::<Keccak>(self.kind, &own[place.0 as usize]).hash
                } else {
                    let (left, right) = halves(place);
                    inner_hash::<Keccak, _>(
                        self.kind,
                        Level::Leaves,
                        &stated[&left],
                        &stated[&right],
                    )
                };
                if !matches!(keep, Some(Spot::LeafNode(entry, at)) if (entry, at) == (index, place))
                {
                    stated.get_mut(&place).expect("it is there").hash = hash;
                }
            }
            if !matches!(keep, Some(Spot::Entry(entry)) if entry == index) {
                self.entries[index].leaves_root = stated[&(0, own.len() as u32)].hash;
            }
        }
        for place in places(self.all()) {
            let hash = if place.1 == 1 {
                entry_node::<Keccak>(self.kind, &self.entries[place.0 as usize]).hash
            } else {
                let (left, right) = halves(place);
                inner_hash::<Keccak, _>(
                    self.kind,
                    Level::Entries,
                    &self.nodes[&left],
                    &self.nodes[&right],
                )
            };
            if !matches!(keep, Some(Spot::EntryNode(at)) if at == place) {
                self.node(place).hash = hash;
            }
        }
    }

    /// A node over entries, to be misstated.
    pub(crate) fn node(&mut self, place: Place) -> &mut Node<EntryKey> {
        self.nodes.get_mut(&place).expect("a place of the tree")
    }

    /// Claims another number of entries for the same nodes.
    pub(crate) fn claim(&mut self, entries: u32) {
        self.claimed = entries;
        let actual = self.all();
        self.reshaped.clear();
        self.reshape((0, entries), actual);
    }

    fn reshape(&mut self, claimed: Place, actual: Place) {
        self.reshaped.insert(claimed, self.below(actual));
        if claimed.1 > 1 && actual.1 > 1 {
            let (claimed, actual) = (halves(claimed), halves(actual));
            self.reshape(claimed.0, actual.0);
            self.reshape(claimed.1, actual.1);
        }
    }

    fn below(&self, place: Place) -> Below<EntryKey, Entry> {
        if place.1 == 1 {
            return Below::Item(self.entries[place.0 as usize]);
        }
        let (left, right) = halves(place);
        Below::Inner(self.nodes[&left], self.nodes[&right])
    }

    fn commitment(&self) -> TreeCommitment {
        let root = &self.nodes[&self.all()];
        TreeCommitment {
            root: seal::<Keccak>(self.kind, self.claimed, root),
            entries: self.claimed,
            min: root.min,
            max: root.max,
            sum: root.sum,
        }
    }

    /// Where the last leaf of the last entry stands.
    pub(crate) fn last_leaf(&self) -> (usize, usize) {
        let entry = self.leaves.len() - 1;
        (entry, self.leaves[entry].len() - 1)
    }

    /// Moves the last leaf of an entry to another slice, and states its key all the way up.
    pub(crate) fn restate_slice(&mut self, entry: usize, index: usize, slice: Slice) {
        let leaf = &mut self.leaves[entry][index];
        leaf.body.slice = slice;
        let key = self.kind.position(leaf).1;
        for (place, node) in &mut self.leaf_nodes[entry] {
            if place.0 + place.1 == index as u32 + 1 {
                node.max = key;
            }
            if place.0 == index as u32 {
                node.min = key;
            }
        }
    }

    /// States the key of the last entry all the way up.
    pub(crate) fn restate_key(&mut self, entry: usize) {
        let key = self.entries[entry].key;
        for (place, node) in &mut self.nodes {
            if place.0 + place.1 == entry as u32 + 1 {
                node.max = key;
            }
            if place.0 == entry as u32 {
                node.min = key;
            }
        }
    }

    /// One of the spots that can be misstated. The root of an entry's leaves is none: nothing
    /// states it but the entry.
    pub(crate) fn spot(&self, which: &Index) -> Spot {
        let mut spots: Vec<_> = self.nodes.keys().copied().map(Spot::EntryNode).collect();
        for (index, own) in self.leaves.iter().enumerate() {
            spots.push(Spot::Entry(index));
            spots.extend((0..own.len()).map(|leaf| Spot::Leaf(index, leaf)));
            let stated = self.leaf_nodes[index].keys();
            let inner = stated.filter(|place| place.1 < own.len() as u32);
            spots.extend(inner.map(|place| Spot::LeafNode(index, *place)));
        }
        spots[which.index(spots.len())]
    }

    /// Flips one bit of a spot that is not a hash of the tree; whether there was such a bit.
    pub(crate) fn misstate(&mut self, spot: Spot, bit: &Index) -> bool {
        match spot {
            Spot::EntryNode(place) => flip(self.node(place), bit, 32),
            Spot::Entry(index) => flip(&mut self.entries[index], bit, 32),
            Spot::LeafNode(index, place) => flip(
                self.leaf_nodes[index].get_mut(&place).expect("a spot"),
                bit,
                32,
            ),
            Spot::Leaf(index, leaf) => flip(&mut self.leaves[index][leaf], bit, 0),
        }
    }
}

/// Flips a bit of a value's SCALE form but its last `spared` bytes.
pub(crate) fn flip<T: Encode + Decode>(value: &mut T, bit: &Index, spared: usize) -> bool {
    let mut bytes = value.encode();
    let bit = bit.index((bytes.len() - spared) * 8);
    bytes[bit / 8] ^= 1 << (bit % 8);
    match T::decode(&mut &bytes[..]) {
        Ok(other) if other.encode() == bytes => {
            *value = other;
            true
        }
        _ => false,
    }
}

impl Liar {
    /// An honest gateway, so far.
    pub(crate) fn of(trees: &UsageTrees) -> Self {
        Self {
            trees: TreeKind::ALL.map(|kind| LyingTree::honest(kind, trees)),
        }
    }

    /// One that shows one tree of some leaves and the other tree of others.
    pub(crate) fn two_faced(customers: &UsageTrees, caches: &UsageTrees) -> Self {
        Self {
            trees: [
                LyingTree::honest(TreeKind::Customers, customers),
                LyingTree::honest(TreeKind::Caches, caches),
            ],
        }
    }

    pub(crate) fn commitment(&self) -> UsageCommitment {
        let body = &self.trees[0].leaves[0][0].body;
        self.commitment_as(body.gateway, body.epoch)
    }

    pub(crate) fn commitment_as(&self, gateway: DeviceId, epoch: Epoch) -> UsageCommitment {
        UsageCommitment {
            gateway,
            epoch,
            customers: self.trees[0].commitment(),
            caches: self.trees[1].commitment(),
        }
    }
}

impl Shown<Keccak> for Liar {
    fn root(&self, tree: TreeKind) -> Option<Hash> {
        let tree = &self.trees[tree as usize];
        Some(tree.nodes[&tree.all()].hash)
    }

    fn entries(&self, tree: TreeKind, first: u32, count: u32) -> Option<Below<EntryKey, Entry>> {
        let tree = &self.trees[tree as usize];
        if !tree.reshaped.is_empty() {
            return tree.reshaped.get(&(first, count)).copied();
        }
        tree.nodes
            .contains_key(&(first, count))
            .then(|| tree.below((first, count)))
    }

    fn leaves(
        &self,
        tree: TreeKind,
        entry: u32,
        first: u32,
        count: u32,
    ) -> Option<Below<LeafKey, Leaf>> {
        let tree = &self.trees[tree as usize];
        let stated = tree.leaf_nodes.get(entry as usize)?;
        let own = &tree.leaves[entry as usize];
        if count == 1 {
            return own.get(first as usize).copied().map(Below::Item);
        }
        if (first, count) == (0, tree.entries[entry as usize].sum.leaves as u32) {
            // Whatever number the entry claims, its root is the root.
            let (left, right) = halves((0, own.len() as u32));
            return Some(match own.len() {
                1 => Below::Item(own[0]),
                _ => Below::Inner(stated[&left], stated[&right]),
            });
        }
        let (left, right) = halves((first, count));
        Some(Below::Inner(*stated.get(&left)?, *stated.get(&right)?))
    }
}
