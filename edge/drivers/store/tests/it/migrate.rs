use std::fs;
use std::path::{Path, PathBuf};

use codec::Encode;
use selvedge_edge_core_verify::Outboard;
use selvedge_edge_drivers_store::{Config, Error, Store};
use selvedge_primitives_types::{ServiceId, SignedRecord};

use crate::testkit::{body, fetch, files, open, record};

fn named(folder: &Path, kind: &str, name: &[u8; 32]) -> PathBuf {
    let name: String = name.iter().map(|byte| format!("{byte:02x}")).collect();
    let folder = folder.join(kind).join(&name[..2]);
    fs::create_dir_all(&folder).unwrap();
    folder.join(&name[2..])
}

/// Writes files as the version before did.
fn put_older(folder: &Path, signed: &SignedRecord, bytes: &[u8]) -> PathBuf {
    let outboard = Outboard::of(bytes).encode();
    let length = (outboard.len() as u64).to_le_bytes();
    let file = [bytes, &outboard, &length, b"SLVGBODY"].concat();
    fs::write(
        named(folder, "bodies", blake3::hash(bytes).as_bytes()),
        file,
    )
    .unwrap();
    let record = &signed.record;
    let id = blake3::hash(&(record.service, &record.key, &record.variant).encode());
    let encoded = signed.encode();
    let file = [
        b"SLVGRECD",
        &blake3::hash(&encoded).as_bytes()[..],
        &encoded,
    ]
    .concat();
    let path = named(folder, "records", id.as_bytes());
    fs::write(&path, file).unwrap();
    path
}

fn older(folder: &Path, count: usize) -> Vec<(String, Vec<u8>)> {
    fs::write(folder.join("format"), "selvedge-store 1\n").unwrap();
    fs::create_dir_all(folder.join("tmp")).unwrap();
    fs::write(folder.join("tmp/7"), "half").unwrap();
    let all = (0..count).map(|number| {
        // Two keys have the same bytes.
        let bytes = body(70_000 * (number / 2), (number / 2) as u8);
        (format!("/{number}"), bytes)
    });
    let all: Vec<_> = all.collect();
    for (key, bytes) in &all {
        put_older(folder, &record(1, key, bytes), bytes);
    }
    all
}

#[test]
fn a_folder_of_the_older_format_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let all = older(folder.path(), 8);
    let decayed = put_older(folder.path(), &record(1, "/decayed", b"x"), b"x");
    let mut file = fs::read(&decayed).unwrap();
    file[60] ^= 1;
    fs::write(&decayed, file).unwrap();
    let wrong = record(1, "/wrong", b"right");
    put_older(folder.path(), &wrong, b"right");
    let body = named(folder.path(), "bodies", &wrong.record.root);
    let mut file = fs::read(&body).unwrap();
    file[0] ^= 1;
    fs::write(&body, file).unwrap();

    let store = open(folder.path(), 1 << 30);
    assert_eq!(store.recovery().migrated, 8);
    for _ in 0..2 {
        for (key, bytes) in &all {
            assert_eq!(fetch(&store, 1, key).as_ref(), Some(bytes));
        }
        assert!(store.records(ServiceId(1), b"/wrong").unwrap().is_empty());
    }
    drop(store);
    let store = open(folder.path(), 1 << 30);
    assert_eq!((store.recovery().migrated, store.usage().records), (0, 8));
    let left = files(folder.path());
    assert!(left
        .iter()
        .all(|name| !name.starts_with("bodies") && !name.starts_with("records")));
}

#[test]
fn taking_over_goes_on_after_it_was_broken_off() {
    let folder = tempfile::tempdir().unwrap();
    let all = older(folder.path(), 4);
    // A first start that came as far as the first half: its records and bodies are over, the format
    // still says what it was.
    for (key, bytes) in &all[2..] {
        let signed = record(1, key, bytes);
        let id = blake3::hash(
            &(
                ServiceId(1),
                key.as_bytes().to_vec(),
                &signed.record.variant,
            )
                .encode(),
        );
        fs::remove_file(named(folder.path(), "records", id.as_bytes())).unwrap();
    }
    drop(open(folder.path(), 1 << 30));
    fs::write(folder.path().join("format"), "selvedge-store 1\n").unwrap();
    for (key, bytes) in &all[2..] {
        put_older(folder.path(), &record(1, key, bytes), bytes);
    }
    let store = open(folder.path(), 1 << 30);
    assert_eq!(store.recovery().migrated, 2);
    for (key, bytes) in &all {
        assert_eq!(fetch(&store, 1, key).as_ref(), Some(bytes));
    }
}

#[test]
fn a_folder_of_a_later_format_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("format"), "selvedge-store 9\n").unwrap();
    fs::write(folder.path().join("treasure"), "gold").unwrap();
    let store = Store::open(Config::new(folder.path(), 1 << 20));
    assert!(matches!(store, Err(Error::Format(_))));
    assert_eq!(files(folder.path()), ["format", "lock", "treasure"]);
}
