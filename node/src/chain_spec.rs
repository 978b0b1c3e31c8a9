//! Chain specs: which file a `--chain` name stands for, and what a spec of this network carries.
//!
//! The node has no chain built in, since it has no runtime built in: `--dev` and `--chain local`
//! read the specs that the workspace command wrote, every other name is a file.

use std::path::{Path, PathBuf};

use sc_chain_spec::{ChainSpecExtension, GenericChainSpec, Properties};
use sc_client_api::{BadBlocks, ForkBlocks};
use selvedge_client_engine::LightSyncStateExtension;
use serde::{Deserialize, Serialize};

use crate::fake_runtime::Block;

/// Prefix of addresses: not registered, and they begin with `se`.
pub(crate) const SS58_PREFIX: u16 = 460;

const TOKEN_SYMBOL: &str = "SEL";
const TOKEN_DECIMALS: u8 = 12;

/// The folder that holds the specs of the named chains.
pub(crate) const SPECS_FOLDER_VARIABLE: &str = "SELVEDGE_CHAIN_SPECS";
const DEFAULT_SPECS_FOLDER: &str = "chain-specs";

/// A chain spec of this network.
pub(crate) type ChainSpec = GenericChainSpec<Extensions>;

/// What a chain spec may carry beside genesis.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ChainSpecExtension)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Extensions {
    /// Block numbers with the only hash that is accepted there.
    #[serde(default)]
    pub(crate) fork_blocks: ForkBlocks<Block>,
    /// Hashes of blocks that are never accepted.
    #[serde(default)]
    pub(crate) bad_blocks: BadBlocks<Block>,
    /// A checkpoint for light clients, which `sync_state_genSyncSpec` fills in.
    #[serde(default)]
    pub(crate) light_sync_state: LightSyncStateExtension,
}

/// Why there is no chain spec.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error(
        "no chain named: give a chain spec with --chain FILE, or use --dev or --chain local for a chain of this machine"
    )]
    NoChain,
    #[error(
        "there is no chain spec for `{id}` at {path}: run `cargo xtask spec` to write it, or name its folder in {SPECS_FOLDER_VARIABLE}"
    )]
    NamedChainMissing { id: String, path: PathBuf },
    #[error("there is no chain spec at {path}")]
    FileMissing { path: PathBuf },
    #[error("the chain spec at {path} cannot be used: {reason}")]
    Unusable { path: PathBuf, reason: String },
}

/// What wallets show: symbol, decimals and address prefix.
pub(crate) fn properties() -> Properties {
    let mut properties = Properties::new();
    properties.insert("tokenSymbol".into(), TOKEN_SYMBOL.into());
    properties.insert("tokenDecimals".into(), TOKEN_DECIMALS.into());
    properties.insert("ss58Format".into(), SS58_PREFIX.into());
    properties
}

/// The folder of the named chains: from the environment, or `chain-specs` in the working directory.
pub(crate) fn specs_folder() -> PathBuf {
    std::env::var_os(SPECS_FOLDER_VARIABLE)
        .filter(|folder| !folder.is_empty())
        .map_or_else(|| DEFAULT_SPECS_FOLDER.into(), PathBuf::from)
}

/// Loads the spec that `--chain id` stands for.
///
/// # Errors
///
/// Says which file is missing and which command writes it, or why the file cannot be used.
pub(crate) fn load(id: &str, folder: &Path) -> Result<ChainSpec, LoadError> {
    let named = match id {
        "" => return Err(LoadError::NoChain),
        "dev" | "development" => Some("development.json"),
        "local" => Some("local.json"),
        _ => None,
    };
    let path = named.map_or_else(|| PathBuf::from(id), |file| folder.join(file));
    if !path.is_file() {
        return Err(match named {
            Some(_) => LoadError::NamedChainMissing {
                id: id.into(),
                path,
            },
            None => LoadError::FileMissing { path },
        });
    }
    ChainSpec::from_json_file(path.clone()).map_err(|reason| LoadError::Unusable { path, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_named_chain_says_which_command_writes_it() {
        let folder = tempfile::tempdir().unwrap();
        for (id, file) in [("dev", "development.json"), ("local", "local.json")] {
            let error = load(id, folder.path()).err().unwrap().to_string();
            let path = folder.path().join(file);
            assert_eq!(
                error,
                format!(
                    "there is no chain spec for `{id}` at {}: run `cargo xtask spec` to write it, \
                     or name its folder in SELVEDGE_CHAIN_SPECS",
                    path.display()
                )
            );
        }
    }

    #[test]
    fn no_chain_and_a_missing_file_are_told_apart() {
        let folder = Path::new("unused");
        assert!(matches!(load("", folder), Err(LoadError::NoChain)));
        let error = load("/nowhere/spec.json", folder).err().unwrap();
        assert_eq!(
            error.to_string(),
            "there is no chain spec at /nowhere/spec.json"
        );
    }

    #[test]
    fn a_broken_file_is_named_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("local.json");
        std::fs::write(&path, "{ not json").unwrap();
        let error = load("local", folder.path()).err().unwrap();
        assert!(matches!(&error, LoadError::Unusable { path: named, .. } if *named == path));
        assert!(error.to_string().contains("cannot be used"));
    }

    #[test]
    fn wallets_learn_symbol_decimals_and_prefix() {
        let properties = serde_json::Value::Object(properties());
        assert_eq!(
            properties,
            serde_json::json!({ "tokenSymbol": "SEL", "tokenDecimals": 12, "ss58Format": 460 })
        );
    }

    #[test]
    fn a_spec_without_extensions_loads() {
        let folder = tempfile::tempdir().unwrap();
        let spec = ChainSpec::builder(b"code", Extensions::default())
            .with_name("Test")
            .with_id("test")
            .with_properties(properties())
            .with_genesis_config_patch(serde_json::json!({}))
            .build();
        let mut json: serde_json::Value =
            serde_json::from_str(&spec.as_json(false).unwrap()).unwrap();
        for key in ["forkBlocks", "badBlocks", "lightSyncState"] {
            assert!(json.as_object_mut().unwrap().remove(key).is_some(), "{key}");
        }
        std::fs::write(folder.path().join("local.json"), json.to_string()).unwrap();
        let loaded = load("local", folder.path()).unwrap();
        assert_eq!((loaded.name(), loaded.id()), ("Test", "test"));
    }
}
