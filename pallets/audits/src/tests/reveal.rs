//! What an auditor may reveal, and what it counts.

use super::*;
use crate::{types::Stage, Audits as AuditOf, Votes};
use selvedge_primitives_types::{AuditVerdict, Verdict};
use sp_runtime::transaction_validity::InvalidTransaction;

fn passed() -> usize {
    AuditOf::<Test>::get(EPOCH, GATEWAY).unwrap().passed.len()
}

#[test]
fn counts_an_ok_and_nothing_else() {
    run(|| {
        under_audit(5, honest());
        run_to(VOTING, 1);
        let said = [
            pass(),
            verdict(Verdict::Bad),
            verdict(Verdict::Withheld),
            Vec::new(),
        ];
        for (number, verdicts) in (1..).zip(&said) {
            send(vote(number, 0, verdicts));
        }
        run_to(VOTING, 4);
        System::reset_events();
        for (number, verdicts) in (1..).zip(said) {
            send(reveal(number, 0, verdicts));
        }
        assert_eq!(passed(), 1);
        assert_eq!(Votes::<Test>::iter().count(), 0);
        let counted = events().into_iter().map(|event| match event {
            Event::Revealed {
                verdicts, passed, ..
            } => (verdicts, passed),
            other => panic!("{other:?}"),
        });
        assert_eq!(
            counted.collect::<Vec<_>>(),
            [(1, 1), (1, 0), (1, 0), (0, 0)]
        );
    });
}

#[test]
fn is_taken_in_the_second_half_of_its_epoch_alone() {
    run(|| {
        under_audit(5, honest());
        run_to(VOTING, 1);
        send(vote(2, 0, &pass()));
        let call = reveal(2, 0, pass());
        assert_eq!(refusal(&call), Some(InvalidTransaction::Future));
        assert_eq!(dispatch(call.clone()), Err(Error::<Test>::TooEarly.into()));
        run_to(VOTING + 1, 5);
        assert_eq!(refusal(&call), Some(InvalidTransaction::Stale));
        assert_eq!(dispatch(call), Err(Error::<Test>::TooLate.into()));
    });
}

#[test]
fn of_what_was_not_sealed_is_refused() {
    run(|| {
        under_audit(5, honest());
        run_to(VOTING, 1);
        send(vote(2, 0, &pass()));
        run_to(VOTING, 5);
        let other = reveal(2, 0, verdict(Verdict::Bad));
        assert_eq!(refusal(&other), Some(InvalidTransaction::Call));
        assert_eq!(dispatch(other), Err(Error::<Test>::OtherVote.into()));
        let unsealed = reveal(3, 0, pass());
        assert_eq!(refusal(&unsealed), Some(InvalidTransaction::Stale));
        assert_eq!(dispatch(unsealed), Err(Error::<Test>::NotVoted.into()));
        send(reveal(2, 0, pass()));
        assert_eq!(
            dispatch(reveal(2, 0, pass())),
            Err(Error::<Test>::NotVoted.into())
        );
    });
}

#[test]
fn without_the_agents_signature_enters_no_block() {
    run(|| {
        under_audit(5, honest());
        run_to(VOTING, 1);
        send(vote(2, 0, &pass()));
        run_to(VOTING, 5);
        let mut call = reveal(2, 0, pass());
        if let Call::reveal {
            agent_signature, ..
        } = &mut call
        {
            agent_signature.0[0] ^= 1;
        }
        assert_eq!(refusal(&call), Some(InvalidTransaction::BadProof));
    });
}

#[test]
fn verdicts_stand_in_their_order_each_once() {
    run(|| {
        under_audit(5, honest());
        run_to(VOTING, 1);
        let twice = [pass(), pass()].concat();
        send(vote(2, 0, &twice));
        run_to(VOTING, 5);
        assert_eq!(
            dispatch(reveal(2, 0, twice)),
            Err(Error::<Test>::Malformed.into())
        );
        assert_eq!(passed(), 0);
    });
}

#[test]
fn a_verdict_on_what_the_auditor_was_not_drawn_for_is_refused() {
    run(|| {
        under_audit(9, honest());
        let drawn = drawn(0);
        let idle = (1..=9).find(|number| !drawn.contains(number)).unwrap();
        run_to(VOTING, 1);
        send(vote(idle, 0, &pass()));
        let unknown = vec![AuditVerdict {
            gateway: DeviceId([1; 32]),
            epoch: EPOCH,
            verdict: Verdict::Bad,
        }];
        send(vote(drawn[0], 0, &unknown));
        run_to(VOTING, 5);
        for (number, verdicts) in [(idle, pass()), (drawn[0], unknown)] {
            let call = reveal(number, 0, verdicts);
            assert_eq!(refusal(&call), Some(InvalidTransaction::BadSigner));
            assert_eq!(dispatch(call), Err(Error::<Test>::NotDrawn.into()));
        }
    });
}

/// Fraud that was proven after the vote must not spoil what the auditor says of others.
#[test]
fn a_verdict_on_what_became_void_meanwhile_counts_for_nothing() {
    run(|| {
        under_audit(5, honest());
        run_to(VOTING, 1);
        send(vote(2, 0, &pass()));
        Audits::punish(&GATEWAY, EPOCH, None);
        Audits::close_audit(&GATEWAY, EPOCH);
        run_to(VOTING, 5);
        send(reveal(2, 0, pass()));
        assert_eq!((stage(), passed()), (Stage::Void, 0));
    });
}
