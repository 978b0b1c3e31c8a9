//! The one folder that holds a network's state.
//!
//! ```text
//! <folder>/
//!   plan.json        keys, names, ports; mode 0600
//!   chain.json       the raw chain spec
//!   <node>/          one folder per process: keys, config, state
//!   logs/<node>.log
//! ```

use crate::plan::Plan;
use anyhow::Context;
use std::{
    fs,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// A network's folder.
#[derive(Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// Opens the folder, making it if it is not there.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(path.join("logs"))
            .with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path.canonicalize()?))
    }

    /// Deletes what an earlier network left, if that is what the folder holds.
    pub fn clear(path: &Path) -> anyhow::Result<()> {
        if !path.exists() {
            return Ok(());
        }
        let ours = path.join("plan.json").exists()
            || fs::read_dir(path)?.next().is_none()
            || path.join("logs").exists();
        anyhow::ensure!(
            ours,
            "{} holds no network (no plan.json); it is left alone: name an empty folder, or one of an earlier run",
            path.display()
        );
        fs::remove_dir_all(path).with_context(|| format!("cannot delete {}", path.display()))
    }

    /// The folder of a process.
    pub fn of(&self, name: &str) -> anyhow::Result<PathBuf> {
        let path = self.0.join(name);
        fs::create_dir_all(&path)?;
        Ok(path)
    }

    /// Where a process logs.
    pub fn log(&self, name: &str) -> PathBuf {
        self.0.join("logs").join(format!("{name}.log"))
    }

    /// The raw chain spec.
    pub fn chain_spec(&self) -> PathBuf {
        self.0.join("chain.json")
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Reads the plan of an earlier run.
    pub fn load_plan(&self) -> anyhow::Result<Option<Plan>> {
        let path = self.0.join("plan.json");
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
            &self.0.join("plan.json"),
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
        assert!(Folder::clear(dir.path()).is_err());
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
        Folder::clear(dir.path()).unwrap();
        assert!(!dir.path().exists());
    }
}
