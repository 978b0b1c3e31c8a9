//! What one response uses.

use crate::{
    counts::{EpochCounts, Place},
    gateway::Current,
    segment::Ahead,
    GatewayMeter,
};
use selvedge_edge_core_metering::{Book, Counts, Denied, Reservation};
use selvedge_primitives_types::{DeviceId, Epoch, Millis, Quality, ServiceId, Usage, UsageClass};
use std::sync::Arc;

/// Counts what one response uses, within what is set aside for it.
///
/// Dropping it gives back what was set aside and not used, and forgets what is ahead, so that a
/// response that is cancelled holds nothing; nothing else happens then.
pub struct Tally {
    meter: Arc<GatewayMeter>,
    service: ServiceId,
    cache: DeviceId,
    epoch: Epoch,
    reservation: Reservation,
    ahead: Option<Noted>,
}

/// Where the counters know of octets ahead.
struct Noted {
    counts: Arc<EpochCounts>,
    place: Place,
    ahead: Ahead,
}

impl Noted {
    fn set(&mut self, ahead: Ahead) {
        self.counts.shift_ahead(self.place, self.ahead, ahead);
        self.ahead = ahead;
    }
}

impl Tally {
    pub(crate) fn begin(
        meter: Arc<GatewayMeter>,
        service: ServiceId,
        usage: &Usage,
    ) -> Result<Self, Denied> {
        let (epoch, reservation) = {
            let state = meter.state.read();
            let current = state.current.as_ref().ok_or(Denied::UnknownService)?;
            let book = current.books.get(&service).ok_or(Denied::UnknownService)?;
            let reservation = book.lock().reserve(usage)?;
            (current.clock.epoch, reservation)
        };
        Ok(Self {
            meter,
            service,
            cache: DeviceId::default(),
            epoch,
            reservation,
            ahead: None,
        })
    }

    /// The service.
    pub fn service(&self) -> ServiceId {
        self.service
    }

    /// Names the cache that supplied or leased the bytes, for what is counted from now on. Until
    /// then it is none.
    pub fn attribute(&mut self, cache: DeviceId) {
        self.cache = cache;
    }

    /// Makes sure that at least `usage` is set aside for what comes after the octets that are
    /// ahead. Long responses call it every MiB, before they send it. Errors, without effect, when
    /// the lease does not cover it.
    pub fn reserve(&mut self, usage: &Usage) -> Result<(), Denied> {
        let meter = self.meter.clone();
        let state = meter.state.read();
        let current = state.current.as_ref().ok_or(Denied::UnknownService)?;
        let ahead = self
            .ahead
            .as_ref()
            .map_or(Ahead::default(), |noted| noted.ahead);
        let usage = usage
            .checked_add(&egress(ahead.paid.saturating_add(ahead.free)))
            .ok_or(Denied::OutOfLease)?;
        self.with_book(current, |reservation, book| {
            extend(reservation, book, &usage)
        })
    }

    /// Notes that `octets` of egress were sent and are not counted yet, in place of what was noted
    /// before. They stay set aside. Octets that are counted are no longer ahead; what is still ahead
    /// when the process is killed is counted when the meter is opened again.
    ///
    /// Errors, with nothing noted, when the lease does not cover them or counters cannot be kept.
    pub fn ahead(&mut self, octets: u64, now: Millis) -> Result<(), Denied> {
        if octets == 0 {
            self.forget_ahead();
            return Ok(());
        }
        let meter = self.meter.clone();
        let state = meter.state.read();
        let current = state.current.as_ref().ok_or(Denied::UnknownService)?;
        let found = self
            .with_book(current, |reservation, book| {
                extend(reservation, book, &egress(octets))?;
                let counts = reservation.covers(&egress(octets));
                Ok((counts.ok_or(Denied::OutOfLease)?, *book.pricing()))
            })
            .and_then(|(counts, pricing)| {
                Ok((
                    counts,
                    current.place(self.service, self.cache, &pricing, now)?,
                ))
            });
        let (counts, place) = match found {
            Ok(found) => found,
            Err(denied) => {
                self.forget_ahead();
                return Err(denied);
            }
        };
        let has_moved =
            |noted: &Noted| !Arc::ptr_eq(&noted.counts, &current.counts) || noted.place != place;
        if self.ahead.as_ref().is_some_and(has_moved) {
            self.forget_ahead();
        }
        let noted = self.ahead.get_or_insert_with(|| Noted {
            counts: current.counts.clone(),
            place,
            ahead: Ahead::default(),
        });
        noted.set(Ahead {
            paid: counts.paid.of(UsageClass::EgressBytes),
            free: counts.free.of(UsageClass::EgressBytes),
        });
        Ok(())
    }

    fn forget_ahead(&mut self) {
        if let Some(mut noted) = self.ahead.take() {
            noted.set(Ahead::default());
        }
    }

    /// Counts what was used. Never fails for what was set aside, unless counters cannot be kept.
    ///
    /// Errors, with nothing counted, when it was not set aside and the lease does not cover it, or
    /// when counters cannot be kept: the response must end.
    pub fn count(&mut self, usage: &Usage, now: Millis) -> Result<(), Denied> {
        let meter = self.meter.clone();
        // Held until the counters are raised: an epoch does not end in between.
        let state = meter.state.read();
        let current = state.current.as_ref().ok_or(Denied::UnknownService)?;
        let (counts, pricing) = self.with_book(current, |reservation, book| {
            extend(reservation, book, usage)?;
            let counts = book.spend(reservation, usage).ok_or(Denied::OutOfLease)?;
            Ok((counts, *book.pricing()))
        })?;
        let place = current.place(self.service, self.cache, &pricing, now)?;
        if let Some(noted) = &mut self.ahead {
            // First taken away and then counted: killed in between, this loses and never counts
            // twice.
            let left = |ahead: u64, counted: &Usage| {
                ahead.saturating_sub(counted.of(UsageClass::EgressBytes))
            };
            noted.set(Ahead {
                paid: left(noted.ahead.paid, &counts.paid),
                free: left(noted.ahead.free, &counts.free),
            });
        }
        current.counts.add(place, &counts);
        Ok(())
    }

    /// Counts how well the request went. Counts no usage.
    pub fn quality(&mut self, quality: Quality, now: Millis) -> Result<(), Denied> {
        let meter = self.meter.clone();
        let state = meter.state.read();
        let current = state.current.as_ref().ok_or(Denied::UnknownService)?;
        let pricing = self.with_book(current, |_, book| Ok(*book.pricing()))?;
        let counts = Counts {
            quality,
            ..Counts::default()
        };
        let place = current.place(self.service, self.cache, &pricing, now)?;
        current.counts.add(place, &counts);
        Ok(())
    }

    fn with_book<T>(
        &mut self,
        current: &Current,
        act: impl FnOnce(&mut Reservation, &mut Book) -> Result<T, Denied>,
    ) -> Result<T, Denied> {
        let book = current
            .books
            .get(&self.service)
            .ok_or(Denied::UnknownService)?;
        if self.epoch != current.clock.epoch {
            // What was set aside in an epoch that is over went with it.
            self.reservation = Reservation::default();
            self.epoch = current.clock.epoch;
        }
        act(&mut self.reservation, &mut book.lock())
    }
}

fn egress(octets: u64) -> Usage {
    Usage::ZERO.with(UsageClass::EgressBytes, octets)
}

/// Makes sure that a reservation covers `usage`.
fn extend(reservation: &mut Reservation, book: &mut Book, usage: &Usage) -> Result<(), Denied> {
    let missing = reservation.missing(usage);
    if missing.is_zero() {
        return Ok(());
    }
    book.extend(reservation, &missing)
}

impl Drop for Tally {
    fn drop(&mut self) {
        self.forget_ahead();
        let state = self.meter.state.read();
        let Some(current) = state
            .current
            .as_ref()
            .filter(|now| now.clock.epoch == self.epoch)
        else {
            return;
        };
        if let Some(book) = current.books.get(&self.service) {
            book.lock().release(std::mem::take(&mut self.reservation));
        }
    }
}
