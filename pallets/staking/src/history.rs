//! Who carried which stake when, and how many devices were active.

use crate::{
    types::MAX_SPANS, ActiveByRole, Assignments, Config, Count, Counts, Leaving, Pallet, Span,
    Stakes, Swept,
};
use alloc::vec::Vec;
use frame_support::pallet_prelude::*;
use pallet_edge_traits::{EpochClock, OnEpoch, StakeInspect};
use selvedge_primitives_types::{DeviceId, Epoch, Millis, Planck, Ppm, Role, StakeId};
use sp_core::crypto::AccountId32;

/// Devices that the sweep looks at when an epoch begins: with 24 epochs a day, 768 devices a day.
pub(crate) const SWEEP: usize = 32;

type Spans = BoundedVec<Span, ConstU32<MAX_SPANS>>;

impl<T: Config> Pallet<T> {
    /// The span of a device that has not ended: its stake is assigned, or was in this epoch.
    pub(crate) fn carried(device: &DeviceId) -> Option<Span> {
        let now = T::Clock::current();
        let spans = Assignments::<T>::get(device);
        spans
            .into_iter()
            .next_back()
            .filter(|span| span.until.is_none_or(|until| now < until))
    }

    fn span_at(device: &DeviceId, epoch: Epoch) -> Option<Span> {
        Assignments::<T>::get(device)
            .into_iter()
            .find(|span| span.covers(epoch))
    }

    /// Drops the spans that no claim can be about any more.
    pub(crate) fn forget(spans: &mut Spans) {
        let horizon = Self::horizon();
        spans.retain(|span| span.until.is_none_or(|until| until > horizon));
    }

    fn horizon() -> Epoch {
        T::Clock::current().minus(T::HistoryDepth::get().into())
    }

    pub(crate) fn count_at(role: Role, epoch: Epoch) -> u32 {
        let counts = Counts::<T>::get(role);
        counts
            .iter()
            .rev()
            .find(|count| count.from <= epoch)
            .map_or(0, |count| count.nodes)
    }

    /// Changes the active count of a role from an epoch on; no later one is known yet.
    pub(crate) fn shift_count(role: Role, from: Epoch, shift: impl FnOnce(u32) -> u32) {
        let horizon = Self::horizon();
        Counts::<T>::mutate(role, |counts| {
            while counts.get(1).is_some_and(|count| count.from <= horizon) {
                counts.remove(0);
            }
            let nodes = shift(counts.last().map_or(0, |count| count.nodes));
            match counts.last_mut() {
                Some(count) if count.from == from => count.nodes = nodes,
                // `integrity_test`: one element per epoch of history fits.
                _ => counts.force_push(Count { from, nodes }),
            }
        });
    }

    /// Forgets old spans of the next few devices, and rows of devices that were forced out of a full epoch.
    fn sweep(began: Epoch) -> u64 {
        let keys: Vec<DeviceId> = match Swept::<T>::get() {
            Some(last) => Assignments::<T>::iter_keys_from(Assignments::<T>::hashed_key_for(last))
                .take(SWEEP)
                .collect(),
            None => Assignments::<T>::iter_keys().take(SWEEP).collect(),
        };
        for device in &keys {
            Assignments::<T>::mutate_exists(device, |spans| {
                let Some(known) = spans else { return };
                if let Some(role) = known.last().map(|span| span.role) {
                    Self::unlist(role, device, began);
                }
                Self::forget(known);
                if known.is_empty() {
                    *spans = None;
                }
            });
        }
        match keys.last() {
            Some(last) if keys.len() == SWEEP => Swept::<T>::put(last),
            _ => Swept::<T>::kill(),
        }
        keys.len() as u64
    }

    fn unlist(role: Role, device: &DeviceId, began: Epoch) {
        ActiveByRole::<T>::mutate_exists(role, device, |row| {
            if row.is_some_and(|row| row.until.is_some_and(|until| until <= began)) {
                *row = None;
            }
        });
    }
}

impl<T: Config> OnEpoch for Pallet<T> {
    fn on_epoch(_ended: Epoch, began: Epoch) -> Weight {
        let left = Leaving::<T>::take();
        for (role, device) in &left {
            Self::unlist(*role, device, began);
        }
        let swept = Self::sweep(began);
        let touched = left.len() as u64 + 2 * swept;
        Weight::from_parts(10_000_000 + 5_000_000 * touched, 4_000 * (touched + 2))
            .saturating_add(T::DbWeight::get().reads_writes(3 + touched, 2 + touched))
    }
}

impl<T: Config> StakeInspect<AccountId32> for Pallet<T> {
    fn is_active(device: &DeviceId, role: Role, epoch: Epoch) -> bool {
        Self::span_at(device, epoch).is_some_and(|span| span.role == role)
    }

    fn owner_at(device: &DeviceId, epoch: Epoch) -> Option<AccountId32> {
        Self::span_at(device, epoch).map(|span| span.owner)
    }

    fn stake_of(device: &DeviceId) -> Option<(StakeId, Planck)> {
        let stake = Self::carried(device)?.stake;
        Some((stake, Self::amount_of(stake)))
    }

    fn stake_at(device: &DeviceId, epoch: Epoch) -> Option<StakeId> {
        Self::span_at(device, epoch).map(|span| span.stake)
    }

    fn amount_of(stake: StakeId) -> Planck {
        // A stake that was slashed to nothing is gone, though its device stays listed until the epoch ends.
        Stakes::<T>::get(stake).map_or(0, |entry| entry.amount)
    }

    fn active_count(role: Role, epoch: Epoch) -> u32 {
        Self::count_at(role, epoch)
    }

    fn active_devices(role: Role, limit: u32) -> Vec<DeviceId> {
        let now = T::Clock::current();
        let mut devices: Vec<_> = ActiveByRole::<T>::iter_prefix(role)
            .filter(|(_, row)| row.covers(now))
            .map(|(device, _)| device)
            .collect();
        devices.sort_unstable();
        devices.truncate(limit as usize);
        devices
    }

    fn active_page(role: Role, after: Option<DeviceId>, limit: u32) -> Vec<DeviceId> {
        let now = T::Clock::current();
        let rows = match after {
            Some(last) => ActiveByRole::<T>::iter_prefix_from(
                role,
                ActiveByRole::<T>::hashed_key_for(role, last),
            ),
            None => ActiveByRole::<T>::iter_prefix(role),
        };
        rows.filter(|(_, row)| row.covers(now))
            .map(|(device, _)| device)
            .take(limit as usize)
            .collect()
    }

    fn carried_epochs(device: &DeviceId, stake: StakeId, from: Epoch, to: Epoch) -> u64 {
        let end = to.next();
        let spans = Assignments::<T>::get(device);
        let of_stake = spans.iter().filter(|span| span.stake == stake);
        of_stake
            .map(|span| {
                span.until
                    .unwrap_or(end)
                    .min(end)
                    .since(span.from.max(from))
            })
            .sum()
    }

    fn assigned_since(device: &DeviceId) -> Option<Millis> {
        // A preset is built before the clock knows the time.
        let first = T::Clock::start_of(Epoch(0));
        Self::carried(device).map(|span| span.since.max(first))
    }

    fn boost_of(stake: StakeId) -> u32 {
        Stakes::<T>::get(stake).map_or(Ppm::ONE.0, |entry| Self::boost(&entry))
    }

    fn assigned_at(device: &DeviceId, epoch: Epoch) -> Option<Millis> {
        // A preset is built before the clock knows the time.
        let first = T::Clock::start_of(Epoch(0));
        Self::span_at(device, epoch).map(|span| span.since.max(first))
    }

    fn held_at(device: &DeviceId, epoch: Epoch) -> Planck {
        let stake = Self::stake_at(device, epoch).and_then(Stakes::<T>::get);
        stake.map_or(0, |entry| entry.held())
    }
}
