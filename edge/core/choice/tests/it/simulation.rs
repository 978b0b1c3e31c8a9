//! A gateway reads from three owners each among a few caches, some of which are slow, lie or are
//! dead: time is virtual, and what is drawn is the same each time.

use std::time::Duration;

use selvedge_edge_core_budget::Share;
use selvedge_edge_core_choice::{Choice, Outcome, Replica};

use crate::choice::{device, millis};

const CACHES: u64 = 12;
const READS: u64 = 20_000;
/// A read begins each millisecond.
const PACE: Duration = Duration::from_millis(1);
/// Until a dead one is given up.
const PATIENCE: Duration = Duration::from_millis(500);

/// How a cache is.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Good,
    Slow,
    Liar,
    Dead,
}

fn kind(cache: u64) -> Kind {
    match cache {
        3 => Kind::Slow,
        5 => Kind::Liar,
        8 => Kind::Dead,
        _ => Kind::Good,
    }
}

fn drawn(of: u64) -> u64 {
    let mut mixed = of.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ (mixed >> 29)
}

/// What asking a cache comes to, after how long.
fn asked(cache: u64, read: u64) -> (Outcome, Duration) {
    let noise = millis(drawn(read * CACHES + cache) % 3);
    match kind(cache) {
        Kind::Good => (Outcome::Answered, millis(4) + noise),
        Kind::Slow => (Outcome::Answered, millis(200) + noise),
        Kind::Liar => (Outcome::Faulty, millis(3) + noise),
        Kind::Dead => (Outcome::Failed, PATIENCE),
    }
}

fn owners(read: u64) -> [u64; 3] {
    let first = drawn(read) % CACHES;
    [first, (first + 1) % CACHES, (first + 5) % CACHES]
}

/// How long each read takes when owners are asked in this order. What ends is told in time.
fn play(
    mut choose: impl FnMut(&mut Choice, &[Replica], Duration) -> Vec<u64>,
) -> (Vec<Duration>, u64) {
    let mut choice = Choice::new(Share::NONE, 1);
    let mut running: Vec<(Duration, u64, Outcome, Duration)> = Vec::new();
    let (mut times, mut faults) = (Vec::new(), 0);
    for read in 0..READS {
        let now = PACE * read as u32;
        running.sort_by_key(|(end, ..)| *end);
        let ended = running.partition_point(|(end, ..)| *end <= now);
        for (end, cache, outcome, took) in running.drain(..ended) {
            let device = device(cache as u32);
            if outcome == Outcome::Answered {
                choice.replied(device, took, end);
            }
            choice.ended(device, outcome, took, end);
        }
        let replicas = owners(read).map(|cache| Replica {
            device: device(cache as u32),
            is_near: true,
        });
        let mut passed = Duration::ZERO;
        for cache in choose(&mut choice, &replicas, now) {
            let (outcome, took) = asked(cache, read);
            choice.began(device(cache as u32), now + passed);
            passed += took;
            running.push((now + passed, cache, outcome, took));
            faults += u64::from(outcome == Outcome::Faulty);
            if outcome == Outcome::Answered {
                break;
            }
        }
        times.push(passed);
    }
    times.sort_unstable();
    (times, faults)
}

fn number(device: &selvedge_primitives_types::DeviceId) -> u64 {
    let [a, b, c, d, ..] = device.0;
    u64::from(u32::from_be_bytes([a, b, c, d]))
}

fn percentile(times: &[Duration], percent: usize) -> Duration {
    times[times.len() * percent / 100]
}

#[test]
fn slow_lying_and_dead_caches_are_hardly_felt() {
    let (chosen, lies) = play(|choice, replicas, now| {
        let order = choice.order(replicas, now);
        order.iter().map(number).collect()
    });
    let (in_order, all_lies) = play(|_, replicas, _| {
        replicas
            .iter()
            .map(|replica| number(&replica.device))
            .collect()
    });
    // By the order of owning, each twelfth read waits for the dead one, and each twelfth is slow.
    assert!(percentile(&in_order, 99) >= PATIENCE);
    let p99 = percentile(&chosen, 99);
    assert!(p99 < millis(20), "{p99:?}");
    let p50 = percentile(&chosen, 50);
    assert!(p50 <= millis(6), "{p50:?}");
    // Lies are asked for now and then only, when its time is over.
    assert!(lies * 50 < all_lies, "{lies} of {all_lies}");
}

#[test]
fn the_same_seed_gives_the_same_times() {
    let choose = |choice: &mut Choice, replicas: &[Replica], now| {
        let order = choice.order(replicas, now);
        order.iter().map(number).collect::<Vec<_>>()
    };
    assert!(play(choose) == play(choose));
}
