//! A drawn auditor proves a defect for nothing.

use super::*;
use crate::types::Stage;
use sp_runtime::transaction_validity::InvalidTransaction;

#[test]
fn voids_the_commitment_and_rewards_the_auditors_owner() {
    run(|| {
        let trees = under_audit(5, inflated());
        run_to(VOTING, 5);
        send(prove(3, proof_of_inflation(&trees)));
        assert_eq!(stake(), STAKE, "it may be a canary");
        begin(VOTING + 2);
        let fraud = Frauds::<Test>::get(EPOCH, GATEWAY).unwrap();
        assert_eq!(fraud.reporter, account(43));
        assert!(fraud.reward > 0);
        assert_eq!(
            (stage(), money(GATEWAY, EPOCH)),
            (Stage::Void, Some(Money::Void))
        );
    });
}

#[test]
fn is_for_those_who_were_drawn() {
    run(|| {
        let trees = under_audit(9, inflated());
        run_to(VOTING, 5);
        let drawn = drawn(0);
        let idle = (1..=9).find(|number| !drawn.contains(number)).unwrap();
        for number in [idle, 30] {
            let call = prove(number, proof_of_inflation(&trees));
            assert_eq!(refusal(&call), Some(InvalidTransaction::BadSigner));
            assert_eq!(dispatch(call), Err(Error::<Test>::NotDrawn.into()));
        }
        send(prove(drawn[0], proof_of_inflation(&trees)));
    });
}

#[test]
fn what_proves_nothing_enters_no_block() {
    run(|| {
        let trees = under_audit(5, honest());
        run_to(VOTING, 5);
        let sound = opening(&trees, |_| true);
        let call = prove(3, sound.clone());
        assert_eq!(refusal(&call), Some(InvalidTransaction::Call));
        assert_eq!(dispatch(call), Err(Error::<Test>::NothingWrong.into()));
        let mut forged = prove(3, sound);
        if let Call::prove {
            agent_signature, ..
        } = &mut forged
        {
            agent_signature.0[0] ^= 1;
        }
        assert_eq!(refusal(&forged), Some(InvalidTransaction::BadProof));
        assert_eq!(stage(), Stage::Voting(0));
    });
}

#[test]
fn ends_with_the_audit() {
    run(|| {
        let trees = under_audit(5, inflated());
        cast(VOTING, 0, &[1, 2, 3, 4], &pass());
        begin(VOTING + 1);
        let call = prove(3, proof_of_inflation(&trees));
        assert_eq!(refusal(&call), Some(InvalidTransaction::Stale));
        assert_eq!(dispatch(call), Err(Error::<Test>::NotUnderAudit.into()));
    });
}

#[test]
fn of_an_unknown_commitment_is_refused() {
    run(|| {
        let trees = committed(honest());
        crate::Audits::<Test>::remove(EPOCH, GATEWAY);
        let call = prove(3, opening(&trees, |_| true));
        assert_eq!(refusal(&call), Some(InvalidTransaction::Call));
    });
}
