//! Recomputes the numbered invariants of the README from storage.

use crate::{Authored, Blocks, Close, Config, Matured, Medians, Pallet, Period, Samples, Scores};
use frame_support::ensure;
use selvedge_primitives_types::Score;

impl<T: Config> Pallet<T> {
    /// Checks every invariant; the text names the one that is broken.
    pub fn check_invariants() -> Result<(), &'static str> {
        ensure!(
            Scores::<T>::iter_values()
                .all(|record| record.service <= Score::MAX && record.quality <= Score::ONE),
            "invariant 1: scores lie between 0 and 1.5, quality at most 1"
        );
        let (current, closing) = (Period::<T>::get(), Close::<T>::get());
        let is_known =
            |period| period == current || closing.is_some_and(|closing| closing.period == period);
        ensure!(
            Matured::<T>::iter_keys().all(|(period, _)| is_known(period))
                && Authored::<T>::iter_keys().all(|(period, _)| is_known(period))
                && Blocks::<T>::iter_keys().all(is_known),
            "invariant 2: only the current period and the one being closed are counted"
        );
        ensure!(
            closing.is_some()
                || Samples::<T>::iter_keys().next().is_none()
                    && Medians::<T>::iter_keys().next().is_none(),
            "invariant 2: samples and medians exist only during a close"
        );
        // During a close, what was counted for its era is on its way out.
        let authored: u32 = Authored::<T>::iter_prefix_values(current).sum();
        ensure!(
            Blocks::<T>::get(current) == authored,
            "invariant 3: the blocks of a period are those its validators authored"
        );
        Ok(())
    }
}
