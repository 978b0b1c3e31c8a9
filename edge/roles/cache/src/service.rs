//! Hands messages of gateways to what answers them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Instant;

use selvedge_edge_core_verify::LeaseId;
use selvedge_edge_drivers_agent::answer_probe;
use selvedge_edge_drivers_meter::CacheMeter;
use selvedge_edge_drivers_purge::{OrderPurge, PurgeNews, PurgeSync, Purges};
use selvedge_edge_drivers_store::Store;
use selvedge_edge_drivers_transport::{
    CacheService, HoldRequest, Identity, InvalidateRequest, LookupRequest, ReplySender, SeedAnswer,
    SeedReceiver,
};
use selvedge_primitives_types::{
    DeviceId, LeafBody, ProbeAnswerPayload, PurgeAnswer, PurgeRefusal, ServiceId, Signature64,
    SignedPurgeOrder, SignedVoucher,
};

use crate::asked::Asked;
use crate::content::Contents;
use crate::flight::Flights;
use crate::metrics::Metrics;
use crate::options::CacheOptions;
use crate::passes::Passes;
use crate::world::{World, Worlds};
use crate::{lookup, seed};

/// Everything that the parts of a cache share.
pub(crate) struct Shared {
    pub(crate) device: DeviceId,
    pub(crate) identity: Arc<Identity>,
    pub(crate) options: CacheOptions,
    pub(crate) worlds: Arc<Worlds>,
    pub(crate) store: Store,
    /// Pinned content.
    pub(crate) contents: Contents,
    pub(crate) flights: Flights,
    /// Keys whose responses are not for sharing.
    pub(crate) passes: Passes,
    /// Keys that gateways ask about.
    pub(crate) asked: Asked,
    /// Purges.
    pub(crate) purges: Purges,
    pub(crate) meter: Arc<CacheMeter>,
    pub(crate) metrics: Metrics,
    pub(crate) is_stopping: AtomicBool,
}

impl Shared {
    /// The chain's config, once there is one.
    pub(crate) fn world(&self) -> Option<Arc<World>> {
        self.worlds.current()
    }

    /// A gateway may keep a key's response from now on.
    pub(crate) fn note(&self, service: ServiceId, key: &[u8]) {
        self.asked.note(service, key, Instant::now());
    }

    /// Whether new leases are granted.
    pub(crate) fn takes_new(&self, world: &World) -> bool {
        !world.drains() && !self.is_stopping.load(Ordering::Acquire)
    }
}

impl CacheService for Shared {
    async fn lookup(self: Arc<Self>, peer: DeviceId, request: LookupRequest, replies: ReplySender) {
        lookup::run(self, peer, request, replies).await;
    }

    async fn seed(
        self: Arc<Self>,
        peer: DeviceId,
        lease: LeaseId,
        messages: SeedReceiver,
    ) -> SeedAnswer {
        seed::run(self, peer, lease, messages).await
    }

    async fn invalidate(self: Arc<Self>, peer: DeviceId, request: InvalidateRequest) -> bool {
        let InvalidateRequest {
            service,
            key,
            before,
        } = request;
        let was_under_way = self.flights.outdate(service, &key);
        let was_asked = self.asked.may_hold(service, &key, Instant::now());
        let shared = self.clone();
        let forget = move || {
            let Ok(kept) = shared.store.records(service, &key) else {
                return true;
            };
            if kept.iter().any(|signed| signed.record.requested < before) {
                let count = shared.store.forget(service, &key);
                tracing::debug!(gateway = %peer, count, "an unsafe request made responses invalid");
            }
            !kept.is_empty()
        };
        let was_stored = tokio::task::spawn_blocking(forget).await;
        was_under_way || was_asked || was_stored.unwrap_or(true)
    }

    async fn hold(self: Arc<Self>, _: DeviceId, request: HoldRequest) {
        self.asked.note_ids(request.keys, Instant::now());
    }

    async fn order_purge(
        self: Arc<Self>,
        peer: DeviceId,
        request: OrderPurge,
    ) -> Result<SignedPurgeOrder, PurgeRefusal> {
        self.order(peer, request).await
    }

    async fn take_purge(self: Arc<Self>, _: DeviceId, order: SignedPurgeOrder) -> PurgeAnswer {
        self.take(order).await
    }

    async fn sync_purges(self: Arc<Self>, _: DeviceId, sync: PurgeSync) -> PurgeNews {
        self.compare(sync).await
    }

    async fn voucher(
        self: Arc<Self>,
        peer: DeviceId,
        voucher: SignedVoucher,
    ) -> Result<(), String> {
        match self.meter.accept(&peer, &voucher) {
            Ok(()) => {
                self.metrics.vouchers.inc();
                Ok(())
            }
            Err(error) => {
                self.metrics.vouchers_refused.inc();
                Err(error.to_string())
            }
        }
    }

    async fn leaves(
        self: Arc<Self>,
        peer: DeviceId,
        leaves: Vec<LeafBody>,
    ) -> Vec<Option<Signature64>> {
        let meter = self.meter.clone();
        let count = leaves.len();
        let sign = move || meter.sign_leaves(&peer, &leaves);
        let signatures = tokio::task::spawn_blocking(sign).await;
        let signatures = signatures.unwrap_or_else(|_| vec![None; count]);
        let signed = signatures.iter().flatten().count();
        self.metrics.leaves.inc_by(signed as u64);
        self.metrics.leaves_refused.inc_by((count - signed) as u64);
        signatures
    }

    fn answer_probe(&self, peer: DeviceId, asked: &ProbeAnswerPayload) -> Option<Signature64> {
        let world = self.world()?;
        let is_own = peer == asked.prober && world.is_gateway(&peer);
        answer_probe(self.identity.key(), &world.chain.clock, asked, is_own)
    }
}
