//! How long a peer's answers take.

/// Buckets for each doubling of the time.
const STEPS: u32 = 4;
/// The longest time that is told apart, 2^27 µs: two minutes.
const DOUBLINGS: u32 = 27;
const BUCKETS: usize = (STEPS * DOUBLINGS) as usize;
/// Answers before anything is said of them.
const LEAST: u32 = 32;
/// Answers after which those before count half.
const MEMORY: u32 = 1_024;

/// A histogram that forgets: after every 1,024 answers those before count half, so that it follows
/// a peer that has become slower or faster within a few thousand.
#[derive(Clone, Debug)]
pub struct Latency {
    counts: [u32; BUCKETS],
    total: u32,
}

impl Default for Latency {
    fn default() -> Self {
        Self {
            counts: [0; BUCKETS],
            total: 0,
        }
    }
}

impl Latency {
    /// An answer took this many microseconds.
    pub fn record(&mut self, micros: u64) {
        if self.total >= MEMORY {
            self.counts.iter_mut().for_each(|count| *count /= 2);
            self.total = self.counts.iter().sum();
        }
        self.counts[bucket(micros)] += 1;
        self.total += 1;
    }

    /// Microseconds within which `percent` of the answers came; `None` while too few are known.
    pub fn percentile(&self, percent: u32) -> Option<u64> {
        if self.total < LEAST {
            return None;
        }
        let wanted = (u64::from(self.total) * u64::from(percent.min(100))).div_ceil(100);
        let mut seen = 0;
        let found = self.counts.iter().position(|count| {
            seen += u64::from(*count);
            seen >= wanted
        });
        found.map(upper_edge)
    }
}

/// The bucket of a time: its highest bit, and the two below it.
fn bucket(micros: u64) -> usize {
    let micros = micros.max(u64::from(STEPS));
    let doubling = micros.ilog2();
    let step = (micros >> (doubling - STEPS.ilog2())) & u64::from(STEPS - 1);
    let place = (doubling * STEPS) as usize + step as usize;
    place.min(BUCKETS - 1)
}

/// The shortest time that is longer than all in a bucket.
fn upper_edge(bucket: usize) -> u64 {
    let (doubling, step) = (bucket as u32 / STEPS, bucket as u64 % u64::from(STEPS));
    ((u64::from(STEPS) + step + 1) << doubling) / u64::from(STEPS)
}
