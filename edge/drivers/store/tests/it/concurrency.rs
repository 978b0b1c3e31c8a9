use std::sync::atomic::{AtomicUsize, Ordering};

use selvedge_edge_drivers_store::Error;
use selvedge_primitives_types::ServiceId;

use crate::testkit::{body, fetch, open, put, record};

#[test]
fn many_at_once_never_see_wrong_bytes_nor_leave_a_file_behind() {
    const QUOTA: u64 = 3_000_000;
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), QUOTA);
    let hits = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for thread in 0..6usize {
            let (store, hits) = (store.clone(), &hits);
            scope.spawn(move || {
                for step in 0..150usize {
                    let number = (step * 7 + thread * 13) % 40;
                    // Two keys have the same bytes, so that bodies are shared while they come and
                    // go.
                    let bytes = body(30_000 + 5_000 * (number / 2), (number / 2) as u8);
                    let key = format!("/{number}");
                    match step % 5 {
                        0..=1 => match put(&store, &record(1, &key, &bytes), &bytes) {
                            Ok(()) | Err(Error::Busy { .. }) => {}
                            Err(error) => panic!("{error}"),
                        },
                        2 => drop(store.forget(ServiceId(1), key.as_bytes())),
                        3 => match store.renew(&record(1, &key, &bytes)) {
                            Ok(()) | Err(Error::NoBody(_) | Error::Busy { .. }) => {}
                            Err(error) => panic!("{error}"),
                        },
                        _ => {
                            if let Some(got) = fetch(&store, 1, &key) {
                                assert_eq!(got, bytes);
                                hits.fetch_add(1, Ordering::Relaxed);
                            }
                        }
                    }
                    assert!(store.usage().bytes <= QUOTA);
                }
            });
        }
    });
    assert!(hits.load(Ordering::Relaxed) > 20);
    let before = store.usage();
    drop(store);
    let store = open(folder.path(), QUOTA);
    let after = store.usage();
    assert_eq!(
        (after.records, after.bodies),
        (before.records, before.bodies)
    );
    assert_eq!(
        (after.live, store.recovery().dropped_records),
        (before.live, 0)
    );
}
