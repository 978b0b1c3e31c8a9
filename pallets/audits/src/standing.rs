//! Tells whose commitments are looked at more closely: those of gateways that are young, and of operators that were at fault.

use crate::{types::Audit, Audits, Config, Faults, Pallet};
use frame_support::traits::Get;
use pallet_edge_traits::{EpochClock, StakeInspect};
use selvedge_primitives_math::draw::draws_for;
use selvedge_primitives_types::{DeviceId, Epoch};
use sp_runtime::AccountId32;

impl<T: Config> Pallet<T> {
    /// Leaves that are drawn of a commitment which is made now.
    pub(crate) fn draws_of(
        gateway: &DeviceId,
        epoch: Epoch,
        operator: Option<&AccountId32>,
    ) -> u32 {
        let is_young = T::Stakes::assigned_at(gateway, epoch)
            .is_some_and(|since| T::Clock::now().0.saturating_sub(since.0) < T::YoungFor::get());
        draws_for(is_young, operator.is_some_and(Faults::<T>::contains_key))
    }

    /// Notes that a commitment was false, or that its leaves were withheld.
    pub(crate) fn note_fault(gateway: &DeviceId, epoch: Epoch) {
        let audit = Audits::<T>::get(epoch, gateway);
        if let Some(operator) = audit.and_then(|audit| audit.operator) {
            Faults::<T>::mutate(operator, |last| {
                *last = Some(last.map_or(epoch, |last| last.max(epoch)));
            });
        }
    }

    /// Forgets a fault with the audit that it was found in.
    pub(crate) fn forget_fault(epoch: Epoch, audit: Audit) {
        if let Some(operator) = audit.operator {
            Faults::<T>::mutate_exists(operator, |last| {
                *last = last.filter(|last| *last > epoch);
            });
        }
    }
}
