//! What unsafe requests through one gateway made invalid of a service (RFC 9111 §4.4), on its way
//! into orders.
//!
//! Orders that nobody needs any more must leave the log, or cheap requests would push out all that
//! is stored. So each order contains the ones of its gateway before it, until it is full:
//!
//! ```text
//! order 10: a         order 11: a(10) b, replaces 10         order 12: a(10) b(11) c, replaces 10 11
//! ```

use std::collections::{BTreeMap, BTreeSet};

use codec::{Decode, Encode};
use selvedge_primitives_types::InvalidKeys;

use crate::tags::tag_id;

/// What stands for a key: 8 bytes of its BLAKE3. Two keys may share them, once in 2^64 pairs; then a
/// purge takes too much.
pub fn key_id(key: &[u8]) -> u64 {
    tag_id(key)
}

/// The share of all ids that an id is in, where these are not told apart.
pub(crate) fn share(id: u64) -> u64 {
    id >> (u64::BITS - u32::from(InvalidKeys::COARSE))
}

/// Keys that wait for an order. Never more than fit one: too many become shares of all keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Pending {
    ids: BTreeSet<u64>,
    is_coarse: bool,
}

impl Pending {
    /// Adds a key.
    pub fn add(&mut self, id: u64) {
        if self.is_coarse {
            self.ids.insert(share(id));
            return;
        }
        self.ids.insert(id);
        if self.ids.len() > InvalidKeys::MAX_KEYS {
            self.coarsen();
        }
    }

    /// Adds what waited before.
    pub fn merge(&mut self, mut other: Self) {
        if self.is_coarse != other.is_coarse {
            self.coarsen();
            other.coarsen();
        }
        self.ids.append(&mut other.ids);
        if self.ids.len() > InvalidKeys::MAX_KEYS {
            self.coarsen();
        }
    }

    fn coarsen(&mut self) {
        if !std::mem::replace(&mut self.is_coarse, true) {
            self.ids = self.ids.iter().copied().map(share).collect();
        }
    }

    /// How many keys wait, or shares of them.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

/// What the orders of one gateway for a service contain of each other.
#[derive(Clone, Debug, Default)]
pub struct Page {
    keys: BTreeMap<u64, u64>,
    replaces: Vec<u64>,
}

impl Page {
    /// What to ask for, so that all that waits goes: with all that went before, as long as it fits.
    pub fn ask(&mut self, pending: &Pending) -> InvalidKeys {
        if pending.is_coarse {
            return InvalidKeys {
                bits: InvalidKeys::COARSE,
                keys: pending.ids.iter().map(|share| (*share, 0)).collect(),
                replaces: Vec::new(),
            };
        }
        let new = pending.ids.iter().filter(|id| !self.keys.contains_key(id));
        let is_full = self.keys.len() + new.count() > InvalidKeys::MAX_KEYS
            || self.replaces.len() >= InvalidKeys::MAX_REPLACED;
        if is_full {
            *self = Self::default();
        }
        let mut keys = self.keys.clone();
        keys.extend(pending.ids.iter().map(|id| (*id, 0)));
        InvalidKeys {
            bits: InvalidKeys::EXACT,
            keys: keys.into_iter().collect(),
            replaces: self.replaces.clone(),
        }
    }

    /// It got this number.
    pub fn ordered(&mut self, asked: &InvalidKeys, number: u64) {
        if asked.bits != InvalidKeys::EXACT {
            return;
        }
        for (id, before) in &asked.keys {
            let before = if *before == 0 { number } else { *before };
            let kept = self.keys.entry(*id).or_default();
            *kept = before.max(*kept);
        }
        if !self.replaces.contains(&number) {
            self.replaces.push(number);
        }
    }

    /// Whether the next order will contain this one.
    pub fn has(&self, number: u64) -> bool {
        self.replaces.contains(&number)
    }

    /// Whether one after this one contains it.
    pub fn has_replaced(&self, number: u64) -> bool {
        self.has(number) && self.replaces.last() != Some(&number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_contains_those_before_it_until_it_is_full() {
        let mut page = Page::default();
        let mut pending = Pending::default();
        pending.add(7);
        let first = page.ask(&pending);
        assert_eq!(
            (first.keys.as_slice(), first.replaces.len()),
            (&[(7, 0)][..], 0)
        );
        page.ordered(&first, 10);
        let mut pending = Pending::default();
        pending.add(8);
        let second = page.ask(&pending);
        assert_eq!(second.keys, [(7, 10), (8, 0)]);
        assert_eq!(second.replaces, [10]);
        // Ordered twice, for somebody knew a higher number than the first.
        page.ordered(&second, 11);
        page.ordered(&second, 15);
        let mut pending = Pending::default();
        pending.add(7);
        let third = page.ask(&pending);
        assert_eq!(third.keys, [(7, 0), (8, 15)]);
        assert_eq!(third.replaces, [10, 11, 15]);
        assert!(page.has_replaced(10) && !page.has_replaced(15) && !page.has_replaced(9));
        let mut pending = Pending::default();
        (100..100 + InvalidKeys::MAX_KEYS as u64).for_each(|id| pending.add(id));
        let next = page.ask(&pending);
        assert_eq!(
            (next.keys.len(), next.replaces.len()),
            (InvalidKeys::MAX_KEYS, 0)
        );
    }

    #[test]
    fn an_order_contains_no_more_orders_than_are_allowed() {
        let mut page = Page::default();
        let mut pending = Pending::default();
        pending.add(1);
        for number in 1..=2_000 {
            let asked = page.ask(&pending);
            assert!(asked.replaces.len() <= InvalidKeys::MAX_REPLACED);
            page.ordered(&asked, number);
        }
        assert!(page.has(2_000) && !page.has(1));
    }

    #[test]
    fn more_keys_than_fit_are_shares_of_all_keys() {
        let mut pending = Pending::default();
        let id = |n: u64| key_id(&n.to_le_bytes());
        (0..1_024).for_each(|n| pending.add(id(n)));
        assert_eq!(pending.len(), 1_024);
        let exact = pending.clone();
        (1_024..100_000).for_each(|n| pending.add(id(n)));
        assert_eq!(pending.len(), 1_024);
        let asked = Page::default().ask(&pending);
        assert_eq!((asked.bits, asked.keys.len()), (InvalidKeys::COARSE, 1_024));
        let mut merged = exact;
        merged.merge(pending.clone());
        assert_eq!(merged, pending);
        let mut few = Pending::default();
        few.add(id(1));
        let mut others = Pending::default();
        others.add(id(2));
        few.merge(others);
        assert_eq!(few.len(), 2);
    }
}
