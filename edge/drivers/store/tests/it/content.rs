use selvedge_edge_core_verify::{Outboard, SliceProof, SLICE};
use selvedge_edge_drivers_store::{Assembly, Blob, Error, Space, Store};
use selvedge_primitives_types::ServiceId;

use crate::testkit::{body, fetch, files, open, put, record};

const SHARED: Space = Space::Shared;
const SERVICE: ServiceId = ServiceId(7);
const QUOTA: u64 = 64 << 20;

/// A body with its tree.
fn blob(length: usize, seed: u8) -> (Vec<u8>, Outboard) {
    let bytes = body(length, seed);
    let outboard = Outboard::of(&bytes);
    (bytes, outboard)
}

fn blob_of(outboard: &Outboard) -> Blob {
    Blob::shared(*outboard.root(), outboard.length())
}

fn slice(bytes: &[u8], slice: u64) -> &[u8] {
    let start = (slice * SLICE) as usize;
    &bytes[start..bytes.len().min(start + SLICE as usize)]
}

fn proof(outboard: &Outboard, slice: u64) -> SliceProof {
    outboard.slice_proof(slice).unwrap()
}

fn assembly(store: &Store, outboard: &Outboard) -> Assembly {
    store.assembly(&blob_of(outboard), SERVICE).unwrap()
}

fn take_in(store: &Store, bytes: &[u8], outboard: &Outboard) -> Result<(), Error> {
    let assembly = store.assembly(&blob_of(outboard), SERVICE)?;
    for number in 0..outboard.length().div_ceil(SLICE).max(1) {
        assembly.put(number, &proof(outboard, number), slice(bytes, number))?;
    }
    assert!(assembly.is_whole());
    Ok(())
}

fn read(store: &Store, space: &Space, outboard: &Outboard) -> Option<Vec<u8>> {
    let body = store.content(space, outboard.root()).unwrap()?;
    Some(body.read(0..outboard.length()).unwrap().to_vec())
}

fn keep(store: &Store, space: &Space, bytes: &[u8]) -> Result<(), Error> {
    let mut writer = store.writer()?;
    writer.write(bytes)?;
    store.keep(space, SERVICE, writer.finish()?)
}

#[test]
fn slices_come_in_any_order_and_over_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let (bytes, outboard) = blob(4 * SLICE as usize + 70_000, 3);
    for number in [3, 0, 4] {
        let store = open(folder.path(), QUOTA);
        let assembly = assembly(&store, &outboard);
        let whole = assembly.put(number, &proof(&outboard, number), slice(&bytes, number));
        assert!(!whole.unwrap());
        // What is there can be read, with its proof.
        let (found, got) = assembly.slice(number).unwrap().unwrap();
        assert_eq!(
            (&found, &got[..]),
            (&proof(&outboard, number), slice(&bytes, number))
        );
    }
    let store = open(folder.path(), QUOTA);
    let assembly = assembly(&store, &outboard);
    assert_eq!(assembly.missing(), vec![(1..3)]);
    assert!(assembly.has(3) && !assembly.has(1) && !assembly.has(5));
    assert!(assembly.slice(1).unwrap().is_none());
    assert!(store.content(&SHARED, outboard.root()).unwrap().is_none());
    assert!(!assembly
        .put(2, &proof(&outboard, 2), slice(&bytes, 2))
        .unwrap());
    assert!(assembly
        .put(1, &proof(&outboard, 1), slice(&bytes, 1))
        .unwrap());
    // Again without effect.
    assert!(assembly
        .put(1, &proof(&outboard, 1), slice(&bytes, 1))
        .unwrap());
    assert!(assembly.missing().is_empty());
    assert_eq!(read(&store, &SHARED, &outboard).unwrap(), bytes);
    assert_eq!(&assembly.slice(2).unwrap().unwrap().1[..], slice(&bytes, 2));
    drop((assembly, store));
    assert_eq!(
        read(&open(folder.path(), QUOTA), &SHARED, &outboard).unwrap(),
        bytes
    );
}

#[test]
fn what_is_not_of_the_body_is_refused_before_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), QUOTA);
    let (bytes, outboard) = blob(2 * SLICE as usize, 3);
    let assembly = assembly(&store, &outboard);
    let before = store.usage().bytes;
    let mut wrong = slice(&bytes, 0).to_vec();
    wrong[SLICE as usize - 1] ^= 1;
    let cut = &slice(&bytes, 0)[..1_000];
    let refused = [
        assembly.put(0, &proof(&outboard, 0), &wrong),
        assembly.put(0, &proof(&outboard, 0), cut),
        assembly.put(0, &proof(&outboard, 1), slice(&bytes, 0)),
        assembly.put(1, &proof(&outboard, 0), slice(&bytes, 0)),
        assembly.put(2, &proof(&outboard, 0), slice(&bytes, 0)),
        assembly.put(u64::MAX, &proof(&outboard, 0), &[]),
        assembly.put(0, &SliceProof::default(), slice(&bytes, 0)),
    ];
    for refused in refused {
        assert!(matches!(refused, Err(Error::Mismatch(_))), "{refused:?}");
    }
    assert_eq!(store.usage().bytes, before);
    let long = store.assembly(&Blob::shared([1; 32], 1 << 50), SERVICE);
    assert!(matches!(long, Err(Error::TooLong { .. })));
}

#[test]
fn a_lie_about_the_length_is_in_nobodys_way() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), QUOTA);
    let (bytes, outboard) = blob(SLICE as usize + 50_000, 3);
    // As many slices and groups, so that the first slice fits it.
    let lie = Blob::shared(*outboard.root(), SLICE + 50_001);
    store.pin(&lie, SERVICE).unwrap();
    let lying = store.assembly(&lie, SERVICE).unwrap();
    assert!(!lying
        .put(0, &proof(&outboard, 0), slice(&bytes, 0))
        .unwrap());
    take_in(&store, &bytes, &outboard).unwrap();
    assert_eq!(read(&store, &SHARED, &outboard).unwrap(), bytes);
    let refused = lying.put(1, &proof(&outboard, 1), slice(&bytes, 1));
    assert!(matches!(refused, Err(Error::Mismatch(_))));
    assert!(!lying.is_whole());
    drop((lying, store));
    let store = open(folder.path(), QUOTA);
    assert_eq!(read(&store, &SHARED, &outboard).unwrap(), bytes);
    let whole: Vec<_> = store
        .kept()
        .iter()
        .map(|kept| (kept.length, kept.is_whole))
        .collect();
    assert!(whole.contains(&(lie.length, false)) && whole.contains(&(outboard.length(), true)));
}

#[test]
fn small_and_empty_bodies_are_one_slice() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), QUOTA);
    for length in [0, 1, 16_384, 16_385] {
        let (bytes, outboard) = blob(length, 5);
        take_in(&store, &bytes, &outboard).unwrap();
        assert_eq!(read(&store, &SHARED, &outboard).unwrap(), bytes);
    }
    drop(store);
    let store = open(folder.path(), QUOTA);
    assert_eq!(store.kept().len(), 4);
    assert!(store
        .kept()
        .iter()
        .all(|kept| kept.is_whole && !kept.is_pinned));
}

#[test]
fn what_is_pinned_stays_through_pressure_and_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), QUOTA);
    let (bytes, outboard) = blob(3_000_000, 1);
    store.pin(&blob_of(&outboard), SERVICE).unwrap();
    store.pin(&blob_of(&outboard), SERVICE).unwrap();
    let pinned = store.usage().pinned;
    assert!((3_000_000..3_100_000).contains(&pinned));
    // Its room is there before it comes, whatever else comes meanwhile.
    let fill = |from: u8| {
        for number in from..from + 60 {
            let other = body(2_000_000, number);
            put(&store, &record(1, &format!("/{number}"), &other), &other).unwrap();
            assert!(store.usage().bytes <= QUOTA);
        }
    };
    fill(10);
    take_in(&store, &bytes, &outboard).unwrap();
    fill(80);
    assert_eq!(read(&store, &SHARED, &outboard).unwrap(), bytes);
    drop(store);
    let store = open(folder.path(), QUOTA);
    assert_eq!(store.usage().pinned, pinned);
    assert_eq!(read(&store, &SHARED, &outboard).unwrap(), bytes);
    let kept = store.kept();
    assert_eq!(
        (kept.len(), kept[0].is_pinned, kept[0].is_whole),
        (1, true, true)
    );
    assert_eq!(
        (kept[0].name, kept[0].service),
        (SHARED.name(outboard.root()), SERVICE)
    );

    assert!(store.unpin(&blob_of(&outboard)).unwrap());
    assert!(!store.unpin(&blob_of(&outboard)).unwrap());
    assert_eq!(store.usage().pinned, 0);
    // It stays as long as there is room.
    assert!(store.has(&SHARED, outboard.root()));
    for number in 0..60 {
        let other = body(2_000_000, number);
        put(&store, &record(2, &format!("/{number}"), &other), &other).unwrap();
    }
    assert!(!store.has(&SHARED, outboard.root()));
    drop(store);
    assert!(open(folder.path(), QUOTA).kept().is_empty());
}

#[test]
fn a_pin_beyond_its_quota_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), QUOTA);
    let pin = |number: u8| store.pin(&Blob::shared([number; 32], 10_000_000), SERVICE);
    for number in 0..3 {
        pin(number).unwrap();
    }
    assert!(matches!(pin(3), Err(Error::PinsFull { quota }) if quota == QUOTA / 2));
    assert!(store.drop_content(&Blob::shared([0; 32], 10_000_000)));
    assert!(!store.drop_content(&Blob::shared([0; 32], 10_000_000)));
    pin(3).unwrap();
    assert_eq!(store.kept().len(), 3);
}

#[test]
fn a_record_and_a_hold_share_a_body() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), QUOTA);
    let (bytes, outboard) = blob(300_000, 1);
    keep(&store, &SHARED, &bytes).unwrap();
    store.renew(&record(1, "/a", &bytes)).unwrap();
    assert_eq!(store.usage().bodies, 1);
    store.drop_content(&blob_of(&outboard));
    assert_eq!(fetch(&store, 1, "/a").unwrap(), bytes);
    keep(&store, &SHARED, &bytes).unwrap();
    store.forget(selvedge_primitives_types::ServiceId(1), b"/a");
    assert_eq!(read(&store, &SHARED, &outboard).unwrap(), bytes);
    store.drop_content(&blob_of(&outboard));
    assert_eq!((store.usage().bodies, store.usage().live), (0, 0));
}

#[test]
fn private_bytes_are_stored_apart_under_names_that_do_not_tell_them() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), QUOTA);
    let (bytes, outboard) = blob(300_000, 1);
    let (one, two) = (Space::Private([1; 32]), Space::Private([2; 32]));
    keep(&store, &one, &bytes).unwrap();
    let single = store.usage().live;
    // Neither another customer nor the public finds it, or pays less for it.
    assert!(!store.has(&two, outboard.root()) && !store.has(&SHARED, outboard.root()));
    keep(&store, &two, &bytes).unwrap();
    assert_eq!((store.usage().live, store.usage().bodies), (2 * single, 2));
    assert_eq!(read(&store, &one, &outboard).unwrap(), bytes);
    assert!(store.drop_content(&Blob {
        space: one,
        ..blob_of(&outboard)
    }));
    assert_eq!(read(&store, &two, &outboard).unwrap(), bytes);
    drop(store);
    let store = open(folder.path(), QUOTA);
    assert_eq!(read(&store, &two, &outboard).unwrap(), bytes);
    for name in files(folder.path()) {
        let file = std::fs::read(folder.path().join(&name)).unwrap();
        let found = file.windows(32).any(|window| window == outboard.root());
        assert!(!found, "{name}");
    }
}

#[test]
fn extents_are_the_bytes_of_a_range() {
    use std::os::unix::fs::FileExt;
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), QUOTA);
    let (bytes, outboard) = blob(2_500_000, 1);
    take_in(&store, &bytes, &outboard).unwrap();
    let reader = store.content(&SHARED, outboard.root()).unwrap().unwrap();
    for range in [0..1, 1_048_575..1_048_577, 5..2_499_999, 0..2_500_000] {
        let mut got = Vec::new();
        for extent in reader.extents(range.clone()).unwrap() {
            let mut bytes = vec![0; extent.length as usize];
            extent
                .file
                .read_exact_at(&mut bytes, extent.offset)
                .unwrap();
            got.extend(bytes);
        }
        assert_eq!(got, bytes[range.start as usize..range.end as usize]);
    }
    assert!(matches!(reader.extents(5..2_500_001), Err(Error::Range(_))));
}
