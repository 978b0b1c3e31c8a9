//! Everything below a root.

use std::collections::btree_map::{BTreeMap, Entry as Place};
use std::collections::{BTreeSet, VecDeque};

use selvedge_primitives_types::{ContentKind, ContentRef, Hash};

use crate::directory::Directory;
use crate::walk::MAX_DEPTH;

/// The most distinct blobs below one root: about 100 MiB of memory for a sweep.
pub const MAX_BLOBS: usize = 1 << 20;

/// Why a tree is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SweepError {
    /// One root with two lengths: one of them is a lie, and only the blob says which.
    #[error("a root stands for {0} bytes in one place and for {1} in another")]
    TwoLengths(u64, u64),
    /// More bytes than were asked for.
    #[error("the tree has more than {0} bytes")]
    TooLong(u64),
    /// More blobs than [`MAX_BLOBS`].
    #[error("the tree has more than {MAX_BLOBS} blobs")]
    TooMany,
    /// More than [`MAX_DEPTH`] directories above a blob.
    #[error("the tree is more than {MAX_DEPTH} directories deep")]
    TooDeep,
}

/// Goes once through every distinct blob of a tree: [`Sweep::wanted`] says which directory to get, and
/// [`Sweep::enter`] takes it. The nearest come first, in the order of their names, so that everybody who stops
/// at the same bound has seen the same.
///
/// However often a directory is named, it is entered once: a tree of 64 directories that each name the next one twice
/// is 64 steps and not 2^64.
#[derive(Clone, Debug)]
pub struct Sweep {
    lengths: BTreeMap<Hash, u64>,
    entered: BTreeSet<Hash>,
    waiting: VecDeque<(ContentRef, usize)>,
    bytes: u64,
    most: u64,
}

impl Sweep {
    /// Starts at a root, for at most so many bytes.
    ///
    /// Errors: [`SweepError::TooLong`].
    pub fn new(root: ContentRef, most: u64) -> Result<Self, SweepError> {
        let mut sweep = Self {
            lengths: BTreeMap::new(),
            entered: BTreeSet::new(),
            waiting: VecDeque::new(),
            bytes: 0,
            most,
        };
        sweep.meet(root, 1)?;
        Ok(sweep)
    }

    /// The directory to enter next; none at the end.
    pub fn wanted(&self) -> Option<ContentRef> {
        self.waiting.front().map(|(content, _)| *content)
    }

    /// Takes the directory that was wanted, and returns the blobs that nothing before it named.
    ///
    /// Errors: any of [`SweepError`]; what was found before stays counted.
    pub fn enter(&mut self, directory: &Directory) -> Result<Vec<ContentRef>, SweepError> {
        let Some((_, depth)) = self.waiting.pop_front() else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        for (_, entry) in directory {
            if self.meet(entry.content(), depth + 1)? {
                found.push(entry.content());
            }
        }
        Ok(found)
    }

    /// Bytes of the distinct blobs so far, the root included.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Distinct blobs so far, the root included.
    pub fn blobs(&self) -> u64 {
        self.lengths.len() as u64
    }

    /// Whether the blob is new.
    fn meet(&mut self, content: ContentRef, depth: usize) -> Result<bool, SweepError> {
        let ContentRef { root, length, kind } = content;
        let count = self.lengths.len();
        let is_new = match self.lengths.entry(root) {
            Place::Occupied(known) if *known.get() != length => {
                return Err(SweepError::TwoLengths(*known.get(), length));
            }
            Place::Occupied(_) => false,
            Place::Vacant(_) if count == MAX_BLOBS => return Err(SweepError::TooMany),
            Place::Vacant(place) => {
                let bytes = self.bytes.saturating_add(length);
                if bytes > self.most {
                    return Err(SweepError::TooLong(self.most));
                }
                self.bytes = bytes;
                place.insert(length);
                true
            }
        };
        // Bytes may be named as a file first: as a directory they are still to be entered.
        if kind == ContentKind::Directory && self.entered.insert(root) {
            if depth > MAX_DEPTH {
                return Err(SweepError::TooDeep);
            }
            self.waiting.push_back((content, depth));
        }
        Ok(is_new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{content_of, Entry, MediaType, Name};

    fn name(name: &str) -> Name {
        Name::new(name).unwrap()
    }

    fn file(text: &str) -> Entry {
        let content = content_of(text.as_bytes(), ContentKind::File);
        Entry::File(content, MediaType::new("text/plain").unwrap())
    }

    type Blobs = BTreeMap<ContentRef, Directory>;

    /// Puts a directory with these entries among the others.
    fn put(blobs: &mut Blobs, entries: &[(&str, Entry)]) -> Entry {
        let mut directory = Directory::new();
        for (at, entry) in entries {
            directory.insert(name(at), entry.clone());
        }
        let (content, _) = directory.to_blob().unwrap();
        blobs.insert(content, directory);
        Entry::Directory(content)
    }

    fn all(blobs: &Blobs, root: ContentRef, most: u64) -> Result<(Sweep, usize), SweepError> {
        let mut sweep = Sweep::new(root, most)?;
        let mut steps = 0;
        while let Some(wanted) = sweep.wanted() {
            sweep.enter(&blobs[&wanted])?;
            steps += 1;
        }
        Ok((sweep, steps))
    }

    #[test]
    fn distinct_blobs_count_once() {
        let mut blobs = Blobs::new();
        let below = put(&mut blobs, &[("x", file("one"))]);
        let entries = [
            ("a", below.clone()),
            ("b", below.clone()),
            ("c", file("one")),
            ("d", file("four")),
        ];
        let root = put(&mut blobs, &entries).content();
        let (sweep, steps) = all(&blobs, root, u64::MAX).unwrap();
        let bytes = root.length + below.content().length + 3 + 4;
        assert_eq!((sweep.bytes(), sweep.blobs(), steps), (bytes, 4, 2));
        assert!(all(&blobs, root, bytes).is_ok());
        let short = all(&blobs, root, bytes - 1).map(drop);
        assert_eq!(short, Err(SweepError::TooLong(bytes - 1)));
    }

    #[test]
    fn a_tree_that_names_itself_twice_at_each_level_is_one_way() {
        let mut blobs = Blobs::new();
        let mut entry = put(&mut blobs, &[]);
        for _ in 1..MAX_DEPTH {
            entry = put(&mut blobs, &[("a", entry.clone()), ("b", entry)]);
        }
        let (_, steps) = all(&blobs, entry.content(), u64::MAX).unwrap();
        assert_eq!(steps, MAX_DEPTH);
        let deeper = put(&mut blobs, &[("a", entry)]);
        let end = all(&blobs, deeper.content(), u64::MAX).map(drop);
        assert_eq!(end, Err(SweepError::TooDeep));
    }

    #[test]
    fn lies_about_lengths_are_found() {
        let mut blobs = Blobs::new();
        let Entry::File(mut content, media_type) = file("one") else {
            unreachable!()
        };
        content.length = 4;
        let lie = Entry::File(content, media_type);
        let root = put(&mut blobs, &[("a", file("one")), ("b", lie)]).content();
        let end = all(&blobs, root, u64::MAX).map(drop);
        assert_eq!(end, Err(SweepError::TwoLengths(3, 4)));
    }

    #[test]
    fn bytes_that_are_both_file_and_directory_are_entered() {
        let mut blobs = Blobs::new();
        let below = put(&mut blobs, &[("x", file("one"))]);
        let as_file = ContentRef {
            kind: ContentKind::File,
            ..below.content()
        };
        let as_file = Entry::File(as_file, MediaType::new("text/plain").unwrap());
        let root = put(&mut blobs, &[("a", as_file), ("b", below)]).content();
        let (sweep, steps) = all(&blobs, root, u64::MAX).unwrap();
        assert_eq!((sweep.blobs(), steps), (3, 2));
    }
}
