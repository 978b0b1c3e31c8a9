//! What a gateway counts for its operator. Names are `selvedge_gateway_*`.

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{exponential_buckets, Histogram};
use prometheus_client::registry::Registry;
pub use selvedge_edge_core_analytics::Source;
use selvedge_primitives_types::DeviceId;

use crate::failure::Reason;
use crate::peer_metrics::PeerMetrics;
use crate::steward::StewardMetrics;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    status: u16,
    source: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FaultLabels {
    cache: String,
    fault: &'static str,
}

/// Every metric of a gateway.
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    failures: Family<ReasonLabel, Counter>,
    faults: Family<FaultLabels, Counter>,
    first_byte: Histogram,
    /// Of [`Self::requests`], those from memory with 200.
    memory: Counter,
    hits: Counter,
    /// Body bytes to visitors, as charged.
    pub egress: Counter,
    /// Body bytes from origins.
    pub origin: Counter,
    /// Bodies that did not match the digest their origin stated.
    pub altered: Counter,
    /// Requests that were sent to an origin again.
    pub retries: Counter,
    /// Counters by cache.
    pub peers: PeerMetrics,
    /// Of content that is looked after.
    pub steward: StewardMetrics,
    /// Lookups that asked the next owner too.
    pub hedges: Counter,
    /// Of these, those that it answered.
    pub hedges_won: Counter,
    /// Vouchers handed to caches.
    pub vouchers: Counter,
    /// Vouchers that did not reach their cache.
    pub vouchers_failed: Counter,
    /// Access log lines that were lost because the disk was too slow.
    pub log_lost: Counter,
    /// Requests under way.
    pub running: Gauge,
    /// Bytes in the memory cache.
    pub memory_bytes: Gauge,
    /// Responses in the memory cache.
    pub memory_objects: Gauge,
    /// The epoch counted in.
    pub epoch: Gauge,
    /// Things that purges are in force for.
    pub purges: Gauge,
    /// Keys that unsafe requests made invalid.
    pub invalid: Gauge,
    /// Of those through this gateway, the ones whose order is not out yet.
    pub invalidations_waiting: Gauge,
    /// Services whose purges' owners are silent.
    pub silent: Gauge,
    /// Keys that unsafe requests through this gateway made invalid.
    pub invalidated: Counter,
    /// Documents of rules that came into force.
    pub rules_taken: Counter,
    /// Documents of rules that did not, each time for another reason.
    pub rules_refused: Counter,
    orders: Family<ReasonLabel, Counter>,
    purged: Family<ReasonLabel, Counter>,
    purge_seconds: Histogram,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("selvedge_gateway");
        let requests = Family::<RequestLabels, Counter>::default();
        registry.register("requests", "Requests answered", requests.clone());
        let labels = RequestLabels {
            status: 200,
            source: Source::Memory.name(),
        };
        let memory = requests.get_or_create(&labels).clone();
        let failures = Family::<ReasonLabel, Counter>::default();
        registry.register(
            "failures",
            "Requests the gateway answered itself",
            failures.clone(),
        );
        let faults = Family::<FaultLabels, Counter>::default();
        registry.register(
            "cache_faults",
            "Answers of caches that were not believed",
            faults.clone(),
        );
        let peers = PeerMetrics::new(&mut registry);
        let steward = StewardMetrics::new(&mut registry);
        let first_byte = Histogram::new(exponential_buckets(0.000_1, 2.0, 18));
        registry.register(
            "first_byte_seconds",
            "Time from a request's head to its answer's",
            first_byte.clone(),
        );
        let purged = Family::<ReasonLabel, Counter>::default();
        registry.register(
            "purge_requests",
            "Customers' purges by what became of them",
            purged.clone(),
        );
        let purge_seconds = Histogram::new(exponential_buckets(0.001, 2.0, 13));
        registry.register(
            "purge_seconds",
            "Time from a customer's purge to its receipt",
            purge_seconds.clone(),
        );
        let orders = Family::<ReasonLabel, Counter>::default();
        registry.register(
            "invalidation_orders",
            "Orders asked for after unsafe requests, by what became of them",
            orders.clone(),
        );
        let mut counter = |name: &str, help: &str| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let egress = counter("egress_bytes", "Body bytes to visitors, as charged");
        let origin = counter("origin_bytes", "Body bytes from origins");
        let altered = counter(
            "origin_altered",
            "Bodies that did not match the digest their origin stated",
        );
        let retries = counter("origin_retries", "Requests sent to an origin again");
        let hedges = counter("hedges", "Lookups that asked the next owner too");
        let hedges_won = counter("hedges_won", "Lookups that the next owner answered");
        let vouchers = counter("vouchers", "Vouchers handed to caches");
        let vouchers_failed = counter("vouchers_failed", "Vouchers that did not reach their cache");
        let hits = counter("hits", "Requests answered by the hit loop");
        let invalidated = counter("invalidations", "Keys that unsafe requests made invalid");
        let rules_taken = counter("rules_taken", "Documents of rules that came into force");
        let rules_refused = counter("rules_refused", "Documents of rules that did not");
        let log_lost = counter("log_lost", "Access log lines lost");
        let mut gauge = |name: &str, help: &str| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        let running = gauge("running_requests", "Requests under way");
        let memory_bytes = gauge("memory_bytes", "Bytes in the memory cache");
        let memory_objects = gauge("memory_objects", "Responses in the memory cache");
        let epoch = gauge("epoch", "The epoch counted in");
        let purges = gauge("purges", "Things that purges are in force for");
        let invalid = gauge("invalid_keys", "Keys that unsafe requests made invalid");
        let invalidations_waiting = gauge(
            "invalidations_waiting",
            "Keys that unsafe requests made invalid and no order is out for",
        );
        let silent = gauge(
            "silent_services",
            "Services whose purges' owners are silent",
        );
        Self {
            registry,
            requests,
            memory,
            hits,
            failures,
            faults,
            first_byte,
            egress,
            origin,
            altered,
            retries,
            peers,
            steward,
            hedges,
            hedges_won,
            vouchers,
            vouchers_failed,
            log_lost,
            running,
            memory_bytes,
            memory_objects,
            epoch,
            purges,
            invalid,
            invalidations_waiting,
            silent,
            invalidated,
            rules_taken,
            rules_refused,
            orders,
            purged,
            purge_seconds,
        }
    }
}

impl Metrics {
    /// A request got its answer's head.
    pub fn answered(&self, status: u16, source: Source, seconds: f64) {
        let source = source.name();
        self.requests
            .get_or_create(&RequestLabels { status, source })
            .inc();
        self.first_byte.observe(seconds);
    }

    /// The hit loop answered a request, with 200 and from memory.
    pub fn hit(&self, seconds: f64) {
        self.memory.inc();
        self.hits.inc();
        self.first_byte.observe(seconds);
    }

    /// The gateway answered itself.
    pub fn failed(&self, reason: Reason) {
        let reason = reason.name();
        self.failures.get_or_create(&ReasonLabel { reason }).inc();
    }

    /// A customer's purge was answered.
    pub fn purged(&self, reason: &'static str, seconds: f64) {
        self.purged.get_or_create(&ReasonLabel { reason }).inc();
        self.purge_seconds.observe(seconds);
    }

    /// What unsafe requests made invalid was ordered, or not.
    pub fn ordered(&self, reason: &'static str) {
        self.orders.get_or_create(&ReasonLabel { reason }).inc();
    }

    /// A cache was not believed.
    pub fn fault(&self, cache: &DeviceId, fault: &'static str) {
        let cache = cache.to_string();
        self.faults
            .get_or_create(&FaultLabels { cache, fault })
            .inc();
    }

    /// Everything in the OpenMetrics text format.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
