//! A directory as a blob.

use std::collections::btree_map::{self, BTreeMap};

use codec::{Compact, Decode, Encode};
use selvedge_edge_core_verify::shape::MAX_BODY;
use selvedge_primitives_types::{ContentKind, ContentRef};

use crate::content_of;
use crate::media::{MediaError, MediaType};
use crate::name::{Name, NameError};

/// The most bytes of an encoded directory: 16 MiB.
pub const MAX_DIRECTORY: usize = 16 * 1024 * 1024;
/// The most entries of a directory.
pub const MAX_ENTRIES: usize = 65_536;

/// Why bytes are no directory, or entries make none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// More bytes than [`MAX_DIRECTORY`].
    #[error("a directory takes {0} bytes, and at most {MAX_DIRECTORY} are allowed")]
    TooLong(usize),
    /// More entries than [`MAX_ENTRIES`].
    #[error("a directory has {0} entries, and at most {MAX_ENTRIES} are allowed")]
    TooMany(usize),
    /// The bytes end within an entry, or are none of this format.
    #[error("the bytes of entry {0} are not in the format of a directory")]
    Malformed(usize),
    /// Bytes after the last entry.
    #[error("{0} bytes follow the last entry of a directory")]
    TrailingBytes(usize),
    /// A name that is none.
    #[error("entry {index}: {error}")]
    Name {
        /// Which entry, from 0.
        index: usize,
        /// What is wrong with it.
        error: NameError,
    },
    /// A name that does not come after the one before it.
    #[error("entry {0} is not in order, or has the name of another")]
    Order(usize),
    /// A file without a media type, or a directory with one.
    #[error("entry {index}: {error}")]
    MediaType {
        /// Which entry, from 0.
        index: usize,
        /// What is wrong with it.
        error: MediaError,
    },
    /// An entry that is longer than any blob, or a directory longer than any directory.
    #[error("entry {index} has {length} bytes, which nothing of its kind has")]
    Length {
        /// Which entry, from 0.
        index: usize,
        /// The length it states.
        length: u64,
    },
}

/// What a name in a directory stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A file, and what its bytes are.
    File(ContentRef, MediaType),
    /// Another directory.
    Directory(ContentRef),
}

impl Entry {
    /// The blob behind it.
    pub fn content(&self) -> ContentRef {
        match self {
            Self::File(content, _) | Self::Directory(content) => *content,
        }
    }

    /// The media type of a file.
    pub fn media_type(&self) -> Option<&MediaType> {
        match self {
            Self::File(_, media_type) => Some(media_type),
            Self::Directory(_) => None,
        }
    }

    fn write(&self, name: &Name, out: &mut Vec<u8>) {
        name.as_str().encode_to(out);
        self.content().encode_to(out);
        self.media_type()
            .map_or("", MediaType::as_str)
            .encode_to(out);
    }

    fn new(content: ContentRef, media_type: &str, index: usize) -> Result<Self, DirectoryError> {
        let most = match content.kind {
            ContentKind::File => MAX_BODY,
            ContentKind::Directory => MAX_DIRECTORY as u64,
        };
        if content.length > most {
            let length = content.length;
            return Err(DirectoryError::Length { index, length });
        }
        let media_error = |error| DirectoryError::MediaType { index, error };
        match content.kind {
            ContentKind::File => MediaType::new(media_type)
                .map(|media_type| Self::File(content, media_type))
                .map_err(media_error),
            ContentKind::Directory if media_type.is_empty() => Ok(Self::Directory(content)),
            ContentKind::Directory => Err(media_error(MediaError)),
        }
    }
}

/// Names with what they stand for, sorted by the names' octets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directory {
    entries: BTreeMap<Name, Entry>,
}

impl Directory {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an entry, and returns the one that had the name.
    pub fn insert(&mut self, name: Name, entry: Entry) -> Option<Entry> {
        self.entries.insert(name, entry)
    }

    /// What a name stands for.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name)
    }

    /// The entries, sorted.
    pub fn iter(&self) -> btree_map::Iter<'_, Name, Entry> {
        self.entries.iter()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The blob, and the name that it has.
    ///
    /// Errors: [`DirectoryError::TooMany`] and [`DirectoryError::TooLong`], and [`DirectoryError::Length`] for an
    /// entry that no reader would accept.
    pub fn to_blob(&self) -> Result<(ContentRef, Vec<u8>), DirectoryError> {
        if self.len() > MAX_ENTRIES {
            return Err(DirectoryError::TooMany(self.len()));
        }
        let mut bytes = Compact(self.len() as u32).encode();
        for (index, (name, entry)) in self.iter().enumerate() {
            let media_type = entry.media_type().map_or("", MediaType::as_str);
            Entry::new(entry.content(), media_type, index)?;
            entry.write(name, &mut bytes);
        }
        if bytes.len() > MAX_DIRECTORY {
            return Err(DirectoryError::TooLong(bytes.len()));
        }
        Ok((content_of(&bytes, ContentKind::Directory), bytes))
    }

    /// Reads the bytes of a blob. Takes memory of a few times their length, and no more than [`MAX_DIRECTORY`] of
    /// them are looked at.
    ///
    /// Errors: whatever [`Directory::to_blob`] would have written in another way.
    pub fn from_blob(bytes: &[u8]) -> Result<Self, DirectoryError> {
        if bytes.len() > MAX_DIRECTORY {
            return Err(DirectoryError::TooLong(bytes.len()));
        }
        let rest = &mut &bytes[..];
        let Compact(count) =
            Compact::<u32>::decode(rest).map_err(|_| DirectoryError::Malformed(0))?;
        let count = count as usize;
        if count > MAX_ENTRIES {
            return Err(DirectoryError::TooMany(count));
        }
        let mut entries = BTreeMap::new();
        for index in 0..count {
            let name = Name::from_octets(octets(rest, index)?)
                .map_err(|error| DirectoryError::Name { index, error })?;
            if entries
                .last_key_value()
                .is_some_and(|(last, _)| *last >= name)
            {
                return Err(DirectoryError::Order(index));
            }
            let content = ContentRef::decode(rest).map_err(|_| DirectoryError::Malformed(index))?;
            let media_type = std::str::from_utf8(octets(rest, index)?).map_err(|_| {
                DirectoryError::MediaType {
                    index,
                    error: MediaError,
                }
            })?;
            let entry = Entry::new(content, media_type, index)?;
            entries.insert(name, entry);
        }
        if !rest.is_empty() {
            return Err(DirectoryError::TrailingBytes(rest.len()));
        }
        Ok(Self { entries })
    }
}

/// A string whose length stands before it, where it lies.
fn octets<'a>(rest: &mut &'a [u8], index: usize) -> Result<&'a [u8], DirectoryError> {
    let malformed = DirectoryError::Malformed(index);
    let Ok(Compact(length)) = Compact::<u32>::decode(rest) else {
        return Err(malformed);
    };
    let (octets, later) = rest.split_at_checked(length as usize).ok_or(malformed)?;
    *rest = later;
    Ok(octets)
}

impl<'a> IntoIterator for &'a Directory {
    type Item = (&'a Name, &'a Entry);
    type IntoIter = btree_map::Iter<'a, Name, Entry>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> Name {
        Name::new(name).unwrap()
    }

    fn file(length: u64) -> Entry {
        let content = ContentRef {
            root: [7; 32],
            length,
            kind: ContentKind::File,
        };
        Entry::File(content, MediaType::new("text/plain").unwrap())
    }

    fn folder(length: u64) -> Entry {
        Entry::Directory(ContentRef {
            root: [8; 32],
            length,
            kind: ContentKind::Directory,
        })
    }

    fn of(entries: &[(&str, Entry)]) -> Directory {
        let mut directory = Directory::new();
        for (at, entry) in entries {
            directory.insert(name(at), entry.clone());
        }
        directory
    }

    fn written(entries: &[(&str, Entry)], count: u32) -> Vec<u8> {
        let mut bytes = Compact(count).encode();
        for (at, entry) in entries {
            at.encode_to(&mut bytes);
            entry.content().encode_to(&mut bytes);
            let media_type = entry.media_type().map_or("", MediaType::as_str);
            media_type.encode_to(&mut bytes);
        }
        bytes
    }

    #[test]
    fn what_was_written_is_read() {
        for directory in [
            of(&[]),
            of(&[("b", file(1)), ("a", folder(1)), ("a.", file(0))]),
        ] {
            let (content, bytes) = directory.to_blob().unwrap();
            assert_eq!(content.length, bytes.len() as u64);
            assert_eq!(content.root, *blake3::hash(&bytes).as_bytes());
            assert_eq!(Directory::from_blob(&bytes), Ok(directory));
        }
    }

    #[test]
    fn the_bytes_are_fixed_for_good() {
        let (_, bytes) = of(&[("b", file(258))]).to_blob().unwrap();
        let mut expected = vec![4, 4, b'b'];
        expected.extend([7; 32]);
        expected.extend([2, 1, 0, 0, 0, 0, 0, 0, 0, 40]);
        expected.extend(b"text/plain");
        assert_eq!(bytes, expected);
    }

    #[test]
    fn names_have_one_order_and_no_doubles() {
        let entries = [("b", file(1)), ("a", file(1))];
        let read = Directory::from_blob(&written(&entries, 2));
        assert_eq!(read, Err(DirectoryError::Order(1)));
        let entries = [("a", file(1)), ("a", folder(1))];
        let read = Directory::from_blob(&written(&entries, 2));
        assert_eq!(read, Err(DirectoryError::Order(1)));
    }

    #[test]
    fn names_that_leave_the_folder_are_refused() {
        for (at, error) in [
            ("..", NameError::Dots),
            ("../../etc/passwd", NameError::Character('/')),
            ("a\0b", NameError::Character('\0')),
            ("", NameError::Empty),
        ] {
            let read = Directory::from_blob(&written(&[(at, file(1))], 1));
            assert_eq!(read, Err(DirectoryError::Name { index: 0, error }));
        }
        let long = "a".repeat(1 << 20);
        let read = Directory::from_blob(&written(&[(&long, file(1))], 1));
        let error = NameError::TooLong(1 << 20);
        assert_eq!(read, Err(DirectoryError::Name { index: 0, error }));
    }

    #[test]
    fn counts_and_lengths_that_lie_are_refused() {
        let bytes = written(&[("a", file(1))], 2);
        assert_eq!(
            Directory::from_blob(&bytes),
            Err(DirectoryError::Malformed(1))
        );
        let bytes = written(&[("a", file(1)), ("b", file(1))], 1);
        let trailing = bytes.len() - written(&[("a", file(1))], 1).len();
        assert_eq!(
            Directory::from_blob(&bytes),
            Err(DirectoryError::TrailingBytes(trailing))
        );
        let huge = Compact(u32::MAX).encode();
        assert_eq!(
            Directory::from_blob(&huge),
            Err(DirectoryError::TooMany(u32::MAX as usize))
        );
        assert_eq!(
            Directory::from_blob(&vec![0; MAX_DIRECTORY + 1]),
            Err(DirectoryError::TooLong(MAX_DIRECTORY + 1))
        );
        for (entry, length) in [
            (file(MAX_BODY + 1), MAX_BODY + 1),
            (folder(MAX_DIRECTORY as u64 + 1), MAX_DIRECTORY as u64 + 1),
        ] {
            let error = DirectoryError::Length { index: 0, length };
            let read = Directory::from_blob(&written(&[("a", entry.clone())], 1));
            assert_eq!(read, Err(error.clone()));
            assert_eq!(of(&[("a", entry)]).to_blob(), Err(error));
        }
    }

    #[test]
    fn media_types_are_for_files_alone() {
        let error = MediaError;
        let mut bytes = written(&[("a", folder(1))], 1);
        *bytes.last_mut().unwrap() = 12;
        bytes.extend(b"a/b");
        let expected = Err(DirectoryError::MediaType { index: 0, error });
        assert_eq!(Directory::from_blob(&bytes), expected);
        let mut bytes = written(&[("a", file(1))], 1);
        bytes.truncate(bytes.len() - "text/plain".len());
        *bytes.last_mut().unwrap() = 0;
        assert_eq!(Directory::from_blob(&bytes), expected);
    }

    #[test]
    fn a_directory_is_bounded_when_it_is_written() {
        let mut directory = Directory::new();
        for number in 0..MAX_ENTRIES {
            directory.insert(name(&number.to_string()), file(1));
        }
        assert!(directory.to_blob().is_ok());
        directory.insert(name("one more"), file(1));
        assert_eq!(
            directory.to_blob(),
            Err(DirectoryError::TooMany(MAX_ENTRIES + 1))
        );
        let mut directory = Directory::new();
        for number in 0..60_000 {
            directory.insert(name(&format!("{number:0>255}")), file(1));
        }
        assert!(matches!(
            directory.to_blob(),
            Err(DirectoryError::TooLong(_))
        ));
    }
}
