//! Publishes price lists: immutable, numbered from 1, in force after notice.

use crate::{
    types::{PublishedPrices, MAX_PRICE_LISTS},
    Config, Error, Event, LatestPrices, Pallet, PriceLists,
};
use alloc::vec::Vec;
use frame_support::{ensure, traits::Get};
use pallet_edge_traits::EpochClock;
use selvedge_primitives_types::{Epoch, PriceList, Prices};
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_publish(prices: Prices) -> DispatchResult {
        let version = LatestPrices::<T>::get().saturating_add(1);
        ensure!(version <= MAX_PRICE_LISTS, Error::<T>::TooManyPriceLists);
        let effective = T::Clock::current().next().plus(T::PriceNotice::get());
        PriceLists::<T>::insert(version, PublishedPrices { prices, effective });
        LatestPrices::<T>::put(version);
        Self::deposit_event(Event::PricesPublished { version, effective });
        Ok(())
    }

    /// All published lists with the first epoch a service may pin them for, in order of their
    /// versions.
    pub fn price_lists() -> Vec<(PriceList, Epoch)> {
        (1..=LatestPrices::<T>::get())
            .filter_map(|version| {
                let list = PriceLists::<T>::get(version)?;
                Some((
                    PriceList {
                        version,
                        prices: list.prices,
                    },
                    list.effective,
                ))
            })
            .collect()
    }
}
