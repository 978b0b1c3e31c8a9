//! What an operator sees of a cache.

use crate::service::Shared;
use selvedge_edge_drivers_agent::Operated;
use selvedge_primitives_types::ServiceId;

impl Operated for Shared {
    fn readiness(&self) -> Result<(), &'static str> {
        self.worlds
            .current()
            .map(|_| ())
            .ok_or("the chain node has not sent a config yet")
    }

    fn metrics(&self) -> String {
        self.metrics.text(self.store.usage(), self.leases.len())
    }

    fn purge(&self, service: ServiceId) {
        let forgotten = self.store.forget_before(service, u64::MAX);
        tracing::info!(%service, forgotten, "purged");
    }
}
