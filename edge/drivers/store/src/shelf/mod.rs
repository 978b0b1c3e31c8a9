//! Content that is kept under its root until it is taken away: blobs that come slice by slice, in any
//! order, and can be read as far as they are here.
//!
//! Unlike a [`Store`](crate::Store) it evicts nothing: what has no room is refused. Folder:
//!
//! ```text
//! <2 hex>/<62 hex>.blob   named by root: the blob's bytes, whole
//! <2 hex>/<62 hex>.part   the same while slices are missing, with holes
//! <2 hex>/<62 hex>.tree   "SLVGTREE" ‖ root ‖ length u64 LE ‖ service u64 LE, then a place for each slice:
//!                         BLAKE3 of (root, length, slice, proof) ‖ the slice's proof, filled up with zeros
//! ```
//!
//! A slice is verified before it is written, and its place in the tree comes after its bytes. Whatever is read is
//! verified again.
//!
//! Crash story: a slice is here when the checksum of its place is right, so what was written half is missing and
//! comes again. A blob has its last name when every slice is here. A power cut may leave holes under either name;
//! reading finds them, and the blob is taken away: it is kept elsewhere too, and comes again.
//!
//! Invariants
//! 1. Lengths of all blobs, whole or not, stay within the quota.
//! 2. No byte is taken or given out that does not match the root it is asked for by.
//! 3. A blob stays until somebody removes it, or it has decayed.

mod blob;
mod tree;

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use selvedge_edge_core_verify::{shape, Error as Wrong, SliceProof};
use selvedge_primitives_types::{Hash, ServiceId};

use blob::Slices;
pub use blob::{ShelfReader, MAX_RUNS};

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
    /// The system refused something.
    #[error("cannot {what} {}: {source}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl ShelfError {
    fn io(what: &'static str, path: &Path, source: std::io::Error) -> Self {
        let path = path.to_owned();
        Self::Io { what, path, source }
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
    folder: PathBuf,
    quota: u64,
    sync: bool,
    books: Mutex<Books>,
}

#[derive(Debug, Default)]
struct Books {
    blobs: HashMap<Hash, Arc<Slices>>,
    bytes: u64,
}

impl Shelf {
    /// Opens a folder and finds what is in it. `sync` says whether a blob waits for the disk before it counts as
    /// whole.
    ///
    /// Errors: [`ShelfError::Io`]. What is no blob in it is left alone.
    pub fn open(folder: PathBuf, quota: u64, sync: bool) -> Result<Self, ShelfError> {
        let make = |path: &Path| {
            fs::create_dir_all(path).map_err(|error| ShelfError::io("create folder", path, error))
        };
        make(&folder)?;
        let mut books = Books::default();
        for first in 0..=u8::MAX {
            let inner = folder.join(format!("{first:02x}"));
            make(&inner)?;
            let entries =
                fs::read_dir(&inner).map_err(|error| ShelfError::io("list", &inner, error))?;
            for entry in entries.flatten() {
                let name = entry.file_name();
                let name = name.to_str().and_then(|name| name.strip_suffix(".tree"));
                if let Some(slices) = name.and_then(|name| Slices::open(&inner.join(name))) {
                    books.bytes = books.bytes.saturating_add(slices.kept().length);
                    books.blobs.insert(slices.kept().root, Arc::new(slices));
                }
            }
        }
        Ok(Self {
            folder,
            quota,
            sync,
            books: Mutex::new(books),
        })
    }

    /// What is held now.
    pub fn usage(&self) -> ShelfUsage {
        let books = self.books.lock();
        let whole = books.blobs.values().filter(|blob| blob.is_whole()).count();
        ShelfUsage {
            bytes: books.bytes,
            quota: self.quota,
            whole,
            partial: books.blobs.len() - whole,
        }
    }

    /// Every blob, in no order.
    pub fn blobs(&self) -> Vec<Kept> {
        let books = self.books.lock();
        books.blobs.values().map(|blob| blob.kept()).collect()
    }

    /// Whether a blob is here, whole.
    pub fn has(&self, root: &Hash) -> bool {
        self.find(root).is_some_and(|blob| blob.is_whole())
    }

    /// Begins a blob, where it has not begun.
    ///
    /// Errors: [`ShelfError::Full`], [`ShelfError::TwoLengths`], [`ShelfError::Io`].
    pub fn begin(&self, root: Hash, length: u64, service: ServiceId) -> Result<(), ShelfError> {
        let mut books = self.books.lock();
        if let Some(blob) = books.blobs.get(&root) {
            let held = blob.kept().length;
            return match held == length {
                true => Ok(()),
                false => Err(ShelfError::TwoLengths(held, length)),
            };
        }
        let is_room = books.bytes.checked_add(length);
        if length > shape::MAX_BODY || is_room.is_none_or(|bytes| bytes > self.quota) {
            let quota = self.quota;
            return Err(ShelfError::Full { length, quota });
        }
        let blob = Slices::create(&self.path(&root), root, length, service)?;
        books.bytes += length;
        books.blobs.insert(root, Arc::new(blob));
        Ok(())
    }

    /// The slices that are missing of a blob that has begun: runs of the first and how many, at most [`MAX_RUNS`];
    /// none when it is whole.
    ///
    /// Errors: [`ShelfError::Missing`] when it has not begun.
    pub fn missing(&self, root: &Hash) -> Result<Vec<(u64, u64)>, ShelfError> {
        let blob = self.find(root).ok_or(ShelfError::Missing)?;
        Ok(blob.missing())
    }

    /// Takes a slice of a blob that has begun. Says whether the blob is whole now.
    ///
    /// Errors: [`ShelfError::Unverified`], [`ShelfError::Missing`], [`ShelfError::Io`].
    pub fn put(
        &self,
        root: &Hash,
        slice: u64,
        proof: SliceProof,
        bytes: &[u8],
    ) -> Result<bool, ShelfError> {
        let blob = self.find(root).ok_or(ShelfError::Missing)?;
        blob.put(slice, proof, bytes, self.sync)
    }

    /// A blob to read from, whole or not.
    ///
    /// Errors: [`ShelfError::Missing`], [`ShelfError::Io`].
    pub fn reader(&self, root: &Hash) -> Result<ShelfReader, ShelfError> {
        let blob = self.find(root).ok_or(ShelfError::Missing)?;
        blob.reader()
    }

    /// Takes a blob away. Who reads it goes on to its end.
    pub fn remove(&self, root: &Hash) {
        let mut books = self.books.lock();
        if let Some(blob) = books.blobs.remove(root) {
            books.bytes -= blob.kept().length;
            blob.remove();
        }
    }

    /// Reads a part of an encoded range, verified; a blob that has decayed is taken away.
    ///
    /// Errors: [`ShelfError::Missing`], [`ShelfError::Decayed`], [`ShelfError::Io`].
    pub fn part(
        &self,
        reader: &mut ShelfReader,
        part: &selvedge_edge_core_verify::Part,
    ) -> Result<Bytes, ShelfError> {
        reader.part(part).inspect_err(|error| {
            if matches!(error, ShelfError::Decayed(_)) {
                tracing::warn!(%error, "took a blob away that has decayed");
                self.remove(&reader.root());
            }
        })
    }

    fn find(&self, root: &Hash) -> Option<Arc<Slices>> {
        self.books.lock().blobs.get(root).cloned()
    }

    fn path(&self, root: &Hash) -> PathBuf {
        let name: String = root.iter().map(|byte| format!("{byte:02x}")).collect();
        self.folder.join(&name[..2]).join(&name[2..])
    }
}

fn open(path: &Path) -> Result<File, ShelfError> {
    let file = File::options().read(true).write(true).open(path);
    file.map_err(|error| ShelfError::io("open", path, error))
}
