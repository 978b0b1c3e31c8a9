use crate::testkit::{device, key, prices, row, CACHE, EPOCH, GATEWAY, GENESIS, OTHER_CACHE};
use proptest::prelude::*;
use selvedge_edge_core_metering::{
    merge, sign_leaf, sign_voucher, totals_by_peer, verify_leaf, Answered, CloseError, Closed,
    Closing, Counts, ExposureLimits, Issuer, Keccak, Ledger, Row,
};
use selvedge_primitives_math::{
    proof::{verify_commitment, verify_entries, verify_leaves},
    TreeError, TreeKind,
};
use selvedge_primitives_types::{
    Account, DeviceId, Epoch, LeafBody, Quality, ServiceId, Signature64, Usage,
};

fn begin(rows: Vec<Row>) -> (Closing, Issuer) {
    let mut issuer = Issuer::resume(device(GATEWAY), [], false);
    let closing = Closing::begin(device(GATEWAY), EPOCH, GENESIS, rows, &mut issuer);
    (closing.unwrap().expect("there was use"), issuer)
}

/// Lets the caches with these seeds answer as real ones do.
fn answer(closing: &mut Closing, seeds: &[u8]) {
    for (cache, bodies) in closing.requests() {
        let Some(seed) = seeds.iter().copied().find(|seed| device(*seed) == cache) else {
            continue;
        };
        let mut ledger = Ledger::new(cache, ExposureLimits::default());
        for voucher in closing
            .vouchers()
            .iter()
            .filter(|voucher| voucher.cache == cache)
        {
            let signed = sign_voucher(&key(GATEWAY), &GENESIS, *voucher);
            assert_eq!(
                ledger.check_voucher(&GENESIS, EPOCH, &device(GATEWAY), &signed),
                Ok(true)
            );
            ledger.take_voucher(&signed);
        }
        let answers: Vec<_> = ledger
            .sign_leaves(
                &key(seed),
                &GENESIS,
                EPOCH.next(),
                &device(GATEWAY),
                &bodies,
                |_| Some(prices()),
            )
            .into_iter()
            .map(Result::ok)
            .collect();
        let answered = closing.answer(&cache, &answers).unwrap();
        assert_eq!(
            answered,
            Answered {
                signed: bodies.len(),
                ..Answered::default()
            }
        );
    }
}

fn some_rows() -> Vec<Row> {
    let (one, two, none) = (device(CACHE), device(OTHER_CACHE), DeviceId::default());
    vec![
        row(1, 10, one, 0, 1_000),
        row(1, 10, one, 1, 500),
        row(1, 10, two, 0, 77),
        row(2, 20, one, 0, 31),
        row(2, 20, none, 9, 3),
    ]
}

#[test]
fn an_epoch_is_closed_with_the_signatures_of_its_caches() {
    let (mut closing, _) = begin(some_rows());
    assert_eq!(closing.requests().len(), 2);
    assert_eq!(closing.unsigned(), 4);
    answer(&mut closing, &[CACHE, OTHER_CACHE]);
    assert_eq!(closing.unsigned(), 0);
    assert!(closing.requests().is_empty());

    let closed = closing.finish().unwrap();
    let commitment = closed.commitment();
    assert_eq!(verify_commitment(&commitment), Ok(()));
    assert_eq!(
        (commitment.customers.entries, commitment.caches.entries),
        (2, 3)
    );
    assert_eq!(commitment.customers.sum.leaves, 5);
    let amount: u128 = some_rows().iter().map(|row| row.amount().unwrap()).sum();
    assert_eq!(commitment.caches.sum.amount, amount);
    for leaf in closed.leaves() {
        if leaf.body.cache.is_none() {
            assert_eq!(leaf.cache_signature, Signature64::default());
            assert_eq!(leaf.body.vouchers_root, [0; 32]);
        } else {
            verify_leaf(&GENESIS, leaf).unwrap();
        }
    }
}

#[test]
fn vouchers_and_entries_of_a_cache_are_equal() {
    let (mut closing, issuer) = begin(some_rows());
    answer(&mut closing, &[CACHE, OTHER_CACHE]);
    let closed = closing.finish().unwrap();
    for entry in closed.trees().entries(TreeKind::Caches) {
        let cache = entry.key.as_cache().unwrap().0;
        let Some(voucher) = issuer.last(EPOCH, &cache) else {
            assert!(cache.is_none());
            continue;
        };
        assert_eq!(voucher.amount, entry.sum.amount);
        assert_eq!(
            voucher.usage,
            entry.sum.paid.checked_add(&entry.sum.free).unwrap()
        );
    }
}

#[test]
fn a_leaf_without_its_caches_signature_stays_with_its_amount_and_cache() {
    let (mut closing, _) = begin(some_rows());
    answer(&mut closing, &[OTHER_CACHE]);
    assert_eq!(closing.unsigned(), 3);
    let closed = closing.finish().unwrap();
    let unsigned: Vec<_> = closed.unsigned().collect();
    assert_eq!(unsigned.len(), 3);
    assert!(unsigned
        .iter()
        .all(|leaf| leaf.body.cache == device(CACHE) && leaf.body.amount > 0));
    let all = begin(some_rows()).0;
    assert_eq!(
        all.finish().unwrap().commitment().caches.sum,
        closed.commitment().caches.sum
    );
}

#[test]
fn signatures_that_do_not_verify_are_dropped() {
    let (mut closing, _) = begin(some_rows());
    let cache = device(CACHE);
    let requests = closing.requests();
    let (_, bodies) = requests.iter().find(|(of, _)| *of == cache).unwrap();
    let of = |seed, body: &LeafBody| Some(sign_leaf(&key(seed), &GENESIS, body));
    assert_eq!(closing.answer(&cache, &[None]), Err(CloseError::WrongCount));
    let answers = [of(OTHER_CACHE, &bodies[0]), None, of(CACHE, &bodies[2])];
    let answered = closing.answer(&cache, &answers).unwrap();
    assert_eq!(
        answered,
        Answered {
            signed: 1,
            refused: 1,
            forged: 1
        }
    );
    assert_eq!(closing.answer(&cache, &answers), Err(CloseError::NotAsked));
    assert_eq!(closing.answer(&device(9), &[]), Err(CloseError::NotAsked));
    assert_eq!(closing.finish().unwrap().unsigned().count(), 3);
}

#[test]
fn an_epoch_without_use_is_no_epoch_to_close() {
    let mut issuer = Issuer::resume(device(GATEWAY), [], false);
    let mut begin = |rows| Closing::begin(device(GATEWAY), EPOCH, GENESIS, rows, &mut issuer);
    assert!(begin(Vec::new()).unwrap().is_none());
    let mut failed = row(1, 1, device(CACHE), 0, 0);
    failed.counts = Counts {
        quality: Quality {
            failed: 3,
            ..Quality::default()
        },
        ..Counts::default()
    };
    assert!(begin(vec![failed]).unwrap().is_none());
}

#[test]
fn counts_out_of_range_are_an_error() {
    let mut issuer = Issuer::resume(device(GATEWAY), [], false);
    let mut rows = vec![
        row(1, 1, device(CACHE), 0, u64::MAX),
        row(2, 2, device(CACHE), 0, 1),
    ];
    let closing = Closing::begin(device(GATEWAY), EPOCH, GENESIS, rows.clone(), &mut issuer);
    assert_eq!(closing.err(), Some(CloseError::Overflow));
    rows[1].key = rows[0].key;
    assert!(merge(rows).is_err());
}

#[test]
fn rows_of_one_key_are_one_leaf() {
    let twice = vec![
        row(1, 1, device(CACHE), 0, 10),
        row(1, 1, device(CACHE), 0, 5),
    ];
    let (closing, _) = begin(twice);
    let closed = closing.finish().unwrap();
    assert_eq!(closed.leaves().len(), 1);
    assert_eq!(closed.leaves()[0].body.paid, Usage([2, 15, 0, 0, 0, 0]));
    // 2 × 2.5 + 15 / 3: rounded once, not once per row. A third is a little less than a third.
    assert_eq!(closed.leaves()[0].body.amount, 9);
}

#[test]
fn leaves_of_another_gateway_or_epoch_are_not_ours() {
    let closed = begin(some_rows()).0.finish().unwrap();
    let leaves = closed.leaves().to_vec();
    let other = Closed::build(device(9), EPOCH, leaves.clone());
    assert_eq!(other.err(), Some(TreeError::Mixed));
    let other = Closed::build(device(GATEWAY), Epoch(6), leaves.clone());
    assert_eq!(other.err(), Some(TreeError::Mixed));
    let again = Closed::build(device(GATEWAY), EPOCH, leaves).unwrap();
    assert_eq!(again.commitment(), closed.commitment());
}

#[test]
fn pages_walk_every_entry_once() {
    let rows = (0..150)
        .map(|id| {
            row(
                1,
                id,
                device(10 + (id % 70) as u8),
                (id % 60) as u16,
                10 + id,
            )
        })
        .collect();
    let closed = begin(rows).0.finish().unwrap();
    let commitment = closed.commitment();
    let walk = |kind, page: &dyn Fn(u32) -> Option<selvedge_edge_core_metering::Page>| {
        let tree = match kind {
            TreeKind::Customers => commitment.customers,
            TreeKind::Caches => commitment.caches,
        };
        let mut seen = Vec::new();
        while let Some((entries, proof)) = page(seen.len() as u32) {
            assert!(entries.len() <= 64);
            assert_eq!(proof.start, seen.len() as u32);
            assert_eq!(
                verify_entries::<Keccak>(kind, &tree, &entries, &proof),
                Ok(())
            );
            seen.extend(entries);
        }
        assert_eq!(seen, closed.trees().entries(kind));
    };
    walk(TreeKind::Customers, &|cursor| closed.settle_page(cursor));
    walk(TreeKind::Caches, &|cursor| closed.credit_page(cursor));
    assert_eq!(closed.settle_page(150), None);
    assert_eq!(closed.settle_page(u32::MAX), None);
}

#[test]
fn an_invoice_proves_its_entry_and_its_leaves() {
    let mut rows = some_rows();
    rows.extend((2..60).map(|slice| row(1, 10, device(CACHE), slice, 5)));
    let closed = begin(rows).0.finish().unwrap();
    let tree = closed.commitment().customers;
    let kind = TreeKind::Customers;
    let mut seen = 0;
    while let Some(invoice) = closed.invoice(Account([1; 32]), ServiceId(10), seen, 7) {
        assert_eq!(invoice.entry_proof.start, invoice.index);
        verify_entries::<Keccak>(kind, &tree, &[invoice.entry], &invoice.entry_proof).unwrap();
        let (entry, leaves) = (&invoice.entry, &invoice.leaves);
        verify_leaves::<Keccak>(kind, entry, leaves, &invoice.leaves_proof).unwrap();
        assert_eq!(invoice.leaves_proof.start, seen);
        seen += leaves.len() as u32;
    }
    assert_eq!(seen, 61);
    assert_eq!(closed.invoice(Account([1; 32]), ServiceId(20), 0, 7), None);
    assert_eq!(closed.invoice(Account([1; 32]), ServiceId(10), 0, 0), None);
}

proptest! {
    #[test]
    fn what_was_counted_is_what_is_committed(
        uses in proptest::collection::vec((1u8..4, 0u64..3, 0u8..3, 0u16..60, 0u64..10_000), 1..60),
    ) {
        let rows: Vec<_> = uses
            .into_iter()
            .map(|(customer, service, cache, slice, bytes)| {
                let peer = [DeviceId::default(), device(CACHE), device(OTHER_CACHE)][usize::from(cache)];
                // A service has one customer.
                row(customer, u64::from(customer) * 10 + service, peer, slice, bytes)
            })
            .collect();
        let merged = merge(rows.clone()).unwrap();
        let totals = totals_by_peer(&merged).unwrap();
        let (mut closing, _) = begin(rows.clone());
        answer(&mut closing, &[CACHE, OTHER_CACHE]);
        prop_assert_eq!(closing.unsigned(), 0);
        let closed = closing.finish().unwrap();
        let sum = closed.commitment().customers.sum;
        let bytes: u64 = rows.iter().map(|row| row.counts.paid.0[1]).sum();
        prop_assert_eq!(sum.paid.0, [rows.len() as u64, bytes, 0, 0, 0, 0]);
        prop_assert_eq!(sum.amount, totals.values().map(|total| total.amount).sum::<u128>());
        prop_assert_eq!(sum.leaves, merged.len() as u64);
    }
}
