//! Recomputes the books from storage. The numbers are those of the README.

use crate::{
    types::*, Accounts, ClearFrom, Commitments, Config, EpochBooks, FirstEarnings, HoldReason,
    InvoiceLines, Open, Pallet, Payouts, Referred, RunningTotals,
};
use alloc::collections::BTreeMap;
use frame_support::{
    ensure,
    traits::fungible::{Inspect, InspectHold},
};
use selvedge_primitives_types::{DeviceId, Epoch, Planck};

type Check = Result<(), &'static str>;

/// Adds up; an overflow is a violation too.
fn sum(amounts: impl Iterator<Item = Planck>) -> Result<Planck, &'static str> {
    amounts
        .into_iter()
        .try_fold(0u128, |sum, amount| sum.checked_add(amount))
        .ok_or("a sum of the books leaves 128 bits")
}

impl<T: Config> Pallet<T> {
    /// Checks every invariant against the whole storage. Cost is not bounded: for tests,
    /// `try_state` and clients.
    pub fn check_invariants() -> Check {
        Self::charges_are_accounted_for()?;
        Self::holds_are_ledgers()?;
        Self::claims_are_payable()?;
        Self::ends_are_final()?;
        Self::pot_covers_liabilities()?;
        Self::lines_are_charges()?;
        Self::open_lists_are_complete()?;
        Self::pending_is_somebodys()
    }

    fn records() -> impl Iterator<Item = CommitmentRecord> {
        Commitments::<T>::iter_values()
    }

    /// 1. `charged = refunded + escrow + shares` per commitment, per epoch and in total, and these
    ///    agree.
    fn charges_are_accounted_for() -> Check {
        let mut epochs = BTreeMap::<Epoch, Books>::new();
        for record in Self::records() {
            ensure!(
                record.books.balance(),
                "1: a commitment's books do not balance"
            );
            let books = epochs.entry(record.commitment.epoch).or_default();
            let add = |a: Planck, b: Planck| a.checked_add(b).ok_or("1: overflow");
            books.charged = add(books.charged, record.books.charged)?;
            books.refunded = add(books.refunded, record.books.refunded)?;
            books.escrow = add(books.escrow, record.books.escrow)?;
            books.shares = books
                .shares
                .checked_add(&record.books.shares)
                .ok_or("1: overflow")?;
        }
        // An epoch that is being cleared has lost commitments, never its book.
        let clearing = ClearFrom::<T>::get();
        for (epoch, book) in EpochBooks::<T>::iter() {
            ensure!(book.books.balance(), "1: an epoch's books do not balance");
            let known = epochs.remove(&epoch).unwrap_or_default();
            ensure!(
                epoch == clearing || known == book.books,
                "1: an epoch's book is not the sum of its commitments"
            );
        }
        ensure!(
            epochs.is_empty(),
            "1: a commitment without the book of its epoch"
        );

        let totals = RunningTotals::<T>::get();
        ensure!(totals.books.balance(), "1: the totals do not balance");
        let escrow = sum(Self::records().map(|record| record.books.escrow))?;
        ensure!(
            escrow == totals.books.escrow,
            "1: the escrow is not the sum of the commitments'"
        );
        Ok(())
    }

    /// 2. What is on hold is what the ledger says, per account and in total; no account in good
    ///    standing holds less than was reserved when it was last evaluated.
    fn holds_are_ledgers() -> Check {
        for (who, account) in Accounts::<T>::iter() {
            let held = T::Currency::balance_on_hold(&HoldReason::Prepaid.into(), &who);
            ensure!(
                held == account.balance,
                "2: a hold is not the ledger's balance"
            );
            ensure!(
                matches!(account.state, AccountState::Suspended(_))
                    || account.reserved <= account.balance,
                "2: an account in good standing does not cover its reserve"
            );
        }
        let prepaid = sum(Accounts::<T>::iter_values().map(|account| account.balance))?;
        ensure!(
            prepaid == RunningTotals::<T>::get().prepaid,
            "2: the prepaid total is wrong"
        );
        Ok(())
    }

    /// 3. `claimed <= payable`, per account and in total; the total is what was divided and neither
    ///    burnt nor pending, and what was returned.
    fn claims_are_payable() -> Check {
        for payout in Payouts::<T>::iter_values() {
            ensure!(
                payout.claimed <= payout.payable,
                "3: more was claimed than was payable"
            );
        }
        let totals = RunningTotals::<T>::get();
        let payable = sum(Payouts::<T>::iter_values().map(|payout| payout.payable))?;
        let claimed = sum(Payouts::<T>::iter_values().map(|payout| payout.claimed))?;
        ensure!(payable == totals.payable, "3: the payable total is wrong");
        ensure!(claimed == totals.claimed, "3: the claimed total is wrong");
        let shares = totals.books.shares;
        let earned = shares
            .total()
            .and_then(|total| total.checked_sub(shares.burn)?.checked_sub(totals.pending))
            .and_then(|earned| earned.checked_add(totals.returned));
        ensure!(
            earned == Some(payable),
            "3: what is payable was not earned or returned"
        );
        Ok(())
    }

    /// 4. A void commitment paid nothing and gave all back, a credited one refunded nothing; both
    ///    keep nothing. None has charged more than it committed to, and none is paid before it
    ///    charged exactly that.
    fn ends_are_final() -> Check {
        for CommitmentRecord {
            commitment,
            status,
            settled,
            void_reason,
            books,
            ..
        } in Self::records()
        {
            let stated = commitment.customers.sum.amount;
            let paid = books.shares.total().ok_or("4: overflow")?;
            ensure!(
                books.charged <= stated,
                "4: more was charged than committed"
            );
            ensure!(
                settled <= commitment.customers.entries,
                "4: too many entries were settled"
            );
            let is_void = matches!(status, Status::Refunding(_) | Status::Void);
            ensure!(
                is_void == void_reason.is_some(),
                "4: void without a reason, or a reason without"
            );
            match status {
                Status::Pending => ensure!(books == Books::default(), "4: pending, but charged"),
                Status::Settling(cursor) => {
                    ensure!(cursor == settled, "4: the cursor is not what was settled");
                    ensure!(
                        paid == 0 && books.refunded == 0,
                        "4: paid before it was settled"
                    );
                }
                Status::HeldBack { checked, .. } => {
                    ensure!(
                        checked <= commitment.caches.entries,
                        "4: too many caches were shown"
                    );
                    ensure!(
                        books.charged == stated,
                        "4: held back, but not charged in full"
                    );
                    ensure!(
                        books.escrow == stated,
                        "4: something left the escrow in hold-back"
                    );
                }
                Status::Crediting(_) => {
                    ensure!(
                        books.charged == stated,
                        "4: being paid, but not charged in full"
                    );
                    ensure!(books.refunded == 0, "4: paid and refunded");
                }
                Status::Credited => {
                    ensure!(paid == stated, "4: credited, but not paid in full");
                    ensure!(books.escrow == 0, "4: credited, but something was kept");
                }
                Status::Refunding(_) => ensure!(paid == 0, "4: a void commitment paid"),
                Status::Void => {
                    ensure!(paid == 0, "4: a void commitment paid");
                    ensure!(
                        books.refunded == books.charged,
                        "4: void, but something was kept"
                    );
                }
            }
        }
        Ok(())
    }

    /// 5. The pot holds the escrow, what is payable and not claimed, what is pending, and its existential deposit.
    ///    It may hold more, because anyone can send tokens to it.
    fn pot_covers_liabilities() -> Check {
        ensure!(
            Self::pot_surplus().is_some(),
            "5: the pot does not cover what it owes"
        );
        Ok(())
    }

    /// What the pot holds beyond all it owes; `None` when it holds less.
    pub fn pot_surplus() -> Option<Planck> {
        let totals = RunningTotals::<T>::get();
        T::Currency::balance(&Self::pot())
            .checked_sub(T::Currency::minimum_balance())?
            .checked_sub(totals.books.escrow)?
            .checked_sub(totals.pending)?
            .checked_sub(totals.payable.checked_sub(totals.claimed)?)
    }

    /// 6. The invoice lines of a commitment add up to what it charged, the refunded ones to what it
    ///    gave back.
    fn lines_are_charges() -> Check {
        let mut lines = BTreeMap::<(Epoch, DeviceId), (u32, Planck, Planck)>::new();
        for ((epoch, _, (_, gateway)), line) in InvoiceLines::<T>::iter() {
            let (count, charged, refunded) = lines.entry((epoch, gateway)).or_default();
            *count += 1;
            *charged = charged.checked_add(line.amount).ok_or("6: overflow")?;
            if line.refunded {
                *refunded = refunded.checked_add(line.amount).ok_or("6: overflow")?;
            }
        }
        let clearing = ClearFrom::<T>::get();
        for CommitmentRecord {
            commitment,
            settled,
            books,
            ..
        } in Self::records()
        {
            let key = (commitment.epoch, commitment.gateway);
            let known = lines.remove(&key).unwrap_or_default();
            ensure!(
                commitment.epoch == clearing || known == (settled, books.charged, books.refunded),
                "6: the lines are not what was charged"
            );
        }
        ensure!(lines.is_empty(), "6: a line without its commitment");
        Ok(())
    }

    /// 7. Open commitments are listed at their gateway, sorted, and counted in their epoch's book.
    fn open_lists_are_complete() -> Check {
        let mut books = BTreeMap::<Epoch, (u32, u32)>::new();
        let mut open = 0;
        for CommitmentRecord {
            commitment, status, ..
        } in Self::records()
        {
            if status.is_final() {
                continue;
            }
            open += 1;
            let (in_epoch, unsettled) = books.entry(commitment.epoch).or_default();
            *in_epoch += 1;
            *unsettled += u32::from(status.is_unsettled());
            ensure!(
                Open::<T>::get(commitment.gateway).contains(&commitment.epoch),
                "7: an open commitment is not listed"
            );
        }
        let mut listed = 0;
        for epochs in Open::<T>::iter_values() {
            ensure!(
                epochs.windows(2).all(|pair| pair[0] < pair[1]),
                "7: a list is not sorted"
            );
            ensure!(!epochs.is_empty(), "7: an empty list was kept");
            listed += epochs.len();
        }
        ensure!(listed == open, "7: a final commitment is listed as open");
        for (epoch, book) in EpochBooks::<T>::iter() {
            let known = books.remove(&epoch).unwrap_or_default();
            ensure!(
                known == (book.open, book.unsettled),
                "7: an epoch miscounts open commitments"
            );
        }
        ensure!(
            books.is_empty(),
            "7: an open commitment's epoch has no book"
        );
        Ok(())
    }

    /// 8. What is pending belongs to referrers of commitments or to owners of new nodes. The notes of a commitment add up
    ///    to what of its charges was referred and is not paid for; its pool is never more than was divided for referrers.
    fn pending_is_somebodys() -> Check {
        let mut notes = BTreeMap::<(Epoch, DeviceId), Planck>::new();
        for ((epoch, gateway, _), charged) in Referred::<T>::iter() {
            let noted = notes.entry((epoch, gateway)).or_default();
            *noted = noted.checked_add(charged).ok_or("8: overflow")?;
        }
        for record in Self::records() {
            let Referral {
                charged,
                unpaid,
                pool,
            } = record.referral;
            let key = (record.commitment.epoch, record.commitment.gateway);
            ensure!(
                notes.remove(&key).unwrap_or_default() == unpaid,
                "8: the notes are not what was referred"
            );
            ensure!(
                unpaid <= charged && charged <= record.books.charged,
                "8: more was referred than charged"
            );
            ensure!(
                pool <= record.books.shares.referral,
                "8: a pool holds more than was divided"
            );
        }
        ensure!(notes.is_empty(), "8: a note without its commitment");
        let pools = sum(Self::records().map(|record| record.referral.pool))?;
        let kept = sum(FirstEarnings::<T>::iter_values().map(|kept| kept.amount))?;
        ensure!(
            pools.checked_add(kept) == Some(RunningTotals::<T>::get().pending),
            "8: what is pending is nobody's"
        );
        Ok(())
    }
}
