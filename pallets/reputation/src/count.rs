//! Counts what an era's scores are made of, and tells the scores.

use crate::{
    types::{Closing, ScoreRecord, Step},
    Authored, Blocks, Close, Config, Matured, Observations, Out, Pallet, Period, PeriodStart,
    Scores,
};
use frame_support::{traits::Get, weights::Weight};
use frame_system::pallet_prelude::BlockNumberFor;
use pallet_edge_traits::{
    EpochClock, NodeWalk, OnAbsence, OnEpoch, OnMatured, ScoreInspect, StakeInspect,
};
use selvedge_primitives_types::{DeviceId, Epoch, Planck, Score, StakeId};
use sp_core::crypto::AccountId32;

impl<T: Config> OnMatured for Pallet<T> {
    fn on_matured(device: &DeviceId, epoch: Epoch, amount: Planck, _returnable: Planck) {
        let Some(stake) = T::Stakes::stake_at(device, epoch) else {
            return;
        };
        // Counted in the era in which it matures: the era of the use was closed long before.
        Matured::<T>::mutate(Period::<T>::get(), stake, |sum| {
            *sum = sum.saturating_add(amount);
        });
    }
}

impl<T: Config> OnAbsence for Pallet<T> {
    fn on_absence(stake: StakeId, from: Epoch, until: Epoch) {
        let since = PeriodStart::<T>::get().max(from);
        Observations::<T>::mutate(Period::<T>::get(), stake, |observation| {
            // An assignment that never became active is told again with the one after it.
            let epochs = until.since(since.max(observation.absent_until));
            let epochs = epochs.try_into().unwrap_or(u32::MAX);
            observation.absent = observation.absent.saturating_add(epochs);
            observation.absent_until = observation.absent_until.max(until);
        });
    }
}

impl<T: Config> pallet_authorship::EventHandler<AccountId32, BlockNumberFor<T>> for Pallet<T> {
    fn note_author(author: AccountId32) {
        let period = Period::<T>::get();
        Blocks::<T>::mutate(period, |blocks| *blocks = blocks.saturating_add(1));
        Authored::<T>::mutate(period, DeviceId(author.into()), |blocks| {
            *blocks = blocks.saturating_add(1);
        });
    }
}

impl<T: Config> OnEpoch for Pallet<T> {
    fn on_epoch(ended: Epoch, began: Epoch) -> Weight {
        let turned = Self::begin_turn(ended, began);
        let era = T::Clock::era_of(ended);
        if era == T::Clock::era_of(began) || Close::<T>::exists() {
            return turned.saturating_add(T::DbWeight::get().reads(2));
        }
        let period = Period::<T>::mutate(|period| {
            let ended = *period;
            *period = period.wrapping_add(1);
            ended
        });
        let from = PeriodStart::<T>::get();
        PeriodStart::<T>::put(began);
        let step = Step::Sample(NodeWalk::default());
        Close::<T>::put(Closing {
            era,
            period,
            from,
            to: ended,
            scored: 0,
            step,
        });
        turned.saturating_add(T::DbWeight::get().reads_writes(4, 3))
    }
}

impl<T: Config> ScoreInspect for Pallet<T> {
    fn quality(stake: StakeId) -> Score {
        Self::score_of(stake).map_or(Score::MIN, |record| record.quality)
    }

    fn service(stake: StakeId) -> Score {
        Self::score_of(stake).map_or(Score::MIN, |record| record.service)
    }

    fn is_pending() -> bool {
        Close::<T>::exists()
    }
}

impl<T: Config> Pallet<T> {
    /// The scores that count now; `None` while the stake's node is out.
    fn score_of(stake: StakeId) -> Option<ScoreRecord> {
        let is_in = !Out::<T>::contains_key(stake);
        is_in.then(|| Scores::<T>::get(stake).unwrap_or_default())
    }

    /// Quality of the node that a device is. Without a stake it is one of which nothing is known.
    pub fn quality_of(device: &DeviceId) -> Score {
        T::Stakes::stake_of(device).map_or(Score::ONE, |(stake, _)| Self::quality(stake))
    }
}
