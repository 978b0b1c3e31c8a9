//! What a cache does with the messages of gateways.

use crate::{leases::Leases, metrics::Metrics, options::CacheOptions, world::Worlds};
use selvedge_edge_core_verify::LeaseId;
use selvedge_edge_drivers_meter::CacheMeter;
use selvedge_edge_drivers_store::Store;
use selvedge_edge_drivers_transport::{
    CacheService, InvalidateRequest, LookupRequest, ReplySender, SeedAnswer, SeedReceiver,
};
use selvedge_primitives_types::{DeviceId, LeafBody, Signature64, SignedVoucher};
use std::sync::Arc;

/// Everything that the parts of a cache share.
pub(crate) struct Shared {
    pub(crate) device: DeviceId,
    pub(crate) options: CacheOptions,
    pub(crate) worlds: Arc<Worlds>,
    pub(crate) store: Store,
    pub(crate) leases: Leases,
    pub(crate) meter: CacheMeter,
    pub(crate) metrics: Metrics,
}

impl Shared {
    /// Runs disk work off the threads that carry connections.
    pub(crate) async fn on_disk<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Store) -> Result<T, selvedge_edge_drivers_store::Error> + Send + 'static,
    ) -> Option<T> {
        let shared = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&shared.store)).await;
        match done {
            Ok(Ok(value)) => Some(value),
            Ok(Err(error)) => {
                self.metrics.store_failures.inc();
                tracing::warn!(%error, "the store failed");
                None
            }
            Err(error) => {
                tracing::error!(%error, "a disk task ended early");
                None
            }
        }
    }
}

impl CacheService for Shared {
    async fn lookup(self: Arc<Self>, peer: DeviceId, request: LookupRequest, replies: ReplySender) {
        self.answer_lookup(peer, request, replies).await;
    }

    async fn seed(
        self: Arc<Self>,
        peer: DeviceId,
        lease: LeaseId,
        messages: SeedReceiver,
    ) -> SeedAnswer {
        self.take_seed(peer, lease, messages).await
    }

    async fn invalidate(self: Arc<Self>, _: DeviceId, request: InvalidateRequest) {
        self.on_disk(move |store| {
            let records = store.records(request.service, &request.key)?;
            if records
                .iter()
                .any(|signed| signed.record.requested < request.before)
            {
                store.forget(request.service, &request.key);
            }
            Ok(())
        })
        .await;
    }

    async fn voucher(
        self: Arc<Self>,
        peer: DeviceId,
        voucher: SignedVoucher,
    ) -> Result<(), String> {
        let shared = self.clone();
        let accepted =
            tokio::task::spawn_blocking(move || shared.meter.accept(&peer, &voucher)).await;
        let accepted = accepted.map_err(|error| error.to_string())?;
        accepted.map_err(|error| error.to_string())
    }

    async fn leaves(
        self: Arc<Self>,
        peer: DeviceId,
        leaves: Vec<LeafBody>,
    ) -> Vec<Option<Signature64>> {
        let count = leaves.len();
        let shared = self.clone();
        // An epoch may have many leaves, and each is a signature.
        let signed =
            tokio::task::spawn_blocking(move || shared.meter.sign_leaves(&peer, &leaves)).await;
        let signed = signed.unwrap_or_else(|_| vec![None; count]);
        let refused = signed
            .iter()
            .filter(|signature| signature.is_none())
            .count();
        self.metrics.leaves_refused.inc_by(refused as u64);
        signed
    }
}
