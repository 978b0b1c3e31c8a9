//! Reads a customer's invoice together.

use crate::{types::*, Commitments, Config, EpochBooks, InvoiceLines, Pallet};
use pallet_edge_traits::{EpochClock, StakeInspect};
use selvedge_primitives_types::{Epoch, Role};

impl<T: Config> Pallet<T> {
    /// Lines of a customer in an epoch; `None` while the epoch has not ended.
    ///
    /// Meant for runtime APIs, not for calls: its cost grows with the customer's services and
    /// gateways.
    pub fn invoice(customer: &T::AccountId, epoch: Epoch) -> Option<Invoice> {
        if epoch >= T::Clock::current() {
            return None;
        }
        let lines = InvoiceLines::<T>::iter_prefix((epoch, customer))
            .filter_map(|((service, gateway), line)| {
                let CommitmentRecord {
                    commitment, status, ..
                } = Commitments::<T>::get(epoch, gateway)?;
                Some(InvoiceItem {
                    service,
                    gateway,
                    line,
                    commitment,
                    status,
                })
            })
            .collect();
        Some(Invoice {
            lines,
            complete: Self::is_complete(epoch),
        })
    }

    /// Whether no further charge for the epoch can come: every commitment that can be made was
    /// made, and each is charged in full or never will be.
    fn is_complete(epoch: Epoch) -> bool {
        if Self::is_overdue(epoch) {
            return true;
        }
        let book = EpochBooks::<T>::get(epoch).unwrap_or_default();
        let may_come = Self::may_be_committed(epoch)
            && book.commitments < T::Stakes::active_count(Role::Gateway, epoch);
        !may_come && book.unsettled == 0
    }
}
