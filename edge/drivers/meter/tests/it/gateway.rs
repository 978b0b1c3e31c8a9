use crate::testkit::{
    cache_in, clock, close, device, gateway, gateway_in, now, serve, set, terms, used, CACHE,
    CUSTOMER, GATEWAY, OTHER_SERVICE, SERVICE,
};
use selvedge_edge_drivers_meter::{
    rules::{Denied, Keccak},
    MeterError,
};
use selvedge_primitives_math::{proof::verify_entries, TreeKind};
use selvedge_primitives_types::{Epoch, Millis, Quality, ServiceId, Slice};
use std::thread;

#[test]
fn what_is_counted_from_many_threads_is_exact() {
    let dir = tempfile::tempdir().unwrap();
    let meter = gateway_in(dir.path(), 1);
    thread::scope(|scope| {
        for thread in 0..8 {
            let meter = &meter;
            scope.spawn(move || {
                for at in 0..5_000 {
                    let service = if at % 3 == 0 { OTHER_SERVICE } else { SERVICE };
                    serve(meter, service, at + thread, Millis(now(1).0 + at * 12));
                }
            });
        }
    });
    set(&meter, 2, 0).unwrap();
    let bytes: u64 = (0..8)
        .flat_map(|thread| (0..5_000).map(move |at| at + thread))
        .sum();
    assert_eq!(close(&meter, 1), [40_000, bytes]);
}

#[test]
fn a_whole_response_counts_in_one_step_as_it_does_in_many() {
    let free = used(3, 40);
    let quality = Quality {
        answered: 1,
        failed: 0,
        ttfb_micros: 7,
    };
    let closed = |is_one_step: bool| {
        let dir = tempfile::tempdir().unwrap();
        let meter = gateway(dir.path());
        let mut terms = terms(1 << 20);
        terms.free = free;
        meter.set_epoch(clock(1), [(SERVICE, terms)]).unwrap();
        for bytes in [0, 30, 30, 1_000, 64_000] {
            let (one, body) = (used(1, 0), used(0, bytes));
            if is_one_step {
                let usage = used(1, bytes);
                meter
                    .count_whole(SERVICE, device(CACHE), &usage, quality, now(1))
                    .unwrap();
            } else {
                let mut tally = meter.begin(SERVICE, &one).unwrap();
                tally.attribute(device(CACHE));
                tally.reserve(&used(1, bytes)).unwrap();
                tally.count(&one, now(1)).unwrap();
                tally.quality(quality, now(1)).unwrap();
                tally.count(&body, now(1)).unwrap();
            }
        }
        let remaining = meter.remaining(SERVICE);
        set(&meter, 2, 0).unwrap();
        let closing = meter.closing(Epoch(1)).unwrap().expect("there was use");
        let leaves = meter.close(closing).unwrap().leaves().to_vec();
        let leaves: Vec<_> = leaves.into_iter().map(|leaf| leaf.body).collect();
        (remaining, leaves)
    };
    assert_eq!(closed(true), closed(false));
}

#[test]
fn a_whole_response_is_counted_within_the_lease_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let meter = gateway(dir.path());
    let count = |service, bytes| {
        let usage = used(1, bytes);
        meter.count_whole(service, device(CACHE), &usage, Quality::default(), now(1))
    };
    assert_eq!(count(SERVICE, 1), Err(Denied::UnknownService));
    set(&meter, 1, 100).unwrap();
    assert_eq!(count(ServiceId(99), 1), Err(Denied::UnknownService));
    // A request costs a planck and an octet half of one.
    assert_eq!(count(SERVICE, 199), Err(Denied::OutOfLease));
    assert_eq!(meter.remaining(SERVICE), Some(100));
    assert_eq!(count(SERVICE, 198), Ok(()));
    assert_eq!(meter.remaining(SERVICE), Some(0));
    assert_eq!(count(SERVICE, 0), Err(Denied::OutOfLease));
    set(&meter, 2, 0).unwrap();
    assert_eq!(close(&meter, 1), [1, 198]);
}

#[test]
fn a_restart_goes_on_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    for round in 1..=3u64 {
        let meter = gateway_in(dir.path(), 1);
        serve(&meter, SERVICE, 100, now(1));
        let vouchers = meter.tick().unwrap();
        assert_eq!(vouchers.len(), 1);
        assert_eq!(
            (vouchers[0].voucher.seq, vouchers[0].voucher.usage),
            (round, used(round, round * 100))
        );
        assert!(meter.tick().unwrap().is_empty());
    }
    let meter = gateway_in(dir.path(), 2);
    assert_eq!(meter.closable(), [Epoch(1)]);
    assert_eq!(close(&meter, 1), [3, 300]);
}

#[test]
fn what_was_spent_before_a_restart_counts_against_the_lease() {
    let dir = tempfile::tempdir().unwrap();
    let meter = gateway(dir.path());
    set(&meter, 1, 100).unwrap();
    serve(&meter, SERVICE, 100, now(1));
    assert_eq!(meter.remaining(SERVICE), Some(49));
    drop(meter);
    let meter = gateway(dir.path());
    assert_eq!(meter.remaining(SERVICE), None);
    assert!(matches!(
        meter.begin(SERVICE, &used(1, 0)),
        Err(Denied::UnknownService)
    ));
    set(&meter, 1, 100).unwrap();
    assert_eq!(meter.remaining(SERVICE), Some(49));
    assert_eq!(meter.remaining(OTHER_SERVICE), Some(100));
    assert_eq!(meter.remaining(ServiceId(99)), None);
}

#[test]
fn a_long_response_ends_where_its_lease_does() {
    let dir = tempfile::tempdir().unwrap();
    let meter = gateway(dir.path());
    set(&meter, 1, 1_000).unwrap();
    let mut tally = meter.begin(SERVICE, &used(1, 0)).unwrap();
    tally.count(&used(1, 0), now(1)).unwrap();
    let mut sent = 0;
    while tally.reserve(&used(0, 64)).is_ok() {
        tally.count(&used(0, 64), now(1)).unwrap();
        sent += 64;
    }
    assert_eq!(sent, 1_984, "999 planck buy 1,998 bytes");
    assert_eq!(tally.count(&used(0, 64), now(1)), Err(Denied::OutOfLease));
    assert_eq!(
        meter.begin(SERVICE, &used(100, 0)).err(),
        Some(Denied::OutOfLease)
    );
    drop(tally);
    set(&meter, 2, 1_000).unwrap();
    assert_eq!(close(&meter, 1), [1, sent]);
}

#[test]
fn a_cancelled_response_gives_back_what_it_held() {
    let dir = tempfile::tempdir().unwrap();
    let meter = gateway(dir.path());
    set(&meter, 1, 1_000).unwrap();
    let mut tally = meter.begin(SERVICE, &used(1, 1_000)).unwrap();
    tally.count(&used(1, 10), now(1)).unwrap();
    assert_eq!(meter.remaining(SERVICE), Some(499));
    drop(tally);
    assert_eq!(meter.remaining(SERVICE), Some(994));
}

#[test]
fn octets_ahead_are_set_aside_and_not_counted() {
    let dir = tempfile::tempdir().unwrap();
    let meter = gateway(dir.path());
    set(&meter, 1, 1_000).unwrap();
    let mut tally = meter.begin(SERVICE, &used(0, 100)).unwrap();
    tally.ahead(1_000, now(1)).unwrap();
    assert_eq!(meter.remaining(SERVICE), Some(500));
    // More is set aside for what comes after them.
    tally.reserve(&used(0, 1_000)).unwrap();
    assert_eq!(meter.remaining(SERVICE), Some(0));
    assert_eq!(tally.reserve(&used(0, 1_002)), Err(Denied::OutOfLease));
    tally.count(&used(0, 400), now(1)).unwrap();
    tally.ahead(1_600, now(1)).unwrap();
    assert_eq!(tally.ahead(1_602, now(1)), Err(Denied::OutOfLease));
    drop(tally);
    assert_eq!(meter.remaining(SERVICE), Some(800));
    set(&meter, 2, 0).unwrap();
    assert_eq!(close(&meter, 1), [0, 400]);
}

#[test]
fn octets_ahead_follow_their_response_into_the_next_epoch() {
    let dir = tempfile::tempdir().unwrap();
    let meter = gateway_in(dir.path(), 1);
    let mut tally = meter.begin(SERVICE, &used(1, 1_000)).unwrap();
    tally.count(&used(1, 300), now(1)).unwrap();
    tally.ahead(500, now(1)).unwrap();
    set(&meter, 2, u128::MAX >> 64).unwrap();
    tally.ahead(600, now(2)).unwrap();
    tally.count(&used(0, 200), now(2)).unwrap();
    // What a kill would leave, while the response is still under way.
    let left = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(dir.path()).unwrap().flatten() {
        std::fs::copy(file.path(), left.path().join(file.file_name())).unwrap();
    }
    drop(tally);
    let meter = gateway_in(left.path(), 3);
    assert_eq!(close(&meter, 1), [1, 300]);
    assert_eq!(close(&meter, 2), [0, 600]);
}

#[test]
fn a_response_across_the_end_of_an_epoch_is_counted_in_both() {
    let dir = tempfile::tempdir().unwrap();
    let meter = gateway_in(dir.path(), 1);
    let mut tally = meter.begin(SERVICE, &used(1, 1_000)).unwrap();
    tally.attribute(device(CACHE));
    tally.count(&used(1, 600), now(1)).unwrap();
    set(&meter, 2, 200).unwrap();
    tally.count(&used(0, 300), now(2)).unwrap();
    assert_eq!(meter.remaining(SERVICE), Some(50));
    // What was set aside in the old epoch buys nothing in the new one.
    assert_eq!(tally.count(&used(0, 101), now(2)), Err(Denied::OutOfLease));
    drop(tally);
    assert_eq!(meter.remaining(SERVICE), Some(50));
    assert_eq!(close(&meter, 1), [1, 600]);
    set(&meter, 3, 0).unwrap();
    assert_eq!(close(&meter, 2), [0, 300]);
}

#[test]
fn leases_change_inside_an_epoch_and_services_go() {
    let dir = tempfile::tempdir().unwrap();
    let meter = gateway(dir.path());
    set(&meter, 1, 100).unwrap();
    let mut tally = meter.begin(SERVICE, &used(1, 100)).unwrap();
    meter
        .set_epoch(clock(1), [(OTHER_SERVICE, terms(500))])
        .unwrap();
    assert_eq!(meter.remaining(OTHER_SERVICE), Some(500));
    assert!(meter.begin(SERVICE, &used(1, 0)).is_err());
    tally.count(&used(1, 100), now(1)).unwrap();
    assert!(tally.count(&used(0, 1), now(1)).is_err());
    drop(tally);
    // It is back, with what it had spent.
    set(&meter, 1, 100).unwrap();
    assert_eq!(meter.remaining(SERVICE), Some(49));
}

#[test]
fn an_epoch_that_is_over_does_not_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let meter = gateway_in(dir.path(), 2);
    serve(&meter, SERVICE, 1, now(2));
    assert!(matches!(
        set(&meter, 1, 9),
        Err(MeterError::EpochOver(Epoch(1)))
    ));
    serve(&meter, SERVICE, 1, now(2));
    assert!(meter.closable().is_empty());
    set(&meter, 3, 0).unwrap();
    assert_eq!(close(&meter, 2), [2, 2]);
    drop(meter);
    let meter = gateway(dir.path());
    assert!(matches!(
        set(&meter, 2, 9),
        Err(MeterError::EpochOver(Epoch(2)))
    ));
    assert_eq!(meter.clock(), None);
}

#[test]
fn leaves_are_apart_by_slice_cache_and_service() {
    let dir = tempfile::tempdir().unwrap();
    let meter = gateway_in(dir.path(), 1);
    for (second, cache, service) in [
        (0, 2, SERVICE),
        (0, 2, SERVICE),
        (7, 2, SERVICE),
        (7, 5, SERVICE),
        (59, 2, OTHER_SERVICE),
    ] {
        let mut tally = meter.begin(service, &used(1, 0)).unwrap();
        tally.attribute(device(cache));
        let at = Millis(now(1).0 + second * 1_000);
        tally.count(&used(1, 0), at).unwrap();
        let quality = Quality {
            answered: 1,
            failed: 0,
            ttfb_micros: 40,
        };
        tally.quality(quality, at).unwrap();
    }
    set(&meter, 2, 0).unwrap();
    let closing = meter.closing(Epoch(1)).unwrap().unwrap();
    let closed = meter.close(closing).unwrap();
    let mut leaves: Vec<_> = closed.leaves().iter().map(|leaf| leaf.body).collect();
    leaves.sort_by_key(|leaf| (leaf.service, leaf.slice, leaf.paid.0[0]));
    assert_eq!(leaves.len(), 4);
    assert_eq!((leaves[0].slice, leaves[0].paid), (Slice(0), used(2, 0)));
    assert_eq!(
        leaves[0].quality,
        Quality {
            answered: 2,
            failed: 0,
            ttfb_micros: 80
        }
    );
    assert!(leaves
        .iter()
        .all(|leaf| leaf.customer == CUSTOMER && leaf.gateway == device(GATEWAY)));
    assert_eq!(
        (leaves[3].slice, leaves[3].service),
        (Slice(59), OTHER_SERVICE)
    );
}

#[test]
fn an_epoch_is_closed_with_a_real_cache() {
    let (dir, cache_dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let meter = gateway_in(dir.path(), 1);
    let cache = cache_in(cache_dir.path(), 1);
    let us = device(GATEWAY);
    for _ in 0..50 {
        assert!(cache.may_supply(&us, 1_000));
        cache
            .supplied(us, SERVICE, &used(1, 1_000), now(1))
            .unwrap();
        serve(&meter, SERVICE, 1_000, now(1));
        for voucher in meter.tick().unwrap() {
            cache.accept(&us, &voucher).unwrap();
        }
        cache.tick().unwrap();
    }
    // Used after the last interval: only the closing vouches for it.
    serve(&meter, SERVICE, 77, now(1));
    set(&meter, 2, 0).unwrap();
    cache
        .set_epoch(clock(2), [crate::testkit::prices()])
        .unwrap();

    let mut closing = meter.closing(Epoch(1)).unwrap().unwrap();
    let bodies = closing.requests()[0].1.clone();
    assert_eq!(
        cache.sign_leaves(&us, &bodies),
        [None],
        "the last voucher has not arrived"
    );
    for voucher in meter.last_vouchers(Epoch(1)) {
        cache.accept(&us, &voucher).unwrap();
    }
    let answered = closing
        .answer(&device(CACHE), &cache.sign_leaves(&us, &bodies))
        .unwrap();
    assert_eq!((answered.signed, closing.unsigned()), (1, 0));
    let closed = meter.close(closing).unwrap();
    let commitment = closed.commitment();
    assert_eq!(commitment.caches.sum.paid, used(51, 50_077));
    let voucher = cache.last_voucher(&us, Epoch(1)).unwrap().voucher;
    assert_eq!(voucher.amount, commitment.caches.sum.amount);
    let (entries, proof) = closed.settle_page(0).unwrap();
    verify_entries::<Keccak>(TreeKind::Customers, &commitment.customers, &entries, &proof).unwrap();
}

#[test]
fn an_epoch_without_use_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let meter = gateway_in(dir.path(), 1);
    set(&meter, 2, 0).unwrap();
    assert_eq!(meter.closable(), [Epoch(1)]);
    assert!(meter.closing(Epoch(1)).unwrap().is_none());
    assert!(meter.closable().is_empty());
    assert!(matches!(
        meter.closing(Epoch(1)),
        Err(MeterError::NothingToClose(Epoch(1)))
    ));
    assert!(meter.closed_epochs().is_empty());
    drop(meter);
    assert!(
        gateway(dir.path()).closable().len() <= 1,
        "only the epoch that was counted in"
    );
}

#[test]
fn a_closed_epoch_stays_as_it_is_and_is_forgotten_in_time() {
    let dir = tempfile::tempdir().unwrap();
    let mut roots = Vec::new();
    let meter = gateway_in(dir.path(), 1);
    for epoch in 1..=8 {
        serve(&meter, SERVICE, epoch, now(epoch));
        meter.tick().unwrap();
        set(&meter, epoch + 1, u128::MAX >> 64).unwrap();
        close(&meter, epoch);
        roots.push(meter.closed(Epoch(epoch)).unwrap().unwrap().commitment());
    }
    drop(meter);
    let meter = gateway_in(dir.path(), 9);
    assert_eq!(
        meter.closed_epochs(),
        (1..=8).map(Epoch).collect::<Vec<_>>()
    );
    for (epoch, root) in (1..).zip(&roots) {
        assert_eq!(
            meter.closed(Epoch(epoch)).unwrap().unwrap().commitment(),
            *root
        );
    }
    assert!(meter.closed(Epoch(9)).unwrap().is_none());

    meter.forget(None, 2).unwrap();
    assert_eq!(meter.closed_epochs().len(), 8);
    // It is heard of two in epoch 9, and of two more in epoch 11, after a restart.
    meter.forget(Some(Epoch(2)), 2).unwrap();
    drop(meter);
    let meter = gateway_in(dir.path(), 11);
    meter.forget(Some(Epoch(4)), 2).unwrap();
    assert_eq!(meter.closed_epochs().len(), 8, "two epochs have not passed");
    set(&meter, 12, 0).unwrap();
    meter.forget(Some(Epoch(4)), 2).unwrap();
    assert_eq!(meter.closed_epochs().first(), Some(&Epoch(3)));
    set(&meter, 14, 0).unwrap();
    meter.forget(Some(Epoch(4)), 2).unwrap();
    assert_eq!(
        meter.closed_epochs(),
        (5..=8).map(Epoch).collect::<Vec<_>>()
    );
    assert!(meter.closed(Epoch(3)).unwrap().is_none());
    assert!(meter.last_vouchers(Epoch(3)).is_empty());
    assert_eq!(meter.last_vouchers(Epoch(5)).len(), 1);
    drop(meter);
    assert_eq!(gateway_in(dir.path(), 9).closed_epochs().len(), 4);
}

#[test]
fn more_counters_than_one_file_holds() {
    let dir = tempfile::tempdir().unwrap();
    let meter = gateway_in(dir.path(), 1);
    for id in 0..9_000u64 {
        let mut tally = meter.begin(SERVICE, &used(1, id)).unwrap();
        let mut cache = device(CACHE);
        cache.0[..8].copy_from_slice(&id.to_le_bytes());
        tally.attribute(cache);
        tally.count(&used(1, id), now(1)).unwrap();
    }
    drop(meter);
    let meter = gateway_in(dir.path(), 2);
    assert_eq!(close(&meter, 1), [9_000, 9_000 * 8_999 / 2]);
    let files = std::fs::read_dir(dir.path()).unwrap();
    let counts = files.flatten().filter(|file| {
        file.path().to_string_lossy().contains("-1.")
            && file.path().extension() != Some("leaves".as_ref())
    });
    assert_eq!(counts.count(), 0, "counters go once the leaves are kept");
}
