//! Cleaning: what still counts in a segment is moved, and the segment goes.
//!
//! A kill at any step leaves both copies or one. Copies keep their number, and bodies get a higher
//! one, so that a start finds which of two counts; a record that was forgotten after it was moved is
//! not brought back by its first copy, because the mark on one copy is a mark on all of its number.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::atomic::Ordering;
use std::sync::Arc;

use crate::entry::{BodyHead, Fact, Head, Owner, Place};
use crate::index::{Group, Index};
use crate::log::{Appended, Stream};
use crate::name::{BlobKey, BodyName};
use crate::segment::Segment;
use crate::store::{body_of, Inner, Store};
use crate::writer::Written;
use crate::Error;

/// Records that are moved while the index is locked.
const AT_A_TIME: usize = 64;
/// Segments that are tried for room in a row.
const TRIES: usize = 16;

/// What a call of [`Store::clean`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// Bytes that were moved.
    pub moved: u64,
    /// Segments that went.
    pub segments: usize,
}

impl Store {
    /// Cleans segments of which a quarter or more is garbage, the worst first, until about `limit`
    /// bytes were moved. Writers clean by themselves when they need the room; whoever calls this when
    /// there is little to do spares them the wait.
    ///
    /// Errors: [`Error::DiskFull`], [`Error::Busy`], [`Error::Io`]. Nothing is lost by any of them.
    pub fn clean(&self, limit: u64) -> Result<Cleaned, Error> {
        let inner = &self.inner;
        let mut cleaned = Cleaned::default();
        let mut tried = BTreeSet::new();
        while cleaned.moved < limit {
            let _turn = inner.cleaning.lock();
            let Some(segment) = inner.worst(4, &tried) else {
                break;
            };
            tried.insert(segment.number);
            let (moved, is_gone) = inner.empty(&segment, limit - cleaned.moved)?;
            cleaned.moved += moved;
            cleaned.segments += usize::from(is_gone);
        }
        Ok(cleaned)
    }
}

impl Inner {
    /// Frees some bytes of the quota. `false` when there is nothing to free.
    pub(crate) fn make_room(&self) -> Result<bool, Error> {
        let before = self.log.occupied();
        let _turn = self.cleaning.lock();
        let is_freed = || self.log.occupied() < before;
        let mut tried = BTreeSet::new();
        let mut is_rolled = false;
        while !is_freed() && tried.len() < TRIES {
            match self.worst(64, &tried) {
                Some(segment) => {
                    tried.insert(segment.number);
                    self.empty(&segment, u64::MAX)?;
                }
                // What is garbage lies in the segments that are written to.
                None if !is_rolled => {
                    self.log.roll(Stream::Fresh);
                    self.log.roll(Stream::Moved);
                    is_rolled = true;
                }
                None => break,
            }
        }
        Ok(is_freed())
    }

    /// Takes away what can go without moving anything. `false` when there is nothing.
    pub(crate) fn drop_empty(&self) -> Result<bool, Error> {
        let _turn = self.cleaning.lock();
        let mut count = 0;
        for segment in self.log.segments() {
            let is_empty = |index: &Index| index.live(segment.number) == 0;
            if self.is_at_rest(&segment) && is_empty(&self.index.lock()) {
                count += usize::from(self.empty(&segment, 0)?.1);
            }
        }
        Ok(count > 0)
    }

    /// Leaves no more than the quota. Says how many records left for it.
    pub(crate) fn shrink(&self) -> Result<usize, Error> {
        let (_, gone) = {
            let mut index = self.index.lock();
            let gone = index.promise(0);
            self.apply(&gone.1);
            gone
        };
        while self.log.occupied() > self.limits.fresh && self.make_room()? {}
        Ok(gone.records)
    }

    fn is_at_rest(&self, segment: &Segment) -> bool {
        // In this order: one that is full gets no more entries, so what is held can only become less.
        segment.state.lock().is_at_rest() && segment.held.load(Ordering::Acquire) == 0
    }

    /// The segment with the most garbage, of those with at least one part in `part`, that was not
    /// tried.
    fn worst(&self, part: u64, tried: &BTreeSet<u32>) -> Option<Arc<Segment>> {
        let segments = self.log.segments();
        let index = self.index.lock();
        let garbage = |segment: &Arc<Segment>| {
            let bytes = segment.bytes.load(Ordering::Acquire);
            let garbage = bytes.saturating_sub(index.live(segment.number));
            (garbage.saturating_mul(part) >= bytes).then_some(garbage)
        };
        let resting = segments
            .into_iter()
            .filter(|segment| !tried.contains(&segment.number) && self.is_at_rest(segment));
        let ranked = resting.filter_map(|segment| Some((garbage(&segment)?, segment)));
        let worst = ranked.max_by_key(|(garbage, segment)| (*garbage, segment.number));
        worst.map(|(_, segment)| segment)
    }

    /// Moves about `budget` bytes out of a segment, and takes it away when nothing counts in it.
    /// Says how many bytes were moved, and whether it went.
    fn empty(&self, segment: &Arc<Segment>, budget: u64) -> Result<(u64, bool), Error> {
        let number = segment.number;
        let mut moved = 0;
        if self.index.lock().live(number) > 0 {
            let file = self.log.file(segment);
            match file.and_then(|file| Ok((segment.facts(&file)?, file))) {
                Ok((facts, file)) => {
                    let from = From {
                        inner: self,
                        segment,
                        file: &file,
                        written: RefCell::default(),
                    };
                    let done = from.all(&facts, budget);
                    // What has been on disk for long must not be lost to a power cut because it was
                    // moved a moment ago.
                    for segment in from.written.into_inner().values() {
                        self.log.sync(segment)?;
                    }
                    moved = done?;
                }
                // Others may give the room; what is in this one is found missing when it is read.
                Err(error) => {
                    tracing::warn!(path = %segment.path.display(), %error, "cannot clean a segment");
                }
            }
        }
        let mut index = self.index.lock();
        let is_empty = index.live(number) == 0;
        if is_empty {
            self.log.remove(segment)?;
            index.forget_segment(number);
        }
        Ok((moved, is_empty))
    }
}

/// A segment that is being emptied.
struct From<'a> {
    inner: &'a Inner,
    segment: &'a Arc<Segment>,
    file: &'a File,
    /// Where it goes.
    written: RefCell<BTreeMap<u32, Arc<Segment>>>,
}

impl From<'_> {
    fn all(&self, facts: &[Fact], budget: u64) -> Result<u64, Error> {
        let mut moved = 0;
        let mut bodies = BTreeSet::new();
        let mut small = Vec::new();
        for fact in facts {
            if moved >= budget {
                return Ok(moved);
            }
            match &fact.head {
                Head::Record(_) | Head::Hold { .. } => small.push(fact),
                Head::Body(head) => drop(bodies.insert(head.name)),
                Head::Piece { owner } => match self.owner(owner) {
                    Some(Group::Body(name)) => drop(bodies.insert(name)),
                    Some(Group::UnderWay(written)) => moved += self.part(&written, fact)?,
                    None => {}
                },
                Head::Slice {
                    name,
                    length,
                    slice,
                    ..
                } => {
                    let (name, length) = (*name, *length);
                    let key = BlobKey { name, length };
                    if self.inner.index.lock().whole(&key).is_some() {
                        bodies.insert(name);
                    } else {
                        moved += self.slice(&key, *slice, fact)?;
                    }
                }
            }
        }
        for name in &bodies {
            if moved >= budget {
                return Ok(moved);
            }
            moved += self.body(name)?;
        }
        for facts in small.chunks(AT_A_TIME) {
            if moved >= budget {
                return Ok(moved);
            }
            moved += self.small(facts)?;
        }
        Ok(moved)
    }

    fn owner(&self, owner: &Owner) -> Option<Group> {
        match owner {
            Owner::Body(name) => Some(Group::Body(*name)),
            Owner::Group(group) => self.inner.index.lock().group(*group).cloned(),
        }
    }

    fn place(&self, fact: &Fact) -> Place {
        Place {
            segment: self.segment.number,
            offset: fact.offset,
            size: fact.size,
        }
    }

    fn read(&self, at: u32, length: u32) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length as usize];
        self.file.read_exact_at(&mut bytes, u64::from(at))?;
        Ok(bytes)
    }

    fn append(&self, head: &Head, payload: &[&[u8]]) -> Result<Appended, Error> {
        let appended = self.inner.log.append(Stream::Moved, head, payload)?;
        let appended = appended.ok_or_else(|| self.inner.busy())?;
        let segment = appended.held.0.clone();
        self.written.borrow_mut().insert(segment.number, segment);
        Ok(appended)
    }

    /// Moves a piece of a body under way.
    fn part(&self, written: &Written, fact: &Fact) -> Result<u64, Error> {
        let place = self.place(fact);
        if !written.has(place) {
            return Ok(0);
        }
        let Ok(entry) = self.read(fact.offset, fact.size) else {
            return Ok(0);
        };
        let skip = payload_at(&fact.head);
        let payload = entry.get(skip..).unwrap_or_default();
        let appended = self.append(&fact.head, &[payload])?;
        let to = appended.extent(0);
        let mut index = self.inner.index.lock();
        if written.replace(place, to, &appended.held.0) {
            index.count(&to);
            index.uncount_place(&place);
        }
        Ok(u64::from(fact.size))
    }

    /// Moves a slice of a body that is not whole.
    fn slice(&self, key: &BlobKey, slice: u32, fact: &Fact) -> Result<u64, Error> {
        let place = self.place(fact);
        let is_there = |index: &Index| {
            let partial = index.partial(key)?;
            Some(partial.slices.get(&slice)?.place() == place)
        };
        if is_there(&self.inner.index.lock()) != Some(true) {
            return Ok(0);
        }
        let Head::Slice { proof, .. } = fact.head else {
            return Ok(0);
        };
        let Ok(entry) = self.read(fact.offset, fact.size) else {
            let mut index = self.inner.index.lock();
            let gone = index.remove_slice(key, slice);
            self.inner.apply(&gone);
            return Ok(0);
        };
        let payload = entry.get(payload_at(&fact.head)..).unwrap_or_default();
        let appended = self.append(&fact.head, &[payload])?;
        let to = appended.extent(proof);
        self.inner.index.lock().move_slice(key, slice, place, to);
        Ok(u64::from(fact.size))
    }

    /// Moves what a body has here.
    fn body(&self, name: &BodyName) -> Result<u64, Error> {
        let number = self.segment.number;
        let Some(body) = self.inner.index.lock().body(name).cloned() else {
            return Ok(0);
        };
        let mut extents = body.extents.clone();
        let mut moved = 0;
        let mut held = Vec::new();
        for extent in extents.iter_mut().filter(|extent| extent.segment == number) {
            let Ok(bytes) = self.read(extent.at, extent.length) else {
                self.inner.drop_decayed(name);
                return Ok(moved);
            };
            let owner = Owner::Body(*name);
            let appended = self.append(&Head::Piece { owner }, &[&bytes])?;
            *extent = appended.extent(0);
            moved += u64::from(extent.size);
            held.push(appended);
        }
        if held.is_empty() && body.place.segment != number {
            return Ok(0);
        }
        let end = self.inner.read_end(&body);
        let Ok(Some((values, rest))) = end else {
            self.inner.drop_decayed(name);
            return Ok(moved);
        };
        let head = Head::Body(BodyHead {
            name: *name,
            number: self.inner.number(),
            length: body.length,
            values: values.len() as u32,
            group: body.group,
            extents,
        });
        let appended = self.append(&head, &[&values, &rest])?;
        moved += u64::from(appended.place.size);
        let Head::Body(head) = head else {
            return Ok(moved);
        };
        let mut index = self.inner.index.lock();
        head.extents.iter().for_each(|extent| index.count(extent));
        index.replace_body(name, body.number, body_of(head, &appended));
        drop(index);
        Ok(moved)
    }

    /// Moves records and holds, with the index locked: nothing is forgotten between a look and a
    /// move.
    fn small(&self, facts: &[&Fact]) -> Result<u64, Error> {
        let mut index = self.inner.index.lock();
        let mut moved = 0;
        for fact in facts {
            let place = self.place(fact);
            let is_here = match &fact.head {
                Head::Record(head) => index.record(&head.id).map(|entry| entry.place),
                Head::Hold { name, length, .. } => {
                    let (name, length) = (*name, *length);
                    let content = index.content(&BlobKey { name, length });
                    content.map(|content| content.place)
                }
                _ => None,
            };
            if is_here != Some(place) {
                continue;
            }
            let entry = self.read(fact.offset, fact.size).unwrap_or_default();
            let payload = entry.get(payload_at(&fact.head)..);
            match (&fact.head, payload) {
                (Head::Record(head), None) => {
                    let gone = index.remove(&[head.id]);
                    self.inner.apply(&gone);
                }
                (head, payload) => {
                    let payload = payload.unwrap_or_default();
                    let to = self.append(head, &[payload])?.place;
                    match head {
                        Head::Record(head) => index.move_record(&head.id, to),
                        Head::Hold { name, length, .. } => {
                            let (name, length) = (*name, *length);
                            index.move_hold(&BlobKey { name, length }, to);
                        }
                        _ => {}
                    }
                    moved += u64::from(fact.size);
                }
            }
        }
        Ok(moved)
    }
}

/// Where the payload of an entry starts in it.
fn payload_at(head: &Head) -> usize {
    crate::entry::PREFIX + codec::Encode::encoded_size(head)
}
