//! What is found in a folder at start.

use std::collections::{BTreeMap, HashMap};

use selvedge_primitives_types::ServiceId;

use crate::body::Body;
use crate::content;
use crate::entry::{Extent, Fact, Head, Place, RecordHead, PREFIX};
use crate::index::{Content, Entry, Index};
use crate::log::Log;
use crate::name::{BlobKey, BodyName, RecordId};
use crate::{files, segment, Error};

/// What a start found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Recovery {
    /// Records that are stored.
    pub records: usize,
    /// Bodies that are stored.
    pub bodies: usize,
    /// Segments.
    pub segments: usize,
    /// Entries under way that were taken away.
    pub unfinished: usize,
    /// Records that were taken away: decayed, or without a body.
    pub dropped_records: usize,
    /// Bodies that were taken away: decayed, or named by nothing.
    pub dropped_bodies: usize,
    /// Records that left because the quota is smaller than before.
    pub evicted: usize,
    /// Bytes of segments that could not be read as entries: cut off, or decayed.
    pub lost: u64,
    /// Records that were taken over from a folder of an older version.
    pub migrated: usize,
}

/// Of several entries with a name, the one that counts.
struct Found<T> {
    number: u64,
    place: Place,
    is_marked: bool,
    what: T,
}

#[derive(Default)]
struct Finds {
    records: HashMap<RecordId, Found<RecordHead>>,
    holds: HashMap<BlobKey, Found<(ServiceId, bool)>>,
    /// All ends of each: one that was written beside another never got its name, and its pieces may be gone.
    bodies: HashMap<BodyName, Vec<Body>>,
    slices: HashMap<BlobKey, BTreeMap<u32, Extent>>,
    /// Bytes of each segment's file.
    sizes: HashMap<u32, u64>,
    /// What counts no more and is not marked yet.
    losers: Vec<Place>,
    next: u64,
}

/// Reads the list of every segment. Bodies are checked whole when they are read. Returns the next
/// number too.
pub(crate) fn recover(log: &Log, index: &mut Index) -> Result<(Recovery, u64), Error> {
    let mut recovery = Recovery::default();
    let mut finds = Finds::default();
    for number in numbers(log)? {
        let path = segment::path(log.folder(), number);
        let failed = |error| Error::io("read", &path, error);
        let opened = segment::recover(log.folder(), number, log.occupied.clone());
        let (segment, scan) = opened.map_err(failed)?;
        recovery.segments += 1;
        recovery.unfinished += scan.unfinished;
        recovery.lost += scan.lost;
        if scan.lost > 0 {
            tracing::warn!(path = %path.display(), bytes = scan.lost, "the end of a segment is lost");
        }
        let marked = log.marks.read(number).map_err(failed)?;
        if marked.is_damaged {
            tracing::warn!(path = %path.display(), "marks have decayed: its records are dropped");
        }
        let bytes = segment.bytes.load(core::sync::atomic::Ordering::Acquire);
        finds.sizes.insert(number, bytes);
        log.adopt(segment);
        for fact in scan.facts {
            let is_marked = marked.offsets.contains(&fact.offset);
            // Which record has left nobody knows, and one that has must not come back.
            let is_doubtful = marked.is_damaged && matches!(fact.head, Head::Record(_));
            if is_doubtful && !is_marked {
                recovery.dropped_records += 1;
            }
            finds.take(number, fact, is_marked || is_doubtful);
        }
    }
    finds.restore(index, &mut recovery);
    log.marks.add(&finds.losers);
    Ok((recovery, finds.next))
}

/// The segments of the folder, in order.
fn numbers(log: &Log) -> Result<Vec<u32>, Error> {
    let mut segments = Vec::new();
    let mut marks = Vec::new();
    files::each(log.folder(), |path, name| {
        let number = |name: &str| {
            let is_hex = name.len() == 8 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
            is_hex.then(|| u32::from_str_radix(name, 16).ok())?
        };
        match name.rsplit_once('.') {
            Some((name, "seg")) => segments.extend(number(name)),
            Some((name, "dead")) => marks.extend(number(name)),
            _ => tracing::warn!(path = %path.display(), "not a file of this store"),
        }
    })?;
    segments.sort_unstable();
    for number in marks {
        if segments.binary_search(&number).is_err() {
            log.marks.forget(number);
        }
    }
    Ok(segments)
}

impl Finds {
    fn take(&mut self, segment: u32, fact: Fact, is_marked: bool) {
        let place = Place {
            segment,
            offset: fact.offset,
            size: fact.size,
        };
        self.next = self.next.max(fact.head.number() + 1);
        let end = fact.offset + fact.size;
        let head_bytes = codec::Encode::encoded_size(&fact.head) as u32;
        let payload = fact.offset + PREFIX as u32 + head_bytes;
        match fact.head {
            Head::Record(what) => {
                let found = Found {
                    number: what.number,
                    place,
                    is_marked,
                    what,
                };
                let id = found.what.id;
                take(&mut self.records, id, found, &mut self.losers);
            }
            Head::Hold {
                name,
                number,
                length,
                service,
                is_pinned,
            } => {
                let found = Found {
                    number,
                    place,
                    is_marked,
                    what: (service, is_pinned),
                };
                let key = BlobKey { name, length };
                take(&mut self.holds, key, found, &mut self.losers);
            }
            Head::Body(head) if !is_marked => {
                let rest = payload.saturating_add(head.values);
                let body = Body {
                    place,
                    number: head.number,
                    length: head.length,
                    values: (payload, head.values),
                    group: head.group,
                    extents: head.extents,
                    rest: (rest, end.saturating_sub(rest)),
                };
                self.bodies.entry(head.name).or_default().push(body);
            }
            Head::Slice {
                name,
                length,
                slice,
                proof,
                ..
            } if !is_marked => {
                let at = payload.saturating_add(proof);
                let extent = Extent {
                    segment,
                    at,
                    length: end.saturating_sub(at),
                    size: fact.size,
                };
                let slices = self.slices.entry(BlobKey { name, length }).or_default();
                slices.insert(slice, extent);
            }
            Head::Body(_) | Head::Slice { .. } | Head::Piece { .. } => {}
        }
    }

    fn restore(&mut self, index: &mut Index, recovery: &mut Recovery) {
        let found = core::mem::take(&mut self.bodies);
        let all = found.len();
        let last = |(name, ends): (BodyName, Vec<Body>)| {
            let whole = ends.into_iter().filter(|body| self.is_whole(body));
            Some((name, whole.max_by_key(|body| body.number)?))
        };
        let mut bodies: HashMap<BodyName, Body> = found.into_iter().filter_map(last).collect();
        recovery.dropped_bodies += all - bodies.len();

        let mut holds: Vec<_> = self
            .holds
            .drain()
            .filter(|hold| !hold.1.is_marked)
            .collect();
        holds.sort_by_key(|hold| hold.1.number);
        for (key, hold) in holds {
            let (service, is_pinned) = hold.what;
            let cost = if is_pinned {
                content::cost(key.length)
            } else {
                0
            };
            index.promise_anyway(cost);
            let content = Content {
                service,
                is_pinned,
                number: hold.number,
                place: hold.place,
                promised: cost,
                cost,
            };
            index.hold(key, content);
            let is_it = |body: &Body| body.length == key.length;
            if bodies.get(&key.name).is_some_and(is_it) {
                if let Some(body) = bodies.remove(&key.name) {
                    insert_body(index, key.name, body);
                }
            } else {
                let slices = self.slices.remove(&key).unwrap_or_default();
                for (slice, extent) in slices {
                    index.insert_slice(&key, slice, extent);
                }
            }
        }

        let mut records: Vec<_> = self
            .records
            .drain()
            .filter(|found| !found.1.is_marked)
            .collect();
        // The order that they came in.
        records.sort_by_key(|found| found.1.number);
        for (id, found) in records {
            let head = found.what;
            if let Some(body) = bodies.remove(&head.body) {
                insert_body(index, head.body, body);
            }
            let length = index.body(&head.body).map(|body| body.length);
            if length != Some(head.length) {
                recovery.dropped_records += 1;
                self.losers.push(found.place);
                continue;
            }
            let entry = Entry {
                service: head.service,
                key: head.key,
                body: head.body,
                generation: head.generation,
                number: head.number,
                place: found.place,
            };
            self.losers.extend(index.insert(id, entry).marks);
        }
        recovery.dropped_bodies += bodies.len();
    }

    /// Whether all bytes of a body are where it says.
    fn is_whole(&self, body: &Body) -> bool {
        let bytes: u64 = body.parts().map(|part| u64::from(part.length)).sum();
        let is_inside = |part: Extent| {
            let size = self.sizes.get(&part.segment).copied().unwrap_or_default();
            u64::from(part.at) + u64::from(part.length) <= size
                && part.size <= part.at + part.length
        };
        bytes == body.length && body.parts().all(is_inside)
    }
}

/// Keeps the later of two, or the mark on any copy of one.
fn take<K: std::hash::Hash + Eq, T>(
    all: &mut HashMap<K, Found<T>>,
    key: K,
    found: Found<T>,
    losers: &mut Vec<Place>,
) {
    let Some(known) = all.get_mut(&key) else {
        all.insert(key, found);
        return;
    };
    let is_marked = known.number == found.number && (known.is_marked || found.is_marked);
    let (winner, loser) = if known.number <= found.number {
        let loser = core::mem::replace(known, found);
        (known, loser)
    } else {
        (known, found)
    };
    if is_marked && !winner.is_marked {
        losers.push(winner.place);
        winner.is_marked = true;
    }
    if !loser.is_marked {
        losers.push(loser.place);
    }
}

fn insert_body(index: &mut Index, name: BodyName, body: Body) {
    body.extents.iter().for_each(|extent| index.count(extent));
    index.insert_body(name, body);
}
