//! What unsafe requests made invalid while no owner ordered it, on disk: a gateway that is killed
//! asks for it when it is back.
//!
//! SCALE of the services with their keys, in a file that is replaced as a whole, and is not there
//! where nothing waits. It is written at most once a second, and only while owners fail.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;

use codec::{DecodeAll, Encode};
use selvedge_edge_core_purge::Pending;
use selvedge_primitives_types::ServiceId;

/// The file.
#[derive(Clone, Debug)]
pub struct WaitingFile(PathBuf);

impl WaitingFile {
    /// At this place.
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// What is kept.
    ///
    /// Errors: when it cannot be read.
    pub fn load(&self) -> io::Result<Vec<(ServiceId, Pending)>> {
        match fs::read(&self.0) {
            Ok(bytes) => Vec::decode_all(&mut &bytes[..])
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Keeps this instead. Waits for the disk.
    ///
    /// Errors: when it cannot be written; then what was kept before still is.
    pub fn save(&self, waiting: &[(ServiceId, Pending)]) -> io::Result<()> {
        if waiting.is_empty() {
            return match fs::remove_file(&self.0) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
        }
        let new = self.0.with_extension("new");
        let mut file = File::create(&new)?;
        file.write_all(&waiting.encode())?;
        file.sync_all()?;
        fs::rename(&new, &self.0)?;
        match self.0.parent() {
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_there_again_until_nothing_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("invalidations.scale");
        let file = WaitingFile::new(path.clone());
        assert!(file.load().unwrap().is_empty());
        let mut pending = Pending::default();
        (0..2_000).for_each(|id| pending.add(id << 40));
        let waiting = vec![(ServiceId(7), pending)];
        file.save(&waiting).unwrap();
        assert_eq!(file.load().unwrap(), waiting);
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        assert!(file.load().is_err());
        for _ in 0..2 {
            file.save(&[]).unwrap();
            assert!(file.load().unwrap().is_empty());
        }
    }
}
