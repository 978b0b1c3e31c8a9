//! Looks at drawn leaves alone, each on its way from the root and in both trees.

use super::{place::Place, steps::Step, Search, Shown, Withheld};
use crate::{
    draw::{Draw, Place as At},
    fraud::{Below, Context, FraudProof},
    hash::Keccak256,
    tree::{leaf_digest, Node, TreeKind},
};
use alloc::{boxed::Box, vec::Vec};
use codec::Encode;
use core::{cell::Cell, fmt};
use selvedge_primitives_types::{DeviceId, Entry, EntryKey, Hash, Leaf, LeafKey, UsageCommitment};

/// Why drawn leaves are not sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Something is wrong, and this proves it.
    Defect(Box<FraudProof>),
    /// Something was not shown, so nothing is known of it.
    Withheld(Withheld),
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Defect(_) => f.write_str("a defect is proven"),
            Self::Withheld(withheld) => withheld.fmt(f),
        }
    }
}

impl core::error::Error for Flaw {}

/// Looks at drawn leaves, at all that stands above each, and at each in the other tree. Returns the
/// leaves in the order of the draws, each as often as it was drawn.
///
/// A draw beyond what was committed means no leaf and is passed over. Fails with the proof of a
/// defect, else with what is withheld. Takes O(log n) time for each draw, and asks for no more.
pub fn sample<H: Keccak256>(
    shown: &impl Shown<H>,
    commitment: &UsageCommitment,
    context: &impl Context,
    draws: &[Draw],
) -> Result<Vec<Leaf>, Flaw> {
    let mut search = Search::<H, _, _>::new(shown, commitment, context);
    let mut leaves = Vec::with_capacity(draws.len());
    for draw in draws {
        leaves.extend(search.drawn(draw).map_err(Flaw::Defect)?);
    }
    match search.withheld {
        Some(withheld) => Err(Flaw::Withheld(withheld)),
        None => Ok(leaves),
    }
}

/// What an auditor states of leaves: that it held these very ones. It differs for each auditor, so
/// that none can copy another's. On chain `digest` is blake2-256
/// ([`Verdict::Ok`](selvedge_primitives_types::Verdict::Ok)).
pub fn held<'a>(
    auditor: &DeviceId,
    leaves: impl IntoIterator<Item = &'a Leaf>,
    digest: impl FnOnce(&[u8]) -> Hash,
) -> Hash {
    let mut bytes = auditor.encode();
    for leaf in leaves {
        leaf.encode_to(&mut bytes);
    }
    digest(&bytes)
}

impl<H: Keccak256, V: Shown<H>, C: Context> Search<'_, H, V, C> {
    fn drawn(&mut self, draw: &Draw) -> Step<Leaf> {
        let (kind, at) = (draw.tree, Cell::new(draw.at));
        let Some((index, entry)) =
            self.walk_entries(kind, |halves, left, right| by_sum(&at, halves, left, right))?
        else {
            return Ok(None);
        };
        at.set(at.get().inside(&entry.sum));
        let of = (index, &entry);
        let Some((place, leaf)) = self.walk_leaves(kind, of, |halves, left, right| {
            by_sum(&at, halves, left, right)
        })?
        else {
            return Ok(None);
        };
        let is_sound = self.sound_leaf(kind, of, place, &leaf)?.is_some()
            && self.is_in_other(kind, (index, place), &leaf)?.is_some();
        Ok(is_sound.then_some(leaf))
    }

    /// Makes sure that a leaf stands in the other tree too.
    fn is_in_other(&mut self, kind: TreeKind, at: (u32, u32), leaf: &Leaf) -> Step<()> {
        let other = kind.other();
        let (entry_key, leaf_key) = other.position(leaf);
        let Some((index, entry)) =
            self.walk_entries(other, |_, left, _| Some(entry_key <= left.max))?
        else {
            return Ok(None);
        };
        if entry.key == entry_key {
            let is_left = |_, left: &Node<LeafKey>, _: &_| Some(leaf_key <= left.max);
            let Some((_, found)) = self.walk_leaves(other, (index, &entry), is_left)? else {
                return Ok(None);
            };
            if leaf_digest::<H>(&found) == leaf_digest::<H>(leaf) {
                return Ok(Some(()));
            }
        }
        self.found(|search| search.disagreement(kind, at.0, at.1))
    }

    /// Goes down the entry tree and looks at all on the way; `is_left` chooses between two children.
    fn walk_entries(
        &mut self,
        kind: TreeKind,
        is_left: impl Fn((Place, Place), &Node<EntryKey>, &Node<EntryKey>) -> Option<bool>,
    ) -> Step<(u32, Entry)> {
        let Some(mut node) = self.root(kind) else {
            return Ok(None);
        };
        let mut place = self.all_entries(kind);
        loop {
            match (self.entry_node(kind, place, &node)?, place.halves()) {
                (Some(Below::Item(entry)), None) => return Ok(Some((place.first, entry))),
                (Some(Below::Inner(left, right)), Some(halves)) => {
                    (place, node) = match is_left(halves, &left, &right) {
                        Some(true) => (halves.0, left),
                        Some(false) => (halves.1, right),
                        None => return Ok(None),
                    };
                }
                _ => return Ok(None),
            }
        }
    }

    /// The same in the leaf tree of an entry, after a look at the entry itself.
    fn walk_leaves(
        &mut self,
        kind: TreeKind,
        of: (u32, &Entry),
        is_left: impl Fn((Place, Place), &Node<LeafKey>, &Node<LeafKey>) -> Option<bool>,
    ) -> Step<(u32, Leaf)> {
        let Some((mut place, mut below)) = self.leaves_root(kind, of)? else {
            return Ok(None);
        };
        loop {
            let node = match (below, place.halves()) {
                (Below::Item(leaf), None) => return Ok(Some((place.first, leaf))),
                (Below::Inner(left, right), Some(halves)) => match is_left(halves, &left, &right) {
                    Some(true) => {
                        place = halves.0;
                        left
                    }
                    Some(false) => {
                        place = halves.1;
                        right
                    }
                    None => return Ok(None),
                },
                _ => return Ok(None),
            };
            match self.leaf_node(kind, of, place, &node)? {
                Some(next) => below = next,
                None => return Ok(None),
            }
        }
    }
}

/// Which of two nodes a place falls into; it is counted from that one's start then.
fn by_sum<K>(
    at: &Cell<At>,
    halves: (Place, Place),
    left: &Node<K>,
    right: &Node<K>,
) -> Option<bool> {
    let (is_left, inside) = match at.get().in_or_after(&left.sum, halves.0.count) {
        Ok(inside) => (true, inside),
        Err(rest) => (false, rest.in_or_after(&right.sum, halves.1.count).ok()?),
    };
    at.set(inside);
    Some(is_left)
}
