//! Decision: reads and writes directories of content, and finds paths in them.
//!
//! Reads no file and opens no socket: blobs come from the caller, who has checked them against their
//! root.
//!
//! ```text
//! directory = compact(count) entry*                      its BLAKE3 root is its name
//! entry     = compact(octets) name · root 32 · length u64 · kind u8 · compact(octets) media type
//! ```
//!
//! - [`Directory`]: names with what they stand for, in one encoding.
//! - [`Tree`]: the directories above many files, built from their paths.
//! - [`Walk`]: which blobs to get to resolve a path, and what stands at its end.
//! - [`Sweep`]: every distinct blob below a root, once, and what they take together.
//!
//! Invariants
//! 1. Equal directories have equal bytes: what decodes encodes to the bytes it came from.
//! 2. A [`Name`] is one component of a path: it never leaves the folder it is written into.
//! 3. Whatever strangers send is refused within [`MAX_DIRECTORY`] bytes, [`MAX_ENTRIES`] entries and
//!    [`MAX_DEPTH`] directories.

#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

mod directory;
mod media;
mod name;
mod sweep;
mod tree;
mod walk;

pub use directory::{Directory, DirectoryError, Entry, MAX_DIRECTORY, MAX_ENTRIES};
pub use media::{MediaError, MediaType};
pub use name::{Name, NameError, MAX_NAME};
pub use sweep::{Sweep, SweepError, MAX_BLOBS};
pub use tree::{Tree, TreeBuilder, TreeError};
pub use walk::{PathError, Step, Walk, INDEX, MAX_DEPTH, MAX_PATH};

use selvedge_primitives_types::{ContentKind, ContentRef};

/// The name of bytes that are at hand.
pub fn content_of(bytes: &[u8], kind: ContentKind) -> ContentRef {
    ContentRef {
        root: *blake3::hash(bytes).as_bytes(),
        length: bytes.len() as u64,
        kind,
    }
}
