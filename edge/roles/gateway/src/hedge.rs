//! When the next owner of a key is asked too: when the first is later than almost all its answers
//! were, and not more often than a budget allows.
//!
//! The next owner is asked for what it has stored and nothing else, so that a late answer never
//! becomes a second fetch of the origin.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use selvedge_edge_core_budget::{Budget, Latency, Share};
use selvedge_primitives_types::DeviceId;

/// Of a hundred answers, those that are in time.
const IN_TIME: u32 = 95;
/// Nothing is late before this: a shorter time is the network's and the machine's noise.
const LEAST: Duration = Duration::from_millis(2);
/// Caches whose answers are remembered; beyond it all are learnt anew.
const CACHES: usize = 4_096;

/// What caches' answers took, and how many may be asked besides.
pub struct Hedges {
    latencies: Mutex<HashMap<DeviceId, Latency>>,
    budget: Mutex<Budget>,
}

impl Hedges {
    /// Nothing is known yet.
    pub fn new(share: Share) -> Self {
        Self {
            latencies: Mutex::default(),
            budget: Mutex::new(Budget::new(share)),
        }
    }

    /// A cache began its answer after this time.
    pub fn answered(&self, cache: DeviceId, after: Duration) {
        let mut latencies = self.latencies.lock();
        if latencies.len() >= CACHES && !latencies.contains_key(&cache) {
            latencies.clear();
        }
        let micros = u64::try_from(after.as_micros()).unwrap_or(u64::MAX);
        latencies.entry(cache).or_default().record(micros);
    }

    /// A lookup begins: after how long without an answer the cache is late. `None` while too little
    /// is known of it.
    pub fn begin(&self, cache: DeviceId) -> Option<Duration> {
        self.budget.lock().came();
        let micros = self.latencies.lock().get(&cache)?.percentile(IN_TIME)?;
        Some(Duration::from_micros(micros).max(LEAST))
    }

    /// Whether one more may be asked.
    pub fn take(&self) -> bool {
        self.budget.lock().take()
    }
}
