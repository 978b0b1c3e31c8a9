//! Content that is kept under its root until it is taken away: blobs that come slice by slice, in any
//! order, and can be read as far as they are here.
//!
//! A [`Store`] of its own in which everything is pinned: it evicts nothing, and what has no room is
//! refused. What a slice is checked against, what survives a kill, and where bytes lie on disk is the
//! store's.
//!
//! Invariants
//! 1. Lengths of all blobs, whole or not, stay within the quota. The disk holds up to a quarter more,
//!    and 64 MiB: proofs, and garbage of what was taken away.
//! 2. No byte is taken or given out that does not match the root it is asked for by.
//! 3. A blob stays until somebody removes it, or it has decayed.

use std::collections::HashMap;
use std::path::PathBuf;

use bytes::Bytes;
use parking_lot::Mutex;
use selvedge_edge_core_verify::{shape, Error as Wrong, Part, SliceProof};
use selvedge_primitives_types::{Hash, ServiceId};

use crate::{Assembly, Blob, BodyReader, Config, Error, Space, Store};

/// The most runs of missing slices that are named at a time.
pub const MAX_RUNS: usize = 1_024;

/// Why content is not kept or not given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShelfError {
    /// The blob has no room.
    #[error("a blob of {length} bytes has no room within {quota}")]
    Full {
        /// Its length.
        length: u64,
        /// The most bytes of all blobs.
        quota: u64,
    },
    /// Another blob of this root was begun with another length: one of them is a lie.
    #[error("the root stands for {0} bytes here and for {1} there")]
    TwoLengths(u64, u64),
    /// What came does not match the root.
    #[error("the bytes do not match the root: {0}")]
    Unverified(Wrong),
    /// The blob, or what is asked for of it, is not here.
    #[error("the content is not here")]
    Missing,
    /// What is here no longer matches the root. It was taken away.
    #[error("kept bytes have decayed: {0}")]
    Decayed(Wrong),
    /// The store cannot be used.
    #[error(transparent)]
    Store(Error),
}

impl From<Error> for ShelfError {
    fn from(error: Error) -> Self {
        match error {
            Error::Mismatch(wrong) => Self::Unverified(wrong),
            Error::Decayed(wrong) => Self::Decayed(wrong),
            error => Self::Store(error),
        }
    }
}

/// A blob on the shelf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its root.
    pub root: Hash,
    /// Its length in bytes.
    pub length: u64,
    /// The service that it was first kept for.
    pub service: ServiceId,
    /// Whether every slice is here.
    pub is_whole: bool,
}

/// Bytes and blobs of a shelf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShelfUsage {
    /// Lengths of all blobs, whole or not.
    pub bytes: u64,
    /// The most they may be.
    pub quota: u64,
    /// Blobs that are here, whole.
    pub whole: usize,
    /// Blobs that are here in part.
    pub partial: usize,
}

/// Blobs by their roots. Calls block: an asynchronous caller makes them in `spawn_blocking`.
#[derive(Debug)]
pub struct Shelf {
    store: Store,
    quota: u64,
    books: Mutex<Books>,
}

/// Length and service of each blob that has begun.
#[derive(Debug, Default)]
struct Books {
    blobs: HashMap<Hash, (u64, ServiceId)>,
    bytes: u64,
}

impl Shelf {
    /// Opens a folder and finds what is in it. `quota` bounds the lengths of all blobs; `sync` says
    /// whether a slice waits for the disk before it counts.
    ///
    /// Errors: [`ShelfError::Store`].
    pub fn open(folder: PathBuf, quota: u64, sync: bool) -> Result<Self, ShelfError> {
        let disk = quota.saturating_add(quota / 4).saturating_add(64 << 20);
        let store = Store::open(Config {
            sync,
            pinned: u64::MAX,
            ..Config::new(folder, disk)
        })?;
        let mut books = Books::default();
        for held in store.kept().iter().filter(|held| held.is_pinned) {
            books.bytes = books.bytes.saturating_add(held.length);
            // Everything is shared here, so the name is the root.
            let blob = (held.length, held.service);
            books.blobs.insert(held.name.0, blob);
        }
        Ok(Self {
            store,
            quota,
            books: Mutex::new(books),
        })
    }

    /// What is held now.
    pub fn usage(&self) -> ShelfUsage {
        let blobs = self.blobs();
        let whole = blobs.iter().filter(|blob| blob.is_whole).count();
        ShelfUsage {
            bytes: self.books.lock().bytes,
            quota: self.quota,
            whole,
            partial: blobs.len() - whole,
        }
    }

    /// Every blob, in no order.
    pub fn blobs(&self) -> Vec<Kept> {
        let books = self.books.lock();
        let blobs = books.blobs.iter().map(|(root, (length, service))| Kept {
            root: *root,
            length: *length,
            service: *service,
            is_whole: self.store.has(&Space::Shared, root),
        });
        blobs.collect()
    }

    /// Whether a blob is here, whole.
    pub fn has(&self, root: &Hash) -> bool {
        self.store.has(&Space::Shared, root)
    }

    /// Begins a blob, where it has not begun.
    ///
    /// Errors: [`ShelfError::Full`], [`ShelfError::TwoLengths`], [`ShelfError::Store`].
    pub fn begin(&self, root: Hash, length: u64, service: ServiceId) -> Result<(), ShelfError> {
        let mut books = self.books.lock();
        if let Some((held, _)) = books.blobs.get(&root) {
            return match *held == length {
                true => Ok(()),
                false => Err(ShelfError::TwoLengths(*held, length)),
            };
        }
        let quota = self.quota;
        let is_room = books.bytes.checked_add(length);
        if length > shape::MAX_BODY || is_room.is_none_or(|bytes| bytes > quota) {
            return Err(ShelfError::Full { length, quota });
        }
        match self.store.pin(&Blob::shared(root, length), service) {
            Ok(()) => {}
            Err(Error::PinsFull { .. } | Error::Busy { .. } | Error::TooLong { .. }) => {
                return Err(ShelfError::Full { length, quota });
            }
            Err(error) => return Err(error.into()),
        }
        books.bytes += length;
        books.blobs.insert(root, (length, service));
        Ok(())
    }

    /// The slices that are missing of a blob that has begun: runs of the first and how many, at most [`MAX_RUNS`];
    /// none when it is whole.
    ///
    /// Errors: [`ShelfError::Missing`] when it has not begun, [`ShelfError::Store`].
    pub fn missing(&self, root: &Hash) -> Result<Vec<(u64, u64)>, ShelfError> {
        let missing = self.assembly(root)?.missing().into_iter();
        let runs = missing.map(|run| (run.start, run.end - run.start));
        Ok(runs.take(MAX_RUNS).collect())
    }

    /// Takes a slice of a blob that has begun. Says whether the blob is whole now.
    ///
    /// Errors: [`ShelfError::Unverified`], [`ShelfError::Missing`], [`ShelfError::Store`].
    pub fn put(
        &self,
        root: &Hash,
        slice: u64,
        proof: SliceProof,
        bytes: &[u8],
    ) -> Result<bool, ShelfError> {
        Ok(self.assembly(root)?.put(slice, &proof, bytes)?)
    }

    /// A blob to read from, whole or not.
    ///
    /// Errors: [`ShelfError::Missing`], [`ShelfError::Decayed`], [`ShelfError::Store`].
    pub fn reader(&self, root: &Hash) -> Result<ShelfReader, ShelfError> {
        let assembly = self.assembly(root)?;
        let whole = self.store.content(&Space::Shared, root);
        let whole = whole.map_err(|error| self.taken_away(root, error.into()))?;
        Ok(ShelfReader {
            root: *root,
            assembly,
            whole,
            slice: None,
        })
    }

    /// Takes a blob away. Who reads a whole one goes on to its end.
    pub fn remove(&self, root: &Hash) {
        let mut books = self.books.lock();
        if let Some((length, _)) = books.blobs.remove(root) {
            books.bytes -= length;
            self.store.drop_content(&Blob::shared(*root, length));
        }
    }

    /// Reads a part of an encoded range, verified; a blob that has decayed is taken away.
    ///
    /// Errors: [`ShelfError::Missing`], [`ShelfError::Decayed`], [`ShelfError::Store`].
    pub fn part(&self, reader: &mut ShelfReader, part: &Part) -> Result<Bytes, ShelfError> {
        let read = reader.part(part);
        read.map_err(|error| self.taken_away(&reader.root, error))
    }

    fn taken_away(&self, root: &Hash, error: ShelfError) -> ShelfError {
        if matches!(error, ShelfError::Decayed(_)) {
            tracing::warn!(%error, "took a blob away that has decayed");
            self.remove(root);
        }
        error
    }

    fn assembly(&self, root: &Hash) -> Result<Assembly, ShelfError> {
        let known = self.books.lock().blobs.get(root).copied();
        let (length, service) = known.ok_or(ShelfError::Missing)?;
        let blob = Blob::shared(*root, length);
        Ok(self.store.assembly(&blob, service)?)
    }
}

/// Reads a blob, as far as it is here.
#[derive(Debug)]
pub struct ShelfReader {
    root: Hash,
    assembly: Assembly,
    whole: Option<BodyReader>,
    /// The slice that was read last, of one that is not whole.
    slice: Option<(u64, SliceProof, Bytes)>,
}

impl ShelfReader {
    /// The blob's root.
    pub fn root(&self) -> Hash {
        self.root
    }

    /// Its length in bytes.
    pub fn length(&self) -> u64 {
        self.assembly.length()
    }

    /// Whether every slice that these bytes touch is here.
    pub fn has(&self, range: &std::ops::Range<u64>) -> bool {
        let mut slices = range.start / shape::SLICE..=range.end.saturating_sub(1) / shape::SLICE;
        self.whole.is_some() || slices.all(|slice| self.assembly.has(slice))
    }

    fn part(&mut self, part: &Part) -> Result<Bytes, ShelfError> {
        if let Some(whole) = &self.whole {
            return Ok(whole.part(part)?);
        }
        match part {
            Part::Proof { slice, .. } => Ok(self.slice(*slice)?.1.to_bytes().into()),
            Part::Group { index, bytes } => {
                let number = index / shape::GROUPS_PER_SLICE;
                let start = shape::slice_bytes(self.length(), number).start;
                let within = (bytes.start - start) as usize..(bytes.end - start) as usize;
                Ok(self.slice(number)?.2.slice(within))
            }
        }
    }

    fn slice(&mut self, number: u64) -> Result<&(u64, SliceProof, Bytes), ShelfError> {
        if self.slice.as_ref().is_none_or(|held| held.0 != number) {
            let read = self.assembly.slice(number)?;
            let (proof, bytes) = read.ok_or(ShelfError::Missing)?;
            self.slice = Some((number, proof, bytes));
        }
        self.slice.as_ref().ok_or(ShelfError::Missing)
    }
}
