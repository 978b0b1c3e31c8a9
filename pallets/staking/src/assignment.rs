//! How a stake comes onto a device and leaves it again.

use crate::{
    ActiveByRole, Assignments, Config, Error, Event, Leaving, Listed, Pallet, Span, Stake,
};
use frame_support::pallet_prelude::*;
use pallet_edge_traits::{genesis_hash, is_signed_by_device, DeviceInspect, EpochClock, OnAbsence};
use selvedge_primitives_types::{
    signing::AssignStakePayload, Account, DeviceId, Domain, Epoch, Signature64, StakeId,
};
use sp_runtime::traits::Convert;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_assign(
        stake: StakeId,
        entry: &mut Stake,
        device: DeviceId,
        signature: &Signature64,
    ) -> DispatchResult {
        ensure!(entry.device.is_none(), Error::<T>::AlreadyAssigned);
        let info = T::Devices::device(&device).ok_or(Error::<T>::UnknownDevice)?;
        ensure!(info.operator == entry.owner, Error::<T>::NotOperator);
        ensure!(info.role == entry.role, Error::<T>::WrongRole);
        let is_taken = Self::carried(&device).is_some_and(|span| span.until.is_none());
        ensure!(!is_taken, Error::<T>::DeviceTaken);
        let is_enough = entry.amount >= T::RoleAmount::convert(entry.role);
        ensure!(is_enough, Error::<T>::BelowRoleAmount);
        let from = T::Clock::current().next();
        let nodes = Self::count_at(entry.role, from);
        ensure!(nodes < T::MaxNodesPerRole::get(), Error::<T>::RoleFull);
        ensure!(
            Self::has_agreed(stake, entry, &device, signature),
            Error::<T>::InvalidSignature
        );
        Self::join(stake, entry, device, from)?;
        Self::deposit_event(Event::StakeAssigned {
            stake,
            device,
            from,
        });
        Ok(())
    }

    /// Whether the device signed that it carries this stake for this owner, for the number of earlier assignments.
    fn has_agreed(
        stake: StakeId,
        entry: &Stake,
        device: &DeviceId,
        signature: &Signature64,
    ) -> bool {
        let payload = AssignStakePayload {
            stake,
            owner: Account(entry.owner.clone().into()),
            device: *device,
            nonce: entry.assignments,
        };
        let genesis = genesis_hash::<T>();
        is_signed_by_device(&genesis, device, Domain::AssignStake, &payload, signature)
    }

    /// Puts the stake onto the device, from this epoch on.
    pub(crate) fn join(
        stake: StakeId,
        entry: &mut Stake,
        device: DeviceId,
        from: Epoch,
    ) -> DispatchResult {
        let span = Span {
            stake,
            owner: entry.owner.clone(),
            role: entry.role,
            from,
            until: None,
            since: T::Clock::now(),
        };
        Assignments::<T>::try_mutate(device, |spans| {
            Self::forget(spans);
            spans
                .try_push(span)
                .map_err(|_| Error::<T>::TooManyAssignments)
        })?;
        ActiveByRole::<T>::mutate(entry.role, device, |row| {
            *row = Some(match *row {
                // The device changes stakes without a gap.
                Some(row) if row.until == Some(from) => Listed {
                    stake,
                    until: None,
                    ..row
                },
                _ => Listed {
                    stake,
                    from,
                    until: None,
                },
            });
        });
        Self::shift_count(entry.role, from, |nodes| nodes.saturating_add(1));
        if let Some(left) = entry.inactive_from.filter(|left| *left < from) {
            T::OnAbsence::on_absence(stake, left, from);
        }
        entry.device = Some(device);
        entry.assignments = entry.assignments.saturating_add(1);
        Ok(())
    }

    pub(crate) fn do_unassign(stake: StakeId, entry: &mut Stake) -> DispatchResult {
        ensure!(entry.device.is_some(), Error::<T>::NotAssigned);
        let is_full = Leaving::<T>::decode_len().unwrap_or(0) >= crate::types::MAX_LEAVING as usize;
        ensure!(!is_full, Error::<T>::TooManyLeaving);
        Self::leave(stake, entry);
        Ok(())
    }

    /// Takes the stake off its device at the end of the epoch; an assignment that is not active yet is undone.
    pub(crate) fn leave(stake: StakeId, entry: &mut Stake) {
        let Some(device) = entry.device.take() else {
            return;
        };
        let next = T::Clock::current().next();
        let was_active = Assignments::<T>::mutate(device, |spans| match spans.last_mut() {
            Some(span) if span.from < next => {
                span.until = Some(next);
                true
            }
            _ => {
                spans.pop();
                false
            }
        });
        ActiveByRole::<T>::mutate_exists(entry.role, device, |row| match row {
            Some(row) if row.from < next => row.until = Some(next),
            row => *row = None,
        });
        if was_active {
            entry.inactive_from = Some(next);
            // A device that was forced out of a full epoch stays listed until the sweep finds it; it is not active.
            Leaving::<T>::mutate(|leaving| leaving.try_push((entry.role, device)).ok());
        }
        Self::shift_count(entry.role, next, |nodes| nodes.saturating_sub(1));
        Self::deposit_event(Event::StakeUnassigned {
            stake,
            device,
            from: next,
        });
    }
}
