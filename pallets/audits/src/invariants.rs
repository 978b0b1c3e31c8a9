//! Recomputes what must hold from storage. The numbers are those of the README.

use crate::{ClearFrom, Config, Frauds, Pallet};
use frame_support::ensure;
use pallet_edge_traits::{CommitmentVoid, EpochClock};

impl<T: Config> Pallet<T> {
    /// Checks every invariant against the whole storage. For tests, `try_state` and clients.
    pub fn check_invariants() -> Result<(), &'static str> {
        let (from, now) = (ClearFrom::<T>::get(), T::Clock::current());
        for (epoch, gateway, fraud) in Frauds::<T>::iter() {
            ensure!(
                !T::Commitments::is_at_stake(&gateway, epoch),
                "1: a commitment that was proven defective is still at stake"
            );
            ensure!(
                from <= epoch && epoch < now,
                "2: a proof is of an epoch that was cleared or has not ended"
            );
            ensure!(
                fraud.reward <= fraud.taken,
                "3: a reporter got more than was taken"
            );
        }
        Ok(())
    }
}
