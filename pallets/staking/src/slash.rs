//! Takes of a stake for an offence.

use crate::{
    Config, CreditOf, Event, Exposure, HoldReason, Pallet, Stake, Stakes, ValidatorSessions,
};
use frame_support::{
    pallet_prelude::*,
    traits::{
        fungible::{hold::Balanced as _, Balanced as _},
        Imbalance, OnUnbalanced,
    },
};
use pallet_edge_traits::{Slashed, StakeInspect, StakeSlash};
use selvedge_primitives_math::ratio;
use selvedge_primitives_types::{DeviceId, Epoch, Planck, Ppm, StakeId};
use sp_core::crypto::AccountId32;
use sp_runtime::{traits::Convert, Perbill};
use sp_staking::{
    offence::{OffenceDetails, OnOffenceHandler},
    SessionIndex,
};

impl<T: Config> Pallet<T> {
    /// Slashes at most `amount` of a stake and its chunks, and rewards the reporter out of it.
    pub fn slash_stake(stake: StakeId, amount: Planck, reporter: Option<&AccountId32>) -> Slashed {
        let Some(mut entry) = Stakes::<T>::get(stake) else {
            return Slashed::default();
        };
        let due = amount.min(entry.held());
        let (credit, short) = T::Currency::slash(&HoldReason::Stake.into(), &entry.owner, due);
        debug_assert_eq!(short, 0, "invariant 1: the hold covers the stake");
        let mut slashed = Slashed {
            taken: credit.peek(),
            reward: 0,
        };
        let Slashed { taken, .. } = slashed;
        if taken > 0 {
            let reward = Self::share_out(credit, reporter);
            slashed.reward = reward;
            let owner = entry.owner.clone();
            Self::deposit_event(Event::Slashed {
                stake,
                owner,
                amount: taken,
                reward,
            });
        }
        Self::reduce(&mut entry, taken);
        if taken > 0 && entry.amount < T::RoleAmount::convert(entry.role) {
            Self::leave(stake, &mut entry);
        }
        Self::store(stake, entry);
        slashed
    }

    /// Gives the reporter a capped share and the rest to where slashes go; returns the reporter's.
    fn share_out(credit: CreditOf<T>, reporter: Option<&AccountId32>) -> Planck {
        let Some(reporter) = reporter else {
            T::SlashDestination::on_unbalanced(credit);
            return 0;
        };
        let share = ratio::apply(T::ReporterShare::get(), credit.peek()).min(T::ReporterMax::get());
        let (reward, rest) = credit.split(share);
        T::SlashDestination::on_unbalanced(rest);
        let reward_amount = reward.peek();
        match T::Currency::resolve(reporter, reward) {
            Ok(()) => reward_amount,
            // The reward is too small to open the reporter's account.
            Err(reward) => {
                T::SlashDestination::on_unbalanced(reward);
                0
            }
        }
    }

    /// Takes `taken` off the books: of the stake first, then of the youngest chunk.
    pub(crate) fn reduce(entry: &mut Stake, taken: Planck) {
        let of_stake = taken.min(entry.amount);
        entry.amount -= of_stake;
        let mut rest = taken - of_stake;
        while rest > 0 {
            let Some(chunk) = entry.chunks.last_mut() else {
                break;
            };
            let of_chunk = rest.min(chunk.amount);
            chunk.amount -= of_chunk;
            rest -= of_chunk;
            if chunk.amount == 0 {
                entry.chunks.pop();
            }
        }
    }
}

impl<T: Config> StakeSlash<AccountId32> for Pallet<T> {
    fn slash_at_least(
        device: &DeviceId,
        epoch: Epoch,
        part: Ppm,
        least: Planck,
        reporter: Option<&AccountId32>,
    ) -> Slashed {
        let Some(stake) = Self::stake_at(device, epoch) else {
            return Slashed::default();
        };
        let held = Stakes::<T>::get(stake).map_or(0, |entry| entry.held());
        Self::slash_stake(stake, ratio::apply(part, held).max(least), reporter)
    }
}

impl<T: Config> OnOffenceHandler<AccountId32, (AccountId32, Exposure), Weight> for Pallet<T> {
    fn on_offence(
        offenders: &[OffenceDetails<AccountId32, (AccountId32, Exposure)>],
        slash_fraction: &[Perbill],
        session: SessionIndex,
    ) -> Weight {
        for (details, fraction) in offenders.iter().zip(slash_fraction) {
            let (validator, exposure) = &details.offender;
            let amount = fraction.mul_ceil(exposure.amount);
            Self::slash_stake(exposure.stake, amount, details.reporters.first());
            if let Some(mut entry) = Stakes::<T>::get(exposure.stake) {
                Self::leave(exposure.stake, &mut entry);
                Self::store(exposure.stake, entry);
            }
            T::Sessions::disable(validator, *fraction);
            let (validator, stake) = (validator.clone(), exposure.stake);
            Self::deposit_event(Event::ValidatorChilled {
                validator,
                stake,
                session,
            });
        }
        let offenders = offenders.len() as u64;
        Weight::from_parts(150_000_000, 20_000)
            .saturating_mul(offenders)
            .saturating_add(T::DbWeight::get().reads_writes(14 * offenders, 12 * offenders))
    }
}
