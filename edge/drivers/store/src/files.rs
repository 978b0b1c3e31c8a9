//! Names and contents of files.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use codec::{Decode, DecodeAll, Encode};
use selvedge_edge_core_verify::Outboard;
use selvedge_primitives_types::{Hash, ServiceId, SignedRecord};

use crate::Error;

const BODY_END: &[u8; 8] = b"SLVGBODY";
const RECORD_START: &[u8; 8] = b"SLVGRECD";
const FORMAT: &[u8] = b"selvedge-store 1\n";
/// What a file system gives at a time.
const BLOCK: u64 = 4096;

/// Name of a record: BLAKE3 of its service, key and variant.
pub(crate) type RecordId = [u8; 32];

/// The name that the record of a service, key and variant has.
pub(crate) fn record_id(record: &SignedRecord) -> RecordId {
    let record = &record.record;
    *blake3::hash(&(record.service, &record.key, &record.variant).encode()).as_bytes()
}

/// What the records of all variants of a key have in common.
pub(crate) fn key_digest(service: ServiceId, key: &[u8]) -> [u8; 16] {
    let digest = blake3::Hasher::new()
        .update(&service.0.to_le_bytes())
        .update(key)
        .finalize();
    let mut short = [0; 16];
    short.copy_from_slice(&digest.as_bytes()[..16]);
    short
}

/// Bytes that a file of this length takes on a disk.
pub(crate) fn disk_bytes(length: u64) -> u64 {
    length.div_ceil(BLOCK).saturating_mul(BLOCK)
}

/// The folders of a store.
#[derive(Debug)]
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn body(&self, root: &Hash) -> PathBuf {
        self.named("bodies", root)
    }

    pub(crate) fn record(&self, id: &RecordId) -> PathBuf {
        self.named("records", id)
    }

    pub(crate) fn temporary(&self, number: u64) -> PathBuf {
        self.0.join("tmp").join(number.to_string())
    }

    fn named(&self, kind: &str, name: &[u8; 32]) -> PathBuf {
        let name: String = name.iter().map(|byte| format!("{byte:02x}")).collect();
        self.0.join(kind).join(&name[..2]).join(&name[2..])
    }

    /// Makes the folders of an empty store, or finds that they are a store's.
    pub(crate) fn prepare(&self) -> Result<(), Error> {
        let format = self.0.join("format");
        match fs::read(&format) {
            Ok(text) if text == FORMAT => {}
            // A crash came between making the file and writing it.
            Ok(text) if text.is_empty() => write_format(&format)?,
            Ok(_) => return Err(Error::Format(self.0.clone())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => write_format(&format)?,
            Err(error) => return Err(Error::io("read", &format, error)),
        }
        for kind in ["bodies", "records"] {
            for first in 0..=255u8 {
                make_folder(&self.0.join(kind).join(format!("{first:02x}")))?;
            }
        }
        make_folder(&self.0.join("tmp"))
    }

    /// Whether the folder may become a store: it is one, or it has nothing in it.
    pub(crate) fn is_ours_or_empty(&self) -> Result<bool, Error> {
        if self.0.join("format").exists() {
            return Ok(true);
        }
        let entries = fs::read_dir(&self.0).map_err(|e| Error::io("list", &self.0, e))?;
        Ok(entries.flatten().all(|entry| entry.file_name() == "lock"))
    }
}

fn write_format(path: &Path) -> Result<(), Error> {
    fs::write(path, FORMAT).map_err(|e| Error::io("write", path, e))
}

pub(crate) fn make_folder(path: &Path) -> Result<(), Error> {
    fs::create_dir_all(path).map_err(|e| Error::io("create folder", path, e))
}

/// Removes a file that may be gone already. Whoever fails to remove one finds it again at the next
/// start.
pub(crate) fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        if error.kind() != io::ErrorKind::NotFound {
            tracing::warn!(path = %path.display(), %error, "cannot remove a file");
        }
    }
}

/// Waits for the disk to have a file's new name.
pub(crate) fn sync_name(path: &Path) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(path);
    let sync = || File::open(folder)?.sync_all();
    sync().map_err(|e| Error::io("sync", folder, e))
}

/// What stands behind a body's bytes.
pub(crate) fn body_tail(outboard: &Outboard) -> Vec<u8> {
    let mut tail = outboard.encode();
    let length = tail.len() as u64;
    tail.extend_from_slice(&length.to_le_bytes());
    tail.extend_from_slice(BODY_END);
    tail
}

/// Length of the body in a body file, by its last bytes. `None` when the file is none.
pub(crate) fn body_length(file: &File) -> io::Result<Option<u64>> {
    let length = file.metadata()?.len();
    let Some(end) = length.checked_sub(16) else {
        return Ok(None);
    };
    let mut tail = [0; 16];
    file.read_exact_at(&mut tail, end)?;
    let (outboard, magic) = tail.split_at(8);
    let outboard = u64::decode(&mut &outboard[..]).unwrap_or(u64::MAX);
    Ok(end.checked_sub(outboard).filter(|_| magic == BODY_END))
}

/// The outboard in a body file. `None` when it is not the outboard of this root.
pub(crate) fn read_outboard(file: &File, root: &Hash) -> io::Result<Option<Outboard>> {
    let Some(length) = body_length(file)? else {
        return Ok(None);
    };
    let end = file.metadata()?.len().saturating_sub(16);
    let mut encoded = vec![0; end.saturating_sub(length) as usize];
    file.read_exact_at(&mut encoded, length)?;
    let outboard = Outboard::decode_all(&mut encoded.as_slice()).ok();
    Ok(outboard.filter(|outboard| outboard.root() == root && outboard.length() == length))
}

pub(crate) fn encode_record(record: &SignedRecord) -> Vec<u8> {
    let encoded = record.encode();
    let mut file = Vec::with_capacity(40 + encoded.len());
    file.extend_from_slice(RECORD_START);
    file.extend_from_slice(blake3::hash(&encoded).as_bytes());
    file.extend_from_slice(&encoded);
    file
}

/// The record in a record file. `None` when the file is none, or has decayed.
pub(crate) fn decode_record(file: &[u8]) -> Option<SignedRecord> {
    let rest = file.strip_prefix(RECORD_START)?;
    let (checksum, encoded) = rest.split_at_checked(32)?;
    if blake3::hash(encoded).as_bytes() != checksum {
        return None;
    }
    SignedRecord::decode_all(&mut &encoded[..]).ok()
}

/// Writes a whole new file.
pub(crate) fn write_new(path: &Path, bytes: &[u8], sync: bool) -> Result<(), Error> {
    let write = || {
        let mut file = File::create_new(path)?;
        file.write_all(bytes)?;
        if sync {
            file.sync_data()?;
        }
        Ok(())
    };
    write().map_err(|e| {
        remove(path);
        Error::io("write", path, e)
    })
}
