//! Which entries of a segment count no more.
//!
//! ```text
//! segments/<8 hex>.dead    place of an entry, u32 LE ‖ 4 zeros ‖ 8 bytes of BLAKE3 of (segment, place); again
//! ```
//!
//! Only what would come back at the next start is marked: records, holds, and what has decayed. A
//! body or piece that nothing names is garbage without a mark.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use parking_lot::Mutex;

use crate::entry::Place;
use crate::files;

const MARK: usize = 16;

/// The marks of every segment.
#[derive(Debug)]
pub(crate) struct Marks {
    folder: PathBuf,
    /// Those that the disk did not take; they are tried again with the next ones.
    unwritten: Mutex<HashMap<u32, Vec<u32>>>,
}

/// The marks of one segment.
#[derive(Debug, Default)]
pub(crate) struct Marked {
    pub(crate) offsets: HashSet<u32>,
    /// Whether one of them cannot be read, so that any entry may be meant.
    pub(crate) is_damaged: bool,
}

impl Marks {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            unwritten: Mutex::default(),
        }
    }

    /// Marks entries.
    pub(crate) fn add(&self, places: &[Place]) {
        if places.is_empty() {
            return;
        }
        let mut unwritten = self.unwritten.lock();
        for place in places {
            let offsets = unwritten.entry(place.segment).or_default();
            offsets.push(place.offset);
        }
        unwritten.retain(|segment, offsets| {
            let path = path(&self.folder, *segment);
            match append(&path, *segment, offsets) {
                Ok(()) => false,
                Err(error) => {
                    tracing::warn!(path = %path.display(), %error, "cannot mark what has left");
                    true
                }
            }
        });
    }

    /// The segment is gone.
    pub(crate) fn forget(&self, segment: u32) {
        self.unwritten.lock().remove(&segment);
        files::remove(&path(&self.folder, segment));
    }

    /// What is marked in a segment.
    pub(crate) fn read(&self, segment: u32) -> io::Result<Marked> {
        let bytes = match fs::read(path(&self.folder, segment)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Marked::default()),
            Err(error) => return Err(error),
        };
        let mut marked = Marked::default();
        // A mark that was cut off was not acknowledged.
        let (marks, _) = bytes.as_chunks::<MARK>();
        for bytes in marks {
            let offset = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            if *bytes == mark(segment, offset) {
                marked.offsets.insert(offset);
            } else {
                marked.is_damaged = true;
            }
        }
        Ok(marked)
    }
}

/// Where the marks of a segment are.
pub(crate) fn path(folder: &Path, segment: u32) -> PathBuf {
    folder.join(format!("{segment:08x}.dead"))
}

fn append(path: &Path, segment: u32, offsets: &[u32]) -> io::Result<()> {
    let mut file = File::options().append(true).create(true).open(path)?;
    let before = file.metadata()?.len();
    let bytes: Vec<u8> = offsets
        .iter()
        .flat_map(|offset| mark(segment, *offset))
        .collect();
    // What a kill cut off is covered, so that the marks behind it stand where they are looked for.
    let whole = before - before % MARK as u64;
    if whole != before {
        file.set_len(whole)?;
    }
    file.write_all(&bytes)
        .inspect_err(|_| drop(file.set_len(whole)))
}

fn mark(segment: u32, offset: u32) -> [u8; MARK] {
    let mut mark = [0; MARK];
    mark[..4].copy_from_slice(&offset.to_le_bytes());
    let said = [segment.to_le_bytes(), offset.to_le_bytes()].concat();
    mark[8..].copy_from_slice(&blake3::hash(&said).as_bytes()[..8]);
    mark
}
