//! Times in buckets whose width grows with the time: sixteen to each doubling.
//!
//! ```text
//! 0 1 2 .. 15 | 16 17 .. 31 | 32-33 34-35 .. 62-63 | 64-67 .. | .. 2^26 - 2^21 and all above
//! ```
//!
//! Up to 31 µs each microsecond has a bucket of its own; above, a bucket is at most a sixteenth of
//! its times wide. The buckets are the same everywhere and for good, so histograms add up.

/// Bits of a time that choose a bucket within its doubling.
const PRECISION: u32 = 4;
/// The longest time that is told apart from longer ones: 67 s, which no origin may take.
const MAX: u64 = (1 << 26) - 1;
/// Number of buckets.
pub(crate) const BUCKETS: usize = 368;

/// The bucket of a time.
pub(crate) fn bucket_of(micros: u64) -> usize {
    let micros = micros.min(MAX);
    let shift = micros.max(1).ilog2().saturating_sub(PRECISION);
    ((shift as usize) << PRECISION) + (micros >> shift) as usize
}

/// The shortest and the longest time of a bucket.
fn bounds(bucket: usize) -> (u64, u64) {
    let doubling = bucket >> PRECISION;
    if doubling < 2 {
        return (bucket as u64, bucket as u64);
    }
    let shift = doubling as u32 - 1;
    let first = (bucket - (shift as usize) * (1 << PRECISION)) as u64;
    (first << shift, ((first + 1) << shift) - 1)
}

/// How often each time occurred. It takes memory only for times that did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Buckets that are not empty, in order.
    buckets: Vec<(u16, u32)>,
}

impl Histogram {
    /// Adds to a bucket.
    pub(crate) fn add(&mut self, bucket: usize, count: u64) {
        if count == 0 {
            return;
        }
        let bucket = bucket.min(BUCKETS - 1) as u16;
        // No window sees four milliards of requests.
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        match self.buckets.binary_search_by_key(&bucket, |(at, _)| *at) {
            Ok(place) => {
                let (_, held) = &mut self.buckets[place];
                *held = held.saturating_add(count);
            }
            Err(place) => self.buckets.insert(place, (bucket, count)),
        }
    }

    /// Notes one time, in microseconds.
    pub fn record(&mut self, micros: u64) {
        self.add(bucket_of(micros), 1);
    }

    /// Adds another one.
    pub fn merge(&mut self, other: &Self) {
        for (bucket, count) in &other.buckets {
            self.add(usize::from(*bucket), u64::from(*count));
        }
    }

    /// How many times were noted.
    pub fn count(&self) -> u64 {
        self.buckets
            .iter()
            .map(|(_, count)| u64::from(*count))
            .sum()
    }

    /// The time that this many thousandths of all times do not exceed, in microseconds (nearest
    /// rank): the middle of its bucket, so at most a thirty-second of the exact time away from it
    /// where that is below 67 s. `None` when nothing was noted.
    pub fn quantile(&self, per_mille: u32) -> Option<u64> {
        let all = self.count();
        let rank = (u128::from(all) * u128::from(per_mille)).div_ceil(1_000);
        let rank = rank.clamp(1, u128::from(all.max(1))) as u64;
        let mut seen = 0;
        self.buckets.iter().find_map(|(bucket, count)| {
            seen += u64::from(*count);
            let (from, to) = bounds(usize::from(*bucket));
            (seen >= rank).then_some(from + (to - from) / 2)
        })
    }

    /// The buckets that are not empty, in order: shortest time, longest time, how often.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64, u64)> + '_ {
        self.buckets.iter().map(|(bucket, count)| {
            let (from, to) = bounds(usize::from(*bucket));
            (from, to, u64::from(*count))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn histogram(times: &[u64]) -> Histogram {
        let mut histogram = Histogram::default();
        times.iter().for_each(|time| histogram.record(*time));
        histogram
    }

    #[test]
    fn buckets_lie_side_by_side_and_cover_all_times() {
        let mut next = 0;
        for bucket in 0..BUCKETS {
            let (from, to) = bounds(bucket);
            assert_eq!(from, next);
            assert_eq!((bucket_of(from), bucket_of(to)), (bucket, bucket));
            assert!((to - from) * 16 <= from.max(16), "{from} {to}");
            next = to + 1;
        }
        assert_eq!(next, MAX + 1);
        assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn nothing_has_no_quantile_and_one_has_only_itself() {
        assert_eq!(Histogram::default().quantile(500), None);
        for share in [0, 1, 500, 1_000, 5_000] {
            assert_eq!(histogram(&[7]).quantile(share), Some(7));
        }
    }

    proptest! {
        #[test]
        fn a_quantile_is_close_to_the_exact_one(
            mut times in prop::collection::vec(0u64..60_000_000, 1..400),
            powers in prop::collection::vec(0u32..25, 0..100),
            per_mille in 0u32..=1_000,
        ) {
            times.extend(powers.iter().map(|power| 1u64 << power));
            let found = histogram(&times).quantile(per_mille).unwrap();
            times.sort_unstable();
            let rank = (times.len() * per_mille as usize).div_ceil(1_000).max(1);
            let exact = times[rank - 1];
            prop_assert!(found.abs_diff(exact) * 32 <= exact, "{found} {exact}");
        }

        #[test]
        fn histograms_add_up(
            one in prop::collection::vec(any::<u64>(), 0..200),
            two in prop::collection::vec(0u64..100_000, 0..200),
        ) {
            let mut sum = histogram(&one);
            sum.merge(&histogram(&two));
            let all = [one, two].concat();
            prop_assert_eq!(sum.count(), all.len() as u64);
            prop_assert_eq!(sum.buckets().map(|(_, _, count)| count).sum::<u64>(), sum.count());
            prop_assert_eq!(sum, histogram(&all));
        }
    }
}
