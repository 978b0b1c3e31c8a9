//! Keeps records and verified bytes: on disk for a cache, in memory for a gateway.
//!
//! It decides nothing about HTTP and trusts nobody about bytes: whatever it gives out was checked
//! against the root that a record or caller names. It does not check a record's signature; who puts
//! one in has done so. Calls block: an asynchronous caller makes them in `spawn_blocking`. It reads
//! no clock: what is older was put earlier.
//!
//! Folder of a [`Store`]:
//!
//! ```text
//! format                   "selvedge-store 2\n"
//! lock                     locked while a process has the folder open
//! segments/<8 hex>.seg     entries, one after the other (`segment.rs`, `entry.rs`), never changed
//! segments/<8 hex>.dead    which of them count no more (`marks.rs`)
//! ```
//!
//! - A *record* entry holds a signed record and names its body.
//! - A *body* entry ends a body: the values of its hash tree, where its bytes lie, and the last of
//!   them. *Piece* entries hold those before, as they came in.
//! - *Slice* entries hold slices of a body that is not whole, each with its proof ([`Assembly`]).
//! - A *hold* keeps a body without a record ([`Store::keep`]) or pins it ([`Store::pin`]).
//!
//! Crash story: an entry counts once its payload is written; a body before the record that names it.
//! A start reads the list at the end of each segment, and those few that were open entry by entry,
//! so after `kill -9` all that was acknowledged is there, within seconds. A power cut may also leave
//! holes, unless [`Config::sync`] is set; checksums and hash trees find them, and what they hit is
//! dropped. So is what a disk that decays has changed: a record and a hold have a checksum, and bytes
//! are verified with their tree whenever they are read. A cache can fetch again what it lost, so the
//! default is not to wait for the disk.
//!
//! Invariants
//! 1. Bytes on disk, with garbage and all that is under way, stay within the quota. Only segments
//!    that are still read from after they were cleaned, and marks of 16 bytes, are beyond it.
//! 2. A body stays as long as a record or hold names it, and no longer than it takes to clean its
//!    segment.
//! 3. No byte is given out that does not match the root it was asked for by.
//! 4. What is pinned is never evicted, and has its room before it comes.

#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

mod assembly;
mod body;
mod clean;
mod content;
mod entry;
mod error;
mod fifo;
mod files;
mod index;
mod limits;
mod log;
mod marks;
pub mod memory;
mod migrate;
mod name;
mod recover;
mod room;
mod segment;
mod shelf;
mod store;
mod writer;

pub use assembly::Assembly;
pub use body::{BodyReader, FileExtent};
pub use clean::Cleaned;
pub use content::Holding;
pub use error::Error;
pub use fifo::Fifo;
pub use memory::{Memory, Weigh, ENTRY_OVERHEAD};
pub use name::{Blob, BodyName, Space};
pub use recover::Recovery;
pub use room::room;
pub use shelf::{Shelf, ShelfError, ShelfReader, ShelfUsage, MAX_RUNS};
pub use store::{Config, Store, Usage};
pub use writer::{BodyWriter, FinishedBody, PartialBody};
