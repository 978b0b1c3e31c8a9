//! What becomes of a commitment: by its auditors, by those of a redraw, or by its leaves.

use super::*;
use crate::types::Stage;
use pallet_edge_traits::Acceptance;
use selvedge_primitives_types::Verdict;

#[test]
fn two_thirds_of_its_auditors_accept_a_commitment() {
    run(|| {
        under_audit(5, honest());
        cast(VOTING, 0, &[1, 2, 3, 4], &pass());
        assert_eq!(acceptance(), Acceptance::Undecided);
        System::reset_events();
        begin(VOTING + 1);
        assert_eq!(acceptance(), Acceptance::Accepted { hold_backs: 1 });
        assert_eq!(payees(), [41, 42, 43, 44].map(account));
        assert_eq!(
            events()[0],
            Event::CommitmentAccepted {
                gateway: GATEWAY,
                epoch: EPOCH,
                auditors: 4,
                hold_backs: 1,
            }
        );
    });
}

#[test]
fn fewer_have_more_auditors_drawn_whose_votes_alone_count() {
    run(|| {
        under_audit(12, honest());
        let first = drawn(0);
        cast(VOTING, 0, &first[..3], &pass());
        System::reset_events();
        begin(AGAIN);
        assert_eq!(stage(), Stage::Voting(1));
        assert_eq!(
            events()[0],
            Event::AuditorsRedrawn {
                gateway: GATEWAY,
                epoch: EPOCH,
                until: Epoch(AGAIN),
            }
        );
        assert_eq!(payees(), []);
        let second = drawn(1);
        assert_eq!((first.len(), second.len()), (5, 11));
        cast(AGAIN, 1, &second[..8], &pass());
        begin(AGAIN + 1);
        assert_eq!(acceptance(), Acceptance::Accepted { hold_backs: 1 });
        assert_eq!(payees().len(), 8);
    });
}

#[test]
fn a_redraw_that_is_one_short_demands_leaves() {
    run(|| {
        under_audit(12, honest());
        begin(AGAIN);
        let second = drawn(1);
        cast(AGAIN, 1, &second[..7], &pass());
        System::reset_events();
        begin(LEAVES);
        assert!(matches!(stage(), Stage::LeavesDue { shown: 0, .. }));
        assert_eq!(
            events()[0],
            Event::LeavesDemanded {
                gateway: GATEWAY,
                epoch: EPOCH,
                until: Epoch(LEAVES),
            }
        );
        assert_eq!(acceptance(), Acceptance::Undecided);
    });
}

/// Who voted for the first draw is not heard in the redraw without being drawn again.
#[test]
fn a_vote_of_the_first_round_is_none_of_the_second() {
    run(|| {
        under_audit(5, honest());
        begin(AGAIN);
        run_to(AGAIN, 1);
        assert_eq!(
            dispatch(vote(1, 0, &pass())),
            Err(Error::<Test>::TooLate.into())
        );
    });
}

#[test]
fn a_bad_verdict_without_a_proof_is_no_vote() {
    run(|| {
        under_audit(5, honest());
        run_to(VOTING, 1);
        (1..=4).for_each(|number| send(vote(number, 0, &pass())));
        send(vote(5, 0, &verdict(Verdict::Bad)));
        run_to(VOTING, 5);
        (1..=4).for_each(|number| send(reveal(number, 0, pass())));
        send(reveal(5, 0, verdict(Verdict::Bad)));
        begin(VOTING + 1);
        assert_eq!(acceptance(), Acceptance::Accepted { hold_backs: 1 });
    });
}

#[test]
fn without_randomness_nobody_is_drawn_and_challenges_alone_are_open() {
    run(|| {
        (1..=5).for_each(add_auditor);
        committed(honest());
        begin(VOTING + 1);
        assert_eq!(acceptance(), Acceptance::Accepted { hold_backs: 2 });
        assert_eq!(payees(), []);
    });
}

/// Blocks were so few that an epoch passed unseen: whoever has to do something gets its time nevertheless.
#[test]
fn deadlines_wait_for_blocks() {
    run(|| {
        under_audit(12, honest());
        // The next block comes late in an epoch long after the votes' own.
        pallet_edge_mocks::Network::set_now(selvedge_primitives_types::Millis(
            3_600_000 * (VOTING + 2) + 3_000_000,
        ));
        block();
        assert_eq!(stage(), Stage::Voting(1));
        assert_eq!(now(), Epoch(VOTING + 2));
        cast(VOTING + 3, 1, &drawn(1), &pass());
        begin(VOTING + 4);
        assert_eq!(acceptance(), Acceptance::Accepted { hold_backs: 1 });
    });
}

#[test]
fn a_block_decides_no_more_than_it_has_weight_for() {
    use crate::WeightInfo;
    use frame_support::{traits::Hooks, weights::WeightMeter};
    run(|| {
        under_audit(12, honest());
        begin(AGAIN);
        pallet_edge_mocks::Network::set_now(selvedge_primitives_types::Millis(3_600_000 * LEAVES));
        let little = <Test as crate::Config>::WeightInfo::end_stage();
        Audits::on_poll(9, &mut WeightMeter::with_limit(little / 2));
        assert_eq!(stage(), Stage::Voting(1));
        block();
        assert!(matches!(stage(), Stage::LeavesDue { .. }));
    });
}
