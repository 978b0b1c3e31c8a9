//! Which entry goes first when room is needed: S3-FIFO (Yang et al., SOSP 2023).
//!
//! New entries wait in a small queue; those that were asked for twice meanwhile move to the main
//! queue, the others leave and are remembered for a while in a ghost queue, by name only. An entry
//! whose ghost is remembered goes straight to the main queue. So a crawl through everything once
//! pushes out nothing that is in use, and a hit costs one counter.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// Hits that are counted at most.
const MAX_HITS: u8 = 3;
/// Hits that an entry needs in the small queue to move to the main queue.
const PROMOTE: u8 = 2;
/// The newcomers' part of the room. A tenth, as in the paper, keeps up to 0.4 points of the hits less in
/// the replays of `examples/replay.rs`.
const NEWCOMERS: u64 = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Queue {
    Small,
    Main,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    bytes: u64,
    hits: u8,
    queue: Queue,
    /// Tells this entry's place in a queue from the places of earlier entries with the same name.
    stamp: u64,
}

/// The order in which entries leave. It holds names and sizes; the caller holds the entries.
#[derive(Debug)]
pub struct Fifo<K> {
    entries: HashMap<K, Entry>,
    small: VecDeque<(K, u64)>,
    main: VecDeque<(K, u64)>,
    ghosts: VecDeque<(K, u64)>,
    remembered: HashMap<K, u64>,
    small_bytes: u64,
    main_bytes: u64,
    small_share: u64,
    stamp: u64,
}

impl<K: Hash + Eq + Clone> Fifo<K> {
    /// An order for about `capacity` bytes, of which a twentieth is for newcomers.
    pub fn new(capacity: u64) -> Self {
        Self {
            entries: HashMap::new(),
            small: VecDeque::new(),
            main: VecDeque::new(),
            ghosts: VecDeque::new(),
            remembered: HashMap::new(),
            small_bytes: 0,
            main_bytes: 0,
            small_share: capacity / NEWCOMERS,
            stamp: 0,
        }
    }

    /// Bytes of all entries.
    pub fn bytes(&self) -> u64 {
        self.small_bytes + self.main_bytes
    }

    /// Bytes of one entry; 0 when there is none with this name.
    pub fn bytes_of(&self, name: &K) -> u64 {
        self.entries.get(name).map_or(0, |entry| entry.bytes)
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds an entry, in place of one with the same name, whose hits it inherits.
    pub fn insert(&mut self, name: K, bytes: u64) {
        let earlier = self.remove(&name);
        let is_known = self.remembered.remove(&name).is_some();
        let queue = match earlier {
            Some(earlier) => earlier.queue,
            None if is_known => Queue::Main,
            None => Queue::Small,
        };
        let hits = earlier.map_or(0, |earlier| earlier.hits);
        self.push(name, bytes, hits, queue);
    }

    /// Counts a hit.
    pub fn touch(&mut self, name: &K) {
        if let Some(entry) = self.entries.get_mut(name) {
            entry.hits = (entry.hits + 1).min(MAX_HITS);
        }
    }

    /// Takes an entry out without remembering it. Returns its bytes.
    pub fn forget(&mut self, name: &K) -> Option<u64> {
        self.remove(name).map(|entry| entry.bytes)
    }

    /// Takes out the entry that leaves next; `None` when there is none.
    pub fn evict(&mut self) -> Option<K> {
        loop {
            let from_small = self.small_bytes > 0
                && (self.small_bytes > self.small_share || self.main_bytes == 0);
            let queue = if from_small {
                &mut self.small
            } else {
                &mut self.main
            };
            let Some((name, stamp)) = queue.pop_front() else {
                // Only entries of no bytes can be left.
                let name = self.entries.keys().next()?.clone();
                self.remove(&name);
                return Some(name);
            };
            let Some(entry) = self
                .entries
                .get(&name)
                .copied()
                .filter(|entry| entry.stamp == stamp)
            else {
                continue;
            };
            self.remove(&name);
            if from_small && entry.hits >= PROMOTE {
                self.push(name, entry.bytes, 0, Queue::Main);
            } else if !from_small && entry.hits > 0 {
                self.push(name, entry.bytes, entry.hits - 1, Queue::Main);
            } else {
                if from_small {
                    self.remember(name.clone());
                }
                return Some(name);
            }
        }
    }

    fn push(&mut self, name: K, bytes: u64, hits: u8, queue: Queue) {
        self.stamp += 1;
        let stamp = self.stamp;
        self.entries.insert(
            name.clone(),
            Entry {
                bytes,
                hits,
                queue,
                stamp,
            },
        );
        match queue {
            Queue::Small => {
                self.small_bytes += bytes;
                self.small.push_back((name, stamp));
            }
            Queue::Main => {
                self.main_bytes += bytes;
                self.main.push_back((name, stamp));
            }
        }
        self.tidy();
    }

    fn remove(&mut self, name: &K) -> Option<Entry> {
        let entry = self.entries.remove(name)?;
        match entry.queue {
            Queue::Small => self.small_bytes -= entry.bytes,
            Queue::Main => self.main_bytes -= entry.bytes,
        }
        Some(entry)
    }

    fn remember(&mut self, name: K) {
        self.stamp += 1;
        self.remembered.insert(name.clone(), self.stamp);
        self.ghosts.push_back((name, self.stamp));
        while self.remembered.len() > self.entries.len().max(16) {
            let Some((name, stamp)) = self.ghosts.pop_front() else {
                break;
            };
            if self.remembered.get(&name) == Some(&stamp) {
                self.remembered.remove(&name);
            }
        }
    }

    /// Places of entries that were taken out by name stay in the queues until most places are such.
    fn tidy(&mut self) {
        let room = 2 * self.entries.len() + 64;
        if self.small.len() + self.main.len() > room {
            let entries = &self.entries;
            let is_held = |(name, stamp): &(K, u64)| {
                entries.get(name).is_some_and(|entry| entry.stamp == *stamp)
            };
            self.small.retain(is_held);
            self.main.retain(is_held);
        }
        if self.ghosts.len() > 2 * self.remembered.len() + 64 {
            let remembered = &self.remembered;
            self.ghosts
                .retain(|(name, stamp)| remembered.get(name) == Some(stamp));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_crawl_does_not_push_out_what_is_in_use() {
        let mut fifo = Fifo::new(100);
        for hot in 0..50 {
            fifo.insert(hot, 1);
            fifo.touch(&hot);
            fifo.touch(&hot);
        }
        let mut gone = Vec::new();
        for cold in 1000..3000 {
            while fifo.bytes() >= 100 {
                gone.extend(fifo.evict());
            }
            fifo.insert(cold, 1);
            for hot in 0..50 {
                fifo.touch(&hot);
            }
        }
        assert!(gone.iter().all(|name| *name >= 1000), "{gone:?}");
    }

    #[test]
    fn who_comes_back_soon_is_kept_longer() {
        let mut fifo = Fifo::new(100);
        for name in 0..20 {
            fifo.insert(name, 10);
        }
        assert_eq!(fifo.evict(), Some(0));
        fifo.insert(0, 10);
        let order: Vec<_> = core::iter::from_fn(|| fifo.evict()).collect();
        // It outlives all that came after it.
        assert_eq!(order[..19], (1..20).collect::<Vec<_>>());
        assert_eq!(order[19..], [0]);
    }

    #[test]
    fn entries_of_no_bytes_leave_too() {
        let mut fifo = Fifo::new(10);
        fifo.insert(1, 0);
        assert_eq!((fifo.evict(), fifo.evict()), (Some(1), None));
    }

    proptest! {
        #[test]
        fn every_entry_leaves_once_and_bytes_add_up(
            steps in prop::collection::vec((0u8..5, 0u8..30, 0u64..50), 0..400),
        ) {
            let mut fifo = Fifo::new(300);
            let mut model = HashMap::new();
            for (step, name, bytes) in steps {
                match step {
                    0 | 1 => {
                        fifo.insert(name, bytes);
                        model.insert(name, bytes);
                    }
                    2 => fifo.touch(&name),
                    3 => prop_assert_eq!(fifo.forget(&name), model.remove(&name)),
                    _ => {
                        let gone = fifo.evict();
                        prop_assert_eq!(gone.is_some(), !model.is_empty());
                        prop_assert!(gone.is_none_or(|gone| model.remove(&gone).is_some()));
                    }
                }
                prop_assert_eq!(fifo.bytes(), model.values().sum::<u64>());
                prop_assert_eq!(fifo.len(), model.len());
                prop_assert!(fifo.small.len() + fifo.main.len() <= 2 * fifo.len() + 64 + 1);
                prop_assert!(fifo.ghosts.len() <= 2 * fifo.remembered.len() + 66);
            }
            while let Some(gone) = fifo.evict() {
                prop_assert!(model.remove(&gone).is_some());
            }
            prop_assert!(model.is_empty());
        }
    }
}
