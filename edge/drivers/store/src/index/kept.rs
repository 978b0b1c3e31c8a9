//! The part of the index that is about bodies without a record: kept, pinned, taken in.

use super::{Content, Gone, Index, Item, Partial};
use crate::entry::{Extent, Place};
use crate::name::{BlobKey, BodyName};

impl Index {
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

    pub(super) fn detach_content(&mut self, key: &BlobKey, gone: &mut Gone) {
        let Some(content) = self.contents.remove(key) else {
            return;
        };
        gone.marks.push(content.place);
        self.lose(&content.place);
        self.unpromise(&content);
        self.drop_partial(key);
        self.let_go(&key.name, gone);
    }

    pub(super) fn drop_partial(&mut self, key: &BlobKey) {
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
    pub(super) fn weigh(&mut self, key: &BlobKey) {
        let here = self.bytes_of(key);
        let content = self.contents.get(key);
        if let Some(content) = content.filter(|content| !content.is_pinned) {
            let bytes = u64::from(content.place.size) + here;
            self.fifo.insert(Item::Content(*key), bytes);
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

    pub(crate) fn touch_content(&mut self, key: &BlobKey) {
        self.fifo.touch(&Item::Content(*key));
    }
}
