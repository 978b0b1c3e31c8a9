//! Records and bodies to store.

use selvedge_edge_core_verify::{sign, sign_record, SigningKey};
use selvedge_edge_drivers_store::{Config, Error, Store};
use selvedge_primitives_types::{Millis, Record, ServiceId, SignedRecord};

pub(crate) fn body(length: usize, seed: u8) -> Vec<u8> {
    (0..length)
        .map(|i| (i as u32).wrapping_mul(2_654_435_761).to_le_bytes()[3] ^ seed)
        .collect()
}

pub(crate) fn record(service: u64, key: &str, bytes: &[u8]) -> SignedRecord {
    let signer = SigningKey::from_bytes(&[1; 32]);
    let record = Record {
        service: ServiceId(service),
        key: key.as_bytes().to_vec(),
        variant: Vec::new(),
        status: 200,
        fields: vec![(b"etag".to_vec(), b"\"1\"".to_vec())],
        root: *blake3::hash(bytes).as_bytes(),
        length: bytes.len() as u64,
        generation: 0,
        requested: Millis(1),
        received: Millis(2),
        gateway: sign::device(&signer),
    };
    sign_record(&signer, &[7; 32], record).unwrap()
}

pub(crate) fn put(store: &Store, signed: &SignedRecord, bytes: &[u8]) -> Result<(), Error> {
    let mut writer = store.writer()?;
    for piece in bytes.chunks(10_000) {
        writer.write(piece)?;
    }
    store.put(signed, writer.finish()?)
}

pub(crate) fn open(folder: &std::path::Path, quota: u64) -> Store {
    Store::open(Config::new(folder, quota)).unwrap()
}

/// The body of a key as a visitor would get it.
pub(crate) fn fetch(store: &Store, service: u64, key: &str) -> Option<Vec<u8>> {
    let records = store.records(ServiceId(service), key.as_bytes()).unwrap();
    let record = &records.last()?.record;
    let body = store.body(&record.root).unwrap()?;
    Some(body.read(0..record.length).unwrap().to_vec())
}

/// Files below a folder, with their paths from it.
pub(crate) fn files(folder: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap().display().to_string());
            }
        }
    }
    found.sort();
    found
}
