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
            Scores::<Test>::insert(stake(1), record);
        };
        assert!(broken_by(high).starts_with("invariant 1"));
        let perfect = || {
            let record = ScoreRecord {
                quality: Score(1_000_001),
                ..Default::default()
            };
            Scores::<Test>::insert(stake(1), record);
        };
        assert!(broken_by(perfect).starts_with("invariant 1"));
    });
}

#[test]
fn a_leftover_breaks_the_second() {
    run(|| {
        let stray = || Matured::<Test>::insert(7, stake(1), 1);
        assert!(broken_by(stray).starts_with("invariant 2"));
        let group = types::Group::Pace(Role::Cache, EU);
        let median = || Medians::<Test>::insert(group, 1);
        assert!(broken_by(median).starts_with("invariant 2"));
        let observed = || Observations::<Test>::insert(7, stake(1), types::Observation::default());
        assert!(broken_by(observed).starts_with("invariant 2"));
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

#[test]
fn a_round_beside_a_turn_or_an_unsorted_panel_breaks_the_fourth() {
    run(|| {
        (1..=3).for_each(|id| node(id, Role::Gateway));
        turn_to(1);
        let turn = types::Turn {
            epoch: Epoch(2),
            seen: Epoch(1),
            period: 0,
            step: types::TurnStep::Gather,
        };
        assert!(broken_by(|| TurnOf::<Test>::put(turn)).starts_with("invariant 4"));
        let turned = || {
            let mut round = Round::<Test>::get().unwrap();
            let mut panel = round.panel.into_inner();
            panel.swap(0, 2);
            round.panel = BoundedVec::truncate_from(panel);
            Round::<Test>::put(round);
        };
        assert!(broken_by(turned).starts_with("invariant 4"));
        let panel = Round::<Test>::get().unwrap().panel;
        assert!(broken_by(|| Enrolled::<Test>::put(panel)).starts_with("invariant 4"));
    });
}

#[test]
fn a_report_of_nobody_breaks_the_fifth() {
    run(|| {
        (1..=3).for_each(|id| node(id, Role::Gateway));
        turn_to(1);
        assert!(broken_by(|| Reported::<Test>::insert(device(9), ())).starts_with("invariant 5"));
        let seen = types::Sightings::default();
        assert!(broken_by(|| Seen::<Test>::insert(device(1), seen)).starts_with("invariant 5"));
    });
}

#[test]
fn a_bond_without_a_dispute_breaks_the_sixth() {
    run(|| {
        node(5, Role::Cache);
        turn_to(1);
        let by = RuntimeOrigin::signed(account(1));
        Reputation::dispute_region(by, device(5)).unwrap();
        let lost = || {
            Disputes::<Test>::mutate(device(5), |dispute| dispute.as_mut().unwrap().bond += 1);
        };
        assert!(broken_by(lost).starts_with("invariant 6"));
    });
}
