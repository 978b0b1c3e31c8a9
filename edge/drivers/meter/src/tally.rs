//! What one response uses.

use crate::{gateway::Current, GatewayMeter};
use selvedge_edge_core_metering::{Book, CountKey, Counts, Denied, Pricing, Reservation};
use selvedge_primitives_types::{DeviceId, Epoch, Millis, Quality, ServiceId, Usage};
use std::sync::Arc;

/// Counts what one response uses, within what is set aside for it.
///
/// Dropping it gives back what was set aside and not used, so that a response that is cancelled
/// holds nothing; nothing else happens then.
pub struct Tally {
    meter: Arc<GatewayMeter>,
    service: ServiceId,
    cache: DeviceId,
    epoch: Epoch,
    reservation: Reservation,
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

    /// Makes sure that at least `usage` is set aside. Long responses call it every MiB, before they
    /// send it. Errors, without effect, when the lease does not cover it.
    pub fn reserve(&mut self, usage: &Usage) -> Result<(), Denied> {
        let meter = self.meter.clone();
        let state = meter.state.read();
        let current = state.current.as_ref().ok_or(Denied::UnknownService)?;
        self.with_book(current, |reservation, book| {
            let missing = reservation.missing(usage);
            if missing.is_zero() {
                Ok(())
            } else {
                book.extend(reservation, &missing)
            }
        })
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
            let missing = reservation.missing(usage);
            if !missing.is_zero() {
                book.extend(reservation, &missing)?;
            }
            let counts = book.spend(reservation, usage).ok_or(Denied::OutOfLease)?;
            Ok((counts, *book.pricing()))
        })?;
        self.add(current, &pricing, &counts, now)
    }

    /// Counts how well the request went. Counts no usage.
    pub fn quality(&mut self, quality: Quality, now: Millis) -> Result<(), Denied> {
        let meter = self.meter.clone();
        let state = meter.state.read();
        let current = state.current.as_ref().ok_or(Denied::UnknownService)?;
        let pricing = self.with_book(current, |_, book| Ok(*book.pricing()))?;
        self.add(
            current,
            &pricing,
            &Counts {
                quality,
                ..Counts::default()
            },
            now,
        )
    }

    fn add(
        &self,
        current: &Current,
        pricing: &Pricing,
        counts: &Counts,
        now: Millis,
    ) -> Result<(), Denied> {
        let slice = current.clock.slice(now);
        let key = CountKey {
            service: self.service,
            peer: self.cache,
            slice,
        };
        current.counts.add(&key, pricing, counts).map_err(|error| {
            tracing::error!(service = %self.service, %error, "cannot count use");
            Denied::NotCounting
        })
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

impl Drop for Tally {
    fn drop(&mut self) {
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
