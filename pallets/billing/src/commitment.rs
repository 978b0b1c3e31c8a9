//! The life of a commitment: when it may be made, when it is accepted, when it is too late, and its
//! end.

use crate::{
    types::*, ClearFrom, Commitments, Config, EpochBooks, Error, Event, Open, Pallet, Reserved,
    RunningTotals,
};
use frame_support::{ensure, traits::Get};
use pallet_edge_traits::{Acceptance, CommitmentAudit, EpochClock, HostKeccak, StakeInspect};
use selvedge_primitives_math::{
    proof::{verify_commitment, verify_entries},
    RangeProof, TreeKind,
};
use selvedge_primitives_types::{
    DeviceId, Entry, EntryKey, Epoch, Role, TreeCommitment, UsageCommitment,
};
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
    /// A gateway's commitment for an epoch.
    pub fn commitment(gateway: &DeviceId, epoch: Epoch) -> Option<CommitmentRecord> {
        Commitments::<T>::get(epoch, gateway)
    }

    /// Epochs that a commitment may be late by.
    pub(crate) fn max_late() -> u8 {
        T::MaxLate::get().min(20)
    }

    /// Epochs that a commitment for `epoch` would be late by now; `None` when the epoch has not
    /// ended.
    pub(crate) fn lateness(epoch: Epoch) -> Option<u64> {
        let current = T::Clock::current();
        let late = current.since(epoch).checked_sub(1)?;
        Some(late + u64::from(T::Clock::is_closed(current)))
    }

    /// Whether a commitment for `epoch` can be made now or later.
    pub(crate) fn may_be_committed(epoch: Epoch) -> bool {
        Self::lateness(epoch).is_none_or(|late| late <= Self::max_late().into())
            && !Self::is_overdue(epoch)
    }

    /// The hold-backs that the money of a commitment waits for; `None` while it is not accepted.
    pub(crate) fn accepted(record: &CommitmentRecord) -> Option<u8> {
        let UsageCommitment { gateway, epoch, .. } = &record.commitment;
        match T::Audits::acceptance(gateway, *epoch, record.window()) {
            Acceptance::Accepted { hold_backs } => Some(hold_backs),
            Acceptance::Undecided => None,
        }
    }

    /// Whether an epoch's charges are no longer reserved for, or once were not.
    pub(crate) fn is_overdue(epoch: Epoch) -> bool {
        epoch < Self::first_reserved()
    }

    /// The first epoch whose charges are reserved for. It never goes back, so that money that was released once is not
    /// asked for again when `UnsettledEpochs` is raised.
    fn first_reserved() -> Epoch {
        let now = T::Clock::current();
        Reserved::<T>::get().max(now.next().minus(Self::unsettled_epochs()))
    }

    /// Makes what is overdue now so for good. Whatever releases a reserve does it first.
    pub(crate) fn remember_overdue() {
        let first = Self::first_reserved();
        if first > Reserved::<T>::get() {
            Reserved::<T>::put(first);
        }
    }

    /// Whether a commitment has run out of time in the state it is in.
    pub(crate) fn has_lapsed(record: &CommitmentRecord) -> bool {
        match record.status {
            Status::Pending | Status::Settling(_) => Self::is_overdue(record.commitment.epoch),
            // The same time again for showing the caches: nobody's money hangs on data that one
            // party withholds.
            Status::HeldBack { matures, checked } => {
                checked < record.commitment.caches.entries && Self::is_overdue(matures)
            }
            _ => false,
        }
    }

    /// What a commitment has to fulfil whoever brings it; returns how late it is.
    pub(crate) fn ensure_committable(commitment: &UsageCommitment) -> Result<u8, DispatchError> {
        let UsageCommitment { gateway, epoch, .. } = commitment;
        let late = Self::lateness(*epoch).ok_or(Error::<T>::EpochNotEnded)?;
        let late = u8::try_from(late)
            .ok()
            .filter(|late| *late <= Self::max_late() && !Self::is_overdue(*epoch))
            .ok_or(Error::<T>::CommitmentTooLate)?;
        ensure!(
            !Commitments::<T>::contains_key(epoch, gateway),
            Error::<T>::AlreadyCommitted
        );
        ensure!(
            T::Stakes::is_active(gateway, Role::Gateway, *epoch),
            Error::<T>::GatewayNotActive
        );
        ensure!(
            Open::<T>::decode_len(gateway).unwrap_or(0) < T::MaxOpen::get() as usize,
            Error::<T>::TooManyOpen
        );
        ensure!(
            T::Stakes::held_at(gateway, *epoch) > 0,
            Error::<T>::NothingAtStake
        );
        verify_commitment(commitment).map_err(|_| Error::<T>::MalformedCommitment)?;
        Ok(late)
    }

    pub(crate) fn do_commit(commitment: UsageCommitment) -> DispatchResult {
        let late = Self::ensure_committable(&commitment)?;
        let UsageCommitment {
            gateway,
            epoch,
            customers,
            ..
        } = commitment;
        Open::<T>::try_mutate(gateway, |open| {
            let place = open.partition_point(|other| *other < epoch);
            open.try_insert(place, epoch)
                .map_err(|_| Error::<T>::TooManyOpen)
        })?;
        EpochBooks::<T>::mutate(epoch, |book| {
            let book = book.get_or_insert_default();
            book.commitments += 1;
            book.unsettled += 1;
            book.open += 1;
        });
        let record = CommitmentRecord {
            commitment,
            status: Status::Pending,
            late,
            settled: 0,
            void_reason: None,
            books: Books::default(),
            stake: T::Stakes::held_at(&gateway, epoch),
            referral: Referral::default(),
        };
        T::Audits::on_commit(&gateway, epoch, record.window(), customers.sum.amount);
        Self::store(record);
        Self::deposit_event(Event::UsageCommitted {
            gateway,
            epoch,
            amount: customers.sum.amount,
            entries: customers.entries,
            late,
        });
        Ok(())
    }

    pub(crate) fn do_void(gateway: DeviceId, epoch: Epoch, reason: VoidReason) -> DispatchResult {
        let record = Self::known_commitment(&gateway, epoch)?;
        Self::make_void(record, reason)
    }

    /// Ends a commitment before any of it is paid; its charges can be refunded from then on.
    pub(crate) fn make_void(mut record: CommitmentRecord, reason: VoidReason) -> DispatchResult {
        let UsageCommitment { gateway, epoch, .. } = record.commitment;
        match record.status {
            Status::Pending | Status::Settling(_) => Self::leave_unsettled(epoch),
            Status::HeldBack { .. } => {}
            _ => return Err(Error::<T>::NotVoidable.into()),
        }
        record.void_reason = Some(reason);
        Self::deposit_event(Event::CommitmentVoided {
            gateway,
            epoch,
            reason,
        });
        if record.settled == 0 {
            Self::finish(record, Status::Void);
        } else {
            record.status = Status::Refunding(0);
            Self::store(record);
        }
        Ok(())
    }

    /// Stores a commitment in the state it ends in.
    pub(crate) fn finish(mut record: CommitmentRecord, end: Status) {
        let UsageCommitment { gateway, epoch, .. } = record.commitment;
        record.status = end;
        Self::store(record);
        Open::<T>::mutate_exists(gateway, |open| {
            let left = open.as_mut().map(|open| {
                open.retain(|other| *other != epoch);
                open.len()
            });
            if left == Some(0) {
                *open = None;
            }
        });
        EpochBooks::<T>::mutate(epoch, |book| {
            if let Some(book) = book {
                book.open = book.open.saturating_sub(1);
            }
        });
        // Clearing may have passed this epoch by while the commitment was open.
        ClearFrom::<T>::mutate(|from| *from = (*from).min(epoch));
    }

    /// Counts a commitment of the epoch as charged in full or never to be charged again.
    pub(crate) fn leave_unsettled(epoch: Epoch) {
        EpochBooks::<T>::mutate(epoch, |book| {
            if let Some(book) = book {
                book.unsettled = book.unsettled.saturating_sub(1);
            }
        });
    }

    pub(crate) fn known_commitment(
        gateway: &DeviceId,
        epoch: Epoch,
    ) -> Result<CommitmentRecord, DispatchError> {
        Ok(Commitments::<T>::get(epoch, gateway).ok_or(Error::<T>::UnknownCommitment)?)
    }

    pub(crate) fn store(record: CommitmentRecord) {
        let UsageCommitment { gateway, epoch, .. } = record.commitment;
        Commitments::<T>::insert(epoch, gateway, record);
    }

    /// Enters a movement into the books of the commitment, of its epoch and of the network.
    pub(crate) fn post(record: &mut CommitmentRecord, posting: Posting) -> DispatchResult {
        record.books = record
            .books
            .posted(&posting)
            .ok_or(Error::<T>::BooksUnbalanced)?;
        EpochBooks::<T>::try_mutate(record.commitment.epoch, |book| {
            let book = book.as_mut().ok_or(Error::<T>::BooksUnbalanced)?;
            book.books = book
                .books
                .posted(&posting)
                .ok_or(Error::<T>::BooksUnbalanced)?;
            Ok::<_, DispatchError>(())
        })?;
        RunningTotals::<T>::try_mutate(|totals| {
            totals.books = totals
                .books
                .posted(&posting)
                .ok_or(Error::<T>::BooksUnbalanced)?;
            Ok(())
        })
    }

    /// Checks that a page begins at the cursor and shows committed entries.
    pub(crate) fn ensure_page(
        kind: TreeKind,
        tree: &TreeCommitment,
        cursor: u32,
        entries: &[Entry],
        proof: &RangeProof<EntryKey>,
    ) -> DispatchResult {
        ensure!(proof.start == cursor, Error::<T>::PageOutOfOrder);
        verify_entries::<HostKeccak>(kind, tree, entries, proof)
            .map_err(|_| Error::<T>::ProofInvalid)?;
        Ok(())
    }
}
