//! The store of a cache on disk.

use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use codec::{DecodeAll, Encode};
use parking_lot::Mutex;
use selvedge_edge_core_verify::{Error as Wrong, Outboard};
use selvedge_primitives_types::{Hash, ServiceId, SignedRecord};

use crate::body::{self, Body, BodyReader, Stretch};
use crate::entry::{BodyHead, Extent, Head, RecordHead};
use crate::files::{Folder, Format};
use crate::index::{Entry, Gone, Index};
use crate::limits::Limits;
use crate::log::{Appended, Log, Stream};
use crate::name::{self, short, BlobKey, BodyName, RecordId, Space};
use crate::recover::{recover, Recovery};
use crate::writer::{BodyWriter, FinishedBody};
use crate::{migrate, Error, Memory, Weigh};

/// Variants kept of one key; the oldest leaves when there are more.
const MAX_VARIANTS: usize = 32;
/// What an entry of a record takes besides the record.
const RECORD_OVERHEAD: u64 = 512;

/// Where and how much to store.
#[derive(Clone, Debug)]
pub struct Config {
    /// The folder. It is made where it is missing, and belongs to one process.
    pub folder: PathBuf,
    /// The most bytes on disk, with everything, garbage included.
    pub quota: u64,
    /// The most bytes that are pinned. What exceeds three quarters of the quota, or so, never fits.
    pub pinned: u64,
    /// Bytes of a segment; at most a 32nd of the quota.
    pub segment: u64,
    /// Whether a put waits until the disk has it. Without, a power cut may lose what was stored
    /// last, never more.
    pub sync: bool,
    /// Memory for hash trees of bodies that are read often.
    pub tree_memory: u64,
}

impl Config {
    /// A folder with a quota, half of which may be pinned, in segments of 64 MiB, without waiting for
    /// the disk, with 64 MiB for hash trees.
    pub fn new(folder: impl Into<PathBuf>, quota: u64) -> Self {
        Self {
            folder: folder.into(),
            quota,
            pinned: quota / 2,
            segment: 64 * 1024 * 1024,
            sync: false,
            tree_memory: 64 * 1024 * 1024,
        }
    }
}

/// What a store holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Bytes on disk, garbage included.
    pub bytes: u64,
    /// The most there may be.
    pub quota: u64,
    /// Bytes that something names, with those promised to what is under way.
    pub live: u64,
    /// Bytes that are pinned.
    pub pinned: u64,
    /// Records.
    pub records: usize,
    /// Whole bodies.
    pub bodies: usize,
}

/// A store. Clones share it; the folder is free again when the last one, and every reader and
/// writer, is gone.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
    recovery: Recovery,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) limits: Limits,
    pub(crate) index: Mutex<Index>,
    pub(crate) log: Log,
    pub(crate) outboards: Memory<Outboard>,
    /// One segment is cleaned at a time.
    pub(crate) cleaning: Mutex<()>,
    /// And one body pinned.
    pub(crate) pinning: Mutex<()>,
    /// Bytes of bodies under way in memory.
    pub(crate) buffered: AtomicU64,
    next: AtomicU64,
    _lock: File,
}

impl Weigh for Outboard {
    fn bytes(&self) -> u64 {
        self.size() as u64
    }
}

impl Store {
    /// Opens a folder and finds what is in it. Takes time in proportion to the number of records
    /// and bodies. A folder that an older version wrote is taken over, which takes as long as reading
    /// all of it.
    ///
    /// Errors: [`Error::Locked`], [`Error::Format`], [`Error::DiskFull`], [`Error::Io`].
    pub fn open(config: Config) -> Result<Self, Error> {
        let folder = Folder(config.folder.clone());
        let lock = folder.lock()?;
        let format = folder.prepare()?;
        let limits = Limits::of(&config);
        let log = Log::new(folder.segments(), limits);
        let mut index = Index::new(limits.live);
        let (recovery, next) = recover(&log, &mut index)?;
        let inner = Inner {
            limits,
            index: Mutex::new(index),
            log,
            outboards: Memory::new(config.tree_memory, 4),
            cleaning: Mutex::new(()),
            pinning: Mutex::new(()),
            buffered: AtomicU64::new(0),
            next: AtomicU64::new(next),
            _lock: lock,
        };
        let mut store = Self {
            inner: Arc::new(inner),
            recovery,
        };
        store.recovery.evicted = store.inner.shrink()?;
        let usage = store.usage();
        (store.recovery.records, store.recovery.bodies) = (usage.records, usage.bodies);
        if format == Format::Older {
            store.recovery.migrated = migrate::take_over(&store, &folder)?;
            folder.write_format()?;
        }
        Ok(store)
    }

    /// What the start found.
    pub fn recovery(&self) -> Recovery {
        self.recovery
    }

    /// What is held now.
    pub fn usage(&self) -> Usage {
        let index = self.inner.index.lock();
        Usage {
            bytes: self.inner.log.occupied(),
            quota: self.inner.limits.quota,
            live: index.bytes(),
            pinned: index.pinned(),
            records: index.records(),
            bodies: index.bodies(),
        }
    }

    /// The longest body that is taken, in bytes.
    pub fn longest_body(&self) -> u64 {
        self.inner.limits.longest
    }

    /// Starts a body of unknown length.
    pub fn writer(&self) -> Result<BodyWriter, Error> {
        Ok(BodyWriter::new(self.inner.clone()))
    }

    /// Stores a record with its body, in place of an earlier record of the same service, key and
    /// variant.
    ///
    /// The caller has verified the record's signature. Errors: [`Error::OtherBody`],
    /// [`Error::Busy`], [`Error::DiskFull`], [`Error::Io`].
    pub fn put(&self, signed: &SignedRecord, body: FinishedBody) -> Result<(), Error> {
        let (root, length) = (signed.record.root, signed.record.length);
        if *body.outboard().root() != root || body.outboard().length() != length {
            return Err(Error::OtherBody);
        }
        self.inner.store(signed, Some(body))
    }

    /// Stores a record whose body is stored already, such as one that a validation renewed.
    ///
    /// Errors: [`Error::NoBody`], and as [`Store::put`].
    pub fn renew(&self, signed: &SignedRecord) -> Result<(), Error> {
        self.inner.store(signed, None)
    }

    /// The records of a key, one per variant, the oldest first. Counts as a hit of each.
    ///
    /// Errors: [`Error::Io`]. A record that has decayed is dropped and left out.
    pub fn records(&self, service: ServiceId, key: &[u8]) -> Result<Vec<SignedRecord>, Error> {
        let ids = {
            let mut index = self.inner.index.lock();
            let ids = index.of_key(service, name::key_digest(service, key));
            ids.iter().for_each(|id| index.touch(id));
            ids
        };
        let mut records = Vec::with_capacity(ids.len());
        for id in ids {
            records.extend(self.inner.record(&id)?);
        }
        Ok(records)
    }

    /// A stored body by its root.
    ///
    /// Errors: [`Error::Decayed`] when its hash tree no longer leads to the root, [`Error::Io`].
    pub fn body(&self, root: &Hash) -> Result<Option<BodyReader>, Error> {
        self.inner.reader(Space::Shared.name(root), root)
    }

    /// Forgets every variant of a key. Returns how many records left.
    pub fn forget(&self, service: ServiceId, key: &[u8]) -> usize {
        let key = name::key_digest(service, key);
        self.inner.drop_records(|index| index.of_key(service, key))
    }

    /// Forgets the records of a key whose generation is below this one. Returns how many left.
    pub fn forget_key_before(&self, service: ServiceId, key: &[u8], generation: u64) -> usize {
        let key = name::key_digest(service, key);
        self.inner
            .drop_records(|index| index.of_key_below(service, key, generation))
    }

    /// Forgets the records of a service whose generation is below this one, as after a purge.
    /// Returns how many left.
    pub fn forget_before(&self, service: ServiceId, generation: u64) -> usize {
        self.inner
            .drop_records(|index| index.of_service(service, generation))
    }
}

impl Inner {
    /// The next number: whatever is written later has a higher one.
    pub(crate) fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::AcqRel)
    }

    pub(crate) fn promise(&self, bytes: u64) -> Result<(), Error> {
        let mut index = self.index.lock();
        let (is_there, gone) = index.promise(bytes);
        self.apply(&gone);
        if is_there {
            Ok(())
        } else {
            Err(self.busy())
        }
    }

    pub(crate) fn busy(&self) -> Error {
        Error::Busy {
            quota: self.limits.quota,
        }
    }

    /// Appends something new, after cleaning where the quota demands it.
    pub(crate) fn append(&self, head: &Head, payload: &[&[u8]]) -> Result<Appended, Error> {
        loop {
            match self.log.append(Stream::Fresh, head, payload) {
                Ok(Some(appended)) => return Ok(appended),
                Ok(None) if self.make_room()? => {}
                Ok(None) => return Err(self.busy()),
                // A segment in which nothing counts can go without room to move anything.
                Err(Error::DiskFull(_)) if self.drop_empty()? => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Appends something new, and waits for the disk where that is configured.
    pub(crate) fn append_durably(&self, head: &Head, payload: &[&[u8]]) -> Result<Appended, Error> {
        let appended = self.append(head, payload)?;
        if self.limits.sync {
            self.log.sync(&appended.held.0)?;
        }
        Ok(appended)
    }

    /// Appends the end of a body.
    pub(crate) fn append_body(
        &self,
        head: BodyHead,
        values: &[u8],
        rest: &[u8],
    ) -> Result<(Body, Appended), Error> {
        let head = Head::Body(head);
        let appended = self.append(&head, &[values, rest])?;
        let Head::Body(head) = head else {
            return Err(self.busy());
        };
        Ok((body_of(head, &appended), appended))
    }

    /// Gives a record its place, after its body; without a body there must be one stored.
    fn store(&self, signed: &SignedRecord, body: Option<FinishedBody>) -> Result<(), Error> {
        let record = &signed.record;
        let id = name::record_id(signed);
        let key = name::key_digest(record.service, &record.key);
        let name = Space::Shared.name(&record.root);
        let mut named = match body {
            Some(body) => Some(body.name(&Space::Shared)?),
            None => {
                self.has_body(&name, record)?;
                None
            }
        };
        let encoded = signed.encode();
        let head = RecordHead {
            id,
            number: self.number(),
            service: record.service,
            key,
            body: name,
            length: record.length,
            generation: record.generation,
            check: short(&blake3::hash(&encoded)),
        };
        let entry = Entry {
            service: head.service,
            key,
            body: name,
            generation: head.generation,
            number: head.number,
            place: crate::entry::Place {
                segment: 0,
                offset: 0,
                size: 0,
            },
        };
        let bytes = encoded.len() as u64 + RECORD_OVERHEAD;
        self.promise(bytes)?;
        let appended = self.append_durably(&Head::Record(head), &[&encoded]);
        let mut index = self.index.lock();
        index.release(bytes);
        let appended = appended?;
        if let Some(named) = &mut named {
            self.outboards.remove(ServiceId(0), &named.name.0);
            named.insert(&mut index);
        } else if index.body(&name).is_none() {
            self.log.marks.add(&[appended.place]);
            return Err(Error::NoBody(record.root));
        }
        let place = appended.place;
        let mut gone = index.insert(id, Entry { place, ..entry });
        let variants = index.of_key(record.service, key);
        let too_many = variants.len().saturating_sub(MAX_VARIANTS);
        gone = gone.and(index.remove(&variants[..too_many]));
        self.apply(&gone);
        // Dropping what is left of the writer locks the index.
        drop(index);
        Ok(())
    }

    fn has_body(
        &self,
        name: &BodyName,
        record: &selvedge_primitives_types::Record,
    ) -> Result<(), Error> {
        let index = self.index.lock();
        match index.body(name) {
            None => Err(Error::NoBody(record.root)),
            Some(body) if body.length != record.length => Err(Error::OtherBody),
            Some(_) => Ok(()),
        }
    }

    fn record(&self, id: &RecordId) -> Result<Option<SignedRecord>, Error> {
        loop {
            let Some(place) = self.index.lock().record(id).map(|entry| entry.place) else {
                return Ok(None);
            };
            let entry = match self.log.entry(&place) {
                Ok(entry) => entry,
                Err(error) => return Err(Error::io("read", self.log.folder(), error)),
            };
            let signed = entry.and_then(|(head, payload)| decode_record(id, &head, &payload));
            if signed.is_some() {
                return Ok(signed);
            }
            let mut index = self.index.lock();
            if index.record(id).map(|entry| entry.place) == Some(place) {
                tracing::warn!(segment = place.segment, "dropped a record that has decayed");
                let gone = index.remove(&[*id]);
                self.apply(&gone);
                return Ok(None);
            }
            // It was moved meanwhile.
        }
    }

    /// A whole body, to read from.
    pub(crate) fn reader(
        self: &Arc<Self>,
        name: BodyName,
        root: &Hash,
    ) -> Result<Option<BodyReader>, Error> {
        let (body, stretches) = {
            let mut index = self.index.lock();
            let Some(body) = index.body(&name).cloned() else {
                return Ok(None);
            };
            let length = body.length;
            index.touch_content(&BlobKey { name, length });
            let stretches = self.stretches(body.parts());
            (body, stretches)
        };
        // With the index locked no segment could go, so it is missing for good.
        let Some(stretches) = stretches else {
            self.drop_decayed(&name);
            return Err(Error::Decayed(Wrong::Truncated {
                missing: body.length,
            }));
        };
        let held = self.outboards.find(ServiceId(0), &name.0, |_| true);
        let outboard = match held {
            Some(outboard) => outboard,
            None => match self.outboard(root, &name, body)? {
                Some(outboard) => outboard,
                None => return Err(Error::Decayed(Wrong::ProofMismatch { slice: 0 })),
            },
        };
        Ok(Some(BodyReader {
            inner: self.clone(),
            name,
            stretches: Arc::new(stretches),
            outboard,
        }))
    }

    /// Reads a hash tree. `None` when it has decayed, and then the body has left.
    fn outboard(
        &self,
        root: &Hash,
        name: &BodyName,
        mut body: Arc<Body>,
    ) -> Result<Option<Arc<Outboard>>, Error> {
        loop {
            let values = self.values(&body);
            let values = values.map_err(|e| Error::io("read", self.log.folder(), e))?;
            let outboard = values.and_then(|values| body::outboard(root, body.length, &values));
            if let Some(outboard) = outboard {
                let outboards = &self.outboards;
                return Ok(Some(outboards.insert(ServiceId(0), &name.0, &[], outboard)));
            }
            let now = self.index.lock().body(name).cloned();
            match now {
                // It was moved meanwhile.
                Some(now) if now.number != body.number => body = now,
                _ => {
                    self.drop_decayed(name);
                    return Ok(None);
                }
            }
        }
    }

    /// The values of a body's groups, unverified.
    fn values(&self, body: &Body) -> std::io::Result<Option<Vec<u8>>> {
        let (at, length) = body.values;
        let segment = body.place.segment;
        self.log.bytes(segment, u64::from(at), length as usize)
    }

    /// The values of a body's groups and its last bytes, unverified.
    pub(crate) fn read_end(&self, body: &Body) -> std::io::Result<Option<(Vec<u8>, Vec<u8>)>> {
        let (at, length) = body.rest;
        let segment = body.place.segment;
        let rest = self.log.bytes(segment, u64::from(at), length as usize)?;
        Ok(self.values(body)?.zip(rest))
    }

    /// Where extents lie one after the other. `None` when one of their segments is missing.
    pub(crate) fn stretches(&self, extents: impl Iterator<Item = Extent>) -> Option<Vec<Stretch>> {
        let mut start = 0;
        let stretches = extents.map(|extent| {
            let stretch = Stretch {
                start,
                segment: self.log.segment(extent.segment)?,
                at: extent.at,
                length: extent.length,
            };
            start += u64::from(extent.length);
            Some(stretch)
        });
        stretches.collect()
    }

    /// Takes a body out that has decayed, with every record that names it.
    pub(crate) fn drop_decayed(&self, name: &BodyName) {
        let mut index = self.index.lock();
        let gone = index.remove_decayed(name);
        self.apply(&gone);
        if !gone.bodies.is_empty() {
            tracing::warn!(records = gone.records, "dropped a body that has decayed");
        }
    }

    fn drop_records(&self, which: impl FnOnce(&Index) -> Vec<RecordId>) -> usize {
        let mut index = self.index.lock();
        let ids = which(&index);
        let gone = index.remove(&ids);
        self.apply(&gone);
        gone.records
    }

    /// Marks what has left. The index is locked meanwhile, so that it is marked before anything else
    /// has its name.
    pub(crate) fn apply(&self, gone: &Gone) {
        for name in &gone.bodies {
            self.outboards.remove(ServiceId(0), &name.0);
        }
        self.log.marks.add(&gone.marks);
    }
}

/// Where a body is that was just appended.
pub(crate) fn body_of(head: BodyHead, appended: &Appended) -> Body {
    let values = appended.extent(0).at;
    let rest = appended.extent(head.values);
    Body {
        place: appended.place,
        number: head.number,
        length: head.length,
        values: (values, head.values),
        group: head.group,
        extents: head.extents,
        rest: (rest.at, rest.length),
    }
}

fn decode_record(id: &RecordId, head: &Head, payload: &[u8]) -> Option<SignedRecord> {
    let Head::Record(head) = head else {
        return None;
    };
    let is_whole = head.id == *id && short(&blake3::hash(payload)) == head.check;
    let signed = SignedRecord::decode_all(&mut &payload[..]).ok();
    signed.filter(|signed| is_whole && name::record_id(signed) == *id)
}
