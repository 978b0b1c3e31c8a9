//! Compares what stays on disk when objects differ in size: replays the same requests against the order
//! that the store uses (S3-FIFO) and against the same with admission by measured value, and prints a
//! table of the requests and of the bytes that were hits.
//!
//! ```text
//! cargo run --release -p selvedge-edge-drivers-store --example admission
//! ```
//!
//! Admission by value: a newcomer that needs room gets it only when it is worth more than what would
//! leave for it, where worth is how often a name was asked for lately, by a sketch (as in TinyLFU), times
//! what a miss costs, by bytes. A miss costs one request (`hits / bytes`) or one request and the bytes
//! (`hits × (64 KiB + bytes) / bytes`). Sizes are drawn from a log-normal distribution with a median of
//! 30 kB, 1 kB to 50 MB, apart from popularity, or the popular ones are small.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use selvedge_edge_drivers_store::Fifo;

const OBJECTS: usize = 50_000;
const REQUESTS: usize = 1_000_000;

/// Names asked for, in order, and what each weighs.
struct Trace {
    requests: Vec<u64>,
    bytes: HashMap<u64, u64>,
}

#[derive(Clone, Copy, PartialEq)]
enum Worth {
    /// Everything is admitted.
    None,
    PerRequest,
    PerByteToo,
}

const POLICIES: [(&str, Worth); 3] = [
    ("S3-FIFO", Worth::None),
    ("S3-FIFO, admitted by hits / bytes", Worth::PerRequest),
    (
        "S3-FIFO, admitted by hits × (64 KiB + bytes) / bytes",
        Worth::PerByteToo,
    ),
];

fn main() {
    println!("| trace | part that fits | policy | requests hit | bytes hit |");
    println!("|---|---|---|---|---|");
    for (name, trace) in traces() {
        let distinct: u64 = trace.bytes.values().sum();
        for part in [100, 10] {
            for (policy, worth) in POLICIES {
                let (requests, bytes) = replay(&trace, distinct / part, worth);
                println!("| {name} | 1/{part} | {policy} | {requests:.1} % | {bytes:.1} % |");
            }
        }
    }
}

fn traces() -> Vec<(&'static str, Trace)> {
    let mut random = StdRng::seed_from_u64(11);
    let random = &mut random;
    let mut traces = Vec::new();
    for (name, skew, is_sorted, is_crawled) in [
        ("Zipf 0.8", 0.8, false, false),
        ("Zipf 1.0", 1.0, false, false),
        ("Zipf 0.9, the popular ones small", 0.9, true, false),
        ("Zipf 0.9 and crawls", 0.9, false, true),
    ] {
        let mut sizes: Vec<u64> = (0..OBJECTS).map(|_| size(random)).collect();
        if is_sorted {
            // Roughly: each with one of its neighbours in size.
            sizes.sort_unstable();
            sizes.chunks_mut(500).for_each(|near| near.shuffle(random));
        }
        let mut requests = zipf(random, skew);
        let mut bytes: HashMap<u64, u64> = (0u64..).zip(sizes).collect();
        if is_crawled {
            for (number, request) in requests.iter_mut().enumerate() {
                // Half of every second stretch of requests is for what nobody asks for again.
                if (number / OBJECTS) % 2 == 1 && number % 2 == 0 {
                    *request = (OBJECTS + number) as u64;
                    bytes.insert(*request, size(random));
                }
            }
        }
        traces.push((name, Trace { requests, bytes }));
    }
    traces
}

fn replay(trace: &Trace, capacity: u64, worth: Worth) -> (f64, f64) {
    let mut fifo = Fifo::new(capacity);
    let mut sketch = Sketch::new(OBJECTS);
    let (mut hits, mut hit_bytes, mut all_bytes) = (0u64, 0u64, 0u64);
    for name in &trace.requests {
        let bytes = trace.bytes[name];
        all_bytes += bytes;
        sketch.count(*name);
        if fifo.bytes_of(name) > 0 {
            fifo.touch(name);
            hits += 1;
            hit_bytes += bytes;
            continue;
        }
        if bytes > capacity / 2 {
            continue;
        }
        let value = |name: u64, bytes: u64| {
            let count = f64::from(sketch.estimate(name));
            match worth {
                Worth::None => f64::INFINITY,
                Worth::PerRequest => count / bytes as f64,
                Worth::PerByteToo => count * (65_536.0 + bytes as f64) / bytes as f64,
            }
        };
        let mut is_admitted = true;
        while fifo.bytes() + bytes > capacity {
            let Some(victim) = fifo.evict() else { break };
            let victim_bytes = trace.bytes[&victim];
            if worth != Worth::None && value(victim, victim_bytes) > value(*name, bytes) {
                // It goes back, as one that came just now.
                fifo.insert(victim, victim_bytes);
                is_admitted = false;
                break;
            }
        }
        if is_admitted {
            fifo.insert(*name, bytes);
        }
    }
    let share = |part: u64, all: u64| 100.0 * part as f64 / all as f64;
    (
        share(hits, trace.requests.len() as u64),
        share(hit_bytes, all_bytes),
    )
}

/// How often names were asked for lately: four rows of counters up to 15, halved after ten times as many
/// requests as there are objects.
struct Sketch {
    rows: [(RandomState, Vec<u8>); 4],
    left: usize,
}

impl Sketch {
    fn new(objects: usize) -> Self {
        let row = || (RandomState::new(), vec![0; objects.next_power_of_two()]);
        Self {
            rows: [row(), row(), row(), row()],
            left: 10 * objects,
        }
    }

    fn count(&mut self, name: u64) {
        for (state, row) in &mut self.rows {
            let at = state.hash_one(name) as usize % row.len();
            row[at] = (row[at] + 1).min(15);
        }
        self.left -= 1;
        if self.left == 0 {
            let rows = self.rows.iter_mut().flat_map(|(_, row)| row);
            rows.for_each(|count| *count /= 2);
            self.left = 10 * OBJECTS;
        }
    }

    fn estimate(&self, name: u64) -> u8 {
        let counts = self.rows.iter().map(|(state, row)| {
            let at = state.hash_one(name) as usize % row.len();
            row[at]
        });
        counts.min().unwrap_or_default()
    }
}

/// Log-normal, by the sum of uniform draws.
fn size(random: &mut StdRng) -> u64 {
    let normal: f64 = (0..12).map(|_| random.gen::<f64>()).sum::<f64>() - 6.0;
    ((30_000f64.ln() + 1.6 * normal).exp() as u64).clamp(1_000, 50_000_000)
}

/// Objects by their rank: each is asked for by its rank to the power of `-skew`.
fn zipf(random: &mut StdRng, skew: f64) -> Vec<u64> {
    let mut sum = 0.0;
    let sums: Vec<f64> = (1..=OBJECTS)
        .map(|rank| {
            sum += (rank as f64).powf(-skew);
            sum
        })
        .collect();
    let mut next = || {
        let place = random.gen::<f64>() * sum;
        sums.partition_point(|sum| *sum < place).min(OBJECTS - 1) as u64
    };
    (0..REQUESTS).map(|_| next()).collect()
}
