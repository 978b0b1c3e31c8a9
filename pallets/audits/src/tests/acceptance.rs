//! What billing is told, and what auditors are.

use super::*;
use crate::types::Stage;
use pallet_edge_traits::{Acceptance, AuditDuties, CommitmentAudit};
use selvedge_primitives_math::{draw::Sample, duty::AuditPhase};

fn phases(number: u8) -> Vec<AuditPhase> {
    let duties = Audits::audits(&auditor(number).0).into_iter();
    duties.map(|duty| duty.phase).collect()
}

#[test]
fn an_amount_that_does_not_pay_for_a_look_is_open_to_challenges_alone() {
    run(|| {
        (1..=5).for_each(add_auditor);
        LeastAmount::set(1_000_000);
        committed(honest());
        assert_eq!(
            (stage(), acceptance()),
            (Stage::Open, Acceptance::Undecided)
        );
        run_to(WINDOW, 3);
        assert_eq!(acceptance(), Acceptance::Accepted { hold_backs: 2 });
        begin(LEAVES + 2);
        assert_eq!((payees(), stake()), (Vec::new(), STAKE));
    });
}

#[test]
fn too_few_operators_are_not_waited_for() {
    run(|| {
        under_audit(2, honest());
        assert_eq!(stage(), Stage::Voting(0));
        assert_eq!(acceptance(), Acceptance::Accepted { hold_backs: 2 });
        begin(LEAVES);
        assert_eq!(acceptance(), Acceptance::Accepted { hold_backs: 2 });
    });
}

#[test]
fn what_was_committed_before_there_were_audits_is_accepted_when_its_window_closes() {
    run(|| {
        commit_to(honest());
        let asked = || Audits::acceptance(&GATEWAY, EPOCH, Epoch(WINDOW));
        assert_eq!(asked(), Acceptance::Undecided);
        run_to(WINDOW, 3);
        assert_eq!(asked(), Acceptance::Accepted { hold_backs: 1 });
    });
}

#[test]
fn an_auditor_is_told_what_to_do_in_each_half() {
    run(|| {
        under_audit(5, honest());
        assert_eq!(
            phases(2),
            [AuditPhase::Look],
            "it may look before it can vote"
        );
        let duty = &Audits::audits(&auditor(2).0)[0];
        assert_eq!(
            (duty.window, duty.round, duty.epoch),
            (Epoch(WINDOW), 0, EPOCH)
        );
        assert_eq!(duty.public_url, b"https://node.example");
        assert_eq!(duty.sample, Sample::Whole);
        run_to(VOTING, 1);
        assert_eq!(phases(2), [AuditPhase::Vote]);
        send(vote(2, 0, &pass()));
        assert_eq!(phases(2), [AuditPhase::Look]);
        run_to(VOTING, 5);
        assert_eq!(
            (phases(2), phases(3)),
            (vec![AuditPhase::Reveal], vec![AuditPhase::Prove])
        );
        send(reveal(2, 0, pass()));
        assert_eq!(phases(2), [AuditPhase::Prove]);
        run_to(AGAIN, 1);
        assert_eq!(phases(2), [AuditPhase::Vote]);
        assert_eq!(Audits::audits(&auditor(2).0)[0].round, 1);
        assert_eq!(Audits::audits(&GATEWAY), []);
    });
}

#[test]
fn only_who_was_drawn_has_a_duty() {
    run(|| {
        under_audit(9, honest());
        let told: Vec<_> = (1..=9)
            .filter(|number| !phases(*number).is_empty())
            .collect();
        let mut drawn = drawn(0);
        drawn.sort_unstable();
        assert_eq!(told, drawn);
    });
}

#[test]
fn nothing_is_paid_for_what_is_not_accepted() {
    run(|| {
        under_audit(5, honest());
        cast(VOTING, 0, &[1, 2, 3, 4], &pass());
        assert_eq!(Audits::payees(&GATEWAY, EPOCH), []);
    });
}
