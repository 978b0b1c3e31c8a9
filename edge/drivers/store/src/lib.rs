//! Keeps records and verified bytes: on disk for a cache, in memory for a gateway.
//!
//! It decides nothing about HTTP and trusts nobody about bytes: whatever it gives out was checked
//! against the root that a record names. It does not check a record's signature; who puts one in
//! has done so. Calls block: an asynchronous caller makes them in `spawn_blocking`.
//!
//! Folder of a [`Store`]:
//!
//! ```text
//! format                    "selvedge-store 1\n"
//! lock                      locked while a process has the folder open
//! tmp/<number>              files under way; emptied at start
//! bodies/<2 hex>/<62 hex>   named by root:  body ‖ outboard in SCALE ‖ length of the outboard, u64 LE ‖ "SLVGBODY"
//! records/<2 hex>/<62 hex>  named by BLAKE3 of (service, key, variant) in SCALE:
//!                           "SLVGRECD" ‖ BLAKE3 of the rest ‖ signed record in SCALE
//! ```
//!
//! Crash story: a file gets its name only when it is complete, the body before its record. So after
//! `kill -9` there may be files in `tmp` and bodies without a record, and both are taken away at
//! the next start. A power cut may also leave named files with holes, unless [`Config::sync`] is
//! set; checksums and outboards find them, and they are dropped as well. A cache can fetch again
//! what it lost, so the default is not to wait for the disk.
//!
//! Invariants
//! 1. Bytes on disk, with records, outboards and files under way, stay within the quota.
//! 2. A body stays as long as a record names it, and no longer.
//! 3. No byte is given out that does not match the root it was asked for by.

#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

mod body;
mod error;
mod fifo;
mod files;
mod index;
pub mod memory;
mod recover;
mod room;
mod shelf;
mod store;
mod writer;

pub use body::BodyReader;
pub use error::Error;
pub use fifo::Fifo;
pub use memory::{Memory, Weigh, ENTRY_OVERHEAD};
pub use recover::Recovery;
pub use room::room;
pub use shelf::{Kept, Shelf, ShelfError, ShelfReader, ShelfUsage, MAX_RUNS};
pub use store::{Config, Store, Usage};
pub use writer::{BodyWriter, FinishedBody, PartialBody};
