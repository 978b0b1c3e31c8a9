//! Judges what an opening shows. The finder and the verifier ask the same questions here, so that
//! one never finds what the other refuses.

use super::{Below, Context, Defect, Item};
use crate::{
    hash::Keccak256,
    price::charge,
    storage::stored,
    tree::{split, Level, Node, TreeKind},
};
use selvedge_primitives_types::{Entry, Leaf, Signature64, Sum, UsageCommitment};

/// What is stated of a node: its sum, and its key range where something states one.
pub(super) struct Stated<K> {
    sum: Sum,
    range: Option<(K, K)>,
}

impl<K: Copy> Stated<K> {
    /// By the node itself, as the one above it holds it.
    pub(super) fn by_node(node: &Node<K>) -> Self {
        Self {
            sum: node.sum,
            range: Some((node.min, node.max)),
        }
    }

    /// By an entry, of the root of its leaves.
    pub(super) fn by_entry(entry: &Entry) -> Self {
        Self {
            sum: entry.sum,
            range: None,
        }
    }
}

/// What is wrong between a node over `count` items and what it hashes.
pub(super) fn node_defect<H: Keccak256, T: Item>(
    kind: TreeKind,
    count: u64,
    stated: &Stated<T::Key>,
    below: &Below<T::Key, T>,
) -> Option<Defect> {
    let (sum, min, max) = match below {
        Below::Item(item) => {
            if count != 1 {
                return Some(Defect::WrongShape);
            }
            let node = item.node::<H>(kind);
            (node.sum, node.min, node.max)
        }
        Below::Inner(left, right) => {
            if count < 2 {
                return Some(Defect::WrongShape);
            }
            if left.max == right.min {
                return Some(Defect::Duplicate);
            }
            if left.min > left.max || left.max > right.min || right.min > right.max {
                return Some(Defect::OutOfOrder);
            }
            let Some(sum) = left.sum.checked_add(&right.sum) else {
                return Some(Defect::Overflow);
            };
            let half = split(count);
            let fits = |node: &Node<T::Key>, items| match T::LEVEL {
                Level::Leaves => node.sum.leaves == items,
                // An entry has one leaf or more.
                Level::Entries => node.sum.leaves >= items,
            };
            if !fits(left, half) || !fits(right, count - half) {
                return Some(Defect::WrongCount);
            }
            (sum, left.min, right.max)
        }
    };
    if stated.sum != sum {
        Some(Defect::WrongSum)
    } else if stated.range.is_some_and(|range| range != (min, max)) {
        Some(Defect::WrongRange)
    } else {
        None
    }
}

/// What is wrong with a committed entry.
pub(super) fn entry_defect(
    kind: TreeKind,
    entry: &Entry,
    context: &impl Context,
) -> Option<Defect> {
    if entry.sum.leaves == 0 {
        return Some(Defect::WrongCount);
    }
    match kind {
        TreeKind::Customers => {
            let key = entry.key.as_customer();
            let Some(terms) = context.terms(key.service) else {
                return Some(Defect::UnknownService);
            };
            if terms.owner != key.customer {
                Some(Defect::WrongCustomer)
            } else if entry.sum.amount > terms.lease {
                Some(Defect::AboveLease)
            } else {
                (stored(&entry.sum) > terms.storage).then_some(Defect::AboveStorage)
            }
        }
        TreeKind::Caches => {
            let Some(cache) = entry.key.as_cache() else {
                return Some(Defect::MalformedCache);
            };
            let is_known = cache.0.is_none() || context.is_cache(&cache.0);
            (!is_known).then_some(Defect::UnassignedCache)
        }
    }
}

/// What is wrong with a leaf of a committed entry.
pub(super) fn leaf_defect(
    kind: TreeKind,
    commitment: &UsageCommitment,
    entry: &Entry,
    leaf: &Leaf,
    context: &impl Context,
) -> Option<Defect> {
    let body = &leaf.body;
    if kind.position(leaf).0 != entry.key {
        return Some(Defect::ForeignLeaf);
    }
    if body.gateway != commitment.gateway {
        return Some(Defect::WrongGateway);
    }
    if body.epoch != commitment.epoch {
        return Some(Defect::WrongEpoch);
    }
    if !body.slice.is_valid() {
        return Some(Defect::SliceOutOfEpoch);
    }
    // A leaf without its cache's signature stays (ADR 009), a forged one does not.
    let bears_signature = leaf.cache_signature != Signature64::default();
    if bears_signature && (body.cache.is_none() || !context.is_signed(leaf)) {
        return Some(Defect::BadSignature);
    }
    // A service that did not exist is a defect of the entry.
    let terms = context.terms(body.service)?;
    if body.price_version != terms.price_version {
        return Some(Defect::WrongPriceList);
    }
    let prices = terms.prices?;
    (charge(&body.paid, &prices) != Ok(body.amount)).then_some(Defect::WrongPrice)
}
