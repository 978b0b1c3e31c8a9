//! Counts what an era's scores are made of, and tells the scores.

use crate::{
    types::{Closing, ScoreRecord, Step},
    Authored, Blocks, Close, Config, Drained, Matured, Out, Pallet, Period, PeriodStart, Scores,
};
use frame_support::{traits::Get, weights::Weight};
use frame_system::pallet_prelude::BlockNumberFor;
use pallet_edge_traits::{EpochClock, NodeWalk, OnDrainEnd, OnEpoch, OnMatured, ScoreInspect};
use selvedge_primitives_types::{DeviceId, Epoch, Planck, Score};
use sp_core::crypto::AccountId32;

impl<T: Config> OnMatured for Pallet<T> {
    fn on_matured(device: &DeviceId, _epoch: Epoch, amount: Planck) {
        // Counted in the era in which it matures: the era of the use was closed long before.
        Matured::<T>::mutate(Period::<T>::get(), device, |sum| {
            *sum = sum.saturating_add(amount);
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
        let turned = Self::begin_turn(began);
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
    fn quality(device: &DeviceId) -> Score {
        Self::score_of(device).map_or(Score::MIN, |record| record.quality)
    }

    fn service(device: &DeviceId) -> Score {
        Self::score_of(device).map_or(Score::MIN, |record| record.service)
    }
}

impl<T: Config> Pallet<T> {
    /// The scores that count now; `None` while the node is out.
    fn score_of(device: &DeviceId) -> Option<ScoreRecord> {
        let is_in = !Out::<T>::contains_key(device);
        is_in.then(|| Scores::<T>::get(device).unwrap_or_default())
    }
}

impl<T: Config> OnDrainEnd for Pallet<T> {
    fn on_drain_end(device: &DeviceId) {
        // What was seen of it earlier in the epoch may be of the time in which it drained.
        Drained::<T>::insert(device, ());
    }
}
