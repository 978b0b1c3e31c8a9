//! Tells a gateway's off-chain worker what it can do now.

use crate::{types::*, Config, Open, Pallet};
use alloc::vec::Vec;
use pallet_edge_traits::{EpochClock, Job, Settlement, StakeInspect};
use selvedge_primitives_types::{DeviceId, Epoch, Role};
use sp_runtime::traits::UniqueSaturatedInto;

impl<T: Config> Pallet<T> {
    /// Ended epochs that the gateway may still commit, the newest first: it is the one that is not
    /// late yet.
    fn committable(device: &DeviceId) -> impl Iterator<Item = Epoch> + '_ {
        let now = T::Clock::current();
        (1..=now.0)
            .map(move |back| now.minus(back))
            .take_while(|epoch| Self::may_be_committed(*epoch))
            .filter(|epoch| {
                Self::commitment(device, *epoch).is_none()
                    && T::Stakes::is_active(device, Role::Gateway, *epoch)
            })
    }

    /// The next step of an open commitment, if one can be taken now.
    fn step(device: &DeviceId, epoch: Epoch) -> Option<Job> {
        let record = Self::commitment(device, epoch)?;
        match record.status {
            Status::Pending | Status::Settling(_) => (Self::accepted(&record).is_some()
                || Self::has_lapsed(&record))
            .then(|| {
                Self::settle_cursor(&record)
                    .ok()
                    .map(|cursor| Job::Settle(epoch, cursor))
            })
            .flatten(),
            Status::HeldBack { .. } | Status::Crediting(_) => Self::credit_cursor(&record)
                .ok()
                .filter(|_| !Self::is_paying(&record) || Self::paced(&record, 1).is_ok())
                .map(|cursor| Job::Credit(epoch, cursor)),
            Status::Refunding(cursor) => Some(Job::Refund(epoch, cursor)),
            Status::Credited | Status::Void => None,
        }
    }
}

impl<T: Config> Settlement for Pallet<T> {
    /// Commitments and steps of open ones by turns, so that neither crowds out the other; the steps
    /// begin elsewhere in each block, so that one whose data is lost does not hide the rest.
    fn jobs(device: &DeviceId, limit: u32) -> Vec<Job> {
        let mut steps: Vec<_> = Open::<T>::get(device)
            .into_iter()
            .filter_map(|epoch| Self::step(device, epoch))
            .collect();
        if !steps.is_empty() {
            let block: u64 = frame_system::Pallet::<T>::block_number().unique_saturated_into();
            let turn = block % steps.len() as u64;
            steps.rotate_left(turn as usize);
        }
        let mut steps = steps.into_iter();
        let mut commits = Self::committable(device).map(Job::Commit);
        let mut jobs = Vec::new();
        while jobs.len() < limit as usize {
            let (commit, step) = (commits.next(), steps.next());
            if commit.is_none() && step.is_none() {
                break;
            }
            jobs.extend(commit.into_iter().chain(step));
        }
        jobs.truncate(limit as usize);
        jobs
    }

    fn committed(device: &DeviceId) -> Vec<Epoch> {
        Open::<T>::get(device).into_inner()
    }

    fn done_through(device: &DeviceId) -> Option<Epoch> {
        let now = T::Clock::current();
        // The epoch in use and those that may still be committed are not done.
        let mut first_open = now;
        while first_open.0 > 0 && Self::may_be_committed(first_open.minus(1)) {
            first_open = first_open.minus(1);
        }
        if let Some(oldest) = Open::<T>::get(device).first() {
            first_open = first_open.min(*oldest);
        }
        first_open.0.checked_sub(1).map(Epoch)
    }
}
