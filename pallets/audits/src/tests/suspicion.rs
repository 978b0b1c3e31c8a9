//! A proof tells nobody what to vote, and convicts when the gateway turned out to be no canary.

use super::*;
use crate::{types::Stage, Fines, Suspicions};
use frame_support::{assert_noop, assert_ok};
use selvedge_primitives_math::{
    draw::{Draw, Place},
    fraud::Defect,
};
use sp_runtime::transaction_validity::InvalidTransaction;

fn report(by: u8, proof: FraudProof) -> frame_support::dispatch::DispatchResultWithPostInfo {
    Audits::report_fraud(
        RuntimeOrigin::signed(account(by)),
        GATEWAY,
        EPOCH,
        proof.into(),
    )
}

#[test]
fn nothing_is_heard_until_votes_are_sealed() {
    run(|| {
        let trees = under_audit(5, inflated());
        let proof = || proof_of_inflation(&trees);
        assert_noop!(report(5, proof()), Error::<Test>::TooEarly);
        run_to(VOTING, 1);
        assert_noop!(report(5, proof()), Error::<Test>::TooEarly);
        let call = prove(3, proof());
        assert_eq!(refusal(&call), Some(InvalidTransaction::Future));
        run_to(VOTING, 5);
        System::reset_events();
        assert_ok!(report(5, proof()));
        let shown = Event::DefectShown {
            gateway: GATEWAY,
            epoch: EPOCH,
            defect: Defect::WrongPrice,
        };
        assert_eq!(events(), [shown]);
        assert_noop!(report(6, proof()), Error::<Test>::AlreadyReported);
        assert_eq!((stage(), stake()), (Stage::Voting(0), STAKE));
        begin(VOTING + 1);
        assert_eq!((stage(), stake()), (Stage::Proven(0), STAKE));
        begin(VOTING + 2);
        assert_eq!(stage(), Stage::Void);
        let fraud = Frauds::<Test>::get(EPOCH, GATEWAY).unwrap();
        assert_eq!((fraud.reporter, fraud.taken), (account(5), 5_000));
        assert_eq!(Suspicions::<Test>::iter().count(), 0);
    });
}

#[test]
fn where_nobody_votes_a_proof_convicts_at_once() {
    run(|| {
        let trees = under_audit(2, inflated());
        assert_ok!(report(5, proof_of_inflation(&trees)));
        assert_eq!((stage(), stake()), (Stage::Void, 20_000));
    });
}

#[test]
fn votes_do_not_accept_what_was_shown_to_be_false() {
    run(|| {
        let trees = under_audit(5, inflated());
        cast(VOTING, 0, &[1, 2, 3, 4], &pass());
        send(prove(5, proof_of_inflation(&trees)));
        begin(VOTING + 1);
        assert_eq!(acceptance(), pallet_edge_traits::Acceptance::Undecided);
        begin(VOTING + 2);
        assert_eq!(money(GATEWAY, EPOCH), Some(Money::Void));
        // All of its twelve leaves had to be looked at.
        let fined = (41..=45).map(|owner| Fines::<Test>::get(account(owner)));
        let fine = Some(50);
        assert_eq!(fined.collect::<Vec<_>>(), [fine, fine, fine, fine, None]);
    });
}

#[test]
fn a_graver_defect_takes_the_place_of_a_lighter_one() {
    run(|| {
        let mut leaves = inflated();
        leaves[5].cache_signature.0[9] ^= 1;
        let trees = under_audit(5, leaves);
        run_to(VOTING, 5);
        assert_ok!(report(5, proof_of_inflation(&trees)));
        let forged = opening(&trees, |leaf| {
            leaf.body.cache == id_of(&cache(2)) && leaf.body.slice.0 == 1
        });
        assert_ok!(report(6, forged));
        begin(VOTING + 2);
        let fraud = Frauds::<Test>::get(EPOCH, GATEWAY).unwrap();
        assert_eq!(
            (fraud.defect, fraud.reporter, stake()),
            (Defect::BadSignature, account(6), 0)
        );
    });
}

/// Whoever withholds a challenged leaf to be punished for less is convicted too.
#[test]
fn what_is_void_for_another_reason_meanwhile_is_convicted() {
    run(|| {
        let trees = under_audit(5, inflated());
        let origin = RuntimeOrigin::signed(account(1));
        let at = Place::Index(0);
        assert_ok!(Audits::challenge_leaf(
            origin,
            GATEWAY,
            EPOCH,
            TreeKind::Caches,
            at
        ));
        run_to(VOTING, 5);
        assert_ok!(report(5, proof_of_inflation(&trees)));
        begin(VOTING + 1);
        let fraud = Frauds::<Test>::get(EPOCH, GATEWAY).unwrap();
        assert_eq!(fraud.forfeit, pallet_edge_traits::Forfeit::AlreadyVoid);
        assert!(fraud.taken > 0);
        assert_eq!(Suspicions::<Test>::iter().count(), 0);
    });
}

/// A canary must be able to show a leaf that somebody forces on chain before it can be opened.
#[test]
fn a_false_leaf_that_was_challenged_is_shown_and_waits_like_a_proof() {
    run(|| {
        let trees = under_audit(5, inflated());
        let FraudProof::Leaf { leaf, .. } = proof_of_inflation(&trees) else {
            panic!("a leaf is inflated");
        };
        let index = (0..12).find(|index| {
            let at = Place::Index(*index);
            let tree = TreeKind::Customers;
            opened(&trees, Draw { tree, at }).leaf == leaf.leaf
        });
        let at = Place::Index(index.unwrap());
        let draw = Draw {
            tree: TreeKind::Customers,
            at,
        };
        let origin = RuntimeOrigin::signed(account(1));
        assert_ok!(Audits::challenge_leaf(
            origin, GATEWAY, EPOCH, draw.tree, at
        ));
        assert_eq!(held_by(1), BOND);
        send(answer(draw, leaf));
        assert_eq!((held_by(1), stake()), (0, STAKE), "who asked was right");
        assert!(Suspicions::<Test>::contains_key(EPOCH, GATEWAY));
        begin(VOTING + 1);
        assert_eq!(stage(), Stage::Proven(0));
        begin(VOTING + 2);
        assert_eq!((stage(), stake()), (Stage::Void, 20_000));
        // Nobody is rewarded for what the gateway showed itself.
        assert_eq!(Frauds::<Test>::get(EPOCH, GATEWAY).unwrap().reward, 0);
    });
}

fn held_by(number: u8) -> u128 {
    use frame_support::traits::fungible::InspectHold;
    Balances::total_balance_on_hold(&account(number))
}
