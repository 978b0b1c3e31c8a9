//! How an entry of the register is made, changed, read and removed.

use crate::{
    address, Address, Config, Device, Devices, Error, Event, GenesisDevice, HoldReason, Pallet,
};
use alloc::{collections::BinaryHeap, vec::Vec};
use frame_support::{
    pallet_prelude::*,
    traits::{fungible::MutateHold, tokens::Precision},
};
use pallet_edge_traits::{
    genesis_hash, is_signed_by_device, DeviceInfo, DeviceInspect, EpochClock, StakeInspect,
};
use selvedge_primitives_types::{
    signing::RegisterDevicePayload, Account, DeviceId, Domain, Epoch, Signature64,
};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_register(
        device: DeviceId,
        entry: Device<T::AccountId>,
        until: Epoch,
        signature: &Signature64,
    ) -> DispatchResult {
        ensure!(
            !Devices::<T>::contains_key(device),
            Error::<T>::AlreadyRegistered
        );
        Self::ensure_well_formed(&device, &entry)?;
        let now = T::Clock::current();
        ensure!(until >= now, Error::<T>::AgreementOver);
        ensure!(
            until <= Self::last_agreement(now),
            Error::<T>::AgreementTooLong
        );
        ensure!(
            Self::has_agreed(&device, &entry, until, signature),
            Error::<T>::InvalidSignature
        );
        T::Currency::hold(&HoldReason::Device.into(), &entry.operator, entry.deposit)?;
        Self::deposit_event(Event::DeviceRegistered {
            device,
            operator: entry.operator.clone(),
            role: entry.role,
            region: entry.region,
        });
        Devices::<T>::insert(device, entry);
        Ok(())
    }

    /// The last epoch that an agreement used in epoch `now` may name: an era ahead.
    fn last_agreement(now: Epoch) -> Epoch {
        now.plus(T::Clock::epochs_per_era())
    }

    /// The epoch from which a device registered in the current one can be retired. Nothing that it agreed to before
    /// holds any longer then, so that no tomb has to be kept.
    pub(crate) fn free_from() -> Epoch {
        Self::last_agreement(T::Clock::current()).next()
    }

    /// Whether the device signed that this operator may manage it with this agent key, on this network, until then.
    fn has_agreed(
        device: &DeviceId,
        entry: &Device<T::AccountId>,
        until: Epoch,
        signature: &Signature64,
    ) -> bool {
        let payload = RegisterDevicePayload {
            operator: Account(entry.operator.clone().into()),
            device: *device,
            agent_key: entry.agent_key,
            until,
        };
        let genesis = genesis_hash::<T>();
        is_signed_by_device(
            &genesis,
            device,
            Domain::RegisterDevice,
            &payload,
            signature,
        )
    }

    pub(crate) fn register_at_genesis(device: &GenesisDevice<T::AccountId>) -> DispatchResult {
        let address = |text: &str| Address::try_from(text.as_bytes().to_vec());
        let entry = Device {
            operator: device.operator.clone(),
            role: device.role,
            region: device.region,
            endpoint: address(&device.endpoint).map_err(|_| Error::<T>::InvalidEndpoint)?,
            public_url: address(&device.public_url).map_err(|_| Error::<T>::InvalidUrl)?,
            capacity: device.capacity,
            agent_key: device.agent_key,
            drain: None,
            deposit: 0,
            // It signed nothing.
            free_from: Epoch(0),
        };
        ensure!(
            !Devices::<T>::contains_key(device.device),
            Error::<T>::AlreadyRegistered
        );
        Self::ensure_well_formed(&device.device, &entry)?;
        Devices::<T>::insert(device.device, entry);
        Ok(())
    }

    pub(crate) fn do_retire(operator: &T::AccountId, device: DeviceId) -> DispatchResult {
        let entry = Devices::<T>::get(device).ok_or(Error::<T>::UnknownDevice)?;
        ensure!(entry.operator == *operator, Error::<T>::NotOperator);
        ensure!(
            T::Stakes::stake_of(&device).is_none(),
            Error::<T>::StakeAssigned
        );
        ensure!(
            T::Clock::current() >= entry.free_from,
            Error::<T>::AgreementHolds
        );
        T::Currency::release(
            &HoldReason::Device.into(),
            operator,
            entry.deposit,
            Precision::Exact,
        )?;
        Devices::<T>::remove(device);
        Self::deposit_event(Event::DeviceRetired { device });
        Ok(())
    }

    /// Changes an entry on behalf of its operator.
    pub(crate) fn with_device(
        operator: &T::AccountId,
        device: DeviceId,
        change: impl FnOnce(&mut Device<T::AccountId>) -> DispatchResult,
    ) -> DispatchResult {
        Devices::<T>::try_mutate(device, |entry| {
            let entry = entry.as_mut().ok_or(Error::<T>::UnknownDevice)?;
            ensure!(entry.operator == *operator, Error::<T>::NotOperator);
            change(entry)
        })
    }

    /// Invariant 2.
    pub(crate) fn ensure_well_formed(
        device: &DeviceId,
        entry: &Device<T::AccountId>,
    ) -> DispatchResult {
        ensure!(!device.is_none(), Error::<T>::InvalidDevice);
        ensure!(entry.region.is_valid(), Error::<T>::InvalidRegion);
        ensure!(
            address::is_endpoint(&entry.endpoint),
            Error::<T>::InvalidEndpoint
        );
        ensure!(
            address::is_base_url(&entry.public_url),
            Error::<T>::InvalidUrl
        );
        ensure!(entry.capacity > 0, Error::<T>::InvalidCapacity);
        ensure!(entry.agent_key != [0; 32], Error::<T>::InvalidAgentKey);
        Ok(())
    }

    /// Registered devices after `after` in the order of their ids, at most `limit`.
    ///
    /// Walks the whole register: for runtime APIs, never for a call.
    pub fn devices_after(after: Option<DeviceId>, limit: u32) -> Vec<DeviceId> {
        // The heap's greatest goes when it holds more than asked for.
        let mut lowest = BinaryHeap::new();
        let wanted =
            Devices::<T>::iter_keys().filter(|device| after.is_none_or(|after| *device > after));
        for device in wanted {
            lowest.push(device);
            if lowest.len() > limit as usize {
                lowest.pop();
            }
        }
        lowest.into_sorted_vec()
    }
}

impl<T: Config> DeviceInspect<T::AccountId> for Pallet<T> {
    fn device(device: &DeviceId) -> Option<DeviceInfo<T::AccountId>> {
        let entry = Devices::<T>::get(device)?;
        Some(DeviceInfo {
            operator: entry.operator,
            role: entry.role,
            region: entry.region,
            endpoint: entry.endpoint.into_inner(),
            public_url: entry.public_url.into_inner(),
            capacity: entry.capacity,
            agent_key: entry.agent_key,
            draining: entry
                .drain
                .is_some_and(|drain| drain.holds(T::Clock::current())),
        })
    }

    fn drained(device: &DeviceId, from: Epoch, to: Epoch) -> bool {
        Devices::<T>::get(device)
            .and_then(|entry| entry.drain)
            .is_some_and(|drain| drain.covers(from, to))
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn set_device(device: DeviceId, info: DeviceInfo<T::AccountId>) {
        let entry = Device {
            operator: info.operator,
            role: info.role,
            region: info.region,
            endpoint: Address::truncate_from(info.endpoint),
            public_url: Address::truncate_from(info.public_url),
            capacity: info.capacity,
            agent_key: info.agent_key,
            drain: None,
            deposit: 0,
            free_from: Epoch(0),
        };
        Devices::<T>::insert(device, entry);
    }
}
