//! A fetch under way: one gateway holds the lease, others wait for its frames.
//!
//! ```text
//! Granted -> Begun (head known, frames follow) -> its progress ends with a record, or without
//!        \-> Passed (not for sharing)
//!        \-> Renewed (what is stored is fresh again)
//!        \-> Failed (whoever waits looks again, and the first gets the next lease)
//! ```

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use selvedge_edge_core_http_cache::Stored;
use selvedge_edge_core_verify::{LeaseId, RecordHead, SignedFrame};
use selvedge_edge_drivers_store::PartialBody;
use selvedge_primitives_types::{DeviceId, ServiceId, SignedRecord};
use tokio::sync::watch;

/// Bytes of one body that are held in memory when the disk does not take them.
const MAX_HELD: u64 = 32 * 1024 * 1024;

/// Where a fetch stands.
#[derive(Clone)]
pub(crate) enum State {
    /// The lease is granted; the origin has not answered.
    Granted,
    /// The head of the response is known, and vouched for.
    Begun(Arc<Begun>),
    /// The response is not for sharing, for this long.
    Passed(Duration),
    /// A stored response is fresh again.
    Renewed,
    /// It came to nothing.
    Failed,
}

/// A response under way.
pub(crate) struct Begun {
    /// Its head.
    pub head: RecordHead,
    /// What the head says.
    pub stored: Stored,
    frames: Mutex<Vec<(SignedFrame, Option<Bytes>)>>,
    written: Option<PartialBody>,
    progress: watch::Sender<Progress>,
}

/// How far a response under way is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    /// Frames that can be read.
    pub frames: usize,
    /// How it ended.
    pub end: Option<End>,
}

/// How a response under way ended.
#[derive(Clone, Debug)]
pub(crate) enum End {
    /// Whole, with its record.
    Record(Box<SignedRecord>),
    /// Not at all: the holder is gone or sent something wrong.
    Broken,
}

impl Begun {
    /// Begins; bytes that were written can be read from `written`.
    pub(crate) fn new(head: RecordHead, stored: Stored, written: Option<PartialBody>) -> Self {
        Self {
            head,
            stored,
            frames: Mutex::default(),
            written,
            progress: watch::Sender::default(),
        }
    }

    /// Adds a verified frame. `bytes` are those the disk did not take. `false` when too much would
    /// be held in memory.
    pub(crate) fn add(&self, frame: SignedFrame, bytes: Option<Bytes>) -> bool {
        let count = {
            let mut frames = self.frames.lock();
            if bytes.is_some() {
                let held: u64 = frames
                    .iter()
                    .filter_map(|(_, held)| held.as_ref())
                    .map(|held| held.len() as u64)
                    .sum();
                if held + u64::from(frame.length) > MAX_HELD {
                    return false;
                }
            }
            frames.push((frame, bytes));
            frames.len()
        };
        self.progress
            .send_modify(|progress| progress.frames = count);
        true
    }

    /// It ended.
    pub(crate) fn end(&self, end: End) {
        self.progress
            .send_modify(|progress| progress.end = Some(end));
    }

    /// Tells of each step.
    pub(crate) fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// A frame and its bytes. Reads from disk.
    pub(crate) fn read(&self, index: usize) -> std::io::Result<(SignedFrame, Bytes)> {
        let (frame, held) = self.frames.lock()[index].clone();
        let bytes = match (held, &self.written) {
            (Some(held), _) => held,
            (None, Some(written)) => written.read(frame.offset, frame.length as usize)?,
            (None, None) => Bytes::new(),
        };
        Ok((frame, bytes))
    }
}

/// A lease and what became of it.
pub(crate) struct Flight {
    /// The lease.
    pub lease: LeaseId,
    /// The gateway that holds it.
    pub holder: DeviceId,
    /// The service.
    pub service: ServiceId,
    /// The key.
    pub key: Vec<u8>,
    state: watch::Sender<State>,
    is_seeding: AtomicBool,
    is_outdated: AtomicBool,
}

impl Flight {
    /// The holder's stream has come. `false` when one had come before.
    pub(crate) fn begin_seeding(&self) -> bool {
        !self.is_seeding.swap(true, Ordering::AcqRel)
    }

    /// An unsafe request made what it brings invalid: nobody else may join it, and it is not
    /// stored.
    pub(crate) fn outdate(&self) {
        self.is_outdated.store(true, Ordering::Release);
    }

    /// Whether what it brings is invalid already.
    pub(crate) fn is_outdated(&self) -> bool {
        self.is_outdated.load(Ordering::Acquire)
    }

    /// Whether the holder's stream has come.
    pub(crate) fn is_seeding(&self) -> bool {
        self.is_seeding.load(Ordering::Acquire)
    }

    /// Where it stands.
    pub(crate) fn state(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    /// Waits until it is no longer as it was granted.
    pub(crate) async fn moved(&self) {
        // It does not end before its state is gone, which this holds.
        let _ = self
            .state()
            .wait_for(|state| !matches!(state, State::Granted))
            .await;
    }

    /// It goes on.
    pub(crate) fn set(&self, state: State) {
        self.state.send_replace(state);
    }
}

type Place = (ServiceId, Vec<u8>);

/// Every lease of a cache.
#[derive(Default)]
pub(crate) struct Flights {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    next: u64,
    leases: HashMap<LeaseId, Arc<Flight>>,
    /// Of each key, oldest first. There are several when responses differ by request fields.
    places: HashMap<Place, Vec<Arc<Flight>>>,
}

/// What a lookup that found nothing may do.
pub(crate) enum Boarding {
    /// Fetch.
    Lease(Arc<Flight>),
    /// Wait for this one.
    Wait(Arc<Flight>),
    /// There are too many leases.
    Full,
}

impl Flights {
    /// Numbers leases from the moment of the start, so that none of before a restart is taken for a
    /// new one.
    pub(crate) fn new(start: u64) -> Self {
        let inner = Inner {
            next: start,
            ..Inner::default()
        };
        Self {
            inner: Mutex::new(inner),
        }
    }

    /// Leases under way.
    #[allow(clippy::len_without_is_empty)]
    pub(crate) fn len(&self) -> usize {
        self.inner.lock().leases.len()
    }

    /// Joins a fetch of the key that `suits`, or grants a lease.
    pub(crate) fn board(
        &self,
        service: ServiceId,
        key: &[u8],
        gateway: DeviceId,
        max: usize,
        suits: impl Fn(&Flight) -> bool,
    ) -> Boarding {
        let mut inner = self.inner.lock();
        let place = (service, key.to_vec());
        let known = inner
            .places
            .get(&place)
            .map(Vec::as_slice)
            .unwrap_or_default();
        if let Some(flight) = known.iter().find(|flight| suits(flight)) {
            return Boarding::Wait(flight.clone());
        }
        if inner.leases.len() >= max {
            return Boarding::Full;
        }
        inner.next += 1;
        let flight = Arc::new(Flight {
            lease: LeaseId(inner.next),
            holder: gateway,
            service,
            key: key.to_vec(),
            state: watch::Sender::new(State::Granted),
            is_seeding: AtomicBool::new(false),
            is_outdated: AtomicBool::new(false),
        });
        inner.leases.insert(flight.lease, flight.clone());
        inner.places.entry(place).or_default().push(flight.clone());
        Boarding::Lease(flight)
    }

    /// The lease that `gateway` holds under this number.
    pub(crate) fn of(&self, lease: LeaseId, gateway: DeviceId) -> Option<Arc<Flight>> {
        let inner = self.inner.lock();
        let flight = inner.leases.get(&lease)?;
        (flight.holder == gateway).then(|| flight.clone())
    }

    /// Makes every fetch of a key outdated. Says whether there is one.
    pub(crate) fn outdate(&self, service: ServiceId, key: &[u8]) -> bool {
        let inner = self.inner.lock();
        let known = inner.places.get(&(service, key.to_vec()));
        let known = known.into_iter().flatten();
        known.map(|flight| flight.outdate()).count() > 0
    }

    /// Nobody may join it any more.
    pub(crate) fn close(&self, flight: &Flight) {
        let mut inner = self.inner.lock();
        inner.leases.remove(&flight.lease);
        let place = (flight.service, flight.key.clone());
        if let Some(flights) = inner.places.get_mut(&place) {
            flights.retain(|other| other.lease != flight.lease);
            if flights.is_empty() {
                inner.places.remove(&place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"https://a.test/";

    fn board(flights: &Flights, gateway: u8, max: usize) -> Boarding {
        flights.board(ServiceId(1), KEY, DeviceId([gateway; 32]), max, |_| true)
    }

    #[test]
    fn one_lease_is_granted_and_others_wait() {
        let flights = Flights::new(100);
        let Boarding::Lease(first) = board(&flights, 1, 10) else {
            panic!("no lease");
        };
        let Boarding::Wait(joined) = board(&flights, 2, 10) else {
            panic!("a second lease");
        };
        assert_eq!(joined.lease, first.lease);
        assert!(flights.of(first.lease, DeviceId([2; 32])).is_none());
        assert!(flights.of(first.lease, DeviceId([1; 32])).is_some());
        flights.close(&first);
        assert_eq!(flights.len(), 0);
        let Boarding::Lease(second) = board(&flights, 2, 10) else {
            panic!("no lease after the first has ended");
        };
        assert!(second.lease > first.lease);
    }

    #[tokio::test]
    async fn nothing_is_held_of_a_fetch_that_has_come_to_something() {
        let flights = Flights::new(0);
        let Boarding::Lease(flight) = board(&flights, 1, 10) else {
            panic!("no lease");
        };
        let watcher = flight.clone();
        let watching = tokio::spawn(async move { watcher.moved().await });
        flights.close(&flight);
        flight.set(State::Renewed);
        watching.await.unwrap();
        assert_eq!(Arc::strong_count(&flight), 1);
    }

    #[test]
    fn leases_are_bounded() {
        let flights = Flights::new(0);
        assert!(matches!(board(&flights, 1, 0), Boarding::Full));
    }
}
