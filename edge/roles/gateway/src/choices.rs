//! Whom to ask of those who may have something, and when to ask another one too: what was seen of
//! every cache, with the clock.
//!
//! The rules are in `edge/core/choice`. Owners of keys are asked in the order of owning, since one
//! of them grants the lease; of them, ejection leaves out who does not serve, and the next owner is
//! asked for what it has stored and nothing else, so that a late answer never becomes a second fetch
//! of the origin.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use selvedge_edge_core_budget::Share;
use selvedge_edge_core_choice::{Choice, Outcome, Replica};
use selvedge_edge_drivers_transport::TransportError;
use selvedge_primitives_types::DeviceId;

use crate::peer_metrics::PeerMetrics;

/// What was seen of all caches.
pub struct Choices {
    choice: Mutex<Choice>,
    began: Instant,
    metrics: PeerMetrics,
}

/// A question to a cache, which counts as running until this is dropped.
pub struct Asking {
    choices: Arc<Choices>,
    cache: DeviceId,
    began: Instant,
    outcome: Outcome,
}

impl Choices {
    /// Nothing is known yet. `hedges` is what may be asked besides.
    pub fn new(hedges: Share, metrics: PeerMetrics) -> Arc<Self> {
        Arc::new(Self {
            choice: Mutex::new(Choice::new(hedges, rand::random())),
            began: Instant::now(),
            metrics,
        })
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// The replicas in the order in which to ask them, each once.
    pub fn order(&self, replicas: &[Replica]) -> Vec<DeviceId> {
        self.choice.lock().order(replicas, self.now())
    }

    /// A cache is asked.
    pub fn ask(self: &Arc<Self>, cache: DeviceId) -> Asking {
        self.choice.lock().began(cache, self.now());
        self.metrics.asked(&cache);
        Asking {
            choices: self.clone(),
            cache,
            began: Instant::now(),
            outcome: Outcome::Dropped,
        }
    }

    /// A cache would have taken at least this long: another one was sooner.
    pub fn was_late(&self, cache: DeviceId, after: Duration) {
        self.choice.lock().replied(cache, after, self.now());
    }

    /// A cache sent what no honest one sends, after its question had ended.
    pub fn fault(&self, cache: DeviceId) {
        if self.choice.lock().fault(cache, self.now()) {
            self.ejected(&cache);
        }
    }

    fn ejected(&self, cache: &DeviceId) {
        self.metrics.ejected(cache);
        tracing::warn!(%cache, "a cache is left out for a while");
    }

    /// Whether a cache is left out for a while.
    pub fn is_ejected(&self, cache: &DeviceId) -> bool {
        self.choice.lock().is_ejected(cache, self.now())
    }

    /// After how long without an answer a cache is late. `None` while too little is known of it.
    pub fn late_after(&self, cache: &DeviceId) -> Option<Duration> {
        self.choice.lock().late_after(cache)
    }

    /// Whether one more may be asked for what `late` is late with.
    pub fn take_hedge(&self, late: &DeviceId) -> bool {
        let is_granted = self.choice.lock().take_hedge();
        if is_granted {
            self.metrics.hedged(late);
        }
        is_granted
    }
}

impl Asking {
    /// The answer begins. It may go on for long: the question runs until this is dropped.
    pub fn replied(&mut self) {
        let choices = &self.choices;
        let after = self.began.elapsed();
        choices
            .choice
            .lock()
            .replied(self.cache, after, choices.now());
        self.outcome = Outcome::Answered;
    }

    /// There is no answer, or it broke off.
    pub fn failed(&mut self, error: &TransportError) {
        self.outcome = match error {
            TransportError::Identity(_) => Outcome::Dropped,
            TransportError::Connect { .. } | TransportError::BackingOff { .. } => Outcome::Away,
            error if error.is_misbehaviour() => Outcome::Faulty,
            _ => Outcome::Failed,
        };
    }

    /// It sent what no honest cache sends.
    pub fn faulty(&mut self) {
        self.outcome = Outcome::Faulty;
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        let (choices, after) = (&self.choices, self.began.elapsed());
        let mut choice = choices.choice.lock();
        let is_ejected = choice.ended(self.cache, self.outcome, after, choices.now());
        drop(choice);
        if is_ejected {
            choices.ejected(&self.cache);
        }
    }
}
