//! Anybody forces a leaf on chain, for a bond.

use super::*;
use crate::{types::Stage, Challenges};
use frame_support::{assert_ok, traits::fungible::InspectHold};
use pallet_edge_traits::{AuditDuties, CommitmentAudit};
use selvedge_primitives_math::{
    draw::{Draw, Place},
    duty::LeafPurpose,
};
use sp_runtime::DispatchResult;

fn challenge(by: u8, at: Place) -> DispatchResult {
    let origin = RuntimeOrigin::signed(account(by));
    Audits::challenge_leaf(origin, GATEWAY, EPOCH, TreeKind::Caches, at)
}

fn draw(at: Place) -> Draw {
    Draw {
        tree: TreeKind::Caches,
        at,
    }
}

fn held(by: u8) -> u128 {
    Balances::total_balance_on_hold(&account(by))
}

#[test]
fn holds_the_bond_and_stops_payment_until_it_is_answered() {
    run(|| {
        let trees = committed(honest());
        let at = Place::Index(3);
        System::reset_events();
        assert_ok!(challenge(1, at));
        assert_eq!(
            System::read_events_for_pallet::<Event<Test>>(),
            [Event::LeafChallenged {
                gateway: GATEWAY,
                epoch: EPOCH,
                challenger: account(1),
                draw: draw(at),
                bond: BOND,
                until: Epoch(WINDOW + 1),
            }]
        );
        assert_eq!(held(1), BOND);
        assert!(Audits::is_challenged(&GATEWAY, EPOCH));
        let due = Audits::leaves_due(&GATEWAY);
        assert_eq!(
            (due[0].draw, due[0].purpose),
            (draw(at), LeafPurpose::Challenged)
        );

        let before = Balances::free_balance(account(11));
        send(answer(draw(at), opened(&trees, draw(at))));
        assert!(!Audits::is_challenged(&GATEWAY, EPOCH));
        assert_eq!(
            (held(1), Balances::free_balance(account(11))),
            (0, before + BOND)
        );
        begin(WINDOW + 3);
        assert_eq!(
            (stake(), money(GATEWAY, EPOCH)),
            (STAKE, Some(Money::AtStake))
        );
    });
}

#[test]
fn unanswered_it_voids_slashes_and_pays_the_challenger() {
    run(|| {
        committed(honest());
        assert_ok!(challenge(1, Place::Amount(0)));
        begin(WINDOW + 1);
        assert!(
            Audits::is_challenged(&GATEWAY, EPOCH),
            "it has an epoch of its own"
        );
        System::reset_events();
        begin(WINDOW + 2);
        assert_eq!(
            (stage(), money(GATEWAY, EPOCH)),
            (Stage::Void, Some(Money::Void))
        );
        assert_eq!((held(1), Balances::free_balance(account(1))), (0, 1_000));
        assert_eq!(stake(), STAKE - STAKE / 10);
        assert_eq!(
            events()[..2],
            [
                Event::LeavesWithheld {
                    gateway: GATEWAY,
                    epoch: EPOCH,
                    challenger: Some(account(1)),
                    taken: STAKE / 10,
                    reward: STAKE / 100,
                },
                Event::BondReleased {
                    gateway: GATEWAY,
                    epoch: EPOCH,
                    challenger: account(1),
                    bond: BOND,
                },
            ]
        );
        assert!(!Audits::is_challenged(&GATEWAY, EPOCH));
    });
}

#[test]
fn every_refusal_has_its_reason() {
    run(|| {
        let refused = |error: Error<Test>| Err(error.into());
        assert_eq!(
            challenge(1, Place::Index(0)),
            refused(Error::UnknownCommitment)
        );
        let trees = committed(honest());
        let total = trees.commitment(GATEWAY, EPOCH).customers.sum;
        for at in [Place::Index(total.leaves), Place::Amount(total.amount)] {
            assert_eq!(challenge(1, at), refused(Error::NoSuchLeaf));
        }
        assert_ok!(challenge(1, Place::Index(total.leaves - 1)));
        assert_ok!(challenge(1, Place::Amount(total.amount - 1)));
        assert_eq!(
            challenge(2, Place::Index(total.leaves - 1)),
            refused(Error::AlreadyChallenged)
        );
        assert_ok!(challenge(2, Place::Index(0)));
        assert_ok!(challenge(2, Place::Index(1)));
        assert_eq!(
            challenge(3, Place::Index(2)),
            refused(Error::TooManyChallenges)
        );
        assert_eq!(held(3), 0);
        world(|world| world.matured = true);
        assert_eq!(
            challenge(3, Place::Index(2)),
            refused(Error::NotChallengeable)
        );
        world(|world| world.matured = false);
        spend(GATEWAY, EPOCH, Money::Paid);
        assert_eq!(
            challenge(3, Place::Index(2)),
            refused(Error::NotChallengeable)
        );
        assert!(
            challenge(20, Place::Index(2)).is_err(),
            "it has nothing to put up"
        );
    });
}

#[test]
fn is_refused_when_the_leaf_cannot_be_judged_any_more() {
    run(|| {
        committed(honest());
        begin(EPOCH.0 + HISTORY);
        assert_eq!(
            challenge(1, Place::Index(0)),
            Err(Error::<Test>::TooOld.into())
        );
    });
}

#[test]
fn an_account_has_a_bounded_number_open() {
    run(|| {
        for number in 0..5 {
            let trees = UsageTrees::build::<HostKeccak>(honest()).unwrap();
            let mut commitment = trees.commitment(GATEWAY, EPOCH);
            commitment.gateway = DeviceId([120 + number; 32]);
            commit(commitment);
        }
        let mut outcomes = (0..5u8).flat_map(|number| {
            (0..4).map(move |leaf| {
                let origin = RuntimeOrigin::signed(account(1));
                let gateway = DeviceId([120 + number; 32]);
                Audits::challenge_leaf(origin, gateway, EPOCH, TreeKind::Caches, Place::Index(leaf))
            })
        });
        assert!(outcomes.by_ref().take(16).all(|outcome| outcome.is_ok()));
        assert_eq!(
            outcomes.next(),
            Some(Err(Error::<Test>::TooManyChallenges.into()))
        );
    });
}

/// The money was forfeited by other means: the bond comes back and nobody is slashed for silence.
#[test]
fn ends_without_a_slash_when_the_commitment_is_void_already() {
    run(|| {
        committed(honest());
        assert_ok!(challenge(1, Place::Index(0)));
        spend(GATEWAY, EPOCH, Money::Void);
        begin(WINDOW + 2);
        assert_eq!((held(1), stake()), (0, STAKE));
        assert_eq!(Challenges::<Test>::iter().count(), 0);
    });
}

#[test]
fn a_bond_that_its_gateway_cannot_take_is_not_lost_on_the_books() {
    run(|| {
        let trees = committed(honest());
        pallet_edge_mocks::Network::change(GATEWAY, |node| node.until = Some(EPOCH));
        let at = Place::Index(0);
        assert_ok!(challenge(1, at));
        send(answer(draw(at), opened(&trees, draw(at))));
        assert_eq!(
            (held(1), Balances::free_balance(account(1))),
            (0, 1_000 - BOND)
        );
    });
}
