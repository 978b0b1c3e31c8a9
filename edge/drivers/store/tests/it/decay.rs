use std::fs;
use std::os::unix::fs::FileExt;

use selvedge_edge_drivers_store::Error;
use selvedge_primitives_types::ServiceId;

use crate::testkit::{body, fetch, files, open, put, record};

fn flip(path: &std::path::Path, at: u64) {
    let file = fs::File::options()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 1], at).unwrap();
}

fn only(folder: &std::path::Path, kind: &str) -> std::path::PathBuf {
    let names = files(folder);
    let mut names = names.iter().filter(|name| name.starts_with(kind));
    let name = names.next().unwrap();
    assert!(names.next().is_none());
    folder.join(name)
}

#[test]
fn a_decayed_byte_never_leaves_and_the_body_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), 1 << 30);
    let bytes = body(100_000, 3);
    let signed = record(1, "/a", &bytes);
    put(&store, &signed, &bytes).unwrap();
    flip(&only(folder.path(), "bodies"), 50_000);

    let reader = store.body(&signed.record.root).unwrap().unwrap();
    // Groups that are whole are still given out.
    assert_eq!(reader.read(0..32_768).unwrap(), bytes[..32_768]);
    assert!(matches!(
        reader.read(49_999..50_000),
        Err(Error::Decayed(_))
    ));
    assert!(store.records(ServiceId(1), b"/a").unwrap().is_empty());
    assert!(store.body(&signed.record.root).unwrap().is_none());
    assert_eq!((store.usage().bytes, files(folder.path()).len()), (0, 2));

    put(&store, &signed, &bytes).unwrap();
    assert_eq!(fetch(&store, 1, "/a").unwrap(), bytes);
}

#[test]
fn a_decayed_hash_tree_is_found_when_the_body_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), 1 << 30);
    let bytes = body(100_000, 3);
    let signed = record(1, "/a", &bytes);
    put(&store, &signed, &bytes).unwrap();
    flip(&only(folder.path(), "bodies"), 100_100);
    assert!(matches!(
        store.body(&signed.record.root),
        Err(Error::Decayed(_))
    ));
    assert_eq!(store.usage().records, 0);
}

#[test]
fn a_cut_body_is_found_while_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), 1 << 30);
    let bytes = body(100_000, 3);
    let signed = record(1, "/a", &bytes);
    put(&store, &signed, &bytes).unwrap();
    let reader = store.body(&signed.record.root).unwrap().unwrap();
    let file = fs::File::options()
        .write(true)
        .open(only(folder.path(), "bodies"))
        .unwrap();
    file.set_len(70_000).unwrap();
    assert!(matches!(reader.read(0..100_000), Err(Error::Decayed(_))));
    assert_eq!(store.usage().records, 0);
}

#[test]
fn a_decayed_record_is_dropped_wherever_the_bit_is() {
    for at in [0, 20, 60, 100] {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path(), 1 << 30);
        put(&store, &record(1, "/a", b"x"), b"x").unwrap();
        flip(&only(folder.path(), "records"), at);
        assert!(
            store.records(ServiceId(1), b"/a").unwrap().is_empty(),
            "{at}"
        );
        assert_eq!(store.usage().bytes, 0);
    }
}

#[test]
fn a_start_drops_what_has_decayed_and_what_stands_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), 1 << 30);
    for key in [
        "/cut body",
        "/no body",
        "/decayed record",
        "/no record",
        "/whole",
    ] {
        put(&store, &record(1, key, key.as_bytes()), key.as_bytes()).unwrap();
    }
    drop(store);
    let path = |kind: &str, name: &[u8; 32]| {
        let name: String = name.iter().map(|byte| format!("{byte:02x}")).collect();
        folder.path().join(kind).join(&name[..2]).join(&name[2..])
    };
    let body_of = |key: &str| path("bodies", blake3::hash(key.as_bytes()).as_bytes());
    let record_of = |key: &str| {
        use codec::Encode;
        let variant: Vec<(Vec<u8>, Option<Vec<u8>>)> = Vec::new();
        let name = (ServiceId(1), key.as_bytes().to_vec(), variant).encode();
        path("records", blake3::hash(&name).as_bytes())
    };
    fs::File::options()
        .write(true)
        .open(body_of("/cut body"))
        .unwrap()
        .set_len(5)
        .unwrap();
    fs::remove_file(body_of("/no body")).unwrap();
    flip(&record_of("/decayed record"), 80);
    fs::remove_file(record_of("/no record")).unwrap();
    fs::write(folder.path().join("tmp/77"), "half").unwrap();

    let store = open(folder.path(), 1 << 30);
    let found = store.recovery();
    assert_eq!((found.records, found.bodies, found.unfinished), (1, 1, 1));
    assert_eq!((found.dropped_records, found.dropped_bodies), (3, 3));
    assert_eq!(fetch(&store, 1, "/whole").unwrap(), b"/whole");
    assert_eq!(files(folder.path()).len(), 4);
}
