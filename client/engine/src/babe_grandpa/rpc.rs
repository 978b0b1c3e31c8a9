//! The `babe_*`, `grandpa_*` and `sync_state_*` JSON-RPC methods.

use jsonrpsee::RpcModule;
use sc_consensus_babe_rpc::{Babe, BabeApiServer};
use sc_consensus_grandpa::{BlockNumberOps, FinalityProofProvider};
use sc_consensus_grandpa_rpc::{Grandpa, GrandpaApiServer};
use sc_executor::RuntimeVersionOf;
use sc_sync_state_rpc::{SyncState, SyncStateApiServer};
use sp_api::ConstructRuntimeApi;
use sp_core::traits::CodeExecutor;
use sp_runtime::traits::{Block as BlockT, NumberFor};

use super::BabeGrandpa;
use crate::{Client, EngineApis, Pool, RpcBuilder};

pub(super) fn builder<Block, Api, Exec, P>(engine: &BabeGrandpa<Block, Api, Exec, P>) -> RpcBuilder
where
    Block: BlockT,
    NumberFor<Block>: BlockNumberOps,
    Api: ConstructRuntimeApi<Block, Client<Block, Api, Exec>> + Send + Sync + 'static,
    Api::RuntimeApi: EngineApis<Block>,
    Exec: CodeExecutor + RuntimeVersionOf + Clone + 'static,
    P: Pool<Block>,
{
    let client = engine.client.clone();
    let keystore = engine.keystore.clone();
    let select_chain = engine.select_chain.clone();
    let chain_spec = engine.chain_spec.cloned_box();
    let babe_worker = engine.babe_worker.clone();
    let authority_set = engine.grandpa_link.shared_authority_set().clone();
    let justifications = engine.grandpa_link.justification_stream();
    let voter_state = engine.voter_state.clone();
    let proofs =
        FinalityProofProvider::new_for_service(engine.backend.clone(), Some(authority_set.clone()));

    Box::new(move |executor| {
        let mut module = RpcModule::new(());
        let babe = Babe::new(
            client.clone(),
            babe_worker.clone(),
            keystore.clone(),
            select_chain.clone(),
        );
        let grandpa = Grandpa::new(
            executor,
            authority_set.clone(),
            voter_state.clone(),
            justifications.clone(),
            proofs.clone(),
        );
        let sync_state = SyncState::new(
            chain_spec.cloned_box(),
            client.clone(),
            authority_set.clone(),
            babe_worker.clone(),
        )
        .map_err(|error| sc_service::Error::Application(error.into()))?;

        let clash = |error| sc_service::Error::Application(Box::new(error));
        module.merge(babe.into_rpc()).map_err(clash)?;
        module.merge(grandpa.into_rpc()).map_err(clash)?;
        module.merge(sync_state.into_rpc()).map_err(clash)?;
        Ok(module)
    })
}
