//! Keeps the terms of a service by epoch: changes begin with the next epoch, and what claims may
//! still be about stays.

use crate::{
    types::{Terms, TermsHistory},
    Config, Error, History, Pallet,
};
use frame_support::traits::Get;
use pallet_edge_traits::{EpochClock, PrepaidInspect};
use selvedge_primitives_types::{Epoch, Planck, ServiceId};
use sp_runtime::DispatchResult;

/// Terms in force in an epoch; `None` before the first ones.
pub(crate) fn in_force(history: &[Terms], epoch: Epoch) -> Option<&Terms> {
    history.iter().rev().find(|terms| terms.from <= epoch)
}

/// The highest cap that was chargeable in any epoch of `from..=to`.
pub(crate) fn highest_cap(history: &[Terms], from: Epoch, to: Epoch) -> Planck {
    let ends = history
        .iter()
        .skip(1)
        .map(|next| next.from)
        .chain([Epoch(u64::MAX)]);
    history
        .iter()
        .zip(ends)
        .filter(|(terms, end)| terms.from <= to && *end > from)
        .map(|(terms, _)| terms.chargeable())
        .max()
        .unwrap_or_default()
}

/// Lets `change` edit the latest terms, to begin in `next`.
///
/// A change that is pending for the same epoch is replaced, and dropped when it comes to nothing.
/// Terms that no longer matter after `horizon` are forgotten first. Returns `false` when the
/// history is full.
pub(crate) fn amend(
    history: &mut TermsHistory,
    next: Epoch,
    horizon: Epoch,
    change: impl FnOnce(&mut Terms),
) -> bool {
    let Some(mut terms) = history.last().copied() else {
        return false;
    };
    if terms.from == next {
        history.pop();
    }
    change(&mut terms);
    terms.from = next;
    if history.last().is_some_and(|before| before.same_as(&terms)) {
        return true;
    }
    if let Some(oldest) = history.iter().rposition(|terms| terms.from <= horizon) {
        history.drain(..oldest);
    }
    history.try_push(terms).is_ok()
}

impl<T: Config> Pallet<T> {
    /// Changes the terms of a service from the next epoch on; returns that epoch.
    pub(crate) fn change_terms(
        service: ServiceId,
        change: impl FnOnce(&mut Terms),
    ) -> Result<Epoch, Error<T>> {
        let now = T::Clock::current();
        let next = now.next();
        History::<T>::try_mutate(service, |history| {
            amend(history, next, now.minus(T::HistoryDepth::get()), change)
                .then_some(next)
                .ok_or(Error::<T>::TooManyChanges)
        })
    }

    /// The terms a change of now would start from: pending ones, if there are any.
    pub(crate) fn latest_terms(service: ServiceId) -> Result<Terms, Error<T>> {
        History::<T>::get(service)
            .last()
            .copied()
            .ok_or(Error::<T>::UnknownService)
    }

    /// Refuses unless the owner's balance covers all caps as they stand now, pending changes
    /// included.
    pub(crate) fn ensure_covered(owner: &T::AccountId) -> DispatchResult {
        let now = T::Clock::current();
        T::Prepaid::ensure_covers(owner, Self::sum_of_caps(owner, now, now.next()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(from: u64, cap: Planck, active: bool) -> Terms {
        Terms {
            from: Epoch(from),
            cap,
            price_version: 1,
            active,
        }
    }

    fn history(list: &[Terms]) -> TermsHistory {
        list.to_vec().try_into().unwrap()
    }

    #[test]
    fn terms_hold_until_the_next_begin() {
        let history = history(&[terms(3, 10, true), terms(7, 20, true)]);
        assert_eq!(in_force(&history, Epoch(2)), None);
        assert_eq!(in_force(&history, Epoch(3)).map(|t| t.cap), Some(10));
        assert_eq!(in_force(&history, Epoch(6)).map(|t| t.cap), Some(10));
        assert_eq!(in_force(&history, Epoch(7)).map(|t| t.cap), Some(20));
    }

    #[test]
    fn the_highest_cap_of_a_window_counts_its_edges() {
        let history = history(&[terms(3, 50, true), terms(5, 90, false), terms(7, 20, true)]);
        assert_eq!(highest_cap(&history, Epoch(0), Epoch(2)), 0);
        assert_eq!(highest_cap(&history, Epoch(0), Epoch(3)), 50);
        assert_eq!(highest_cap(&history, Epoch(4), Epoch(9)), 50);
        assert_eq!(highest_cap(&history, Epoch(5), Epoch(6)), 0, "paused");
        assert_eq!(highest_cap(&history, Epoch(5), Epoch(7)), 20);
    }

    #[test]
    fn changes_of_one_epoch_merge_and_may_come_to_nothing() {
        let mut list = history(&[terms(1, 10, true)]);
        assert!(amend(&mut list, Epoch(4), Epoch(0), |t| t.cap = 20));
        assert!(amend(&mut list, Epoch(4), Epoch(0), |t| t.active = false));
        assert_eq!(list.to_vec(), [terms(1, 10, true), terms(4, 20, false)]);
        assert!(amend(&mut list, Epoch(4), Epoch(0), |t| (
            t.cap, t.active
        ) = (10, true)));
        assert_eq!(list.to_vec(), [terms(1, 10, true)]);
    }

    #[test]
    fn forgetting_keeps_what_was_in_force_at_the_horizon() {
        let mut list = history(&[terms(1, 1, true), terms(2, 2, true), terms(6, 3, true)]);
        assert!(amend(&mut list, Epoch(9), Epoch(5), |t| t.cap = 4));
        assert_eq!(
            list.iter()
                .map(|t| t.from.0)
                .collect::<alloc::vec::Vec<_>>(),
            [2, 6, 9]
        );
    }

    #[test]
    fn a_full_history_takes_no_more() {
        let all: alloc::vec::Vec<_> = (0..32).map(|i| terms(i, i as u128, true)).collect();
        let mut list = history(&all);
        assert!(!amend(&mut list, Epoch(40), Epoch(0), |t| t.cap = 99));
        assert!(amend(&mut list, Epoch(40), Epoch(1), |t| t.cap = 99));
    }
}
