//! Publishes a validator's addresses under its discovery key and looks up those of the others, so
//! that validators stay connected.

use std::sync::Arc;

use futures::StreamExt;
use sc_authority_discovery::{Role, WorkerConfig};
use sc_network::{event::Event, service::traits::NetworkService, NetworkEventStream};
use sc_service::{Configuration, TaskManager};
use sp_keystore::KeystorePtr;

use super::Client;

/// Starts the discovery task of a validator.
pub(crate) fn spawn(
    config: &Configuration,
    task_manager: &TaskManager,
    client: Arc<Client>,
    network: Arc<dyn NetworkService>,
    keystore: KeystorePtr,
) {
    let dht_events = network
        .event_stream("authority-discovery")
        .filter_map(|event| async move {
            match event {
                Event::Dht(event) => Some(event),
                _ => None,
            }
        });
    let worker_config = WorkerConfig {
        publish_non_global_ips: config.network.allow_non_globals_in_dht,
        public_addresses: config.network.public_addresses.clone(),
        // No older version of this network publishes records without the peer's signature.
        strict_record_validation: true,
        persisted_cache_directory: config.network.net_config_path.clone(),
        ..Default::default()
    };
    let (worker, _service) = sc_authority_discovery::new_worker_and_service_with_config(
        worker_config,
        client,
        Arc::new(network),
        Box::pin(dht_events),
        Role::PublishAndDiscover(keystore),
        config.prometheus_registry().cloned(),
        task_manager.spawn_handle(),
    );
    task_manager.spawn_handle().spawn(
        "authority-discovery-worker",
        Some("networking"),
        worker.run(),
    );
}
