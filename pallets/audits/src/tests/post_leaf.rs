//! Auditors show that they looked, or lose fees.

use super::*;
use crate::{types::Audit, Audits as AuditOf, Fines};
use pallet_edge_traits::{AuditDuties, CommitmentAudit};
use selvedge_primitives_math::duty::LeafPurpose;
use sp_runtime::transaction_validity::InvalidTransaction;

/// The commitment accepted by five auditors, and a later seed that names at least one of them; returns who is named.
fn named() -> (UsageTrees, Vec<u8>) {
    let trees = under_audit(5, honest());
    cast(VOTING, 0, &[1, 2, 3, 4, 5], &pass());
    begin(VOTING + 1);
    for seed in 0..=255 {
        crate::Windows::<Test>::mutate(Epoch(VOTING + 1), |window| {
            let panel = Default::default();
            *window = Some(crate::types::Window {
                seed: [seed; 32],
                panel,
            });
        });
        let due = |number: &u8| !Audits::leaves_due(&auditor(*number).0).is_empty();
        let named: Vec<_> = (1..=5).filter(due).collect();
        if !named.is_empty() {
            return (trees, named);
        }
    }
    panic!("256 seeds name nobody");
}

fn audit() -> Audit {
    AuditOf::<Test>::get(EPOCH, GATEWAY).unwrap()
}

#[test]
fn who_shows_the_leaf_is_not_fined() {
    run(|| {
        let (trees, named) = named();
        for number in &named {
            let due = Audits::leaves_due(&auditor(*number).0)[0];
            assert_eq!(
                (due.purpose, due.until),
                (LeafPurpose::Posted, Epoch(VOTING + 2))
            );
            send(post(*number, opened(&trees, due.draw)));
            assert_eq!(
                dispatch(post(*number, opened(&trees, due.draw))),
                Err(Error::<Test>::NotDue.into())
            );
        }
        begin(VOTING + 3);
        assert_eq!(Fines::<Test>::iter().count(), 0);
    });
}

#[test]
fn who_does_not_loses_the_fees_of_fifty_audits() {
    run(|| {
        let (_, named) = named();
        System::reset_events();
        begin(VOTING + 3);
        let fined = events()
            .into_iter()
            .filter(|event| matches!(event, Event::AuditorFined { .. }));
        assert_eq!(fined.count(), named.len());
        let owner = account(40 + named[0]);
        assert_eq!(Fines::<Test>::get(&owner), Some(50));
        assert_eq!(payees().len(), 5, "the fee of the audit itself stays");
        for _ in 0..50 {
            let mut audit = audit();
            Audits::accept(&mut audit, 1, &GATEWAY, EPOCH);
            AuditOf::<Test>::insert(EPOCH, GATEWAY, audit);
            assert!(!Audits::payees(&GATEWAY, EPOCH).contains(&owner));
        }
        let mut audit = audit();
        Audits::accept(&mut audit, 1, &GATEWAY, EPOCH);
        AuditOf::<Test>::insert(EPOCH, GATEWAY, audit);
        assert!(Audits::payees(&GATEWAY, EPOCH).contains(&owner));
    });
}

#[test]
fn is_refused_of_others_of_other_leaves_and_too_late() {
    run(|| {
        let (trees, named) = named();
        let due = Audits::leaves_due(&auditor(named[0]).0)[0];
        let leaf = opened(&trees, due.draw);
        let idle = (1..=5).find(|number| !named.contains(number)).unwrap();
        assert_eq!(
            dispatch(post(idle, leaf.clone())),
            Err(Error::<Test>::NotDue.into())
        );
        let stranger = post(9, leaf.clone());
        assert_eq!(refusal(&stranger), Some(InvalidTransaction::BadSigner));
        assert_eq!(dispatch(stranger), Err(Error::<Test>::NotDrawn.into()));
        let mut wrong = leaf.clone();
        wrong.leaf.body.amount += 1;
        assert_eq!(
            dispatch(post(named[0], wrong)),
            Err(Error::<Test>::ProofInvalid.into())
        );
        let mut forged = post(named[0], leaf.clone());
        if let Call::post_leaf {
            agent_signature, ..
        } = &mut forged
        {
            agent_signature.0[0] ^= 1;
        }
        assert_eq!(refusal(&forged), Some(InvalidTransaction::BadProof));
        begin(VOTING + 3);
        assert_eq!(
            refusal(&post(named[0], leaf)),
            Some(InvalidTransaction::Stale)
        );
    });
}

#[test]
fn nobody_is_named_without_a_later_seed() {
    run(|| {
        under_audit(5, honest());
        cast(VOTING, 0, &[1, 2, 3, 4, 5], &pass());
        begin(VOTING + 3);
        assert_eq!(Fines::<Test>::iter().count(), 0);
    });
}
