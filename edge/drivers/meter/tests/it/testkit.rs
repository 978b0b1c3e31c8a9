//! A gateway's and a cache's meter in a folder.

use selvedge_edge_drivers_meter::{
    rules::{EpochClock, ExposureLimits, Pricing, SigningKey, Terms},
    CacheMeter, GatewayMeter, MeterError,
};
use selvedge_primitives_types::{
    Account, DeviceId, Epoch, Millis, Planck, PriceList, Prices, ServiceId, Usage,
};
use std::{path::Path, sync::Arc};

pub(crate) const SERVICE: ServiceId = ServiceId(3);
pub(crate) const OTHER_SERVICE: ServiceId = ServiceId(4);
pub(crate) const CUSTOMER: Account = Account([0xcc; 32]);

pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

pub(crate) fn device(seed: u8) -> DeviceId {
    DeviceId(key(seed).verifying_key().to_bytes())
}

/// Seeds of the keys.
pub(crate) const GATEWAY: u8 = 1;
pub(crate) const CACHE: u8 = 2;

/// A planck for a request, half of one for a byte.
pub(crate) fn prices() -> PriceList {
    PriceList {
        version: 1,
        prices: Prices([1 << 32, 1 << 31, 0, 0, 0, 0]),
    }
}

pub(crate) fn clock(epoch: u64) -> EpochClock {
    EpochClock {
        genesis: [9; 32],
        epoch: Epoch(epoch),
        start: Millis(epoch * 60_000),
        length: Millis(60_000),
    }
}

/// A moment in the first slice of an epoch.
pub(crate) fn now(epoch: u64) -> Millis {
    Millis(epoch * 60_000)
}

pub(crate) fn terms(lease: Planck) -> Terms {
    let pricing = Pricing {
        customer: CUSTOMER,
        price_version: 1,
        prices: prices().prices,
    };
    Terms {
        pricing,
        lease,
        free: Usage::ZERO,
    }
}

pub(crate) fn gateway(path: &Path) -> Arc<GatewayMeter> {
    Arc::new(GatewayMeter::open(path, key(GATEWAY)).unwrap())
}

/// A gateway's meter that counts in an epoch with plenty of lease.
pub(crate) fn gateway_in(path: &Path, epoch: u64) -> Arc<GatewayMeter> {
    let meter = gateway(path);
    set(&meter, epoch, u128::MAX >> 64).unwrap();
    meter
}

pub(crate) fn set(meter: &GatewayMeter, epoch: u64, lease: Planck) -> Result<(), MeterError> {
    meter.set_epoch(
        clock(epoch),
        [(SERVICE, terms(lease)), (OTHER_SERVICE, terms(lease))],
    )
}

pub(crate) fn cache_in(path: &Path, epoch: u64) -> CacheMeter {
    let limits = ExposureLimits {
        window: 1_000_000,
        ..ExposureLimits::default()
    };
    let meter = CacheMeter::open(path, key(CACHE), limits).unwrap();
    meter.set_epoch(clock(epoch), [prices()]).unwrap();
    meter
}

pub(crate) fn used(requests: u64, bytes: u64) -> Usage {
    Usage([requests, bytes, 0, 0, 0, 0])
}

/// Serves one response of this many bytes through the cache.
pub(crate) fn serve(meter: &Arc<GatewayMeter>, service: ServiceId, bytes: u64, at: Millis) {
    let mut tally = meter.begin(service, &used(1, bytes)).unwrap();
    tally.attribute(device(CACHE));
    tally.count(&used(1, bytes), at).unwrap();
}

/// Closes an epoch without asking any cache and returns its paid requests and bytes.
pub(crate) fn close(meter: &GatewayMeter, epoch: u64) -> [u64; 2] {
    let closing = meter.closing(Epoch(epoch)).unwrap().expect("there was use");
    let closed = meter.close(closing).unwrap();
    let paid = closed.commitment().customers.sum.paid.0;
    [paid[0], paid[1]]
}
