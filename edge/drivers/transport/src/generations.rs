//! Purge generations as far as this gateway knows them. They only rise.
//!
//! A purge raises a service's generation here; the next record that is fetched carries it; whoever
//! verifies such a record learns it. So a purge spreads with what is fetched after it, and what was
//! fetched before is never served here again.

use std::collections::HashMap;

use parking_lot::RwLock;
use selvedge_primitives_types::{Millis, ServiceId};

/// The generation of each service.
#[derive(Debug, Default)]
pub struct Generations(RwLock<HashMap<ServiceId, u64>>);

impl Generations {
    /// The generation of a service; 0 where nothing was ever purged.
    pub fn of(&self, service: ServiceId) -> u64 {
        self.0.read().get(&service).copied().unwrap_or(0)
    }

    /// Takes over a generation that was seen. Says whether it is higher than the one known.
    pub fn raise(&self, service: ServiceId, generation: u64) -> bool {
        if generation <= self.of(service) {
            return false;
        }
        let mut all = self.0.write();
        let known = all.entry(service).or_default();
        let is_higher = generation > *known;
        *known = generation.max(*known);
        is_higher
    }

    /// Begins a new generation. Two gateways that purge at once get two numbers or the same one,
    /// and either is above all that was fetched before.
    pub fn next(&self, service: ServiceId, now: Millis) -> u64 {
        let mut all = self.0.write();
        let known = all.entry(service).or_default();
        *known = now.0.max(*known + 1);
        *known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generations_only_rise() {
        let generations = Generations::default();
        let service = ServiceId(1);
        assert!(generations.raise(service, 5));
        assert!(!generations.raise(service, 5));
        assert!(!generations.raise(service, 4));
        assert_eq!(generations.next(service, Millis(3)), 6);
        assert_eq!(generations.next(service, Millis(100)), 100);
        assert_eq!(generations.of(ServiceId(2)), 0);
    }
}
