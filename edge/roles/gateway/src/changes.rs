//! When unsafe requests made keys invalid (RFC 9111 §4.4).
//!
//! A response that was asked for before the change may arrive after it, from the origin or from a
//! cache that was not reached. It answers whoever asked before, and is not kept.

use std::collections::HashMap;

use parking_lot::Mutex;
use selvedge_primitives_types::Millis;

/// Keys that are remembered, and for how long: longer than a fetch takes.
const CAPACITY: usize = 65_536;
const KEEP: u64 = 3_600_000;

/// The last change of each key.
#[derive(Debug, Default)]
pub struct Changes(Mutex<HashMap<[u8; 16], Millis>>);

impl Changes {
    /// A key changed now. When there are too many, the old ones are forgotten, then all.
    pub fn note(&self, name: [u8; 16], now: Millis) {
        let mut changes = self.0.lock();
        if changes.len() >= CAPACITY && !changes.contains_key(&name) {
            changes.retain(|_, at| at.0.saturating_add(KEEP) > now.0);
            if changes.len() >= CAPACITY {
                changes.clear();
            }
        }
        changes.insert(name, now);
    }

    /// Whether a response that was asked for at this moment is of before the key's last change.
    pub fn outdate(&self, name: &[u8; 16], requested: Millis) -> bool {
        self.0.lock().get(name).is_some_and(|at| requested < *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_asked_for_before_is_outdated() {
        let changes = Changes::default();
        let name = [1; 16];
        assert!(!changes.outdate(&name, Millis(1)));
        changes.note(name, Millis(10));
        assert!(changes.outdate(&name, Millis(9)));
        assert!(!changes.outdate(&name, Millis(10)));
        assert!(!changes.outdate(&[2; 16], Millis(1)));
    }

    #[test]
    fn strangers_cannot_fill_the_memory() {
        let changes = Changes::default();
        for number in 0..CAPACITY as u128 + 10 {
            changes.note(number.to_le_bytes(), Millis(5));
        }
        assert!(changes.0.lock().len() <= CAPACITY);
    }
}
