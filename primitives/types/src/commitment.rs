//! What a gateway commits at the end of an epoch: the roots of its two usage trees and their totals.
//!
//! Both trees hold the same leaves. One has an entry per (customer, service), the other an entry per cache; entries are
//! strictly sorted by [`EntryKey`], the leaves of an entry by [`LeafKey`]. Keys are plain bytes whose order is the order
//! of their parts, so that a verifier compares them without decoding.

use crate::{Account, DeviceId, Epoch, Hash, ServiceId, Slice, Sum};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Position of an entry in a usage tree.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Debug,
)]
pub struct EntryKey(pub [u8; 40]);

/// Position of a leaf inside an entry.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Debug,
)]
pub struct LeafKey(pub [u8; 42]);

/// Entry of the tree by customer: `customer ‖ service (big endian)`.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
)]
pub struct CustomerEntryKey {
    /// Who pays.
    pub customer: Account,
    /// For which service.
    pub service: ServiceId,
}

/// Entry of the tree by cache: `device ‖ eight zeros`; all zeros for what no cache may hold.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
)]
pub struct CacheEntryKey(pub DeviceId);

impl From<CustomerEntryKey> for EntryKey {
    fn from(key: CustomerEntryKey) -> Self {
        let mut bytes = [0; 40];
        bytes[..32].copy_from_slice(&key.customer.0);
        bytes[32..].copy_from_slice(&key.service.0.to_be_bytes());
        Self(bytes)
    }
}

impl From<CacheEntryKey> for EntryKey {
    fn from(key: CacheEntryKey) -> Self {
        let mut bytes = [0; 40];
        bytes[..32].copy_from_slice(&key.0 .0);
        Self(bytes)
    }
}

impl EntryKey {
    /// Reads the key as one of the tree by customer; every key is one.
    pub fn as_customer(&self) -> CustomerEntryKey {
        let (customer, service) = (take(&self.0[..32]), take(&self.0[32..]));
        CustomerEntryKey {
            customer: Account(customer),
            service: ServiceId(u64::from_be_bytes(service)),
        }
    }

    /// Reads the key as one of the tree by cache; `None` unless its padding is zero.
    pub fn as_cache(&self) -> Option<CacheEntryKey> {
        (self.0[32..] == [0; 8]).then(|| CacheEntryKey(DeviceId(take(&self.0[..32]))))
    }
}

impl LeafKey {
    /// Key inside an entry by customer: `cache ‖ slice ‖ eight zeros`.
    pub fn in_customer_entry(cache: DeviceId, slice: Slice) -> Self {
        let mut bytes = [0; 42];
        bytes[..32].copy_from_slice(&cache.0);
        bytes[32..34].copy_from_slice(&slice.0.to_be_bytes());
        Self(bytes)
    }

    /// Key inside an entry by cache: `customer ‖ service ‖ slice`.
    pub fn in_cache_entry(customer: Account, service: ServiceId, slice: Slice) -> Self {
        let mut bytes = [0; 42];
        bytes[..32].copy_from_slice(&customer.0);
        bytes[32..40].copy_from_slice(&service.0.to_be_bytes());
        bytes[40..].copy_from_slice(&slice.0.to_be_bytes());
        Self(bytes)
    }
}

fn take<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(bytes);
    out
}

/// An entry of a usage tree: what its leaves add up to, and their root.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Entry {
    /// Its position.
    pub key: EntryKey,
    /// What its leaves add up to; `sum.leaves` is also the shape of the tree below.
    pub sum: Sum,
    /// Root of the Merkle-sum tree of its leaves.
    pub leaves_root: Hash,
}

/// Root of one usage tree with everything a verifier needs to know of it.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct TreeCommitment {
    /// Hash over the number of entries and the root node.
    pub root: Hash,
    /// Entries in the tree, at least one; it fixes the tree's shape.
    pub entries: u32,
    /// Lowest key.
    pub min: EntryKey,
    /// Highest key.
    pub max: EntryKey,
    /// Totals.
    pub sum: Sum,
}

/// What a gateway commits for one epoch. It never changes.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct UsageCommitment {
    /// The gateway.
    pub gateway: DeviceId,
    /// The epoch served in.
    pub epoch: Epoch,
    /// The tree with an entry per (customer, service).
    pub customers: TreeCommitment,
    /// The tree with an entry per cache.
    pub caches: TreeCommitment,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_order_as_their_parts_do() {
        let key = |customer: u8, service| -> EntryKey {
            CustomerEntryKey {
                customer: Account([customer; 32]),
                service: ServiceId(service),
            }
            .into()
        };
        assert!(key(1, 256) > key(1, 255));
        assert!(key(2, 0) > key(1, u64::MAX));
        assert_eq!(key(3, 9).as_customer().service, ServiceId(9));
        assert!(key(3, 9).as_cache().is_none());
        let cache = CacheEntryKey(DeviceId([5; 32]));
        assert_eq!(EntryKey::from(cache).as_cache(), Some(cache));
    }
}
