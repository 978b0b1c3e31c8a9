//! Purges: gives them their place as the owner of a service, keeps them, obeys them.

use std::sync::Arc;

use selvedge_edge_drivers_agent::clock;
use selvedge_edge_drivers_purge::{OrderPurge, PurgeNews, PurgeSync};
use selvedge_primitives_types::{
    DeviceId, PurgeAnswer, PurgeKind, PurgeMode, PurgeRefusal, SignedPurgeOrder,
};

use crate::service::Shared;

impl Shared {
    /// Gives a purge its place, and obeys it. What a gateway signed counts from itself alone: nobody
    /// can have an old request of its ordered anew.
    pub(crate) async fn order(
        self: Arc<Self>,
        peer: DeviceId,
        request: OrderPurge,
    ) -> Result<SignedPurgeOrder, PurgeRefusal> {
        let author = request.signed.author.gateway();
        if author.is_some_and(|gateway| *gateway != peer) {
            self.metrics.purged("refused");
            return Err(PurgeRefusal::NotTheGateway);
        }
        let world = self.world().ok_or(PurgeRefusal::NotReady)?;
        let work = move || {
            let OrderPurge { signed, above } = request;
            let ordered = self.purges.order(&*world, signed, above, clock::now());
            if let Ok(order) = &ordered {
                self.obey(order);
            }
            self.metrics.purged(match &ordered {
                Ok(_) => "ordered",
                Err(_) => "refused",
            });
            ordered
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or(Err(PurgeRefusal::NotKept))
    }

    /// Keeps a purge and obeys it.
    pub(crate) async fn take(self: Arc<Self>, order: SignedPurgeOrder) -> PurgeAnswer {
        let Some(world) = self.world() else {
            return PurgeAnswer::Refused(PurgeRefusal::NotReady);
        };
        let work = move || {
            let answer = self.purges.take(&*world, order.clone(), clock::now());
            self.metrics.purged(match answer {
                PurgeAnswer::Taken(_) => {
                    self.obey(&order);
                    "taken"
                }
                PurgeAnswer::Superseded(_) => "superseded",
                PurgeAnswer::Refused(_) => "refused",
            });
            answer
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or(PurgeAnswer::Refused(PurgeRefusal::NotKept))
    }

    /// Compares purges with a gateway.
    pub(crate) async fn compare(self: Arc<Self>, sync: PurgeSync) -> PurgeNews {
        let Some(world) = self.world() else {
            return PurgeNews::default();
        };
        let work = move || self.purges.compare(&*world, sync, clock::now());
        tokio::task::spawn_blocking(work).await.unwrap_or_default()
    }

    /// What a purge leaves unusable is left out when it is looked up; only a purge of everything is
    /// worth a walk through the store.
    fn obey(&self, order: &SignedPurgeOrder) {
        let request = order.request();
        if (&request.kind, request.mode) == (&PurgeKind::Everything, PurgeMode::Hard) {
            let number = order.order.number;
            let forgotten = self.store.forget_before(request.service, number);
            tracing::info!(service = %request.service, number, forgotten, "purged");
        }
    }
}
