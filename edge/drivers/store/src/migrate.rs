//! Taking over a folder in which each body and record had a file of its own.
//!
//! ```text
//! format                    "selvedge-store 1\n"
//! tmp/                      files under way
//! bodies/<2 hex>/<62 hex>   named by root:  body ‖ outboard in SCALE ‖ length of the outboard, u64 LE ‖ "SLVGBODY"
//! records/<2 hex>/<62 hex>  "SLVGRECD" ‖ BLAKE3 of the rest ‖ signed record in SCALE
//! ```
//!
//! Each record goes over with its body, and its file goes after it: a kill leaves the rest to the
//! next start. What has decayed is left behind.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use codec::DecodeAll;
use selvedge_primitives_types::{Hash, SignedRecord};

use crate::files::{self, Folder};
use crate::{Error, Store};

const RECORD_START: &[u8; 8] = b"SLVGRECD";
/// A record is never this long.
const LONGEST_RECORD: u64 = 16 * 1024 * 1024;

/// Takes over every record. Returns how many.
pub(crate) fn take_over(store: &Store, folder: &Folder) -> Result<usize, Error> {
    tracing::warn!(folder = %folder.0.display(), "takes over what an older version stored");
    let mut records = Vec::new();
    each_below(&folder.0.join("records"), |path| {
        let modified = fs::metadata(path).and_then(|data| data.modified());
        records.push((modified.ok(), path.to_owned()));
    })?;
    // The order that they came in, oldest first.
    records.sort();
    let mut count = 0;
    for (_, path) in records {
        let signed = read_record(&path);
        let signed = signed.map_err(|e| Error::io("read", &path, e))?;
        let taken = match signed {
            Some(signed) => take(store, folder, &signed)?,
            None => false,
        };
        if taken {
            count += 1;
        } else {
            tracing::warn!(path = %path.display(), "a record of the older version has decayed");
        }
        files::remove(&path);
    }
    for name in ["records", "bodies", "tmp"] {
        let path = folder.0.join(name);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error::io("remove", &path, error));
            }
            _ => {}
        }
    }
    Ok(count)
}

fn take(store: &Store, folder: &Folder, signed: &SignedRecord) -> Result<bool, Error> {
    match store.renew(signed) {
        Ok(()) => return Ok(true),
        Err(Error::NoBody(_) | Error::OtherBody) => {}
        Err(error) => return Err(error),
    }
    let record = &signed.record;
    let path = body_path(folder, &record.root);
    let failed = |error| Error::io("read", &path, error);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(failed(error)),
    };
    let mut writer = store.writer()?;
    let mut body = file.take(record.length);
    let mut bytes = vec![0; 256 * 1024];
    loop {
        let length = body.read(&mut bytes).map_err(failed)?;
        if length == 0 {
            break;
        }
        match writer.write(&bytes[..length]) {
            Err(Error::TooLong { .. }) => return Ok(false),
            done => done?,
        }
    }
    let taken = match store.put(signed, writer.finish()?) {
        Ok(()) => true,
        // The bytes are not those that the record names.
        Err(Error::OtherBody) => false,
        Err(error) => return Err(error),
    };
    files::remove(&path);
    Ok(taken)
}

/// The record in a record file. `None` when the file is none, or has decayed.
fn read_record(path: &Path) -> io::Result<Option<SignedRecord>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(LONGEST_RECORD)
        .read_to_end(&mut bytes)?;
    let rest = bytes.strip_prefix(RECORD_START);
    let parts = rest.and_then(|rest| rest.split_at_checked(32));
    let encoded = parts.filter(|(sum, encoded)| blake3::hash(encoded).as_bytes() == sum);
    Ok(encoded.and_then(|(_, encoded)| SignedRecord::decode_all(&mut &encoded[..]).ok()))
}

fn body_path(folder: &Folder, root: &Hash) -> PathBuf {
    let name: String = root.iter().map(|byte| format!("{byte:02x}")).collect();
    folder.0.join("bodies").join(&name[..2]).join(&name[2..])
}

/// Every file in the folders of a folder.
fn each_below(folder: &Path, mut visit: impl FnMut(&Path)) -> Result<(), Error> {
    if !folder.exists() {
        return Ok(());
    }
    let mut inner = Vec::new();
    files::each(folder, |path, _| inner.push(path.to_owned()))?;
    for folder in inner.iter().filter(|path| path.is_dir()) {
        files::each(folder, |path, _| visit(path))?;
    }
    Ok(())
}
