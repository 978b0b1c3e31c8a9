//! One response's account: what it may use, what it used, and its line in the access log.

use std::sync::Arc;
use std::time::{Duration, Instant};

use selvedge_edge_drivers_agent::clock;
pub use selvedge_edge_drivers_meter::rules::Denied;
pub use selvedge_edge_drivers_meter::GatewayMeter as Meter;
use selvedge_edge_drivers_meter::Tally;
use selvedge_primitives_types::{DeviceId, Quality, Usage, UsageClass};

use crate::access_log::Line;
use crate::gateway::Shared;
use crate::live::Live;
use crate::metered::{Counting, CHECK_EVERY};
use crate::metrics::Source;
use crate::world::Service;

/// Set aside for a body whose length nobody knows, until the first check.
const UNKNOWN: u64 = 64 * 1024;

/// An account with a service.
pub struct Tab(Option<Tally>);

impl Tab {
    /// Opens the account of a request: one request is set aside.
    pub fn open(meter: &Arc<Meter>, service: &Service) -> Result<Self, Denied> {
        let one = Usage::ZERO.with(UsageClass::Requests, 1);
        Ok(Self(Some(meter.begin(service.id, &one)?)))
    }

    /// Opens the account of a fetch, which may outlive the request it was made for.
    pub fn for_origin(meter: &Arc<Meter>, service: &Service, cache: DeviceId) -> Self {
        let mut tally = meter.begin(service.id, &Usage::ZERO).ok();
        if let Some(tally) = &mut tally {
            tally.attribute(cache);
        }
        Self(tally)
    }

    /// Names the cache that is credited.
    pub fn credit(&mut self, cache: DeviceId) {
        if let Some(tally) = &mut self.0 {
            tally.attribute(cache);
        }
    }

    /// The request has its answer, with a body of this length. It is counted, and the body's first
    /// part set aside.
    ///
    /// Errors, with nothing counted, when the lease does not cover it.
    pub fn answered(&mut self, length: Option<u64>, first_byte: Duration) -> Result<(), Denied> {
        let tally = self.0.as_mut().ok_or(Denied::UnknownService)?;
        let one = Usage::ZERO.with(UsageClass::Requests, 1);
        let body = length.unwrap_or(UNKNOWN).min(CHECK_EVERY);
        tally.reserve(&one.with(UsageClass::EgressBytes, body))?;
        let now = clock::now();
        tally.count(&one, now)?;
        let quality = Quality {
            answered: 1,
            failed: 0,
            ttfb_micros: first_byte.as_micros() as u64,
        };
        tally.quality(quality, now)
    }

    /// A request failed for a reason of the network's own.
    pub fn failed(&mut self) {
        if let Some(tally) = &mut self.0 {
            let quality = Quality {
                failed: 1,
                ..Quality::default()
            };
            // What cannot be counted is not charged either.
            let _ = tally.quality(quality, clock::now());
        }
    }

    /// Counts body bytes from an origin. Errors when the lease does not cover them; then the fetch
    /// must end.
    pub fn origin(&mut self, bytes: u64) -> Result<(), Denied> {
        let tally = self.0.as_mut().ok_or(Denied::UnknownService)?;
        tally.count(
            &Usage::ZERO.with(UsageClass::OriginBytes, bytes),
            clock::now(),
        )
    }
}

/// A request under way; it counts as such until this is dropped, also when its visitor leaves before
/// there is an answer.
pub struct Running(Arc<Shared>);

impl Running {
    /// Counts one more.
    pub fn new(shared: &Arc<Shared>) -> Self {
        shared.metrics.running.inc();
        Self(shared.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.metrics.running.dec();
    }
}

/// Follows a response to its end.
pub struct Sent {
    /// The gateway.
    pub shared: Arc<Shared>,
    /// The line to write at the end.
    pub line: Option<Line>,
    /// When the request's head had arrived.
    pub started: Instant,
    /// The account; `None` for what is free.
    pub tab: Option<Tab>,
    /// Where its service's answers are counted, and under which source.
    pub live: Option<(Arc<Live>, Source)>,
    /// Ends with it.
    pub _running: Running,
}

impl Counting for Sent {
    fn sent(&mut self, octets: u64) -> bool {
        let Some(tally) = self.tab.as_mut().and_then(|tab| tab.0.as_mut()) else {
            return true;
        };
        let usage = Usage::ZERO.with(UsageClass::EgressBytes, octets);
        let is_counted = tally.count(&usage, clock::now()).is_ok();
        if is_counted {
            self.shared.metrics.egress.inc_by(octets);
            if let Some((live, source)) = &self.live {
                live.sent(*source, octets);
            }
        }
        is_counted
    }

    fn ahead(&mut self, octets: u64) -> bool {
        let Some(tally) = self.tab.as_mut().and_then(|tab| tab.0.as_mut()) else {
            return true;
        };
        tally.ahead(octets, clock::now()).is_ok()
    }

    fn may_continue(&mut self, octets: u64) -> bool {
        let Some(tally) = self.tab.as_mut().and_then(|tab| tab.0.as_mut()) else {
            return true;
        };
        let usage = Usage::ZERO.with(UsageClass::EgressBytes, octets);
        tally.reserve(&usage).is_ok()
    }

    fn ended(&mut self, octets: u64, is_complete: bool) {
        // What is set aside and not used goes back before the visitor's next request asks for it.
        let is_charged = self.tab.take().is_some();
        if let Some(mut line) = self.line.take() {
            line.bytes = if is_charged { octets } else { 0 };
            line.complete = is_complete;
            line.total_us = self.started.elapsed().as_micros() as u64;
            let live = self.live.as_ref().map(|(live, _)| &**live);
            self.shared.write_line(&line, live);
        }
    }
}
