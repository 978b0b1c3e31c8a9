//! Measures how long a store takes to open: so many records with bodies, closed in order or killed.
//!
//! ```text
//! cargo run --release -p selvedge-edge-drivers-store --example recovery -- FOLDER [RECORDS] [BYTES]
//! ```
//!
//! By default a million records with bodies of 1,000 bytes: what a start reads is the same for bodies of
//! 100 kB, for it reads no bodies. The folder is emptied before and left as it is.

use std::path::PathBuf;
use std::time::Instant;

use selvedge_edge_drivers_store::{Config, Store};
use selvedge_primitives_types::{DeviceId, Millis, Record, ServiceId, Signature64, SignedRecord};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("name a folder")?);
    let records: u64 = arguments
        .next()
        .map_or(Ok(1_000_000), |text| text.parse())?;
    let length: usize = arguments.next().map_or(Ok(1_000), |text| text.parse())?;
    std::fs::remove_dir_all(&folder).ok();
    let config = Config::new(&folder, 1 << 40);

    let began = Instant::now();
    let store = Store::open(config.clone())?;
    let mut bytes = vec![7; length];
    for number in 0..records {
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        let mut writer = store.writer()?;
        writer.write(&bytes)?;
        store.put(&record(number, &bytes), writer.finish()?)?;
    }
    let took = began.elapsed();
    println!("put {records} records in {took:.1?}");
    // Nothing is written when a store is dropped: it is left as by `kill -9`.
    drop(store);
    for how in ["after a kill", "again"] {
        let began = Instant::now();
        let store = Store::open(config.clone())?;
        let took = began.elapsed();
        println!("opened {how} in {took:.2?}: {:?}", store.recovery());
        assert_eq!(store.usage().records as u64, records);
    }
    let pages = std::fs::read_to_string("/proc/self/status")?;
    let peak = pages.lines().find(|line| line.starts_with("VmHWM"));
    println!("{}", peak.unwrap_or_default());
    Ok(())
}

fn record(number: u64, bytes: &[u8]) -> SignedRecord {
    let record = Record {
        service: ServiceId(number % 100),
        key: format!("https://www.example.org/assets/images/{number}.webp").into_bytes(),
        variant: Vec::new(),
        status: 200,
        fields: vec![(b"content-type".to_vec(), b"image/webp".to_vec())],
        root: *blake3::hash(bytes).as_bytes(),
        length: bytes.len() as u64,
        generation: 0,
        requested: Millis(1),
        received: Millis(2),
        gateway: DeviceId([1; 32]),
    };
    SignedRecord {
        record,
        signature: Signature64([2; 64]),
    }
}
