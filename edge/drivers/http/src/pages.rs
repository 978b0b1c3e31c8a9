//! Large bodies in files of memory, which the system sends without copying them.
//!
//! `sendfile` hands the pages of a file to the socket as they are. A body that many visitors will
//! get is therefore put into a sealed file without a name (`memfd_create`) and read through a
//! mapping of it: it is [`Bytes`] like any other, and who writes to a socket in the clear
//! finds out where in which file a piece of it lies.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::RwLock;

/// Octets from which on a body has a file of its own.
pub const LARGE: usize = 1024 * 1024;
/// Files at a time: the process needs its descriptors for connections. Bodies beyond stay where they
/// are.
const FILES: usize = 1024;

/// Every mapping, by the address of its first octet.
static MAPPED: RwLock<BTreeMap<usize, Mapped>> = RwLock::new(BTreeMap::new());

struct Mapped {
    length: usize,
    file: Arc<OwnedFd>,
}

/// Where octets lie.
#[derive(Debug)]
pub(crate) struct Place {
    /// The file.
    pub(crate) file: Arc<OwnedFd>,
    /// Of the first octet.
    pub(crate) offset: u64,
}

/// The same octets, in a file of memory where they are [`LARGE`] and the system has room for one.
pub fn in_pages(bytes: Bytes) -> Bytes {
    if bytes.len() < LARGE || find(&bytes).is_some() || MAPPED.read().len() >= FILES {
        return bytes;
    }
    match map(&bytes) {
        Ok(mapped) => mapped,
        Err(error) => {
            tracing::debug!(%error, "a body stays in ordinary memory");
            bytes
        }
    }
}

/// Where these octets lie, if it is in a file of memory.
pub(crate) fn find(bytes: &[u8]) -> Option<Place> {
    let first = bytes.as_ptr() as usize;
    let all = MAPPED.read();
    let (start, mapped) = all.range(..=first).next_back()?;
    let offset = first - start;
    (offset + bytes.len() <= mapped.length).then(|| Place {
        file: mapped.file.clone(),
        offset: offset as u64,
    })
}

#[cfg(target_os = "linux")]
fn map(bytes: &[u8]) -> io::Result<Bytes> {
    use rustix::fs::{fcntl_add_seals, memfd_create, MemfdFlags, SealFlags};
    use std::io::Write;

    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let mut file = std::fs::File::from(memfd_create(c"body", flags)?);
    file.write_all(bytes)?;
    let for_good = SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL;
    fcntl_add_seals(&file, for_good)?;
    // SAFETY: the file has no name and is sealed, so that nobody changes or cuts what is mapped.
    let map = unsafe { memmap2::MmapOptions::new().map_copy_read_only(&file)? };
    let mapped = Mapped {
        length: map.len(),
        file: Arc::new(file.into()),
    };
    MAPPED.write().insert(map.as_ptr() as usize, mapped);
    Ok(Bytes::from_owner(Owner(map)))
}

#[cfg(not(target_os = "linux"))]
fn map(_: &[u8]) -> io::Result<Bytes> {
    Err(io::ErrorKind::Unsupported.into())
}

/// A mapping that is known until the last piece of it is gone.
struct Owner(memmap2::Mmap);

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // Before the address can be another mapping's.
        MAPPED.write().remove(&(self.0.as_ptr() as usize));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_body_is_found_by_any_piece_as_long_as_one_is_left() {
        let bytes: Vec<u8> = (0..LARGE + 5).map(|n| n as u8).collect();
        let paged = in_pages(Bytes::from(bytes.clone()));
        assert!(paged == bytes);
        let same = in_pages(paged.clone());
        assert_eq!(same.as_ptr(), paged.as_ptr(), "it is not copied again");
        let piece = paged.slice(1_000..LARGE);
        drop((paged, same));
        let place = find(&piece).unwrap();
        assert_eq!(place.offset, 1_000);
        let file = std::fs::File::from(place.file.try_clone().unwrap());
        let mut read = vec![0; piece.len()];
        std::os::unix::fs::FileExt::read_exact_at(&file, &mut read, place.offset).unwrap();
        assert!(read == piece);
        let changed = std::os::unix::fs::FileExt::write_at(&file, b"x", 0);
        assert!(changed.is_err(), "it is sealed");
        let address = piece.as_ptr() as usize;
        drop(piece);
        assert!(!MAPPED.read().contains_key(&(address - 1_000)));
    }

    #[test]
    fn a_small_body_stays_where_it_is() {
        let small = Bytes::from(vec![1; LARGE - 1]);
        assert_eq!(in_pages(small.clone()).as_ptr(), small.as_ptr());
        assert!(find(&small).is_none());
    }
}
