//! Which keys gateways have asked about, or say that they hold.
//!
//! Whoever has a response of this cache's keys in memory has asked about it here, within
//! [`HOLD`]: so this cache can tell when an unsafe request makes nothing invalid anywhere. Where it
//! cannot remember, be it that it was started or that there were too many, it says that somebody may
//! have it.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use selvedge_edge_drivers_purge::key_id;
use selvedge_edge_drivers_transport::HOLD;
use selvedge_primitives_types::ServiceId;

/// How long a key is remembered at least: for as long as a gateway may answer from memory, and for what
/// is on its way.
const KEEP: Duration = HOLD.saturating_mul(2);
/// Keys that are remembered for each such time.
const CAPACITY: usize = 262_144;

type Name = (ServiceId, u64);

/// See the module.
pub(crate) struct Asked(Mutex<Inner>);

struct Inner {
    new: HashSet<Name>,
    old: HashSet<Name>,
    turned: Instant,
    /// Until then it is not known what was asked before.
    unknown_until: Option<Instant>,
}

impl Asked {
    /// Nothing was asked. `is_first` unless there was a cache in this folder before.
    pub(crate) fn new(is_first: bool, now: Instant) -> Self {
        Self(Mutex::new(Inner {
            new: HashSet::new(),
            old: HashSet::new(),
            turned: now,
            unknown_until: (!is_first).then(|| now + KEEP),
        }))
    }

    /// A gateway asks about a key.
    pub(crate) fn note(&self, service: ServiceId, key: &[u8], now: Instant) {
        self.note_ids([(service, key_id(key))], now);
    }

    /// A gateway holds these.
    pub(crate) fn note_ids(&self, names: impl IntoIterator<Item = Name>, now: Instant) {
        let mut inner = self.0.lock();
        inner.turn(now);
        for name in names {
            if inner.new.len() >= CAPACITY && !inner.new.contains(&name) {
                inner.unknown_until = Some(now + KEEP);
                continue;
            }
            inner.new.insert(name);
        }
    }

    /// Whether somebody may have a response from here.
    pub(crate) fn may_hold(&self, service: ServiceId, key: &[u8], now: Instant) -> bool {
        let name = (service, key_id(key));
        let mut inner = self.0.lock();
        inner.turn(now);
        inner.unknown_until.is_some_and(|until| now < until)
            || inner.new.contains(&name)
            || inner.old.contains(&name)
    }
}

impl Inner {
    fn turn(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.turned);
        if passed < KEEP {
            return;
        }
        self.old = std::mem::take(&mut self.new);
        if passed >= KEEP * 2 {
            self.old.clear();
        }
        self.turned = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICE: ServiceId = ServiceId(1);

    #[test]
    fn a_key_is_remembered_for_as_long_as_it_may_be_held() {
        let start = Instant::now();
        let asked = Asked::new(true, start);
        assert!(!asked.may_hold(SERVICE, b"a", start));
        asked.note(SERVICE, b"a", start + KEEP / 2);
        assert!(asked.may_hold(SERVICE, b"a", start + KEEP / 2));
        assert!(!asked.may_hold(ServiceId(2), b"a", start + KEEP / 2));
        assert!(asked.may_hold(SERVICE, b"a", start + KEEP + KEEP / 2));
        assert!(!asked.may_hold(SERVICE, b"a", start + KEEP * 4));
    }

    #[test]
    fn who_may_have_forgotten_says_that_it_may_be_held() {
        let start = Instant::now();
        let asked = Asked::new(false, start);
        assert!(asked.may_hold(SERVICE, b"a", start + KEEP / 2));
        assert!(!asked.may_hold(SERVICE, b"a", start + KEEP * 2));
        let asked = Asked::new(true, start);
        asked.note_ids((0..=CAPACITY as u64).map(|id| (SERVICE, id)), start);
        assert!(asked.0.lock().new.len() <= CAPACITY);
        assert!(asked.may_hold(SERVICE, b"a", start));
    }
}
