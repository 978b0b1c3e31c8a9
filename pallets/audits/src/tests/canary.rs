//! Canaries: who passed one is fined, and nothing but what was pledged is excused.

use super::*;
use crate::{
    canary::{name_seal, pledge_seal, MAX_CANARIES},
    types::{CanaryName, Opening, Pledged, Stage, MAX_PLEDGES},
    Audits as AuditOf, Canaries, CanarySpent, Excused, Fines, Suspicions,
};
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult};
use pallet_edge_traits::Acceptance;
use selvedge_primitives_math::fraud::Defect;
use sp_runtime::DispatchError;

/// Pledges for the canary.
const OPERATOR: u8 = 8;

fn name() -> CanaryName {
    CanaryName {
        gateway: GATEWAY,
        customers: vec![Account([1; 32])].try_into().unwrap(),
        salt: [1; 32],
    }
}

fn false_leaf() -> Leaf {
    inflated()[2]
}

fn pledged() -> Pledged {
    Pledged {
        gateway: GATEWAY,
        epoch: EPOCH,
        leaves: vec![false_leaf()].try_into().unwrap(),
        salt: [2; 32],
    }
}

fn named(name: &CanaryName) {
    let operator = account(OPERATOR);
    assert_ok!(Audits::name_canary(
        RuntimeOrigin::root(),
        name_seal(name),
        operator
    ));
}

fn pledge(name: &CanaryName, pledged: &Pledged) -> DispatchResult {
    let origin = RuntimeOrigin::signed(account(OPERATOR));
    Audits::pledge(origin, name_seal(name), pledge_seal(pledged))
}

/// A canary under audit that pledged before it committed.
fn canary(leaves: Vec<Leaf>, name: &CanaryName, what: &Pledged) -> UsageTrees {
    Taken::set(1_000_000);
    named(name);
    assert_ok!(pledge(name, what));
    block();
    under_audit(5, leaves)
}

fn shown(trees: &UsageTrees, leaf: Leaf) -> OpenedLeaf {
    let FraudProof::Leaf { leaf, .. } = opening(trees, |one| *one == leaf) else {
        panic!("it opens a leaf");
    };
    leaf
}

fn opening_of(trees: &UsageTrees) -> Opening {
    Opening {
        name: name(),
        pledged: pledged(),
        tree: TreeKind::Customers,
        shown: shown(trees, false_leaf()),
    }
}

fn open(opening: Opening) -> Result<(), DispatchError> {
    let origin = RuntimeOrigin::signed(account(9));
    let outcome = Audits::open_canary(origin, opening.into());
    outcome.map(drop).map_err(|refused| refused.error)
}

fn refused(opening: Opening, error: Error<Test>) {
    assert_noop!(open(opening), error);
}

#[test]
fn who_passed_it_is_fined_and_who_proved_it_has_the_fee() {
    run(|| {
        let trees = canary(inflated(), &name(), &pledged());
        cast(VOTING, 0, &[1, 2], &pass());
        send(prove(4, proof_of_inflation(&trees)));
        begin(VOTING + 1);
        System::reset_events();
        assert_ok!(open(opening_of(&trees)));
        assert_eq!(acceptance(), Acceptance::Accepted { hold_backs: 1 });
        assert_eq!(payees(), [account(44)]);
        let fines = [41, 42, 43, 44].map(|owner| Fines::<Test>::get(account(owner)));
        assert_eq!(fines, [Some(50), Some(50), None, None]);
        let amount = trees.commitment(GATEWAY, EPOCH).customers.sum.amount;
        let opened = Event::CanaryOpened {
            gateway: GATEWAY,
            epoch: EPOCH,
            defect: Defect::WrongPrice,
            fined: 2,
            amount,
        };
        assert!(events().contains(&opened));
        assert_eq!((CanarySpent::<Test>::get(), stake()), (amount, STAKE));
        // For good.
        begin(VOTING + 3);
        assert_eq!(
            (stake(), money(GATEWAY, EPOCH)),
            (STAKE, Some(Money::AtStake))
        );
        assert_eq!(Canaries::<Test>::count(), 0);
        assert_eq!(Suspicions::<Test>::iter().count(), 0);
    });
}

#[test]
fn auditors_who_all_passed_it_are_all_fined() {
    run(|| {
        let trees = canary(inflated(), &name(), &pledged());
        cast(VOTING, 0, &[1, 2, 3, 4, 5], &pass());
        refused(opening_of(&trees), Error::TooEarly);
        begin(VOTING + 1);
        assert_eq!(payees().len(), 5);
        assert_ok!(open(opening_of(&trees)));
        assert_eq!(payees(), []);
        assert_eq!(Fines::<Test>::iter().count(), 5);
        // Nobody is asked for a leaf, nor can be fined again.
        begin(VOTING + 2);
        assert!(Fines::<Test>::iter_values().all(|fine| fine == 50));
    });
}

#[test]
fn what_was_pledged_proves_nothing_any_more_and_all_else_does() {
    run(|| {
        let mut leaves = inflated();
        leaves[5].cache_signature.0[9] ^= 1;
        let trees = canary(leaves, &name(), &pledged());
        begin(VOTING + 1);
        cast(VOTING + 1, 1, &[1, 2, 3, 4, 5], &pass());
        begin(VOTING + 2);
        assert_ok!(open(opening_of(&trees)));
        assert_eq!(Excused::<Test>::get(EPOCH, GATEWAY).len(), 1);
        let report = |proof: FraudProof| {
            let origin = RuntimeOrigin::signed(account(5));
            let outcome = Audits::report_fraud(origin, GATEWAY, EPOCH, proof.into());
            outcome.map(drop).map_err(|refused| refused.error)
        };
        assert_eq!(
            report(proof_of_inflation(&trees)),
            Err(Error::<Test>::LeafPledged.into())
        );
        let forged = opening(&trees, |leaf| {
            leaf.body.cache == id_of(&cache(2)) && leaf.body.slice.0 == 1
        });
        assert_ok!(report(forged));
        assert_eq!(stake(), 0);
    });
}

#[test]
fn a_pledge_after_the_commitment_is_none() {
    run(|| {
        Taken::set(1_000_000);
        named(&name());
        let trees = under_audit(5, inflated());
        assert_ok!(pledge(&name(), &pledged()));
        cast(VOTING, 0, &[1, 2, 3, 4], &pass());
        begin(VOTING + 1);
        refused(opening_of(&trees), Error::UnknownPledge);
    });
}

#[test]
fn a_canary_that_is_not_opened_in_time_is_convicted() {
    run(|| {
        let trees = canary(inflated(), &name(), &pledged());
        run_to(VOTING, 5);
        send(prove(4, proof_of_inflation(&trees)));
        begin(VOTING + 2);
        refused(opening_of(&trees), Error::TooLate);
        assert_eq!((stage(), stake()), (Stage::Void, 20_000));
    });
}

#[test]
fn leaves_that_charge_others_are_not_excused() {
    run(|| {
        let others = CanaryName {
            customers: vec![Account([2; 32])].try_into().unwrap(),
            ..name()
        };
        let trees = canary(inflated(), &others, &pledged());
        cast(VOTING, 0, &[1, 2, 3, 4], &pass());
        begin(VOTING + 1);
        let opening = Opening {
            name: others,
            ..opening_of(&trees)
        };
        refused(opening, Error::NotPledged);
    });
}

#[test]
fn another_defect_than_a_false_leaf_is_not_excused() {
    run(|| {
        let mut leaves = honest();
        leaves[2].cache_signature.0[9] ^= 1;
        let forged = leaves[2];
        let what = Pledged {
            leaves: vec![forged].try_into().unwrap(),
            ..pledged()
        };
        let trees = canary(leaves, &name(), &what);
        cast(VOTING, 0, &[1, 2, 3, 4], &pass());
        begin(VOTING + 1);
        let opening = Opening {
            name: name(),
            pledged: what,
            tree: TreeKind::Customers,
            shown: shown(&trees, forged),
        };
        refused(opening, Error::NotPledged);
    });
}

#[test]
fn what_was_proven_and_not_pledged_is_not_excused() {
    run(|| {
        let mut leaves = inflated();
        leaves[8].body.amount += 1;
        leaves[8] = signed(leaves[8].body, 1);
        let other = leaves[8];
        let trees = canary(leaves, &name(), &pledged());
        run_to(VOTING, 5);
        send(prove(4, opening(&trees, |leaf| *leaf == other)));
        begin(VOTING + 1);
        refused(opening_of(&trees), Error::NotPledged);
        begin(VOTING + 2);
        assert_eq!(stage(), Stage::Void);
    });
}

#[test]
fn canaries_charge_a_twentieth_of_the_take_at_most() {
    run(|| {
        let trees = canary(inflated(), &name(), &pledged());
        let amount = trees.commitment(GATEWAY, EPOCH).customers.sum.amount;
        Taken::set(20 * amount - 1);
        cast(VOTING, 0, &[1, 2, 3, 4], &pass());
        begin(VOTING + 1);
        refused(opening_of(&trees), Error::AboveCanaryShare);
        Taken::set(20 * amount);
        assert_ok!(open(opening_of(&trees)));
    });
}

#[test]
fn an_opening_has_to_show_what_it_speaks_of() {
    run(|| {
        let trees = canary(inflated(), &name(), &pledged());
        cast(VOTING, 0, &[1, 2, 3, 4], &pass());
        begin(VOTING + 1);
        let with = |change: &dyn Fn(&mut Opening)| {
            let mut opening = opening_of(&trees);
            change(&mut opening);
            opening
        };
        refused(
            with(&|opening| opening.name.salt = [9; 32]),
            Error::UnknownCanary,
        );
        refused(
            with(&|opening| opening.pledged.salt = [9; 32]),
            Error::UnknownPledge,
        );
        refused(
            with(&|opening| opening.pledged.gateway = DeviceId([9; 32])),
            Error::UnknownCanary,
        );
        refused(
            with(&|opening| opening.pledged.epoch = EPOCH.next()),
            Error::UnknownCommitment,
        );
        refused(
            with(&|opening| opening.shown = shown(&trees, honest()[0])),
            Error::NothingWrong,
        );
        refused(
            with(&|opening| opening.shown.leaf.body.amount += 1),
            Error::ProofInvalid,
        );
        refused(
            with(&|opening| opening.tree = TreeKind::Caches),
            Error::ProofInvalid,
        );
        assert_ok!(open(opening_of(&trees)));
        // A name is good for one opening.
        refused(opening_of(&trees), Error::UnknownCanary);
    });
}

#[test]
fn names_are_given_by_governance_and_few() {
    run(|| {
        let seal = |number: u8| [number; 32];
        let signed = RuntimeOrigin::signed(account(1));
        let call = Audits::name_canary(signed.clone(), seal(1), account(8));
        assert_eq!(call, Err(DispatchError::BadOrigin));
        assert_eq!(
            Audits::forget_canary(signed, seal(1)),
            Err(DispatchError::BadOrigin)
        );
        for number in 0..MAX_CANARIES as u8 {
            assert_ok!(Audits::name_canary(
                RuntimeOrigin::root(),
                seal(number),
                account(8)
            ));
        }
        assert_noop!(
            Audits::name_canary(RuntimeOrigin::root(), seal(0), account(8)),
            Error::<Test>::AlreadyNamed
        );
        assert_noop!(
            Audits::name_canary(RuntimeOrigin::root(), seal(255), account(8)),
            Error::<Test>::TooManyCanaries
        );
        assert_ok!(Audits::forget_canary(RuntimeOrigin::root(), seal(0)));
        assert_noop!(
            Audits::forget_canary(RuntimeOrigin::root(), seal(0)),
            Error::<Test>::UnknownCanary
        );
    });
}

#[test]
fn pledges_are_the_operators_and_the_latest_are_kept() {
    run(|| {
        named(&name());
        let canary = name_seal(&name());
        let other = RuntimeOrigin::signed(account(7));
        assert_noop!(
            Audits::pledge(other, canary, [1; 32]),
            Error::<Test>::NotItsOperator
        );
        let operator = || RuntimeOrigin::signed(account(OPERATOR));
        assert_noop!(
            Audits::pledge(operator(), [7; 32], [1; 32]),
            Error::<Test>::UnknownCanary
        );
        for number in 0..=MAX_PLEDGES as u8 {
            assert_ok!(Audits::pledge(operator(), canary, [number; 32]));
        }
        let kept = Canaries::<Test>::get(canary).unwrap().pledges;
        assert_eq!(kept.len(), MAX_PLEDGES as usize);
        assert_eq!((kept[0].seal, kept[15].seal), ([1; 32], [16; 32]));
    });
}

#[test]
fn auditors_are_fined_for_what_they_had_to_look_at_alone() {
    run(|| {
        // Of so many leaves 44 are looked at; the seed is chosen so that the false one is none of them.
        let many = |slice: u16| {
            let mut one = leaf(0, 1, slice);
            one.body.paid = Usage::ZERO.with(UsageClass::Requests, 1);
            one.body.amount = charge(&one.body.paid, &PRICES).unwrap();
            one
        };
        let mut leaves: Vec<_> = (0..60).map(|slice| signed(many(slice).body, 1)).collect();
        let others = (0..60).map(|slice| {
            let mut one = many(slice);
            one.body.cache = id_of(&cache(2));
            signed(one.body, 2)
        });
        leaves.extend(others);
        leaves[0].body.amount += 1;
        leaves[0] = signed(leaves[0].body, 1);
        let bad = leaves[0];
        let what = Pledged {
            leaves: vec![bad].try_into().unwrap(),
            ..pledged()
        };
        Taken::set(1_000_000);
        named(&name());
        assert_ok!(pledge(&name(), &what));
        block();
        (1..=5).for_each(add_auditor);
        let trees = committed(leaves);
        let is_looked_at = |seed: u8| {
            let commitment = trees.commitment(GATEWAY, EPOCH);
            let sample =
                selvedge_primitives_math::draw::leaves::<HostKeccak>(&[seed; 32], &commitment, 44);
            let selvedge_primitives_math::draw::Sample::Drawn(draws) = sample else {
                panic!("it is too large to be looked at whole");
            };
            let shown = shown(&trees, bad);
            draws.iter().any(|draw| {
                draw.tree == TreeKind::Customers && shown.is_at(&commitment.customers, draw.at)
            })
        };
        let seed = (0..=255).find(|seed| !is_looked_at(*seed)).unwrap();
        seeded(WINDOW, seed);
        cast(VOTING, 0, &[1, 2, 3, 4], &pass());
        begin(VOTING + 1);
        assert_ok!(open(Opening {
            name: name(),
            pledged: what,
            tree: TreeKind::Customers,
            shown: shown(&trees, bad),
        }));
        assert_eq!(Fines::<Test>::iter().count(), 0);
        assert_eq!(payees().len(), 4);
        assert!(AuditOf::<Test>::get(EPOCH, GATEWAY).is_some());
    });
}
