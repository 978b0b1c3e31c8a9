//! A bounded cache in memory, in shards, for what a gateway serves most.

use std::collections::HashMap;
use std::sync::Arc;

use codec::Encode;
use parking_lot::Mutex;
use selvedge_primitives_types::ServiceId;

use crate::fifo::Fifo;

/// Bytes that an entry costs besides its value: two map entries, two places in queues and the
/// allocator's share.
pub const ENTRY_OVERHEAD: u64 = 256;
/// Variants kept of one key; the oldest leaves when there are more.
pub const MAX_VARIANTS: usize = 32;

/// How much memory a value takes.
pub trait Weigh {
    /// Bytes, with the body and all that describes it.
    fn bytes(&self) -> u64;
}

/// A stored response's variant, as in its record.
type Variant = [(Vec<u8>, Option<Vec<u8>>)];
type Name = [u8; 16];

/// Responses by service, primary key and variant. At most `capacity` bytes with all that describes
/// them; what leaves is chosen by [`Fifo`].
///
/// A value larger than one shard's share is not kept. Values are shared: one that leaves lives on
/// where it is being sent.
#[derive(Debug)]
pub struct Memory<V> {
    shards: Box<[Mutex<Shard<V>>]>,
    shard_bytes: u64,
}

#[derive(Debug)]
struct Shard<V> {
    keys: HashMap<Name, Vec<Slot<V>>>,
    /// The key that a variant belongs to.
    owners: HashMap<Name, Name>,
    fifo: Fifo<Name>,
}

#[derive(Debug)]
struct Slot<V> {
    name: Name,
    service: ServiceId,
    value: Arc<V>,
}

impl<V: Weigh> Memory<V> {
    /// An empty cache of `capacity` bytes in `shards` (at least 1) parts that are locked apart.
    pub fn new(capacity: u64, shards: usize) -> Self {
        let shards = shards.max(1);
        let shard_bytes = capacity / shards as u64;
        let shards = (0..shards)
            .map(|_| {
                Mutex::new(Shard {
                    keys: HashMap::new(),
                    owners: HashMap::new(),
                    fifo: Fifo::new(shard_bytes),
                })
            })
            .collect();
        Self {
            shards,
            shard_bytes,
        }
    }

    /// The youngest value under a key that `choose` accepts. Counts as a hit.
    pub fn find(
        &self,
        service: ServiceId,
        key: &[u8],
        mut choose: impl FnMut(&V) -> bool,
    ) -> Option<Arc<V>> {
        let name = key_name(service, key);
        let mut shard = self.shard(&name).lock();
        let slots = shard.keys.get(&name)?;
        let slot = slots.iter().rev().find(|slot| choose(&slot.value))?;
        let (name, value) = (slot.name, slot.value.clone());
        shard.fifo.touch(&name);
        Some(value)
    }

    /// The value under a key that `rank` puts highest, of those it ranks at all; the youngest among
    /// equals. Counts as a hit when `is_used` accepts it, and is `None` otherwise.
    pub fn best<R: Ord>(
        &self,
        service: ServiceId,
        key: &[u8],
        mut rank: impl FnMut(&V) -> Option<R>,
        is_used: impl FnOnce(&V) -> bool,
    ) -> Option<Arc<V>> {
        let name = key_name(service, key);
        let mut shard = self.shard(&name).lock();
        let slots = shard.keys.get(&name)?;
        let ranked = slots
            .iter()
            .filter_map(|slot| Some((rank(&slot.value)?, slot)));
        let (_, slot) = ranked.max_by(|(one, _), (two, _)| one.cmp(two))?;
        if !is_used(&slot.value) {
            return None;
        }
        let (name, value) = (slot.name, slot.value.clone());
        shard.fifo.touch(&name);
        Some(value)
    }

    /// Every value under a key, the youngest last. Counts as no hit.
    pub fn variants(&self, service: ServiceId, key: &[u8]) -> Vec<Arc<V>> {
        let name = key_name(service, key);
        let shard = self.shard(&name).lock();
        let slots = shard.keys.get(&name).map(Vec::as_slice).unwrap_or_default();
        slots.iter().map(|slot| slot.value.clone()).collect()
    }

    /// A value that `choose` accepts, of at most `limit` that are looked at in each part, beginning at the place that
    /// `start` names. Counts as no hit.
    pub fn pick(
        &self,
        start: u64,
        limit: usize,
        mut choose: impl FnMut(&V) -> bool,
    ) -> Option<Arc<V>> {
        let parts = self.shards.len() as u64;
        (0..parts).find_map(|part| {
            let shard = self.shards[(start.wrapping_add(part) % parts) as usize].lock();
            let keys = shard.keys.len() as u64;
            let skip = (start / parts).checked_rem(keys)? as usize;
            let round = shard.keys.values().skip(skip).chain(shard.keys.values());
            let found = round.flatten().take(limit).find(|slot| choose(&slot.value));
            found.map(|slot| slot.value.clone())
        })
    }

    /// Keeps a value in place of the one with the same variant. Returns it, shared; it is not kept
    /// when it is larger than [`Memory::largest`].
    pub fn insert(&self, service: ServiceId, key: &[u8], variant: &Variant, value: V) -> Arc<V> {
        let value = Arc::new(value);
        let key_name = key_name(service, key);
        let name = variant_name(&key_name, variant);
        let bytes = value.bytes().saturating_add(ENTRY_OVERHEAD);
        let mut shard = self.shard(&key_name).lock();
        if bytes > self.shard_bytes {
            shard.remove(&name);
            return value;
        }
        // The earlier value's place in the order stays, so that a renewed response is not a
        // newcomer.
        shard.unlink(&name);
        while shard.fifo.bytes() - shard.fifo.bytes_of(&name) + bytes > self.shard_bytes {
            let Some(gone) = shard.fifo.evict() else {
                break;
            };
            shard.unlink(&gone);
        }
        if let Some(oldest) = shard
            .keys
            .get(&key_name)
            .filter(|slots| slots.len() >= MAX_VARIANTS)
        {
            let oldest = oldest[0].name;
            shard.remove(&oldest);
        }
        shard.fifo.insert(name, bytes);
        shard.owners.insert(name, key_name);
        let slot = Slot {
            name,
            service,
            value: value.clone(),
        };
        shard.keys.entry(key_name).or_default().push(slot);
        value
    }

    /// Forgets every variant of a key. Returns how many there were.
    pub fn remove(&self, service: ServiceId, key: &[u8]) -> usize {
        let name = key_name(service, key);
        let mut shard = self.shard(&name).lock();
        let names = shard.keys.get(&name).map(Vec::as_slice).unwrap_or_default();
        let names: Vec<Name> = names.iter().map(|slot| slot.name).collect();
        names.iter().for_each(|name| shard.remove(name));
        names.len()
    }

    /// Forgets the values of a service that `is_gone` names, such as those below a purge. Returns
    /// how many there were.
    ///
    /// Walks the whole cache, one shard at a time.
    pub fn remove_where(&self, service: ServiceId, mut is_gone: impl FnMut(&V) -> bool) -> usize {
        let mut count = 0;
        for shard in &self.shards {
            let mut shard = shard.lock();
            let slots = shard.keys.values().flatten();
            let gone: Vec<Name> = slots
                .filter(|slot| slot.service == service && is_gone(&slot.value))
                .map(|slot| slot.name)
                .collect();
            gone.iter().for_each(|name| shard.remove(name));
            count += gone.len();
        }
        count
    }

    /// Bytes held, with all that describes them.
    pub fn bytes(&self) -> u64 {
        self.shards
            .iter()
            .map(|shard| shard.lock().fifo.bytes())
            .sum()
    }

    /// Values held.
    pub fn len(&self) -> usize {
        self.shards
            .iter()
            .map(|shard| shard.lock().fifo.len())
            .sum()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The largest value that is kept, in bytes as [`Weigh::bytes`] counts them.
    pub fn largest(&self) -> u64 {
        self.shard_bytes.saturating_sub(ENTRY_OVERHEAD)
    }

    fn shard(&self, name: &Name) -> &Mutex<Shard<V>> {
        let mut number = [0; 8];
        number.copy_from_slice(&name[..8]);
        &self.shards[(u64::from_le_bytes(number) % self.shards.len() as u64) as usize]
    }
}

impl<V> Shard<V> {
    fn remove(&mut self, name: &Name) {
        self.fifo.forget(name);
        self.unlink(name);
    }

    /// Drops the value, and leaves its place in the order to the caller.
    fn unlink(&mut self, name: &Name) {
        let Some(key) = self.owners.remove(name) else {
            return;
        };
        if let Some(slots) = self.keys.get_mut(&key) {
            slots.retain(|slot| slot.name != *name);
            if slots.is_empty() {
                self.keys.remove(&key);
            }
        }
    }
}

fn key_name(service: ServiceId, key: &[u8]) -> Name {
    short(
        blake3::Hasher::new()
            .update(&service.0.to_le_bytes())
            .update(key),
    )
}

fn variant_name(key: &Name, variant: &Variant) -> Name {
    short(blake3::Hasher::new().update(key).update(&variant.encode()))
}

/// Half a BLAKE3 hash: nobody finds two keys with one name.
fn short(hasher: &blake3::Hasher) -> Name {
    let mut name = [0; 16];
    name.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, PartialEq)]
    struct Value(u32, u64);

    impl Weigh for Value {
        fn bytes(&self) -> u64 {
            self.1
        }
    }

    fn variant(value: u32) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
        vec![(b"accept".to_vec(), Some(value.to_string().into_bytes()))]
    }

    #[test]
    fn variants_of_one_key_live_side_by_side() {
        let memory = Memory::new(1 << 20, 4);
        for number in 0..3 {
            memory.insert(ServiceId(1), b"/a", &variant(number), Value(number, 10));
        }
        memory.insert(ServiceId(1), b"/a", &variant(1), Value(7, 10));
        assert_eq!(memory.variants(ServiceId(1), b"/a").len(), 3);
        assert_eq!(memory.find(ServiceId(1), b"/a", |_| true).unwrap().0, 7);
        assert!(memory
            .find(ServiceId(1), b"/a", |value| value.0 == 1)
            .is_none());
        assert!(memory.find(ServiceId(2), b"/a", |_| true).is_none());
        assert_eq!(memory.remove(ServiceId(1), b"/a"), 3);
        assert!(memory.is_empty() && memory.bytes() == 0);
    }

    #[test]
    fn the_best_is_the_highest_and_youngest_that_is_ranked() {
        let memory = Memory::new(1 << 20, 4);
        for (number, rank) in [(0, 30), (1, 10), (2, 20), (3, 20)] {
            memory.insert(ServiceId(1), b"/a", &variant(number), Value(number, rank));
        }
        let best = |below: u64, is_used: bool| {
            let rank = |value: &Value| (value.1 < below).then_some(value.1);
            let best = memory.best(ServiceId(1), b"/a", rank, |_| is_used);
            best.map(|value| value.0)
        };
        assert_eq!(best(100, true), Some(0));
        assert_eq!(best(30, true), Some(3));
        assert_eq!(best(30, false), None);
        assert_eq!(best(10, true), None);
    }

    #[test]
    fn one_key_cannot_hold_any_number_of_variants() {
        let memory = Memory::new(1 << 20, 1);
        for number in 0..100 {
            memory.insert(ServiceId(1), b"/a", &variant(number), Value(number, 10));
        }
        let left: Vec<_> = memory
            .variants(ServiceId(1), b"/a")
            .iter()
            .map(|v| v.0)
            .collect();
        assert_eq!(left, (68..100).collect::<Vec<_>>());
    }

    #[test]
    fn a_value_that_cannot_fit_is_given_back_and_replaces_nothing_else() {
        let memory = Memory::new(10_000, 2);
        memory.insert(ServiceId(1), b"/a", &[], Value(1, memory.largest()));
        assert_eq!(memory.len(), 1);
        assert_eq!(
            memory.insert(ServiceId(1), b"/b", &[], Value(2, 5_000)).0,
            2
        );
        assert_eq!(memory.len(), 1);
        // The older value under the same name is gone: it would be served in place of the newer
        // one.
        memory.insert(ServiceId(1), b"/a", &[], Value(3, 5_000));
        assert!(memory.is_empty());
    }

    #[test]
    fn a_purge_takes_the_older_of_one_service() {
        let memory = Memory::new(1 << 20, 3);
        for number in 0..20 {
            memory.insert(ServiceId(1), &[number as u8], &[], Value(number, 1));
            memory.insert(ServiceId(2), &[number as u8], &[], Value(number, 1));
        }
        assert_eq!(memory.remove_where(ServiceId(1), |value| value.0 < 5), 5);
        assert_eq!(memory.len(), 35);
    }

    proptest! {
        #[test]
        fn it_never_holds_more_than_it_may(
            steps in prop::collection::vec((0u8..40, 0u32..3, 0u64..3_000, any::<bool>()), 0..300),
        ) {
            let memory = Memory::new(8_000, 2);
            for (key, number, bytes, is_read) in steps {
                if is_read {
                    memory.find(ServiceId(0), &[key], |_| true);
                } else {
                    let value = Value(number, bytes);
                    memory.insert(ServiceId(0), &[key], &variant(number), value);
                    let kept = memory.find(ServiceId(0), &[key], |value| value.0 == number);
                    prop_assert_eq!(kept.is_some(), bytes <= memory.largest());
                }
                prop_assert!(memory.bytes() <= 8_000);
                for shard in &memory.shards {
                    let shard = shard.lock();
                    let slots: usize = shard.keys.values().map(Vec::len).sum();
                    prop_assert_eq!(slots, shard.fifo.len());
                    prop_assert_eq!(slots, shard.owners.len());
                }
            }
        }
    }
}
