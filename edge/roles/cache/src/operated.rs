//! What an operator sees of a cache.

use crate::service::Shared;
use selvedge_edge_drivers_agent::{clock, Operated};
use selvedge_primitives_types::ServiceId;
use std::sync::atomic::Ordering;

impl Operated for Shared {
    fn readiness(&self) -> Result<(), &'static str> {
        if self.is_stopping.load(Ordering::Acquire) {
            return Err("ending");
        }
        self.worlds
            .current()
            .map(|_| ())
            .ok_or("the chain node has not sent a config yet")
    }

    fn metrics(&self) -> String {
        let usage = self.store.usage();
        self.metrics.stored_bytes.set(usage.bytes as i64);
        self.metrics.stored_records.set(usage.records as i64);
        let content = self.contents.shelf.usage();
        self.metrics.content_bytes.set(content.bytes as i64);
        self.metrics.content_blobs.set(content.whole as i64);
        self.metrics.leases.set(self.flights.len() as i64);
        let figures = self.purges.figures();
        self.metrics.purges.set(figures.things as i64);
        self.metrics.invalid.set(figures.invalid as i64);
        self.metrics.text()
    }

    fn purge(&self, service: ServiceId) {
        let (generation, kept) = self.purges.purge_here(service, clock::now());
        if let Err(error) = kept {
            tracing::error!(%error, "a purge is not kept: purge again after a restart");
        }
        let forgotten = self.store.forget_before(service, generation);
        tracing::info!(%service, generation, forgotten, "purged");
    }
}
