//! Moves the charges of a commitment from deposits into escrow, and back when it is void.

use crate::{types::*, Accounts, Config, Error, Event, InvoiceLines, Pallet};
use alloc::vec::Vec;
use frame_support::{defensive, ensure};
use pallet_edge_traits::{EpochClock, PrepaidInspect, ServiceInspect, StakeInspect};
use selvedge_primitives_math::{
    lease::lease,
    price::charge,
    storage::{most, stored},
    RangeProof, TreeKind,
};
use selvedge_primitives_types::{
    CustomerEntryKey, DeviceId, Entry, EntryKey, Epoch, Planck, Prices, Role, ServiceId,
};
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
    /// What a gateway may charge a service in an epoch, in planck: its part of the service's
    /// allowance, and nothing while the service is paused, its owner not funded, or the gateway not
    /// active.
    pub fn lease_of(service: ServiceId, gateway: &DeviceId, epoch: Epoch) -> Planck {
        let Some(terms) = T::Services::terms_at(service, epoch) else {
            return 0;
        };
        let is_served = terms.active
            && Self::is_funded_at(&terms.owner, epoch)
            && T::Stakes::is_active(gateway, Role::Gateway, epoch);
        if is_served {
            lease(terms.cap, T::Stakes::active_count(Role::Gateway, epoch))
        } else {
            0
        }
    }

    pub(crate) fn settle_cursor(record: &CommitmentRecord) -> Result<u32, DispatchError> {
        match record.status {
            Status::Pending => Ok(0),
            Status::Settling(cursor) => Ok(cursor),
            _ => Err(Error::<T>::NotSettling.into()),
        }
    }

    pub(crate) fn do_settle(
        gateway: DeviceId,
        epoch: Epoch,
        entries: &[Entry],
        proof: &RangeProof<EntryKey>,
    ) -> DispatchResult {
        let mut record = Self::known_commitment(&gateway, epoch)?;
        let cursor = Self::settle_cursor(&record)?;
        if Self::has_lapsed(&record) {
            return Self::make_void(record, VoidReason::Overdue);
        }
        let hold_backs = Self::accepted(&record).ok_or(Error::<T>::NotAccepted)?;
        let tree = record.commitment.customers;
        Self::ensure_page(TreeKind::Customers, &tree, cursor, entries, proof)?;

        let gateways = T::Stakes::active_count(Role::Gateway, epoch);
        let mut versions = Vec::with_capacity(entries.len());
        for entry in entries {
            match Self::judge(entry, &gateway, epoch, gateways)? {
                Ok(price_version) => versions.push(price_version),
                Err(reason) => return Self::make_void(record, reason),
            }
        }

        let charged = Self::charge_page(gateway, epoch, cursor, entries, &versions)?;
        Self::post(&mut record, Posting::Charge(charged))?;
        Self::note_referred(&mut record, entries)?;
        record.settled = cursor + entries.len() as u32;
        Self::deposit_event(Event::Settled {
            gateway,
            epoch,
            charged,
            cursor: record.settled,
        });
        if record.settled == tree.entries {
            // Both trees have the same totals, so what is charged now is exactly what the caches'
            // entries divide.
            ensure!(
                record.books.charged == tree.sum.amount,
                Error::<T>::BooksUnbalanced
            );
            let matures = Self::maturity(hold_backs);
            record.status = Status::HeldBack {
                matures,
                checked: 0,
            };
            Self::leave_unsettled(epoch);
            Self::deposit_event(Event::SettlementCompleted {
                gateway,
                epoch,
                charged: record.books.charged,
                matures,
            });
        } else {
            record.status = Status::Settling(record.settled);
        }
        Self::store(record);
        Ok(())
    }

    /// Judges an entry by its service's terms in the epoch: the price list it was charged by, or
    /// what is wrong with it.
    fn judge(
        entry: &Entry,
        gateway: &DeviceId,
        epoch: Epoch,
        gateways: u32,
    ) -> Result<Result<u32, VoidReason>, DispatchError> {
        let CustomerEntryKey { customer, service } = entry.key.as_customer();
        let Some(terms) = T::Services::terms_at(service, epoch) else {
            return Ok(Err(VoidReason::UnknownService));
        };
        let prices =
            T::Services::prices(terms.price_version).ok_or(Error::<T>::UnknownPriceList)?;
        Ok(if terms.owner != T::AccountId::from(customer.0) {
            Err(VoidReason::WrongCustomer)
        } else if !terms.active {
            Err(VoidReason::ServicePaused)
        } else if !Self::is_funded_at(&terms.owner, epoch) {
            Err(VoidReason::NotFunded)
        } else if entry.sum.amount > lease(terms.cap, gateways) {
            Err(VoidReason::AboveLease)
        } else if !is_priced(entry, &prices) {
            Err(VoidReason::WrongPrice)
        } else if Self::is_above_pins(entry, service, epoch) {
            Err(VoidReason::AboveStorage)
        } else if !entry.sum.free.is_zero()
            && !entry
                .sum
                .free
                .is_within(&Self::free_lease_of(service, gateway, epoch))
        {
            Err(VoidReason::AboveFreeLease)
        } else {
            Ok(terms.price_version)
        })
    }

    /// Whether an entry has more storage than the service's pins come to in the epoch.
    fn is_above_pins(entry: &Entry, service: ServiceId, epoch: Epoch) -> bool {
        let stored = stored(&entry.sum);
        stored > 0 && stored > most(T::Services::kept_at(service, epoch), T::Clock::length())
    }

    /// Charges entries that were judged good; returns their sum.
    fn charge_page(
        gateway: DeviceId,
        epoch: Epoch,
        cursor: u32,
        entries: &[Entry],
        versions: &[u32],
    ) -> Result<Planck, DispatchError> {
        let mut charged: Planck = 0;
        let mut lines = (cursor..).zip(entries.iter().zip(versions));
        // Entries are sorted by customer: each account is read, evaluated and written once.
        for of_one in entries.chunk_by(|a, b| customer_of(a) == customer_of(b)) {
            let who = T::AccountId::from(customer_of(&of_one[0]));
            let mut account = Accounts::<T>::get(&who).ok_or(Error::<T>::NoAccount)?;
            for (index, (entry, price_version)) in lines.by_ref().take(of_one.len()) {
                let amount = entry.sum.amount;
                if amount > 0 {
                    Self::take_prepaid(&mut account, &who, amount)?;
                    charged = charged
                        .checked_add(amount)
                        .ok_or(Error::<T>::BooksUnbalanced)?;
                }
                let line = InvoiceLine {
                    paid: entry.sum.paid,
                    free: entry.sum.free,
                    amount,
                    price_version: *price_version,
                    entry: index,
                    refunded: false,
                };
                let service = entry.key.as_customer().service;
                InvoiceLines::<T>::insert((epoch, &who, (service, gateway)), line);
            }
            Self::evaluate(&who, &mut account);
            Accounts::<T>::insert(&who, account);
        }
        Ok(charged)
    }

    pub(crate) fn refund_cursor(record: &CommitmentRecord) -> Result<u32, DispatchError> {
        match record.status {
            Status::Refunding(cursor) => Ok(cursor),
            _ => Err(Error::<T>::NotRefunding.into()),
        }
    }

    pub(crate) fn do_refund(
        gateway: DeviceId,
        epoch: Epoch,
        entries: &[Entry],
        proof: &RangeProof<EntryKey>,
    ) -> DispatchResult {
        let mut record = Self::known_commitment(&gateway, epoch)?;
        let cursor = Self::refund_cursor(&record)?;
        let tree = record.commitment.customers;
        Self::ensure_page(TreeKind::Customers, &tree, cursor, entries, proof)?;

        // Entries from `settled` on were never charged.
        let next = (cursor + entries.len() as u32).min(record.settled);
        let mut refunded: Planck = 0;
        for entry in &entries[..(next - cursor) as usize] {
            refunded = refunded
                .checked_add(Self::refund_entry(gateway, epoch, entry)?)
                .ok_or(Error::<T>::BooksUnbalanced)?;
        }
        Self::post(&mut record, Posting::Refund(refunded))?;
        Self::deposit_event(Event::Refunded {
            gateway,
            epoch,
            amount: refunded,
            cursor: next,
        });
        if next < record.settled {
            record.status = Status::Refunding(next);
            Self::store(record);
            return Ok(());
        }
        ensure!(record.books.escrow == 0, Error::<T>::BooksUnbalanced);
        let amount = record.books.refunded;
        Self::finish(record, Status::Void);
        Self::deposit_event(Event::RefundCompleted {
            gateway,
            epoch,
            amount,
        });
        Ok(())
    }

    fn refund_entry(
        gateway: DeviceId,
        epoch: Epoch,
        entry: &Entry,
    ) -> Result<Planck, DispatchError> {
        let CustomerEntryKey { customer, service } = entry.key.as_customer();
        let who = T::AccountId::from(customer.0);
        InvoiceLines::<T>::try_mutate((epoch, &who, (service, gateway)), |line| {
            // Lines stay as long as their commitment is open, and each is walked once.
            let Some(line) = line.as_mut().filter(|line| !line.refunded) else {
                defensive!("a settled entry without its line");
                return Err(Error::<T>::BooksUnbalanced.into());
            };
            line.refunded = true;
            if line.amount > 0 {
                Self::give_back(&who, line.amount)?;
            }
            Ok(line.amount)
        })
    }
}

/// Whether an amount can be the sum of charges for the entry's usage, each rounded down once.
///
/// The charge of the sum is at least the sum of the charges, and each of these lost less than one
/// planck.
fn is_priced(entry: &Entry, prices: &Prices) -> bool {
    let Ok(whole) = charge(&entry.sum.paid, prices) else {
        return false;
    };
    let amount = entry.sum.amount;
    amount <= whole && amount.saturating_add(entry.sum.leaves.into()) > whole
}

fn customer_of(entry: &Entry) -> [u8; 32] {
    entry.key.as_customer().customer.0
}
