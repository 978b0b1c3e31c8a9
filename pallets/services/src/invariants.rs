//! Recomputes the numbered invariants of the README from storage.

use crate::{
    Config, History, HoldReason, LatestPrices, NextId, Owned, Pallet, PriceLists, ProvenHosts,
    Services, Unproven,
};
use alloc::collections::BTreeMap;
use frame_support::{ensure, traits::fungible::InspectHold};
use pallet_edge_traits::EpochClock;
use selvedge_primitives_types::Planck;
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
    /// Checks every invariant; the error names the first one that is broken.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        Self::check_owners()?;
        Self::check_hosts()?;
        Self::check_terms()?;
        Self::check_prices()
    }

    fn check_owners() -> Result<(), TryRuntimeError> {
        let mut held: BTreeMap<T::AccountId, Planck> = BTreeMap::new();
        let mut services = 0usize;
        for (id, record) in Services::<T>::iter() {
            services += 1;
            ensure!(
                id < NextId::<T>::get(),
                "invariant 1: a service has an id never given out"
            );
            let listed = Owned::<T>::get(&record.owner)
                .iter()
                .filter(|one| **one == id)
                .count();
            ensure!(
                listed == 1,
                "invariant 1: a service is not listed once under its owner"
            );
            let sum = held.entry(record.owner.clone()).or_default();
            *sum = sum.saturating_add(record.held());
        }
        let listed: usize = Owned::<T>::iter().map(|(_, list)| list.len()).sum();
        ensure!(
            listed == services,
            "invariant 1: an owner lists a service that is gone"
        );
        for (owner, sum) in held {
            let on_hold = T::Currency::balance_on_hold(&HoldReason::Deposit.into(), &owner);
            ensure!(
                on_hold == sum,
                "invariant 2: the hold differs from the deposits"
            );
        }
        Ok(())
    }

    fn check_hosts() -> Result<(), TryRuntimeError> {
        for (id, record) in Services::<T>::iter() {
            for host in &record.hosts {
                let proven = ProvenHosts::<T>::get(&host.name) == Some(id);
                let unproven = Unproven::<T>::contains_key(id, &host.name);
                ensure!(
                    proven != unproven,
                    "invariant 3: a host is not proven or unproven"
                );
            }
        }
        let lists = |id, name: &[u8]| {
            Services::<T>::get(id).is_some_and(|record| record.position(name).is_some())
        };
        for (name, id) in ProvenHosts::<T>::iter() {
            ensure!(
                lists(id, &name),
                "invariant 3: a proven host belongs to no service"
            );
        }
        for (id, name, _) in Unproven::<T>::iter() {
            ensure!(
                lists(id, &name),
                "invariant 3: an unproven host belongs to no service"
            );
        }
        Ok(())
    }

    fn check_terms() -> Result<(), TryRuntimeError> {
        let next = T::Clock::current().next();
        for id in Services::<T>::iter_keys() {
            let history = History::<T>::get(id);
            ensure!(!history.is_empty(), "invariant 4: a service has no terms");
            for pair in history.windows(2) {
                ensure!(
                    pair[0].from < pair[1].from,
                    "invariant 4: terms are out of order"
                );
                ensure!(
                    !pair[0].same_as(&pair[1]),
                    "invariant 4: a change changes nothing"
                );
            }
            for terms in &history {
                ensure!(
                    terms.from <= next,
                    "invariant 4: terms begin after the next epoch"
                );
                ensure!(terms.cap > 0, "invariant 4: a cap is zero");
                let list = PriceLists::<T>::get(terms.price_version);
                ensure!(
                    list.is_some_and(|list| list.effective <= terms.from),
                    "invariant 4: a pinned price list is not in force"
                );
            }
        }
        for id in History::<T>::iter_keys() {
            ensure!(
                Services::<T>::contains_key(id),
                "invariant 4: terms of no service"
            );
        }
        Ok(())
    }

    fn check_prices() -> Result<(), TryRuntimeError> {
        let latest = LatestPrices::<T>::get();
        let count = PriceLists::<T>::iter_keys().count();
        let known = (1..=latest).all(PriceLists::<T>::contains_key);
        ensure!(
            known && count == latest as usize,
            "invariant 5: price lists have a gap"
        );
        Ok(())
    }
}
