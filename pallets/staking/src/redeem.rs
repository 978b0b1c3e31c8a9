//! Has a stake answer for what its device owes to others.

use crate::{Config, Event, HoldReason, Pallet, Stakes};
use frame_support::{
    pallet_prelude::*,
    traits::{
        fungible::MutateHold,
        tokens::{Fortitude, Precision, Restriction},
    },
};
use pallet_edge_traits::{Redeemed, StakeInspect, StakeRedeem, StakeRetire};
use selvedge_primitives_math::ratio::mul_div;
use selvedge_primitives_types::{DeviceId, Epoch, Planck};
use sp_core::crypto::AccountId32;
use sp_runtime::{traits::Convert, ArithmeticError};

impl<T: Config> StakeRedeem<AccountId32> for Pallet<T> {
    fn redeem(
        device: &DeviceId,
        epoch: Epoch,
        to: &AccountId32,
        pay: Planck,
        burn: Planck,
    ) -> Result<Redeemed, DispatchError> {
        let Some(stake) = <Self as StakeInspect<_>>::stake_at(device, epoch) else {
            return Ok(Redeemed::default());
        };
        let Some(mut entry) = Stakes::<T>::get(stake) else {
            return Ok(Redeemed::default());
        };
        let due = pay.checked_add(burn).ok_or(ArithmeticError::Overflow)?;
        let taken = due.min(entry.held());
        // In proportion, so that the last of a stake is no cheaper way out than the first.
        let paid = mul_div(pay, taken, due).unwrap_or(0);
        let burnt = taken - paid;
        if taken == 0 {
            return Ok(Redeemed::default());
        }
        // By force: a freeze, such as a vote's, spans held tokens too and must not keep a stake from answering.
        let (reason, owner) = (HoldReason::Stake.into(), entry.owner.clone());
        if paid > 0 {
            let (precision, mode, force) = (Precision::Exact, Restriction::Free, Fortitude::Force);
            T::Currency::transfer_on_hold(&reason, &owner, to, paid, precision, mode, force)?;
        }
        if burnt > 0 {
            T::Currency::burn_held(&reason, &owner, burnt, Precision::Exact, Fortitude::Force)?;
        }
        Self::reduce(&mut entry, taken);
        if entry.amount < T::RoleAmount::convert(entry.role) {
            Self::leave(stake, &mut entry);
        }
        Self::store(stake, entry);
        Self::deposit_event(Event::Redeemed {
            stake,
            owner,
            to: to.clone(),
            paid,
            burnt,
        });
        Ok(Redeemed { paid, burnt })
    }
}

impl<T: Config> StakeRetire for Pallet<T> {
    fn retire(device: &DeviceId, epoch: Epoch) {
        let Some(stake) = <Self as StakeInspect<_>>::stake_at(device, epoch) else {
            return;
        };
        if let Some(mut entry) = Stakes::<T>::get(stake) {
            Self::leave(stake, &mut entry);
            Self::store(stake, entry);
        }
    }
}
