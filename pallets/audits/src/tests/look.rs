//! Disputed lines: more of their leaves are looked at, and what comes of it is told.

use super::*;
use crate::{types::MAX_LINES, Looks};
use frame_support::{assert_noop, assert_ok};
use pallet_edge_traits::{AuditDuties, CommitmentAudit, SampleMore};
use selvedge_primitives_math::{
    draw::{entry_draws, Sample, DISPUTED, DRAWS},
    duty::AuditPhase,
};

/// The line of service 1 is disputed after its commitment was accepted; returns its trees.
fn disputed(leaves: Vec<Leaf>) -> UsageTrees {
    let trees = under_audit(5, leaves);
    cast(VOTING, 0, &[1, 2, 3, 4], &pass());
    begin(LOOKED);
    System::reset_events();
    assert_ok!(Audits::sample_more(&GATEWAY, EPOCH, 1, 4));
    trees
}

/// The window whose auditors look, and the epoch in which they vote.
const LOOKED: u64 = VOTING + 1;
const SAID: u64 = LOOKED + 1;

fn cast_on_lines(number: u8) {
    let (window, round) = (Epoch(LOOKED), DISPUTED);
    run_to(SAID, 1);
    send(vote_of(number, window, round, &pass()));
    run_to(SAID, 5);
    send(reveal_of(number, window, round, pass()));
}

#[test]
fn four_times_as_many_leaves_of_the_line_are_drawn_by_a_later_seed() {
    run(|| {
        disputed(honest());
        let sampled = Event::LineSampled {
            gateway: GATEWAY,
            epoch: EPOCH,
            entry: 1,
            draws: 176,
            until: Epoch(SAID),
        };
        assert_eq!(events(), [sampled]);
        let duties = || Audits::audits(&auditor(1).0);
        assert_eq!(duties(), [], "nobody knows yet what is drawn");
        seeded(LOOKED, 9);
        let duty = &duties()[0];
        let draws = entry_draws::<HostKeccak>(&[9; 32], &GATEWAY, EPOCH, 1, 4 * DRAWS);
        assert_eq!(duty.sample, Sample::Drawn(draws));
        assert_eq!(
            (duty.window, duty.round, duty.phase),
            (Epoch(LOOKED), DISPUTED, AuditPhase::Look)
        );
        run_to(SAID, 1);
        assert_eq!(duties()[0].phase, AuditPhase::Vote);
    });
}

#[test]
fn nothing_is_paid_until_the_outcome_is_told() {
    run(|| {
        disputed(honest());
        seeded(LOOKED, 9);
        assert!(Audits::is_challenged(&GATEWAY, EPOCH));
        cast_on_lines(2);
        System::reset_events();
        begin(SAID + 1);
        assert!(!Audits::is_challenged(&GATEWAY, EPOCH));
        let told = Event::LinesLookedAt {
            gateway: GATEWAY,
            epoch: EPOCH,
            lines: 1,
            auditors: 5,
            passed: 1,
        };
        assert!(events().contains(&told));
        assert_eq!(money(GATEWAY, EPOCH), Some(Money::AtStake));
    });
}

#[test]
fn who_looks_proves_a_defect_for_nothing() {
    run(|| {
        let trees = disputed(inflated());
        seeded(LOOKED, 9);
        run_to(SAID, 5);
        send(prove(2, proof_of_inflation(&trees)));
        assert_eq!(money(GATEWAY, EPOCH), Some(Money::Void));
        begin(SAID + 1);
        assert_eq!(Looks::<Test>::iter().count(), 0);
    });
}

#[test]
fn a_line_whose_window_has_no_auditors_is_told_too() {
    run(|| {
        disputed(honest());
        begin(SAID + 1);
        assert!(events().iter().any(|event| matches!(
            event,
            Event::LinesLookedAt {
                auditors: 0,
                passed: 0,
                ..
            }
        )));
    });
}

#[test]
fn a_verdict_on_lines_is_none_on_their_commitment() {
    run(|| {
        disputed(honest());
        seeded(LOOKED, 9);
        let before = payees();
        cast_on_lines(5);
        assert_eq!(payees(), before);
        assert!(!before.contains(&account(45)));
    });
}

#[test]
fn lines_are_few_and_there() {
    run(|| {
        let trees = disputed(honest());
        let entries = trees.entries(TreeKind::Customers).len() as u32;
        assert_noop!(
            Audits::sample_more(&GATEWAY, EPOCH, entries, 4),
            Error::<Test>::NoSuchLeaf
        );
        for _ in 1..MAX_LINES {
            assert_ok!(Audits::sample_more(&GATEWAY, EPOCH, 0, u32::MAX));
        }
        assert_noop!(
            Audits::sample_more(&GATEWAY, EPOCH, 0, 4),
            Error::<Test>::TooManyLines
        );
        let look = Looks::<Test>::get((EPOCH, GATEWAY), Epoch(LOOKED)).unwrap();
        assert!(look.lines.iter().all(|line| line.draws == 4 * DRAWS));
        // The window after it has room again.
        run_to(LOOKED, 3);
        assert_ok!(Audits::sample_more(&GATEWAY, EPOCH, 0, 4));
        assert_noop!(
            Audits::sample_more(&GATEWAY, EPOCH.next(), 0, 4),
            Error::<Test>::UnknownCommitment
        );
        spend(GATEWAY, EPOCH, Money::Paid);
        assert_noop!(
            Audits::sample_more(&GATEWAY, EPOCH, 0, 4),
            Error::<Test>::NotChallengeable
        );
    });
}
