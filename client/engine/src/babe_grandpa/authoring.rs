//! Starts the BABE slot worker.

use sc_basic_authorship::ProposerFactory;
use sc_consensus_babe::BabeParams;
use sc_consensus_grandpa::BlockNumberOps;
use sc_consensus_slots::{BackoffAuthoringOnFinalizedHeadLagging, SlotProportion};
use sc_executor::RuntimeVersionOf;
use sp_api::ConstructRuntimeApi;
use sp_core::traits::CodeExecutor;
use sp_runtime::traits::{Block as BlockT, NumberFor};

use super::{inherents::SlotAndTime, BabeGrandpa};
use crate::{Client, EngineApis, Launch, Pool};

/// The part of a slot that may be spent on building the block; the rest is for the block to reach
/// the next author.
const PROPOSAL_SLOT_PORTION: f32 = 0.5;

pub(super) fn launch<Block, Api, Exec, P>(
    engine: &BabeGrandpa<Block, Api, Exec, P>,
    launch: &Launch<Block>,
) -> Result<(), sc_service::Error>
where
    Block: BlockT,
    NumberFor<Block>: BlockNumberOps,
    Api: ConstructRuntimeApi<Block, Client<Block, Api, Exec>> + Send + Sync + 'static,
    Api::RuntimeApi: EngineApis<Block>,
    Exec: CodeExecutor + RuntimeVersionOf + Clone + 'static,
    P: Pool<Block>,
{
    let proposer = ProposerFactory::new(
        engine.spawner.clone(),
        engine.client.clone(),
        engine.pool.clone(),
        engine.registry.as_ref(),
        engine.telemetry.clone(),
    );
    // An operator who forces authoring wants blocks even while finality stands still.
    let backoff_authoring_blocks =
        (!launch.force_authoring).then(BackoffAuthoringOnFinalizedHeadLagging::default);

    let worker = sc_consensus_babe::start_babe(BabeParams {
        keystore: engine.keystore.clone(),
        client: engine.client.clone(),
        select_chain: engine.select_chain.clone(),
        env: proposer,
        block_import: engine.block_import.clone(),
        sync_oracle: launch.sync.clone(),
        justification_sync_link: launch.sync.clone(),
        create_inherent_data_providers: SlotAndTime::new(engine.babe_link.config().slot_duration()),
        force_authoring: launch.force_authoring,
        backoff_authoring_blocks,
        babe_link: engine.babe_link.clone(),
        block_proposal_slot_portion: SlotProportion::new(PROPOSAL_SLOT_PORTION),
        max_block_proposal_slot_portion: None,
        telemetry: engine.telemetry.clone(),
    })?;
    engine
        .essential_spawner
        .spawn_blocking("babe-proposer", Some("block-authoring"), worker);
    Ok(())
}
