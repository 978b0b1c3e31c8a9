//! The folder, its lock and its file names.

use crate::MeterError;
use rustix::fs::{flock, FlockOperation};
use selvedge_primitives_types::{DeviceId, Epoch, GenesisHash};
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

const OWNER_MAGIC: &[u8; 8] = b"SLVGOWN1";

/// A folder that this process alone has open.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    device: DeviceId,
    _lock: File,
}

/// What was found in a folder.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Segments of counters by epoch, in order.
    pub(crate) counts: BTreeMap<Epoch, Vec<PathBuf>>,
    /// Epochs with leaves.
    pub(crate) leaves: Vec<Epoch>,
}

impl Folder {
    /// Opens the folder, made if it is missing, and locks it.
    pub(crate) fn open(path: &Path, device: DeviceId) -> Result<Self, MeterError> {
        fs::create_dir_all(path).map_err(MeterError::io("create", path))?;
        let lock_path = path.join("lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(MeterError::io("open", &lock_path))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| MeterError::InUse(path.to_owned()))?;
        let folder = Self {
            path: path.to_owned(),
            device,
            _lock: lock,
        };
        if let Some((owner, _)) = folder.owner()? {
            if owner != device {
                return Err(MeterError::Foreign(path.to_owned()));
            }
        }
        Ok(folder)
    }

    pub(crate) fn device(&self) -> DeviceId {
        self.device
    }

    /// Binds the folder to a chain, once.
    pub(crate) fn bind(&self, genesis: &GenesisHash) -> Result<(), MeterError> {
        match self.owner()? {
            Some((_, bound)) if bound == *genesis => Ok(()),
            Some(_) => Err(MeterError::Foreign(self.path.clone())),
            None => {
                let bytes = [&OWNER_MAGIC[..], &self.device.0, genesis].concat();
                self.write_whole("owner", &bytes)
            }
        }
    }

    fn owner(&self) -> Result<Option<(DeviceId, GenesisHash)>, MeterError> {
        let path = self.path.join("owner");
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(MeterError::io("read", &path)(error)),
        };
        let rest = bytes
            .strip_prefix(OWNER_MAGIC)
            .filter(|rest| rest.len() == 64);
        let rest = rest.ok_or_else(|| MeterError::Foreign(path.clone()))?;
        let (mut device, mut genesis) = (DeviceId::default(), GenesisHash::default());
        device.0.copy_from_slice(&rest[..32]);
        genesis.copy_from_slice(&rest[32..]);
        Ok(Some((device, genesis)))
    }

    /// Where a file of this name lies.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.path("vouchers.journal")
    }

    pub(crate) fn counts(&self, epoch: Epoch, segment: usize) -> PathBuf {
        self.path.join(format!("epoch-{epoch}.{segment}.counts"))
    }

    pub(crate) fn leaves(&self, epoch: Epoch) -> PathBuf {
        self.path.join(leaves_name(epoch))
    }

    /// Writes a file that appears with all its bytes or not at all, and replaces one of its name.
    pub(crate) fn write_whole(&self, name: &str, bytes: &[u8]) -> Result<(), MeterError> {
        self.write_with(&self.path.join(name), |file| file.write_all(bytes))
    }

    pub(crate) fn write_leaves(&self, epoch: Epoch, bytes: &[u8]) -> Result<(), MeterError> {
        self.write_whole(&leaves_name(epoch), bytes)
    }

    /// As [`Self::write_whole`], with the bytes that `write` writes.
    pub(crate) fn write_with(
        &self,
        path: &Path,
        write: impl FnOnce(&mut File) -> std::io::Result<()>,
    ) -> Result<(), MeterError> {
        let mut name = path.as_os_str().to_owned();
        name.push(".new");
        let beside = PathBuf::from(name);
        let written = File::create(&beside).and_then(|mut file| {
            write(&mut file)?;
            file.sync_all()
        });
        if let Err(error) = written {
            // Half a file on a full disk only takes room.
            let _ = fs::remove_file(&beside);
            return Err(MeterError::io("write", path)(error));
        }
        fs::rename(&beside, path).map_err(MeterError::io("rename", path))?;
        self.sync()
    }

    /// Waits for the disk to have the names of files.
    pub(crate) fn sync(&self) -> Result<(), MeterError> {
        let sync = || File::open(&self.path)?.sync_all();
        sync().map_err(MeterError::io("sync", &self.path))
    }

    /// Lists the files, and removes those that were being written.
    pub(crate) fn list(&self) -> Result<Listing, MeterError> {
        let mut listing = Listing::default();
        let mut segments: BTreeMap<(Epoch, usize), PathBuf> = BTreeMap::new();
        let entries = fs::read_dir(&self.path).map_err(MeterError::io("list", &self.path))?;
        for entry in entries {
            let path = entry.map_err(MeterError::io("list", &self.path))?.path();
            if path.extension() == Some(OsStr::new("new")) {
                remove(&path)?;
                continue;
            }
            let name = path.file_name().and_then(OsStr::to_str);
            let Some(name) = name.and_then(|name| name.strip_prefix("epoch-")) else {
                continue;
            };
            if let Some(epoch) = name.strip_suffix(".leaves").and_then(|n| n.parse().ok()) {
                listing.leaves.push(Epoch(epoch));
            } else if let Some((epoch, segment)) = name
                .strip_suffix(".counts")
                .and_then(|name| name.split_once('.'))
                .and_then(|(epoch, segment)| Some((epoch.parse().ok()?, segment.parse().ok()?)))
            {
                segments.insert((Epoch(epoch), segment), path);
            }
        }
        for ((epoch, _), path) in segments {
            listing.counts.entry(epoch).or_default().push(path);
        }
        listing.leaves.sort_unstable();
        Ok(listing)
    }
}

fn leaves_name(epoch: Epoch) -> String {
    format!("epoch-{epoch}.leaves")
}

/// Removes a file that may be gone already.
pub(crate) fn remove(path: &Path) -> Result<(), MeterError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(MeterError::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}
