//! Starts the GRANDPA voter. A node that is no authority runs it too, without keys: it follows the
//! votes and learns of finality at once.

use std::time::Duration;

use sc_consensus_grandpa::{BlockNumberOps, Config, GrandpaParams, VotingRulesBuilder};
use sc_executor::RuntimeVersionOf;
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_api::ConstructRuntimeApi;
use sp_core::traits::CodeExecutor;
use sp_runtime::traits::{Block as BlockT, NumberFor};

use super::BabeGrandpa;
use crate::{Client, EngineApis, Launch, Pool};

/// How long a vote is expected to need to reach every voter; a round lasts a small multiple of it.
const GOSSIP_DURATION: Duration = Duration::from_millis(333);

/// A justification is stored at least every so many blocks, besides those that close an authority
/// set.
const JUSTIFICATION_GENERATION_PERIOD: u32 = 512;

pub(super) fn launch<Block, Api, Exec, P>(
    engine: BabeGrandpa<Block, Api, Exec, P>,
    launch: Launch<Block>,
) -> Result<(), sc_service::Error>
where
    Block: BlockT,
    NumberFor<Block>: BlockNumberOps,
    Api: ConstructRuntimeApi<Block, Client<Block, Api, Exec>> + Send + Sync + 'static,
    Api::RuntimeApi: EngineApis<Block>,
    Exec: CodeExecutor + RuntimeVersionOf + Clone + 'static,
    P: Pool<Block>,
{
    let notification_service = launch.notifications.into_iter().next().ok_or_else(|| {
        sc_service::Error::Other("the GRANDPA notification protocol was not registered".into())
    })?;
    let config = Config {
        gossip_duration: GOSSIP_DURATION,
        justification_generation_period: JUSTIFICATION_GENERATION_PERIOD,
        observer_enabled: false,
        local_role: engine.role,
        name: Some(engine.node_name),
        keystore: launch.is_authority.then_some(engine.keystore),
        telemetry: engine.telemetry.clone(),
        protocol_name: engine.grandpa_protocol,
    };
    let voter = sc_consensus_grandpa::run_grandpa_voter(GrandpaParams {
        config,
        link: engine.grandpa_link,
        network: launch.network,
        sync: launch.sync,
        notification_service,
        voting_rule: VotingRulesBuilder::default().build(),
        prometheus_registry: engine.registry,
        shared_voter_state: engine.voter_state,
        telemetry: engine.telemetry,
        offchain_tx_pool_factory: OffchainTransactionPoolFactory::new(engine.pool),
    })?;
    engine
        .essential_spawner
        .spawn_blocking("grandpa-voter", None, voter);
    Ok(())
}
