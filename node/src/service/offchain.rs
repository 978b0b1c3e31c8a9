//! Runs the off-chain worker of the runtime on every best block, with HTTP and this node's keys.

use std::sync::Arc;

use futures::FutureExt;
use sc_client_api::Backend as _;
use sc_network::service::traits::NetworkService;
use sc_offchain::{OffchainWorkerOptions, OffchainWorkers};
use sc_service::TaskManager;
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_keystore::KeystorePtr;

use super::{Backend, Client, Pool};

/// Starts the worker's task.
///
/// # Errors
///
/// Fails when the HTTP client finds no certificate authorities on this system.
pub(crate) fn spawn(
    task_manager: &TaskManager,
    client: Arc<Client>,
    backend: &Backend,
    keystore: KeystorePtr,
    pool: Arc<Pool>,
    network: Arc<dyn NetworkService>,
    is_validator: bool,
) -> Result<(), sc_service::Error> {
    let workers = OffchainWorkers::new(OffchainWorkerOptions {
        runtime_api_provider: client.clone(),
        keystore: Some(keystore),
        offchain_db: backend.offchain_storage(),
        transaction_pool: Some(OffchainTransactionPoolFactory::new(pool)),
        network_provider: Arc::new(network),
        is_validator,
        enable_http_requests: true,
        custom_extensions: |_| Vec::new(),
    })
    .map_err(|error| {
        sc_service::Error::Other(format!(
            "the off-chain worker has no HTTP client ({error}): install the system's certificate \
             authorities (package ca-certificates), or run with --offchain-worker never"
        ))
    })?;
    task_manager.spawn_handle().spawn(
        "offchain-workers-runner",
        Some("offchain-worker"),
        workers.run(client, task_manager.spawn_handle()).boxed(),
    );
    Ok(())
}
