//! What audits decide: when money moves, and whom the fee is for.

use super::*;
use crate::Payouts;
use pallet_edge_traits::{Acceptance, CommitmentVoid};

fn payable(who: u8) -> Planck {
    Payouts::<Test>::get(account(who)).payable
}

fn decided(acceptance: Acceptance) {
    world(|world| world.acceptance = Some(acceptance));
}

#[test]
fn nothing_is_charged_before_the_audit_is_decided() {
    run(|| {
        decided(Acceptance::Undecided);
        let trees = committed();
        at(12, 2);
        assert_noop!(send(5, settle(&trees, 0, 64)), Error::<Test>::NotAccepted);
        decided(Acceptance::Accepted { hold_backs: 1 });
        assert_ok!(send(5, settle(&trees, 0, 64)));
    });
}

#[test]
fn an_audit_that_is_never_decided_lapses() {
    run(|| {
        decided(Acceptance::Undecided);
        let trees = committed();
        at(17, 0);
        assert_ok!(send(5, settle(&trees, 0, 64)));
        assert_eq!(void_reason(&trees), Some(VoidReason::Overdue));
    });
}

#[test]
fn what_nobody_looked_at_is_held_back_twice_as_long() {
    run(|| {
        decided(Acceptance::Accepted { hold_backs: 2 });
        let trees = settled();
        let matures = Epoch(11 + 2 * 2);
        assert_eq!(
            status(&trees),
            Status::HeldBack {
                matures,
                checked: 0
            }
        );
        at(14, 3);
        assert_ok!(send(5, credit(&trees, 0, 64)));
        assert_noop!(send(5, credit(&trees, 0, 64)), Error::<Test>::StillHeldBack);
        at(15, 0);
        assert_ok!(send(5, credit(&trees, 0, 64)));
        assert_eq!(status(&trees), Status::Credited);
    });
}

#[test]
fn nothing_is_paid_while_a_leaf_is_challenged() {
    run(|| {
        let trees = settled();
        world(|world| world.challenged = true);
        at(13, 0);
        // It is shown, and would be paid at once but for the challenge.
        assert_ok!(send(5, credit(&trees, 0, 64)));
        assert_noop!(send(5, credit(&trees, 0, 64)), Error::<Test>::StillHeldBack);
        assert_eq!(books(&trees).escrow, 449);
        world(|world| world.challenged = false);
        assert_ok!(send(5, credit(&trees, 0, 64)));
        assert_eq!(status(&trees), Status::Credited);
    });
}

/// The fee is 1 % of 58, 301 and 90, each rounded down: 0 + 3 + 0.
#[test]
fn the_fee_is_divided_among_the_auditors_and_the_rest_is_the_treasurys() {
    for (payees, each, rest) in [(0, 0, 3), (1, 3, 0), (2, 1, 1), (3, 1, 0), (11, 0, 3)] {
        run(|| {
            let accounts = (31..31 + payees).map(account).collect();
            world(|world| world.payees = accounts);
            let trees = credited();
            let shares = books(&trees).shares;
            assert_eq!(shares.auditors, each * Planck::from(payees));
            assert_eq!(shares.total(), Some(449));
            assert!((31..31 + payees).all(|payee| payable(payee) == each));
            // 125 is what the treasury has of these entries with the whole of the fee.
            assert_eq!(shares.treasury, 125 - 3 + rest);
        });
    }
}

#[test]
fn audits_hear_of_each_commitment_and_its_window() {
    run(|| {
        network();
        let trees = usual(GATEWAY, 10);
        at(11, 2);
        let amount = commit(&trees).customers.sum.amount;
        let heard = world(|world| world.audited.clone());
        assert_eq!(heard, [(GATEWAY, Epoch(10), Epoch(12), amount)]);
    });
}

#[test]
fn withheld_leaves_void_a_commitment_until_it_is_paid() {
    run(|| {
        let trees = settled();
        assert!(Billing::is_challengeable(&GATEWAY, Epoch(10)));
        assert_ok!(Billing::withhold(&GATEWAY, Epoch(10)));
        assert_eq!(void_reason(&trees), Some(VoidReason::LeavesWithheld));
        assert!(!Billing::is_challengeable(&GATEWAY, Epoch(10)));
        assert_ok!(send(5, refund(&trees, 0, 64)));
        assert_eq!(books(&trees).refunded, 449);
    });
    run(|| {
        let trees = credited();
        let refused = Billing::withhold(&GATEWAY, Epoch(10));
        assert_eq!(refused, Err(Error::<Test>::NotVoidable.into()));
        assert_eq!(status(&trees), Status::Credited);
    });
}

#[test]
fn challenges_are_taken_until_the_hold_back_ends() {
    run(|| {
        assert!(!Billing::is_challengeable(&GATEWAY, Epoch(10)));
        committed();
        assert!(Billing::is_challengeable(&GATEWAY, Epoch(10)));
    });
    run(|| {
        settled();
        at(12, 3);
        assert!(Billing::is_challengeable(&GATEWAY, Epoch(10)));
        at(13, 0);
        assert!(!Billing::is_challengeable(&GATEWAY, Epoch(10)));
    });
}

#[test]
fn nobody_rules_that_leaves_were_withheld() {
    run(|| {
        committed();
        let call = Call::void {
            gateway: GATEWAY,
            epoch: Epoch(10),
            reason: VoidReason::LeavesWithheld,
        };
        assert_noop!(dispatch(root(), call), Error::<Test>::NotProven);
    });
}
