//! What is counted of each service while it is served, and who listens to its log.
//!
//! A service takes memory from its first answer on, and gives it back when it had none for an hour.
//! Recording is a few atomic additions: it stands in the way of every hit.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use selvedge_edge_core_analytics::{Recorder, Series, Source, Window, LONGEST};
use selvedge_edge_drivers_agent::clock;
use selvedge_primitives_types::{Millis, ServiceId};

use crate::exchange::Exchange;
use crate::gateway::Shared;
use crate::tail::Tail;

/// Services that are counted at a time. A busy one takes about 0.1 MB.
pub const MAX_SERVICES: usize = 512;
/// How often what was recorded is put into its slice.
const TICK: Duration = Duration::from_secs(1);

/// One service.
#[derive(Debug)]
pub struct Live {
    /// Who listens to its log.
    pub tail: Arc<Tail>,
    recorder: Recorder,
    series: Mutex<Series>,
}

impl Live {
    /// Counts an answer: its head left this long after its request's had arrived.
    pub fn answered(&self, source: Source, status: u16, first_byte: Duration) {
        let micros = first_byte.as_micros() as u64;
        self.recorder.answered(thread(), source, status, micros);
    }

    /// Counts body bytes that were sent and are charged.
    pub fn sent(&self, source: Source, bytes: u64) {
        self.recorder.sent(thread(), source, bytes);
    }
}

/// All services.
#[derive(Debug)]
pub struct Analytics {
    began: Millis,
    threads: usize,
    services: Mutex<HashMap<ServiceId, Arc<Live>>>,
}

impl Analytics {
    /// Begins to count now.
    pub fn new() -> Self {
        let threads = std::thread::available_parallelism();
        Self {
            began: clock::now(),
            threads: threads.map_or(1, usize::from),
            services: Mutex::default(),
        }
    }

    /// A service that is about to be answered for, or to be listened to. `None` when too many are.
    pub fn open(&self, service: ServiceId) -> Option<Arc<Live>> {
        let mut services = self.services.lock();
        if let Some(live) = services.get(&service) {
            return Some(live.clone());
        }
        if services.len() >= MAX_SERVICES {
            return None;
        }
        let live = Arc::new(Live {
            tail: Arc::default(),
            recorder: Recorder::new(self.threads),
            series: Mutex::new(Series::new(self.began, clock::now())),
        });
        services.insert(service, live.clone());
        Some(live)
    }

    /// What was counted of a service in the time before now. `None` when it is not counted, because
    /// too many others are.
    pub fn window(&self, service: ServiceId, length: Millis, now: Millis) -> Option<Window> {
        let services = self.services.lock();
        if let Some(live) = services.get(&service).cloned() {
            drop(services);
            return Some(live.series.lock().window(&live.recorder, length, now));
        }
        let since = Millis(now.0.saturating_sub(length.min(LONGEST).0));
        (services.len() < MAX_SERVICES).then(|| Window {
            from: since.max(self.began.min(now)),
            to: now,
            counts: Default::default(),
        })
    }

    /// Ends what listeners are told.
    pub fn close(&self) {
        for live in self.services.lock().values() {
            live.tail.close();
        }
    }

    /// Puts what was recorded into slices, and forgets who was silent for as long as is known.
    fn collect(&self, now: Millis) {
        let all: Vec<_> = {
            let services = self.services.lock();
            services
                .iter()
                .map(|(service, live)| (*service, live.clone()))
                .collect()
        };
        let mut silent = Vec::new();
        for (service, live) in all {
            let mut series = live.series.lock();
            series.collect(&live.recorder, now);
            if series.idle(now) > LONGEST {
                silent.push(service);
            }
        }
        let mut services = self.services.lock();
        for service in silent {
            // Whoever holds it may count on it a moment later.
            if services
                .get(&service)
                .is_some_and(|live| Arc::strong_count(live) == 1)
            {
                services.remove(&service);
            }
        }
    }
}

impl Shared {
    /// Whose answer it is, and where it is counted; what the gateway says of itself is nobody's.
    pub fn counted(&self, exchange: &Exchange) -> Option<(ServiceId, Option<Arc<Live>>)> {
        if exchange.target.starts_with("/.well-known/selvedge/") {
            return None;
        }
        let world = self.world()?;
        let service = world.service(&exchange.host)?;
        Some((service.id, service.live(&self.analytics).cloned()))
    }
}

/// Collects each second, for good.
pub async fn run(shared: Arc<Shared>) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        shared.analytics.collect(clock::now());
    }
}

/// A number that each thread keeps.
fn thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: usize = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    OWN.with(|own| *own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_bounded_and_the_silent_make_room() {
        let analytics = Analytics::new();
        for number in 0..MAX_SERVICES as u64 {
            assert!(analytics.open(ServiceId(number)).is_some());
        }
        let held = analytics.open(ServiceId(7)).unwrap();
        let late = ServiceId(1_000_000);
        assert!(analytics.open(late).is_none());
        let now = clock::now();
        assert_eq!(analytics.window(late, Millis(1_000), now), None);
        analytics.collect(Millis(now.0 + LONGEST.0 + 60_000));
        // One that is held may be counted on.
        assert_eq!(analytics.services.lock().len(), 1);
        held.answered(Source::Memory, 200, Duration::from_micros(3));
        for (service, requests) in [(ServiceId(7), 1), (late, 0)] {
            let window = analytics.window(service, LONGEST, clock::now()).unwrap();
            assert_eq!(window.counts.requests(), requests);
        }
        assert!(analytics.open(late).is_some());
    }

    /// Run it with `--ignored --nocapture` to see what recording costs.
    #[test]
    #[ignore = "measures, and asserts nothing"]
    fn what_recording_costs() {
        let live = Analytics::new().open(ServiceId(1)).unwrap();
        let times = 20_000_000u32;
        let started = std::time::Instant::now();
        for number in 0..times {
            let first_byte = Duration::from_nanos(u64::from(number % 8_000));
            live.answered(Source::Memory, 200, first_byte);
            live.sent(Source::Memory, 1_024);
            std::hint::black_box(live.tail.is_heard());
        }
        println!(
            "{:.1} ns",
            started.elapsed().as_nanos() as f64 / f64::from(times)
        );
    }
}
