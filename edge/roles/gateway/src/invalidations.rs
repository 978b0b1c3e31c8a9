//! What unsafe requests made invalid and no order is about yet: how much of it is ordered when.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use selvedge_edge_drivers_purge::{Page, Pending};
use selvedge_primitives_types::{InvalidKeys, ServiceId};
use tokio::sync::Notify;

/// Orders of a service that a gateway asks for at once, and the time for each one more. What comes
/// meanwhile waits, and goes with the next.
const BURST: u32 = 16;
const EACH: Duration = Duration::from_secs(1);
/// Services that are ordered for at a time.
const MAX_RUNNING: usize = 64;
/// How long a service rests when no owner ordered.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug, Default)]
pub struct Invalidations {
    services: Mutex<HashMap<ServiceId, State>>,
    /// Owners that are being told.
    pub asking: AtomicUsize,
    wake: Notify,
}

#[derive(Debug)]
struct State {
    pending: Pending,
    page: Page,
    /// Keys whose order is under way.
    running: Option<Pending>,
    /// Orders that may be asked for, and since when.
    left: u32,
    since: Instant,
    rests_until: Option<Instant>,
    /// Whether the last order failed: then what waits is kept on disk.
    is_failing: bool,
}

impl State {
    fn new(now: Instant) -> Self {
        Self {
            pending: Pending::default(),
            page: Page::default(),
            running: None,
            left: BURST,
            since: now,
            rests_until: None,
            is_failing: false,
        }
    }

    fn refill(&mut self, now: Instant) {
        let more = now.saturating_duration_since(self.since).as_secs() / EACH.as_secs();
        let more = u32::try_from(more).unwrap_or(u32::MAX);
        self.left = self.left.saturating_add(more).min(BURST);
        self.since = if self.left == BURST {
            now
        } else {
            self.since + EACH * more
        };
    }

    fn may_run(&self, now: Instant) -> bool {
        self.running.is_none()
            && !self.pending.is_empty()
            && self.left > 0
            && self.rests_until.is_none_or(|until| until <= now)
    }
}

impl Invalidations {
    /// A key of a service is invalid.
    pub fn add(&self, service: ServiceId, id: u64, now: Instant) {
        let mut services = self.services.lock();
        let state = services.entry(service).or_insert_with(|| State::new(now));
        state.pending.add(id);
        drop(services);
        self.wake.notify_one();
    }

    /// The same of keys that waited before.
    pub fn add_all(&self, service: ServiceId, pending: Pending, now: Instant) {
        let mut services = self.services.lock();
        let state = services.entry(service).or_insert_with(|| State::new(now));
        state.pending.merge(pending);
        drop(services);
        self.wake.notify_one();
    }

    /// What was kept from before a restart. It is kept on until it is ordered.
    pub fn resume(&self, service: ServiceId, pending: Pending, now: Instant) {
        self.add_all(service, pending, now);
        if let Some(state) = self.services.lock().get_mut(&service) {
            state.is_failing = true;
        }
    }

    /// Waits until something may have to be done.
    pub async fn changed(&self) {
        self.wake.notified().await;
    }

    /// What is to be ordered now. Each must be [`Self::end`]ed.
    pub fn begin(&self, now: Instant) -> Vec<(ServiceId, Pending)> {
        let mut services = self.services.lock();
        let running = services.values().filter(|state| state.running.is_some());
        let room = MAX_RUNNING.saturating_sub(running.count());
        let due = services.iter_mut().filter_map(|(service, state)| {
            state.refill(now);
            if !state.may_run(now) {
                return None;
            }
            Some((*service, state))
        });
        due.take(room)
            .map(|(service, state)| {
                state.left -= 1;
                let pending = std::mem::take(&mut state.pending);
                state.running = Some(pending.clone());
                (service, pending)
            })
            .collect()
    }

    /// What to ask the owner for.
    pub fn ask(&self, service: ServiceId, pending: &Pending, now: Instant) -> InvalidKeys {
        let mut services = self.services.lock();
        let state = services.entry(service).or_insert_with(|| State::new(now));
        state.page.ask(pending)
    }

    /// It got this number.
    pub fn ordered(&self, service: ServiceId, asked: &InvalidKeys, number: u64) {
        if let Some(state) = self.services.lock().get_mut(&service) {
            state.page.ordered(asked, number);
        }
    }

    /// Whether a later order contains the one with this number.
    pub fn has_replaced(&self, service: ServiceId, number: u64) -> bool {
        let services = self.services.lock();
        services
            .get(&service)
            .is_some_and(|state| state.page.has_replaced(number))
    }

    /// An order is done with; where it failed, its keys wait again. Says whether the one before it
    /// went the other way.
    pub fn end(&self, service: ServiceId, is_ordered: bool, now: Instant) -> bool {
        let mut services = self.services.lock();
        let Some(state) = services.get_mut(&service) else {
            return false;
        };
        let running = state.running.take().unwrap_or_default();
        let was_failing = std::mem::replace(&mut state.is_failing, !is_ordered);
        let is_news = was_failing == is_ordered;
        if !is_ordered {
            state.pending.merge(running);
            state.rests_until = Some(now + AFTER_FAILURE);
        }
        drop(services);
        self.wake.notify_one();
        is_news
    }

    /// What waits of services whose orders fail.
    pub fn failing(&self) -> Vec<(ServiceId, Pending)> {
        self.of(|state| state.is_failing)
    }

    /// What waits of every service.
    pub fn all(&self) -> Vec<(ServiceId, Pending)> {
        self.of(|_| true)
    }

    fn of(&self, is_wanted: impl Fn(&State) -> bool) -> Vec<(ServiceId, Pending)> {
        let services = self.services.lock();
        let wanted = services.iter().filter(|(_, state)| is_wanted(state));
        let all = wanted.map(|(service, state)| {
            let mut all = state.pending.clone();
            all.merge(state.running.clone().unwrap_or_default());
            (*service, all)
        });
        let mut all: Vec<_> = all.filter(|(_, pending)| !pending.is_empty()).collect();
        all.sort_by_key(|(service, _)| *service);
        all
    }

    /// Keys that no order is about yet, or whose order is on its way, and owners that have not said
    /// whether there is one needed.
    pub fn waiting(&self) -> usize {
        let services = self.services.lock();
        let of = |state: &State| {
            let running = state.running.as_ref().map_or(0, Pending::len);
            state.pending.len() + running
        };
        self.asking.load(Ordering::Acquire) + services.values().map(of).sum::<usize>()
    }

    /// Whether an owner is being asked for something, or soon will be for the first time.
    pub fn is_under_way(&self) -> bool {
        let services = self.services.lock();
        let is_new = |state: &State| !state.pending.is_empty() && !state.is_failing;
        let mut states = services.values();
        self.asking.load(Ordering::Acquire) > 0
            || states.any(|state| state.running.is_some() || is_new(state))
    }

    /// Whether nothing waits to be ordered.
    pub fn is_idle(&self) -> bool {
        let services = self.services.lock();
        services.values().all(|state| state.pending.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICE: ServiceId = ServiceId(1);

    #[test]
    fn many_keys_are_few_orders() {
        let invalidations = Invalidations::default();
        let start = Instant::now();
        let mut orders = 0;
        // A thousand a second for a minute.
        for milli in 0..60_000u64 {
            let now = start + Duration::from_millis(milli);
            invalidations.add(SERVICE, milli, now);
            for (service, pending) in invalidations.begin(now) {
                assert!(pending.len() <= InvalidKeys::MAX_KEYS);
                let asked = invalidations.ask(service, &pending, now);
                orders += 1;
                invalidations.ordered(service, &asked, orders);
                invalidations.end(service, true, now);
            }
        }
        assert!((60..=76).contains(&orders), "{orders}");
        let later = start + Duration::from_secs(62);
        invalidations.begin(later);
        invalidations.end(SERVICE, true, later);
        assert_eq!(invalidations.waiting(), 0);
    }

    #[test]
    fn what_could_not_be_ordered_waits_and_rests() {
        let invalidations = Invalidations::default();
        let now = Instant::now();
        invalidations.add(SERVICE, 7, now);
        assert_eq!(invalidations.begin(now).len(), 1);
        invalidations.add(SERVICE, 8, now);
        // One at a time.
        assert!(invalidations.begin(now).is_empty());
        assert!(invalidations.is_under_way());
        assert!(invalidations.end(SERVICE, false, now), "that is news");
        assert_eq!(invalidations.waiting(), 2);
        assert!(!invalidations.is_under_way(), "it is kept");
        assert_eq!(invalidations.all(), invalidations.failing());
        assert!(invalidations.begin(now).is_empty());
        assert_eq!(invalidations.failing()[0].1.len(), 2);
        let (_, pending) = invalidations.begin(now + AFTER_FAILURE).remove(0);
        assert_eq!(pending.len(), 2);
        assert_eq!(invalidations.failing()[0].1, pending);
        invalidations.end(SERVICE, true, now);
        assert!(invalidations.failing().is_empty());
    }
}
