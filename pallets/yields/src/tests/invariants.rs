//! Each invariant can fail.

use crate::{mock::*, *};
use frame_support::storage::with_transaction;
use sp_runtime::{DispatchError, TransactionOutcome};

fn broken_by(change: impl FnOnce()) -> &'static str {
    with_transaction(|| {
        change();
        TransactionOutcome::Rollback(Ok::<_, DispatchError>(
            NodeYields::check_invariants().unwrap_err(),
        ))
    })
    .unwrap()
}

#[test]
fn owing_more_than_the_pool_has_breaks_the_first() {
    run(|| {
        let broken = broken_by(|| NodeYields::grant(&account(1), POOL + 1));
        assert!(broken.starts_with("invariant 1"));
    });
}

#[test]
fn claiming_more_than_was_granted_breaks_the_second() {
    run(|| {
        NodeYields::grant(&account(1), 100);
        let greedy = || Payouts::<Test>::mutate(account(1), |payout| payout.claimed = 101);
        assert!(broken_by(greedy).starts_with("invariant 2"));
        let forgotten = || Payouts::<Test>::remove(account(1));
        assert!(broken_by(forgotten).starts_with("invariant 2"));
    });
}

#[test]
fn granting_more_than_was_emitted_breaks_the_third() {
    run(|| {
        close_at(10);
        let more = || {
            LastEra::<Test>::mutate(|books| {
                let books = books.as_mut().unwrap();
                books.granted.base = books.emission.base + 1;
            })
        };
        assert!(broken_by(more).starts_with("invariant 3"));
    });
}

#[test]
fn a_leftover_breaks_the_fourth() {
    run(|| {
        let stray = || Matured::<Test>::insert(7, stake(1), Brought::default());
        assert!(broken_by(stray).starts_with("invariant 4"));
        let claim = Claim {
            owner: account(1),
            basis: basis(),
        };
        let late = || Claims::<Test>::insert(stake(1), claim);
        assert!(broken_by(late).starts_with("invariant 4"));
    });
}

#[test]
fn an_earning_that_was_not_claimed_breaks_the_fifth() {
    run(|| {
        basis();
        let higher = || {
            History::<Test>::mutate(stake(1), 0, |earning| {
                let earning = earning.as_mut().unwrap();
                earning.base = earning.basis.base + 1;
            });
        };
        assert!(broken_by(higher).starts_with("invariant 5"));
        let elsewhere = || {
            let earning = History::<Test>::take(stake(1), 0).unwrap();
            History::<Test>::insert(stake(1), 1, earning);
        };
        assert!(broken_by(elsewhere).starts_with("invariant 5"));
    });
}

/// What a cache was paid by for the first era.
fn basis() -> Basis {
    node(1, Role::Cache, SEL);
    close_at(10);
    NodeYields::earnings_of(stake(1))[0].basis
}
