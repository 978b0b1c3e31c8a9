//! Each invariant can fail.

use crate::{mock::*, *};
use frame_support::storage::with_transaction;
use sp_runtime::{DispatchError, TransactionOutcome};

fn broken_by(change: impl FnOnce()) -> &'static str {
    with_transaction(|| {
        change();
        TransactionOutcome::Rollback(Ok::<_, DispatchError>(
            NodeStaking::check_invariants().unwrap_err(),
        ))
    })
    .unwrap()
}

fn change(id: u64, change: impl FnOnce(&mut Stake)) {
    Stakes::<Test>::mutate(StakeId(id), |entry| change(entry.as_mut().unwrap()));
}

#[test]
fn more_than_is_on_hold_breaks_the_first() {
    run(|| {
        create(1, Role::Gateway);
        assert!(broken_by(|| change(0, |entry| entry.amount += 1)).starts_with("invariant 1"));
    });
}

#[test]
fn a_wrong_count_breaks_the_second() {
    run(|| {
        staked(1, 1, Role::Gateway);
        let broken = broken_by(|| Pallet::<Test>::shift_count(Role::Gateway, Epoch(1), |n| n + 1));
        assert!(broken.starts_with("invariant 2"));
    });
}

#[test]
fn a_span_without_a_stake_breaks_the_third() {
    run(|| {
        staked(1, 1, Role::Gateway);
        assert!(broken_by(|| change(0, |entry| entry.device = None)).starts_with("invariant 3"));
        let twice = || {
            Assignments::<Test>::mutate(device(1), |spans| {
                let span = spans[0].clone();
                spans.try_push(span).unwrap();
            })
        };
        assert!(broken_by(twice).starts_with("invariant 3"));
        let forgotten = || Assignments::<Test>::remove(device(1));
        assert!(broken_by(forgotten).starts_with("invariant 3"));
    });
}

#[test]
fn an_empty_or_unlisted_stake_breaks_the_fourth() {
    run(|| {
        create(1, Role::Gateway);
        assert!(broken_by(|| change(0, |entry| entry.amount = 0)).starts_with("invariant 4"));
        let unlisted = || StakesOf::<Test>::remove(account(1), StakeId(0));
        assert!(broken_by(unlisted).starts_with("invariant 4"));
        let stray = || StakesOf::<Test>::insert(account(1), StakeId(5), ());
        assert!(broken_by(stray).starts_with("invariant 4"));
    });
}
