//! Recomputes the numbered invariants of the README from storage.

use crate::{
    Authored, Blocks, Close, Config, Disputes, Enrolled, HoldReason, Matured, Medians,
    Observations, Pallet, Period, Reported, Round, Samples, Scores, Seen, TurnOf,
};
use alloc::collections::BTreeMap;
use frame_support::{ensure, traits::fungible::InspectHold};
use selvedge_primitives_types::{Planck, Score};
use sp_core::crypto::AccountId32;

impl<T: Config> Pallet<T> {
    /// Checks every invariant; the text names the one that is broken.
    pub fn check_invariants() -> Result<(), &'static str> {
        ensure!(
            Scores::<T>::iter_values()
                .all(|record| record.service <= Score::MAX && record.quality <= Score::ONE),
            "invariant 1: scores lie between 0 and 1.5, quality at most 1"
        );
        let (current, closing) = (Period::<T>::get(), Close::<T>::get());
        let is_known =
            |period| period == current || closing.is_some_and(|closing| closing.period == period);
        ensure!(
            Observations::<T>::iter_keys().all(|(period, _)| is_known(period)),
            "invariant 2: only the current period and the one being closed are observed"
        );
        ensure!(
            Matured::<T>::iter_keys().all(|(period, _)| is_known(period))
                && Authored::<T>::iter_keys().all(|(period, _)| is_known(period))
                && Blocks::<T>::iter_keys().all(is_known),
            "invariant 2: only the current period and the one being closed are counted"
        );
        ensure!(
            closing.is_some()
                || Samples::<T>::iter_keys().next().is_none()
                    && Medians::<T>::iter_keys().next().is_none(),
            "invariant 2: samples and medians exist only during a close"
        );
        // During a close, what was counted for its era is on its way out.
        let authored: u32 = Authored::<T>::iter_prefix_values(current).sum();
        ensure!(
            Blocks::<T>::get(current) == authored,
            "invariant 3: the blocks of a period are those its validators authored"
        );
        Self::check_probing()?;
        Self::check_bonds()
    }

    fn check_probing() -> Result<(), &'static str> {
        let round = Round::<T>::get();
        ensure!(
            round.is_none() || TurnOf::<T>::get().is_none(),
            "invariant 4: a round is open or is being prepared, never both"
        );
        ensure!(
            TurnOf::<T>::exists() || Enrolled::<T>::decode_len().unwrap_or(0) == 0,
            "invariant 4: a panel is enrolled only while an epoch turns"
        );
        let panel = round.map(|round| round.panel).unwrap_or_default();
        ensure!(
            panel.windows(2).all(|pair| pair[0] < pair[1]),
            "invariant 4: a panel is sorted and names nobody twice"
        );
        let is_idle = !TurnOf::<T>::exists();
        ensure!(
            !is_idle
                || Reported::<T>::iter_keys()
                    .all(|prober| panel.iter().any(|one| one.device == prober)),
            "invariant 5: only the round's probers have reported"
        );
        ensure!(
            !is_idle
                || Reported::<T>::iter_keys().next().is_some()
                || Seen::<T>::iter_keys().next().is_none(),
            "invariant 5: what was seen in an epoch was reported in it"
        );
        Ok(())
    }

    fn check_bonds() -> Result<(), &'static str> {
        let mut bonds = BTreeMap::<AccountId32, Planck>::new();
        for dispute in Disputes::<T>::iter_values() {
            *bonds.entry(dispute.by).or_default() += dispute.bond;
        }
        for (who, bond) in bonds {
            ensure!(
                T::Currency::balance_on_hold(&HoldReason::RegionDispute.into(), &who) == bond,
                "invariant 6: an account's bonds on hold are those of its disputes"
            );
        }
        Ok(())
    }
}
