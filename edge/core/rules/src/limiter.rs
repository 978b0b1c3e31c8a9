//! How many requests a client may send: the generic cell rate algorithm, in a table of one size.
//!
//! ```text
//! name -> bucket of 8 places, each (tag, when all that was sent is paid back)
//! ```
//!
//! A name that finds its bucket full takes the place of who is nearest to having paid back: under a
//! flood of names some are let through once more than they should be, and memory stays what it is.

use selvedge_primitives_types::Millis;

const WAYS: usize = 8;

/// So many requests in a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Microseconds between two requests that are sent evenly.
    pub interval: u64,
    /// Requests that may come at once.
    pub burst: u32,
}

/// Who sent how much lately.
#[derive(Debug)]
pub struct Limiter {
    seed: [u8; 32],
    places: Vec<[(u64, u64); WAYS]>,
}

impl Limiter {
    /// An empty table of `places`, rounded up to a power of two of at least 8. The seed keeps
    /// strangers from choosing names that meet in one bucket.
    pub fn new(places: usize, seed: [u8; 32]) -> Self {
        let buckets = places.div_ceil(WAYS).next_power_of_two();
        Self {
            seed,
            places: vec![[(0, 0); WAYS]; buckets],
        }
    }

    /// Takes one request of a name. The error is the time until the next one may come.
    pub fn take(&mut self, name: &[u8], rate: Rate, now: Millis) -> Result<(), Millis> {
        let now = now.0.saturating_mul(1_000);
        let hash = blake3::keyed_hash(&self.seed, name);
        let word = |at: usize| {
            let mut word = [0; 8];
            word.copy_from_slice(&hash.as_bytes()[at..at + 8]);
            u64::from_le_bytes(word)
        };
        // No tag is that of an empty place.
        let (bucket, tag) = (word(0) as usize & (self.places.len() - 1), word(8) | 1);
        let bucket = &mut self.places[bucket];
        let known = bucket.iter().position(|place| place.0 == tag);
        let oldest = || (0..WAYS).min_by_key(|at| bucket[*at].1).unwrap_or_default();
        let at = known.unwrap_or_else(oldest);
        let due = if known.is_some() {
            bucket[at].1.max(now)
        } else {
            now
        };
        let allowed = rate
            .interval
            .saturating_mul(u64::from(rate.burst.max(1)) - 1);
        let ahead = due - now;
        if ahead > allowed {
            return Err(Millis((ahead - allowed).div_ceil(1_000)));
        }
        bucket[at] = (tag, due.saturating_add(rate.interval));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rate(interval_ms: u64, burst: u32) -> Rate {
        Rate {
            interval: interval_ms * 1_000,
            burst,
        }
    }

    #[test]
    fn a_burst_is_let_through_and_then_one_at_a_time() {
        let mut limiter = Limiter::new(64, [1; 32]);
        let rate = rate(100, 3);
        for _ in 0..3 {
            assert_eq!(limiter.take(b"a", rate, Millis(1_000)), Ok(()));
        }
        assert_eq!(limiter.take(b"a", rate, Millis(1_000)), Err(Millis(100)));
        assert_eq!(limiter.take(b"b", rate, Millis(1_000)), Ok(()));
        assert_eq!(limiter.take(b"a", rate, Millis(1_100)), Ok(()));
        assert_eq!(limiter.take(b"a", rate, Millis(1_100)), Err(Millis(100)));
        // A clock that is set back lets nobody wait longer than the burst.
        assert!(limiter.take(b"a", rate, Millis(900)).is_err());
    }

    #[test]
    fn a_flood_of_names_takes_no_more_memory() {
        let mut limiter = Limiter::new(64, [2; 32]);
        for number in 0..10_000u32 {
            assert_eq!(
                limiter.take(&number.to_le_bytes(), rate(1_000, 1), Millis(5)),
                Ok(())
            );
        }
        assert_eq!(limiter.places.len() * WAYS, 64);
    }

    proptest! {
        #[test]
        fn no_client_gets_more_than_its_rate_and_its_burst(
            gaps in proptest::collection::vec(0u64..300, 1..200), interval in 1u64..200, burst in 1u32..10,
        ) {
            let mut limiter = Limiter::new(8, [3; 32]);
            let mut now = 1_000;
            let taken = gaps.iter().filter(|gap| {
                now += **gap;
                limiter.take(b"a", rate(interval, burst), Millis(now)).is_ok()
            }).count() as u64;
            prop_assert!(taken <= (now - 1_000) / interval + u64::from(burst));
        }
    }
}
