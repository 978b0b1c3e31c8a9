//! The cache's meter: what it supplied, whose vouchers it holds.

use crate::{counts::EpochCounts, folder::Folder, journal::Journal, MeterError};
use parking_lot::{Mutex, RwLock};
use selvedge_edge_core_metering::{
    merge, CountKey, Counts, EpochClock, ExposureLimits, Ledger, Pricing, SigningKey,
};
use selvedge_primitives_types::{
    DeviceId, Epoch, LeafBody, Millis, PriceList, Prices, ServiceId, Signature64, SignedVoucher,
    Usage, UsageClass,
};
use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::Arc,
};

/// Meters what a cache supplies.
pub struct CacheMeter {
    folder: Arc<Folder>,
    key: SigningKey,
    state: RwLock<State>,
    accounts: Mutex<Accounts>,
}

#[derive(Default)]
struct State {
    clock: Option<EpochClock>,
    prices: HashMap<u32, Prices>,
    /// Counters of the current epoch and of those that are kept.
    counts: BTreeMap<Epoch, Arc<EpochCounts>>,
}

struct Accounts {
    ledger: Ledger,
    journal: Journal,
}

impl CacheMeter {
    /// Opens the folder of a cache, made if it is missing, and recovers what was counted and
    /// signed.
    ///
    /// Errors when another process has it open, when it is of another device, when a file is
    /// damaged, and when the disk fails.
    pub fn open(path: &Path, key: SigningKey, limits: ExposureLimits) -> Result<Self, MeterError> {
        let device = DeviceId(key.verifying_key().to_bytes());
        let folder = Arc::new(Folder::open(path, device)?);
        let mut ledger = Ledger::new(device, limits);
        let mut counts = BTreeMap::new();
        for (epoch, segments) in folder.list()?.counts {
            let of_epoch = EpochCounts::open(folder.clone(), epoch, &segments)?;
            for row in of_epoch.rows() {
                ledger.restore_supply(row.key.peer, row.counts.paid.of(UsageClass::EgressBytes));
            }
            counts.insert(epoch, Arc::new(of_epoch));
        }
        let (journal, recovered) = Journal::open(folder.clone())?;
        for voucher in recovered.vouchers {
            ledger.restore_voucher(voucher);
        }
        Ok(Self {
            folder,
            key,
            state: RwLock::new(State {
                counts,
                ..State::default()
            }),
            accounts: Mutex::new(Accounts { ledger, journal }),
        })
    }

    /// The cache.
    pub fn device(&self) -> DeviceId {
        self.folder.device()
    }

    /// The epoch that is counted in.
    pub fn clock(&self) -> Option<EpochClock> {
        self.state.read().clock
    }

    /// Counts in this epoch from now on; `prices` are the published lists that leaves may name.
    ///
    /// Errors, without effect: [`MeterError::EpochOver`], [`MeterError::Foreign`] for another
    /// chain, and when the disk fails.
    pub fn set_epoch(
        &self,
        clock: EpochClock,
        prices: impl IntoIterator<Item = PriceList>,
    ) -> Result<(), MeterError> {
        self.folder.bind(&clock.genesis)?;
        let counts = self.state.read().counts.get(&clock.epoch).cloned();
        let counts = match counts {
            Some(counts) => counts,
            None => Arc::new(EpochCounts::open(self.folder.clone(), clock.epoch, &[])?),
        };
        counts.prepare()?;
        let mut state = self.state.write();
        if state.clock.is_some_and(|now| now.epoch > clock.epoch) {
            return Err(MeterError::EpochOver(clock.epoch));
        }
        state.clock = Some(clock);
        state.prices = prices
            .into_iter()
            .map(|list| (list.version, list.prices))
            .collect();
        state.counts.insert(clock.epoch, counts);
        Ok(())
    }

    /// Whether `bytes` more may be supplied to a gateway before it signs for what it has.
    pub fn may_supply(&self, gateway: &DeviceId, bytes: u64) -> bool {
        self.accounts.lock().ledger.may_supply(gateway, bytes)
    }

    /// Bytes supplied to a gateway since its last voucher that grew.
    pub fn exposure(&self, gateway: &DeviceId) -> u64 {
        self.accounts.lock().ledger.exposure(gateway)
    }

    /// Counts what was supplied to a gateway for a service. Errors when there is no epoch yet or
    /// counters cannot be kept; then the reply must end.
    pub fn supplied(
        &self,
        gateway: DeviceId,
        service: ServiceId,
        usage: &Usage,
        now: Millis,
    ) -> Result<(), MeterError> {
        {
            let state = self.state.read();
            let clock = state.clock.as_ref().ok_or(MeterError::NoEpoch)?;
            let counts = state.counts.get(&clock.epoch).ok_or(MeterError::NoEpoch)?;
            let key = CountKey {
                service,
                peer: gateway,
                slice: clock.slice(now),
            };
            let used = Counts {
                paid: *usage,
                ..Counts::default()
            };
            counts.add(counts.place(&key, &Pricing::default())?, &used);
        }
        self.accounts
            .lock()
            .ledger
            .supplied(gateway, usage.of(UsageClass::EgressBytes));
        Ok(())
    }

    /// What was supplied in an epoch, by gateway and service; for people and tests.
    pub fn supply(&self, epoch: Epoch) -> BTreeMap<(DeviceId, ServiceId), Usage> {
        let counts = self.state.read().counts.get(&epoch).cloned();
        let rows = counts.map(|counts| counts.rows()).unwrap_or_default();
        let mut supply: BTreeMap<_, Usage> = BTreeMap::new();
        for row in merge(rows).unwrap_or_default() {
            let sum = supply.entry((row.key.peer, row.key.service)).or_default();
            *sum = sum.checked_add(&row.counts.paid).unwrap_or(*sum);
        }
        supply
    }

    /// Takes a voucher that `peer` sent. It lasts from the next [`Self::tick`] on; `kill -9` does
    /// not lose it. Errors: [`MeterError::Voucher`], [`MeterError::NoEpoch`], or the disk fails.
    pub fn accept(&self, peer: &DeviceId, signed: &SignedVoucher) -> Result<(), MeterError> {
        let clock = self.clock().ok_or(MeterError::NoEpoch)?;
        let mut accounts = self.accounts.lock();
        if accounts
            .ledger
            .check_voucher(&clock.genesis, clock.epoch, peer, signed)?
        {
            accounts.journal.append(&[*signed])?;
            accounts.ledger.take_voucher(signed);
        }
        Ok(())
    }

    /// The last voucher of a gateway in an epoch.
    pub fn last_voucher(&self, gateway: &DeviceId, epoch: Epoch) -> Option<SignedVoucher> {
        self.accounts
            .lock()
            .ledger
            .last_voucher(gateway, epoch)
            .copied()
    }

    /// Signs the leaves that `peer` closes an epoch with, as far as they are right.
    pub fn sign_leaves(&self, peer: &DeviceId, leaves: &[LeafBody]) -> Vec<Option<Signature64>> {
        let (clock, prices) = {
            let state = self.state.read();
            (state.clock, state.prices.clone())
        };
        let Some(clock) = clock else {
            return vec![None; leaves.len()];
        };
        // Checked and signed outside the lock: an epoch may have many leaves.
        let ledger = self.accounts.lock().ledger.clone();
        let answers = ledger.sign_leaves(
            &self.key,
            &clock.genesis,
            clock.epoch,
            peer,
            leaves,
            |version| prices.get(&version).copied(),
        );
        let mut refused: BTreeMap<String, usize> = BTreeMap::new();
        for reason in answers.iter().filter_map(|answer| answer.as_ref().err()) {
            *refused.entry(reason.to_string()).or_default() += 1;
        }
        for (reason, count) in refused {
            tracing::warn!(gateway = %peer, count, reason, "refused to sign leaves");
        }
        answers.into_iter().map(Result::ok).collect()
    }

    /// Makes counters and vouchers last. Call it a few times a second.
    pub fn tick(&self) -> Result<(), MeterError> {
        let counts = {
            let state = self.state.read();
            state
                .clock
                .and_then(|clock| state.counts.get(&clock.epoch).cloned())
        };
        counts.map_or(Ok(()), |counts| counts.flush())?;
        self.accounts.lock().journal.sync()
    }

    /// Deletes the counters and vouchers of `epoch` and before, never of the current epoch.
    pub fn forget_through(&self, epoch: Epoch) -> Result<(), MeterError> {
        let gone: Vec<_> = {
            let mut state = self.state.write();
            let current = state.clock.map(|clock| clock.epoch);
            let old: Vec<_> = state
                .counts
                .keys()
                .copied()
                .filter(|of| *of <= epoch && current.is_some_and(|current| *of < current))
                .collect();
            old.iter()
                .filter_map(|of| state.counts.remove(of))
                .collect()
        };
        gone.iter().try_for_each(|counts| counts.remove())?;
        let mut accounts = self.accounts.lock();
        accounts.ledger.forget_through(epoch);
        let live: Vec<_> = accounts.ledger.vouchers().copied().collect();
        accounts.journal.compact(&live)
    }
}
