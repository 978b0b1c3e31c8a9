//! Creates, changes and removes services, and holds what a place in storage costs.

use crate::{
    name::is_origin,
    types::{Host, HostName, OriginUrl, Service, Terms, TermsHistory},
    BalanceOf, Config, Error, Event, History, HoldReason, NextId, Owned, Pallet, PriceLists,
    Services,
};
use alloc::vec::Vec;
use frame_support::{
    ensure,
    traits::{fungible::MutateHold, tokens::Precision, Get},
};
use pallet_edge_traits::EpochClock;
use selvedge_primitives_types::{Epoch, Planck, ServiceId};
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
    /// A service, if `who` owns it.
    pub(crate) fn owned_by(
        service: ServiceId,
        who: &T::AccountId,
    ) -> Result<Service<T::AccountId>, Error<T>> {
        let record = Services::<T>::get(service).ok_or(Error::<T>::UnknownService)?;
        ensure!(record.owner == *who, Error::<T>::NotOwner);
        Ok(record)
    }

    pub(crate) fn parse_origin(origin: Vec<u8>) -> Result<OriginUrl, Error<T>> {
        ensure!(is_origin(&origin), Error::<T>::OriginInvalid);
        origin.try_into().map_err(|_| Error::<T>::OriginInvalid)
    }

    /// Refuses a price list that is unknown or not in force in the epoch.
    pub(crate) fn ensure_prices(version: u32, epoch: Epoch) -> Result<(), Error<T>> {
        let list = PriceLists::<T>::get(version).ok_or(Error::<T>::UnknownPriceList)?;
        ensure!(list.effective <= epoch, Error::<T>::PriceListNotInForce);
        Ok(())
    }

    pub(crate) fn do_create(
        owner: T::AccountId,
        hosts: Vec<Vec<u8>>,
        origin: Vec<u8>,
        cap: Planck,
        price_version: u32,
    ) -> DispatchResult {
        let origin = Self::parse_origin(origin)?;
        ensure!(cap > 0, Error::<T>::CapIsZero);
        let now = T::Clock::current();
        Self::ensure_prices(price_version, now)?;

        let id = NextId::<T>::get();
        NextId::<T>::put(ServiceId(
            id.0.checked_add(1).ok_or(Error::<T>::TooManyServices)?,
        ));
        Owned::<T>::try_append(&owner, id).map_err(|()| Error::<T>::TooManyServices)?;

        let mut record = Service {
            owner: owner.clone(),
            origin,
            hosts: Default::default(),
            deposit: T::ServiceDeposit::get(),
        };
        for host in &hosts {
            Self::claim_host(id, &mut record, host, T::HostDeposit::get())?;
        }
        Self::hold(&owner, record.held())?;
        Services::<T>::insert(id, record);
        // Nothing was served or charged before, so the first terms may begin inside the current
        // epoch.
        let first = Terms {
            from: now,
            cap,
            price_version,
            active: true,
        };
        History::<T>::insert(id, TermsHistory::truncate_from(alloc::vec![first]));
        Self::ensure_covered(&owner)?;
        Self::deposit_event(Event::ServiceCreated {
            service: id,
            owner,
            cap,
            price_version,
        });
        Ok(())
    }

    pub(crate) fn do_add_host(
        who: T::AccountId,
        service: ServiceId,
        host: Vec<u8>,
    ) -> DispatchResult {
        let mut record = Self::owned_by(service, &who)?;
        let deposit = T::HostDeposit::get();
        Self::claim_host(service, &mut record, &host, deposit)?;
        Self::hold(&who, deposit)?;
        Services::<T>::insert(service, record);
        Ok(())
    }

    pub(crate) fn do_remove_host(
        who: T::AccountId,
        service: ServiceId,
        host: Vec<u8>,
    ) -> DispatchResult {
        let mut record = Self::owned_by(service, &who)?;
        let place = record.position(&host).ok_or(Error::<T>::HostNotListed)?;
        let Host { name, deposit } = record.hosts.remove(place);
        Self::forget_host(service, &name);
        Self::release(&who, deposit)?;
        Services::<T>::insert(service, record);
        Self::deposit_event(Event::HostRemoved { service, host });
        Ok(())
    }

    /// Pauses or resumes from the next epoch on.
    pub(crate) fn do_set_active(
        who: T::AccountId,
        service: ServiceId,
        active: bool,
    ) -> DispatchResult {
        Self::owned_by(service, &who)?;
        let refusal = if active {
            Error::<T>::NotPaused
        } else {
            Error::<T>::AlreadyPaused
        };
        ensure!(Self::latest_terms(service)?.active != active, refusal);
        let from = Self::change_terms(service, |terms| terms.active = active)?;
        if active {
            Self::ensure_covered(&who)?;
            Self::deposit_event(Event::Resumed { service, from });
        } else {
            Self::deposit_event(Event::Paused { service, from });
        }
        Ok(())
    }

    pub(crate) fn do_remove(who: T::AccountId, service: ServiceId) -> DispatchResult {
        let record = Self::owned_by(service, &who)?;
        let terms = Self::latest_terms(service)?;
        ensure!(!terms.active, Error::<T>::NotPaused);
        ensure!(
            T::Clock::current() >= terms.from.plus(T::HistoryDepth::get()),
            Error::<T>::StillUnsettled
        );
        Self::erase(who, service, record)
    }

    /// Forgets a service and releases what was held for it.
    pub(crate) fn erase(
        who: T::AccountId,
        service: ServiceId,
        record: Service<T::AccountId>,
    ) -> DispatchResult {
        let names: Vec<HostName> = record.hosts.iter().map(|host| host.name.clone()).collect();
        for name in &names {
            Self::forget_host(service, name);
        }
        let pins = Self::forget_content(service);
        Self::release(&who, record.held().saturating_add(pins))?;
        Services::<T>::remove(service);
        History::<T>::remove(service);
        Owned::<T>::mutate_exists(&who, |owned| {
            if let Some(list) = owned {
                list.retain(|id| *id != service);
                if list.is_empty() {
                    *owned = None;
                }
            }
        });
        Self::deposit_event(Event::ServiceRemoved {
            service,
            owner: who,
        });
        Ok(())
    }

    pub(crate) fn hold(who: &T::AccountId, amount: BalanceOf<T>) -> DispatchResult {
        T::Currency::hold(&HoldReason::Deposit.into(), who, amount)
    }

    pub(crate) fn release(who: &T::AccountId, amount: BalanceOf<T>) -> Result<(), DispatchError> {
        T::Currency::release(&HoldReason::Deposit.into(), who, amount, Precision::Exact).map(|_| ())
    }
}
