//! Tells a node's off-chain worker who audits, and by what.

use crate::{ballot::LAST_REDRAW, Config, Known, Pallet, Windows};
use alloc::{collections::BTreeSet, vec::Vec};
use pallet_edge_traits::{AuditRules, CommitmentVoid, EpochClock};
use selvedge_primitives_types::{DeviceId, Epoch, UsageCommitment};

impl<T: Config> AuditRules for Pallet<T> {
    type Known = Known<T>;

    fn auditors() -> Vec<DeviceId> {
        let current = T::Clock::current();
        let mut devices = BTreeSet::new();
        for back in 0..=LAST_REDRAW.min(current.0) {
            let window = Windows::<T>::get(current.minus(back));
            let panel = window.map(|window| window.panel).unwrap_or_default();
            devices.extend(panel.iter().map(|auditor| auditor.device));
        }
        devices.into_iter().collect()
    }

    fn known(epoch: Epoch) -> Option<Known<T>> {
        Self::known(epoch)
    }

    fn commitment(gateway: &DeviceId, epoch: Epoch) -> Option<UsageCommitment> {
        T::Commitments::commitment_of(gateway, epoch)
    }
}
