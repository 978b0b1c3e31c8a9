//! The tokens of a stake: how they come on hold, unlock, leave and are locked for longer.

use crate::{
    types::{DAY, MAX_LOCK},
    Chunk, Config, Error, Event, GenesisStake, HoldReason, NextStake, Pallet, Stake, Stakes,
    StakesOf,
};
use frame_support::{
    pallet_prelude::*,
    traits::{
        fungible::{hold::Balanced, MutateHold},
        tokens::Precision,
        OnUnbalanced,
    },
};
use pallet_edge_traits::{DeviceInspect, EpochClock};
use selvedge_primitives_math::ratio;
use selvedge_primitives_types::{Epoch, Millis, Planck, Ppm, Role, StakeId};
use sp_core::crypto::AccountId32;
use sp_runtime::traits::Convert;

/// Boost at the longest lock, above the boost of one without a lock.
const MAX_EXTRA_BOOST: Ppm = Ppm(3 * Ppm::ONE.0);

impl<T: Config> Pallet<T> {
    pub(crate) fn do_create(
        owner: AccountId32,
        role: Role,
        amount: Planck,
    ) -> Result<StakeId, DispatchError> {
        ensure!(amount > 0, Error::<T>::ZeroAmount);
        T::Currency::hold(&HoldReason::Stake.into(), &owner, amount)?;
        let stake = NextStake::<T>::mutate(|next| {
            let id = *next;
            next.0 = next.0.saturating_add(1);
            id
        });
        StakesOf::<T>::insert(&owner, stake, ());
        let entry = Stake {
            owner: owner.clone(),
            role,
            amount,
            chunks: Default::default(),
            next_chunk: 0,
            device: None,
            assignments: 0,
            inactive_from: None,
            locked_until: Millis(0),
        };
        Stakes::<T>::insert(stake, entry);
        Self::deposit_event(Event::StakeCreated {
            stake,
            owner,
            role,
            amount,
        });
        Ok(stake)
    }

    pub(crate) fn create_at_genesis(genesis: &GenesisStake) -> DispatchResult {
        let device = T::Devices::device(&genesis.device).ok_or(Error::<T>::UnknownDevice)?;
        ensure!(device.operator == genesis.owner, Error::<T>::NotOperator);
        ensure!(device.role == genesis.role, Error::<T>::WrongRole);
        ensure!(
            Self::carried(&genesis.device).is_none(),
            Error::<T>::DeviceTaken
        );
        let amount = genesis
            .amount
            .unwrap_or_else(|| T::RoleAmount::convert(genesis.role));
        let stake = Self::do_create(genesis.owner.clone(), genesis.role, amount)?;
        Self::with_stake(&genesis.owner, stake, |entry| {
            Self::join(stake, entry, genesis.device, Epoch(0))
        })
    }

    /// Changes a stake on behalf of its owner. A stake that nothing is on hold for any more goes.
    pub(crate) fn with_stake(
        owner: &AccountId32,
        stake: StakeId,
        change: impl FnOnce(&mut Stake) -> DispatchResult,
    ) -> DispatchResult {
        let mut entry = Stakes::<T>::get(stake).ok_or(Error::<T>::UnknownStake)?;
        ensure!(entry.owner == *owner, Error::<T>::NotOwner);
        change(&mut entry)?;
        Self::store(stake, entry);
        Ok(())
    }

    pub(crate) fn store(stake: StakeId, entry: Stake) {
        if entry.held() > 0 {
            return Stakes::<T>::insert(stake, entry);
        }
        StakesOf::<T>::remove(&entry.owner, stake);
        Stakes::<T>::remove(stake);
    }

    pub(crate) fn do_request_unlock(
        stake: StakeId,
        entry: &mut Stake,
        amount: Planck,
    ) -> DispatchResult {
        ensure!(amount > 0, Error::<T>::ZeroAmount);
        let rest = entry
            .amount
            .checked_sub(amount)
            .ok_or(Error::<T>::AmountTooHigh)?;
        Self::ensure_unlocked(entry)?;
        let may_fall = entry.device.is_none() || rest >= T::RoleAmount::convert(entry.role);
        ensure!(may_fall, Error::<T>::StillAssigned);
        let due = Millis(T::Clock::now().0.saturating_add(T::UnlockPeriod::get()));
        let chunk = entry.next_chunk;
        entry
            .chunks
            .try_push(Chunk {
                id: chunk,
                amount,
                due,
            })
            .map_err(|_| Error::<T>::TooManyChunks)?;
        entry.next_chunk = entry.next_chunk.saturating_add(1);
        entry.amount = rest;
        Self::deposit_event(Event::UnlockRequested {
            stake,
            chunk,
            amount,
            due,
        });
        Ok(())
    }

    pub(crate) fn do_withdraw(stake: StakeId, entry: &mut Stake, chunk: u32) -> DispatchResult {
        let position = entry
            .chunks
            .iter()
            .position(|element| element.id == chunk)
            .ok_or(Error::<T>::UnknownChunk)?;
        ensure!(
            entry.chunks[position].due <= T::Clock::now(),
            Error::<T>::NotDue
        );
        let amount = entry.chunks.remove(position).amount;
        Self::release(&entry.owner, amount)?;
        Self::deposit_event(Event::Withdrawn {
            stake,
            chunk,
            amount,
        });
        Ok(())
    }

    pub(crate) fn do_release_express(stake: StakeId, entry: &mut Stake) -> DispatchResult {
        ensure!(entry.device.is_none(), Error::<T>::StillAssigned);
        Self::ensure_unlocked(entry)?;
        let now = T::Clock::now();
        if let Some(left) = entry.inactive_from {
            let liable_epochs = left.plus(T::HoldBackEpochs::get());
            let liable_time = T::Clock::start_of(left)
                .0
                .saturating_add(T::OffenceWindow::get());
            let is_liable = T::Clock::current() < liable_epochs || now.0 < liable_time;
            ensure!(!is_liable, Error::<T>::StillLiable);
        }
        let held = entry.held();
        let due = entry
            .chunks
            .iter()
            .filter(|chunk| chunk.due <= now)
            .map(|chunk| chunk.amount);
        // What its owner could withdraw for nothing costs nothing.
        let fee = ratio::apply(T::ExpressFee::get(), held - due.sum::<Planck>()).min(held);
        let (credit, short) = T::Currency::slash(&HoldReason::Stake.into(), &entry.owner, fee);
        debug_assert_eq!(short, 0, "invariant 1: the hold covers the stake");
        T::FeeDestination::on_unbalanced(credit);
        let released = held - fee;
        Self::release(&entry.owner, released)?;
        entry.amount = 0;
        entry.chunks.clear();
        Self::deposit_event(Event::ReleasedExpress {
            stake,
            released,
            fee,
        });
        Ok(())
    }

    pub(crate) fn do_commit_lock(stake: StakeId, entry: &mut Stake, days: u32) -> DispatchResult {
        ensure!(days > 0, Error::<T>::ZeroAmount);
        let now = T::Clock::now();
        let begin = now.max(entry.locked_until);
        let until = Millis(
            begin
                .0
                .saturating_add(u64::from(days).saturating_mul(DAY.0)),
        );
        ensure!(until.0 - now.0 <= MAX_LOCK.0, Error::<T>::LockTooLong);
        entry.locked_until = until;
        Self::deposit_event(Event::LockCommitted { stake, until });
        Ok(())
    }

    /// Multiplier of activity yield in millionths: 1 to 4 million, linear in what remains of the lock.
    pub(crate) fn boost(entry: &Stake) -> u32 {
        let remaining = entry
            .locked_until
            .0
            .saturating_sub(T::Clock::now().0)
            .min(MAX_LOCK.0);
        let extra = ratio::mul_div(
            MAX_EXTRA_BOOST.0.into(),
            remaining.into(),
            MAX_LOCK.0.into(),
        );
        Ppm::ONE.0 + extra.unwrap_or_default() as u32
    }

    fn ensure_unlocked(entry: &Stake) -> DispatchResult {
        ensure!(entry.locked_until <= T::Clock::now(), Error::<T>::Locked);
        Ok(())
    }

    fn release(owner: &AccountId32, amount: Planck) -> DispatchResult {
        T::Currency::release(&HoldReason::Stake.into(), owner, amount, Precision::Exact).map(|_| ())
    }
}
