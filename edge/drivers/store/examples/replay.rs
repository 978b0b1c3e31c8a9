//! Compares what stays in memory: replays the same requests against the memory tier and other
//! caches of the same size, and prints a table of hit ratios and of the time a request takes.
//!
//! ```text
//! cargo run --release -p selvedge-edge-drivers-store --example replay
//! ```
//!
//! Every object weighs the same; a hundredth or a tenth of them fit. The patterns: a Zipf
//! distribution; the same with a crawl through everything now and then; a loop a little longer than
//! the larger cache; a Zipf distribution whose favourites change.

use std::num::NonZeroUsize;
use std::time::Instant;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use selvedge_edge_drivers_store::{Memory, Weigh, ENTRY_OVERHEAD};
use selvedge_primitives_types::ServiceId;

/// Objects that there are.
const OBJECTS: u64 = 100_000;
/// Requests of a replay.
const REQUESTS: usize = 1_000_000;
/// Weight of an object in the memory tier, in bytes.
const WEIGHT: u64 = 1_024;

struct Object;

impl Weigh for Object {
    fn bytes(&self) -> u64 {
        WEIGHT - ENTRY_OVERHEAD
    }
}

/// Makes the requests of a pattern.
type Pattern = fn(&mut StdRng) -> Vec<u64>;
/// Answers each request from a cache of so many objects, and says how many hits there were.
type Replay = fn(&[u64], usize) -> usize;

const PATTERNS: [(&str, Pattern); 5] = [
    ("Zipf 0.8", |random| zipf(random, 0.8)),
    ("Zipf 1.0", |random| zipf(random, 1.0)),
    ("Zipf 0.9 and crawls", crawled),
    ("loop over 12,000", |_| {
        (0..REQUESTS as u64).map(|n| n % 12_000).collect()
    }),
    ("Zipf 0.9, favourites change", drifting),
];

const CACHES: [(&str, Replay); 4] = [
    ("memory tier (S3-FIFO, 8 shards)", memory),
    ("LRU (`lru`)", lru),
    ("W-TinyLFU (`moka`)", moka),
    ("S3-FIFO with Clock-PRO (`quick_cache`)", quick),
];

fn main() {
    println!("| pattern | objects that fit | cache | hits | ns per request |");
    println!("|---|---|---|---|---|");
    for (name, pattern) in PATTERNS {
        let requests = pattern(&mut StdRng::seed_from_u64(11));
        for fitting in [1_000, 10_000] {
            for (cache, replay) in CACHES {
                let began = Instant::now();
                let hits = replay(&requests, fitting);
                let took = began.elapsed().as_nanos() as f64 / requests.len() as f64;
                let share = 100.0 * hits as f64 / requests.len() as f64;
                println!("| {name} | {fitting} | {cache} | {share:.1} % | {took:.0} |");
            }
        }
    }
}

fn memory(requests: &[u64], fitting: usize) -> usize {
    let cache = Memory::new(fitting as u64 * WEIGHT, 8);
    count(requests, |number| {
        let key = number.to_le_bytes();
        let is_hit = cache.find(ServiceId(1), &key, |_| true).is_some();
        if !is_hit {
            cache.insert(ServiceId(1), &key, &[], Object);
        }
        is_hit
    })
}

fn lru(requests: &[u64], fitting: usize) -> usize {
    let mut cache = lru::LruCache::new(NonZeroUsize::new(fitting).expect("not 0"));
    count(requests, |number| {
        let is_hit = cache.get(&number).is_some();
        if !is_hit {
            cache.put(number, ());
        }
        is_hit
    })
}

fn moka(requests: &[u64], fitting: usize) -> usize {
    let cache = moka::sync::Cache::new(fitting as u64);
    count(requests, |number| {
        let is_hit = cache.get(&number).is_some();
        if !is_hit {
            cache.insert(number, ());
        }
        is_hit
    })
}

fn quick(requests: &[u64], fitting: usize) -> usize {
    let cache = quick_cache::sync::Cache::new(fitting);
    count(requests, |number| {
        let is_hit = cache.get(&number).is_some();
        if !is_hit {
            cache.insert(number, ());
        }
        is_hit
    })
}

fn count(requests: &[u64], mut ask: impl FnMut(u64) -> bool) -> usize {
    requests.iter().filter(|number| ask(**number)).count()
}

/// Objects in an order of their own, each asked for by its rank to the power of `-skew`.
fn zipf(random: &mut StdRng, skew: f64) -> Vec<u64> {
    let mut sum = 0.0;
    let sums: Vec<f64> = (1..=OBJECTS)
        .map(|rank| {
            sum += (rank as f64).powf(-skew);
            sum
        })
        .collect();
    let mut names: Vec<u64> = (0..OBJECTS).collect();
    names.shuffle(random);
    let mut next = || {
        let place = random.gen::<f64>() * sum;
        let rank = sums.partition_point(|sum| *sum < place);
        names[rank.min(names.len() - 1)]
    };
    (0..REQUESTS).map(|_| next()).collect()
}

/// Visitors, and now and then a crawler between them who takes everything once.
fn crawled(random: &mut StdRng) -> Vec<u64> {
    let mut requests = zipf(random, 0.9);
    let length = OBJECTS as usize;
    for (start, crawl) in requests.chunks_mut(2 * length).enumerate() {
        for (number, request) in crawl[..length].iter_mut().enumerate() {
            if number % 2 == 0 {
                *request = OBJECTS * (start as u64 + 1) + number as u64;
            }
        }
    }
    requests
}

/// Each quarter has other favourites.
fn drifting(random: &mut StdRng) -> Vec<u64> {
    let mut requests = zipf(random, 0.9);
    for (number, quarter) in requests.chunks_mut(REQUESTS / 4).enumerate() {
        for request in quarter {
            *request = (*request + number as u64 * 25_013) % OBJECTS;
        }
    }
    requests
}
