//! Forgets what nobody can claim any more, and ends disputes that nobody ended.

use crate::{ClearFrom, Config, Debts, Disputes, Pallet, Redemptions};
use alloc::vec::Vec;
use frame_support::{storage::with_storage_layer, traits::Get, weights::Weight};
use pallet_edge_traits::{EpochClock, OnEpoch};
use selvedge_primitives_types::Epoch;

/// Items that are looked at when an epoch begins.
const SWEEP: usize = 32;

impl<T: Config> Pallet<T> {
    /// Clears epochs whose vouchers count no longer; returns how many items it met.
    fn sweep() -> u64 {
        let mut from = ClearFrom::<T>::get();
        let mut left = SWEEP;
        while left > 0 && from < T::Clock::current() && !Self::is_redeemable(from) {
            if !Self::clear(from, &mut left) {
                break;
            }
            left = left.saturating_sub(1);
            from = from.next();
        }
        ClearFrom::<T>::put(from);
        (SWEEP - left) as u64
    }

    /// Clears an epoch as far as `left` items go; whether it is clear. A dispute of a commitment that has not ended yet
    /// stays until somebody closes it.
    fn clear(epoch: Epoch, left: &mut usize) -> bool {
        let disputes: Vec<_> = Disputes::<T>::iter_key_prefix((epoch,))
            .take(*left)
            .collect();
        let met = disputes.len();
        let mut closed = 0;
        for (gateway, customer, service) in disputes {
            let close = || Self::do_close(gateway, epoch, customer, service);
            closed += usize::from(with_storage_layer(close).is_ok());
        }
        // Behind those that nothing can be done about there may be more, for whoever has one to close it.
        if closed > 0 && met == *left {
            *left = 0;
            return false;
        }
        *left -= closed;
        let redemptions = Redemptions::<T>::drain_prefix((epoch,)).take(*left).count();
        *left -= redemptions;
        let debts = Debts::<T>::drain_prefix(epoch).take(*left).count();
        *left -= debts;
        *left > 0
    }
}

impl<T: Config> OnEpoch for Pallet<T> {
    fn on_epoch(_ended: Epoch, _began: Epoch) -> Weight {
        let met = Self::sweep();
        Weight::from_parts(5_000_000 + 80_000_000 * met, 4_000 * (met + 1))
            .saturating_add(T::DbWeight::get().reads_writes(2 + 7 * met, 1 + 4 * met))
    }
}
