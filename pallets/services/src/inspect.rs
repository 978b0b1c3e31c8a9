//! Answers what other pallets, the node's config and wallets ask of services.

use crate::{
    content::most_in,
    terms::{highest_cap, in_force},
    types::{Service, ServiceSummary},
    Config, Contents, History, KeptBytes, Owned, Pallet, PriceLists, ProvenHosts, Services,
};
use alloc::vec::Vec;
use pallet_edge_traits::{EpochClock, ServiceInspect, ServiceTerms};
use selvedge_primitives_types::{ContentConfig, Epoch, Planck, Prices, ServiceId};

impl<T: Config> ServiceInspect<T::AccountId> for Pallet<T> {
    fn terms_at(service: ServiceId, epoch: Epoch) -> Option<ServiceTerms<T::AccountId>> {
        let terms = *in_force(&History::<T>::get(service), epoch)?;
        Some(ServiceTerms {
            owner: Services::<T>::get(service)?.owner,
            cap: terms.cap,
            price_version: terms.price_version,
            active: terms.active,
        })
    }

    fn caps_of(owner: &T::AccountId, from: Epoch, to: Epoch) -> Planck {
        Self::sum_of_caps(owner, from, to)
    }

    fn prices(version: u32) -> Option<Prices> {
        PriceLists::<T>::get(version).map(|list| list.prices)
    }

    fn kept_at(service: ServiceId, epoch: Epoch) -> u64 {
        most_in(&KeptBytes::<T>::get(service), epoch)
    }
}

impl<T: Config> Pallet<T> {
    /// Sum of the highest chargeable caps of the owner's services over `from..=to`; a paused one
    /// counts nothing.
    pub(crate) fn sum_of_caps(owner: &T::AccountId, from: Epoch, to: Epoch) -> Planck {
        Owned::<T>::get(owner)
            .iter()
            .map(|service| highest_cap(&History::<T>::get(service), from, to))
            .fold(0, Planck::saturating_add)
    }

    /// A service with its terms in an epoch; `None` when it is unknown or did not exist yet.
    pub fn summary_at(service: ServiceId, epoch: Epoch) -> Option<ServiceSummary<T::AccountId>> {
        Self::summarise(service, Services::<T>::get(service)?, epoch)
    }

    /// The services of an account with their terms in the current epoch, in order of their ids.
    pub fn summaries_of(owner: &T::AccountId) -> Vec<ServiceSummary<T::AccountId>> {
        let now = T::Clock::current();
        Owned::<T>::get(owner)
            .iter()
            .filter_map(|id| Self::summary_at(*id, now))
            .collect()
    }

    /// Every service with its terms in an epoch, in order of the ids. It walks all of them: for
    /// off-chain use only.
    pub fn summaries_at(epoch: Epoch) -> Vec<ServiceSummary<T::AccountId>> {
        let mut all: Vec<_> = Services::<T>::iter()
            .filter_map(|(id, record)| Self::summarise(id, record, epoch))
            .collect();
        all.sort_unstable_by_key(|summary| summary.id);
        all
    }

    /// Who owns a service; `None` if it is unknown.
    pub fn owner_of(service: ServiceId) -> Option<T::AccountId> {
        Services::<T>::get(service).map(|record| record.owner)
    }

    /// What a service keeps in the network, as nodes need to know it.
    pub fn content_of(service: ServiceId) -> ContentConfig {
        let content = Contents::<T>::get(service);
        ContentConfig {
            site: content.target(&content.site),
            rules: content.target(&content.rules),
            pins: content.pins.iter().map(|one| one.pin).collect(),
        }
    }

    fn summarise(
        id: ServiceId,
        record: Service<T::AccountId>,
        epoch: Epoch,
    ) -> Option<ServiceSummary<T::AccountId>> {
        let history = History::<T>::get(id);
        let terms = *in_force(&history, epoch)?;
        let hosts = record.hosts.into_iter().map(|host| {
            let proven = ProvenHosts::<T>::get(&host.name) == Some(id);
            (host.name.into_inner(), proven)
        });
        Some(ServiceSummary {
            id,
            owner: record.owner,
            hosts: hosts.collect(),
            origin: record.origin.into_inner(),
            terms,
            pending: history.last().filter(|last| last.from > epoch).copied(),
        })
    }
}
