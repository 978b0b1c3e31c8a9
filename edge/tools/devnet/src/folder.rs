//! The one folder that holds a network's state.
//!
//! ```text
//! <folder>/
//!   lock             held by the run that owns the network
//!   plan.json        keys, names, ports; mode 0600
//!   chain.json       the raw chain spec
//!   <node>/          one folder per process: keys, config, state
//!   logs/<node>.log
//! ```

use crate::plan::Plan;
use anyhow::Context;
use rustix::{
    fs::{flock, FlockOperation},
    io::Errno,
};
use std::{
    fs::{self, File},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Name of the lock file.
const LOCK: &str = "lock";

/// A network's folder; no other run can open it before the last clone is dropped.
#[derive(Clone)]
pub struct Folder {
    path: PathBuf,
    // The kernel gives the lock back with the file, also when this program dies.
    _lock: Arc<File>,
}

impl Folder {
    /// Opens the folder, making it if it is not there.
    ///
    /// # Errors
    ///
    /// Fails when another run has the folder, or when it cannot be written.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(path.join("logs"))
            .with_context(|| format!("cannot make {}", path.display()))?;
        let lock = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path.join(LOCK))
            .with_context(|| format!("cannot make a lock in {}", path.display()))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => anyhow::bail!(
                "another run has the network in {}: stop that one first, or name another folder",
                path.display()
            ),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()))
            }
        }
        Ok(Self {
            path: path.canonicalize()?,
            _lock: Arc::new(lock),
        })
    }

    /// Opens the folder and deletes what an earlier network left, if that is what the folder holds.
    ///
    /// # Errors
    ///
    /// Fails when the folder holds something else, and as [`Folder::open`] does; nothing is deleted then.
    pub fn open_fresh(path: &Path) -> anyhow::Result<Self> {
        if path.exists() {
            let ours = path.join("plan.json").exists()
                || fs::read_dir(path)?.next().is_none()
                || path.join("logs").exists();
            anyhow::ensure!(
                ours,
                "{} holds no network (no plan.json); it is left alone: name an empty folder, or one of an earlier run",
                path.display()
            );
        }
        let folder = Self::open(path)?;
        folder
            .clear()
            .with_context(|| format!("cannot delete what is in {}", path.display()))?;
        Ok(folder)
    }

    /// Deletes everything but the lock, which must stay the same file to exclude others.
    fn clear(&self) -> std::io::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else if entry.file_name() != LOCK {
                fs::remove_file(entry.path())?;
            }
        }
        fs::create_dir(self.path.join("logs"))
    }

    /// The folder of a process.
    pub fn of(&self, name: &str) -> anyhow::Result<PathBuf> {
        let path = self.path.join(name);
        fs::create_dir_all(&path)?;
        Ok(path)
    }

    /// Where a process logs.
    pub fn log(&self, name: &str) -> PathBuf {
        self.path.join("logs").join(format!("{name}.log"))
    }

    /// The raw chain spec.
    pub fn chain_spec(&self) -> PathBuf {
        self.path.join("chain.json")
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the plan of an earlier run.
    pub fn load_plan(&self) -> anyhow::Result<Option<Plan>> {
        let path = self.path.join("plan.json");
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path)?;
        let plan = serde_json::from_str(&text).with_context(|| {
            format!("{} cannot be read; start over with --fresh", path.display())
        })?;
        Ok(Some(plan))
    }

    /// Keeps the plan.
    pub fn save_plan(&self, plan: &Plan) -> anyhow::Result<()> {
        write_secret(
            &self.path.join("plan.json"),
            &serde_json::to_string_pretty(plan)?,
        )
    }
}

/// Writes a file that only its owner may read, whole or not at all.
pub fn write_secret(path: &Path, text: &str) -> anyhow::Result<()> {
    let partial = path.with_extension("partial");
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&partial)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(fs::rename(&partial, path)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_somebody_else_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("thesis.txt"), "years of work").unwrap();
        assert!(Folder::open_fresh(dir.path()).is_err());
        assert!(dir.path().join("thesis.txt").exists());
    }

    #[test]
    fn a_plan_reads_back_and_is_secret() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path()).unwrap();
        assert!(folder.load_plan().unwrap().is_none());
        let plan = Plan::new(2, 1, 2).unwrap();
        folder.save_plan(&plan).unwrap();
        let back = folder.load_plan().unwrap().unwrap();
        assert_eq!(
            back.validators[1].device.device_id(),
            plan.validators[1].device.device_id()
        );
        let mode = fs::metadata(dir.path().join("plan.json"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);

        drop(folder);
        let folder = Folder::open_fresh(dir.path()).unwrap();
        assert!(folder.load_plan().unwrap().is_none());
    }

    #[test]
    fn a_folder_belongs_to_one_run_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let first = Folder::open(dir.path()).unwrap();
        first.save_plan(&Plan::new(1, 1, 1).unwrap()).unwrap();
        for again in [Folder::open(dir.path()), Folder::open_fresh(dir.path())] {
            let error = again.err().unwrap().to_string();
            assert!(error.contains("another run"), "{error}");
        }
        assert!(
            first.load_plan().unwrap().is_some(),
            "a refused start over deletes nothing"
        );
        drop(first);
        Folder::open(dir.path()).unwrap();
    }
}
