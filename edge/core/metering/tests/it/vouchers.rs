use crate::testkit::{device, key, prices, CACHE, EPOCH, GATEWAY, GENESIS, OTHER_CACHE};
use proptest::prelude::*;
use selvedge_edge_core_metering::{
    sign_voucher, voucher_digest, ExposureLimits, Issuer, LeafRefusal, Ledger, Totals, VoucherError,
};
use selvedge_primitives_types::{
    DeviceId, Epoch, Leaf, LeafBody, Ppm, ServiceId, SignedVoucher, Slice, Usage, Voucher,
};

fn totals(requests: u64, bytes: u64, amount: u128) -> Totals {
    Totals {
        usage: Usage([requests, bytes, 0, 0, 0, 0]),
        amount,
    }
}

fn issuer() -> Issuer {
    Issuer::resume(device(GATEWAY), [], false)
}

fn ledger(limits: ExposureLimits) -> Ledger {
    Ledger::new(device(CACHE), limits)
}

fn signed(voucher: Voucher) -> SignedVoucher {
    sign_voucher(&key(GATEWAY), &GENESIS, voucher)
}

fn voucher(seq: u64, bytes: u64) -> Voucher {
    Voucher {
        epoch: EPOCH,
        gateway: device(GATEWAY),
        cache: device(CACHE),
        seq,
        usage: totals(seq, bytes, 0).usage,
        amount: bytes.into(),
    }
}

fn accept(ledger: &mut Ledger, signed: &SignedVoucher) -> Result<bool, VoucherError> {
    let is_new = ledger.check_voucher(&GENESIS, EPOCH, &device(GATEWAY), signed)?;
    if is_new {
        ledger.take_voucher(signed);
    }
    Ok(is_new)
}

#[test]
fn a_voucher_is_made_only_when_something_is_new() {
    let mut issuer = issuer();
    let cache = device(CACHE);
    assert_eq!(issuer.next(EPOCH, cache, &totals(0, 0, 0)), None);
    let first = issuer.next(EPOCH, cache, &totals(1, 10, 3)).unwrap();
    assert_eq!((first.seq, first.amount), (1, 3));
    assert_eq!(issuer.next(EPOCH, cache, &totals(1, 10, 3)), None);
    let second = issuer.next(EPOCH, cache, &totals(1, 11, 3)).unwrap();
    assert!(second.follows(&first));
    // Another cache and another epoch are channels of their own.
    assert_eq!(
        issuer
            .next(EPOCH, device(OTHER_CACHE), &totals(1, 1, 1))
            .unwrap()
            .seq,
        1
    );
    assert_eq!(
        issuer
            .next(EPOCH.next(), cache, &totals(1, 1, 1))
            .unwrap()
            .seq,
        1
    );
    assert_eq!(
        issuer.next(EPOCH, DeviceId::default(), &totals(9, 9, 9)),
        None
    );
}

#[test]
fn counters_behind_the_last_voucher_take_nothing_back() {
    let kept = voucher(7, 1_000);
    let mut issuer = Issuer::resume(
        device(GATEWAY),
        [voucher(6, 900), kept, voucher(5, 10)],
        false,
    );
    assert_eq!(issuer.last(EPOCH, &device(CACHE)), Some(&kept));
    assert_eq!(
        issuer.next(EPOCH, device(CACHE), &totals(1, 990, 990)),
        None
    );
    let next = issuer
        .next(EPOCH, device(CACHE), &totals(8, 990, 1_500))
        .unwrap();
    assert!(next.follows(&kept));
    assert_eq!((next.seq, next.amount, next.usage.0[1]), (8, 1_500, 1_000));
}

#[test]
fn after_a_loss_numbers_are_passed_over() {
    let mut issuer = Issuer::resume(device(GATEWAY), [], true);
    let next = issuer.next(EPOCH, device(CACHE), &totals(1, 1, 1)).unwrap();
    assert!(next.seq > Issuer::SKIP);
    let mut issuer = Issuer::resume(device(GATEWAY), [voucher(7, 10)], true);
    let next = issuer
        .next(EPOCH, device(CACHE), &totals(9, 90, 90))
        .unwrap();
    assert!(
        next.seq > Issuer::SKIP,
        "numbers up to the lost one may have been used"
    );
}

#[test]
fn a_voucher_is_taken_once_and_in_order() {
    let mut ledger = ledger(ExposureLimits::default());
    let (one, two) = (signed(voucher(1, 10)), signed(voucher(2, 20)));
    assert_eq!(accept(&mut ledger, &one), Ok(true));
    assert_eq!(accept(&mut ledger, &one), Ok(false));
    assert_eq!(accept(&mut ledger, &two), Ok(true));
    assert_eq!(accept(&mut ledger, &one), Err(VoucherError::DoesNotFollow));
    let less = signed(Voucher {
        seq: 3,
        ..voucher(2, 19)
    });
    assert_eq!(accept(&mut ledger, &less), Err(VoucherError::DoesNotFollow));
    assert_eq!(ledger.last_voucher(&device(GATEWAY), EPOCH), Some(&two));
}

#[test]
fn a_voucher_must_be_for_this_cache_by_this_gateway_and_now() {
    let mut ledger = ledger(ExposureLimits::default());
    let mut refuse = |voucher: Voucher, error| {
        assert_eq!(accept(&mut ledger, &signed(voucher)), Err(error));
    };
    let good = voucher(1, 10);
    refuse(
        Voucher {
            cache: device(OTHER_CACHE),
            ..good
        },
        VoucherError::OtherCache,
    );
    refuse(
        Voucher {
            gateway: device(OTHER_CACHE),
            ..good
        },
        VoucherError::OtherGateway,
    );
    refuse(
        Voucher {
            epoch: Epoch(1),
            ..good
        },
        VoucherError::WrongEpoch,
    );
    refuse(
        Voucher {
            epoch: Epoch(7),
            ..good
        },
        VoucherError::WrongEpoch,
    );
    refuse(Voucher { seq: 0, ..good }, VoucherError::DoesNotFollow);

    let forged = SignedVoucher {
        voucher: Voucher { amount: 11, ..good },
        ..signed(good)
    };
    assert_eq!(
        accept(&mut ledger, &forged),
        Err(VoucherError::BadSignature)
    );
    let elsewhere = sign_voucher(&key(GATEWAY), &[8; 32], good);
    assert_eq!(
        accept(&mut ledger, &elsewhere),
        Err(VoucherError::BadSignature)
    );
    for epoch in [2, 5, 6] {
        assert_eq!(
            accept(
                &mut ledger,
                &signed(Voucher {
                    epoch: Epoch(epoch),
                    ..good
                })
            ),
            Ok(true)
        );
    }
}

#[test]
fn supply_stops_at_the_window_and_goes_on_with_a_voucher() {
    let limits = ExposureLimits {
        window: 1_000,
        loss: Ppm(0),
        late: 3,
    };
    let (mut ledger, gateway) = (ledger(limits), device(GATEWAY));
    assert!(!ledger.may_supply(&gateway, 1_001));
    ledger.supplied(gateway, 1_000);
    assert!(!ledger.may_supply(&gateway, 1));
    assert!(
        ledger.may_supply(&device(OTHER_CACHE), 1_000),
        "others have their own account"
    );

    accept(&mut ledger, &signed(voucher(1, 1_000))).unwrap();
    assert_eq!(ledger.exposure(&gateway), 0);
    assert!(ledger.may_supply(&gateway, 1_000));
    // A voucher that repeats the usage is no answer to new supply.
    ledger.supplied(gateway, 1_000);
    let same = Voucher {
        seq: 2,
        usage: voucher(1, 1_000).usage,
        ..voucher(1, 1_000)
    };
    assert_eq!(accept(&mut ledger, &signed(same)), Ok(true));
    assert!(!ledger.may_supply(&gateway, 1));
}

#[test]
fn a_gateway_that_claims_too_little_is_stopped() {
    let limits = ExposureLimits {
        window: 1_000,
        loss: Ppm::percent(50),
        late: 3,
    };
    let (mut ledger, gateway) = (ledger(limits), device(GATEWAY));
    let mut seq = 0;
    let mut supplied = 0;
    while ledger.may_supply(&gateway, 100) && supplied < 1_000_000 {
        ledger.supplied(gateway, 100);
        supplied += 100;
        seq += 1;
        // A tenth of what it got.
        accept(&mut ledger, &signed(voucher(seq, supplied / 10))).unwrap();
    }
    assert!((2_000..3_000).contains(&supplied), "{supplied}");
}

#[test]
fn visitors_who_leave_early_do_not_stop_a_gateway() {
    let limits = ExposureLimits {
        window: 1_000,
        loss: Ppm::percent(50),
        late: 3,
    };
    let (mut ledger, gateway) = (ledger(limits), device(GATEWAY));
    for seq in 1..1_000 {
        assert!(ledger.may_supply(&gateway, 100));
        ledger.supplied(gateway, 100);
        accept(&mut ledger, &signed(voucher(seq, seq * 60))).unwrap();
    }
}

#[test]
fn a_restart_changes_nothing_a_cache_knows() {
    let limits = ExposureLimits {
        window: 1_000,
        loss: Ppm(0),
        late: 3,
    };
    let mut before = ledger(limits);
    before.supplied(device(GATEWAY), 900);
    accept(&mut before, &signed(voucher(1, 400))).unwrap();
    accept(&mut before, &signed(voucher(2, 500))).unwrap();

    let mut after = ledger(limits);
    after.restore_supply(device(GATEWAY), 900);
    for seq in [2, 1] {
        after.restore_voucher(signed(voucher(seq, 300 + seq * 100)));
    }
    assert_eq!(
        after
            .last_voucher(&device(GATEWAY), EPOCH)
            .unwrap()
            .voucher
            .seq,
        2
    );
    for bytes in [1, 600, 601, 1_000] {
        assert_eq!(
            before.may_supply(&device(GATEWAY), bytes),
            after.may_supply(&device(GATEWAY), bytes)
        );
    }
    after.forget_through(EPOCH);
    assert_eq!(after.last_voucher(&device(GATEWAY), EPOCH), None);
}

fn leaves(ledger: &Ledger) -> Vec<LeafBody> {
    let digest = ledger
        .last_voucher(&device(GATEWAY), EPOCH)
        .map(|signed| voucher_digest(&signed.voucher))
        .unwrap_or_default();
    (0..3)
        .map(|slice| LeafBody {
            gateway: device(GATEWAY),
            epoch: EPOCH,
            service: ServiceId(4),
            cache: device(CACHE),
            slice: Slice(slice),
            price_version: 1,
            paid: Usage([2, 30, 5, 0, 0, 0]),
            // 2 × 2.5 + 30 / 3, rounded down once.
            amount: 14,
            vouchers_root: digest,
            ..LeafBody::default()
        })
        .collect()
}

fn sign(ledger: &Ledger, leaves: &[LeafBody]) -> Vec<Result<(), LeafRefusal>> {
    let answers = ledger.sign_leaves(
        &key(CACHE),
        &GENESIS,
        EPOCH.next(),
        &device(GATEWAY),
        leaves,
        |version| (version == 1).then(prices),
    );
    answers
        .into_iter()
        .zip(leaves)
        .map(|(answer, body)| {
            answer.map(|cache_signature| {
                let leaf = Leaf {
                    body: *body,
                    cache_signature,
                };
                selvedge_edge_core_metering::verify_leaf(&GENESIS, &leaf).unwrap();
            })
        })
        .collect()
}

#[test]
fn right_leaves_are_signed() {
    let mut ledger = ledger(ExposureLimits::default());
    assert_eq!(sign(&ledger, &leaves(&ledger)), [Ok(()); 3]);
    let last = Voucher {
        usage: Usage([6, 90, 15, 0, 0, 0]),
        amount: 42,
        ..voucher(9, 0)
    };
    accept(&mut ledger, &signed(last)).unwrap();
    assert_eq!(sign(&ledger, &leaves(&ledger)), [Ok(()); 3]);
    assert_eq!(sign(&ledger, &[]), []);
}

#[test]
fn every_wrong_leaf_has_its_refusal() {
    let ledger = ledger(ExposureLimits::default());
    type Spoil = fn(&mut LeafBody);
    let spoilt: [(Spoil, LeafRefusal); 9] = [
        (
            |leaf| leaf.cache = device(OTHER_CACHE),
            LeafRefusal::OtherCache,
        ),
        (
            |leaf| leaf.gateway = device(OTHER_CACHE),
            LeafRefusal::OtherGateway,
        ),
        (|leaf| leaf.epoch = Epoch(4), LeafRefusal::WrongEpoch),
        (|leaf| leaf.slice = Slice(60), LeafRefusal::WrongSlice),
        (|leaf| leaf.slice = Slice(0), LeafRefusal::Twice),
        (|leaf| leaf.price_version = 2, LeafRefusal::UnknownPrices),
        (|leaf| leaf.amount += 1, LeafRefusal::WrongAmount),
        (|leaf| leaf.paid.0[1] -= 9, LeafRefusal::WrongAmount),
        (|leaf| leaf.vouchers_root[0] ^= 1, LeafRefusal::WrongVoucher),
    ];
    for (spoil, refusal) in spoilt {
        let mut leaves = leaves(&ledger);
        spoil(&mut leaves[1]);
        assert_eq!(sign(&ledger, &leaves), [Ok(()), Err(refusal), Ok(())]);
    }
    let mut old = leaves(&ledger);
    old.iter_mut().for_each(|leaf| leaf.epoch = Epoch(1));
    assert_eq!(sign(&ledger, &old), [Err(LeafRefusal::WrongEpoch); 3]);
}

#[test]
fn leaves_below_the_last_voucher_are_refused() {
    for last in [
        Voucher {
            usage: Usage([7, 90, 15, 0, 0, 0]),
            amount: 42,
            ..voucher(9, 0)
        },
        Voucher {
            usage: Usage([6, 90, 15, 0, 0, 0]),
            amount: 43,
            ..voucher(9, 0)
        },
    ] {
        let mut ledger = ledger(ExposureLimits::default());
        accept(&mut ledger, &signed(last)).unwrap();
        assert_eq!(
            sign(&ledger, &leaves(&ledger)),
            [Err(LeafRefusal::BelowVoucher); 3]
        );
    }
}

proptest! {
    #[test]
    fn vouchers_of_growing_totals_are_all_taken(
        steps in proptest::collection::vec((0u64..5, 0u64..100, 0u128..50), 1..60),
        restart in any::<prop::sample::Index>(),
    ) {
        let (mut issuer, mut ledger) = (issuer(), ledger(ExposureLimits::default()));
        let (mut now, mut sent) = (Totals::default(), Vec::new());
        let restart = restart.index(steps.len());
        for (at, (requests, bytes, amount)) in steps.into_iter().enumerate() {
            now.usage = now.usage.checked_add(&totals(requests, bytes, 0).usage).unwrap();
            now.amount += amount;
            if at == restart {
                issuer = Issuer::resume(device(GATEWAY), sent.iter().copied(), false);
            }
            if let Some(voucher) = issuer.next(EPOCH, device(CACHE), &now) {
                sent.push(voucher);
                prop_assert_eq!(accept(&mut ledger, &signed(voucher)), Ok(true));
            }
        }
        let last = ledger.last_voucher(&device(GATEWAY), EPOCH).map(|signed| signed.voucher);
        if let Some(last) = last {
            prop_assert_eq!((last.usage, last.amount), (now.usage, now.amount));
        }
        prop_assert!(sent.windows(2).all(|pair| pair[1].follows(&pair[0])));
    }
}
