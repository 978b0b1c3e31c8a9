//! A gateway, two caches, a price list, and rows of use.

use selvedge_edge_core_metering::{CountKey, Counts, Pricing, Row, SigningKey};
use selvedge_primitives_types::{
    Account, DeviceId, Epoch, GenesisHash, Prices, Quality, ServiceId, Slice, Usage,
};

pub(crate) const GENESIS: GenesisHash = [9; 32];
pub(crate) const EPOCH: Epoch = Epoch(5);

pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

pub(crate) fn device(seed: u8) -> DeviceId {
    DeviceId(key(seed).verifying_key().to_bytes())
}

/// Seeds of the keys.
pub(crate) const GATEWAY: u8 = 1;
pub(crate) const CACHE: u8 = 2;
pub(crate) const OTHER_CACHE: u8 = 3;

/// A request costs 2.5 planck, a byte a third of one, an origin byte nothing.
pub(crate) fn prices() -> Prices {
    Prices([5 << 31, (1 << 32) / 3, 0, 0, 0, 0])
}

pub(crate) fn pricing(customer: u8) -> Pricing {
    Pricing {
        customer: Account([customer; 32]),
        price_version: 1,
        prices: prices(),
    }
}

pub(crate) fn row(customer: u8, service: u64, peer: DeviceId, slice: u16, bytes: u64) -> Row {
    Row {
        key: CountKey {
            service: ServiceId(service),
            peer,
            slice: Slice(slice),
        },
        pricing: pricing(customer),
        counts: Counts {
            paid: Usage([1, bytes, 0, 0, 0, 0]),
            free: Usage::ZERO,
            quality: Quality {
                answered: 1,
                failed: 0,
                ttfb_micros: 900,
            },
        },
    }
}
