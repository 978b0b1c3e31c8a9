use selvedge_edge_core_verify::{RangePlan, StreamDecoder};
use selvedge_edge_drivers_store::{Config, Error, Store};
use selvedge_primitives_types::ServiceId;

use crate::testkit::{body, fetch, files, open, put, record};

#[test]
fn what_is_put_is_read_now_and_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let bodies: Vec<_> = [0, 1, 16_384, 16_385, 3_000_000]
        .map(|length| body(length, 5))
        .into();
    let store = open(folder.path(), 1 << 30);
    for (number, bytes) in bodies.iter().enumerate() {
        let key = format!("https://example.org/{number}");
        put(&store, &record(1, &key, bytes), bytes).unwrap();
        assert_eq!(fetch(&store, 1, &key).unwrap(), *bytes);
    }
    let before = store.usage();
    drop(store);

    let store = open(folder.path(), 1 << 30);
    let usage = store.usage();
    assert_eq!(
        (usage.live, usage.records, usage.bodies),
        (before.live, 5, 5)
    );
    assert_eq!((store.recovery().records, store.recovery().bodies), (5, 5));
    assert_eq!(
        store.recovery().dropped_records + store.recovery().dropped_bodies,
        0
    );
    for (number, bytes) in bodies.iter().enumerate() {
        let key = format!("https://example.org/{number}");
        let records = store.records(ServiceId(1), key.as_bytes()).unwrap();
        assert_eq!(records, [record(1, &key, bytes)]);
        assert_eq!(fetch(&store, 1, &key).unwrap(), *bytes);
    }
}

#[test]
fn usage_counts_what_the_disk_holds() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), 1 << 30);
    for number in 0..10 {
        let bytes = body(100_000 * number, number as u8);
        put(&store, &record(1, &number.to_string(), &bytes), &bytes).unwrap();
    }
    let on_disk = || -> u64 {
        let names = files(folder.path()).into_iter();
        let segments = names.filter(|name| name.ends_with(".seg"));
        segments
            .map(|name| folder.path().join(name).metadata().unwrap().len())
            .sum()
    };
    // The list at the end of the open segment is counted before it is there.
    let counted = store.usage().bytes;
    assert!((on_disk()..on_disk() + 10_000).contains(&counted));
    drop(store);
    assert_eq!(open(folder.path(), 1 << 30).usage().bytes, on_disk());
}

#[test]
fn any_range_is_sent_with_its_proofs() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), 1 << 30);
    let bytes = body(2_500_000, 9);
    let signed = record(1, "/a", &bytes);
    put(&store, &signed, &bytes).unwrap();
    let stored = store.body(&signed.record.root).unwrap().unwrap();
    for range in [
        0..1,
        16_000..17_000,
        1_048_575..1_048_577,
        0..2_500_000,
        2_499_999..2_500_000,
    ] {
        let plan = RangePlan::new(stored.length(), range.clone()).unwrap();
        let mut decoder = StreamDecoder::new(signed.record.root, plan.clone());
        let mut got = Vec::new();
        for part in plan.parts() {
            decoder.push(&stored.part(&part).unwrap());
            while let Some(bytes) = decoder.next().unwrap() {
                got.extend_from_slice(&bytes);
            }
        }
        decoder.finish().unwrap();
        assert_eq!(got, bytes[range.start as usize..range.end as usize]);
        assert_eq!(stored.read(range).unwrap(), got);
    }
    assert!(matches!(stored.read(5..2_500_001), Err(Error::Range(_))));
}

#[test]
fn a_waiting_reader_follows_a_body_under_way() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), 1 << 30);
    let mut writer = store.writer().unwrap();
    let view = writer.partial();
    assert_eq!(view.read(0, 10).unwrap(), "");
    writer.write(b"hello ").unwrap();
    writer.write(b"world").unwrap();
    assert_eq!(view.read(3, 5).unwrap(), "lo wo");
    assert_eq!(view.length(), 11);
    assert_eq!(view.read(12, 5).unwrap(), "");
    let finished = writer.finish().unwrap();
    // What stands behind the body in its file is not the body.
    assert_eq!(view.read(6, 99).unwrap(), "world");
    drop(finished);
    assert_eq!(store.usage().live, 0);
    // A view lives longer.
    assert_eq!(view.read(0, 99).unwrap(), "hello world");
}

#[test]
fn a_record_goes_with_the_body_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), 1 << 30);
    let signed = record(1, "/a", b"one");
    assert!(matches!(
        put(&store, &signed, b"two"),
        Err(Error::OtherBody)
    ));
    assert!(matches!(store.renew(&signed), Err(Error::NoBody(root)) if root == signed.record.root));
    assert_eq!(store.usage().live, 0);
}

#[test]
fn two_keys_with_the_same_bytes_share_them() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), 1 << 30);
    let bytes = body(50_000, 1);
    put(&store, &record(1, "/a", &bytes), &bytes).unwrap();
    let one = store.usage();
    put(&store, &record(1, "/b", &bytes), &bytes).unwrap();
    assert_eq!((store.usage().records, store.usage().bodies), (2, 1));
    assert!(store.usage().live < one.live + 1_000);
    assert_eq!(store.forget(ServiceId(1), b"/a"), 1);
    assert_eq!(fetch(&store, 1, "/b").unwrap(), bytes);
    assert_eq!(store.forget(ServiceId(1), b"/b"), 1);
    assert_eq!((store.usage().live, store.usage().bodies), (0, 0));
}

#[test]
fn a_renewed_record_takes_the_place_of_the_earlier_one() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), 1 << 30);
    let mut signed = record(1, "/a", b"bytes");
    put(&store, &signed, b"bytes").unwrap();
    signed
        .record
        .fields
        .push((b"x-new".to_vec(), b"1".to_vec()));
    store.renew(&signed).unwrap();
    assert_eq!(
        store.records(ServiceId(1), b"/a").unwrap(),
        [signed.clone()]
    );
    assert_eq!((store.usage().records, store.usage().bodies), (1, 1));

    // The same key with other bytes: the earlier ones leave.
    let newer = record(1, "/a", b"other bytes");
    put(&store, &newer, b"other bytes").unwrap();
    assert_eq!(fetch(&store, 1, "/a").unwrap(), b"other bytes");
    assert!(store.body(&signed.record.root).unwrap().is_none());
    signed.record.length += 1;
    signed.record.root = newer.record.root;
    assert!(matches!(store.renew(&signed), Err(Error::OtherBody)));
}

#[test]
fn variants_stand_side_by_side_and_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), 1 << 30);
    for number in 0..40u8 {
        let mut signed = record(1, "/a", &[number]);
        signed.record.variant = vec![(b"accept".to_vec(), Some(vec![number]))];
        put(&store, &signed, &[number]).unwrap();
    }
    let records = store.records(ServiceId(1), b"/a").unwrap();
    let left: Vec<_> = records
        .iter()
        .map(|signed| signed.record.variant[0].1.clone().unwrap()[0])
        .collect();
    assert_eq!(left, (8..40).collect::<Vec<_>>());
    assert_eq!(store.forget(ServiceId(1), b"/a"), 32);
    assert_eq!(store.usage().live, 0);
}

#[test]
fn a_purge_drops_what_is_older() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), 1 << 30);
    for (key, service, generation) in [("/a", 1, 1), ("/b", 1, 2), ("/c", 2, 1)] {
        let mut signed = record(service, key, key.as_bytes());
        signed.record.generation = generation;
        put(&store, &signed, key.as_bytes()).unwrap();
    }
    assert_eq!(store.forget_before(ServiceId(1), 2), 1);
    assert!(fetch(&store, 1, "/a").is_none());
    assert!(fetch(&store, 1, "/b").is_some() && fetch(&store, 2, "/c").is_some());
}

#[test]
fn a_purge_of_one_key_leaves_what_was_fetched_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), 1 << 30);
    for (key, generation) in [("/a", 3), ("/b", 3), ("/c", 7)] {
        let bytes = body(1_000, generation);
        let mut signed = record(1, key, &bytes);
        signed.record.generation = u64::from(generation);
        put(&store, &signed, &bytes).unwrap();
    }
    let service = ServiceId(1);
    for key in ["/a", "/c"] {
        store.forget_key_before(service, key.as_bytes(), 5);
    }
    let left = ["/a", "/b", "/c"].map(|key| store.records(service, key.as_bytes()).unwrap().len());
    assert_eq!(left, [0, 1, 1]);
}

#[test]
fn a_reader_keeps_what_it_reads() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), 1 << 30);
    let bytes = body(100_000, 2);
    let signed = record(1, "/a", &bytes);
    put(&store, &signed, &bytes).unwrap();
    let reader = store.body(&signed.record.root).unwrap().unwrap();
    store.forget(ServiceId(1), b"/a");
    assert_eq!(reader.read(0..100_000).unwrap(), bytes);
}

#[test]
fn one_folder_has_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), 1 << 20);
    let second = Store::open(Config::new(folder.path(), 1 << 20));
    assert!(matches!(second, Err(Error::Locked(path)) if path == folder.path()));
    drop(store);
    open(folder.path(), 1 << 20);
}

#[test]
fn a_folder_with_something_else_in_it_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("letter.txt"), "dear").unwrap();
    let store = Store::open(Config::new(folder.path(), 1 << 20));
    assert!(matches!(store, Err(Error::Format(_))));
    assert_eq!(files(folder.path()), ["letter.txt"]);

    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("format"), "selvedge-store 9\n").unwrap();
    let store = Store::open(Config::new(folder.path(), 1 << 20));
    assert!(matches!(store, Err(Error::Format(_))));
}
