//! Lists and replaces the edge daemons that this node's off-chain worker drives.
//!
//! Validates nothing itself: the node's [`AgentDirectory`] does, the same for a file and for a
//! call.

use std::sync::Arc;

use jsonrpsee::{
    core::RpcResult,
    proc_macros::rpc,
    types::{error::INVALID_PARAMS_CODE, ErrorObject, ErrorObjectOwned},
    Extensions,
};
use sc_rpc_api::check_if_safe;
use serde::{Deserialize, Serialize};

/// Error code of a call that was well formed but could not be carried out by this node.
const DIRECTORY_FAILED: i32 = 8001;

/// One edge daemon as an operator writes it down, in the agents file and in `selvedge_setAgents`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentEntry {
    /// The device id: the daemon's ed25519 public key, 32 bytes in hex.
    pub device: String,
    /// Where the daemon's control listens, `http://` on a loopback address.
    pub url: String,
    /// The secret that the daemon expects, in hex.
    pub token: String,
    /// A secret URI for the key that signs this daemon's transactions; without it the node keeps a
    /// key of its own making.
    #[serde(default, alias = "edgeKey")]
    pub edge_key: Option<String>,
}

// Written by hand: a derived implementation would put the token and the secret URI into logs.
impl std::fmt::Debug for AgentEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AgentEntry")
            .field("device", &self.device)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// What may be told about an edge daemon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AgentInfo {
    /// The device id, `0x` and 64 hex digits.
    pub device: String,
    pub url: String,
    /// The sr25519 public key that signs this daemon's transactions, `0x` and 64 hex digits.
    pub agent_key: String,
}

/// Why a directory did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentFault {
    /// The caller's entries are wrong; nothing changed.
    Rejected(String),
    /// This node could not store or read them.
    Failed(String),
}

/// The node's list of edge daemons.
pub trait AgentDirectory: Send + Sync {
    /// Replaces the whole list, or changes nothing.
    ///
    /// # Errors
    ///
    /// [`AgentFault::Rejected`] when an entry is invalid, [`AgentFault::Failed`] when the keystore
    /// or the off-chain storage fails.
    fn replace(&self, agents: Vec<AgentEntry>) -> Result<Vec<AgentInfo>, AgentFault>;

    /// Lists what is stored.
    ///
    /// # Errors
    ///
    /// [`AgentFault::Failed`] when the off-chain storage cannot be read.
    fn list(&self) -> Result<Vec<AgentInfo>, AgentFault>;
}

/// The unsafe methods of the directory.
#[rpc(server)]
pub trait AgentsApi {
    /// Lists the edge daemons this node drives, without their tokens.
    #[method(name = "selvedge_agents", with_extensions)]
    fn agents(&self) -> RpcResult<Vec<AgentInfo>>;

    /// Replaces the edge daemons this node drives, and answers with the new list.
    #[method(name = "selvedge_setAgents", with_extensions)]
    fn set_agents(&self, agents: Vec<AgentEntry>) -> RpcResult<Vec<AgentInfo>>;
}

/// Serves [`AgentsApi`] from a directory.
pub struct AgentsRpc {
    directory: Arc<dyn AgentDirectory>,
}

impl AgentsRpc {
    pub fn new(directory: Arc<dyn AgentDirectory>) -> Self {
        Self { directory }
    }
}

impl AgentsApiServer for AgentsRpc {
    fn agents(&self, extensions: &Extensions) -> RpcResult<Vec<AgentInfo>> {
        check_if_safe(extensions)?;
        self.directory.list().map_err(error_object)
    }

    fn set_agents(
        &self,
        extensions: &Extensions,
        agents: Vec<AgentEntry>,
    ) -> RpcResult<Vec<AgentInfo>> {
        check_if_safe(extensions)?;
        self.directory.replace(agents).map_err(error_object)
    }
}

fn error_object(fault: AgentFault) -> ErrorObjectOwned {
    let (code, message) = match fault {
        AgentFault::Rejected(message) => (INVALID_PARAMS_CODE, message),
        AgentFault::Failed(message) => (DIRECTORY_FAILED, message),
    };
    ErrorObject::owned(code, message, None::<()>)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sc_rpc_api::DenyUnsafe;

    /// Remembers nothing; answers what the test says.
    struct Fixed(Result<Vec<AgentInfo>, AgentFault>);

    impl AgentDirectory for Fixed {
        fn replace(&self, _: Vec<AgentEntry>) -> Result<Vec<AgentInfo>, AgentFault> {
            self.0.clone()
        }

        fn list(&self) -> Result<Vec<AgentInfo>, AgentFault> {
            self.0.clone()
        }
    }

    fn extensions(deny: DenyUnsafe) -> Extensions {
        let mut extensions = Extensions::new();
        extensions.insert(deny);
        extensions
    }

    #[test]
    fn a_public_connection_may_neither_list_nor_replace() {
        let rpc = AgentsRpc::new(Arc::new(Fixed(Ok(Vec::new()))));
        let public = extensions(DenyUnsafe::Yes);
        assert!(rpc.agents(&public).is_err());
        assert!(rpc.set_agents(&public, Vec::new()).is_err());
        let local = extensions(DenyUnsafe::No);
        assert_eq!(rpc.agents(&local).unwrap(), Vec::new());
        assert_eq!(rpc.set_agents(&local, Vec::new()).unwrap(), Vec::new());
    }

    #[test]
    fn a_rejected_entry_is_the_callers_fault_and_a_failed_store_the_nodes() {
        let local = extensions(DenyUnsafe::No);
        let rejected = AgentsRpc::new(Arc::new(Fixed(Err(AgentFault::Rejected("no".into())))));
        let error = rejected.set_agents(&local, Vec::new()).unwrap_err();
        assert_eq!((error.code(), error.message()), (INVALID_PARAMS_CODE, "no"));
        let failed = AgentsRpc::new(Arc::new(Fixed(Err(AgentFault::Failed("disk".into())))));
        let error = failed.agents(&local).unwrap_err();
        assert_eq!((error.code(), error.message()), (DIRECTORY_FAILED, "disk"));
    }

    #[test]
    fn the_token_is_not_shown_by_debug() {
        let entry: AgentEntry = serde_json::from_str(
            r#"{"device":"0x01","url":"http://127.0.0.1:1","token":"c0ffee","edgeKey":"//Secret"}"#,
        )
        .unwrap();
        let shown = format!("{entry:?}");
        assert!(shown.contains("127.0.0.1"));
        assert!(!shown.contains("c0ffee") && !shown.contains("Secret"));
        assert_eq!(entry.edge_key.as_deref(), Some("//Secret"));
    }
}
