//! Ends commitments whose defects were proven or whose leaves were withheld, and tells what canaries may cost.

use crate::{types::*, Config, Pallet, RunningTotals};
use pallet_edge_traits::{CommitmentVoid, EpochClock, Forfeit, TakeInspect};
use selvedge_primitives_math::fraud::Defect;
use selvedge_primitives_types::{DeviceId, Epoch, Planck, UsageCommitment};
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> CommitmentVoid for Pallet<T> {
    fn commitment_of(gateway: &DeviceId, epoch: Epoch) -> Option<UsageCommitment> {
        Self::commitment(gateway, epoch).map(|record| record.commitment)
    }

    fn is_at_stake(gateway: &DeviceId, epoch: Epoch) -> bool {
        Self::commitment(gateway, epoch).is_some_and(|record| {
            matches!(
                record.status,
                Status::Pending | Status::Settling(_) | Status::HeldBack { .. }
            )
        })
    }

    fn forfeit(gateway: &DeviceId, epoch: Epoch, defect: Defect) -> Result<Forfeit, DispatchError> {
        let record = Self::known_commitment(gateway, epoch)?;
        match record.status {
            Status::Pending | Status::Settling(_) | Status::HeldBack { .. } => {
                Self::make_void(record, VoidReason::Fraud(defect))?;
                Ok(Forfeit::Voided)
            }
            Status::Refunding(_) | Status::Void => Ok(Forfeit::AlreadyVoid),
            // What caches were paid cannot be taken back, and no cache shall lose its part because
            // another's came first.
            Status::Crediting(_) | Status::Credited => Ok(Forfeit::AlreadyPaid),
        }
    }

    fn withhold(gateway: &DeviceId, epoch: Epoch) -> DispatchResult {
        Self::do_void(*gateway, epoch, VoidReason::LeavesWithheld)
    }

    fn is_challengeable(gateway: &DeviceId, epoch: Epoch) -> bool {
        Self::commitment(gateway, epoch).is_some_and(|record| match record.status {
            Status::Pending | Status::Settling(_) => true,
            Status::HeldBack { matures, .. } => T::Clock::current() < matures,
            _ => false,
        })
    }
}

impl<T: Config> TakeInspect for Pallet<T> {
    fn take() -> Planck {
        let shares = RunningTotals::<T>::get().books.shares;
        [shares.burn, shares.referral, shares.auditors]
            .into_iter()
            .fold(shares.treasury, Planck::saturating_add)
    }
}
