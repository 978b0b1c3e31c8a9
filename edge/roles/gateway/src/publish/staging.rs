//! How much a service may put that it has not pinned.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use selvedge_primitives_types::ServiceId;

/// The most bytes that a service puts within an hour: a site of that size can be put at once, and pinned.
const PER_SERVICE: u64 = 64 << 30;
/// The most bytes of all services.
const TOTAL: u64 = 512 << 30;
/// How long what was put counts: as long as caches keep it without a pin.
const HOUR: Duration = Duration::from_secs(3_600);
/// Services that are counted apart; those beyond share what is left of the total.
const MAX_SERVICES: usize = 65_536;

/// Bytes that went through in the current hour of each service.
#[derive(Debug, Default)]
pub(super) struct Staging(Mutex<Books>);

#[derive(Debug, Default)]
struct Books {
    total: Book,
    services: HashMap<ServiceId, Book>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Book {
    bytes: u64,
    since: Option<Instant>,
}

impl Book {
    fn current(self, now: Instant) -> Self {
        match self.since {
            Some(since) if now.duration_since(since) < HOUR => self,
            _ => Self {
                bytes: 0,
                since: Some(now),
            },
        }
    }
}

impl Staging {
    /// Whether a service may put so many bytes more; then they count.
    pub(super) fn admit(&self, service: ServiceId, bytes: u64, now: Instant) -> bool {
        let mut books = self.0.lock();
        let mut total = books.total.current(now);
        let own = books.services.get(&service).copied().unwrap_or_default();
        let mut own = own.current(now);
        total.bytes = total.bytes.saturating_add(bytes);
        own.bytes = own.bytes.saturating_add(bytes);
        if total.bytes > TOTAL || own.bytes > PER_SERVICE {
            return false;
        }
        books.total = total;
        if books.services.len() >= MAX_SERVICES {
            books.services.retain(|_, book| book.current(now).bytes > 0);
        }
        if books.services.len() < MAX_SERVICES || books.services.contains_key(&service) {
            books.services.insert(service, own);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_bounded_by_the_hour_without_bounding_others() {
        let (staging, start) = (Staging::default(), Instant::now());
        let admit = |service, bytes, after| staging.admit(ServiceId(service), bytes, start + after);
        assert!(admit(1, PER_SERVICE, Duration::ZERO));
        assert!(!admit(1, 1, Duration::ZERO));
        assert!(admit(2, PER_SERVICE, Duration::ZERO));
        assert!(!admit(1, 1, HOUR - Duration::from_secs(1)));
        assert!(admit(1, 1, HOUR));
        assert!(!admit(1, u64::MAX, HOUR));
    }

    #[test]
    fn all_services_together_are_bounded() {
        let (staging, now) = (Staging::default(), Instant::now());
        let admitted =
            (0..100).filter(|service| staging.admit(ServiceId(*service), PER_SERVICE, now));
        assert_eq!(admitted.count() as u64, TOTAL / PER_SERVICE);
    }
}
