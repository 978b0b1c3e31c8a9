//! Referrers: who named one when the account was opened has a part of the take of every charge go there.
//!
//! Escrow is divided by cache, so that a page of it does not say whose money it is. What was charged to referred
//! customers is noted when it is settled; of the referral part of each division as much goes into the commitment's
//! pool as of its charges was referred, and the treasury has the rest. When the commitment is paid in full, the pool
//! is divided by the notes, which go with it.

use crate::{
    types::*, Commitments, Config, Error, Event, Pallet, Referred, Referrers, RunningTotals,
};
use alloc::vec::Vec;
use frame_support::ensure;
use selvedge_primitives_math::ratio::mul_div;
use selvedge_primitives_types::{DeviceId, Entry, Epoch, Planck, UsageCommitment};
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
    /// Names a referrer, for good. Only with the deposit that opens the account.
    pub(crate) fn name_referrer(who: &T::AccountId, referrer: T::AccountId) -> DispatchResult {
        ensure!(
            !crate::Accounts::<T>::contains_key(who),
            Error::<T>::AlreadyOpened
        );
        ensure!(referrer != *who, Error::<T>::OwnReferrer);
        Self::deposit_event(Event::ReferrerNamed {
            account: who.clone(),
            referrer: referrer.clone(),
        });
        Referrers::<T>::insert(who, referrer);
        Ok(())
    }

    /// Notes what of a page was charged to referred customers, by referrer.
    pub(crate) fn note_referred(
        record: &mut CommitmentRecord,
        entries: &[Entry],
    ) -> DispatchResult {
        let UsageCommitment { gateway, epoch, .. } = record.commitment;
        let customer = |entry: &Entry| T::AccountId::from(entry.key.as_customer().customer.0);
        for of_one in entries.chunk_by(|a, b| customer(a) == customer(b)) {
            let charged: Planck = of_one.iter().map(|entry| entry.sum.amount).sum();
            if charged == 0 {
                continue;
            }
            let Some(referrer) = Referrers::<T>::get(customer(&of_one[0])) else {
                continue;
            };
            // Parts of what the commitment charged, which fits.
            Referred::<T>::mutate((epoch, gateway, referrer), |noted| *noted += charged);
            record.referral.charged += charged;
            record.referral.unpaid += charged;
        }
        Ok(())
    }

    /// What of a division's referral part belongs to referrers; the rest is the treasury's.
    pub(crate) fn referred_part(record: &CommitmentRecord, part: Planck) -> Planck {
        let stated = record.commitment.caches.sum.amount;
        mul_div(part, record.referral.charged, stated).unwrap_or(0)
    }

    /// Puts what was divided for referrers into the commitment's pool.
    pub(crate) fn fill_referral_pool(
        record: &mut CommitmentRecord,
        amount: Planck,
    ) -> DispatchResult {
        record.referral.pool = record
            .referral
            .pool
            .checked_add(amount)
            .ok_or(Error::<T>::BooksUnbalanced)?;
        Self::add_pending(amount)
    }

    pub(crate) fn do_pay_referrals(gateway: DeviceId, epoch: Epoch) -> DispatchResult {
        let record = Self::known_commitment(&gateway, epoch)?;
        ensure!(record.status == Status::Credited, Error::<T>::NotCredited);
        let notes: Vec<_> = Referred::<T>::iter_prefix((epoch, gateway))
            .take(MAX_PAGE as usize)
            .collect();
        ensure!(!notes.is_empty(), Error::<T>::NothingToClaim);
        for (referrer, charged) in notes {
            Self::pay_referrer(gateway, epoch, referrer, charged)?;
        }
        Ok(())
    }

    /// Pays a referrer for a commitment that is paid in full, and forgets the note; of one that is void, forgets it.
    pub(crate) fn pay_referrer(
        gateway: DeviceId,
        epoch: Epoch,
        referrer: T::AccountId,
        charged: Planck,
    ) -> DispatchResult {
        Referred::<T>::remove((epoch, gateway, &referrer));
        Commitments::<T>::try_mutate_exists(epoch, gateway, |record| {
            let Some(record) = record.as_mut() else {
                return Ok(());
            };
            let Referral { unpaid, pool, .. } = &mut record.referral;
            // Of what is left the last one has all, so that the pool is empty with the notes.
            let amount = mul_div(*pool, charged, *unpaid).ok_or(Error::<T>::BooksUnbalanced)?;
            *unpaid -= charged;
            *pool -= amount;
            Self::sub_pending(amount)?;
            Self::add_payable(&referrer, amount)?;
            if record.status == Status::Credited {
                Self::deposit_event(Event::ReferralPaid {
                    gateway,
                    epoch,
                    referrer: referrer.clone(),
                    amount,
                });
            }
            Ok(())
        })
    }

    /// Enters what was divided and cannot be claimed by anybody yet.
    pub(crate) fn add_pending(amount: Planck) -> DispatchResult {
        RunningTotals::<T>::try_mutate(|totals| {
            totals.pending = totals
                .pending
                .checked_add(amount)
                .ok_or(Error::<T>::BooksUnbalanced)?;
            Ok::<_, DispatchError>(())
        })
    }

    /// Takes out what can be claimed from now on.
    pub(crate) fn sub_pending(amount: Planck) -> DispatchResult {
        RunningTotals::<T>::try_mutate(|totals| {
            totals.pending = totals
                .pending
                .checked_sub(amount)
                .ok_or(Error::<T>::BooksUnbalanced)?;
            Ok::<_, DispatchError>(())
        })
    }
}
