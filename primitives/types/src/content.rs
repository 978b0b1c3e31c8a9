//! Content that the network keeps under its own name, and what a service has pinned of it.
//!
//! ```text
//! service ── site ──> directory blob ──> directory blobs ──> file blobs     each named by its root
//!         ── rules ─> file blob
//!         ── pins ──> what of it is kept, in how many places, until it is unpinned
//! ```

use alloc::vec::Vec;
use core::fmt;

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::Hash;

/// The most places a pin may ask for.
pub const MAX_FACTOR: u8 = 16;
/// The longest blob that may be pinned, in bytes: 64 GiB.
pub const MAX_CONTENT: u64 = 64 << 30;
/// The longest encoded directory in bytes: 16 MiB.
pub const MAX_DIRECTORY: u64 = 16 << 20;
/// The longest rules of a service in bytes: 64 KiB.
pub const MAX_RULES: u64 = 64 << 10;
/// The most that one pin may keep in one place, in bytes: 16 TiB.
pub const MAX_PINNED: u64 = 16 << 40;

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

impl ContentRef {
    /// Whether a service may be served from it.
    pub fn is_site(&self) -> bool {
        self.kind == ContentKind::Directory
    }

    /// Whether it may be the rules of a service.
    pub fn is_rules(&self) -> bool {
        self.kind == ContentKind::File && self.length <= MAX_RULES
    }
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

/// Why a pin is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinInvalid {
    /// It asks for no place, or for more than [`MAX_FACTOR`].
    Factor,
    /// Its blob is longer than [`MAX_CONTENT`], or than [`MAX_DIRECTORY`] if it is a directory.
    Length,
    /// It keeps fewer bytes than its blob has, or more than [`MAX_PINNED`].
    Bytes,
}

impl fmt::Display for PinInvalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Factor => write!(f, "content is kept in 1 to {MAX_FACTOR} places"),
            Self::Length => write!(
                f,
                "a file has at most {MAX_CONTENT} bytes, and a directory {MAX_DIRECTORY}"
            ),
            Self::Bytes => write!(
                f,
                "what is kept has at least the bytes of the blob itself, and at most {MAX_PINNED}"
            ),
        }
    }
}

impl core::error::Error for PinInvalid {}

impl Pin {
    /// Refuses a pin that nobody could keep.
    ///
    /// Errors: [`PinInvalid`].
    pub fn check(&self) -> Result<(), PinInvalid> {
        let longest = match self.content.kind {
            ContentKind::File => MAX_CONTENT,
            ContentKind::Directory => MAX_DIRECTORY,
        };
        if !(1..=MAX_FACTOR).contains(&self.factor) {
            return Err(PinInvalid::Factor);
        }
        if self.content.length > longest {
            return Err(PinInvalid::Length);
        }
        if !(self.content.length..=MAX_PINNED).contains(&self.bytes) {
            return Err(PinInvalid::Bytes);
        }
        Ok(())
    }

    /// Bytes that all its places together keep.
    pub fn kept(&self) -> u64 {
        self.bytes.saturating_mul(self.factor.into())
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(kind: ContentKind, length: u64, bytes: u64, factor: u8) -> Pin {
        let root = [7; 32];
        Pin {
            content: ContentRef { root, length, kind },
            bytes,
            factor,
        }
    }

    #[test]
    fn a_pin_is_of_what_can_be_kept() {
        use ContentKind::{Directory, File};
        let check = |kind, length, bytes, factor| pin(kind, length, bytes, factor).check();
        assert_eq!(check(File, 0, 0, 1), Ok(()), "an empty file");
        assert_eq!(check(File, MAX_CONTENT, MAX_PINNED, MAX_FACTOR), Ok(()));
        assert_eq!(check(Directory, MAX_DIRECTORY, MAX_PINNED, 3), Ok(()));
        for factor in [0, MAX_FACTOR + 1, u8::MAX] {
            assert_eq!(check(File, 1, 1, factor), Err(PinInvalid::Factor));
        }
        for (kind, length) in [(File, MAX_CONTENT + 1), (Directory, MAX_DIRECTORY + 1)] {
            assert_eq!(check(kind, length, length, 1), Err(PinInvalid::Length));
        }
        for bytes in [9, MAX_PINNED + 1] {
            assert_eq!(check(File, 10, bytes, 1), Err(PinInvalid::Bytes));
        }
    }

    #[test]
    fn rules_are_short_files_and_sites_directories() {
        let of = |kind, length| pin(kind, length, length, 1).content;
        assert!(of(ContentKind::File, MAX_RULES).is_rules());
        assert!(!of(ContentKind::File, MAX_RULES + 1).is_rules());
        assert!(!of(ContentKind::Directory, 1).is_rules());
        assert!(of(ContentKind::Directory, 1).is_site());
        assert!(!of(ContentKind::File, 1).is_site());
    }
}
