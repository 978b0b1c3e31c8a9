use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use selvedge_edge_drivers_store::{Error, Space, Store};
use selvedge_primitives_types::ServiceId;

use crate::testkit::{body, fetch, files, open, put, record};

/// A quota with which bodies come in pieces of 64 KiB.
const SMALL: u64 = 4 << 20;

fn flip(path: &Path, at: u64, bits: u8) {
    let file = fs::File::options()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ bits], at).unwrap();
}

/// Where some bytes lie in the only segment.
fn find(folder: &Path, bytes: &[u8]) -> (PathBuf, u64) {
    let names = files(folder);
    let mut names = names.iter().filter(|name| name.ends_with(".seg"));
    let path = folder.join(names.next().unwrap());
    assert!(names.next().is_none());
    let all = fs::read(&path).unwrap();
    let at = all.windows(bytes.len()).position(|window| window == bytes);
    (path, at.unwrap() as u64)
}

#[test]
fn a_decayed_byte_never_leaves_and_the_body_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), 1 << 30);
    let bytes = body(100_000, 3);
    let signed = record(1, "/a", &bytes);
    put(&store, &signed, &bytes).unwrap();
    let (path, at) = find(folder.path(), &bytes[..100]);
    flip(&path, at + 50_000, 1);

    let reader = store.body(&signed.record.root).unwrap().unwrap();
    // Groups that are whole are still given out.
    assert_eq!(reader.read(0..32_768).unwrap(), bytes[..32_768]);
    assert!(matches!(
        reader.read(49_999..50_000),
        Err(Error::Decayed(_))
    ));
    assert!(store.records(ServiceId(1), b"/a").unwrap().is_empty());
    assert!(store.body(&signed.record.root).unwrap().is_none());
    assert_eq!(store.usage().live, 0);
    // Nor does a later process find it.
    drop((reader, store));
    let store = open(folder.path(), 1 << 30);
    assert!(store.body(&signed.record.root).unwrap().is_none());

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
    // The values stand before the bytes.
    let (path, at) = find(folder.path(), &bytes[..100]);
    flip(&path, at - 40, 1);
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
    let (path, at) = find(folder.path(), &bytes[..100]);
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_len(at + 70_000).unwrap();
    assert!(matches!(reader.read(0..100_000), Err(Error::Decayed(_))));
    assert_eq!(store.usage().records, 0);
}

#[test]
fn a_decayed_record_is_dropped_and_stays_away() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), 1 << 30);
    put(&store, &record(1, "/a", b"x"), b"x").unwrap();
    let (path, at) = find(folder.path(), b"etag");
    flip(&path, at, 1);
    assert!(store.records(ServiceId(1), b"/a").unwrap().is_empty());
    assert_eq!(store.usage().live, 0);
    drop(store);
    assert_eq!(open(folder.path(), 1 << 30).usage().records, 0);
}

/// A folder with some of everything: records, pieces, a slice, holds, marks; a sealed segment and one
/// that a kill left open.
fn everything(folder: &Path, is_sealed: bool) -> Vec<(String, Vec<u8>)> {
    let store = open(folder, SMALL);
    let mut all = Vec::new();
    for (number, length) in [3, 20_000, 150_000].into_iter().enumerate() {
        let (key, bytes) = (format!("/{number}"), body(length, number as u8));
        put(&store, &record(1, &key, &bytes), &bytes).unwrap();
        all.push((key, bytes));
    }
    put(&store, &record(1, "/forgotten", b"gone"), b"gone").unwrap();
    store.forget(ServiceId(1), b"/forgotten");
    let kept = body(20_000, 7);
    let mut writer = store.writer().unwrap();
    writer.write(&kept).unwrap();
    store
        .keep(&Space::Shared, ServiceId(1), writer.finish().unwrap())
        .unwrap();
    if !is_sealed {
        // As a kill leaves it: nothing is sealed in `drop` either.
        return all;
    }
    drop(store);
    drop(open(folder, SMALL));
    all
}

fn look(store: &Store, all: &[(String, Vec<u8>)]) -> usize {
    let mut right = 0;
    for (key, bytes) in all {
        let records = store.records(ServiceId(1), key.as_bytes()).unwrap();
        let Some(signed) = records.last() else {
            continue;
        };
        assert_eq!(*signed, record(1, key, bytes));
        let reader = match store.body(&signed.record.root) {
            Ok(reader) => reader,
            Err(Error::Decayed(_)) => continue,
            Err(error) => panic!("{error}"),
        };
        match reader.map(|reader| reader.read(0..bytes.len() as u64)) {
            None | Some(Err(Error::Decayed(_))) => {}
            Some(got) => {
                assert_eq!(got.unwrap(), bytes);
                right += 1;
            }
        }
    }
    let forgotten = store.records(ServiceId(1), b"/forgotten").unwrap();
    assert!(forgotten.is_empty());
    right
}

#[test]
fn a_flip_anywhere_in_any_file_gives_right_bytes_or_none() {
    for is_sealed in [false, true] {
        let model = tempfile::tempdir().unwrap();
        let all = everything(model.path(), is_sealed);
        let names = files(model.path());
        let mut lost = 0;
        for name in names.iter().filter(|name| *name != "lock") {
            let length = fs::metadata(model.path().join(name)).unwrap().len();
            // What is not body stands at both ends; a step that no field's length divides.
            let ends = (0..length).step_by(7);
            let ends = ends.filter(|at| *at < 700 || *at + 1_600 > length || at % 1_999 < 7);
            for at in ends {
                let folder = tempfile::tempdir().unwrap();
                fs::create_dir(folder.path().join("segments")).unwrap();
                for name in &names {
                    fs::copy(model.path().join(name), folder.path().join(name)).unwrap();
                }
                flip(&folder.path().join(name), at, 1 << (at % 8));
                match Store::open(selvedge_edge_drivers_store::Config::new(
                    folder.path(),
                    SMALL,
                )) {
                    Ok(store) => lost += all.len() - look(&store, &all),
                    Err(error) => {
                        assert!(matches!(error, Error::Format(_)), "{name} {at}: {error}")
                    }
                }
            }
        }
        assert!(lost > 0);
    }
}
