//! Counts while it is served: atomic additions, in a part of memory that mostly one thread writes.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::counts::{Counts, CLASSES, SOURCES};
use crate::histogram::{bucket_of, BUCKETS};
use crate::{Source, StatusClass};

/// Everything since the beginning. It only grows, and takes 3.3 KB for each stripe.
#[derive(Debug)]
pub struct Recorder {
    /// A power of two of them.
    stripes: Box<[Stripe]>,
}

/// What the threads of one stripe counted. Two stripes share no line of a processor's cache.
#[derive(Debug)]
#[repr(align(128))]
struct Stripe {
    requests: [[AtomicU64; CLASSES]; SOURCES],
    bytes: [AtomicU64; SOURCES],
    first_byte: [AtomicU64; BUCKETS],
}

impl Stripe {
    fn new() -> Self {
        Self {
            requests: Default::default(),
            bytes: Default::default(),
            first_byte: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }
}

/// A reading of a [`Recorder`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Totals {
    requests: [[u64; CLASSES]; SOURCES],
    bytes: [u64; SOURCES],
    first_byte: [u64; BUCKETS],
}

impl Totals {
    pub(crate) fn zero() -> Box<Self> {
        Box::new(Self {
            requests: Default::default(),
            bytes: Default::default(),
            first_byte: [0; BUCKETS],
        })
    }

    /// What was counted since an earlier reading.
    pub(crate) fn since(&self, before: &Self) -> Counts {
        let mut counts = Counts::default();
        let requests = counts.requests.as_flattened_mut().iter_mut();
        let (now, then) = (self.requests.as_flattened(), before.requests.as_flattened());
        for (count, (now, then)) in requests.zip(now.iter().zip(then)) {
            *count = now - then;
        }
        for (place, count) in counts.bytes.iter_mut().enumerate() {
            *count = self.bytes[place] - before.bytes[place];
        }
        for (bucket, (now, then)) in self.first_byte.iter().zip(&before.first_byte).enumerate() {
            counts.first_byte.add(bucket, now - then);
        }
        counts
    }
}

impl Recorder {
    /// Nothing counted yet, in as many stripes as there are threads, or a few more.
    pub fn new(threads: usize) -> Self {
        let stripes = threads.clamp(1, 64).next_power_of_two();
        Self {
            stripes: (0..stripes).map(|_| Stripe::new()).collect(),
        }
    }

    fn stripe(&self, thread: usize) -> &Stripe {
        &self.stripes[thread & (self.stripes.len() - 1)]
    }

    /// Counts an answer whose head left `micros` microseconds after its request's head had arrived.
    /// `thread` is any number that each thread keeps.
    pub fn answered(&self, thread: usize, source: Source, status: u16, micros: u64) {
        let stripe = self.stripe(thread);
        let class = StatusClass::of(status);
        stripe.first_byte[bucket_of(micros)].fetch_add(1, Ordering::Relaxed);
        // Last: who sees the request sees its time, and what was sent before.
        stripe.requests[source.index()][class.index()].fetch_add(1, Ordering::Release);
    }

    /// Counts body bytes of answers from a source.
    pub fn sent(&self, thread: usize, source: Source, bytes: u64) {
        let counter = &self.stripe(thread).bytes[source.index()];
        counter.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Everything so far. What is recorded meanwhile is in it or in the next reading.
    pub(crate) fn read(&self) -> Box<Totals> {
        let mut totals = Totals::zero();
        for stripe in &self.stripes {
            let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
            let requests = totals.requests.as_flattened_mut().iter_mut();
            for (total, counter) in requests.zip(stripe.requests.as_flattened()) {
                *total += counter.load(Ordering::Acquire);
            }
            for (total, counter) in totals.bytes.iter_mut().zip(&stripe.bytes) {
                *total += load(counter);
            }
            for (total, counter) in totals.first_byte.iter_mut().zip(&stripe.first_byte) {
                *total += load(counter);
            }
        }
        totals
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_lose_nothing() {
        let recorder = Recorder::new(3);
        assert_eq!(recorder.stripes.len(), 4);
        std::thread::scope(|scope| {
            for thread in 0..6 {
                let recorder = &recorder;
                scope.spawn(move || {
                    for number in 0..10_000 {
                        let source = Source::ALL[number % 8];
                        recorder.answered(thread, source, 200 + (number % 2) as u16 * 204, 5);
                        recorder.sent(thread, source, 10);
                    }
                });
            }
        });
        let counts = recorder.read().since(&Totals::zero());
        assert_eq!((counts.requests(), counts.bytes()), (60_000, 600_000));
        assert_eq!(
            counts.first_byte.buckets().collect::<Vec<_>>(),
            [(5, 5, 60_000)]
        );
        for source in Source::ALL {
            assert_eq!(counts.from_source(source), 7_500);
        }
        assert_eq!(counts.of_class(StatusClass::ClientError), 30_000);
        assert_eq!(counts.hit_ratio(), Some(4.0 / 7.0));
    }
}
