//! Tells billing which commitments may be charged, and whom their audit fee is for.

use crate::{
    types::{Audit, Stage},
    Audits, Challenges, Config, Pallet, Windows,
};
use alloc::vec::Vec;
use frame_support::{traits::Get, BoundedVec};
use pallet_edge_traits::{Acceptance, CommitmentAudit, EpochClock, StakeInspect};
use selvedge_primitives_types::{DeviceId, Epoch, Planck};
use sp_runtime::AccountId32;

impl<T: Config> CommitmentAudit<AccountId32> for Pallet<T> {
    fn on_commit(gateway: &DeviceId, epoch: Epoch, window: Epoch, amount: Planck) {
        let is_worth_it = amount > 0 && amount >= T::LeastAmount::get();
        let stage = match is_worth_it {
            true => Stage::Voting(0),
            false => Stage::Open,
        };
        let operator = T::Stakes::owner_at(gateway, epoch);
        let audit = Audit {
            window,
            draws: Self::draws_of(gateway, epoch, operator.as_ref()),
            operator,
            stage,
            until: window.next(),
            passed: BoundedVec::new(),
            block: Self::block(),
        };
        if is_worth_it {
            Self::queue(audit.until, gateway, epoch);
        }
        Audits::<T>::insert(epoch, gateway, audit);
    }

    fn acceptance(gateway: &DeviceId, epoch: Epoch, window: Epoch) -> Acceptance {
        let once_closed = |hold_backs| match T::Clock::is_closed(window) {
            true => Acceptance::Accepted { hold_backs },
            false => Acceptance::Undecided,
        };
        // What was committed before there were audits is judged as it was then.
        let Some(audit) = Audits::<T>::get(epoch, gateway) else {
            return once_closed(1);
        };
        match audit.stage {
            Stage::Open => once_closed(2),
            Stage::Accepted { hold_backs } => Acceptance::Accepted { hold_backs },
            Stage::Voting(0) => {
                let drawn = Windows::<T>::get(window);
                let is_short =
                    drawn.is_some_and(|drawn| drawn.auditors(audit.operator.as_ref(), 0).is_none());
                // Nobody will vote, so nobody has to be waited for.
                match is_short {
                    true => Acceptance::Accepted { hold_backs: 2 },
                    false => Acceptance::Undecided,
                }
            }
            Stage::Voting(_) | Stage::LeavesDue { .. } | Stage::Proven(_) | Stage::Void => {
                Acceptance::Undecided
            }
        }
    }

    fn is_challenged(gateway: &DeviceId, epoch: Epoch) -> bool {
        Challenges::<T>::contains_key(epoch, gateway) || Self::is_looked_at(gateway, epoch)
    }

    fn payees(gateway: &DeviceId, epoch: Epoch) -> Vec<AccountId32> {
        let audit = Audits::<T>::get(epoch, gateway);
        let passed = audit.into_iter().flat_map(|audit| audit.passed);
        passed
            .filter(|passed| passed.is_paid)
            .map(|passed| passed.auditor.owner)
            .collect()
    }
}
