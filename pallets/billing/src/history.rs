//! Clears invoice lines and commitments of old epochs, in time that a block has left over.

use crate::{
    ClearFrom, Commitments, Config, EpochBooks, InvoiceLines, Pallet, Referred, WeightInfo,
};
use alloc::vec::Vec;
use frame_support::{traits::Get, weights::WeightMeter};
use pallet_edge_traits::EpochClock;
use selvedge_primitives_types::Epoch;

/// Lines or commitments removed at one go.
const BATCH: u32 = 16;

impl<T: Config> Pallet<T> {
    /// Clears epochs that are older than `HistoryEpochs` and have no open commitment, oldest first.
    ///
    /// An epoch with an open commitment is passed by; closing its last one brings the beginning
    /// back to it.
    pub(crate) fn clear_history(meter: &mut WeightMeter) {
        if meter.try_consume(T::WeightInfo::clear_step()).is_err() {
            return;
        }
        let kept = T::HistoryEpochs::get().max(Self::unsettled_epochs() + 1);
        let horizon = T::Clock::current().minus(kept);
        let begin = ClearFrom::<T>::get();
        let mut epoch = begin;
        while epoch < horizon && meter.try_consume(T::WeightInfo::clear_step()).is_ok() {
            let is_open = EpochBooks::<T>::get(epoch).is_some_and(|book| book.open > 0);
            if !is_open && !Self::clear_epoch(epoch, meter) {
                break;
            }
            epoch = epoch.next();
        }
        if epoch != begin {
            ClearFrom::<T>::put(epoch);
        }
    }

    /// Clears an epoch as far as the weight goes; whether it is clear.
    fn clear_epoch(epoch: Epoch, meter: &mut WeightMeter) -> bool {
        let Some(_) = EpochBooks::<T>::get(epoch) else {
            return true;
        };
        // Referrers first: nobody has to ask for what is theirs.
        loop {
            if meter
                .try_consume(T::WeightInfo::pay_referrals(BATCH))
                .is_err()
            {
                return false;
            }
            let notes: Vec<_> = Referred::<T>::iter_prefix((epoch,))
                .take(BATCH as usize)
                .collect();
            for ((gateway, referrer), charged) in &notes {
                let paid = Self::pay_referrer(*gateway, epoch, referrer.clone(), *charged);
                frame_support::defensive_assert!(paid.is_ok(), "a note is of a commitment");
            }
            if notes.len() < BATCH as usize {
                break;
            }
        }
        loop {
            if meter
                .try_consume(T::WeightInfo::clear_batch(BATCH))
                .is_err()
            {
                return false;
            }
            let lines = InvoiceLines::<T>::drain_prefix((epoch,))
                .take(BATCH as usize)
                .count();
            let left = BATCH as usize - lines;
            let commitments = Commitments::<T>::drain_prefix(epoch).take(left).count();
            if lines + commitments < BATCH as usize {
                EpochBooks::<T>::remove(epoch);
                return true;
            }
        }
    }
}
