//! Measures lookups: a record by its key, its body, and the first bytes of it, verified.
//!
//! ```text
//! cargo run --release -p selvedge-edge-drivers-store --example reads -- FOLDER
//! ```
//!
//! Everything is in the system's page cache, so it is the store that is measured and not the disk. The
//! second row of each size is read while another thread writes and forgets, so that segments are cleaned.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use selvedge_edge_drivers_store::{Config, Error, Store};
use selvedge_primitives_types::{DeviceId, Millis, Record, ServiceId, Signature64, SignedRecord};

const BODIES: u64 = 1_000;
const TIME: Duration = Duration::from_secs(3);
const SERVICE: ServiceId = ServiceId(1);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("name a folder")?);
    println!("| body | beside | lookups/s | longest |");
    println!("|---|---|---|---|");
    for length in [1_000, 16_384, 200_000] {
        std::fs::remove_dir_all(&folder).ok();
        let store = Store::open(Config::new(&folder, 1 << 30))?;
        for number in 0..BODIES {
            put(&store, number, length)?;
        }
        for is_busy in [false, true] {
            let (rate, longest) = measure(&store, length, is_busy)?;
            let beside = if is_busy {
                "writes and cleaning"
            } else {
                "nothing"
            };
            println!("| {length} | {beside} | {rate:.0} | {longest:.1?} |");
        }
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

fn measure(store: &Store, length: usize, is_busy: bool) -> Result<(f64, Duration), Error> {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = is_busy.then(|| {
            scope.spawn(|| {
                let mut number = BODIES;
                while !is_over.load(Ordering::Relaxed) {
                    put(store, number, 100_000)?;
                    store.forget(SERVICE, &key(number - 3));
                    number += 1;
                }
                Ok(())
            })
        });
        let (mut count, mut longest) = (0u64, Duration::ZERO);
        let began = Instant::now();
        let read = loop {
            let asked = Instant::now();
            if asked - began > TIME {
                break Ok(());
            }
            if let Err(error) = look_up(store, count * 7_919 % (BODIES - 3), length) {
                break Err(error);
            }
            longest = longest.max(asked.elapsed());
            count += 1;
        };
        is_over.store(true, Ordering::Relaxed);
        if let Some(Ok(written)) = writer.map(|writer| writer.join()) {
            written?;
        }
        read.map(|()| (count as f64 / began.elapsed().as_secs_f64(), longest))
    })
}

fn look_up(store: &Store, number: u64, length: usize) -> Result<(), Error> {
    let records = store.records(SERVICE, &key(number))?;
    let root = records.last().map(|signed| signed.record.root);
    let body = root.map(|root| store.body(&root)).transpose()?.flatten();
    if let Some(body) = body {
        body.read(0..length.min(16_384) as u64)?;
    }
    Ok(())
}

fn key(number: u64) -> Vec<u8> {
    format!("https://www.example.org/{number}").into_bytes()
}

fn put(store: &Store, number: u64, length: usize) -> Result<(), Error> {
    let mut bytes = vec![7; length];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    let record = Record {
        service: SERVICE,
        key: key(number),
        variant: Vec::new(),
        status: 200,
        fields: vec![(b"content-type".to_vec(), b"image/webp".to_vec())],
        root: *blake3::hash(&bytes).as_bytes(),
        length: length as u64,
        generation: 0,
        requested: Millis(1),
        received: Millis(2),
        gateway: DeviceId([1; 32]),
    };
    let signed = SignedRecord {
        record,
        signature: Signature64([2; 64]),
    };
    let mut writer = store.writer()?;
    writer.write(&bytes)?;
    store.put(&signed, writer.finish()?)
}
