//! The leaf: one gateway's use by one service through one cache in one slice.

use crate::{
    commitment::{CacheEntryKey, CustomerEntryKey, EntryKey, LeafKey},
    Account, DeviceId, Epoch, Planck, ServiceId, Signature64, Slice, Sum, Usage,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// How well the requests of a leaf were answered, as the gateway counted it.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Default,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Quality {
    /// Requests answered as asked.
    pub answered: u64,
    /// Requests that failed for a reason of the network's own.
    pub failed: u64,
    /// Sum of the times to first byte of the answered requests, in microseconds.
    pub ttfb_micros: u64,
}

/// What a leaf says; the part the cache signs.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Default,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct LeafBody {
    /// The gateway that served.
    pub gateway: DeviceId,
    /// The epoch it served in.
    pub epoch: Epoch,
    /// Who pays.
    pub customer: Account,
    /// For which service.
    pub service: ServiceId,
    /// The cache that supplied or leased the bytes; [`DeviceId::is_none`] for what no cache may hold.
    pub cache: DeviceId,
    /// When in the epoch.
    pub slice: Slice,
    /// The price list in force for the service in this epoch.
    pub price_version: u32,
    /// Usage that is charged.
    pub paid: Usage,
    /// Usage out of the free buffer.
    pub free: Usage,
    /// The charge for `paid` in planck, rounded down once.
    pub amount: Planck,
    /// How well it went.
    pub quality: Quality,
    /// Digest (keccak-256) of the last voucher the cache held when it signed; zero without a cache.
    pub vouchers_root: [u8; 32],
}

/// A leaf of both usage trees.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Default,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Leaf {
    /// What it says.
    pub body: LeafBody,
    /// The cache's ed25519 signature over the body ([`crate::Domain::Leaf`]); zeros without a cache.
    pub cache_signature: Signature64,
}

impl Leaf {
    /// What the leaf adds to the nodes above it.
    pub fn sum(&self) -> Sum {
        Sum {
            leaves: 1,
            paid: self.body.paid,
            free: self.body.free,
            amount: self.body.amount,
        }
    }

    /// Where the leaf stands in the tree by customer and service.
    pub fn customer_position(&self) -> (EntryKey, LeafKey) {
        let key = CustomerEntryKey {
            customer: self.body.customer,
            service: self.body.service,
        };
        (
            key.into(),
            LeafKey::in_customer_entry(self.body.cache, self.body.slice),
        )
    }

    /// Where the leaf stands in the tree by cache.
    pub fn cache_position(&self) -> (EntryKey, LeafKey) {
        let body = &self.body;
        (
            CacheEntryKey(body.cache).into(),
            LeafKey::in_cache_entry(body.customer, body.service, body.slice),
        )
    }
}
