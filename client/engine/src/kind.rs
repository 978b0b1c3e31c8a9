//! Chooses the engine by the runtime that the chain spec carries.

use std::sync::Arc;

use sc_executor::RuntimeVersionOf;
use sp_api::{ApiExt, ConstructRuntimeApi, ProvideRuntimeApi};
use sp_blockchain::HeaderBackend;
use sp_consensus_babe::BabeApi;
use sp_consensus_grandpa::GrandpaApi;
use sp_core::traits::CodeExecutor;
use sp_runtime::traits::{Block as BlockT, NumberFor};

use crate::{babe_grandpa, Backend, Client, Foundation, Pool, Prepared};

/// The engines this build knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineKind {
    /// BABE authors, GRANDPA finalises.
    BabeGrandpa,
}

impl std::fmt::Display for EngineKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::BabeGrandpa => "BABE + GRANDPA",
        })
    }
}

/// The runtime APIs that some engine calls. A runtime needs to implement those of its own engine
/// only; the node's type must declare all.
pub trait EngineApis<Block: BlockT>:
    ApiExt<Block>
    + BabeApi<Block>
    + GrandpaApi<Block>
    + sp_block_builder::BlockBuilder<Block>
    + sp_transaction_pool::runtime_api::TaggedTransactionQueue<Block>
{
}

impl<Block: BlockT, T> EngineApis<Block> for T where
    T: ApiExt<Block>
        + BabeApi<Block>
        + GrandpaApi<Block>
        + sp_block_builder::BlockBuilder<Block>
        + sp_transaction_pool::runtime_api::TaggedTransactionQueue<Block>
{
}

/// Asks the runtime which engine the chain runs. Any block would do, since an engine is
/// genesis-only and never changes; what decides is whose state is there: a pruned database has lost
/// the genesis state, one in the middle of a warp sync has nothing later.
fn kind_of<Block, Api, Exec>(
    client: &Client<Block, Api, Exec>,
) -> Result<EngineKind, sc_service::Error>
where
    Block: BlockT,
    Api: ConstructRuntimeApi<Block, Client<Block, Api, Exec>> + Send + Sync + 'static,
    Api::RuntimeApi: EngineApis<Block>,
    Exec: CodeExecutor + RuntimeVersionOf + Clone + 'static,
{
    let info = client.info();
    let at = info
        .finalized_state
        .map_or(info.genesis_hash, |_| info.best_hash);
    let api = client.runtime_api();
    let has_babe = api
        .has_api::<dyn BabeApi<Block>>(at)
        .map_err(sp_blockchain::Error::from)?;
    let has_grandpa = api
        .has_api::<dyn GrandpaApi<Block>>(at)
        .map_err(sp_blockchain::Error::from)?;
    match (has_babe, has_grandpa) {
        (true, true) => Ok(EngineKind::BabeGrandpa),
        _ => Err(sc_service::Error::Other(
            "the runtime of this chain spec offers no consensus engine known to this node \
             (BabeApi and GrandpaApi are missing); use a node built for it"
                .into(),
        )),
    }
}

/// Builds the engine of this chain and the import queue in front of it.
///
/// # Errors
///
/// Fails when the runtime offers no known engine, or when the engine's configuration or records
/// cannot be read.
pub fn prepare<Block, Api, Exec, P>(
    foundation: Foundation<'_, Block, Api, Exec, P>,
) -> Result<Prepared<Block>, sc_service::Error>
where
    Block: BlockT,
    NumberFor<Block>: sc_consensus_grandpa::BlockNumberOps,
    Api: ConstructRuntimeApi<Block, Client<Block, Api, Exec>> + Send + Sync + 'static,
    Api::RuntimeApi: EngineApis<Block>,
    Exec: CodeExecutor + RuntimeVersionOf + Clone + 'static,
    P: Pool<Block>,
{
    match kind_of(&*foundation.client)? {
        EngineKind::BabeGrandpa => babe_grandpa::prepare(foundation),
    }
}

/// Takes back what the engine recorded beside the last `blocks` blocks, down to the finalised one
/// at most.
///
/// # Errors
///
/// Fails when the runtime offers no known engine, or when the records cannot be read or written.
pub fn revert<Block, Api, Exec>(
    client: Arc<Client<Block, Api, Exec>>,
    backend: Arc<Backend<Block>>,
    blocks: NumberFor<Block>,
) -> Result<(), sc_service::Error>
where
    Block: BlockT,
    Api: ConstructRuntimeApi<Block, Client<Block, Api, Exec>> + Send + Sync + 'static,
    Api::RuntimeApi: EngineApis<Block>,
    Exec: CodeExecutor + RuntimeVersionOf + Clone + 'static,
{
    match kind_of(&*client)? {
        EngineKind::BabeGrandpa => babe_grandpa::revert(client, backend, blocks),
    }
}
