//! What an auditor may seal, and when.

use super::*;
use crate::Votes;
use sp_runtime::transaction_validity::InvalidTransaction;

#[test]
fn keeps_what_a_drawn_auditor_sealed() {
    run(|| {
        under_audit(5, honest());
        run_to(VOTING, 1);
        System::reset_events();
        send(vote(2, 0, &pass()));
        assert_eq!(
            events(),
            [Event::Voted {
                auditor: auditor(2).0,
                window: Epoch(WINDOW),
                round: 0,
            }]
        );
        assert_eq!(Votes::<Test>::iter().count(), 1);
    });
}

#[test]
fn is_taken_in_the_first_half_of_the_epoch_after_the_window_alone() {
    run(|| {
        under_audit(5, honest());
        let call = vote(2, 0, &pass());
        assert_eq!(refusal(&call), Some(InvalidTransaction::Future));
        assert_eq!(dispatch(call.clone()), Err(Error::<Test>::TooEarly.into()));
        run_to(VOTING, 4);
        assert_eq!(refusal(&call), Some(InvalidTransaction::Stale));
        assert_eq!(dispatch(call.clone()), Err(Error::<Test>::TooLate.into()));
        run_to(VOTING + 1, 1);
        assert_eq!(dispatch(call), Err(Error::<Test>::TooLate.into()));
    });
}

#[test]
fn never_changes() {
    run(|| {
        under_audit(5, honest());
        run_to(VOTING, 1);
        send(vote(2, 0, &pass()));
        let other = vote(2, 0, &verdict(selvedge_primitives_types::Verdict::Bad));
        assert_eq!(refusal(&other), Some(InvalidTransaction::Stale));
        assert_eq!(dispatch(other), Err(Error::<Test>::AlreadyVoted.into()));
    });
}

#[test]
fn is_refused_of_others_and_without_the_agents_signature() {
    run(|| {
        under_audit(5, honest());
        run_to(VOTING, 1);
        let stranger = vote(9, 0, &pass());
        assert_eq!(refusal(&stranger), Some(InvalidTransaction::BadSigner));
        assert_eq!(dispatch(stranger), Err(Error::<Test>::NotDrawn.into()));
        let Call::vote {
            auditor,
            window,
            round,
            seal,
            ..
        } = vote(2, 0, &pass())
        else {
            unreachable!()
        };
        let Call::vote {
            agent_signature, ..
        } = vote(3, 0, &pass())
        else {
            unreachable!()
        };
        let forged = Call::vote {
            auditor,
            window,
            round,
            seal,
            agent_signature,
        };
        assert_eq!(refusal(&forged), Some(InvalidTransaction::BadProof));
        assert!(Call::<Test>::vote {
            auditor,
            window,
            round,
            seal,
            agent_signature
        }
        .eq(&forged));
        let signed = RuntimeCall::from(vote(2, 0, &pass()));
        use sp_runtime::traits::Dispatchable;
        assert!(signed.dispatch(RuntimeOrigin::signed(account(1))).is_err());
    });
}

#[test]
fn of_rounds_and_windows_that_are_not_is_refused() {
    run(|| {
        under_audit(5, honest());
        run_to(VOTING, 1);
        assert_eq!(
            dispatch(vote(2, 1, &pass())),
            Err(Error::<Test>::TooEarly.into())
        );
        assert_eq!(
            dispatch(vote(2, 3, &pass())),
            Err(Error::<Test>::NotDrawn.into())
        );
        crate::Windows::<Test>::remove(Epoch(WINDOW));
        assert_eq!(
            dispatch(vote(2, 0, &pass())),
            Err(Error::<Test>::NotUnderAudit.into())
        );
    });
}

#[test]
fn what_is_never_revealed_is_forgotten() {
    run(|| {
        under_audit(5, honest());
        run_to(VOTING, 1);
        (1..=5).for_each(|number| send(vote(number, 0, &pass())));
        begin(VOTING + 1);
        assert_eq!(Votes::<Test>::iter().count(), 0);
    });
}
