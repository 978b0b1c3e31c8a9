//! Recomputes the numbered invariants of the README from storage.

use crate::{ActiveByRole, Assignments, Config, HoldReason, Pallet, Stakes, StakesOf};
use alloc::collections::BTreeMap;
use frame_support::{ensure, traits::fungible::InspectHold};
use pallet_edge_traits::EpochClock;
use selvedge_primitives_types::{Planck, Role};
use sp_core::crypto::AccountId32;

impl<T: Config> Pallet<T> {
    /// Checks every invariant; the text names the one that is broken.
    pub fn check_invariants() -> Result<(), &'static str> {
        Self::holds_are_stakes()?;
        Self::counts_are_devices()?;
        Self::spans_are_in_order()
    }

    /// Invariants 1 and 4.
    fn holds_are_stakes() -> Result<(), &'static str> {
        let mut held = BTreeMap::<AccountId32, Planck>::new();
        for (stake, entry) in Stakes::<T>::iter() {
            ensure!(
                entry.held() > 0
                    && entry.chunks.iter().all(|chunk| chunk.amount > 0)
                    && StakesOf::<T>::contains_key(&entry.owner, stake),
                "invariant 4: no empty stake is stored and every stake is listed under its owner"
            );
            *held.entry(entry.owner.clone()).or_default() += entry.held();
        }
        ensure!(
            StakesOf::<T>::iter_keys().count() == Stakes::<T>::iter_keys().count(),
            "invariant 4: no empty stake is stored and every stake is listed under its owner"
        );
        for (owner, held) in held {
            ensure!(
                T::Currency::balance_on_hold(&HoldReason::Stake.into(), &owner) == held,
                "invariant 1: an owner's hold is the sum of its stakes and chunks"
            );
        }
        Ok(())
    }

    /// Invariant 2.
    fn counts_are_devices() -> Result<(), &'static str> {
        let now = T::Clock::current();
        for role in Role::ALL {
            for epoch in [now, now.next()] {
                let rows = ActiveByRole::<T>::iter_prefix_values(role);
                ensure!(
                    rows.filter(|row| row.covers(epoch)).count() as u32
                        == Self::count_at(role, epoch),
                    "invariant 2: a role's active count is the number of its active devices"
                );
            }
        }
        Ok(())
    }

    /// Invariant 3.
    fn spans_are_in_order() -> Result<(), &'static str> {
        const BROKEN: &str = "invariant 3: spans are in order, and only an assignment is open";
        let now = T::Clock::current();
        let mut open = 0;
        for (device, spans) in Assignments::<T>::iter() {
            ensure!(
                spans
                    .windows(2)
                    .all(|pair| pair[0].until.is_some_and(|end| end <= pair[1].from)),
                BROKEN
            );
            ensure!(
                spans
                    .iter()
                    .all(|span| span.until.is_none_or(|until| span.from < until)),
                BROKEN
            );
            for span in spans.iter().filter(|span| span.until.is_none()) {
                let assigned = Stakes::<T>::get(span.stake).and_then(|entry| entry.device);
                ensure!(assigned == Some(device), BROKEN);
                open += 1;
            }
        }
        let assigned = Stakes::<T>::iter_values()
            .filter(|entry| entry.device.is_some())
            .count();
        ensure!(open == assigned, BROKEN);
        for (role, device, row) in ActiveByRole::<T>::iter() {
            let spans = Assignments::<T>::get(device);
            for epoch in [now, now.next()]
                .into_iter()
                .filter(|epoch| row.covers(*epoch))
            {
                ensure!(
                    spans
                        .iter()
                        .any(|span| span.role == role && span.covers(epoch)),
                    BROKEN
                );
            }
        }
        Ok(())
    }
}
