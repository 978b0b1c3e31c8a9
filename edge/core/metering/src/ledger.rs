//! The cache's side: whom it supplies on credit, which vouchers it takes, which leaves it signs.

use crate::sign::{sign_leaf, verify_voucher, voucher_digest};
use ed25519_dalek::SigningKey;
use selvedge_primitives_math::{price::charge, ratio};
use selvedge_primitives_types::{
    DeviceId, Epoch, GenesisHash, LeafBody, Planck, Ppm, Prices, Signature64, SignedVoucher, Usage,
    UsageClass,
};
use std::collections::{BTreeMap, BTreeSet};

/// How far a cache trusts a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExposureLimits {
    /// Bytes supplied since the last voucher that grew; rate × (interval + round trip).
    pub window: u64,
    /// The part of what was supplied that may never be claimed, because visitors left early.
    pub loss: Ppm,
    /// Epochs before the current one that vouchers and leaves may still be of.
    pub late: u64,
}

impl Default for ExposureLimits {
    fn default() -> Self {
        Self {
            window: 256 << 20,
            loss: Ppm::percent(50),
            late: 3,
        }
    }
}

/// Why a voucher is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VoucherError {
    /// It names another cache.
    #[error("the voucher is for another cache")]
    OtherCache,
    /// It names another gateway than the one that sent it.
    #[error("the voucher is of another gateway")]
    OtherGateway,
    /// Its epoch is too long ago or has not begun.
    #[error("the voucher is of an epoch that is not open")]
    WrongEpoch,
    /// It takes something back or repeats a number.
    #[error("the voucher does not follow the last one")]
    DoesNotFollow,
    /// The signature is not the gateway's.
    #[error("the voucher's signature is not the gateway's")]
    BadSignature,
}

/// Why a leaf is not signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LeafRefusal {
    /// It names another cache.
    #[error("the leaf names another cache")]
    OtherCache,
    /// It names another gateway than the one that sent it.
    #[error("the leaf names another gateway")]
    OtherGateway,
    /// Its epoch is not the others', too long ago or not begun.
    #[error("the leaf is of an epoch that is not open")]
    WrongEpoch,
    /// Its slice lies outside the epoch.
    #[error("the slice lies outside the epoch")]
    WrongSlice,
    /// Two leaves have the same position.
    #[error("another leaf has the same position")]
    Twice,
    /// The price list is not known here.
    #[error("the price list is not known")]
    UnknownPrices,
    /// The charge is not what the price list says.
    #[error("the charge is not what the price list says")]
    WrongAmount,
    /// It does not name the last voucher.
    #[error("the leaf does not name the last voucher")]
    WrongVoucher,
    /// All leaves together are less than the last voucher.
    #[error("the leaves are less than the last voucher")]
    BelowVoucher,
}

#[derive(Clone, Debug, Default)]
struct Channel {
    supplied: u64,
    since_voucher: u64,
    vouchers: BTreeMap<Epoch, SignedVoucher>,
}

impl Channel {
    fn claimed(&self) -> u64 {
        self.vouchers
            .values()
            .map(|signed| signed.voucher.usage.of(UsageClass::EgressBytes))
            .fold(0, u64::saturating_add)
    }
}

/// The accounts of a cache with its gateways.
///
/// A gateway may claim more than the cache supplied, because hits in its memory are credited to the
/// cache too, and somewhat less, because visitors leave early. So a cache does not compare single
/// requests; it bounds what it supplies unsigned, and signs leaves that keep what vouchers
/// promised.
#[derive(Clone, Debug)]
pub struct Ledger {
    cache: DeviceId,
    limits: ExposureLimits,
    channels: BTreeMap<DeviceId, Channel>,
}

impl Ledger {
    /// An empty ledger.
    pub fn new(cache: DeviceId, limits: ExposureLimits) -> Self {
        Self {
            cache,
            limits,
            channels: BTreeMap::new(),
        }
    }

    /// Takes back a voucher that was accepted and kept before a restart.
    pub fn restore_voucher(&mut self, kept: SignedVoucher) {
        let channel = self.channels.entry(kept.voucher.gateway).or_default();
        let last = channel.vouchers.entry(kept.voucher.epoch).or_insert(kept);
        if kept.voucher.seq > last.voucher.seq {
            *last = kept;
        }
    }

    /// Takes back what was counted before a restart.
    pub fn restore_supply(&mut self, gateway: DeviceId, bytes: u64) {
        let channel = self.channels.entry(gateway).or_default();
        channel.supplied = channel.supplied.saturating_add(bytes);
    }

    /// Whether `bytes` more may be supplied before the gateway signs for what it has.
    pub fn may_supply(&self, gateway: &DeviceId, bytes: u64) -> bool {
        let Some(channel) = self.channels.get(gateway) else {
            return bytes <= self.limits.window;
        };
        let supplied = channel.supplied.saturating_add(bytes);
        let lost = ratio::apply(self.limits.loss, supplied.into()).min(u64::MAX.into()) as u64;
        let allowed = channel
            .claimed()
            .saturating_add(self.limits.window)
            .saturating_add(lost);
        channel.since_voucher.saturating_add(bytes) <= self.limits.window && supplied <= allowed
    }

    /// Bytes supplied since the last voucher that grew.
    pub fn exposure(&self, gateway: &DeviceId) -> u64 {
        self.channels
            .get(gateway)
            .map_or(0, |channel| channel.since_voucher)
    }

    /// Counts bytes that were supplied.
    pub fn supplied(&mut self, gateway: DeviceId, bytes: u64) {
        let channel = self.channels.entry(gateway).or_default();
        channel.supplied = channel.supplied.saturating_add(bytes);
        channel.since_voucher = channel.since_voucher.saturating_add(bytes);
    }

    /// Checks a voucher that `peer` sent in the epoch `current`; true when it is new: keep it, then
    /// [`take`](Self::take_voucher) it. False when it is the last one again.
    pub fn check_voucher(
        &self,
        genesis: &GenesisHash,
        current: Epoch,
        peer: &DeviceId,
        signed: &SignedVoucher,
    ) -> Result<bool, VoucherError> {
        let voucher = &signed.voucher;
        if voucher.cache != self.cache {
            return Err(VoucherError::OtherCache);
        }
        if voucher.gateway != *peer {
            return Err(VoucherError::OtherGateway);
        }
        if !self.is_open(current, voucher.epoch) {
            return Err(VoucherError::WrongEpoch);
        }
        let last = self.last_voucher(peer, voucher.epoch);
        if last == Some(signed) {
            return Ok(false);
        }
        let follows = last.map_or(voucher.seq > 0, |last| voucher.follows(&last.voucher));
        if !follows {
            return Err(VoucherError::DoesNotFollow);
        }
        verify_voucher(genesis, signed).map_err(|_| VoucherError::BadSignature)?;
        Ok(true)
    }

    /// Takes a voucher that was checked and kept.
    pub fn take_voucher(&mut self, signed: &SignedVoucher) {
        let voucher = &signed.voucher;
        let channel = self.channels.entry(voucher.gateway).or_default();
        let before = channel.vouchers.insert(voucher.epoch, *signed);
        if before.is_none_or(|before| before.voucher.usage != voucher.usage) {
            channel.since_voucher = 0;
        }
    }

    /// The last voucher of a gateway in an epoch.
    pub fn last_voucher(&self, gateway: &DeviceId, epoch: Epoch) -> Option<&SignedVoucher> {
        self.channels.get(gateway)?.vouchers.get(&epoch)
    }

    /// The last voucher of every channel and epoch.
    pub fn vouchers(&self) -> impl Iterator<Item = &SignedVoucher> {
        self.channels
            .values()
            .flat_map(|channel| channel.vouchers.values())
    }

    /// Checks the leaves that `peer` closes an epoch with, all of this cache's, and signs those
    /// that are right; `key` is the cache's, `prices` knows the published lists.
    pub fn sign_leaves(
        &self,
        key: &SigningKey,
        genesis: &GenesisHash,
        current: Epoch,
        peer: &DeviceId,
        leaves: &[LeafBody],
        prices: impl Fn(u32) -> Option<Prices>,
    ) -> Vec<Result<Signature64, LeafRefusal>> {
        let Some(first) = leaves.first() else {
            return Vec::new();
        };
        let voucher = self
            .last_voucher(peer, first.epoch)
            .map(|signed| &signed.voucher);
        let digest = voucher.map(voucher_digest).unwrap_or_default();
        let keeps = voucher.is_none_or(|voucher| {
            sum(leaves).is_some_and(|(usage, amount)| {
                voucher.usage.is_within(&usage) && voucher.amount <= amount
            })
        });
        let mut positions = BTreeSet::new();
        let mut check = |leaf: &LeafBody| {
            if leaf.cache != self.cache {
                return Err(LeafRefusal::OtherCache);
            }
            if leaf.gateway != *peer {
                return Err(LeafRefusal::OtherGateway);
            }
            if leaf.epoch != first.epoch || !self.is_open(current, leaf.epoch) {
                return Err(LeafRefusal::WrongEpoch);
            }
            if !leaf.slice.is_valid() {
                return Err(LeafRefusal::WrongSlice);
            }
            if !positions.insert((leaf.customer, leaf.service, leaf.slice)) {
                return Err(LeafRefusal::Twice);
            }
            let prices = prices(leaf.price_version).ok_or(LeafRefusal::UnknownPrices)?;
            if charge(&leaf.paid, &prices) != Ok(leaf.amount) {
                return Err(LeafRefusal::WrongAmount);
            }
            if leaf.vouchers_root != digest {
                return Err(LeafRefusal::WrongVoucher);
            }
            if !keeps {
                return Err(LeafRefusal::BelowVoucher);
            }
            Ok(())
        };
        leaves
            .iter()
            .map(|leaf| check(leaf).map(|()| sign_leaf(key, genesis, leaf)))
            .collect()
    }

    /// Drops the vouchers of `epoch` and before, and the supply they answer for.
    pub fn forget_through(&mut self, epoch: Epoch) {
        for channel in self.channels.values_mut() {
            let before = channel.claimed();
            channel.vouchers.retain(|of, _| *of > epoch);
            let gone = before.saturating_sub(channel.claimed());
            channel.supplied = channel.supplied.saturating_sub(gone);
        }
    }

    fn is_open(&self, current: Epoch, epoch: Epoch) -> bool {
        // The gateway may have seen the next epoch begin before this cache did.
        epoch <= current.next() && current.since(epoch) <= self.limits.late
    }
}

fn sum(leaves: &[LeafBody]) -> Option<(Usage, Planck)> {
    leaves
        .iter()
        .try_fold((Usage::ZERO, 0u128), |(usage, amount), leaf| {
            let own = leaf.paid.checked_add(&leaf.free)?;
            Some((usage.checked_add(&own)?, amount.checked_add(leaf.amount)?))
        })
}
