//! Purges that outlive a restart.
//!
//! On disk: the SCALE form of `Vec<(ServiceId, u64)>`, service and generation, replaced as a whole by
//! renaming. A crash leaves the former file or the new one. Without it a gateway that was started
//! again would take from a cache what was purged before.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use codec::{DecodeAll, Encode};
use parking_lot::Mutex;
use selvedge_edge_drivers_agent::clock;
use selvedge_edge_drivers_transport::Generations;
use selvedge_primitives_types::ServiceId;

/// The file of a gateway's purges.
#[derive(Debug)]
pub struct PurgeFile(Mutex<PathBuf>);

impl PurgeFile {
    /// Kept at this path.
    pub fn new(path: PathBuf) -> Self {
        Self(Mutex::new(path))
    }

    /// The purges kept there; none, with a word in the log, when the file cannot be read.
    pub fn load(&self) -> Generations {
        let generations = Generations::default();
        let path = self.0.lock();
        let Ok(bytes) = fs::read(&*path) else {
            return generations;
        };
        match Vec::<(ServiceId, u64)>::decode_all(&mut &bytes[..]) {
            Ok(kept) => {
                for (service, generation) in kept {
                    generations.raise(service, generation, clock::now());
                }
            }
            Err(_) => tracing::error!(path = %path.display(), "the kept purges cannot be read"),
        }
        generations
    }

    /// Replaces what is there. Waits for the disk.
    pub fn save(&self, generations: &Generations) -> io::Result<()> {
        let path = self.0.lock();
        let new = path.with_extension("new");
        let mut file = fs::File::create(&new)?;
        file.write_all(&generations.known().encode())?;
        file.sync_data()?;
        fs::rename(&new, &*path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_purged_stays_purged_and_a_broken_file_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("purges.scale");
        let file = PurgeFile::new(path.clone());
        assert!(file.load().known().is_empty());
        let generations = Generations::default();
        generations.next(ServiceId(7), clock::now());
        file.save(&generations).unwrap();
        assert_eq!(file.load().known(), generations.known());
        fs::write(path, [1]).unwrap();
        assert!(file.load().known().is_empty());
    }
}
