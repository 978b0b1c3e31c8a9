//! Purge generations as far as this gateway knows them. They only rise.
//!
//! A purge raises a service's generation here; the next record that is fetched carries it; whoever
//! verifies such a record learns it. So a purge spreads with what is fetched after it, and what was
//! fetched before is never served here again.

use std::collections::HashMap;

use parking_lot::RwLock;
use selvedge_primitives_types::{Millis, ServiceId};

/// How far a generation may lie ahead of the clock, in milliseconds.
const AHEAD: u64 = 300_000;
/// Services whose generation is remembered.
const MAX_SERVICES: usize = 65_536;

/// The generation of each service: 0, or the moment of the last purge.
#[derive(Debug, Default)]
pub struct Generations(RwLock<HashMap<ServiceId, u64>>);

impl Generations {
    /// The generation of a service; 0 where nothing was ever purged.
    pub fn of(&self, service: ServiceId) -> u64 {
        self.0.read().get(&service).copied().unwrap_or(0)
    }

    /// Every service that was purged, with its generation, by service.
    pub fn known(&self) -> Vec<(ServiceId, u64)> {
        let mut known: Vec<_> = self
            .0
            .read()
            .iter()
            .map(|(service, of)| (*service, *of))
            .collect();
        known.sort();
        known
    }

    /// Whether a purge may have this generation. One far in the future would forbid all later ones.
    pub fn is_possible(generation: u64, now: Millis) -> bool {
        generation <= now.0.saturating_add(AHEAD)
    }

    /// Takes over a generation that was seen, unless it is impossible. Says whether it is higher than
    /// the one known.
    pub fn raise(&self, service: ServiceId, generation: u64, now: Millis) -> bool {
        if generation <= self.of(service) || !Self::is_possible(generation, now) {
            return false;
        }
        let mut all = self.0.write();
        if all.len() >= MAX_SERVICES && !all.contains_key(&service) {
            return false;
        }
        let known = all.entry(service).or_default();
        let is_higher = generation > *known;
        *known = generation.max(*known);
        is_higher
    }

    /// Begins a new generation. Two gateways that purge at once get two numbers or the same one, and
    /// either is above all that was fetched before.
    pub fn next(&self, service: ServiceId, now: Millis) -> u64 {
        let mut all = self.0.write();
        let known = all.entry(service).or_default();
        *known = now.0.max(known.saturating_add(1));
        *known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generations_only_rise() {
        let generations = Generations::default();
        let (service, now) = (ServiceId(1), Millis(10));
        assert!(generations.raise(service, 5, now));
        assert!(!generations.raise(service, 5, now));
        assert!(!generations.raise(service, 4, now));
        assert_eq!(generations.next(service, Millis(3)), 6);
        assert_eq!(generations.next(service, Millis(100)), 100);
        assert_eq!(generations.of(ServiceId(2)), 0);
    }

    #[test]
    fn nobody_can_use_up_all_generations() {
        let generations = Generations::default();
        assert!(!generations.raise(ServiceId(1), u64::MAX, Millis(10)));
        assert!(!Generations::is_possible(u64::MAX, Millis(10)));
        assert_eq!(generations.next(ServiceId(1), Millis(10)), 10);
    }
}
