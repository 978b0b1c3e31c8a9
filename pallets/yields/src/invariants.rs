//! Recomputes the numbered invariants of the README from storage.

use crate::{
    close::slot, Claims, Close, Config, History, LastEra, Matured, Pallet, Payout, Payouts, Period,
    Totals,
};
use frame_support::{ensure, traits::fungible::Inspect};

impl<T: Config> Pallet<T> {
    /// Checks every invariant; the text names the one that is broken.
    pub fn check_invariants() -> Result<(), &'static str> {
        ensure!(
            Self::owed() <= T::Currency::balance(&Self::pool_account()),
            "invariant 1: the pool covers everything granted and not yet claimed"
        );
        let mut sums = Payout::default();
        for payout in Payouts::<T>::iter_values() {
            ensure!(
                payout.claimed <= payout.payable,
                "invariant 2: nobody claimed more than was granted"
            );
            sums.payable += payout.payable;
            sums.claimed += payout.claimed;
        }
        ensure!(
            sums == Totals::<T>::get(),
            "invariant 2: the totals are the sums of the payouts"
        );
        let closing = Close::<T>::get();
        ensure!(
            LastEra::<T>::get()
                .into_iter()
                .chain(closing.map(|closing| closing.books))
                .all(|books| books.granted.is_within(&books.emission)),
            "invariant 3: grants are at most the emission, per sub-pool"
        );
        let current = Period::<T>::get();
        ensure!(
            Matured::<T>::iter_keys().all(|(period, _)| period == current
                || closing.is_some_and(|closing| closing.period == period)),
            "invariant 4: only the current period and the one being closed are counted"
        );
        ensure!(
            closing.is_some() || Claims::<T>::iter_keys().next().is_none(),
            "invariant 4: claims exist only during a close"
        );
        ensure!(
            History::<T>::iter().all(|(_, place, earning)| place == slot(earning.era)
                && earning.base <= earning.basis.base
                && earning.activity <= earning.basis.activity()),
            "invariant 5: an earning lies in the place of its era, and is at most what was claimed"
        );
        Ok(())
    }
}
