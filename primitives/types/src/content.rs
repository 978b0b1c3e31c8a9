//! Content that the network keeps under its own name, and what a service has pinned of it.
//!
//! ```text
//! service ── site ──> directory blob ──> directory blobs ──> file blobs     each named by its root
//!         ── rules ─> file blob
//!         ── pins ──> what of it is kept, in how many places, until it is unpinned
//! ```

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::Hash;

/// The most places a pin may ask for.
pub const MAX_FACTOR: u8 = 16;

/// What the bytes behind a name are.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum ContentKind {
    /// Bytes that name nothing else.
    #[codec(index = 0)]
    File,
    /// An encoded directory: names with what they stand for.
    #[codec(index = 1)]
    Directory,
}

/// The name of a blob, with everything that is needed to verify a range of it.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct ContentRef {
    /// BLAKE3 root of the blob's bytes.
    pub root: Hash,
    /// Its length in bytes. A root means nothing without it.
    pub length: u64,
    /// What the bytes are.
    pub kind: ContentKind,
}

/// A promise to keep content: the blob, and everything below it when it is a directory.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Pin {
    /// What is kept.
    pub content: ContentRef,
    /// Bytes of all distinct blobs below it, itself included. What goes beyond is not kept.
    pub bytes: u64,
    /// Caches that each keep all of it, 1 to [`MAX_FACTOR`].
    pub factor: u8,
}

/// What a service keeps in the network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct ContentConfig {
    /// The directory that is served in place of an origin, if any; one of the pins.
    pub site: Option<ContentRef>,
    /// The rules that requests follow, if any; one of the pins.
    pub rules: Option<ContentRef>,
    /// What is pinned, sorted.
    pub pins: Vec<Pin>,
}
