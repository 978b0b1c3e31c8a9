//! The gateway's meter: leases, counters, vouchers, closed epochs.

use crate::{
    counts::{EpochCounts, Place},
    done::Done,
    folder::{remove, Folder},
    journal::Journal,
    leaves,
    tally::Tally,
    MeterError,
};
use parking_lot::{Mutex, RwLock};
use selvedge_edge_core_metering::{
    may_forget, sign_voucher, totals_by_peer, Book, CloseError, Closed, Closing, CountKey, Denied,
    EpochClock, Issuer, Pricing, SigningKey, Terms,
};
use selvedge_primitives_types::{
    DeviceId, Epoch, Millis, Planck, Quality, ServiceId, SignedVoucher, Usage, Voucher,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    path::{Path, PathBuf},
    sync::Arc,
};

/// Closed epochs whose trees stay in memory.
const TREES_IN_MEMORY: usize = 4;

/// Meters what a gateway serves.
pub struct GatewayMeter {
    folder: Arc<Folder>,
    key: SigningKey,
    pub(crate) state: RwLock<State>,
    vouchers: Mutex<Vouchers>,
    closed: Mutex<ClosedEpochs>,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) current: Option<Current>,
    /// Epochs that are over and have counters.
    past: BTreeMap<Epoch, Arc<EpochCounts>>,
}

pub(crate) struct Current {
    pub(crate) clock: EpochClock,
    pub(crate) counts: Arc<EpochCounts>,
    pub(crate) books: HashMap<ServiceId, Mutex<Book>>,
}

impl Current {
    /// Where a service's use by a cache is counted now.
    pub(crate) fn place(
        &self,
        service: ServiceId,
        peer: DeviceId,
        pricing: &Pricing,
        now: Millis,
    ) -> Result<Place, Denied> {
        let slice = self.clock.slice(now);
        let key = CountKey {
            service,
            peer,
            slice,
        };
        self.counts.place(&key, pricing).map_err(|error| {
            tracing::error!(%service, %error, "cannot count use");
            Denied::NotCounting
        })
    }
}

struct Vouchers {
    journal: Journal,
    issuer: Issuer,
    /// The last voucher of every channel, as it was sent.
    signed: BTreeMap<(Epoch, DeviceId), SignedVoucher>,
}

#[derive(Default)]
struct ClosedEpochs {
    epochs: BTreeSet<Epoch>,
    done: Done,
    trees: VecDeque<Arc<Closed>>,
}

impl GatewayMeter {
    /// Opens the folder of a gateway, made if it is missing, and recovers what was counted.
    ///
    /// Errors when another process has it open, when it is of another device, when a file is
    /// damaged, and when the disk fails.
    pub fn open(path: &Path, key: SigningKey) -> Result<Self, MeterError> {
        let device = DeviceId(key.verifying_key().to_bytes());
        let folder = Arc::new(Folder::open(path, device)?);
        let listing = folder.list()?;
        let epochs: BTreeSet<_> = listing.leaves.into_iter().collect();
        let mut past = BTreeMap::new();
        for (epoch, segments) in listing.counts {
            if epochs.contains(&epoch) {
                remove_all(&segments)?;
            } else {
                let counts = EpochCounts::open(folder.clone(), epoch, &segments)?;
                past.insert(epoch, Arc::new(counts));
            }
        }
        let done = Done::read(&folder)?;
        let (journal, recovered) = Journal::open(folder.clone())?;
        let kept = recovered.vouchers.iter().map(|signed| signed.voucher);
        let issuer = Issuer::resume(device, kept, recovered.was_cut);
        let mut signed = BTreeMap::new();
        for voucher in recovered.vouchers {
            keep_last(&mut signed, voucher);
        }
        Ok(Self {
            folder,
            key,
            state: RwLock::new(State {
                current: None,
                past,
            }),
            vouchers: Mutex::new(Vouchers {
                journal,
                issuer,
                signed,
            }),
            closed: Mutex::new(ClosedEpochs {
                epochs,
                done,
                ..ClosedEpochs::default()
            }),
        })
    }

    /// The gateway.
    pub fn device(&self) -> DeviceId {
        self.folder.device()
    }

    /// The epoch that is counted in.
    pub fn clock(&self) -> Option<EpochClock> {
        self.state
            .read()
            .current
            .as_ref()
            .map(|current| current.clock)
    }

    /// Counts in this epoch from now on, under these terms; for the current epoch only leases, free
    /// buffers and the list of services change. What was counted before a restart counts against
    /// the leases.
    ///
    /// Errors, without effect: [`MeterError::EpochOver`], [`MeterError::Foreign`] for another
    /// chain, and when the disk fails.
    pub fn set_epoch(
        &self,
        clock: EpochClock,
        services: impl IntoIterator<Item = (ServiceId, Terms)>,
    ) -> Result<(), MeterError> {
        self.folder.bind(&clock.genesis)?;
        if self.closed.lock().epochs.contains(&clock.epoch) {
            return Err(MeterError::EpochOver(clock.epoch));
        }
        // Files are made before anybody who counts is made to wait.
        let counts = {
            let state = self.state.read();
            let current = state
                .current
                .as_ref()
                .filter(|now| now.clock.epoch == clock.epoch);
            current
                .map(|now| now.counts.clone())
                .or_else(|| state.past.get(&clock.epoch).cloned())
        };
        let counts = match counts {
            Some(counts) => counts,
            None => Arc::new(EpochCounts::open(self.folder.clone(), clock.epoch, &[])?),
        };
        counts.prepare()?;
        let rows = counts.rows();

        let mut state = self.state.write();
        if state
            .current
            .as_ref()
            .is_some_and(|now| now.clock.epoch > clock.epoch)
        {
            return Err(MeterError::EpochOver(clock.epoch));
        }
        let mut before = HashMap::new();
        match state.current.take() {
            Some(current) if current.clock.epoch == clock.epoch => before = current.books,
            Some(current) => {
                state.past.insert(current.clock.epoch, current.counts);
            }
            None => {}
        }
        let mut books = HashMap::new();
        for (service, terms) in services {
            let book = match before.remove(&service).map(Mutex::into_inner) {
                Some(mut book) => {
                    book.update(terms.lease, terms.free);
                    book
                }
                None => Book::resume(terms, rows.iter().filter(|row| row.key.service == service)),
            };
            books.insert(service, Mutex::new(book));
        }
        // What responses under way have set aside is theirs, also when the service is gone.
        for (service, book) in before {
            book.lock().update(0, Usage::ZERO);
            books.insert(service, book);
        }
        state.past.remove(&clock.epoch);
        state.current = Some(Current {
            clock,
            counts,
            books,
        });
        Ok(())
    }

    /// What a service may still be charged in this epoch, in planck.
    pub fn remaining(&self, service: ServiceId) -> Option<Planck> {
        let state = self.state.read();
        let book = state.current.as_ref()?.books.get(&service)?;
        let remaining = book.lock().remaining();
        Some(remaining)
    }

    /// Begins a response with `usage` set aside for it. Errors when the service has no terms or its
    /// lease does not cover that; then the visitor gets a clear answer and nothing is charged.
    pub fn begin(self: &Arc<Self>, service: ServiceId, usage: &Usage) -> Result<Tally, Denied> {
        Tally::begin(self.clone(), service, usage)
    }

    /// Counts a response that is at hand whole, in one step: what [`Self::begin`], [`Tally::count`]
    /// and [`Tally::quality`] count for it, at the same place and out of the same lease.
    ///
    /// Errors, with nothing counted, when the lease does not cover `usage` or counters cannot be
    /// kept.
    pub fn count_whole(
        &self,
        service: ServiceId,
        cache: DeviceId,
        usage: &Usage,
        quality: Quality,
        now: Millis,
    ) -> Result<(), Denied> {
        // Held until the counters are raised: an epoch does not end in between.
        let state = self.state.read();
        let current = state.current.as_ref().ok_or(Denied::UnknownService)?;
        let book = current.books.get(&service).ok_or(Denied::UnknownService)?;
        let (mut counts, pricing) = {
            let mut book = book.lock();
            let mut reservation = book.reserve(usage)?;
            let counts = book.spend(&mut reservation, usage);
            (counts.ok_or(Denied::OutOfLease)?, *book.pricing())
        };
        counts.quality = quality;
        let place = current.place(service, cache, &pricing, now)?;
        current.counts.add(place, &counts);
        Ok(())
    }

    /// Makes the counters last, and makes, keeps and returns the vouchers for what is new since the
    /// last call. Call it a few times a second; send what it returns. One fdatasync covers all.
    pub fn tick(&self) -> Result<Vec<SignedVoucher>, MeterError> {
        let (clock, counts, past) = {
            let state = self.state.read();
            let Some(current) = &state.current else {
                return Ok(Vec::new());
            };
            let past: Vec<_> = state.past.values().cloned().collect();
            (current.clock, current.counts.clone(), past)
        };
        past.iter().try_for_each(|counts| counts.flush())?;
        counts.flush()?;
        let overflow = |_| MeterError::Close(clock.epoch, CloseError::Overflow);
        let totals = totals_by_peer(&counts.rows()).map_err(overflow)?;
        let mut vouchers = self.vouchers.lock();
        vouchers.keep(&self.key, &clock, |issuer| {
            totals
                .iter()
                .filter_map(|(cache, totals)| issuer.next(clock.epoch, *cache, totals))
                .collect()
        })
    }

    /// The epochs that are over and have to be closed, oldest first.
    pub fn closable(&self) -> Vec<Epoch> {
        self.state.read().past.keys().copied().collect()
    }

    /// Begins to close an epoch that is over: keeps its last vouchers and returns its leaves to be
    /// signed; `None` when it had no use, and then it is gone. May be begun again.
    ///
    /// Send [`Self::last_vouchers`] first, then ask each cache of [`Closing::requests`].
    pub fn closing(&self, epoch: Epoch) -> Result<Option<Closing>, MeterError> {
        let (clock, counts) = {
            let state = self.state.read();
            let clock = state.current.as_ref().ok_or(MeterError::NoEpoch)?.clock;
            let counts = state.past.get(&epoch).cloned();
            (clock, counts.ok_or(MeterError::NothingToClose(epoch))?)
        };
        let mut vouchers = self.vouchers.lock();
        let mut closing = Ok(None);
        vouchers.keep(&self.key, &clock, |issuer| {
            closing = Closing::begin(self.device(), epoch, clock.genesis, counts.rows(), issuer);
            match &closing {
                Ok(Some(closing)) => closing.vouchers().to_vec(),
                Ok(None) | Err(_) => Vec::new(),
            }
        })?;
        let closing = closing.map_err(|error| MeterError::Close(epoch, error))?;
        if closing.is_none() {
            self.state.write().past.remove(&epoch);
            counts.remove()?;
        }
        Ok(closing)
    }

    /// The last voucher of every cache in an epoch.
    pub fn last_vouchers(&self, epoch: Epoch) -> Vec<SignedVoucher> {
        let vouchers = self.vouchers.lock();
        let of_epoch = vouchers.signed.iter().filter(|((of, _), _)| *of == epoch);
        of_epoch.map(|(_, signed)| *signed).collect()
    }

    /// Closes an epoch for good with the signatures that came: from now on its trees are what they
    /// are.
    pub fn close(&self, closing: Closing) -> Result<Arc<Closed>, MeterError> {
        let epoch = closing.epoch();
        let closed = closing
            .finish()
            .map_err(|error| MeterError::Close(epoch, error))?;
        let closed = Arc::new(closed);
        let mut kept = self.closed.lock();
        if kept.epochs.contains(&epoch) {
            return Err(MeterError::NothingToClose(epoch));
        }
        leaves::write(&self.folder, &closed)?;
        kept.epochs.insert(epoch);
        kept.remember(closed.clone());
        drop(kept);
        let counts = self.state.write().past.remove(&epoch);
        counts.map_or(Ok(()), |counts| counts.remove())?;
        Ok(closed)
    }

    /// The closed epochs that leaves are kept of, oldest first.
    pub fn closed_epochs(&self) -> Vec<Epoch> {
        self.closed.lock().epochs.iter().copied().collect()
    }

    /// The trees of a closed epoch. Errors when its leaves cannot be read.
    pub fn closed(&self, epoch: Epoch) -> Result<Option<Arc<Closed>>, MeterError> {
        let mut kept = self.closed.lock();
        if let Some(closed) = kept.trees.iter().find(|closed| closed.epoch() == epoch) {
            return Ok(Some(closed.clone()));
        }
        if !kept.epochs.contains(&epoch) {
            return Ok(None);
        }
        let closed = Arc::new(leaves::read(&self.folder, epoch)?);
        kept.remember(closed.clone());
        Ok(Some(closed))
    }

    /// Deletes the leaves of epochs of which it was heard more than `keep_epochs` ago that they are
    /// credited or void, as all up to `done_through` are, and the vouchers of epochs before the
    /// oldest that is left.
    pub fn forget(&self, done_through: Option<Epoch>, keep_epochs: u64) -> Result<(), MeterError> {
        let (now, oldest_open) = {
            let state = self.state.read();
            let Some(current) = &state.current else {
                return Ok(());
            };
            let now = current.clock.epoch;
            (now, state.past.keys().next().copied().unwrap_or(now))
        };
        let oldest = {
            let mut kept = self.closed.lock();
            let ClosedEpochs { epochs, done, .. } = &mut *kept;
            done.hear(&self.folder, &*epochs, done_through, now)?;
            let old: Vec<_> = epochs
                .iter()
                .copied()
                .filter(|epoch| may_forget(done.since(*epoch), now, keep_epochs))
                .collect();
            for epoch in old {
                remove(&self.folder.leaves(epoch))?;
                kept.epochs.remove(&epoch);
                kept.trees.retain(|closed| closed.epoch() != epoch);
            }
            kept.epochs
                .first()
                .copied()
                .unwrap_or(oldest_open)
                .min(oldest_open)
        };
        let mut vouchers = self.vouchers.lock();
        vouchers.signed.retain(|(epoch, _), _| *epoch >= oldest);
        if let Some(before) = oldest.0.checked_sub(1) {
            vouchers.issuer.forget_through(Epoch(before));
        }
        let live: Vec<_> = vouchers.signed.values().copied().collect();
        vouchers.journal.compact(&live)
    }
}

impl Vouchers {
    /// Signs and keeps the vouchers that `issue` makes. Errors without effect, so that the same use
    /// is vouched for the next time.
    fn keep(
        &mut self,
        key: &SigningKey,
        clock: &EpochClock,
        issue: impl FnOnce(&mut Issuer) -> Vec<Voucher>,
    ) -> Result<Vec<SignedVoucher>, MeterError> {
        let mut issuer = self.issuer.clone();
        let new: Vec<_> = issue(&mut issuer)
            .into_iter()
            .map(|voucher| sign_voucher(key, &clock.genesis, voucher))
            .collect();
        self.journal.append_synced(&new)?;
        self.issuer = issuer;
        for voucher in &new {
            keep_last(&mut self.signed, *voucher);
        }
        Ok(new)
    }
}

impl ClosedEpochs {
    fn remember(&mut self, closed: Arc<Closed>) {
        self.trees.push_back(closed);
        while self.trees.len() > TREES_IN_MEMORY {
            self.trees.pop_front();
        }
    }
}

fn keep_last(kept: &mut BTreeMap<(Epoch, DeviceId), SignedVoucher>, signed: SignedVoucher) {
    let SignedVoucher { voucher, .. } = signed;
    let last = kept.entry((voucher.epoch, voucher.cache)).or_insert(signed);
    if voucher.seq > last.voucher.seq {
        *last = signed;
    }
}

fn remove_all(paths: &[PathBuf]) -> Result<(), MeterError> {
    paths.iter().rev().try_for_each(|path| remove(path))
}
