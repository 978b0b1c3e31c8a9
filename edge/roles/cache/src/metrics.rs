//! What a cache counts for its operator. Names are `selvedge_cache_*`.

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    answer: &'static str,
}

/// Every metric of a cache.
pub(crate) struct Metrics {
    registry: Registry,
    lookups: Family<Answer, Counter>,
    seeds: Family<Answer, Counter>,
    gets: Family<Answer, Counter>,
    puts: Family<Answer, Counter>,
    copies: Family<Answer, Counter>,
    /// Bytes copied from other caches.
    pub copied_bytes: Counter,
    /// Blobs that no pin covered any more.
    pub dropped: Counter,
    /// The epoch in which all that is kept was last held against the pins.
    pub looked: Gauge,
    /// Bytes of blobs.
    pub content_bytes: Gauge,
    /// Blobs that are here, whole.
    pub content_blobs: Gauge,
    /// Body bytes supplied to gateways.
    pub supplied: Counter,
    /// Vouchers taken.
    pub vouchers: Counter,
    /// Vouchers that were not right.
    pub vouchers_refused: Counter,
    /// Leaves signed.
    pub leaves: Counter,
    /// Leaves that were not signed.
    pub leaves_refused: Counter,
    /// Leases under way.
    pub leases: Gauge,
    /// Bytes on disk.
    pub stored_bytes: Gauge,
    /// Records on disk.
    pub stored_records: Gauge,
    /// Things that purges are in force for.
    pub purges: Gauge,
    /// Keys that unsafe requests made invalid.
    pub invalid: Gauge,
    /// Purges by what was answered to them.
    purged: Family<Answer, Counter>,
    /// The epoch counted in.
    pub epoch: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("selvedge_cache");
        let lookups = Family::<Answer, Counter>::default();
        registry.register("lookups", "Lookups by their answer", lookups.clone());
        let seeds = Family::<Answer, Counter>::default();
        registry.register("seeds", "Seeds by what became of them", seeds.clone());
        let purged = Family::<Answer, Counter>::default();
        registry.register(
            "purge_orders",
            "Purges that were to be obeyed",
            purged.clone(),
        );
        let mut family = |name: &str, help: &str| {
            let family = Family::<Answer, Counter>::default();
            registry.register(name, help, family.clone());
            family
        };
        let gets = family("content_gets", "Ranges of blobs by what became of them");
        let puts = family("content_puts", "Puts of blobs by what was answered to them");
        let copies = family("content_copies", "Copies of blobs by what became of them");
        let mut counter = |name: &str, help: &str| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let supplied = counter("supplied_bytes", "Body bytes supplied to gateways");
        let vouchers = counter("vouchers", "Vouchers taken");
        let vouchers_refused = counter("vouchers_refused", "Vouchers that were not right");
        let leaves = counter("leaves", "Leaves signed");
        let leaves_refused = counter("leaves_refused", "Leaves that were not signed");
        let copied_bytes = counter("content_copied_bytes", "Bytes copied from other caches");
        let dropped = counter("content_dropped", "Blobs that no pin covered any more");
        let mut gauge = |name: &str, help: &str| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        let leases = gauge("leases", "Leases under way");
        let stored_bytes = gauge("stored_bytes", "Bytes on disk");
        let stored_records = gauge("stored_records", "Records on disk");
        let looked = gauge(
            "content_looked_epoch",
            "The epoch in which all that is kept was last held against the pins",
        );
        let content_bytes = gauge("content_bytes", "Bytes of pinned and staged blobs");
        let content_blobs = gauge("content_blobs", "Blobs that are here, whole");
        let purges = gauge("purges", "Things that purges are in force for");
        let invalid = gauge("invalid_keys", "Keys that unsafe requests made invalid");
        let epoch = gauge("epoch", "The epoch counted in");
        Self {
            registry,
            lookups,
            seeds,
            gets,
            puts,
            copies,
            copied_bytes,
            dropped,
            looked,
            content_bytes,
            content_blobs,
            supplied,
            vouchers,
            vouchers_refused,
            leaves,
            leaves_refused,
            leases,
            stored_bytes,
            stored_records,
            purges,
            invalid,
            purged,
            epoch,
        }
    }
}

impl Metrics {
    /// A lookup got its answer.
    pub(crate) fn looked_up(&self, answer: &'static str) {
        self.lookups.get_or_create(&Answer { answer }).inc();
    }

    /// A purge was to be ordered or obeyed.
    pub(crate) fn purged(&self, answer: &'static str) {
        self.purged.get_or_create(&Answer { answer }).inc();
    }

    /// A seed ended.
    pub(crate) fn seeded(&self, answer: &'static str) {
        self.seeds.get_or_create(&Answer { answer }).inc();
    }

    /// A range of a blob was asked for.
    pub(crate) fn got(&self, answer: &'static str) {
        self.gets.get_or_create(&Answer { answer }).inc();
    }

    /// Slices of a blob were put.
    pub(crate) fn put(&self, answer: &'static str) {
        self.puts.get_or_create(&Answer { answer }).inc();
    }

    /// A copy of a blob ended, or met a lie.
    pub(crate) fn copied(&self, answer: &'static str) {
        self.copies.get_or_create(&Answer { answer }).inc();
    }

    /// Everything in the OpenMetrics text format.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
