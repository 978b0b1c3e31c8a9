//! Puts the node together: database, executor, pool, engine, network, RPC.
//!
//! Knows no engine and no pallet; see `selvedge-client-engine` for the seam.

mod authority_discovery;
mod full;
mod offchain;

use std::sync::Arc;

use sc_executor::WasmExecutor;
use sc_service::{Configuration, KeystoreContainer, TaskManager};
use sc_telemetry::{Telemetry, TelemetryWorker};
use selvedge_client_engine::{Foundation, Prepared};

use crate::fake_runtime::{Block, RuntimeApi};

pub(crate) use full::start;

/// Runs the chain's runtime with the standard host functions.
type Executor = WasmExecutor<sp_io::SubstrateHostFunctions>;
/// The client of this node.
pub(crate) type Client = selvedge_client_engine::Client<Block, RuntimeApi, Executor>;
/// The database of this node.
pub(crate) type Backend = selvedge_client_engine::Backend<Block>;
type Pool = sc_transaction_pool::TransactionPoolHandle<Block, Client>;

/// Telemetry messages waiting to be sent; more are dropped.
const TELEMETRY_BUFFER: usize = 16;

/// Everything that exists before the network does; the chain commands need no more.
pub(crate) struct Parts {
    pub(crate) client: Arc<Client>,
    pub(crate) backend: Arc<Backend>,
    pub(crate) task_manager: TaskManager,
    pub(crate) keystore: KeystoreContainer,
    pub(crate) pool: Arc<Pool>,
    pub(crate) prepared: Prepared<Block>,
    pub(crate) telemetry: Option<Telemetry>,
}

/// Opens the database, reads the runtime and prepares the engine.
///
/// # Errors
///
/// Fails when the database cannot be opened or belongs to another chain, or when the runtime has no
/// engine known to this node.
pub(crate) fn prepare(config: &Configuration) -> Result<Parts, sc_service::Error> {
    let telemetry = config
        .telemetry_endpoints
        .clone()
        .filter(|endpoints| !endpoints.is_empty())
        .map(|endpoints| {
            let worker = TelemetryWorker::new(TELEMETRY_BUFFER)?;
            let telemetry = worker.handle().new_telemetry(endpoints);
            Ok::<_, sc_telemetry::Error>((worker, telemetry))
        })
        .transpose()?;

    let (client, backend, keystore, task_manager) =
        sc_service::new_full_parts::<Block, RuntimeApi, _>(
            config,
            telemetry.as_ref().map(|(_, telemetry)| telemetry.handle()),
            sc_service::new_wasm_executor::<sp_io::SubstrateHostFunctions>(&config.executor),
            selvedge_client_engine::pruning_filters(),
        )?;
    let client = Arc::new(client);

    let telemetry = telemetry.map(|(worker, telemetry)| {
        task_manager
            .spawn_handle()
            .spawn("telemetry", None, worker.run());
        telemetry
    });

    let pool = sc_transaction_pool::Builder::new(
        task_manager.spawn_essential_handle(),
        client.clone(),
        config.role.is_authority().into(),
    )
    .with_options(config.transaction_pool.clone())
    .with_prometheus(config.prometheus_registry())
    .build();
    let pool = Arc::new(pool);

    let prepared = selvedge_client_engine::prepare(Foundation {
        config,
        client: client.clone(),
        backend: backend.clone(),
        keystore: keystore.keystore(),
        pool: pool.clone(),
        spawner: task_manager.spawn_handle(),
        essential_spawner: task_manager.spawn_essential_handle(),
        telemetry: telemetry.as_ref().map(Telemetry::handle),
    })?;

    Ok(Parts {
        client,
        backend,
        task_manager,
        keystore,
        pool,
        prepared,
        telemetry,
    })
}
