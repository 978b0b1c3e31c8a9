//! How often an address may ask.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Instant;

use parking_lot::Mutex;

/// Addresses remembered; beyond it all are forgotten at once, in the strangers' favour.
const MAX_ADDRESSES: usize = 20_000;

/// A bucket per address, that each request takes one from.
#[derive(Debug)]
pub struct Buckets {
    burst: f64,
    per_second: f64,
    left: Mutex<HashMap<IpAddr, (f64, Instant)>>,
}

impl Buckets {
    /// An address may ask `burst` times at once, and then `per_second` times each second.
    pub fn new(burst: u32, per_second: u32) -> Self {
        Self {
            burst: f64::from(burst),
            per_second: f64::from(per_second),
            left: Mutex::default(),
        }
    }

    /// Whether an address may ask now; then it has.
    pub fn admit(&self, address: IpAddr, now: Instant) -> bool {
        let mut buckets = self.left.lock();
        if buckets.len() >= MAX_ADDRESSES && !buckets.contains_key(&address) {
            buckets.clear();
        }
        let (left, since) = buckets.entry(address).or_insert((self.burst, now));
        let gained = now.duration_since(*since).as_secs_f64() * self.per_second;
        *left = (*left + gained).min(self.burst);
        *since = now;
        let is_admitted = *left >= 1.0;
        if is_admitted {
            *left -= 1.0;
        }
        is_admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn an_address_is_slowed_down_without_slowing_others() {
        let buckets = Buckets::new(40, 10);
        let (one, other) = (IpAddr::from([1, 1, 1, 1]), IpAddr::from([2, 2, 2, 2]));
        let start = Instant::now();
        let admitted = (0..100).filter(|_| buckets.admit(one, start)).count();
        assert_eq!(admitted, 40);
        assert!(buckets.admit(other, start));
        assert!(buckets.admit(one, start + Duration::from_millis(150)));
        assert!(!buckets.admit(one, start + Duration::from_millis(150)));
    }

    #[test]
    fn strangers_cannot_fill_the_memory() {
        let buckets = Buckets::new(1, 1);
        let now = Instant::now();
        for number in 0..MAX_ADDRESSES as u32 + 10 {
            buckets.admit(IpAddr::from(number.to_be_bytes()), now);
        }
        assert!(buckets.left.lock().len() <= MAX_ADDRESSES);
    }
}
