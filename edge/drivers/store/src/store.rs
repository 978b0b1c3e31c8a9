//! The store of a cache on disk.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use parking_lot::Mutex;
use rustix::fs::{flock, FlockOperation};
use selvedge_edge_core_verify::{shape, Error as Wrong, Outboard};
use selvedge_primitives_types::{Hash, ServiceId, SignedRecord};

use crate::body::BodyReader;
use crate::files::{self, disk_bytes, Folder, RecordId};
use crate::index::{Entry, Gone, Index};
use crate::recover::{recover, remove_gone, Recovery};
use crate::writer::{BodyWriter, FinishedBody, UnderWay};
use crate::{Error, Memory, Weigh};

/// Variants kept of one key; the oldest leaves when there are more.
const MAX_VARIANTS: usize = 32;

/// Where and how much to store.
#[derive(Clone, Debug)]
pub struct Config {
    /// The folder. It is made where it is missing, and belongs to one process.
    pub folder: PathBuf,
    /// The most bytes on disk, with everything.
    pub quota: u64,
    /// Whether a put waits until the disk has it. Without, a power cut may lose what was stored
    /// last, never more.
    pub sync: bool,
    /// Memory for hash trees of bodies that are read often.
    pub tree_memory: u64,
}

impl Config {
    /// A folder with a quota, without waiting for the disk, with 64 MiB for hash trees.
    pub fn new(folder: impl Into<PathBuf>, quota: u64) -> Self {
        Self {
            folder: folder.into(),
            quota,
            sync: false,
            tree_memory: 64 * 1024 * 1024,
        }
    }
}

/// What a store holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Bytes on disk, with those promised to bodies under way.
    pub bytes: u64,
    /// The most there may be.
    pub quota: u64,
    /// Records.
    pub records: usize,
    /// Bodies.
    pub bodies: usize,
}

/// A store. Clones share it; the folder is free again when the last one, and every reader and
/// writer, is gone.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
    recovery: Recovery,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) folder: Folder,
    pub(crate) config: Config,
    pub(crate) index: Mutex<Index>,
    outboards: Memory<Outboard>,
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
    /// and bodies.
    ///
    /// Errors: [`Error::Locked`], [`Error::Format`], [`Error::Io`].
    pub fn open(config: Config) -> Result<Self, Error> {
        files::make_folder(&config.folder)?;
        let folder = Folder(config.folder.clone());
        if !folder.is_ours_or_empty()? {
            return Err(Error::Format(folder.0));
        }
        let path = folder.0.join("lock");
        let lock = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|e| Error::io("open", &path, e))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|errno| match errno {
            rustix::io::Errno::WOULDBLOCK => Error::Locked(folder.0.clone()),
            errno => Error::io("lock", &path, errno.into()),
        })?;
        folder.prepare()?;
        let mut index = Index::new(config.quota);
        let recovery = recover(&folder, &mut index)?;
        let inner = Inner {
            folder,
            index: Mutex::new(index),
            outboards: Memory::new(config.tree_memory, 4),
            next: AtomicU64::new(0),
            config,
            _lock: lock,
        };
        Ok(Self {
            inner: Arc::new(inner),
            recovery,
        })
    }

    /// What the start found.
    pub fn recovery(&self) -> Recovery {
        self.recovery
    }

    /// What is held now.
    pub fn usage(&self) -> Usage {
        let index = self.inner.index.lock();
        Usage {
            bytes: index.bytes(),
            quota: self.inner.config.quota,
            records: index.records(),
            bodies: index.bodies(),
        }
    }

    /// The longest body that is taken, in bytes.
    pub fn longest_body(&self) -> u64 {
        self.inner.longest_body()
    }

    /// Starts a body of unknown length.
    pub fn writer(&self) -> Result<BodyWriter, Error> {
        BodyWriter::new(self.inner.clone())
    }

    /// Stores a record with its body, in place of an earlier record of the same service, key and
    /// variant.
    ///
    /// The caller has verified the record's signature. Errors: [`Error::OtherBody`],
    /// [`Error::Busy`], [`Error::DiskFull`], [`Error::Io`].
    pub fn put(&self, signed: &SignedRecord, mut body: FinishedBody) -> Result<(), Error> {
        let (root, length) = (signed.record.root, signed.record.length);
        if *body.outboard().root() != root || body.outboard().length() != length {
            return Err(Error::OtherBody);
        }
        self.inner.store(signed, Some(&mut body.under_way))
    }

    /// Stores a record whose body is stored already, such as one that a validation renewed.
    ///
    /// Errors: [`Error::NoBody`], and as [`Store::put`].
    pub fn renew(&self, signed: &SignedRecord) -> Result<(), Error> {
        let root = signed.record.root;
        if self
            .body(&root)?
            .is_some_and(|body| body.length() != signed.record.length)
        {
            return Err(Error::OtherBody);
        }
        self.inner.store(signed, None)
    }

    /// The records of a key, one per variant, the oldest first. Counts as a hit of each.
    ///
    /// Errors: [`Error::Io`]. A record that has decayed is dropped and left out.
    pub fn records(&self, service: ServiceId, key: &[u8]) -> Result<Vec<SignedRecord>, Error> {
        let ids = {
            let mut index = self.inner.index.lock();
            let ids = index.of_key(service, files::key_digest(service, key));
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
        let inner = &self.inner;
        if !inner.index.lock().has_body(root) {
            return Ok(None);
        }
        let path = inner.folder.body(root);
        let file = match File::open(&path) {
            Ok(file) => Arc::new(file),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                inner.drop_missing(root);
                return Ok(None);
            }
            Err(error) => return Err(Error::io("open", &path, error)),
        };
        let held = inner.outboards.find(ServiceId(0), root, |_| true);
        let outboard = match held {
            Some(outboard) => outboard,
            None => match files::read_outboard(&file, root) {
                Ok(Some(outboard)) => inner.outboards.insert(ServiceId(0), root, &[], outboard),
                Ok(None) => {
                    inner.drop_body(root);
                    return Err(Error::Decayed(Wrong::ProofMismatch { slice: 0 }));
                }
                Err(error) => return Err(Error::io("read", &path, error)),
            },
        };
        Ok(Some(BodyReader {
            inner: inner.clone(),
            file,
            outboard,
        }))
    }

    /// Forgets every variant of a key. Returns how many records left.
    pub fn forget(&self, service: ServiceId, key: &[u8]) -> usize {
        let key = files::key_digest(service, key);
        self.inner.drop_records(|index| index.of_key(service, key))
    }

    /// Forgets the records of a key whose generation is below this one. Returns how many left.
    pub fn forget_key_before(&self, service: ServiceId, key: &[u8], generation: u64) -> usize {
        let key = files::key_digest(service, key);
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
    pub(crate) fn temporary(&self) -> PathBuf {
        self.folder
            .temporary(self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// Half the quota, so that one body never pushes out all others twice over, and room is left
    /// for its hash tree.
    pub(crate) fn longest_body(&self) -> u64 {
        (self.config.quota / 2).min(shape::MAX_BODY)
    }

    pub(crate) fn promise(&self, bytes: u64) -> Result<(), Error> {
        let mut index = self.index.lock();
        let (is_there, gone) = index.promise(bytes);
        self.remove(&gone);
        if is_there {
            Ok(())
        } else {
            Err(Error::Busy {
                quota: self.config.quota,
            })
        }
    }

    /// Gives a record its name, after its body; without a body there must be one stored.
    fn store(&self, signed: &SignedRecord, body: Option<&mut UnderWay>) -> Result<(), Error> {
        let record = &signed.record;
        let (id, key) = (
            files::record_id(signed),
            files::key_digest(record.service, &record.key),
        );
        let encoded = files::encode_record(signed);
        let bytes = disk_bytes(encoded.len() as u64);
        self.promise(bytes)?;
        let temporary = self.temporary();
        let written = files::write_new(&temporary, &encoded, self.config.sync);

        let mut index = self.index.lock();
        index.release(bytes);
        written?;
        let was_there = index.has_body(&record.root);
        let mut body_bytes = 0;
        let named = match body {
            // Over one that is there, which may have decayed.
            Some(body) => {
                body_bytes = body.promised;
                index.release(core::mem::take(&mut body.promised));
                let named = self.name(&body.path, &self.folder.body(&record.root));
                body.is_named = named.is_ok();
                named
            }
            None if was_there => Ok(()),
            None => Err(Error::NoBody(record.root)),
        };
        let named = named.and_then(|()| self.name(&temporary, &self.folder.record(&id)));
        if let Err(error) = named {
            files::remove(&temporary);
            if !was_there {
                files::remove(&self.folder.body(&record.root));
            }
            return Err(error);
        }
        let entry = Entry {
            service: record.service,
            key,
            root: record.root,
            generation: record.generation,
            bytes,
        };
        let mut gone = index.insert(id, entry, body_bytes);
        let variants = index.of_key(record.service, key);
        let too_many = variants.len().saturating_sub(MAX_VARIANTS);
        gone.extend(index.remove(&variants[..too_many]));
        self.remove(&gone);
        Ok(())
    }

    fn name(&self, from: &Path, to: &Path) -> Result<(), Error> {
        fs::rename(from, to).map_err(|e| Error::io("name", to, e))?;
        if self.config.sync {
            files::sync_name(to)?;
        }
        Ok(())
    }

    fn record(&self, id: &RecordId) -> Result<Option<SignedRecord>, Error> {
        let path = self.folder.record(id);
        let file = match fs::read(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("read", &path, error)),
        };
        let record = files::decode_record(&file).filter(|record| files::record_id(record) == *id);
        if record.is_none() {
            tracing::warn!(path = %path.display(), "dropped a record that has decayed");
            self.drop_records(|_| vec![*id]);
        }
        Ok(record)
    }

    /// Takes a body out with every record that names it.
    pub(crate) fn drop_body(&self, root: &Hash) {
        let count = self.drop_records(|index| index.of_body(root));
        if count > 0 {
            tracing::warn!(records = count, "dropped a body that has decayed");
        }
    }

    /// Takes a body out whose file somebody else has taken away. One that left a moment ago, or
    /// came back, is left alone.
    fn drop_missing(&self, root: &Hash) {
        let is_missing = |index: &Index| index.has_body(root) && !self.folder.body(root).exists();
        self.drop_records(|index| {
            if is_missing(index) {
                index.of_body(root)
            } else {
                Vec::new()
            }
        });
    }

    fn drop_records(&self, which: impl FnOnce(&Index) -> Vec<RecordId>) -> usize {
        let mut index = self.index.lock();
        let ids = which(&index);
        let gone = index.remove(&ids);
        self.remove(&gone);
        gone.iter()
            .filter(|gone| matches!(gone, Gone::Record(_)))
            .count()
    }

    /// Removes files. The index is locked meanwhile, so that a name is not given again before its
    /// file is gone.
    fn remove(&self, gone: &[Gone]) {
        for gone in gone {
            if let Gone::Body(root) = gone {
                self.outboards.remove(ServiceId(0), root);
            }
            remove_gone(&self.folder, gone);
        }
    }
}
