//! One segment file.
//!
//! ```text
//! segments/<8 hex>.seg     "SLVGSEG2" ‖ number, u32 LE ‖ 4 zeros ‖ entries ‖ when sealed: list, trailer
//! list                     place, size and head of every entry, in SCALE
//! trailer                  length of the list, u64 LE ‖ BLAKE3 of (number, list) ‖ "SLVGSEAL"
//! ```
//!
//! Entries are only appended. A start reads the lists of sealed segments; those few that were open
//! when the process ended are read entry by entry, and sealed.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::Arc;

use codec::{DecodeAll, Encode};
use parking_lot::Mutex;
use rustix::fs::{fallocate, FallocateFlags};

use crate::entry::{Fact, Prefix, PREFIX};

const START: &[u8; 8] = b"SLVGSEG2";
const SEAL: &[u8; 8] = b"SLVGSEAL";
/// Where the first entry is.
pub(crate) const FIRST: u64 = 16;
const TRAILER: u64 = 48;

/// A segment. Its file goes when nobody reads from it any more.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) number: u32,
    pub(crate) path: PathBuf,
    pub(crate) state: Mutex<State>,
    /// Entries that are written but that the index does not know yet.
    pub(crate) held: AtomicUsize,
    /// Bytes it takes on disk, with the list that is to come.
    pub(crate) bytes: AtomicU64,
    /// The same of all segments together.
    occupied: Arc<AtomicU64>,
    /// While it is written to, and after its name is gone.
    pub(crate) file: Mutex<Option<Arc<File>>>,
}

/// How far a segment is written.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// Its entries, until the disk has the list.
    pub(crate) facts: Vec<Fact>,
    /// Where the next entry starts.
    pub(crate) end: u64,
    /// Entries whose payload is under way.
    pub(crate) writing: usize,
    /// Whether it takes no more.
    pub(crate) is_full: bool,
    pub(crate) is_sealed: bool,
    pub(crate) is_removed: bool,
}

impl State {
    /// Whether it may be cleaned, and taken away.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.is_full && self.writing == 0 && !self.is_removed
    }
}

impl Segment {
    /// An empty one in a new file.
    pub(crate) fn create(
        folder: &Path,
        number: u32,
        occupied: Arc<AtomicU64>,
    ) -> io::Result<Arc<Self>> {
        let path = path(folder, number);
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)?;
        let mut start = START.to_vec();
        start.extend_from_slice(&number.to_le_bytes());
        start.extend_from_slice(&[0; 4]);
        if let Err(error) = file.write_all_at(&start, 0) {
            crate::files::remove(&path);
            return Err(error);
        }
        let bytes = FIRST + TRAILER;
        occupied.fetch_add(bytes, Ordering::AcqRel);
        Ok(Arc::new(Self {
            number,
            path,
            state: Mutex::new(State {
                end: FIRST,
                ..State::default()
            }),
            held: AtomicUsize::new(0),
            bytes: AtomicU64::new(bytes),
            occupied,
            file: Mutex::new(Some(Arc::new(file))),
        }))
    }

    /// Writes the list once nothing is under way. Without one a start reads every entry.
    pub(crate) fn seal(&self, state: &mut State) {
        if !state.is_full || state.writing > 0 || state.is_sealed {
            return;
        }
        let Some(file) = self.file.lock().clone() else {
            return;
        };
        let written = write_list(&file, self.number, state.end, &state.facts);
        match written {
            Ok(()) => state.facts = Vec::new(),
            Err(error) => {
                tracing::warn!(path = %self.path.display(), %error, "a segment is without its list");
                drop(file.set_len(state.end));
            }
        }
        state.is_sealed = true;
        *self.file.lock() = None;
    }

    /// Every entry in it.
    pub(crate) fn facts(&self, file: &File) -> io::Result<Vec<Fact>> {
        {
            let state = self.state.lock();
            if !state.facts.is_empty() {
                return Ok(state.facts.clone());
            }
        }
        match read_list(file, self.number)? {
            Some(facts) => Ok(facts),
            None => Ok(scan(file, self.number)?.facts),
        }
    }

    /// Says that an entry is on its way into the index.
    pub(crate) fn hold(self: &Arc<Self>) -> Held {
        self.held.fetch_add(1, Ordering::AcqRel);
        Held(self.clone())
    }

    /// Gives bytes that nobody reads back to the disk, where the file system can do that.
    pub(crate) fn punch(&self, at: u32, length: u32) {
        if self.state.lock().is_removed {
            return;
        }
        let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        let punched = File::options()
            .write(true)
            .open(&self.path)
            .and_then(|file| Ok(fallocate(&file, flags, at.into(), length.into())?));
        if let Err(error) = punched {
            tracing::debug!(path = %self.path.display(), %error, "garbage stays until it is cleaned");
        }
    }

    /// Takes its name away. Whoever reads from it may go on.
    pub(crate) fn remove(&self) -> io::Result<()> {
        let mut file = self.file.lock();
        let removed = match File::open(&self.path) {
            Ok(opened) => {
                file.get_or_insert_with(|| Arc::new(opened));
                std::fs::remove_file(&self.path)
            }
            Err(error) => Err(error),
        };
        match removed {
            // Somebody else has taken it away.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            done => done?,
        }
        self.state.lock().is_removed = true;
        Ok(())
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        if self.state.get_mut().is_removed {
            let bytes = *self.bytes.get_mut();
            self.occupied.fetch_sub(bytes, Ordering::AcqRel);
        }
    }
}

/// Keeps a segment from being cleaned.
#[derive(Debug)]
pub(crate) struct Held(pub(crate) Arc<Segment>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.held.fetch_sub(1, Ordering::AcqRel);
    }
}

/// What a start found in a segment.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    pub(crate) facts: Vec<Fact>,
    /// Entries that were under way.
    pub(crate) unfinished: usize,
    /// Where the last whole entry ends.
    end: u64,
    /// Bytes behind it that are no entry: cut off, or decayed.
    pub(crate) lost: u64,
}

/// Opens a segment that an earlier process wrote.
pub(crate) fn recover(
    folder: &Path,
    number: u32,
    occupied: Arc<AtomicU64>,
) -> io::Result<(Arc<Segment>, Scan)> {
    let path = path(folder, number);
    let file = File::options().read(true).write(true).open(&path)?;
    let mut found = Scan::default();
    match read_list(&file, number)? {
        Some(facts) => found.facts = facts,
        None => {
            found = scan(&file, number)?;
            file.set_len(found.end)?;
            if let Err(error) = write_list(&file, number, found.end, &found.facts) {
                tracing::warn!(path = %path.display(), %error, "a segment is without its list");
                drop(file.set_len(found.end));
            }
        }
    }
    let bytes = file.metadata()?.len();
    occupied.fetch_add(bytes, Ordering::AcqRel);
    let segment = Segment {
        number,
        path,
        state: Mutex::new(State {
            is_full: true,
            is_sealed: true,
            ..State::default()
        }),
        held: AtomicUsize::new(0),
        bytes: AtomicU64::new(bytes),
        occupied,
        file: Mutex::new(None),
    };
    Ok((Arc::new(segment), found))
}

/// Where a segment is.
pub(crate) fn path(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("{number:08x}.seg"))
}

fn write_list(file: &File, number: u32, end: u64, facts: &[Fact]) -> io::Result<()> {
    let mut list = facts.encode();
    let digest = digest(number, &list);
    let length = list.len() as u64;
    list.extend_from_slice(&length.to_le_bytes());
    list.extend_from_slice(&digest);
    list.extend_from_slice(SEAL);
    file.write_all_at(&list, end)
}

/// The list at the end of a segment. `None` when there is none, or it has decayed.
fn read_list(file: &File, number: u32) -> io::Result<Option<Vec<Fact>>> {
    let length = file.metadata()?.len();
    let Some(end) = length.checked_sub(TRAILER) else {
        return Ok(None);
    };
    let mut trailer = [0; TRAILER as usize];
    file.read_exact_at(&mut trailer, end)?;
    let (size, rest) = trailer.split_at(8);
    let (expected, magic) = rest.split_at(32);
    let mut bytes = [0; 8];
    bytes.copy_from_slice(size);
    let Some(start) = end.checked_sub(u64::from_le_bytes(bytes)) else {
        return Ok(None);
    };
    if magic != SEAL || start < FIRST {
        return Ok(None);
    }
    let mut list = vec![0; (end - start) as usize];
    file.read_exact_at(&mut list, start)?;
    if digest(number, &list) != expected {
        return Ok(None);
    }
    let facts = Vec::<Fact>::decode_all(&mut list.as_slice()).ok();
    let is_inside = |fact: &Fact| u64::from(fact.offset) + u64::from(fact.size) <= start;
    Ok(facts.filter(|facts| facts.iter().all(is_inside)))
}

/// Reads every entry up to the first that is none.
fn scan(file: &File, number: u32) -> io::Result<Scan> {
    let length = file.metadata()?.len();
    let mut found = Scan {
        end: FIRST.min(length),
        ..Scan::default()
    };
    let mut at = FIRST;
    while let Some((size, fact)) = entry_at(file, number, at, length)? {
        match fact {
            Some(fact) => found.facts.push(fact),
            None => found.unfinished += 1,
        }
        at += size;
        found.end = at;
    }
    found.lost = length.saturating_sub(at);
    Ok(found)
}

/// Size of an entry, and what it is when it is whole.
fn entry_at(
    file: &File,
    number: u32,
    at: u64,
    length: u64,
) -> io::Result<Option<(u64, Option<Fact>)>> {
    if at + PREFIX as u64 > length {
        return Ok(None);
    }
    let mut bytes = [0; PREFIX];
    file.read_exact_at(&mut bytes, at)?;
    let prefix = Prefix::decode(&bytes).filter(|prefix| at + prefix.size() <= length);
    let (Some(prefix), Ok(offset)) = (prefix, u32::try_from(at)) else {
        return Ok(None);
    };
    let mut head = vec![0; prefix.head as usize];
    file.read_exact_at(&mut head, at + PREFIX as u64)?;
    let Some(head) = prefix.head(number, offset, &head) else {
        return Ok(None);
    };
    let size = prefix.size();
    let fact = prefix.is_written.then_some(Fact {
        offset,
        size: size as u32,
        head,
    });
    Ok(Some((size, fact)))
}

fn digest(number: u32, list: &[u8]) -> [u8; 32] {
    *blake3::Hasher::new()
        .update(&number.to_le_bytes())
        .update(list)
        .finalize()
        .as_bytes()
}
