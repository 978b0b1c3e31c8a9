use crate::testkit::{
    cache_in, clock, device, gateway_in, key, now, prices, serve, used, CACHE, GATEWAY, SERVICE,
};
use selvedge_edge_drivers_meter::{
    rules::{ExposureLimits, VoucherError},
    CacheMeter, MeterError,
};
use selvedge_primitives_types::{Epoch, LeafBody, SignedVoucher};

#[test]
fn nothing_is_supplied_or_taken_before_the_chain_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let cache = CacheMeter::open(dir.path(), key(CACHE), ExposureLimits::default()).unwrap();
    let us = device(GATEWAY);
    let supplied = cache.supplied(us, SERVICE, &used(1, 1), now(1));
    assert!(matches!(supplied, Err(MeterError::NoEpoch)));
    let taken = cache.accept(&us, &SignedVoucher::default());
    assert!(matches!(taken, Err(MeterError::NoEpoch)));
    assert_eq!(cache.sign_leaves(&us, &[LeafBody::default()]), [None]);
}

#[test]
fn supply_and_vouchers_outlast_a_restart() {
    let (dir, gateway_dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let us = device(GATEWAY);
    let gateway = gateway_in(gateway_dir.path(), 1);
    let cache = cache_in(dir.path(), 1);
    cache
        .supplied(us, SERVICE, &used(1, 600_000), now(1))
        .unwrap();
    serve(&gateway, SERVICE, 1_000, now(1));
    let voucher = gateway.tick().unwrap()[0];
    cache.accept(&us, &voucher).unwrap();
    cache
        .supplied(us, SERVICE, &used(2, 600_000), now(1))
        .unwrap();
    assert_eq!(cache.exposure(&us), 600_000);
    drop(cache);

    let cache = cache_in(dir.path(), 1);
    assert_eq!(cache.last_voucher(&us, Epoch(1)), Some(voucher));
    assert_eq!(cache.supply(Epoch(1))[&(us, SERVICE)], used(3, 1_200_000));
    // 1.2 MB supplied, a kilobyte claimed: half may be lost, and a window on top.
    assert!(cache.may_supply(&us, 800_000));
    assert!(!cache.may_supply(&us, 810_000));
    assert!(matches!(
        cache.accept(
            &us,
            &SignedVoucher {
                voucher: Default::default(),
                ..voucher
            }
        ),
        Err(MeterError::Voucher(VoucherError::OtherCache))
    ));
    cache.accept(&us, &voucher).unwrap();
}

#[test]
fn old_epochs_are_forgotten_and_the_current_one_is_not() {
    let (dir, gateway_dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let us = device(GATEWAY);
    let gateway = gateway_in(gateway_dir.path(), 1);
    let cache = cache_in(dir.path(), 1);
    serve(&gateway, SERVICE, 1_000, now(1));
    cache.accept(&us, &gateway.tick().unwrap()[0]).unwrap();
    for epoch in 1..=4 {
        cache.set_epoch(clock(epoch), [prices()]).unwrap();
        cache
            .supplied(us, SERVICE, &used(1, epoch), now(epoch))
            .unwrap();
    }
    assert!(matches!(
        cache.set_epoch(clock(2), [prices()]),
        Err(MeterError::EpochOver(Epoch(2)))
    ));
    cache.forget_through(Epoch(9)).unwrap();
    assert_eq!(cache.last_voucher(&us, Epoch(1)), None);
    assert!(cache.supply(Epoch(3)).is_empty());
    assert_eq!(cache.supply(Epoch(4))[&(us, SERVICE)], used(1, 4));
    drop(cache);
    let cache = cache_in(dir.path(), 4);
    assert_eq!(cache.supply(Epoch(4))[&(us, SERVICE)], used(1, 4));
}
