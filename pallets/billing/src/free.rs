//! The free buffer: what a customer may use without being charged while a minimum deposit is held.
//!
//! An account that held the least deposit when an epoch began has the epoch's part of the month's buffer. It is leased
//! as the allowance is: among the account's services in proportion to their allowances in the epoch before, and equally
//! among gateways. All of it is settled when the epoch begins, so that who serves by it can be judged by it later.

use crate::{types::*, Accounts, Config, FreeBuffers, Pallet};
use frame_support::{traits::Get, weights::Weight};
use pallet_edge_traits::{EpochClock, OnEpoch, PrepaidInspect, ServiceInspect, StakeInspect};
use selvedge_primitives_math::ratio::mul_div;
use selvedge_primitives_types::{DeviceId, Epoch, Planck, Role, ServiceId, Usage};

/// A month of 365.25 / 12 days, in milliseconds.
const MONTH_MILLIS: u128 = 2_629_800_000;

impl<T: Config> Pallet<T> {
    /// What a gateway may serve for a service in an epoch without charge: nothing in the service's first epoch, nor when it
    /// is not served.
    pub fn free_lease_of(service: ServiceId, gateway: &DeviceId, epoch: Epoch) -> Usage {
        Self::free_lease(service, gateway, epoch).unwrap_or(Usage::ZERO)
    }

    fn free_lease(service: ServiceId, gateway: &DeviceId, epoch: Epoch) -> Option<Usage> {
        let before = Epoch(epoch.0.checked_sub(1)?);
        let terms = T::Services::terms_at(service, epoch)?;
        let cap = T::Services::terms_at(service, before)
            .filter(|terms| terms.active)?
            .cap;
        let account = Accounts::<T>::get(&terms.owner)?;
        let is_served = terms.active
            && account.deposited.at(epoch)
            && Self::is_funded_at(&terms.owner, epoch)
            && T::Stakes::is_active(gateway, Role::Gateway, epoch);
        if !is_served {
            return None;
        }
        let month = FreeBuffers::<T>::get()
            .iter()
            .rev()
            .find(|(from, _)| *from <= epoch)?
            .1;
        let caps = T::Services::caps_of(&terms.owner, before, before);
        let gateways = T::Stakes::active_count(Role::Gateway, epoch);
        let mut free = Usage::ZERO;
        for (class, units) in month.iter() {
            free = free.with(
                class,
                part(units, T::Clock::length().0, epoch, cap, (caps, gateways))?,
            );
        }
        Some(free)
    }

    /// Takes the month's buffer as it is governed now for the epochs from this one on.
    pub(crate) fn set_free_buffer(began: Epoch) {
        let month = T::FreeBuffer::get();
        let is_same = |known: &(Epoch, Usage)| known.1 == month;
        if FreeBuffers::<T>::get().last().is_some_and(is_same) {
            return;
        }
        FreeBuffers::<T>::mutate(|known| {
            let first = began.minus(MAX_UNSETTLED);
            while known.get(1).is_some_and(|(from, _)| *from <= first) {
                known.remove(0);
            }
            // One change per epoch, and fewer epochs than places.
            let _ = known.try_push((began, month));
        });
    }
}

/// An epoch's part of so many units a month, for a service with `cap` of the owner's `caps`, at one of the gateways.
///
/// It is what the parts of all epochs come to with this one, less what they come to without: rounding loses a unit in all
/// and not in each. `None` when nothing is shared out, or the numbers leave their range.
fn part(
    units: u64,
    length: u64,
    epoch: Epoch,
    cap: Planck,
    (caps, gateways): (Planck, u32),
) -> Option<u64> {
    let whole = caps
        .checked_mul(gateways.into())?
        .checked_mul(MONTH_MILLIS)?;
    let until = |epochs: u64| {
        let so_far = u128::from(units)
            .checked_mul(length.into())?
            .checked_mul(epochs.into())?;
        mul_div(so_far, cap.min(caps), whole)
    };
    let part = until(epoch.0.checked_add(1)?)?.checked_sub(until(epoch.0)?)?;
    part.try_into().ok()
}

impl<T: Config> OnEpoch for Pallet<T> {
    fn on_epoch(_ended: Epoch, began: Epoch) -> Weight {
        Self::set_free_buffer(began);
        Weight::from_parts(10_000_000, 6_000).saturating_add(T::DbWeight::get().reads_writes(3, 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000;

    #[test]
    fn parts_of_a_month_come_to_the_month() {
        // Two services with a third and two thirds of the caps, at three gateways, over the 7,305 hours of ten months.
        for (cap, rate) in [(100, 1), (200, 2)] {
            let of = |epoch| part(20_000, HOUR, Epoch(epoch), cap, (300, 3)).unwrap();
            let sum: u64 = (0..7_305).map(of).sum();
            assert_eq!(sum, 20_000 * 10 * rate / 9);
        }
        // An hour of it is 27.4 requests.
        let all = |epoch| part(20_000, HOUR, Epoch(epoch), 1, (1, 1)).unwrap();
        assert!((0..100).all(|epoch| (27..=28).contains(&all(epoch))));
    }

    #[test]
    fn nothing_is_shared_out_among_nobody() {
        assert_eq!(part(20_000, HOUR, Epoch(5), 1, (1, 0)), None);
        assert_eq!(part(20_000, HOUR, Epoch(5), 1, (0, 1)), None);
        assert_eq!(part(20_000, HOUR, Epoch(5), 0, (10, 1)), Some(0));
        assert_eq!(part(20_000, HOUR, Epoch(u64::MAX), 1, (1, 1)), None);
        assert_eq!(part(u64::MAX, u64::MAX, Epoch(9), 1, (1, 1)), None);
        assert_eq!(part(20_000, HOUR, Epoch(5), 1, (u128::MAX, 2)), None);
    }
}
