//! Recomputes the numbered invariants of the README from storage.

use crate::{Config, Devices, Drain, HoldReason, Pallet};
use alloc::collections::BTreeMap;
use frame_support::{ensure, traits::fungible::InspectHold};
use pallet_edge_traits::EpochClock;
use selvedge_primitives_types::Planck;

impl<T: Config> Pallet<T> {
    /// Checks every invariant; the text names the one that is broken.
    pub fn check_invariants() -> Result<(), &'static str> {
        let mut deposits = BTreeMap::<T::AccountId, Planck>::new();
        for (device, entry) in Devices::<T>::iter() {
            ensure!(
                Self::ensure_well_formed(&device, &entry).is_ok(),
                "invariant 2: every entry is well-formed"
            );
            let is_sound =
                |drain: Drain| drain.from < drain.until && drain.from <= T::Clock::current();
            ensure!(
                entry.drain.is_none_or(is_sound),
                "invariant 3: a drain has begun, and covers an epoch at least"
            );
            *deposits.entry(entry.operator).or_default() += entry.deposit;
        }
        for (operator, deposit) in deposits {
            ensure!(
                T::Currency::balance_on_hold(&HoldReason::Device.into(), &operator) == deposit,
                "invariant 1: an operator's deposits on hold are those of its devices"
            );
        }
        Ok(())
    }
}
