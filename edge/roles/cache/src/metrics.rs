//! What a cache counts, under `selvedge_cache_`.

use prometheus_client::{
    encoding::text::encode,
    metrics::counter::Counter,
    registry::{Registry, Unit},
};

macro_rules! counters {
    ($($field:ident, $name:literal, $help:literal;)*) => {
        /// Counters since the start.
        #[derive(Default)]
        pub(crate) struct Metrics {
            $(pub(crate) $field: Counter,)*
            /// Body bytes sent to gateways.
            pub(crate) supplied_bytes: Counter,
        }

        impl Metrics {
            fn register(&self, registry: &mut Registry) {
                $(registry.register($name, $help, self.$field.clone());)*
                let help = "Body bytes sent to gateways";
                registry.register_with_unit("supplied", help, Unit::Bytes, self.supplied_bytes.clone());
            }
        }
    };
}

counters! {
    lookups, "lookups", "Lookups of gateways";
    hits, "hits", "Lookups answered from the store";
    follows, "follows", "Lookups answered from a fetch under way";
    leases, "leases", "Leases granted";
    refusals, "refusals", "Lookups refused";
    stored, "stored", "Responses stored";
    unverified_seeds, "unverified_seeds", "Seeds whose frames or record did not verify";
    store_failures, "store_failures", "Failures of the store";
    leaves_refused, "leaves_refused", "Leaves that were not signed";
}

impl Metrics {
    /// All counters, and what the store holds, in the text format.
    pub(crate) fn text(
        &self,
        usage: selvedge_edge_drivers_store::Usage,
        under_way: usize,
    ) -> String {
        use prometheus_client::metrics::gauge::Gauge;
        let mut registry = Registry::with_prefix("selvedge_cache");
        self.register(&mut registry);
        let gauge = |value: u64| -> Gauge {
            let gauge = Gauge::default();
            gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
            gauge
        };
        registry.register_with_unit("store", "Bytes on disk", Unit::Bytes, gauge(usage.bytes));
        registry.register_with_unit(
            "quota",
            "The most bytes on disk",
            Unit::Bytes,
            gauge(usage.quota),
        );
        registry.register("records", "Records stored", gauge(usage.records as u64));
        registry.register("under_way", "Fetches under way", gauge(under_way as u64));
        let mut text = String::new();
        // Writing into a string does not fail.
        let _ = encode(&mut text, &registry);
        text
    }
}
