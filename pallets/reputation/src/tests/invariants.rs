//! Each invariant can fail.

use crate::{mock::*, *};
use frame_support::storage::with_transaction;
use selvedge_primitives_types::Score;
use sp_runtime::{DispatchError, TransactionOutcome};

fn broken_by(change: impl FnOnce()) -> &'static str {
    with_transaction(|| {
        change();
        TransactionOutcome::Rollback(Ok::<_, DispatchError>(
            Reputation::check_invariants().unwrap_err(),
        ))
    })
    .unwrap()
}

#[test]
fn a_score_out_of_range_breaks_the_first() {
    run(|| {
        let high = || {
            let record = ScoreRecord {
                service: Score(1_500_001),
                ..Default::default()
            };
            Scores::<Test>::insert(device(1), record);
        };
        assert!(broken_by(high).starts_with("invariant 1"));
        let perfect = || {
            let record = ScoreRecord {
                quality: Score(1_000_001),
                ..Default::default()
            };
            Scores::<Test>::insert(device(1), record);
        };
        assert!(broken_by(perfect).starts_with("invariant 1"));
    });
}

#[test]
fn a_leftover_breaks_the_second() {
    run(|| {
        let stray = || Matured::<Test>::insert(7, device(1), 1);
        assert!(broken_by(stray).starts_with("invariant 2"));
        let median = || Medians::<Test>::insert((Role::Cache, Region(*b"eu-west\0")), 1);
        assert!(broken_by(median).starts_with("invariant 2"));
    });
}

#[test]
fn a_lost_block_breaks_the_third() {
    run(|| {
        author(1, 2);
        let lost = || Authored::<Test>::insert(0, device(1), 1);
        assert!(broken_by(lost).starts_with("invariant 3"));
    });
}
