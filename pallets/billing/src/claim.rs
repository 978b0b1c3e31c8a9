//! Tells what commitments came to, and pays debts out of what a gateway earned.

use crate::{
    types::*, Commitments, Config, Error, Event, InvoiceLines, Pallet, Payouts, RunningTotals,
};
use frame_support::traits::{fungible::Mutate, tokens::Preservation, Get};
use pallet_edge_traits::{CommitmentFate, Fate, HeldLine};
use selvedge_primitives_math::share::Split;
use selvedge_primitives_types::{DeviceId, Epoch, Planck, ServiceId};
use sp_runtime::DispatchError;

impl<T: Config> CommitmentFate<T::AccountId> for Pallet<T> {
    fn fate(gateway: &DeviceId, epoch: Epoch) -> Fate {
        // What is said here must not be otherwise later.
        Self::remember_overdue();
        match Commitments::<T>::get(epoch, gateway) {
            None if Self::is_overdue(epoch) => Fate::Missing,
            None => Fate::Open,
            Some(record) if Self::has_lapsed(&record) => Fate::Void,
            Some(record) => match record.status {
                Status::Credited => Fate::Paid {
                    commitment: record.commitment,
                    gateway_share: record.books.shares.gateways,
                },
                Status::Refunding(_) | Status::Void => Fate::Void,
                _ => Fate::Open,
            },
        }
    }

    fn held_line(
        customer: &T::AccountId,
        service: ServiceId,
        gateway: &DeviceId,
        epoch: Epoch,
    ) -> Option<HeldLine> {
        let record = Commitments::<T>::get(epoch, gateway)?;
        let Status::HeldBack { matures, .. } = record.status else {
            return None;
        };
        let line = InvoiceLines::<T>::get((epoch, customer, (service, *gateway)))?;
        Some(HeldLine {
            amount: line.amount,
            entry: line.entry,
            matures,
        })
    }

    fn cache_part(amount: Planck) -> Result<Planck, DispatchError> {
        let split = Split::new(
            T::Take::get(),
            T::StargateShare::get(),
            T::CacheShare::get(),
        )
        .map_err(|_| Error::<T>::SharesInvalid)?;
        Ok(split.divide(amount, true).cache)
    }

    fn garnish(
        from: &T::AccountId,
        to: &T::AccountId,
        amount: Planck,
    ) -> Result<Planck, DispatchError> {
        let mut payout = Payouts::<T>::get(from);
        let taken = amount.min(payout.payable.saturating_sub(payout.claimed));
        if taken == 0 {
            return Ok(0);
        }
        T::Currency::transfer(&Self::pot(), to, taken, Preservation::Preserve)?;
        payout.claimed += taken;
        Payouts::<T>::insert(from, payout);
        RunningTotals::<T>::try_mutate(|totals| {
            totals.claimed = totals
                .claimed
                .checked_add(taken)
                .ok_or(Error::<T>::BooksUnbalanced)?;
            Ok::<_, DispatchError>(())
        })?;
        Self::deposit_event(Event::Garnished {
            from: from.clone(),
            to: to.clone(),
            amount: taken,
        });
        Ok(taken)
    }
}
