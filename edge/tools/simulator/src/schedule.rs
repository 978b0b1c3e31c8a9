//! Virtual time: what happens when, and in which order when at once.

use std::collections::BTreeMap;

/// Events by time, in milliseconds; those of one time in the order in which they were put.
#[derive(Debug)]
pub(crate) struct Schedule<E> {
    events: BTreeMap<(u64, u64), E>,
    count: u64,
    now: u64,
}

impl<E> Default for Schedule<E> {
    fn default() -> Self {
        Self {
            events: BTreeMap::new(),
            count: 0,
            now: 0,
        }
    }
}

impl<E> Schedule<E> {
    pub(crate) fn now(&self) -> u64 {
        self.now
    }

    /// Lets something happen in so many milliseconds.
    pub(crate) fn after(&mut self, millis: u64, event: E) {
        self.count += 1;
        self.events.insert((self.now + millis, self.count), event);
    }

    /// The next event, up to a time; the clock is set to it.
    pub(crate) fn next(&mut self, end: u64) -> Option<E> {
        let entry = self.events.first_entry()?;
        let (at, _) = *entry.key();
        if at > end {
            return None;
        }
        self.now = at;
        Some(entry.remove())
    }
}
