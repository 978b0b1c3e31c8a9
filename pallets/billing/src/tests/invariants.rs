//! Each invariant can fail: a wrong book is found, and named.

use super::*;
use crate::{Accounts, EpochBooks, InvoiceLines, Open, Payouts, RunningTotals};
use frame_support::{
    storage::{with_transaction, TransactionOutcome},
    traits::{
        fungible::{Mutate, MutateHold},
        tokens::{Fortitude, Precision, Preservation},
    },
};

/// Spoils the storage and takes it back; the check has to name the invariant.
fn assert_found(number: u8, spoil: impl FnOnce()) {
    let found = with_transaction(|| {
        spoil();
        TransactionOutcome::Rollback(Ok::<_, DispatchError>(Billing::check_invariants()))
    });
    let violation = found.unwrap().expect_err("a spoilt book is found");
    assert!(
        violation.starts_with(&number.to_string()),
        "{number}: found `{violation}`"
    );
}

fn spoil_record(spoil: impl FnOnce(&mut CommitmentRecord)) {
    Commitments::<Test>::mutate(Epoch(10), GATEWAY, |record| spoil(record.as_mut().unwrap()));
}

fn spoil_totals(spoil: impl FnOnce(&mut Totals)) {
    RunningTotals::<Test>::mutate(spoil);
}

#[test]
fn one_charges_are_accounted_for() {
    run(|| {
        credited();
        assert_found(1, || spoil_record(|record| record.books.charged += 1));
        assert_found(1, || spoil_record(|record| record.books.shares.caches -= 1));
        assert_found(1, || {
            spoil_record(|record| {
                record.books.shares.caches -= 1;
                record.books.shares.burn += 1;
            });
        });
        assert_found(1, || {
            EpochBooks::<Test>::mutate(Epoch(10), |book| book.as_mut().unwrap().books.escrow += 1);
        });
        assert_found(1, || EpochBooks::<Test>::remove(Epoch(10)));
        assert_found(1, || spoil_totals(|totals| totals.books.refunded += 1));
        assert_found(1, || {
            spoil_totals(|totals| {
                totals.books.charged += 1;
                totals.books.escrow += 1;
            });
        });
    });
}

#[test]
fn two_holds_are_ledgers() {
    run(|| {
        network();
        assert_found(2, || {
            Accounts::<Test>::mutate(account(1), |known| known.as_mut().unwrap().balance += 1);
        });
        assert_found(2, || {
            let reason = crate::HoldReason::Prepaid.into();
            Balances::release(&reason, &account(1), 1, Precision::Exact).unwrap();
        });
        assert_found(2, || spoil_totals(|totals| totals.prepaid -= 1));
        assert_found(2, || {
            Accounts::<Test>::mutate(account(1), |known| {
                known.as_mut().unwrap().reserved = DEPOSIT + 1;
            });
        });
    });
}

#[test]
fn three_claims_are_payable() {
    run(|| {
        credited();
        assert_found(3, || {
            Payouts::<Test>::mutate(account(21), |payout| payout.claimed = 154)
        });
        assert_found(3, || {
            Payouts::<Test>::mutate(account(21), |payout| payout.payable += 1)
        });
        assert_found(3, || {
            Payouts::<Test>::mutate(account(21), |payout| payout.claimed += 1)
        });
        assert_found(3, || {
            Payouts::<Test>::mutate(account(21), |payout| payout.payable += 1);
            spoil_totals(|totals| totals.payable += 1);
        });
    });
}

#[test]
fn four_ends_are_final() {
    run(|| {
        credited();
        assert_found(4, || spoil_record(|record| record.status = Status::Void));
        assert_found(4, || {
            spoil_record(|record| {
                record.status = Status::Void;
                record.void_reason = Some(VoidReason::Ruled);
            });
        });
        assert_found(4, || spoil_record(|record| record.status = Status::Pending));
        assert_found(4, || spoil_record(|record| record.settled = 3));
        assert_found(4, || {
            spoil_record(|record| record.commitment.customers.sum.amount = 448)
        });
    });
    run(|| {
        settled();
        let held_back = |checked| Status::HeldBack {
            matures: Epoch(13),
            checked,
        };
        assert_found(4, || spoil_record(|record| record.status = held_back(4)));
        assert_found(4, || {
            spoil_record(|record| record.status = Status::Credited)
        });
        assert_found(4, || {
            spoil_record(|record| record.status = Status::Settling(1))
        });
        assert_found(4, || {
            spoil_record(|record| record.commitment.customers.sum.amount = 450)
        });
        assert_found(4, || {
            spoil_record(|record| {
                record.status = Status::Void;
                record.void_reason = Some(VoidReason::Ruled);
            });
        });
    });
}

#[test]
fn five_the_pot_covers_what_it_owes() {
    run(|| {
        settled();
        assert_found(5, || {
            Balances::burn_from(
                &Billing::pot(),
                1,
                Preservation::Preserve,
                Precision::Exact,
                Fortitude::Polite,
            )
            .unwrap();
        });
        // A donation is no violation, and is seen.
        let surplus = with_transaction(|| {
            Balances::mint_into(&Billing::pot(), 5).unwrap();
            assert_eq!(Billing::check_invariants(), Ok(()));
            TransactionOutcome::Rollback(Ok::<_, DispatchError>(Billing::pot_surplus()))
        });
        assert_eq!(surplus, Ok(Some(5)));
    });
}

#[test]
fn six_lines_are_charges() {
    run(|| {
        settled();
        let key = || (Epoch(10), account(1), (ServiceId(0), GATEWAY));
        assert_found(6, || {
            InvoiceLines::<Test>::mutate(key(), |line| line.as_mut().unwrap().amount += 1);
        });
        assert_found(6, || {
            InvoiceLines::<Test>::mutate(key(), |line| line.as_mut().unwrap().refunded = true);
        });
        assert_found(6, || InvoiceLines::<Test>::remove(key()));
        assert_found(6, || {
            let line = InvoiceLines::<Test>::get(key()).unwrap();
            InvoiceLines::<Test>::insert((Epoch(9), account(1), (ServiceId(0), GATEWAY)), line);
        });
    });
}

#[test]
fn seven_open_lists_are_complete() {
    run(|| {
        committed();
        assert_found(7, || Open::<Test>::remove(GATEWAY));
        assert_found(7, || {
            Open::<Test>::insert(
                RIVAL,
                frame_support::BoundedVec::truncate_from(vec![Epoch(10)]),
            );
        });
        assert_found(7, || {
            EpochBooks::<Test>::mutate(Epoch(10), |book| book.as_mut().unwrap().open = 0);
        });
        assert_found(7, || {
            EpochBooks::<Test>::mutate(Epoch(10), |book| book.as_mut().unwrap().unsettled = 2);
        });
    });
}

#[test]
fn eight_what_is_pending_is_somebodys() {
    run(|| {
        network();
        crate::Referrers::<Test>::insert(account(1), account(31));
        let trees = usual(GATEWAY, 10);
        at(11, 1);
        commit(&trees);
        at(11, 2);
        assert_ok!(send(5, settle(&trees, 0, 64)));
        at(13, 0);
        assert_ok!(send(5, credit(&trees, 0, 64)));
        let key = (Epoch(10), GATEWAY, account(31));
        assert_found(8, || crate::Referred::<Test>::remove(&key));
        assert_found(8, || {
            let unknown = (Epoch(11), GATEWAY, account(31));
            crate::Referred::<Test>::insert(unknown, 1);
        });
        assert_found(8, || spoil_record(|record| record.referral.charged = 1_000));
        assert_found(8, || spoil_record(|record| record.referral.pool += 1));
        assert_found(8, || spoil_record(|record| record.referral.pool -= 1));
        assert_found(8, || {
            let kept = Kept {
                since: selvedge_primitives_types::Millis(0),
                amount: 1,
            };
            crate::FirstEarnings::<Test>::insert(GATEWAY, account(11), kept);
        });
    });
}
