//! A gateway shows the leaves that it owes on chain.

use super::*;
use crate::types::Stage;
use pallet_edge_traits::{Acceptance, AuditDuties, StakeInspect};
use selvedge_primitives_math::{
    draw::{Draw, Place},
    duty::LeafPurpose,
};
use selvedge_primitives_types::Role;
use sp_runtime::transaction_validity::InvalidTransaction;

/// A commitment that nobody voted on, in the epoch in which its leaves are due.
fn due(leaves: Vec<Leaf>) -> UsageTrees {
    let trees = under_audit(5, leaves);
    begin(LEAVES);
    trees
}

fn owed() -> Vec<Draw> {
    let duties = Audits::leaves_due(&GATEWAY).into_iter();
    duties
        .map(|duty| {
            assert_eq!(
                (duty.purpose, duty.until),
                (LeafPurpose::Owed, Epoch(LEAVES))
            );
            duty.draw
        })
        .collect()
}

#[test]
fn all_that_are_due_accept_the_commitment_with_twice_the_hold_back() {
    run(|| {
        let trees = due(honest());
        let draws = owed();
        assert_eq!(draws.len(), 8);
        for draw in draws {
            assert_eq!(acceptance(), Acceptance::Undecided);
            if owed().contains(&draw) {
                send(answer(draw, opened(&trees, draw)));
            }
        }
        assert_eq!(owed(), []);
        assert_eq!(acceptance(), Acceptance::Accepted { hold_backs: 2 });
        assert_eq!((payees(), stake()), (Vec::new(), STAKE));
        begin(LEAVES + 2);
        assert_eq!(acceptance(), Acceptance::Accepted { hold_backs: 2 });
    });
}

#[test]
fn one_that_does_not_come_voids_slashes_and_retires() {
    run(|| {
        let trees = due(honest());
        for draw in owed().into_iter().skip(1) {
            if owed().contains(&draw) {
                send(answer(draw, opened(&trees, draw)));
            }
        }
        assert!(!owed().is_empty());
        System::reset_events();
        begin(LEAVES + 1);
        assert_eq!(
            (stage(), money(GATEWAY, EPOCH)),
            (Stage::Void, Some(Money::Void))
        );
        // A tenth, which is more than the commitment's amount.
        assert_eq!(stake(), STAKE - STAKE / 10);
        assert_eq!(
            events(),
            [Event::LeavesWithheld {
                gateway: GATEWAY,
                epoch: EPOCH,
                challenger: None,
                taken: STAKE / 10,
                reward: 0,
            }]
        );
        let next = Epoch(LEAVES + 2);
        assert!(!pallet_edge_mocks::Network::is_active(
            &GATEWAY,
            Role::Gateway,
            next
        ));
    });
}

/// A claim of more than the part of the stake costs as much.
#[test]
fn no_less_is_taken_than_was_claimed() {
    run(|| {
        let mut leaves = honest();
        leaves[0].body.amount = 4_000;
        due(leaves);
        begin(LEAVES + 1);
        assert!(stake() < STAKE - 4_000, "{}", stake());
    });
}

#[test]
fn of_another_leaf_than_the_one_that_is_due_is_refused() {
    run(|| {
        let trees = due(honest());
        let draw = owed()[0];
        let right = opened(&trees, draw);
        let others = (0..12)
            .map(|leaf| {
                opened(
                    &trees,
                    Draw {
                        at: Place::Index(leaf),
                        ..draw
                    },
                )
            })
            .filter(|other| *other != right);
        let mut refused = 0;
        for other in others {
            let call = answer(draw, other);
            assert_eq!(refusal(&call), Some(InvalidTransaction::Call));
            assert_eq!(dispatch(call), Err(Error::<Test>::WrongLeaf.into()));
            refused += 1;
        }
        assert_eq!(refused, 11);
        let nobody_asked = Draw {
            at: Place::Amount(u128::MAX),
            ..draw
        };
        let call = answer(nobody_asked, right);
        assert_eq!(refusal(&call), Some(InvalidTransaction::Stale));
        assert_eq!(dispatch(call), Err(Error::<Test>::NotDue.into()));
    });
}

#[test]
fn of_what_was_not_committed_is_refused() {
    run(|| {
        let trees = due(honest());
        let draw = owed()[0];
        let mut leaf = opened(&trees, draw);
        leaf.leaf.body.amount += 1;
        let call = answer(draw, leaf);
        assert_eq!(refusal(&call), Some(InvalidTransaction::Call));
        assert_eq!(dispatch(call), Err(Error::<Test>::ProofInvalid.into()));
    });
}

#[test]
fn comes_in_time_once_and_from_the_gateways_agent() {
    run(|| {
        let trees = due(honest());
        let draw = owed()[0];
        let call = answer(draw, opened(&trees, draw));
        let mut forged = call.clone();
        if let Call::answer {
            agent_signature, ..
        } = &mut forged
        {
            agent_signature.0[0] ^= 1;
        }
        assert_eq!(refusal(&forged), Some(InvalidTransaction::BadProof));
        send(call.clone());
        assert_eq!(dispatch(call.clone()), Err(Error::<Test>::NotDue.into()));
        begin(LEAVES + 1);
        assert_eq!(refusal(&call), Some(InvalidTransaction::Stale));
    });
}

#[test]
fn a_defect_in_it_is_fraud_that_rewards_nobody() {
    run(|| {
        // All leaves are a planck too dear, so every draw meets one.
        let leaves = (0..2u8)
            .flat_map(|service| (0..3u8).map(move |number| (service, number)))
            .map(|(service, number)| {
                let mut leaf = leaf(service, number, 0);
                leaf.body.amount += 1;
                signed(leaf.body, number)
            })
            .collect();
        let trees = due(leaves);
        let draw = owed()[0];
        send(answer(draw, opened(&trees, draw)));
        let fraud = Frauds::<Test>::get(EPOCH, GATEWAY).unwrap();
        assert_eq!((fraud.reporter, fraud.reward), (account(11), 0));
        assert!(fraud.taken > 0);
        assert_eq!(
            (stage(), money(GATEWAY, EPOCH)),
            (Stage::Void, Some(Money::Void))
        );
    });
}

/// Void by another's hand: nothing is due any more, and nothing is taken.
#[test]
fn is_not_missed_of_a_commitment_that_ended_otherwise() {
    run(|| {
        due(honest());
        spend(GATEWAY, EPOCH, Money::Void);
        begin(LEAVES + 1);
        assert_eq!(stake(), STAKE);
    });
}
