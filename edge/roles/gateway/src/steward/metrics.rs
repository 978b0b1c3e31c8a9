//! What a steward counts for its operator. Names are `selvedge_gateway_content_*`.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use selvedge_edge_core_replication::Figures;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

/// How the content stands that this gateway looks after.
#[derive(Clone, Default)]
pub struct StewardMetrics {
    objects: Gauge,
    whole: Gauge,
    short: Gauge,
    alone: Gauge,
    unavailable: Gauge,
    in_flight: Gauge,
    lost: Gauge,
    copies: Family<Outcome, Counter>,
    challenges: Family<Outcome, Counter>,
    byte_hours: Counter,
}

impl StewardMetrics {
    /// Figures in a registry.
    pub fn new(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        for (name, help, gauge) in [
            (
                "content_objects",
                "Blobs that are looked after",
                &metrics.objects,
            ),
            (
                "content_whole",
                "Those with all their copies",
                &metrics.whole,
            ),
            ("content_short", "Those that lack copies", &metrics.short),
            ("content_alone", "Those with one copy left", &metrics.alone),
            (
                "content_unavailable",
                "Those without any",
                &metrics.unavailable,
            ),
            (
                "content_in_flight_bytes",
                "Bytes of copies under way",
                &metrics.in_flight,
            ),
            (
                "content_lost_caches",
                "Caches whose copies do not count",
                &metrics.lost,
            ),
        ] {
            registry.register(name, help, gauge.clone());
        }
        let copies = metrics.copies.clone();
        registry.register(
            "content_copies",
            "Copies that were ordered, by outcome",
            copies,
        );
        let challenges = metrics.challenges.clone();
        let help = "Proofs of possession that were asked for, by outcome";
        registry.register("content_challenges", help, challenges);
        let byte_hours = metrics.byte_hours.clone();
        registry.register("content_byte_hours", "Storage that was counted", byte_hours);
        metrics
    }

    pub(super) fn show(&self, figures: &Figures) {
        for (gauge, value) in [
            (&self.objects, figures.objects),
            (&self.whole, figures.whole),
            (&self.short, figures.short),
            (&self.alone, figures.alone),
            (&self.unavailable, figures.unavailable),
            (&self.in_flight, figures.in_flight),
            (&self.lost, figures.lost),
        ] {
            gauge.set(value as i64);
        }
    }

    pub(super) fn copied(&self, is_made: bool) {
        let outcome = if is_made { "made" } else { "failed" };
        self.copies.get_or_create(&Outcome { outcome }).inc();
    }

    pub(super) fn challenged(&self, passed: bool) {
        let outcome = if passed { "passed" } else { "failed" };
        self.challenges.get_or_create(&Outcome { outcome }).inc();
    }

    pub(super) fn stored(&self, byte_hours: u64) {
        self.byte_hours.inc_by(byte_hours);
    }
}
