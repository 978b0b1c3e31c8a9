//! Disputes of lines: a customer who was charged for what nobody used has more of it looked at, and may have a part of it
//! burnt.

use crate::{types::*, Config, Disputes, Error, Event, HoldReason, Pallet, ToBurn};
use frame_support::{
    ensure,
    traits::{
        fungible::MutateHold,
        tokens::{Fortitude, Precision},
        Get,
    },
};
use pallet_edge_traits::{CommitmentFate, Disputed, EpochClock, Fate, HeldLine, SampleMore};
use selvedge_primitives_types::{DeviceId, Epoch, Planck, ServiceId};
use sp_runtime::{ArithmeticError, DispatchResult};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_dispute(
        customer: T::AccountId,
        gateway: DeviceId,
        epoch: Epoch,
        service: ServiceId,
        burn: Planck,
    ) -> DispatchResult {
        let line = T::Commitments::held_line(&customer, service, &gateway, epoch);
        let HeldLine {
            amount,
            entry,
            matures,
        } = line.ok_or(Error::<T>::NoHeldLine)?;
        ensure!(amount > 0, Error::<T>::NothingCharged);
        ensure!(burn <= amount / 2, Error::<T>::AboveHalf);
        // The leaves have to be looked at before the line is paid.
        let left = matures.since(T::Clock::current());
        ensure!(left >= T::DisputeEpochs::get().max(1), Error::<T>::TooLate);
        let key = (epoch, gateway, customer.clone(), service);
        ensure!(
            !Disputes::<T>::contains_key(&key),
            Error::<T>::AlreadyDisputed
        );

        let bond = T::DisputeBond::get();
        T::Currency::hold(&HoldReason::Dispute.into(), &customer, bond)?;
        T::Samples::sample_more(&gateway, epoch, entry, MORE_SAMPLES)?;
        if burn > 0 {
            ToBurn::<T>::try_mutate(epoch, gateway, |sum| {
                *sum = sum.checked_add(burn).ok_or(ArithmeticError::Overflow)?;
                Ok::<_, ArithmeticError>(())
            })?;
        }
        Disputes::<T>::insert(key, Dispute { bond, burn });
        Self::deposit_event(Event::LineDisputed {
            gateway,
            epoch,
            customer,
            service,
            entry,
            burn,
            bond,
        });
        Ok(())
    }

    /// Ends a dispute whose commitment has come to an end: the bond goes back when the commitment is void, and is burnt
    /// when it was paid.
    pub(crate) fn do_close(
        gateway: DeviceId,
        epoch: Epoch,
        customer: T::AccountId,
        service: ServiceId,
    ) -> DispatchResult {
        let key = (epoch, gateway, customer.clone(), service);
        let Dispute { bond, burn } = Disputes::<T>::get(&key).ok_or(Error::<T>::UnknownDispute)?;
        let upheld = match T::Commitments::fate(&gateway, epoch) {
            Fate::Open => return Err(Error::<T>::NotDecided.into()),
            Fate::Paid { .. } => false,
            // Nobody knows any more, or it is void: whoever doubted it loses nothing.
            Fate::Void | Fate::Missing => true,
        };
        let reason = HoldReason::Dispute.into();
        if upheld {
            T::Currency::release(&reason, &customer, bond, Precision::Exact)?;
        } else {
            T::Currency::burn_held(&reason, &customer, bond, Precision::Exact, Fortitude::Force)?;
        }
        Disputes::<T>::remove(&key);
        if burn > 0 {
            ToBurn::<T>::mutate_exists(epoch, gateway, |sum| {
                *sum = sum
                    .map(|sum| sum.saturating_sub(burn))
                    .filter(|sum| *sum > 0);
            });
        }
        Self::deposit_event(Event::DisputeClosed {
            gateway,
            epoch,
            customer,
            service,
            bond,
            upheld,
        });
        Ok(())
    }
}

impl<T: Config> Disputed for Pallet<T> {
    fn to_burn(gateway: &DeviceId, epoch: Epoch) -> Planck {
        ToBurn::<T>::get(epoch, gateway)
    }
}
