//! `create-chain-spec`: makes a chain spec from a runtime's own genesis preset.
//!
//! The preset comes out of the runtime through its `GenesisBuilder` API, so this command knows no
//! pallet; a JSON patch is merged over it, and the runtime must accept the result before anything
//! is written.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use clap::Parser;
use sc_chain_spec::{json_patch, ChainType, GenesisConfigBuilderRuntimeCaller};
use sc_network::config::MultiaddrWithPeerId;
use serde_json::Value;

use crate::chain_spec::{properties, ChainSpec, Extensions};

/// Prefix of the network protocols' older names; the newer ones begin with the genesis hash.
const PROTOCOL_ID: &str = "sel";

/// Build a chain spec from a runtime and one of its genesis presets.
#[derive(Debug, Parser)]
pub(crate) struct CreateChainSpecCmd {
    /// The runtime, as WebAssembly, compressed or not.
    #[arg(long, value_name = "FILE")]
    pub(crate) runtime: PathBuf,

    /// The genesis preset of that runtime, such as `development`.
    #[arg(long, value_name = "NAME")]
    pub(crate) preset: String,

    /// JSON to merge over the preset: its values win, lists are replaced whole, `null` is a value.
    #[arg(long, value_name = "FILE")]
    pub(crate) patch: Option<PathBuf>,

    /// Short name of the chain; part of the path of its database. By default `selvedge_` and the
    /// preset.
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,

    /// Name of the chain for people. By default `Selvedge` and the preset.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// What kind of chain it is.
    #[arg(long, value_enum, default_value_t = ChainTypeArg::Local)]
    pub(crate) chain_type: ChainTypeArg,

    /// A node to connect to at first, as a multiaddress that ends in its peer id; may be repeated.
    #[arg(long = "bootnode", value_name = "MULTIADDR")]
    pub(crate) bootnodes: Vec<MultiaddrWithPeerId>,

    /// Write storage keys and values instead of the configuration, as light clients want it.
    #[arg(long)]
    pub(crate) raw: bool,

    /// Where to write the chain spec.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

/// Kind of chain, for wallets and for the node's defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ChainTypeArg {
    /// One node, for developing.
    Development,
    /// Several nodes on one machine or network.
    Local,
    /// A public network.
    Live,
}

impl From<ChainTypeArg> for ChainType {
    fn from(kind: ChainTypeArg) -> Self {
        match kind {
            ChainTypeArg::Development => Self::Development,
            ChainTypeArg::Local => Self::Local,
            ChainTypeArg::Live => Self::Live,
        }
    }
}

/// Why no chain spec was written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CreateError {
    #[error("cannot read the runtime {path}")]
    ReadRuntime { path: PathBuf, source: io::Error },
    #[error("{path} is not a runtime that can name its genesis presets: {reason}")]
    NotARuntime { path: PathBuf, reason: String },
    #[error("the runtime has no preset `{wanted}`; it has: {}", .known.join(", "))]
    UnknownPreset { wanted: String, known: Vec<String> },
    #[error("cannot read the patch {path}")]
    ReadPatch { path: PathBuf, source: io::Error },
    #[error("the patch {path} is not a JSON object: {reason}")]
    BadPatch { path: PathBuf, reason: String },
    #[error("the runtime refuses the patched preset: {reason}")]
    Refused { reason: String },
    #[error("cannot write {path}")]
    Write { path: PathBuf, source: io::Error },
}

impl CreateChainSpecCmd {
    /// Writes the chain spec and tells where on standard output.
    ///
    /// # Errors
    ///
    /// See [`CreateError`]. Nothing is written when the runtime refuses the genesis.
    pub(crate) fn run(&self) -> Result<(), CreateError> {
        let json = self.build()?;
        write_whole(&self.output, &json).map_err(|source| CreateError::Write {
            path: self.output.clone(),
            source,
        })?;
        println!("{}", self.output.display());
        Ok(())
    }

    fn build(&self) -> Result<String, CreateError> {
        let code = fs::read(&self.runtime).map_err(|source| CreateError::ReadRuntime {
            path: self.runtime.clone(),
            source,
        })?;
        let runtime = GenesisConfigBuilderRuntimeCaller::<'_, ()>::new(&code);

        let known = runtime
            .preset_names()
            .map_err(|reason| CreateError::NotARuntime {
                path: self.runtime.clone(),
                reason,
            })?;
        let known: Vec<String> = known.iter().map(ToString::to_string).collect();
        if !known.contains(&self.preset) {
            return Err(CreateError::UnknownPreset {
                wanted: self.preset.clone(),
                known,
            });
        }
        let mut genesis = runtime
            .get_named_preset(Some(&self.preset))
            .map_err(|reason| CreateError::Refused { reason })?;
        if let Some(path) = &self.patch {
            json_patch::merge(&mut genesis, read_patch(path)?);
        }
        runtime
            .get_storage_for_patch(genesis.clone())
            .map_err(|reason| CreateError::Refused {
                reason: shortened(&reason),
            })?;

        let spec = ChainSpec::builder(&code, Extensions::default())
            .with_name(
                &self
                    .name
                    .clone()
                    .unwrap_or_else(|| format!("Selvedge {}", self.preset)),
            )
            .with_id(
                &self
                    .id
                    .clone()
                    .unwrap_or_else(|| format!("selvedge_{}", self.preset)),
            )
            .with_chain_type(self.chain_type.into())
            .with_protocol_id(PROTOCOL_ID)
            .with_boot_nodes(self.bootnodes.clone())
            .with_properties(properties())
            .with_genesis_config_patch(genesis)
            .build();
        spec.as_json(self.raw)
            .map_err(|reason| CreateError::Refused {
                reason: shortened(&reason),
            })
    }
}

fn read_patch(path: &Path) -> Result<Value, CreateError> {
    let text = fs::read_to_string(path).map_err(|source| CreateError::ReadPatch {
        path: path.into(),
        source,
    })?;
    let bad = |reason| CreateError::BadPatch {
        path: path.into(),
        reason,
    };
    let patch: Value = serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
    if patch.is_object() {
        Ok(patch)
    } else {
        Err(bad("the outermost value is something else".into()))
    }
}

/// The builder repeats the whole genesis behind its reason; only the reason helps.
fn shortened(reason: &str) -> String {
    reason
        .split(" for blob:")
        .next()
        .unwrap_or(reason)
        .to_owned()
}

/// Writes beside the target and renames, so that a reader never sees half a spec.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        fs::create_dir_all(folder)?;
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    fs::write(&beside, text)?;
    fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(runtime: &Path, output: &Path) -> CreateChainSpecCmd {
        CreateChainSpecCmd {
            runtime: runtime.into(),
            preset: "development".into(),
            patch: None,
            id: None,
            name: None,
            chain_type: ChainTypeArg::Development,
            bootnodes: Vec::new(),
            raw: false,
            output: output.into(),
        }
    }

    #[test]
    fn a_missing_runtime_and_a_file_that_is_none_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let (runtime, output) = (folder.path().join("r.wasm"), folder.path().join("s.json"));
        assert!(matches!(
            command(&runtime, &output).run(),
            Err(CreateError::ReadRuntime { path, .. }) if path == runtime
        ));
        fs::write(&runtime, b"no wasm").unwrap();
        assert!(matches!(
            command(&runtime, &output).run(),
            Err(CreateError::NotARuntime { path, .. }) if path == runtime
        ));
        assert!(!output.exists());
    }

    #[test]
    fn a_patch_must_be_a_json_object() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("patch.json");
        assert!(matches!(
            read_patch(&path),
            Err(CreateError::ReadPatch { .. })
        ));
        for bad in ["", "[1]", "{"] {
            fs::write(&path, bad).unwrap();
            assert!(
                matches!(read_patch(&path), Err(CreateError::BadPatch { .. })),
                "{bad:?}"
            );
        }
        fs::write(&path, r#"{"sudo": null}"#).unwrap();
        assert_eq!(
            read_patch(&path).unwrap(),
            serde_json::json!({ "sudo": null })
        );
    }

    #[test]
    fn writing_makes_the_folder_and_leaves_no_part() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("specs/new/local.json");
        write_whole(&path, "{}").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "{}");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
}
