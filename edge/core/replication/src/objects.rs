//! The blobs that are kept, each with what caches have said of it.

use std::collections::HashMap;

use selvedge_primitives_types::{ContentKind, ContentRef, Hash, ServiceId};

use crate::nodes::Index;

/// Caches that are remembered for one blob, more than any pin asks for.
pub const MAX_COPIES: usize = 24;

/// Memory that one blob takes at most, with its place in every table; measured in `tests/it/memory.rs`.
pub const BYTES_PER_OBJECT: usize = 384;

/// What a cache has said of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Note {
    /// It holds it.
    Holds,
    /// It does not.
    Lacks,
    /// It says that it does, and failed to show it.
    Disproved,
}

/// Fourteen bits of an index, two of a note.
const SHIFT: u16 = 14;
const MASK: u16 = (1 << SHIFT) - 1;

fn pack(index: Index, note: Note) -> u16 {
    index | ((note as u16) << SHIFT)
}

fn unpack(packed: u16) -> (Index, Note) {
    let note = match packed >> SHIFT {
        0 => Note::Holds,
        1 => Note::Lacks,
        _ => Note::Disproved,
    };
    (packed & MASK, note)
}

/// One blob.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    root: Hash,
    length: u64,
    first: (ServiceId, u8),
    /// Further services that keep it.
    rest: Box<[(ServiceId, u8)]>,
    notes: [u16; MAX_COPIES],
    /// Place in the queue, 0 without one.
    pub(crate) queued: u32,
    /// Second since which every owner has held it, 0 when one does not.
    pub(crate) whole_since: u32,
    kind: ContentKind,
    count: u8,
    is_vacant: bool,
    pub(crate) is_dirty: bool,
    pub(crate) is_unavailable: bool,
}

impl Entry {
    pub(crate) fn content(&self) -> ContentRef {
        ContentRef {
            root: self.root,
            length: self.length,
            kind: self.kind,
        }
    }

    /// A service that keeps it.
    pub(crate) fn service(&self) -> ServiceId {
        self.first.0
    }

    /// The most copies that a service was promised.
    pub(crate) fn factor(&self) -> u8 {
        let rest = self.rest.iter().map(|(_, factor)| *factor).max();
        self.first.1.max(rest.unwrap_or(0))
    }

    pub(crate) fn notes(&self) -> impl Iterator<Item = (Index, Note)> + '_ {
        let notes = &self.notes[..usize::from(self.count)];
        notes.iter().map(|packed| unpack(*packed))
    }

    pub(crate) fn note(&self, index: Index) -> Option<Note> {
        let mut notes = self.notes();
        notes.find(|(of, _)| *of == index).map(|(_, note)| note)
    }

    /// Writes down what a cache said. Says whether that is news.
    pub(crate) fn write(&mut self, index: Index, note: Note) -> bool {
        let count = usize::from(self.count);
        let found = self.notes().position(|(of, _)| of == index);
        if let Some(place) = found {
            let packed = pack(index, note);
            return std::mem::replace(&mut self.notes[place], packed) != packed;
        }
        let place = if count < MAX_COPIES {
            self.count += 1;
            count
        } else {
            // Who lacks it says so again when it is asked.
            let lacking = self.notes().position(|(_, of)| of == Note::Lacks);
            match lacking {
                Some(place) if note != Note::Lacks => place,
                _ => return false,
            }
        };
        self.notes[place] = pack(index, note);
        true
    }

    /// Forgets what some caches said.
    pub(crate) fn forget(&mut self, is_kept: impl Fn(Index) -> bool) {
        let mut kept = 0;
        for place in 0..usize::from(self.count) {
            if is_kept(unpack(self.notes[place]).0) {
                self.notes[kept] = self.notes[place];
                kept += 1;
            }
        }
        self.count = kept as u8;
    }
}

/// All of them, each in a slot that it keeps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Objects {
    entries: Vec<Entry>,
    slots: HashMap<Hash, u32>,
    vacant: Vec<u32>,
    /// Pairs of a blob and a service.
    pairs: usize,
}

impl Objects {
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// One past the last slot.
    pub(crate) fn end(&self) -> u32 {
        self.entries.len() as u32
    }

    pub(crate) fn slot(&self, root: &Hash) -> Option<u32> {
        self.slots.get(root).copied()
    }

    pub(crate) fn at(&self, slot: u32) -> Option<&Entry> {
        let entry = self.entries.get(slot as usize)?;
        (!entry.is_vacant).then_some(entry)
    }

    pub(crate) fn at_mut(&mut self, slot: u32) -> Option<&mut Entry> {
        let entry = self.entries.get_mut(slot as usize)?;
        (!entry.is_vacant).then_some(entry)
    }

    /// Keeps a blob for a service; `None` when there is no room.
    pub(crate) fn keep(
        &mut self,
        content: ContentRef,
        service: ServiceId,
        factor: u8,
        limit: usize,
    ) -> Option<u32> {
        if let Some(slot) = self.slot(&content.root) {
            let pairs = self.pairs;
            let entry = self.at_mut(slot)?;
            if entry.first.0 == service {
                entry.first.1 = factor;
            } else if let Some(pin) = entry.rest.iter_mut().find(|(of, _)| *of == service) {
                pin.1 = factor;
            } else if pairs < limit {
                let more = entry.rest.iter().copied().chain([(service, factor)]);
                entry.rest = more.collect();
                self.pairs += 1;
            } else {
                return None;
            }
            return Some(slot);
        }
        if self.pairs >= limit {
            return None;
        }
        let entry = Entry {
            root: content.root,
            length: content.length,
            first: (service, factor),
            rest: Box::default(),
            notes: [0; MAX_COPIES],
            queued: 0,
            whole_since: 0,
            kind: content.kind,
            count: 0,
            is_vacant: false,
            is_dirty: false,
            is_unavailable: false,
        };
        let slot = match self.vacant.pop() {
            Some(slot) => {
                self.entries[slot as usize] = entry;
                slot
            }
            None => {
                self.entries.push(entry);
                self.end() - 1
            }
        };
        self.pairs += 1;
        self.slots.insert(content.root, slot);
        Some(slot)
    }

    /// A service keeps a blob no more. Gives its slot, and whether nobody does now: then the slot is
    /// to be [vacated](Self::vacate).
    pub(crate) fn release(&mut self, root: &Hash, service: ServiceId) -> Option<(u32, bool)> {
        let slot = self.slot(root)?;
        let entry = self.at_mut(slot)?;
        let rest = entry.rest.iter().copied();
        if entry.first.0 != service {
            let left: Box<[_]> = rest.filter(|(of, _)| *of != service).collect();
            let has_changed = left.len() < entry.rest.len();
            entry.rest = left;
            self.pairs -= usize::from(has_changed);
            return has_changed.then_some((slot, false));
        }
        let mut rest = rest;
        let next = rest.next();
        let left: Box<[_]> = rest.collect();
        match next {
            Some(next) => (entry.first, entry.rest) = (next, left),
            None => return Some((slot, true)),
        }
        self.pairs -= 1;
        Some((slot, false))
    }

    /// Forgets a blob.
    pub(crate) fn vacate(&mut self, slot: u32) {
        if let Some(entry) = self.at_mut(slot) {
            entry.is_vacant = true;
            let root = entry.root;
            self.slots.remove(&root);
            self.vacant.push(slot);
            self.pairs -= 1;
        }
    }
}
