//! What is stored, by name, and what must leave for more.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use selvedge_primitives_types::ServiceId;

use crate::body::Body;
use crate::entry::{Extent, Place};
use crate::fifo::Fifo;
use crate::name::{BlobKey, BodyName, RecordId};
use crate::writer::Written;

/// A stored record.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) service: ServiceId,
    pub(crate) key: [u8; 16],
    pub(crate) body: BodyName,
    pub(crate) generation: u64,
    /// Of two with the same name the higher one counts.
    pub(crate) number: u64,
    pub(crate) place: Place,
}

/// A body that is kept without a record.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    /// Who it is kept for.
    pub(crate) service: ServiceId,
    pub(crate) is_pinned: bool,
    pub(crate) number: u64,
    pub(crate) place: Place,
    /// Bytes that are promised to what is missing of it.
    pub(crate) promised: u64,
    /// Bytes that it counts for among what is pinned.
    pub(crate) cost: u64,
}

/// The slices of a body that is not whole yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Partial {
    pub(crate) slices: BTreeMap<u32, Extent>,
    pub(crate) bytes: u64,
}

#[derive(Debug)]
struct Stored {
    body: Arc<Body>,
    records: Vec<RecordId>,
}

/// What leaves next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Item {
    Record(RecordId),
    Content(BlobKey),
}

/// What has left. The places must be marked before the index is unlocked.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Gone {
    pub(crate) marks: Vec<Place>,
    pub(crate) bodies: Vec<BodyName>,
    pub(crate) records: usize,
}

impl Gone {
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.marks.extend(other.marks);
        self.bodies.extend(other.bodies);
        self.records += other.records;
        self
    }
}

/// Who has a piece that was written before its body had a name.
#[derive(Clone, Debug)]
pub(crate) enum Group {
    UnderWay(Arc<Written>),
    Body(BodyName),
}

/// Everything in the segments that counts.
#[derive(Debug)]
pub(crate) struct Index {
    /// The most bytes that are named or promised.
    limit: u64,
    records: HashMap<RecordId, Entry>,
    keys: BTreeMap<(ServiceId, [u8; 16]), Vec<RecordId>>,
    bodies: HashMap<BodyName, Stored>,
    contents: HashMap<BlobKey, Content>,
    partials: HashMap<BlobKey, Partial>,
    groups: HashMap<u64, Group>,
    fifo: Fifo<Item>,
    /// Bytes of all entries that have a name.
    named: u64,
    /// Bytes promised to what is under way.
    promised: u64,
    /// Bytes that are pinned.
    pinned: u64,
    /// Bytes that count, of each segment.
    live: HashMap<u32, u64>,
}

impl Index {
    pub(crate) fn new(limit: u64) -> Self {
        Self {
            limit,
            records: HashMap::new(),
            keys: BTreeMap::new(),
            bodies: HashMap::new(),
            contents: HashMap::new(),
            partials: HashMap::new(),
            groups: HashMap::new(),
            fifo: Fifo::new(limit),
            named: 0,
            promised: 0,
            pinned: 0,
            live: HashMap::new(),
        }
    }

    /// Bytes that are named or promised.
    pub(crate) fn bytes(&self) -> u64 {
        self.named + self.promised
    }

    pub(crate) fn pinned(&self) -> u64 {
        self.pinned
    }

    /// Bytes of a segment that count.
    pub(crate) fn live(&self, segment: u32) -> u64 {
        self.live.get(&segment).copied().unwrap_or_default()
    }

    pub(crate) fn records(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn bodies(&self) -> usize {
        self.bodies.len()
    }

    pub(crate) fn record(&self, id: &RecordId) -> Option<&Entry> {
        self.records.get(id)
    }

    pub(crate) fn body(&self, name: &BodyName) -> Option<&Arc<Body>> {
        self.bodies.get(name).map(|stored| &stored.body)
    }

    /// The body behind a key, if all of it is here.
    pub(crate) fn whole(&self, key: &BlobKey) -> Option<&Arc<Body>> {
        self.body(&key.name)
            .filter(|body| body.length == key.length)
    }

    pub(crate) fn content(&self, key: &BlobKey) -> Option<&Content> {
        self.contents.get(key)
    }

    pub(crate) fn contents(&self) -> impl Iterator<Item = (&BlobKey, &Content)> {
        self.contents.iter()
    }

    pub(crate) fn partial(&self, key: &BlobKey) -> Option<&Partial> {
        self.partials.get(key)
    }

    pub(crate) fn group(&self, group: u64) -> Option<&Group> {
        self.groups.get(&group)
    }

    /// Counts bytes of something that has no name yet, so that its segment is not taken for empty.
    pub(crate) fn count(&mut self, extent: &Extent) {
        *self.live.entry(extent.segment).or_default() += u64::from(extent.size);
    }

    pub(crate) fn uncount(&mut self, extent: &Extent) {
        self.uncount_place(&extent.place());
    }

    fn count_place(&mut self, place: &Place) {
        *self.live.entry(place.segment).or_default() += u64::from(place.size);
        self.named += u64::from(place.size);
    }

    pub(crate) fn uncount_place(&mut self, place: &Place) {
        if let Some(live) = self.live.get_mut(&place.segment) {
            *live = live.saturating_sub(u64::from(place.size));
        }
    }

    fn lose(&mut self, place: &Place) {
        self.uncount_place(place);
        self.named = self.named.saturating_sub(u64::from(place.size));
    }

    /// The segment is gone.
    pub(crate) fn forget_segment(&mut self, segment: u32) {
        self.live.remove(&segment);
    }

    /// Promises bytes to something under way. Says whether there is room, and what left for it.
    pub(crate) fn promise(&mut self, bytes: u64) -> (bool, Gone) {
        let mut gone = Gone::default();
        while self.bytes().saturating_add(bytes) > self.limit {
            match self.fifo.evict() {
                None => return (false, gone),
                Some(Item::Record(id)) => drop(self.detach(&id, &mut gone)),
                Some(Item::Content(key)) => self.detach_content(&key, &mut gone),
            }
        }
        self.promised += bytes;
        (true, gone)
    }

    /// Promises bytes to what is pinned already.
    pub(crate) fn promise_anyway(&mut self, bytes: u64) {
        self.promised += bytes;
    }

    /// Takes a promise back.
    pub(crate) fn release(&mut self, bytes: u64) {
        self.promised = self.promised.saturating_sub(bytes);
    }

    /// The pieces of a body under way.
    pub(crate) fn begin(&mut self, group: u64, written: Arc<Written>) {
        self.groups.insert(group, Group::UnderWay(written));
    }

    /// A body under way is one by now.
    pub(crate) fn end(&mut self, group: u64) {
        self.groups.remove(&group);
    }

    /// A body under way came to nothing.
    pub(crate) fn abandon(&mut self, group: u64, extents: &[Extent]) {
        extents.iter().for_each(|extent| self.uncount(extent));
        self.groups.remove(&group);
    }

    /// Adds a body whose extents are counted already, in place of an earlier one with the same name.
    pub(crate) fn insert_body(&mut self, name: BodyName, body: Body) {
        let key = BlobKey {
            name,
            length: body.length,
        };
        self.place_body(name, body);
        self.weigh(&key);
    }

    fn place_body(&mut self, name: BodyName, body: Body) {
        let key = BlobKey {
            name,
            length: body.length,
        };
        self.drop_partial(&key);
        let records = match self.bodies.remove(&name) {
            Some(earlier) => {
                self.lose_body(&earlier.body);
                earlier.records
            }
            None => Vec::new(),
        };
        self.count_place(&body.place);
        self.named += body.extent_bytes();
        if let Some(group) = body.group {
            self.groups.insert(group, Group::Body(name));
        }
        if let Some(content) = self.contents.get_mut(&key) {
            self.promised = self.promised.saturating_sub(content.promised);
            content.promised = 0;
        }
        let body = Arc::new(body);
        self.bodies.insert(name, Stored { body, records });
    }

    /// Puts the body where cleaning has moved it; `false` when it is another one by now.
    pub(crate) fn replace_body(&mut self, name: &BodyName, earlier: u64, body: Body) -> bool {
        let is_same = |stored: &Stored| stored.body.number == earlier;
        if !self.bodies.get(name).is_some_and(is_same) {
            body.extents.iter().for_each(|extent| self.uncount(extent));
            return false;
        }
        self.place_body(*name, body);
        true
    }

    fn lose_body(&mut self, body: &Body) {
        self.lose(&body.place);
        for extent in &body.extents {
            self.lose(&extent.place());
        }
        if let Some(group) = body.group {
            self.groups.remove(&group);
        }
    }

    /// Adds a record of a stored body, in place of an earlier one with the same name.
    pub(crate) fn insert(&mut self, id: RecordId, entry: Entry) -> Gone {
        let mut gone = Gone::default();
        if let Some(later) = self.records.get(&id) {
            if later.number > entry.number {
                gone.marks.push(entry.place);
                self.let_go(&entry.body, &mut gone);
                return gone;
            }
        }
        // Before the earlier record leaves, so that a body they share stays.
        let Some(stored) = self.bodies.get_mut(&entry.body) else {
            gone.marks.push(entry.place);
            return gone;
        };
        stored.records.push(id);
        let bytes = u64::from(entry.place.size) + stored.body.bytes();
        self.detach(&id, &mut gone);
        gone.records = 0;
        self.count_place(&entry.place);
        self.keys
            .entry((entry.service, entry.key))
            .or_default()
            .push(id);
        self.fifo.insert(Item::Record(id), bytes);
        self.records.insert(id, entry);
        gone
    }

    /// Puts an entry where cleaning has moved it.
    pub(crate) fn move_record(&mut self, id: &RecordId, to: Place) {
        if let Some(entry) = self.records.get_mut(id) {
            let from = core::mem::replace(&mut entry.place, to);
            self.lose(&from);
            self.count_place(&to);
        }
    }

    pub(crate) fn move_hold(&mut self, key: &BlobKey, to: Place) {
        if let Some(content) = self.contents.get_mut(key) {
            let from = core::mem::replace(&mut content.place, to);
            self.lose(&from);
            self.count_place(&to);
        }
    }

    /// `false` when the slice is not there any more.
    pub(crate) fn move_slice(
        &mut self,
        key: &BlobKey,
        slice: u32,
        from: Place,
        to: Extent,
    ) -> bool {
        let partial = self.partials.get_mut(key);
        let extent = partial.and_then(|partial| partial.slices.get_mut(&slice));
        let Some(extent) = extent.filter(|extent| extent.place() == from) else {
            return false;
        };
        *extent = to;
        self.lose(&from);
        self.count_place(&to.place());
        true
    }

    /// Takes records out, with the bodies that nothing else names.
    pub(crate) fn remove(&mut self, ids: &[RecordId]) -> Gone {
        let mut gone = Gone::default();
        for id in ids {
            if self.detach(id, &mut gone) {
                self.fifo.forget(&Item::Record(*id));
            }
        }
        gone
    }

    /// Takes a record out of everything but the order.
    fn detach(&mut self, id: &RecordId, gone: &mut Gone) -> bool {
        let Some(entry) = self.records.remove(id) else {
            return false;
        };
        gone.records += 1;
        gone.marks.push(entry.place);
        self.lose(&entry.place);
        let place = (entry.service, entry.key);
        if let Some(ids) = self.keys.get_mut(&place) {
            ids.retain(|other| other != id);
            if ids.is_empty() {
                self.keys.remove(&place);
            }
        }
        if let Some(stored) = self.bodies.get_mut(&entry.body) {
            if let Some(at) = stored.records.iter().position(|other| other == id) {
                stored.records.swap_remove(at);
            }
        }
        self.let_go(&entry.body, gone);
        true
    }

    /// Takes a body out when nothing names it.
    pub(crate) fn let_go(&mut self, name: &BodyName, gone: &mut Gone) {
        let is_held = |stored: &Stored| {
            let length = stored.body.length;
            let key = BlobKey {
                name: *name,
                length,
            };
            !stored.records.is_empty() || self.contents.contains_key(&key)
        };
        if self.bodies.get(name).is_none_or(is_held) {
            return;
        }
        if let Some(stored) = self.bodies.remove(name) {
            self.lose_body(&stored.body);
            gone.bodies.push(*name);
        }
    }

    /// Keeps a body without a record, in place of an earlier word on the same one.
    pub(crate) fn hold(&mut self, key: BlobKey, mut content: Content) -> Gone {
        let mut gone = Gone::default();
        if self.whole(&key).is_some() {
            self.release(core::mem::take(&mut content.promised));
        }
        if let Some(earlier) = self.contents.remove(&key) {
            gone.marks.push(earlier.place);
            self.lose(&earlier.place);
            self.unpromise(&earlier);
        }
        self.count_place(&content.place);
        self.pinned += content.cost;
        let is_pinned = content.is_pinned;
        self.contents.insert(key, content);
        if is_pinned {
            self.fifo.forget(&Item::Content(key));
        } else {
            self.weigh(&key);
        }
        gone
    }

    /// Bytes of what is here of a body.
    pub(crate) fn bytes_of(&self, key: &BlobKey) -> u64 {
        let partial = self.partials.get(key).map_or(0, |partial| partial.bytes);
        partial + self.whole(key).map_or(0, |body| body.bytes())
    }

    /// Keeps a body from being evicted for what it waits for.
    pub(crate) fn shield(&mut self, key: &BlobKey) {
        self.fifo.forget(&Item::Content(*key));
    }

    /// Lets it go as before.
    pub(crate) fn unshield(&mut self, key: &BlobKey) {
        self.weigh(key);
    }

    fn unpromise(&mut self, content: &Content) {
        self.pinned = self.pinned.saturating_sub(content.cost);
        self.promised = self.promised.saturating_sub(content.promised);
    }

    /// Keeps a body no longer, unless a record names it.
    pub(crate) fn remove_content(&mut self, key: &BlobKey) -> Gone {
        let mut gone = Gone::default();
        self.fifo.forget(&Item::Content(*key));
        self.detach_content(key, &mut gone);
        gone
    }

    fn detach_content(&mut self, key: &BlobKey, gone: &mut Gone) {
        let Some(content) = self.contents.remove(key) else {
            return;
        };
        gone.marks.push(content.place);
        self.lose(&content.place);
        self.unpromise(&content);
        self.drop_partial(key);
        self.let_go(&key.name, gone);
    }

    fn drop_partial(&mut self, key: &BlobKey) {
        if let Some(partial) = self.partials.remove(key) {
            for extent in partial.slices.values() {
                self.lose(&extent.place());
            }
        }
    }

    /// Takes in a slice of a body that is kept. `false` when it is there, or the body is not kept.
    pub(crate) fn insert_slice(&mut self, key: &BlobKey, slice: u32, extent: Extent) -> bool {
        let has = |partial: &Partial| partial.slices.contains_key(&slice);
        let is_there = self.whole(key).is_some() || self.partials.get(key).is_some_and(has);
        let Some(content) = self.contents.get_mut(key).filter(|_| !is_there) else {
            return false;
        };
        let size = u64::from(extent.size);
        let covered = content.promised.min(size);
        content.promised -= covered;
        self.promised = self.promised.saturating_sub(covered);
        let partial = self.partials.entry(*key).or_default();
        partial.slices.insert(slice, extent);
        partial.bytes += size;
        self.count_place(&extent.place());
        self.weigh(key);
        true
    }

    /// Forgets a slice that has decayed.
    pub(crate) fn remove_slice(&mut self, key: &BlobKey, slice: u32) -> Gone {
        let mut gone = Gone::default();
        let Some(partial) = self.partials.get_mut(key) else {
            return gone;
        };
        if let Some(extent) = partial.slices.remove(&slice) {
            partial.bytes = partial.bytes.saturating_sub(u64::from(extent.size));
            gone.marks.push(extent.place());
            self.lose(&extent.place());
            self.promise_again(key, u64::from(extent.size));
        }
        gone
    }

    /// What is pinned and has decayed comes back some day.
    fn promise_again(&mut self, key: &BlobKey, bytes: u64) {
        let content = self.contents.get_mut(key);
        if let Some(content) = content.filter(|content| content.is_pinned) {
            content.promised += bytes;
            self.promised += bytes;
        }
    }

    /// Takes a body out that has decayed, with every record that names it. A pin stays.
    pub(crate) fn remove_decayed(&mut self, name: &BodyName) -> Gone {
        let Some(stored) = self.bodies.get(name) else {
            return Gone::default();
        };
        let (ids, body) = (stored.records.clone(), stored.body.clone());
        let key = BlobKey {
            name: *name,
            length: body.length,
        };
        let mut gone = Gone::default();
        gone.marks.push(body.place);
        gone.marks.extend(body.extents.iter().map(Extent::place));
        let content = self.contents.get(&key);
        if content.is_some_and(|content| content.is_pinned) {
            gone = gone.and(self.remove(&ids));
            self.bodies.remove(name);
            self.lose_body(&body);
            gone.bodies.push(*name);
            self.promise_again(&key, body.bytes());
        } else {
            gone = gone.and(self.remove_content(&key)).and(self.remove(&ids));
        }
        gone
    }

    /// Tells the order what a kept body takes by now.
    fn weigh(&mut self, key: &BlobKey) {
        let here = self.bytes_of(key);
        let content = self.contents.get(key);
        if let Some(content) = content.filter(|content| !content.is_pinned) {
            let bytes = u64::from(content.place.size) + here;
            self.fifo.insert(Item::Content(*key), bytes);
        }
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

    pub(crate) fn touch(&mut self, id: &RecordId) {
        self.fifo.touch(&Item::Record(*id));
    }

    pub(crate) fn touch_content(&mut self, key: &BlobKey) {
        self.fifo.touch(&Item::Content(*key));
    }
}

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;
