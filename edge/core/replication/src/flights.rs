//! Copies under way, and those that failed lately.

use std::collections::BTreeMap;

use selvedge_primitives_types::{Hash, Millis};

use crate::nodes::Index;
use crate::rules::Rules;

/// A copy under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flight {
    pub(crate) bytes: u64,
    pub(crate) source: Index,
    pub(crate) deadline: Millis,
}

/// A copy that failed.
#[derive(Clone, Copy, Debug)]
struct Failure {
    attempts: u8,
    until: Millis,
}

/// Both, by slot and target.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flights {
    flights: BTreeMap<(u32, Index), Flight>,
    failures: BTreeMap<(u32, Index), Failure>,
    bytes: u64,
}

impl Flights {
    pub(crate) fn len(&self) -> usize {
        self.flights.len()
    }

    /// Bytes of all.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (u32, Index, Flight)> + '_ {
        let all = self.flights.iter();
        all.map(|((slot, to), flight)| (*slot, *to, *flight))
    }

    /// Those to one target.
    pub(crate) fn to(&self, target: Index) -> impl Iterator<Item = u32> + '_ {
        let all = self.flights.keys();
        all.filter(move |(_, to)| *to == target)
            .map(|(slot, _)| *slot)
    }

    /// Targets of those of one blob.
    pub(crate) fn of(&self, slot: u32) -> impl Iterator<Item = Index> + '_ {
        let all = self.flights.range((slot, 0)..=(slot, Index::MAX));
        all.map(|((_, to), _)| *to)
    }

    pub(crate) fn has(&self, slot: u32, to: Index) -> bool {
        self.flights.contains_key(&(slot, to))
    }

    pub(crate) fn begin(&mut self, slot: u32, to: Index, flight: Flight) {
        self.bytes += flight.bytes;
        self.flights.insert((slot, to), flight);
    }

    pub(crate) fn end(&mut self, slot: u32, to: Index) -> Option<Flight> {
        let flight = self.flights.remove(&(slot, to))?;
        self.bytes -= flight.bytes;
        Some(flight)
    }

    /// Nobody was listening for so long.
    pub(crate) fn skip(&mut self, gap: u64) {
        for flight in self.flights.values_mut() {
            flight.deadline.0 = flight.deadline.0.saturating_add(gap);
        }
    }

    /// Remembers a failure: the next try waits twice as long, up to 16 times, and by up to a quarter
    /// more so that copies that failed together do not begin together.
    pub(crate) fn fail(
        &mut self,
        (slot, to): (u32, Index),
        root: &Hash,
        now: Millis,
        rules: &Rules,
        limit: usize,
    ) {
        if self.failures.len() >= limit {
            self.failures.retain(|_, failure| failure.until > now);
            if self.failures.len() >= limit {
                self.failures.pop_first();
            }
        }
        let failure = self.failures.entry((slot, to)).or_insert(Failure {
            attempts: 0,
            until: now,
        });
        let wait = rules.retry.0 << u32::from(failure.attempts).min(4);
        failure.attempts = failure.attempts.saturating_add(1);
        let spread = jitter(root, to, failure.attempts) % (wait / 4).max(1);
        failure.until = Millis(now.0.saturating_add(wait + spread));
    }

    /// Whether a copy may be tried now.
    pub(crate) fn may_try(&self, slot: u32, to: Index, now: Millis) -> bool {
        let failure = self.failures.get(&(slot, to));
        failure.is_none_or(|failure| failure.until <= now)
    }

    /// Whether another target stands in for this one.
    pub(crate) fn is_given_up(&self, slot: u32, to: Index, now: Millis, rules: &Rules) -> bool {
        let failure = self.failures.get(&(slot, to));
        failure.is_some_and(|failure| failure.attempts >= rules.attempts && failure.until > now)
    }

    /// A copy was made.
    pub(crate) fn succeed(&mut self, slot: u32, to: Index) {
        self.failures.remove(&(slot, to));
    }

    /// A blob is no longer kept.
    pub(crate) fn forget(&mut self, slot: u32) {
        let range = self.failures.range((slot, 0)..=(slot, Index::MAX));
        let targets: Vec<_> = range.map(|(key, _)| *key).collect();
        for key in targets {
            self.failures.remove(&key);
        }
    }
}

/// A number that depends on nothing but this.
pub(crate) fn jitter(root: &Hash, to: Index, attempt: u8) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(root).update(&to.to_le_bytes());
    let hash = hasher.update(&[attempt]).finalize();
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_le_bytes(bytes)
}
