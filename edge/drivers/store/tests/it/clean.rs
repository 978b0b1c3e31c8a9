use std::collections::BTreeMap;

use selvedge_edge_core_verify::{Outboard, SLICE};
use selvedge_edge_drivers_store::{Blob, Space};
use selvedge_primitives_types::ServiceId;

use crate::testkit::{body, fetch, files, open, put, record};

const QUOTA: u64 = 32 << 20;
const SERVICE: ServiceId = ServiceId(1);

fn segments(folder: &std::path::Path) -> usize {
    let names = files(folder).into_iter();
    names.filter(|name| name.ends_with(".seg")).count()
}

#[test]
fn cleaning_moves_what_counts_and_frees_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), QUOTA);
    let mut all = BTreeMap::new();
    // Of every size: in one entry, in pieces, and empty.
    for number in 0..60usize {
        let bytes = body(number % 7 * 100_000, number as u8);
        let key = format!("/{number}");
        put(&store, &record(1, &key, &bytes), &bytes).unwrap();
        all.insert(key, bytes);
    }
    let half = body(2 * SLICE as usize, 99);
    let outboard = Outboard::of(&half);
    let blob = Blob::shared(*outboard.root(), half.len() as u64);
    store.pin(&blob, SERVICE).unwrap();
    let assembly = store.assembly(&blob, SERVICE).unwrap();
    let proof = outboard.slice_proof(1).unwrap();
    assembly.put(1, &proof, &half[SLICE as usize..]).unwrap();
    // One under way while its pieces are moved.
    let mut writer = store.writer().unwrap();
    let slow = body(1_500_000, 77);
    writer.write(&slow[..1_200_000]).unwrap();
    let view = writer.partial();
    let held = all.pop_last().unwrap();
    let reader = store
        .body(blake3::hash(&held.1).as_bytes())
        .unwrap()
        .unwrap();
    store.forget(SERVICE, held.0.as_bytes());
    for number in (0..60).step_by(2) {
        store.forget(SERVICE, format!("/{number}").as_bytes());
        all.remove(&format!("/{number}"));
    }
    // More, so that the segments before are not written to any more.
    for number in 100..110usize {
        let bytes = body(200_000, number as u8);
        put(&store, &record(1, &format!("/{number}"), &bytes), &bytes).unwrap();
        all.insert(format!("/{number}"), bytes);
    }
    let (before, count) = (store.usage(), segments(folder.path()));
    // At most so much at a time.
    let first = store.clean(300_000).unwrap();
    assert!((1..300_000 + 1_200_000).contains(&first.moved), "{first:?}");
    let mut moved = 0;
    loop {
        let cleaned = store.clean(1 << 20).unwrap();
        moved += cleaned.moved;
        if cleaned.moved < 1 << 20 {
            break;
        }
    }
    assert!(moved > 1 << 20);
    let after = store.usage();
    assert!(
        after.bytes + 3_000_000 < before.bytes,
        "{before:?} {after:?}"
    );
    assert!(segments(folder.path()) < count);
    assert_eq!(
        (after.records, after.bodies),
        (before.records, before.bodies)
    );

    let whole = |store: &selvedge_edge_drivers_store::Store| {
        for (key, bytes) in &all {
            assert!(fetch(store, 1, key).as_ref() == Some(bytes), "{key}");
        }
        let assembly = store.assembly(&blob, SERVICE).unwrap();
        assert_eq!(
            &assembly.slice(1).unwrap().unwrap().1[..],
            &half[SLICE as usize..]
        );
    };
    whole(&store);
    assert_eq!(reader.read(0..held.1.len() as u64).unwrap(), held.1);
    writer.write(&slow[1_200_000..]).unwrap();
    assert_eq!(view.read(0, slow.len()).unwrap(), slow);
    store
        .keep(&Space::Shared, SERVICE, writer.finish().unwrap())
        .unwrap();
    assert_eq!(view.read(0, slow.len()).unwrap(), slow);
    let kept = store.content(&Space::Shared, blake3::hash(&slow).as_bytes());
    assert_eq!(
        kept.unwrap().unwrap().read(0..slow.len() as u64).unwrap(),
        slow
    );
    drop((reader, view, assembly));
    drop(store);

    let store = open(folder.path(), QUOTA);
    assert_eq!(store.recovery().dropped_records, 0);
    whole(&store);
    assert!(store.records(SERVICE, b"/0").unwrap().is_empty());
}

#[test]
fn what_was_forgotten_stays_away_through_cleaning_and_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let mut expected = BTreeMap::new();
    for round in 0..6u8 {
        let store = open(folder.path(), QUOTA / 4);
        assert_eq!(store.usage().records, expected.len());
        for number in 0..60u8 {
            let key = format!("/{number}");
            match (number + round) % 3 {
                0 => {
                    let bytes = body(20_000, number ^ round);
                    put(&store, &record(1, &key, &bytes), &bytes).unwrap();
                    expected.insert(key, bytes);
                }
                1 => {
                    store.forget(SERVICE, key.as_bytes());
                    expected.remove(&key);
                }
                _ => {}
            }
            if number % 20 == 0 {
                store.clean(u64::MAX).unwrap();
            }
        }
        for number in 0..60 {
            let key = format!("/{number}");
            assert!(
                fetch(&store, 1, &key) == expected.get(&key).cloned(),
                "{round} {key}"
            );
        }
    }
}

#[test]
fn a_full_store_takes_what_is_new_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), 8 << 20);
    for number in 0..1_500u32 {
        let bytes = body(3_000 + (number as usize * 7_919) % 60_000, number as u8);
        put(&store, &record(1, &number.to_string(), &bytes), &bytes).unwrap();
        let usage = store.usage();
        assert!(
            usage.bytes <= usage.quota && usage.live <= usage.quota,
            "{usage:?}"
        );
        let on_disk: u64 = files(folder.path())
            .iter()
            .map(|name| folder.path().join(name).metadata().unwrap().len())
            .sum();
        // The marks come on top.
        assert!(on_disk <= usage.quota + 100_000, "{on_disk} {usage:?}");
    }
    assert!(store.usage().live > 4 << 20);
}
