//! Small bounded memories with an end date: keys that are not shared, and caches that are not
//! believed.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Remembers things until a moment, at most `capacity` of them; when it is full the expired ones
/// go, then all.
#[derive(Debug)]
pub struct Memo<K> {
    capacity: usize,
    until: Mutex<HashMap<K, Instant>>,
}

impl<K: Eq + Hash> Memo<K> {
    /// An empty memory.
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity,
            until: Mutex::default(),
        }
    }

    /// Remembers `key` for some time.
    pub fn remember(&self, key: K, now: Instant, time: Duration) {
        let mut until = self.until.lock();
        if until.len() >= self.capacity {
            until.retain(|_, until| *until > now);
            if until.len() >= self.capacity {
                until.clear();
            }
        }
        until.insert(key, now + time);
    }

    /// How much longer `key` is remembered.
    pub fn left(&self, key: &K, now: Instant) -> Option<Duration> {
        let until = *self.until.lock().get(key)?;
        until
            .checked_duration_since(now)
            .filter(|left| !left.is_zero())
    }

    /// Whether `key` is remembered.
    pub fn holds(&self, key: &K, now: Instant) -> bool {
        self.until.lock().get(key).is_some_and(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_forgets_in_time_and_never_grows() {
        let memo = Memo::new(10);
        let start = Instant::now();
        memo.remember(0, start, Duration::from_secs(1));
        assert!(memo.holds(&0, start));
        assert!(!memo.holds(&0, start + Duration::from_secs(1)));
        for key in 0..100 {
            memo.remember(key, start, Duration::from_secs(1));
            assert!(memo.until.lock().len() <= 10);
            assert!(memo.holds(&key, start));
        }
    }
}
