use selvedge_edge_drivers_store::Error;

use crate::testkit::{body, fetch, open, put, record};

const QUOTA: u64 = 2_000_000;

#[test]
fn bytes_stay_within_the_quota_and_what_is_asked_for_stays() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), QUOTA);
    let hot = body(40_000, 200);
    put(&store, &record(1, "/hot", &hot), &hot).unwrap();
    for number in 0..100u8 {
        let bytes = body(60_000, number);
        put(&store, &record(1, &format!("/{number}"), &bytes), &bytes).unwrap();
        assert_eq!(
            fetch(&store, 1, "/hot").as_ref(),
            Some(&hot),
            "after {number}"
        );
        assert!(store.usage().bytes <= QUOTA);
    }
    assert!(store.usage().bytes > QUOTA / 2);
    assert_eq!(fetch(&store, 1, "/99").unwrap(), body(60_000, 99));
    assert!(fetch(&store, 1, "/1").is_none());
}

#[test]
fn a_body_longer_than_half_the_quota_is_refused_and_nothing_leaves_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), QUOTA);
    put(&store, &record(1, "/a", b"a"), b"a").unwrap();
    let mut writer = store.writer().unwrap();
    let all = writer.write(&body(QUOTA as usize / 2 + 1, 1));
    let longest = store.longest_body();
    assert!((QUOTA / 3..QUOTA / 2).contains(&longest));
    assert!(matches!(all, Err(Error::TooLong { limit }) if limit == longest));
    assert!(writer.finish().is_err());
    assert_eq!(fetch(&store, 1, "/a").unwrap(), b"a");
}

#[test]
fn bodies_under_way_cannot_fill_the_disk_together() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), QUOTA);
    let mut writers: Vec<_> = (0..4).map(|_| store.writer().unwrap()).collect();
    let results: Vec<_> = writers
        .iter_mut()
        .map(|writer| writer.write(&body(600_000, 1)))
        .collect();
    assert!(results[0].is_ok() && results[1].is_ok());
    assert!(matches!(results[2], Err(Error::Busy { quota: QUOTA })));
    assert!(store.usage().bytes <= QUOTA);
    drop(writers);
    assert_eq!(store.usage().live, 0);
}

#[test]
fn a_smaller_quota_is_kept_from_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), QUOTA);
    let fill = |numbers: std::ops::Range<u8>| {
        for number in numbers {
            let bytes = body(60_000, number);
            put(&store, &record(1, &format!("/{number}"), &bytes), &bytes).unwrap();
        }
    };
    fill(0..10);
    fill(10..20);
    drop(store);
    let store = open(folder.path(), QUOTA / 4);
    assert!(store.recovery().evicted > 0);
    assert!(store.usage().bytes <= QUOTA / 4);
    let is_there = |number: &u8| fetch(&store, 1, &format!("/{number}")).is_some();
    assert_eq!((0..10).filter(is_there).count(), 0);
    assert_eq!((10..20).filter(is_there).count(), 4);
}
