//! How long a drain is granted, and when the next one can be.

use crate::{Config, Devices, Drain, Error, Event, NextDrain, Pallet};
use frame_support::pallet_prelude::*;
use pallet_edge_traits::{EpochClock, StakeInspect};
use selvedge_primitives_types::{DeviceId, Epoch};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_request_drain(operator: &T::AccountId, device: DeviceId) -> DispatchResult {
        let now = T::Clock::current();
        let until = now.next().plus(T::DrainEpochs::get());
        Self::with_device(operator, device, |entry| {
            let is_draining = entry.drain.is_some_and(|drain| drain.holds(now));
            ensure!(!is_draining, Error::<T>::AlreadyDraining);
            // The stake's, not the device's: devices are free, and a drain counts for what earns.
            let (stake, _) = T::Stakes::stake_of(&device).ok_or(Error::<T>::NoStake)?;
            let is_early = NextDrain::<T>::get(stake).is_some_and(|next| now < next);
            ensure!(!is_early, Error::<T>::DrainTooSoon);
            let rest = T::DrainRest::get().saturating_mul(T::Clock::epochs_per_era());
            NextDrain::<T>::insert(stake, until.plus(rest));
            entry.drain = Some(Drain {
                from: now,
                until,
                ended: false,
            });
            Ok(())
        })?;
        Self::deposit_event(Event::DrainBegan { device, until });
        Ok(())
    }

    pub(crate) fn do_end_drain(operator: &T::AccountId, device: DeviceId) -> DispatchResult {
        let now = T::Clock::current();
        Self::with_device(operator, device, |entry| {
            let drain = entry.drain.as_mut().filter(|drain| drain.holds(now));
            let drain = drain.ok_or(Error::<T>::NotDraining)?;
            // What was seen of it in this epoch may be of the time in which it drained.
            drain.until = now.next();
            drain.ended = true;
            Ok(())
        })?;
        Self::deposit_event(Event::DrainEnded { device });
        Ok(())
    }

    /// The last drain that was granted to a device, and the epoch from which its stake is granted another; `None` where it
    /// can be granted one now.
    pub fn drain_of(device: &DeviceId) -> (Option<Drain>, Option<Epoch>) {
        let drain = Devices::<T>::get(device).and_then(|entry| entry.drain);
        let next = T::Stakes::stake_of(device).and_then(|(stake, _)| NextDrain::<T>::get(stake));
        (drain, next.filter(|next| T::Clock::current() < *next))
    }
}
