//! What can go wrong with a store.

use std::io;
use std::path::{Path, PathBuf};

use selvedge_primitives_types::Hash;

/// Why a call failed. What was stored before is untouched by any of them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process has the folder open.
    #[error("{} is in use by another process; give each daemon a folder of its own", .0.display())]
    Locked(PathBuf),
    /// The folder was written by another version, or is no store.
    #[error("{} holds something else than a store of this version; name an empty folder", .0.display())]
    Format(PathBuf),
    /// The disk is full, although the quota is not.
    #[error("no space left on the disk of {}; free some, or lower the quota", .0.display())]
    DiskFull(PathBuf),
    /// The body is longer than the quota allows one body to be, or than any body may be.
    #[error("the body is longer than the {limit} bytes that fit")]
    TooLong {
        /// The most that fits.
        limit: u64,
    },
    /// Bodies under way already fill the quota.
    #[error("bodies under way fill the quota of {quota} bytes")]
    Busy {
        /// The quota.
        quota: u64,
    },
    /// What is pinned already fills the room for it.
    #[error("what is pinned fills the {quota} bytes for it; unpin something, or raise the quota")]
    PinsFull {
        /// The most bytes that may be pinned.
        quota: u64,
    },
    /// A slice is not of the body that it was put into.
    #[error("the slice is not of this body: {0}")]
    Mismatch(selvedge_edge_core_verify::Error),
    /// The bytes on disk are no longer those that were stored. They were dropped, with the records
    /// that name them.
    #[error("stored bytes have decayed: {0}")]
    Decayed(selvedge_edge_core_verify::Error),
    /// A range does not lie inside the body.
    #[error(transparent)]
    Range(selvedge_edge_core_verify::Error),
    /// A record does not name the body it was put with, or a root is known with another length.
    #[error("the record or root names another body than the one that is here")]
    OtherBody,
    /// A record names a body that is not stored.
    #[error("the body that the record names is not stored")]
    NoBody(Hash),
    /// The system refused something.
    #[error("cannot {what} {}: {source}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn io(what: &'static str, path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::DiskFull(path.to_owned())
            }
            _ => Self::Io {
                what,
                path: path.to_owned(),
                source,
            },
        }
    }
}
