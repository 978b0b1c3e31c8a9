//! What a gateway counts of each cache.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use selvedge_edge_core_choice::MOST_PEERS;
use selvedge_primitives_types::DeviceId;
use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CacheLabel {
    cache: String,
}

type ByCache = Family<CacheLabel, Counter>;

/// Counters by cache: of the first [`MOST_PEERS`] apart, of all others together as `other`.
#[derive(Clone, Default)]
pub struct PeerMetrics {
    asked: ByCache,
    hedged: ByCache,
    ejected: ByCache,
    known: Arc<Mutex<HashSet<DeviceId>>>,
}

impl PeerMetrics {
    /// Counters in a registry.
    pub fn new(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let mut register = |name: &str, help: &str, counters: &ByCache| {
            registry.register(name, help, counters.clone());
        };
        register("cache_asked", "Questions to a cache", &metrics.asked);
        register(
            "cache_hedged",
            "Questions that another cache was asked too, since this one was late",
            &metrics.hedged,
        );
        register(
            "cache_ejections",
            "Times that a cache was left out for a while, since it failed",
            &metrics.ejected,
        );
        metrics
    }

    fn count(&self, counters: &ByCache, cache: &DeviceId) {
        let mut known = self.known.lock();
        let is_known = known.contains(cache) || (known.len() < MOST_PEERS && known.insert(*cache));
        drop(known);
        let cache = if is_known {
            cache.to_string()
        } else {
            "other".into()
        };
        counters.get_or_create(&CacheLabel { cache }).inc();
    }

    /// A cache is asked.
    pub fn asked(&self, cache: &DeviceId) {
        self.count(&self.asked, cache);
    }

    /// Another one is asked too, since this one is late.
    pub fn hedged(&self, cache: &DeviceId) {
        self.count(&self.hedged, cache);
    }

    /// It is left out for a while.
    pub fn ejected(&self, cache: &DeviceId) {
        self.count(&self.ejected, cache);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::encoding::text::encode;

    #[test]
    fn no_more_caches_are_told_apart_than_are_remembered() {
        let mut registry = Registry::default();
        let metrics = PeerMetrics::new(&mut registry);
        for number in 0..=MOST_PEERS {
            let mut device = [0; 32];
            device[..8].copy_from_slice(&number.to_le_bytes());
            metrics.asked(&DeviceId(device));
            metrics.ejected(&DeviceId(device));
        }
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        assert!(text.contains("cache_asked_total{cache=\"other\"} 1\n"));
        let lines = text
            .lines()
            .filter(|line| line.starts_with("cache_asked_total"));
        assert_eq!(lines.count(), MOST_PEERS + 1);
    }
}
