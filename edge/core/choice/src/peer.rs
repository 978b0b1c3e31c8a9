//! What was seen of one peer.

use std::time::Duration;

use selvedge_edge_core_budget::Latency;

use crate::outliers::Record;

/// How long an answer counts: after this time it weighs 1/e.
const MEMORY: Duration = Duration::from_secs(10);
/// Of a hundred answers, those that are in time.
const IN_TIME: u32 = 95;

/// One peer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Peer {
    /// Seconds to the first byte: the last peak, or what it has come down to since.
    latency: f64,
    /// The least that was seen; it creeps up to what is seen now, since routes change.
    least: Option<f64>,
    latencies: Latency,
    /// When `latency` was last brought up to date.
    seen: Duration,
    pub(crate) running: u32,
    pub(crate) record: Record,
    /// When anything was last asked of it.
    pub(crate) used: Duration,
}

impl Peer {
    pub(crate) fn answered(&mut self, after: Duration, now: Duration) {
        let seconds = after.as_secs_f64();
        let weight = self.weight(now);
        self.latency = if seconds >= self.latency * weight {
            seconds
        } else {
            self.latency * weight + seconds * (1.0 - weight)
        };
        self.least = Some(match self.least {
            Some(least) if least < seconds => least + (seconds - least) / 1_000.0,
            _ => seconds,
        });
        self.seen = now;
        self.latencies
            .record(u64::try_from(after.as_micros()).unwrap_or(u64::MAX));
    }

    /// It gave no answer within this time: it is at least as slow.
    pub(crate) fn gave_none(&mut self, within: Duration, now: Duration) {
        let known = self.latency * self.weight(now);
        self.latency = known.max(within.as_secs_f64());
        self.seen = now;
    }

    fn weight(&self, now: Duration) -> f64 {
        let passed = now.saturating_sub(self.seen).as_secs_f64();
        (-passed / MEMORY.as_secs_f64()).exp()
    }

    /// Seconds until one more would be answered. Nothing for one of whom nothing is known and
    /// nothing is asked, so that it becomes known.
    pub(crate) fn cost(&self, now: Duration) -> f64 {
        let least = self.least.unwrap_or(0.0);
        let latency = least.max(self.latency * self.weight(now));
        if latency == 0.0 {
            // As if each took a second: one question is enough to get to know it.
            return f64::from(self.running);
        }
        latency * f64::from(self.running + 1)
    }

    /// Of [`cost`](Self::cost), seconds that are waiting and not the way.
    pub(crate) fn delay(&self, now: Duration) -> f64 {
        self.cost(now) - self.least.unwrap_or(0.0)
    }

    /// Seconds for the way there and back.
    pub(crate) fn round_trip(&self) -> Option<f64> {
        self.least
    }

    /// After how long an answer is later than almost all were.
    pub(crate) fn late_after(&self) -> Option<Duration> {
        Some(Duration::from_micros(self.latencies.percentile(IN_TIME)?))
    }
}
