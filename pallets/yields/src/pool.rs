//! The emission pool: what it emits, what was granted of it and what was claimed.

use crate::{Config, Error, Event, Pallet, Payouts, Pools, Totals};
use frame_support::{
    pallet_prelude::*,
    traits::{
        fungible::{Inspect, Mutate},
        tokens::Preservation,
    },
};
use selvedge_primitives_math::{ratio, yields};
use selvedge_primitives_types::Planck;
use sp_core::crypto::AccountId32;
use sp_runtime::traits::AccountIdConversion;

impl<T: Config> Pallet<T> {
    /// The account of the emission pool.
    pub fn pool_account() -> AccountId32 {
        T::PalletId::get().into_account_truncating()
    }

    /// What remains for emission: the pool less everything granted and not yet claimed.
    pub fn remaining() -> Planck {
        T::Currency::balance(&Self::pool_account()).saturating_sub(Self::owed())
    }

    pub(crate) fn owed() -> Planck {
        let totals = Totals::<T>::get();
        totals.payable.saturating_sub(totals.claimed)
    }

    /// What the schedule allows for so many milliseconds, by sub-pool.
    pub(crate) fn emission(elapsed: u64) -> Pools {
        let emitted = yields::emission(Self::remaining(), T::EmissionRate::get(), elapsed);
        // Parts that sum to more than one cannot empty the pool: each takes of what the ones before it left.
        let validators = ratio::apply(T::PoolValidators::get(), emitted).min(emitted);
        let base = ratio::apply(T::PoolBase::get(), emitted).min(emitted - validators);
        let activity =
            ratio::apply(T::PoolActivity::get(), emitted).min(emitted - validators - base);
        Pools {
            validators,
            base,
            activity,
        }
    }

    /// Owes an account more.
    pub(crate) fn grant(account: &AccountId32, amount: Planck) {
        Payouts::<T>::mutate(account, |payout| {
            payout.payable = payout.payable.saturating_add(amount);
        });
        Totals::<T>::mutate(|totals| totals.payable = totals.payable.saturating_add(amount));
    }

    pub(crate) fn do_claim(account: AccountId32) -> DispatchResult {
        let mut payout = Payouts::<T>::get(&account);
        let amount = payout.payable.saturating_sub(payout.claimed);
        ensure!(amount > 0, Error::<T>::NothingToClaim);
        let pool = Self::pool_account();
        T::Currency::transfer(&pool, &account, amount, Preservation::Preserve)?;
        payout.claimed = payout.payable;
        Payouts::<T>::insert(&account, payout);
        Totals::<T>::mutate(|totals| totals.claimed = totals.claimed.saturating_add(amount));
        Self::deposit_event(Event::Claimed { account, amount });
        Ok(())
    }
}
