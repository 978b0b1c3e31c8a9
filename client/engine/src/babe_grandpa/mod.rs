//! BABE authors, GRANDPA finalises: the first engine behind the seam.
//!
//! Slot length, epoch length and authorities come from the runtime API, so one build serves every
//! preset. The import pipeline is queue → reports of equivocation → BABE (epochs, fork choice) →
//! GRANDPA (authority sets, justifications) → client.

mod authoring;
mod equivocation;
mod finality;
mod import;
mod inherents;
mod rpc;

use std::sync::Arc;

use sc_consensus::LongestChain;
use sc_consensus_babe::{BabeLink, BabeWorkerHandle};
use sc_consensus_grandpa::{
    protocol_standard_name, BlockNumberOps, GrandpaPruningFilter, LinkHalf, SharedVoterState,
};
use sc_executor::RuntimeVersionOf;
use sc_network::{
    config::{NonReservedPeerMode, SetConfig},
    ProtocolName,
};
use sc_network_sync::WarpSyncConfig;
use sc_service::{ChainSpec, PruningFilter, Role, SpawnEssentialTaskHandle, SpawnTaskHandle};
use sc_telemetry::TelemetryHandle;
use sp_api::ConstructRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_core::traits::CodeExecutor;
use sp_keystore::KeystorePtr;
use sp_runtime::traits::{Block as BlockT, NumberFor};
use substrate_prometheus_endpoint::Registry;

use crate::{
    Backend, Client, Engine, EngineApis, EngineKind, Foundation, Launch, NotificationProtocol,
    Pool, Prepared, RpcBuilder,
};
use import::Import;

pub use sc_sync_state_rpc::LightSyncStateExtension;

/// Largest GRANDPA notification, in bytes: commits of a large voter set reach about 256 KiB, with
/// room to spare.
const MAX_NOTIFICATION_SIZE: u64 = 1024 * 1024;

type FullSelectChain<Block> = LongestChain<Backend<Block>, Block>;
type FullLinkHalf<Block, Api, Exec> =
    LinkHalf<Block, Client<Block, Api, Exec>, FullSelectChain<Block>>;

/// Blocks that carry a GRANDPA justification survive pruning: warp sync proofs are made of them.
pub fn pruning_filters() -> Vec<Arc<dyn PruningFilter>> {
    vec![Arc::new(GrandpaPruningFilter)]
}

/// The engine between [`prepare`] and [`Engine::launch`].
struct BabeGrandpa<Block: BlockT, Api, Exec, P> {
    client: Arc<Client<Block, Api, Exec>>,
    backend: Arc<Backend<Block>>,
    keystore: KeystorePtr,
    pool: Arc<P>,
    chain_spec: Box<dyn ChainSpec>,
    role: Role,
    node_name: String,
    registry: Option<Registry>,
    telemetry: Option<TelemetryHandle>,
    spawner: SpawnTaskHandle,
    essential_spawner: SpawnEssentialTaskHandle,

    select_chain: FullSelectChain<Block>,
    block_import: Import<Block, Api, Exec>,
    babe_link: BabeLink<Block>,
    babe_worker: BabeWorkerHandle<Block>,
    grandpa_link: FullLinkHalf<Block, Api, Exec>,
    voter_state: SharedVoterState,
    grandpa_protocol: ProtocolName,
}

/// Builds the import pipeline from the runtime's BABE configuration.
pub(crate) fn prepare<Block, Api, Exec, P>(
    foundation: Foundation<'_, Block, Api, Exec, P>,
) -> Result<Prepared<Block>, sc_service::Error>
where
    Block: BlockT,
    NumberFor<Block>: BlockNumberOps,
    Api: ConstructRuntimeApi<Block, Client<Block, Api, Exec>> + Send + Sync + 'static,
    Api::RuntimeApi: EngineApis<Block>,
    Exec: CodeExecutor + RuntimeVersionOf + Clone + 'static,
    P: Pool<Block>,
{
    let pipeline = import::pipeline(&foundation)?;
    let Foundation {
        config,
        client,
        backend,
        keystore,
        pool,
        spawner,
        essential_spawner,
        telemetry,
    } = foundation;

    let grandpa_protocol = protocol_standard_name(&client.info().genesis_hash, &config.chain_spec);
    let engine = BabeGrandpa {
        client,
        backend,
        keystore,
        pool,
        chain_spec: config.chain_spec.cloned_box(),
        role: config.role,
        node_name: config.network.node_name.clone(),
        registry: config.prometheus_registry().cloned(),
        telemetry,
        spawner,
        essential_spawner,
        select_chain: pipeline.select_chain,
        block_import: pipeline.block_import,
        babe_link: pipeline.babe_link,
        babe_worker: pipeline.babe_worker,
        grandpa_link: pipeline.grandpa_link,
        voter_state: SharedVoterState::empty(),
        grandpa_protocol,
    };
    Ok(Prepared {
        engine: Box::new(engine),
        import_queue: pipeline.import_queue,
    })
}

/// Takes BABE's epoch tree and GRANDPA's pending changes back with the blocks.
pub(crate) fn revert<Block, Api, Exec>(
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
    sc_consensus_babe::revert(client.clone(), backend, blocks)?;
    sc_consensus_grandpa::revert(client, blocks)?;
    Ok(())
}

impl<Block, Api, Exec, P> Engine<Block> for BabeGrandpa<Block, Api, Exec, P>
where
    Block: BlockT,
    NumberFor<Block>: BlockNumberOps,
    Api: ConstructRuntimeApi<Block, Client<Block, Api, Exec>> + Send + Sync + 'static,
    Api::RuntimeApi: EngineApis<Block>,
    Exec: CodeExecutor + RuntimeVersionOf + Clone + 'static,
    P: Pool<Block>,
{
    fn kind(&self) -> EngineKind {
        EngineKind::BabeGrandpa
    }

    fn notification_protocols(&self) -> Vec<NotificationProtocol> {
        // Slots stay closed at first: sync tells GRANDPA which of its peers to open the protocol
        // with.
        let set = SetConfig {
            in_peers: 0,
            out_peers: 0,
            reserved_nodes: Vec::new(),
            non_reserved_mode: NonReservedPeerMode::Deny,
        };
        let name = self.grandpa_protocol.clone();
        vec![NotificationProtocol {
            name,
            max_size: MAX_NOTIFICATION_SIZE,
            set,
        }]
    }

    fn warp_sync(&self) -> Option<WarpSyncConfig<Block>> {
        Some(WarpSyncConfig::WithProvider(Arc::new(
            sc_consensus_grandpa::warp_proof::NetworkProvider::new(
                self.backend.clone(),
                self.grandpa_link.shared_authority_set().clone(),
                Vec::new(),
            ),
        )))
    }

    fn rpc(&self) -> RpcBuilder {
        rpc::builder(self)
    }

    fn launch(self: Box<Self>, launch: Launch<Block>) -> Result<(), sc_service::Error> {
        if launch.is_authority {
            authoring::launch(&self, &launch)?;
        }
        if !launch.disable_finality {
            finality::launch(*self, launch)?;
        }
        Ok(())
    }
}
