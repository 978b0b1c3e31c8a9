//! Recomputes what must hold from storage. The numbers are those of the README.

use crate::{Config, Debts, Disputes, HoldReason, Pallet, Redemptions, ToBurn};
use alloc::collections::BTreeMap;
use frame_support::{ensure, traits::fungible::InspectHold};
use selvedge_primitives_types::Planck;

type Check = Result<(), &'static str>;

fn add(sum: &mut Planck, amount: Planck) -> Check {
    *sum = sum.checked_add(amount).ok_or("a sum leaves 128 bits")?;
    Ok(())
}

impl<T: Config> Pallet<T> {
    /// Checks every invariant against the whole storage. For tests, `try_state` and clients.
    pub fn check_invariants() -> Check {
        Self::debts_are_redemptions()?;
        Self::bonds_are_disputes()?;
        Self::burns_are_disputes()
    }

    /// 1. What a gateway paid for an epoch is the sum of what its caches had, and of its stake never more than the cap.
    fn debts_are_redemptions() -> Check {
        let mut paid = BTreeMap::<_, (Planck, Planck)>::new();
        for ((epoch, gateway, _), redemption) in Redemptions::<T>::iter() {
            let (share, stake) = paid.entry((epoch, gateway)).or_default();
            add(share, redemption.from_share)?;
            add(stake, redemption.from_stake)?;
            let mut had = redemption.from_share;
            add(&mut had, redemption.from_stake)?;
            ensure!(
                had <= redemption.value,
                "1: a cache had more than its vouchers are worth"
            );
        }
        for (epoch, gateway, debt) in Debts::<T>::iter() {
            ensure!(
                debt.from_stake <= debt.cap,
                "1: a stake paid more than the cap"
            );
            // Redemptions are cleared first.
            let known = paid.remove(&(epoch, gateway)).unwrap_or_default();
            let is_clearing = !Self::is_redeemable(epoch);
            ensure!(
                is_clearing || known == (debt.from_share, debt.from_stake),
                "1: a debt is not what was redeemed"
            );
        }
        ensure!(paid.is_empty(), "1: a redemption without its debt");
        Ok(())
    }

    /// 2. What is on hold for disputes is their bonds, per account.
    fn bonds_are_disputes() -> Check {
        let mut bonds = BTreeMap::<_, Planck>::new();
        for ((_, _, customer, _), dispute) in Disputes::<T>::iter() {
            add(bonds.entry(customer).or_default(), dispute.bond)?;
        }
        for (customer, bond) in bonds {
            let held = T::Currency::balance_on_hold(&HoldReason::Dispute.into(), &customer);
            ensure!(held == bond, "2: a hold is not the bonds of its disputes");
        }
        Ok(())
    }

    /// 3. What is to be burnt of a commitment is what its disputes want burnt.
    fn burns_are_disputes() -> Check {
        let mut burns = BTreeMap::<_, Planck>::new();
        for ((epoch, gateway, _, _), dispute) in Disputes::<T>::iter() {
            if dispute.burn > 0 {
                add(burns.entry((epoch, gateway)).or_default(), dispute.burn)?;
            }
        }
        for (epoch, gateway, burn) in ToBurn::<T>::iter() {
            ensure!(
                burns.remove(&(epoch, gateway)) == Some(burn),
                "3: something is burnt that nobody disputes"
            );
        }
        ensure!(burns.is_empty(), "3: what is disputed is not burnt");
        Ok(())
    }
}
