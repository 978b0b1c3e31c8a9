//! Purges on disk: one file that only grows until it is written anew.
//!
//! ```text
//! length u32 LE | first 8 bytes of BLAKE3(content) | content: SCALE of an Entry
//! ```
//!
//! A crash leaves a broken entry at the end at most; nobody has acknowledged that one. It is cut off
//! when the file is opened. The file is written anew, beside the old one and renamed, when more than
//! half of it is of no use any more.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use codec::{Decode, DecodeAll, Encode};
use selvedge_primitives_types::{ServiceId, SignedPurgeOrder};

/// Bytes that a file may have before it is worth writing anew.
const MIN_REWRITE: u64 = 4 * 1024 * 1024;
/// The longest entry.
const MAX_ENTRY: usize = 64 * 1024;

/// What is kept.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) enum Entry {
    /// An order in force.
    #[codec(index = 0)]
    Order(SignedPurgeOrder),
    /// The order up to which everything was dropped.
    #[codec(index = 1)]
    Base(SignedPurgeOrder),
    /// An operator's purge.
    #[codec(index = 2)]
    Here(ServiceId, u64),
}

/// The file.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    bytes: u64,
    live: u64,
}

impl Journal {
    /// Opens or makes the file and gives what it holds.
    pub(crate) fn open(path: &Path) -> io::Result<(Self, Vec<Entry>)> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let (entries, good) = read(&bytes);
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        if good < bytes.len() {
            tracing::warn!(
                path = %path.display(),
                cut = bytes.len() - good,
                "the end of the kept purges is broken and is cut off"
            );
            file.set_len(good as u64)?;
        }
        file.sync_all()?;
        sync_folder(path)?;
        let journal = Self {
            path: path.to_owned(),
            file,
            bytes: good as u64,
            live: good as u64,
        };
        Ok((journal, entries))
    }

    /// Adds entries and waits for the disk.
    pub(crate) fn add(&mut self, entries: &[Entry]) -> io::Result<()> {
        let bytes = write(entries);
        let added = self
            .file
            .write_all(&bytes)
            .and_then(|()| self.file.sync_data());
        match added {
            Ok(()) => {
                self.bytes += bytes.len() as u64;
                Ok(())
            }
            Err(error) => {
                // Half an entry in the middle would hide the ones behind it.
                self.file.set_len(self.bytes)?;
                Err(error)
            }
        }
    }

    /// Whether it holds much that is of no use any more.
    pub(crate) fn is_worth_rewriting(&self) -> bool {
        self.bytes > MIN_REWRITE && self.bytes > 2 * self.live
    }

    /// Replaces what is there.
    pub(crate) fn rewrite(&mut self, entries: &[Entry]) -> io::Result<()> {
        let bytes = write(entries);
        let new = self.path.with_extension("new");
        let mut file = File::create(&new)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        sync_folder(&self.path)?;
        self.file = OpenOptions::new().append(true).open(&self.path)?;
        (self.bytes, self.live) = (bytes.len() as u64, bytes.len() as u64);
        Ok(())
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

fn write(entries: &[Entry]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in entries {
        let content = entry.encode();
        bytes.extend_from_slice(&(content.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&blake3::hash(&content).as_bytes()[..8]);
        bytes.extend_from_slice(&content);
    }
    bytes
}

/// The entries, and how many bytes of them are good.
fn read(bytes: &[u8]) -> (Vec<Entry>, usize) {
    let (mut entries, mut good) = (Vec::new(), 0);
    while let Some((length, rest)) = bytes[good..].split_first_chunk::<4>() {
        let length = u32::from_le_bytes(*length) as usize;
        let Some((sum, rest)) = rest.split_first_chunk::<8>() else {
            break;
        };
        if length > MAX_ENTRY || rest.len() < length {
            break;
        }
        let content = &rest[..length];
        if blake3::hash(content).as_bytes()[..8] != sum[..] {
            break;
        }
        let Ok(entry) = Entry::decode_all(&mut &content[..]) else {
            break;
        };
        entries.push(entry);
        good += 12 + length;
    }
    (entries, good)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here(number: u64) -> Entry {
        Entry::Here(ServiceId(7), number)
    }

    #[test]
    fn what_was_added_is_there_again_and_a_broken_end_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("purges.log");
        let (mut journal, entries) = Journal::open(&path).unwrap();
        assert!(entries.is_empty());
        journal.add(&[here(1), here(2)]).unwrap();
        journal.add(&[here(3)]).unwrap();
        let whole = fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            let (mut journal, entries) = Journal::open(&path).unwrap();
            assert_eq!(
                entries,
                [here(1), here(2), here(3)][..cut / (whole.len() / 3)]
            );
            // What is added behind a cut is found.
            journal.add(&[here(9)]).unwrap();
            assert_eq!(Journal::open(&path).unwrap().1.last(), Some(&here(9)));
        }
        for bit in 0..whole.len() * 8 {
            let mut bad = whole.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            let (entries, _) = read(&bad);
            assert_eq!(entries.len(), bit / 8 / (whole.len() / 3), "bit {bit}");
        }
    }

    #[test]
    fn a_file_that_was_written_anew_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("purges.log");
        let (mut journal, _) = Journal::open(&path).unwrap();
        journal.add(&[here(1)]).unwrap();
        journal.rewrite(&[here(2)]).unwrap();
        journal.add(&[here(3)]).unwrap();
        assert!(!journal.is_worth_rewriting());
        assert_eq!(Journal::open(&path).unwrap().1, [here(2), here(3)]);
    }
}
