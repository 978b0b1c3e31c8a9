//! All segments, and the two that are appended to.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::Arc;

use codec::Encode;
use parking_lot::Mutex;
use selvedge_primitives_types::ServiceId;

use crate::entry::{self, Extent, Fact, Head, Place, Prefix, PREFIX, STATE_AT, WRITTEN};
use crate::limits::Limits;
use crate::marks::Marks;
use crate::segment::{Held, Segment, FIRST};
use crate::{files, Error, Memory, Weigh, ENTRY_OVERHEAD};

/// Segment files that are held open for reading.
const OPEN_FILES: u64 = 256;
/// An entry up to this size is written at once, in its turn; a larger one beside others.
const AT_ONCE: usize = 64 * 1024;

/// Where an entry is appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// What is new.
    Fresh,
    /// What cleaning moves: it has lived, and will live on.
    Moved,
}

/// An entry that is written, and that nothing cleans away before this is dropped.
#[derive(Debug)]
pub(crate) struct Appended {
    pub(crate) place: Place,
    pub(crate) held: Held,
    payload: u32,
}

impl Appended {
    /// The end of its payload, from `skip` bytes on.
    pub(crate) fn extent(&self, skip: u32) -> Extent {
        let at = self.payload + skip;
        Extent {
            segment: self.place.segment,
            at,
            length: self.place.offset + self.place.size - at,
            size: self.place.size,
        }
    }
}

/// The segments.
#[derive(Debug)]
pub(crate) struct Log {
    folder: PathBuf,
    limits: Limits,
    table: Mutex<HashMap<u32, Arc<Segment>>>,
    active: [Mutex<Option<Arc<Segment>>>; 2],
    next: AtomicU32,
    pub(crate) occupied: Arc<AtomicU64>,
    open: Memory<File>,
    pub(crate) marks: Marks,
}

impl Weigh for File {
    fn bytes(&self) -> u64 {
        0
    }
}

impl Log {
    pub(crate) fn new(folder: PathBuf, limits: Limits) -> Self {
        Self {
            marks: Marks::new(folder.clone()),
            folder,
            limits,
            table: Mutex::default(),
            active: Default::default(),
            next: AtomicU32::new(0),
            occupied: Arc::default(),
            open: Memory::new(OPEN_FILES * ENTRY_OVERHEAD, 4),
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Takes in a segment of an earlier process.
    pub(crate) fn adopt(&self, segment: Arc<Segment>) {
        self.next.fetch_max(segment.number + 1, Ordering::AcqRel);
        self.table.lock().insert(segment.number, segment);
    }

    /// Bytes on disk.
    pub(crate) fn occupied(&self) -> u64 {
        self.occupied.load(Ordering::Acquire)
    }

    pub(crate) fn segment(&self, number: u32) -> Option<Arc<Segment>> {
        self.table.lock().get(&number).cloned()
    }

    pub(crate) fn segments(&self) -> Vec<Arc<Segment>> {
        self.table.lock().values().cloned().collect()
    }

    /// Appends an entry. `None` when the quota leaves no room before something is cleaned.
    ///
    /// Errors: [`Error::TooLong`], [`Error::DiskFull`], [`Error::Io`].
    pub(crate) fn append(
        &self,
        stream: Stream,
        head: &Head,
        payload: &[&[u8]],
    ) -> Result<Option<Appended>, Error> {
        let encoded = head.encode();
        let length: usize = payload.iter().map(|part| part.len()).sum();
        let size = PREFIX + encoded.len() + length;
        if size as u64 > u64::from(u32::MAX) / 2 {
            return Err(Error::TooLong {
                limit: self.limits.longest,
            });
        }
        // In the list it stands once more.
        let cost = (size + encoded.len() + 12) as u64;
        if !self.reserve(stream, cost) {
            return Ok(None);
        }
        let release = |_: &Error| {
            self.occupied.fetch_sub(cost, Ordering::AcqRel);
        };
        let mut active = self.active[stream as usize].lock();
        let segment = self.room(&mut active, size as u64).inspect_err(release)?;
        let failed = |error| Error::io("write", &segment.path, error);

        let mut state = segment.state.lock();
        let offset = state.end as u32;
        let is_small = size <= AT_ONCE;
        let mut start = entry::encode(segment.number, offset, &encoded, length as u32, is_small);
        let Some(file) = segment.file.lock().clone() else {
            return Err(failed(io::Error::other("the segment is closed"))).inspect_err(release);
        };
        if is_small {
            start.extend(payload.concat());
        }
        file.write_all_at(&start, state.end)
            .map_err(failed)
            .inspect_err(release)?;
        segment.bytes.fetch_add(cost, Ordering::AcqRel);
        state.end += size as u64;
        let held = segment.hold();
        let fact = Fact {
            offset,
            size: size as u32,
            head: head.clone(),
        };
        if is_small {
            state.facts.push(fact);
        } else {
            state.writing += 1;
            drop(state);
            drop(active);
            let place = u64::from(offset);
            let written = write_parts(&file, place + start.len() as u64, payload)
                .and_then(|()| file.write_all_at(&[WRITTEN], place + STATE_AT));
            let mut state = segment.state.lock();
            state.writing -= 1;
            if written.is_ok() {
                state.facts.push(fact);
            }
            segment.seal(&mut state);
            drop(state);
            // What is there of it stays, as garbage.
            written.map_err(failed)?;
        }
        let place = Place {
            segment: segment.number,
            offset,
            size: size as u32,
        };
        let payload = offset + (PREFIX + encoded.len()) as u32;
        Ok(Some(Appended {
            place,
            held,
            payload,
        }))
    }

    fn reserve(&self, stream: Stream, cost: u64) -> bool {
        let limit = match stream {
            Stream::Fresh => self.limits.fresh,
            Stream::Moved => self.limits.quota,
        };
        let grown = |occupied: u64| Some(occupied + cost).filter(|bytes| *bytes <= limit);
        self.occupied
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, grown)
            .is_ok()
    }

    /// The segment that an entry of this size goes to.
    fn room(&self, active: &mut Option<Arc<Segment>>, size: u64) -> Result<Arc<Segment>, Error> {
        if let Some(segment) = active {
            let end = segment.state.lock().end;
            if end == FIRST || end + size <= self.limits.segment {
                return Ok(segment.clone());
            }
            self.close(active);
        }
        let number = self.next.fetch_add(1, Ordering::AcqRel);
        let path = crate::segment::path(&self.folder, number);
        let segment = Segment::create(&self.folder, number, self.occupied.clone())
            .map_err(|e| Error::io("create", &path, e))?;
        if self.limits.sync {
            files::sync_name(&path)?;
        }
        self.table.lock().insert(number, segment.clone());
        *active = Some(segment.clone());
        Ok(segment)
    }

    /// Ends the segment that a stream is at, so that it can be cleaned.
    pub(crate) fn roll(&self, stream: Stream) {
        self.close(&mut self.active[stream as usize].lock());
    }

    fn close(&self, active: &mut Option<Arc<Segment>>) {
        if let Some(segment) = active.take() {
            let mut state = segment.state.lock();
            state.is_full = true;
            segment.seal(&mut state);
        }
    }

    /// A segment's file, to read from.
    pub(crate) fn file(&self, segment: &Segment) -> io::Result<Arc<File>> {
        if let Some(file) = segment.file.lock().clone() {
            return Ok(file);
        }
        let key = segment.number.to_le_bytes();
        if let Some(file) = self.open.find(ServiceId(0), &key, |_| true) {
            return Ok(file);
        }
        match File::open(&segment.path) {
            Ok(file) => Ok(self.open.insert(ServiceId(0), &key, &[], file)),
            // It was cleaned away a moment ago.
            Err(error) => segment.file.lock().clone().ok_or(error),
        }
    }

    /// Waits until the disk has what was appended to a segment.
    pub(crate) fn sync(&self, segment: &Segment) -> Result<(), Error> {
        let sync = || self.file(segment)?.sync_data();
        sync().map_err(|e| Error::io("sync", &segment.path, e))
    }

    /// Head and payload of an entry. `None` when it has decayed.
    pub(crate) fn entry(&self, place: &Place) -> io::Result<Option<(Head, Vec<u8>)>> {
        let (at, size) = (u64::from(place.offset), place.size as usize);
        let Some(bytes) = self.bytes(place.segment, at, size)? else {
            return Ok(None);
        };
        let Some((start, rest)) = bytes.split_first_chunk::<PREFIX>() else {
            return Ok(None);
        };
        let prefix = Prefix::decode(start).filter(|prefix| prefix.size() == u64::from(place.size));
        let Some(prefix) = prefix else {
            return Ok(None);
        };
        let (head, payload) = rest.split_at(prefix.head as usize);
        let head = prefix.head(place.segment, place.offset, head);
        Ok(head.map(|head| (head, payload.to_vec())))
    }

    /// Bytes of a segment, unverified. `None` when they are not there.
    pub(crate) fn bytes(
        &self,
        segment: u32,
        at: u64,
        length: usize,
    ) -> io::Result<Option<Vec<u8>>> {
        let Some(segment) = self.segment(segment) else {
            return Ok(None);
        };
        let mut bytes = vec![0; length];
        let read = self
            .file(&segment)
            .and_then(|file| file.read_exact_at(&mut bytes, at));
        match read {
            Ok(()) => Ok(Some(bytes)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes a segment away in which nothing counts any more.
    pub(crate) fn remove(&self, segment: &Segment) -> Result<(), Error> {
        let removed = segment.remove();
        removed.map_err(|e| Error::io("remove", &segment.path, e))?;
        self.table.lock().remove(&segment.number);
        let key = segment.number.to_le_bytes();
        self.open.remove(ServiceId(0), &key);
        // After the segment: marks without one are swept up at the next start, and a segment
        // without its marks would bring back what has left.
        self.marks.forget(segment.number);
        Ok(())
    }
}

/// Whether somebody has cut off or taken away what was there.
pub(crate) fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::NotFound
    )
}

fn write_parts(file: &File, mut at: u64, parts: &[&[u8]]) -> io::Result<()> {
    for part in parts {
        file.write_all_at(part, at)?;
        at += part.len() as u64;
    }
    Ok(())
}
