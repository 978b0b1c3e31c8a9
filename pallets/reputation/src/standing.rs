//! Who is out until it rejoins, and disputes about regions.

use crate::{
    report::is_probed,
    types::{Closing, Dispute, Exclusion, Explanation, Reason},
    Config, Disputes, Error, Event, HoldReason, Observations, Out, Pallet, Period, ProbeRecords,
    Scores,
};
use frame_support::{
    ensure,
    traits::{
        fungible::{hold::Balanced as _, MutateHold},
        tokens::Precision,
        Get, OnUnbalanced,
    },
};
use pallet_edge_traits::{DeviceInspect, EpochClock, StakeInspect};
use selvedge_primitives_math::probe::Place;
use selvedge_primitives_types::{DeviceId, StakeId};
use sp_core::crypto::AccountId32;
use sp_runtime::{traits::Convert, DispatchResult};

impl<T: Config> Pallet<T> {
    /// Whether a node is out until it rejoins.
    pub fn is_out(device: &DeviceId) -> bool {
        T::Stakes::stake_of(device).is_some_and(|(stake, _)| Out::<T>::contains_key(stake))
    }

    /// Every component of a device's score with its inputs; `None` for a device that is not registered.
    pub fn explain(device: &DeviceId) -> Option<Explanation> {
        let info = T::Devices::device(device)?;
        let stake = T::Stakes::stake_of(device).map(|(stake, _)| stake);
        let current = stake.map(|stake| Observations::<T>::get(Period::<T>::get(), stake));
        Some(Explanation {
            score: stake.and_then(Scores::<T>::get).unwrap_or_default(),
            probes: stake.and_then(ProbeRecords::<T>::get).unwrap_or_default(),
            current: current.map(|seen| seen.observed).unwrap_or_default(),
            expected: T::Expected::convert(info.role),
            draining: info.draining,
            out: stake.and_then(Out::<T>::get),
            disputed: Disputes::<T>::get(device).map(|dispute| dispute.since),
        })
    }

    pub(crate) fn exclude(stake: StakeId, device: DeviceId, reason: Reason) {
        let since = T::Clock::current();
        let out = Exclusion {
            since,
            device,
            reason,
        };
        Out::<T>::insert(stake, out);
        Self::deposit_event(Event::NodeOut { device, reason });
    }

    pub(crate) fn do_rejoin(who: &AccountId32, device: DeviceId) -> DispatchResult {
        let info = T::Devices::device(&device).ok_or(Error::<T>::UnknownDevice)?;
        ensure!(info.operator == *who, Error::<T>::NotOperator);
        let (stake, _) = T::Stakes::stake_of(&device).ok_or(Error::<T>::NotOut)?;
        let out = Out::<T>::get(stake).ok_or(Error::<T>::NotOut)?;
        ensure!(T::Clock::current() > out.since, Error::<T>::TooSoon);
        ensure!(
            out.device != device || out.reason != Reason::RegionDisproved(info.region),
            Error::<T>::RegionIsDisproved
        );
        Out::<T>::remove(stake);
        Self::deposit_event(Event::NodeRejoined { device });
        Ok(())
    }

    pub(crate) fn do_dispute(by: AccountId32, device: DeviceId) -> DispatchResult {
        let info = T::Devices::device(&device).ok_or(Error::<T>::UnknownDevice)?;
        let since = T::Clock::current();
        let is_node = is_probed(info.role) && T::Stakes::is_active(&device, info.role, since);
        ensure!(is_node && !Self::is_out(&device), Error::<T>::NotProbed);
        ensure!(
            !Disputes::<T>::contains_key(device),
            Error::<T>::AlreadyDisputed
        );
        let bond = T::DisputeBond::get();
        T::Currency::hold(&HoldReason::RegionDispute.into(), &by, bond)?;
        Disputes::<T>::insert(
            device,
            Dispute {
                by: by.clone(),
                bond,
                since,
            },
        );
        let region = info.region;
        Self::deposit_event(Event::RegionDisputed { device, region, by });
        Ok(())
    }

    pub(crate) fn do_withdraw(who: &AccountId32, device: DeviceId) -> DispatchResult {
        let dispute = Disputes::<T>::get(device).ok_or(Error::<T>::NotDisputed)?;
        ensure!(dispute.by == *who, Error::<T>::NotDisputant);
        let two_eras = T::Clock::epochs_per_era().saturating_mul(2);
        ensure!(
            T::Clock::current().since(dispute.since) > two_eras,
            Error::<T>::StillOpen
        );
        Self::release(device, &dispute)?;
        Self::deposit_event(Event::DisputeDecided {
            device,
            place: Place::Unknown,
        });
        Ok(())
    }

    /// Decides a dispute by an era that began after it and in which the node's stake was on no other device; returns
    /// whether its region is disproved.
    pub(crate) fn decide_dispute(closing: &Closing, device: &DeviceId, place: Place) -> bool {
        let Some(dispute) = Disputes::<T>::get(device) else {
            return false;
        };
        if dispute.since >= closing.from {
            return false;
        }
        if place == Place::Plausible {
            let reason = HoldReason::RegionDispute.into();
            let (credit, short) = T::Currency::slash(&reason, &dispute.by, dispute.bond);
            debug_assert_eq!(short, 0, "invariant 6: the hold covers the bond");
            T::BondDestination::on_unbalanced(credit);
            Disputes::<T>::remove(device);
        } else if let Err(error) = Self::release(*device, &dispute) {
            log::error!(target: "edge-reputation", "{device}: a bond cannot be released: {error:?}");
            return false;
        }
        Self::deposit_event(Event::DisputeDecided {
            device: *device,
            place,
        });
        place.is_implausible()
    }

    fn release(device: DeviceId, dispute: &Dispute<AccountId32>) -> DispatchResult {
        T::Currency::release(
            &HoldReason::RegionDispute.into(),
            &dispute.by,
            dispute.bond,
            Precision::Exact,
        )?;
        Disputes::<T>::remove(device);
        Ok(())
    }
}
