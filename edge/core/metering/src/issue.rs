//! The gateway's side of vouchers.

use crate::count::Totals;
use selvedge_primitives_types::{DeviceId, Epoch, Usage, Voucher};
use std::collections::{BTreeMap, BTreeSet};

/// Makes the vouchers of one gateway, from totals that only grow.
#[derive(Clone, Debug)]
pub struct Issuer {
    gateway: DeviceId,
    last: BTreeMap<(Epoch, DeviceId), Voucher>,
    /// Passed over by the first voucher of every channel after a loss.
    skip: u64,
    /// Channels that have passed over.
    resumed: BTreeSet<(Epoch, DeviceId)>,
}

impl Issuer {
    /// Numbers passed over after a loss; more than a gateway can issue in an epoch.
    pub const SKIP: u64 = 1 << 32;

    /// Continues after the vouchers that were kept. Pass `lost` when some of the latest may be
    /// missing: then numbers are passed over, because one used twice would be worth nothing.
    pub fn resume(gateway: DeviceId, kept: impl IntoIterator<Item = Voucher>, lost: bool) -> Self {
        let skip = if lost { Self::SKIP } else { 0 };
        let (last, resumed) = (BTreeMap::new(), BTreeSet::new());
        let mut issuer = Self {
            gateway,
            last,
            skip,
            resumed,
        };
        for voucher in kept {
            let last = issuer
                .last
                .entry((voucher.epoch, voucher.cache))
                .or_insert(voucher);
            if voucher.seq > last.seq {
                *last = voucher;
            }
        }
        issuer
    }

    /// The next voucher for a cache, to be kept before it is sent; `None` while there is nothing
    /// new, and for no cache.
    ///
    /// Totals below the last voucher, after a loss of power, take nothing back.
    pub fn next(&mut self, epoch: Epoch, cache: DeviceId, totals: &Totals) -> Option<Voucher> {
        if cache.is_none() {
            return None;
        }
        let channel = (epoch, cache);
        let first = Voucher {
            epoch,
            gateway: self.gateway,
            cache,
            ..Voucher::default()
        };
        let last = self.last.get(&channel).unwrap_or(&first);
        if totals.usage.is_within(&last.usage) && totals.amount <= last.amount {
            return None;
        }
        let mut usage = Usage::ZERO;
        for (class, units) in usage.0.iter_mut().enumerate() {
            *units = totals.usage.0[class].max(last.usage.0[class]);
        }
        let skip = if self.resumed.contains(&channel) {
            0
        } else {
            self.skip
        };
        let voucher = Voucher {
            seq: last.seq.checked_add(skip)?.checked_add(1)?,
            usage,
            amount: totals.amount.max(last.amount),
            ..first
        };
        self.resumed.insert(channel);
        self.last.insert(channel, voucher);
        Some(voucher)
    }

    /// The last voucher of a channel.
    pub fn last(&self, epoch: Epoch, cache: &DeviceId) -> Option<&Voucher> {
        self.last.get(&(epoch, *cache))
    }

    /// Drops the channels of `epoch` and before.
    pub fn forget_through(&mut self, epoch: Epoch) {
        self.last.retain(|(of, _), _| *of > epoch);
        self.resumed.retain(|(of, _)| *of > epoch);
    }
}
