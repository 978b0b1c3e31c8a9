//! How fast money matures: escrow at the pace that its gateway's stake covers, and what a new node earns not before it
//! is known.

use crate::{types::*, Config, Error, Event, FirstEarnings, Maturing, Pallet};
use frame_support::{ensure, traits::Get};
use pallet_edge_traits::{EpochClock, ScoreInspect, StakeInspect};
use selvedge_primitives_types::{DeviceId, Epoch, Millis, Planck};
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
    /// How much of a gateway's escrow may mature in an epoch: the stake that stood behind the commitment, over an era.
    ///
    /// It is that of the commitment's time, so that what a stake loses later takes no pace from those who wait.
    pub(crate) fn pace(record: &CommitmentRecord) -> Planck {
        let epochs = Planck::from(T::Clock::epochs_per_era().max(1));
        (record.stake / epochs).max(1)
    }

    /// Lets `amount` of the commitment's escrow mature now, or says that it is too early; changes nothing.
    ///
    /// Of an epoch in which escrow waits nothing is lost: what it could have carried adds up until the page fits. So
    /// from the first epoch of waiting on, never more than the pace has matured for each epoch.
    pub(crate) fn paced(record: &CommitmentRecord, amount: Planck) -> Result<Pace, Error<T>> {
        let pace = Self::pace(record);
        let mut known = Maturing::<T>::get(record.commitment.gateway);
        if let Status::HeldBack { matures, .. } = record.status {
            let used = u64::try_from(known.amount / pace).unwrap_or(u64::MAX);
            if matures > known.since.plus(used) {
                known = Pace {
                    since: matures,
                    amount: 0,
                };
            }
        }
        let epochs = T::Clock::current().since(known.since).saturating_add(1);
        known.amount = known
            .amount
            .checked_add(amount)
            .ok_or(Error::<T>::BooksUnbalanced)?;
        ensure!(
            known.amount <= pace.saturating_mul(epochs.into()),
            Error::<T>::AboveStakePace
        );
        Ok(known)
    }

    /// Pays what a node earned: to be claimed at once, or kept back while the node is new.
    pub(crate) fn earn(
        device: &DeviceId,
        epoch: Epoch,
        owner: &T::AccountId,
        amount: Planck,
    ) -> DispatchResult {
        if amount == 0 {
            return Ok(());
        }
        let Some(since) = T::Stakes::assigned_at(device, epoch) else {
            return Self::add_payable(owner, amount);
        };
        if Self::is_known(device, since) {
            let kept = Self::take_first_earnings(device, owner)?;
            return Self::add_payable(owner, kept.saturating_add(amount));
        }
        Self::add_pending(amount)?;
        FirstEarnings::<T>::try_mutate(device, owner, |kept| {
            let kept = kept.get_or_insert(Kept { since, amount: 0 });
            kept.since = since;
            kept.amount = kept
                .amount
                .checked_add(amount)
                .ok_or(Error::<T>::BooksUnbalanced)?;
            Ok(())
        })
    }

    /// Whether a node whose stake was assigned then may have what it earned: after the first hold-back with a fair score,
    /// after twice as long whatever its score.
    fn is_known(device: &DeviceId, since: Millis) -> bool {
        let age = T::Clock::now().0.saturating_sub(since.0);
        let first = T::FirstHoldBack::get();
        let stake = T::Stakes::stake_of(device);
        let is_fair =
            stake.is_some_and(|(stake, _)| T::Scores::quality(stake) >= T::FairScore::get());
        age >= first && (is_fair || age >= first.saturating_mul(2))
    }

    fn take_first_earnings(
        device: &DeviceId,
        owner: &T::AccountId,
    ) -> Result<Planck, DispatchError> {
        let kept = FirstEarnings::<T>::take(device, owner).map_or(0, |kept| kept.amount);
        Self::sub_pending(kept)?;
        Ok(kept)
    }

    pub(crate) fn do_release_first(device: DeviceId, owner: T::AccountId) -> DispatchResult {
        let kept = FirstEarnings::<T>::get(device, &owner).ok_or(Error::<T>::NothingToClaim)?;
        ensure!(
            Self::is_known(&device, kept.since),
            Error::<T>::StillHeldBack
        );
        let amount = Self::take_first_earnings(&device, &owner)?;
        Self::add_payable(&owner, amount)?;
        Self::deposit_event(Event::FirstEarningsReleased {
            device,
            account: owner,
            amount,
        });
        Ok(())
    }
}
