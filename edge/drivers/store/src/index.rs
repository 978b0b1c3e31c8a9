//! What is stored, by name, and what must leave for more.

use std::collections::{BTreeMap, HashMap};

use selvedge_primitives_types::{Hash, ServiceId};

use crate::fifo::Fifo;
use crate::files::RecordId;

/// A stored record.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) service: ServiceId,
    pub(crate) key: [u8; 16],
    pub(crate) root: Hash,
    pub(crate) generation: u64,
    /// On disk.
    pub(crate) bytes: u64,
}

#[derive(Debug)]
struct Body {
    /// On disk.
    bytes: u64,
    records: Vec<RecordId>,
}

/// A file that must be removed, before the index is unlocked: its name may be used again
/// afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    Record(RecordId),
    Body(Hash),
}

/// Everything in the folder with a name.
#[derive(Debug)]
pub(crate) struct Index {
    quota: u64,
    records: HashMap<RecordId, Entry>,
    keys: BTreeMap<(ServiceId, [u8; 16]), Vec<RecordId>>,
    bodies: HashMap<Hash, Body>,
    fifo: Fifo<RecordId>,
    /// Bytes on disk of all that has a name.
    named: u64,
    /// Bytes promised to files under way.
    promised: u64,
}

impl Index {
    pub(crate) fn new(quota: u64) -> Self {
        Self {
            quota,
            records: HashMap::new(),
            keys: BTreeMap::new(),
            bodies: HashMap::new(),
            fifo: Fifo::new(quota),
            named: 0,
            promised: 0,
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.named + self.promised
    }

    pub(crate) fn records(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn bodies(&self) -> usize {
        self.bodies.len()
    }

    pub(crate) fn has_body(&self, root: &Hash) -> bool {
        self.bodies.contains_key(root)
    }

    /// Promises bytes to a file under way. Says whether there is room, and what left for it.
    pub(crate) fn promise(&mut self, bytes: u64) -> (bool, Vec<Gone>) {
        let mut gone = Vec::new();
        while self.bytes().saturating_add(bytes) > self.quota {
            let Some(id) = self.fifo.evict() else {
                return (false, gone);
            };
            self.detach(&id, &mut gone);
            gone.push(Gone::Record(id));
        }
        self.promised += bytes;
        (true, gone)
    }

    /// Takes a promise back.
    pub(crate) fn release(&mut self, bytes: u64) {
        self.promised = self.promised.saturating_sub(bytes);
    }

    /// Adds a record, in place of an earlier one with the same name. `body_bytes` counts where the
    /// body is new.
    pub(crate) fn insert(&mut self, id: RecordId, entry: Entry, body_bytes: u64) -> Vec<Gone> {
        let mut gone = Vec::new();
        let named = &mut self.named;
        let body = self.bodies.entry(entry.root).or_insert_with(|| {
            *named += body_bytes;
            Body {
                bytes: body_bytes,
                records: Vec::new(),
            }
        });
        // Before the earlier record leaves, so that a body they share stays.
        body.records.push(id);
        let body_bytes = body.bytes;
        self.detach(&id, &mut gone);
        self.named += entry.bytes;
        self.keys
            .entry((entry.service, entry.key))
            .or_default()
            .push(id);
        self.fifo.insert(id, entry.bytes + body_bytes);
        self.records.insert(id, entry);
        gone
    }

    /// Takes records out, with the bodies that no other record names.
    pub(crate) fn remove(&mut self, ids: &[RecordId]) -> Vec<Gone> {
        let mut gone = Vec::new();
        for id in ids {
            if self.detach(id, &mut gone) {
                self.fifo.forget(id);
                gone.push(Gone::Record(*id));
            }
        }
        gone
    }

    /// Takes a record out of everything but the order.
    fn detach(&mut self, id: &RecordId, gone: &mut Vec<Gone>) -> bool {
        let Some(entry) = self.records.remove(id) else {
            return false;
        };
        self.named -= entry.bytes;
        let place = (entry.service, entry.key);
        if let Some(ids) = self.keys.get_mut(&place) {
            ids.retain(|other| other != id);
            if ids.is_empty() {
                self.keys.remove(&place);
            }
        }
        if let Some(body) = self.bodies.get_mut(&entry.root) {
            if let Some(at) = body.records.iter().position(|other| other == id) {
                body.records.swap_remove(at);
            }
            if body.records.is_empty() {
                self.named -= body.bytes;
                self.bodies.remove(&entry.root);
                gone.push(Gone::Body(entry.root));
            }
        }
        true
    }

    /// The records of a key.
    pub(crate) fn of_key(&self, service: ServiceId, key: [u8; 16]) -> Vec<RecordId> {
        self.keys.get(&(service, key)).cloned().unwrap_or_default()
    }

    /// The records of a key below a generation.
    pub(crate) fn of_key_below(
        &self,
        service: ServiceId,
        key: [u8; 16],
        below: u64,
    ) -> Vec<RecordId> {
        let ids = self.keys.get(&(service, key)).into_iter().flatten();
        let is_below = |id: &&RecordId| {
            let entry = self.records.get(*id);
            entry.is_some_and(|entry| entry.generation < below)
        };
        ids.filter(is_below).copied().collect()
    }

    /// The records of a service below a generation.
    pub(crate) fn of_service(&self, service: ServiceId, below: u64) -> Vec<RecordId> {
        let all = (service, [0; 16])..=(service, [u8::MAX; 16]);
        let ids = self.keys.range(all).flat_map(|(_, ids)| ids);
        ids.filter(|id| {
            self.records
                .get(*id)
                .is_some_and(|entry| entry.generation < below)
        })
        .copied()
        .collect()
    }

    /// The records that name a body.
    pub(crate) fn of_body(&self, root: &Hash) -> Vec<RecordId> {
        self.bodies
            .get(root)
            .map(|body| body.records.clone())
            .unwrap_or_default()
    }

    pub(crate) fn touch(&mut self, id: &RecordId) {
        self.fifo.touch(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(service: u64, key: u8, root: u8, generation: u64, bytes: u64) -> Entry {
        let (service, key) = (ServiceId(service), [key; 16]);
        Entry {
            service,
            key,
            root: [root; 32],
            generation,
            bytes,
        }
    }

    #[test]
    fn a_body_stays_while_a_record_names_it() {
        let mut index = Index::new(1_000);
        assert!(index.insert([1; 32], entry(1, 1, 9, 0, 10), 100).is_empty());
        assert!(index.insert([2; 32], entry(1, 2, 9, 0, 10), 100).is_empty());
        assert_eq!((index.bytes(), index.bodies()), (120, 1));
        // The same record again, for the same body and for another one.
        assert!(index.insert([1; 32], entry(1, 1, 9, 0, 20), 100).is_empty());
        assert_eq!(index.bytes(), 130);
        assert!(index.insert([1; 32], entry(1, 1, 8, 0, 20), 50).is_empty());
        assert_eq!(
            index.insert([2; 32], entry(1, 2, 8, 0, 10), 50),
            [Gone::Body([9; 32])]
        );
        assert_eq!(index.bytes(), 80);
        let gone = index.remove(&index.of_body(&[8; 32]));
        assert_eq!(gone.len(), 3);
        assert_eq!((index.bytes(), index.records(), index.bodies()), (0, 0, 0));
    }

    #[test]
    fn a_purge_names_the_older_records_of_one_service() {
        let mut index = Index::new(1_000);
        for (id, service, generation) in [(1, 1, 4), (2, 1, 5), (3, 2, 4), (4, 1, 3)] {
            index.insert([id; 32], entry(service, id, id, generation, 1), 1);
        }
        let mut old = index.of_service(ServiceId(1), 5);
        old.sort_unstable();
        assert_eq!(old, [[1; 32], [4; 32]]);
    }

    proptest! {
        #[test]
        fn bytes_add_up_and_stay_within_the_quota(
            steps in prop::collection::vec((0u8..4, 0u8..12, 0u8..6, 1u64..200), 0..200),
        ) {
            let mut index = Index::new(600);
            let mut promised = 0;
            for (step, id, root, bytes) in steps {
                match step {
                    0 | 1 => {
                        // As a store does: room for the record and the body is promised first.
                        let (is_there, _) = index.promise(2 * bytes);
                        if is_there {
                            index.insert([id; 32], entry(1, id, root, 0, bytes), bytes);
                            index.release(2 * bytes);
                        }
                    }
                    2 => {
                        if index.promise(bytes).0 {
                            promised += bytes;
                        }
                    }
                    _ => {
                        index.release(promised);
                        promised = 0;
                        index.remove(&[[id; 32]]);
                    }
                }
                let records: u64 = index.records.values().map(|entry| entry.bytes).sum();
                let bodies: u64 = index.bodies.values().map(|body| body.bytes).sum();
                prop_assert_eq!(index.bytes(), records + bodies + promised);
                prop_assert!(index.bytes() <= 600);
                prop_assert_eq!(index.fifo.len(), index.records());
                for (id, entry) in &index.records {
                    prop_assert!(index.of_body(&entry.root).contains(id));
                }
                prop_assert_eq!(
                    index.bodies.values().map(|body| body.records.len()).sum::<usize>(),
                    index.records()
                );
            }
        }
    }
}
