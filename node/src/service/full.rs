//! Starts a full, archive or validator node on the parts.

use std::sync::Arc;

use log::info;
use sc_client_api::Backend as _;
use sc_network::{config::FullNetworkConfiguration, NetworkBackend, NotificationService};
use sc_service::{BuildNetworkParams, Configuration, SpawnTasksParams, TaskManager};
use selvedge_client_engine::{Launch, NotificationProtocol, Prepared};
use selvedge_client_rpc::{create_full, AgentDirectory, AgentEntry, FullDeps};
use sp_runtime::traits::Block as BlockT;

use super::{authority_discovery, offchain, prepare, Parts};
use crate::{agents::Directory, fake_runtime::Block};

type Hash = <Block as BlockT>::Hash;

/// Runs the node over the network library `N`; the task manager ends when an essential task does.
///
/// `agents` replaces the stored edge daemons; `None` leaves those of an earlier run.
///
/// # Errors
///
/// Fails when a part cannot be built, or when an entry of `agents` is invalid.
pub(crate) fn start<N: NetworkBackend<Block, Hash>>(
    config: Configuration,
    agents: Option<Vec<AgentEntry>>,
) -> Result<TaskManager, sc_service::Error> {
    let Parts {
        client,
        backend,
        mut task_manager,
        keystore,
        pool,
        prepared,
        mut telemetry,
    } = prepare(&config)?;
    let Prepared {
        engine,
        import_queue,
    } = prepared;
    info!("⚙️  Consensus engine: {}", engine.kind());

    let directory = Arc::new(Directory::new(
        backend
            .offchain_storage()
            .ok_or_else(|| sc_service::Error::Other("the database has no off-chain part".into()))?,
        keystore.keystore(),
    ));
    if let Some(entries) = agents {
        let endpoints = directory.replace(entries).map_err(application)?;
        info!("🧶 Drives {} edge agent(s)", endpoints.len());
    }

    let registry = config.prometheus_registry().cloned();
    let mut net_config =
        FullNetworkConfiguration::<Block, Hash, N>::new(&config.network, registry.clone());
    let metrics = N::register_notification_metrics(registry.as_ref());
    let notifications = engine
        .notification_protocols()
        .into_iter()
        .map(|protocol| register(protocol, &metrics, &mut net_config))
        .collect();

    let (network, system_rpc_tx, tx_handler_controller, sync_service, _bitswap) =
        sc_service::build_network(BuildNetworkParams {
            config: &config,
            net_config,
            client: client.clone(),
            transaction_pool: pool.clone(),
            spawn_handle: task_manager.spawn_handle(),
            spawn_essential_handle: task_manager.spawn_essential_handle(),
            import_queue,
            block_announce_validator_builder: None,
            warp_sync_config: engine.warp_sync(),
            block_relay: None,
            metrics,
            gap_sync_body_policy: None,
        })?;

    if config.offchain_worker.enabled {
        offchain::spawn(
            &task_manager,
            client.clone(),
            &backend,
            keystore.keystore(),
            pool.clone(),
            network.clone(),
            config.role.is_authority(),
        )?;
    }
    if config.role.is_authority() {
        authority_discovery::spawn(
            &config,
            &task_manager,
            client.clone(),
            network.clone(),
            keystore.keystore(),
        );
    }

    let launch = Launch {
        network: network.clone(),
        sync: sync_service.clone(),
        notifications,
        is_authority: config.role.is_authority(),
        force_authoring: config.force_authoring,
        disable_finality: config.disable_grandpa,
    };

    let rpc_builder = {
        let (client, pool) = (client.clone(), pool.clone());
        let engine_rpc = engine.rpc();
        Box::new(move |executor| {
            let deps = FullDeps {
                client: client.clone(),
                pool: pool.clone(),
                agents: directory.clone() as Arc<dyn AgentDirectory>,
            };
            create_full::<Block, _, _>(deps, engine_rpc(executor)?).map_err(application)
        })
    };
    sc_service::spawn_tasks(SpawnTasksParams {
        config,
        client,
        backend,
        task_manager: &mut task_manager,
        keystore: keystore.keystore(),
        transaction_pool: pool,
        rpc_builder,
        network,
        system_rpc_tx,
        tx_handler_controller,
        sync_service,
        telemetry: telemetry.as_mut(),
        tracing_execute_block: None,
    })?;

    // Last, so that session keys made by `--alice` and the like are in the keystore already.
    engine.launch(launch)?;
    Ok(task_manager)
}

fn register<N: NetworkBackend<Block, Hash>>(
    protocol: NotificationProtocol,
    metrics: &sc_network::NotificationMetrics,
    net_config: &mut FullNetworkConfiguration<Block, Hash, N>,
) -> Box<dyn NotificationService> {
    let (config, service) = N::notification_config(
        protocol.name,
        Vec::new(),
        protocol.max_size,
        None,
        protocol.set,
        metrics.clone(),
        net_config.peer_store_handle(),
    );
    net_config.add_notification_protocol(config);
    service
}

fn application(error: impl std::error::Error + Send + Sync + 'static) -> sc_service::Error {
    sc_service::Error::Application(Box::new(error))
}
