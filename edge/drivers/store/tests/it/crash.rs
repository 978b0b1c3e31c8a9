use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use selvedge_edge_core_verify::{Outboard, SLICE};
use selvedge_edge_drivers_store::{Blob, Config, Error, Space, Store};
use selvedge_primitives_types::ServiceId;

use crate::testkit::{body, fetch, open, put, record};

const FOLDER: &str = "SELVEDGE_STORE_CRASH_TEST";
const QUOTA: u64 = 1 << 30;
const SERVICE: ServiceId = ServiceId(1);

/// Runs this very test in a process of its own, which finds the folder and does what it must until it
/// is killed.
fn start(test: &str, folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// SIGKILL, at whatever step it is.
fn kill(mut child: Child) {
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9));
}

fn say(line: &str) {
    println!("\n{line}");
    std::io::stdout().flush().unwrap();
}

/// The child stores bodies without end, says so after each, and has another one under way whenever
/// it is killed.
fn child(folder: &str) -> ! {
    let store = open(folder.as_ref(), QUOTA);
    let mut under_way = store.writer().unwrap();
    under_way.write(&body(400_000, 255)).unwrap();
    let mut number = 0u64;
    loop {
        let bytes = body(150_000, number as u8);
        put(&store, &record(1, &format!("/{number}"), &bytes), &bytes).unwrap();
        say(&format!("stored {number}"));
        number += 1;
    }
}

#[test]
fn nothing_that_was_stored_is_lost_to_kill_9() {
    if let Ok(folder) = std::env::var(FOLDER) {
        child(&folder);
    }
    let folder = tempfile::tempdir().unwrap();
    for round in 1..=4u64 {
        let mut child = start(
            "crash::nothing_that_was_stored_is_lost_to_kill_9",
            folder.path(),
        );
        // Held until the child is dead: a closed pipe would end it in order.
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let last = lines
            .by_ref()
            .map_while(Result::ok)
            .filter_map(|line| line.strip_prefix("stored ")?.parse::<u64>().ok())
            .find(|number| *number >= 3 * round)
            .expect("the child stores bodies until it is killed");
        kill(child);
        drop(lines);

        let store = open(folder.path(), QUOTA);
        let found = store.recovery();
        assert_eq!(found.dropped_records, 0, "{found:?}");
        for number in 0..=last {
            assert_eq!(
                fetch(&store, 1, &format!("/{number}")),
                Some(body(150_000, number as u8))
            );
        }
    }
}

/// A small store, so that it cleans all the time.
fn small(folder: &Path) -> Store {
    let mut config = Config::new(folder, 24 << 20);
    config.sync = true;
    // Another test's child has copies of all descriptors, and so of a lock, until it becomes its own program.
    let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
    loop {
        match Store::open(config.clone()) {
            Err(Error::Locked(_)) if std::time::Instant::now() < until => std::thread::yield_now(),
            opened => return opened.unwrap(),
        }
    }
}

/// Bytes that a key has in a version.
fn bytes_of(key: u64, version: u64) -> Vec<u8> {
    let length = 500 + (key * 7_919 + version * 104_729) % 120_000;
    body(length as usize, (key + version) as u8)
}

fn blob() -> (Vec<u8>, Outboard) {
    let bytes = body(5 * SLICE as usize / 2, 3);
    let outboard = Outboard::of(&bytes);
    (bytes, outboard)
}

/// The child puts, forgets and cleans at random, takes a pinned body in, and says beforehand what it
/// does and afterwards that it is done.
fn mixed_child(folder: &str, seed: u64) -> ! {
    let store = small(folder.as_ref());
    let mut random = StdRng::seed_from_u64(seed);
    let (bytes, outboard) = blob();
    let blob = Blob::shared(*outboard.root(), outboard.length());
    store.pin(&blob, SERVICE).unwrap();
    let mut version = seed << 32;
    loop {
        let key = random.gen_range(0..40u64);
        version += 1;
        match random.gen_range(0..10) {
            0..=5 => {
                say(&format!("put {key} {version}"));
                let bytes = bytes_of(key, version);
                put(&store, &record(1, &format!("/{key}"), &bytes), &bytes).unwrap();
            }
            6..=7 => {
                say(&format!("forget {key} 0"));
                store.forget(SERVICE, format!("/{key}").as_bytes());
            }
            8 => {
                say("clean 0 0");
                store.clean(4 << 20).unwrap();
            }
            _ => {
                let slice = key % 3;
                say(&format!("slice {slice} 0"));
                let assembly = store.assembly(&blob, SERVICE).unwrap();
                let start = (slice * SLICE) as usize;
                let end = bytes.len().min(start + SLICE as usize);
                let proof = outboard.slice_proof(slice).unwrap();
                assembly.put(slice, &proof, &bytes[start..end]).unwrap();
            }
        }
        say("done 0 0");
    }
}

#[test]
fn a_kill_at_any_moment_loses_and_revives_nothing() {
    const TEST: &str = "crash::a_kill_at_any_moment_loses_and_revives_nothing";
    if let Ok(folder) = std::env::var(FOLDER) {
        let (folder, seed) = folder.rsplit_once('#').unwrap();
        mixed_child(folder, seed.parse().unwrap());
    }
    let folder = tempfile::tempdir().unwrap();
    let mut random = StdRng::seed_from_u64(5);
    // What each key must have: a version, or nothing.
    let mut expected: BTreeMap<u64, Option<u64>> = BTreeMap::new();
    let mut slices = std::collections::BTreeSet::new();
    for round in 1..=12u64 {
        let place = format!("{}#{round}", folder.path().display());
        let mut child = start(TEST, place.as_ref());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let limit = random.gen_range(1..120);
        let mut under_way = None;
        let mut steps = 0;
        let mut take = |line: String, under_way: &mut Option<(String, u64, u64)>| {
            let mut words = line.split(' ');
            let step = (|| {
                let word = words.next()?.to_owned();
                let key = words.next()?.parse::<u64>().ok()?;
                Some((word, key, words.next()?.parse::<u64>().ok()?))
            })();
            let Some(step) = step else { return false };
            if step.0 != "done" {
                *under_way = Some(step);
                return false;
            }
            match under_way.take() {
                Some((word, key, version)) if word == "put" => {
                    expected.insert(key, Some(version));
                }
                Some((word, key, _)) if word == "forget" => {
                    expected.insert(key, None);
                }
                Some((word, key, _)) if word == "slice" => {
                    slices.insert(key);
                }
                _ => {}
            }
            true
        };
        for line in lines.by_ref().map_while(Result::ok) {
            steps += usize::from(take(line, &mut under_way));
            if steps >= limit {
                break;
            }
        }
        kill(child);
        // What it had said before it was killed.
        for line in lines.map_while(Result::ok) {
            take(line, &mut under_way);
        }
        assert!(steps >= limit, "the child ended by itself");

        let store = small(folder.path());
        assert_eq!(store.recovery().dropped_records, 0);
        let (bytes, outboard) = blob();
        let blob = Blob::shared(*outboard.root(), outboard.length());
        let kept = store.kept();
        assert!(kept.len() == 1 && kept[0].is_pinned, "{kept:?}");
        let assembly = store.assembly(&blob, SERVICE).unwrap();
        for slice in &slices {
            let got = assembly.slice(*slice).unwrap().unwrap().1;
            assert!(bytes[(slice * SLICE) as usize..].starts_with(&got));
        }
        if slices.len() == 3 {
            assert!(store.has(&Space::Shared, outboard.root()));
        }
        for (key, version) in &mut expected {
            let got = fetch(&store, 1, &format!("/{key}"));
            let is = |version: &Option<u64>| got == version.map(|version| bytes_of(*key, version));
            if is(version) {
                continue;
            }
            // Only the step under way may be done or not.
            let (word, at, new) = under_way.clone().unwrap();
            assert_eq!(
                at, *key,
                "round {round}: {word} {new}, expected {version:?}"
            );
            let other = (word == "put").then_some(new);
            assert!(is(&other), "round {round}: {word} {key} {new}");
            *version = other;
        }
        // One that nothing was known of.
        if let Some((word, key, version)) = under_way.filter(|step| step.0 == "put") {
            let got = fetch(&store, 1, &format!("/{key}"));
            if got == Some(bytes_of(key, version)) {
                expected.insert(key, Some(version));
            } else {
                assert!(expected.contains_key(&key) || got.is_none(), "{word}");
            }
        }
    }
}
