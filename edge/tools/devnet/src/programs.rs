//! The programs a network is made of, found beside this one.

use std::path::{Path, PathBuf};

/// Where the programs are.
#[derive(Clone)]
pub struct Programs {
    /// The chain node.
    pub node: PathBuf,
    /// The edge daemon.
    pub edge: PathBuf,
    /// The command line.
    pub cli: PathBuf,
}

impl Programs {
    /// The programs in a folder, all of which must be there.
    pub fn in_folder(folder: &Path) -> anyhow::Result<Self> {
        let find = |name: &str| {
            let path = folder.join(name);
            anyhow::ensure!(
                path.exists(),
                "{} is not there: run `cargo build --release --workspace`",
                path.display()
            );
            Ok(path)
        };
        Ok(Self {
            node: find("selvedge-node")?,
            edge: find("selvedge-edge")?,
            cli: find("selvedge")?,
        })
    }

    /// The programs beside the running one.
    pub fn beside_this() -> anyhow::Result<Self> {
        let this = std::env::current_exe()?;
        Self::in_folder(this.parent().unwrap_or(Path::new(".")))
    }
}
