//! The import pipeline: queue, BABE, GRANDPA, client.

use std::sync::Arc;

use sc_consensus::{DefaultImportQueue, LongestChain};
use sc_consensus_babe::{BabeBlockImport, BabeLink, BabeWorkerHandle};
use sc_consensus_grandpa::{BlockNumberOps, GrandpaBlockImport};
use sc_executor::RuntimeVersionOf;
use sc_transaction_pool_api::{OffchainTransactionPoolFactory, RejectAllTxPool};
use sp_api::ConstructRuntimeApi;
use sp_core::traits::CodeExecutor;
use sp_runtime::traits::{Block as BlockT, NumberFor};

use super::{
    equivocation::ReportEquivocations, inherents::SlotAndTime, FullLinkHalf, FullSelectChain,
};
use crate::{Backend, Client, EngineApis, Foundation, Pool};

/// How many blocks apart a justification inside an imported block must be to be checked; closer
/// ones are ignored, so that a peer cannot slow a sync down with many valid but useless
/// justifications.
const JUSTIFICATION_IMPORT_PERIOD: u32 = 512;

/// Reports of equivocation, then BABE's checks around GRANDPA's around the client.
pub(super) type Import<Block, Api, Exec> = ReportEquivocations<
    Block,
    Api,
    Exec,
    BabeBlockImport<
        Block,
        Client<Block, Api, Exec>,
        GrandpaBlockImport<Backend<Block>, Block, Client<Block, Api, Exec>, FullSelectChain<Block>>,
        SlotAndTime,
        FullSelectChain<Block>,
    >,
>;

pub(super) struct Pipeline<Block: BlockT, Api, Exec> {
    pub(super) import_queue: DefaultImportQueue<Block>,
    pub(super) select_chain: FullSelectChain<Block>,
    pub(super) block_import: Import<Block, Api, Exec>,
    pub(super) babe_link: BabeLink<Block>,
    pub(super) babe_worker: BabeWorkerHandle<Block>,
    pub(super) grandpa_link: FullLinkHalf<Block, Api, Exec>,
}

pub(super) fn pipeline<Block, Api, Exec, P>(
    foundation: &Foundation<'_, Block, Api, Exec, P>,
) -> Result<Pipeline<Block, Api, Exec>, sc_service::Error>
where
    Block: BlockT,
    NumberFor<Block>: BlockNumberOps,
    Api: ConstructRuntimeApi<Block, Client<Block, Api, Exec>> + Send + Sync + 'static,
    Api::RuntimeApi: EngineApis<Block>,
    Exec: CodeExecutor + RuntimeVersionOf + Clone + 'static,
    P: Pool<Block>,
{
    let client = &foundation.client;
    let select_chain = LongestChain::new(foundation.backend.clone());

    let (grandpa_import, grandpa_link) = sc_consensus_grandpa::block_import(
        client.clone(),
        JUSTIFICATION_IMPORT_PERIOD,
        client,
        select_chain.clone(),
        foundation.telemetry.clone(),
    )?;

    let configuration = sc_consensus_babe::configuration(&**client)?;
    let slot_duration = configuration.slot_duration();
    let (babe_import, babe_link) = sc_consensus_babe::block_import(
        configuration,
        grandpa_import.clone(),
        client.clone(),
        SlotAndTime::new(slot_duration),
        select_chain.clone(),
        OffchainTransactionPoolFactory::new(RejectAllTxPool::default()),
    )?;
    let block_import = ReportEquivocations::new(
        babe_import,
        client.clone(),
        babe_link.clone(),
        OffchainTransactionPoolFactory::new(foundation.pool.clone()),
    );

    let (import_queue, babe_worker) =
        sc_consensus_babe::import_queue(sc_consensus_babe::ImportQueueParams {
            link: babe_link.clone(),
            block_import: block_import.clone(),
            justification_import: Some(Box::new(grandpa_import)),
            client: Arc::clone(client),
            slot_duration,
            spawner: &foundation.essential_spawner,
            registry: foundation.config.prometheus_registry(),
            telemetry: foundation.telemetry.clone(),
        })?;

    Ok(Pipeline {
        import_queue,
        select_chain,
        block_import,
        babe_link,
        babe_worker,
        grandpa_link,
    })
}
