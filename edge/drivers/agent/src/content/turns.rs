//! How many slices are taken at a time, of one service and of all.

use std::collections::HashMap;

use parking_lot::Mutex;
use selvedge_primitives_types::ServiceId;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Slices of all services, which bounds the memory they need to 64 MiB.
const AT_ONCE: usize = 64;
/// Slices of one service: one that sends slowly keeps no other from its turn.
const PER_SERVICE: usize = 16;

/// Turns to send a slice.
pub(crate) struct Turns {
    all: Semaphore,
    services: Mutex<HashMap<ServiceId, usize>>,
}

/// One of them, until it is dropped.
pub(super) struct Turn<'a> {
    turns: &'a Turns,
    service: ServiceId,
    _one: Option<SemaphorePermit<'a>>,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            all: Semaphore::new(AT_ONCE),
            services: Mutex::default(),
        }
    }
}

impl Turns {
    /// Waits for a turn; `None` when the service has as many as it may. As many wait as there are connections.
    pub(super) async fn take(&self, service: ServiceId) -> Option<Turn<'_>> {
        {
            let mut services = self.services.lock();
            let count = services.entry(service).or_default();
            if *count == PER_SERVICE {
                return None;
            }
            *count += 1;
        }
        let mut turn = Turn {
            turns: self,
            service,
            _one: None,
        };
        // It fails only when it is closed, which nobody does.
        turn._one = Some(self.all.acquire().await.ok()?);
        Some(turn)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut services = self.turns.services.lock();
        if let Some(count) = services.get_mut(&self.service) {
            *count -= 1;
            if *count == 0 {
                services.remove(&self.service);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_service_leaves_room_for_others() {
        let turns = Turns::default();
        let mut taken = Vec::new();
        for _ in 0..PER_SERVICE {
            taken.push(turns.take(ServiceId(1)).await.unwrap());
        }
        assert!(turns.take(ServiceId(1)).await.is_none());
        assert!(turns.take(ServiceId(2)).await.is_some());
        taken.pop();
        assert!(turns.take(ServiceId(1)).await.is_some());
        drop(taken);
        assert!(turns.services.lock().is_empty());
        assert_eq!(turns.all.available_permits(), AT_ONCE);
    }
}
