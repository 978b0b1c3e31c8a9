//! A token bucket that goes into debt for what is larger than it.

use selvedge_primitives_types::Millis;

/// Bytes that may be spent, filled at a rate.
///
/// Whoever spends more than the burst waits until it is full and leaves a debt behind, so that in any
/// time `w` at most `rate · w + max(burst, largest)` is spent.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    rate: u64,
    burst: u64,
    /// Thousandths of bytes, so that a rate is exact in milliseconds.
    tokens: i128,
    at: Millis,
}

impl Bucket {
    /// A full one.
    pub(crate) fn new(rate: u64, burst: u64, now: Millis) -> Self {
        Self {
            rate,
            burst,
            tokens: i128::from(burst) * 1_000,
            at: now,
        }
    }

    /// Spends; `false` when that must wait.
    pub(crate) fn spend(&mut self, bytes: u64, now: Millis) -> bool {
        self.fill(now);
        if self.tokens < i128::from(bytes.min(self.burst)) * 1_000 {
            return false;
        }
        self.tokens -= i128::from(bytes) * 1_000;
        true
    }

    /// Milliseconds until so much may be spent.
    pub(crate) fn wait(&mut self, bytes: u64, now: Millis) -> Millis {
        self.fill(now);
        let lacking = i128::from(bytes.min(self.burst)) * 1_000 - self.tokens;
        let millis = lacking.max(0) / i128::from(self.rate.max(1));
        Millis(u64::try_from(millis + i128::from(lacking > 0)).unwrap_or(u64::MAX))
    }

    fn fill(&mut self, now: Millis) {
        let passed = now.0.saturating_sub(self.at.0);
        self.at = now.max(self.at);
        let more = i128::from(passed) * i128::from(self.rate);
        self.tokens = (self.tokens + more).min(i128::from(self.burst) * 1_000);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_larger_than_the_burst_waits_for_all_of_it_and_leaves_a_debt() {
        let mut bucket = Bucket::new(10, 100, Millis(0));
        assert!(bucket.spend(300, Millis(0)));
        assert!(!bucket.spend(1, Millis(20_000)));
        assert_eq!(bucket.wait(10, Millis(20_000)), Millis(1_001));
        assert!(bucket.spend(10, Millis(21_001)));
    }

    proptest! {
        #[test]
        fn no_window_sees_more_than_its_share(
            rate in 1u64..1_000,
            burst in 1u64..5_000,
            steps in prop::collection::vec((0u64..3_000, 1u64..8_000), 1..60),
        ) {
            let mut bucket = Bucket::new(rate, burst, Millis(0));
            let (mut now, mut spent) = (0, Vec::new());
            for (pause, bytes) in steps {
                now += pause;
                if bucket.spend(bytes, Millis(now)) {
                    spent.push((now, bytes));
                }
            }
            for (start, (from, _)) in spent.iter().enumerate() {
                let (mut sum, mut largest) = (0, burst);
                for (to, bytes) in &spent[start..] {
                    sum += bytes;
                    largest = largest.max(*bytes);
                    prop_assert!(sum * 1_000 <= (to - from) * rate + largest * 1_000);
                }
            }
        }
    }
}
