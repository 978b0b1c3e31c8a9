//! The folder of a store: its format, its lock, its names.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{flock, FlockOperation};

use crate::Error;

const FORMAT: &[u8] = b"selvedge-store 2\n";
const OLDER: &[u8] = b"selvedge-store 1\n";

/// The folder of a store.
#[derive(Debug)]
pub(crate) struct Folder(pub(crate) PathBuf);

/// What a folder holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// A store of this version, or nothing yet.
    Current,
    /// A store with a file for each body and record.
    Older,
}

impl Folder {
    /// Where the segments are.
    pub(crate) fn segments(&self) -> PathBuf {
        self.0.join("segments")
    }

    /// Locks the folder, if it is a store's or has nothing in it.
    pub(crate) fn lock(&self) -> Result<File, Error> {
        make_folder(&self.0)?;
        if !self.is_ours_or_empty()? {
            return Err(Error::Format(self.0.clone()));
        }
        let path = self.0.join("lock");
        let lock = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|e| Error::io("open", &path, e))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|errno| match errno {
            rustix::io::Errno::WOULDBLOCK => Error::Locked(self.0.clone()),
            errno => Error::io("lock", &path, errno.into()),
        })?;
        Ok(lock)
    }

    /// Makes the folders of an empty store, or finds what is there.
    pub(crate) fn prepare(&self) -> Result<Format, Error> {
        let path = self.0.join("format");
        let format = match fs::read(&path) {
            Ok(text) if text == FORMAT => Format::Current,
            Ok(text) if text == OLDER => Format::Older,
            // A crash came between making the file and writing it.
            Ok(text) if text.is_empty() => {
                self.write_format()?;
                Format::Current
            }
            Ok(_) => return Err(Error::Format(self.0.clone())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.write_format()?;
                Format::Current
            }
            Err(error) => return Err(Error::io("read", &path, error)),
        };
        make_folder(&self.segments())?;
        Ok(format)
    }

    /// From here on it is a store of this version.
    pub(crate) fn write_format(&self) -> Result<(), Error> {
        let (path, next) = (self.0.join("format"), self.0.join("format.new"));
        let write = || {
            let mut file = File::create(&next)?;
            file.write_all(FORMAT)?;
            file.sync_data()?;
            fs::rename(&next, &path)
        };
        write().map_err(|e| Error::io("write", &path, e))
    }

    /// Whether the folder may become a store: it is one, or it has nothing in it.
    fn is_ours_or_empty(&self) -> Result<bool, Error> {
        if self.0.join("format").exists() {
            return Ok(true);
        }
        let entries = fs::read_dir(&self.0).map_err(|e| Error::io("list", &self.0, e))?;
        let ours = ["lock", "format.new"];
        Ok(entries
            .flatten()
            .all(|entry| ours.iter().any(|name| entry.file_name() == *name)))
    }
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

/// Every file of a folder, by name.
pub(crate) fn each(folder: &Path, mut visit: impl FnMut(&Path, &str)) -> Result<(), Error> {
    let entries = fs::read_dir(folder).map_err(|e| Error::io("list", folder, e))?;
    for entry in entries {
        let path = entry.map_err(|e| Error::io("list", folder, e))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        visit(&path, name.unwrap_or_default());
    }
    Ok(())
}
