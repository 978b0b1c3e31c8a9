use super::*;
use crate::{InvoiceLines, Payouts, RunningTotals};
use frame_support::traits::{
    fungible::{Inspect, Mutate},
    tokens::Preservation,
};

/// Settled, and declared void.
fn voided() -> UsageTrees {
    let trees = settled();
    let void = Call::void {
        gateway: GATEWAY,
        epoch: Epoch(10),
        reason: VoidReason::Ruled,
    };
    assert_ok!(dispatch(root(), void));
    trees
}

#[test]
fn gives_everything_back() {
    run(|| {
        let trees = voided();
        assert_ok!(send(5, refund(&trees, 0, 64)));
        assert_eq!((balance(1), balance(2)), (DEPOSIT, DEPOSIT));
        let back = Books {
            charged: 449,
            refunded: 449,
            ..Default::default()
        };
        assert_eq!((status(&trees), books(&trees)), (Status::Void, back));
        assert_eq!(Balances::balance(&Billing::pot()), 10);
        let completed = Event::RefundCompleted {
            gateway: GATEWAY,
            epoch: Epoch(10),
            amount: 449,
        };
        assert_eq!(last_event(), completed);
        assert!(InvoiceLines::<Test>::iter_values().all(|line| line.refunded));
        assert_eq!(Billing::account_summary(&account(1)).unwrap().charged, 0);
    });
}

#[test]
fn walks_page_by_page() {
    run(|| {
        let trees = voided();
        assert_noop!(send(5, refund(&trees, 1, 1)), Error::<Test>::PageOutOfOrder);
        assert_ok!(send(5, refund(&trees, 0, 1)));
        assert_eq!(status(&trees), Status::Refunding(1));
        let refunded = Event::Refunded {
            gateway: GATEWAY,
            epoch: Epoch(10),
            amount: 240,
            cursor: 1,
        };
        assert_eq!(last_event(), refunded);
        assert_noop!(send(5, refund(&trees, 0, 1)), Error::<Test>::PageOutOfOrder);
        assert_ok!(send(5, refund(&trees, 1, 1)));
        assert_noop!(send(5, refund(&trees, 0, 64)), Error::<Test>::NotRefunding);
    });
}

#[test]
fn stops_at_what_was_charged() {
    run(|| {
        let trees = committed();
        assert_ok!(send(5, settle(&trees, 0, 1)));
        let void = Call::void {
            gateway: GATEWAY,
            epoch: Epoch(10),
            reason: VoidReason::Ruled,
        };
        assert_ok!(dispatch(root(), void));
        // The page runs beyond the one entry that was settled.
        assert_ok!(send(5, refund(&trees, 0, 64)));
        assert_eq!((balance(1), balance(2)), (DEPOSIT, DEPOSIT));
        assert_eq!(status(&trees), Status::Void);
        assert_eq!(books(&trees).refunded, 240);
    });
}

#[test]
fn refuses_what_is_not_void() {
    run(|| {
        let trees = committed();
        assert_noop!(send(5, refund(&trees, 0, 64)), Error::<Test>::NotRefunding);
        assert_ok!(send(5, settle(&trees, 0, 64)));
        assert_noop!(send(5, refund(&trees, 0, 64)), Error::<Test>::NotRefunding);
        at(13, 0);
        assert_ok!(send(5, credit(&trees, 0, 64)));
        assert_noop!(send(5, refund(&trees, 0, 64)), Error::<Test>::NotRefunding);
        let unknown = usual(RIVAL, 10);
        assert_noop!(
            send(5, refund(&unknown, 0, 64)),
            Error::<Test>::UnknownCommitment
        );
        assert_noop!(
            dispatch(root(), refund(&trees, 0, 64)),
            DispatchError::BadOrigin
        );
    });
}

#[test]
fn refuses_another_tree() {
    run(|| {
        voided();
        let other = trees(
            GATEWAY,
            10,
            &[Used(1, 0, CACHE, 200), Used(2, 1, CACHE, 140)],
        );
        assert_noop!(send(5, refund(&other, 0, 64)), Error::<Test>::ProofInvalid);
    });
}

#[test]
fn becomes_claimable_when_the_account_is_closed() {
    run(|| {
        let trees = voided();
        world(|world| world.services.clear());
        assert_ok!(send(1, Call::close {}));
        assert_ok!(send(5, refund(&trees, 0, 64)));
        assert_eq!((balance(1), balance(2)), (0, DEPOSIT));
        assert_eq!(Payouts::<Test>::get(account(1)).payable, 240);
        assert_eq!(RunningTotals::<Test>::get().returned, 240);
        assert_ok!(send(1, Call::claim {}));
        assert_eq!(Balances::balance(&account(1)), 1_000_000);
    });
}

/// The account is open, but its owner is gone: a hold needs an account to be in.
#[test]
fn becomes_claimable_when_the_owner_is_gone() {
    run(|| {
        network();
        serve(0, 1, 240);
        serve(2, 4, 240);
        assert_ok!(send(4, deposit(1_680)));
        world(|world| {
            world.active.remove(&(Role::Gateway, RIVAL));
        });
        let trees = trees(GATEWAY, 10, &[Used(4, 2, CACHE, 160)]);
        at(11, 0);
        commit(&trees);
        at(11, 2);
        assert_ok!(send(5, settle(&trees, 0, 64)));
        world(|world| world.services.clear());
        assert_ok!(send(4, Call::withdraw { amount: 1_440 }));
        let all = Balances::balance(&account(4));
        assert_ok!(Balances::transfer(
            &account(4),
            &account(5),
            all,
            Preservation::Expendable
        ));
        let void = Call::void {
            gateway: GATEWAY,
            epoch: Epoch(10),
            reason: VoidReason::Ruled,
        };
        assert_ok!(dispatch(root(), void));
        assert_ok!(send(5, refund(&trees, 0, 64)));
        assert_eq!(
            (balance(4), Payouts::<Test>::get(account(4)).payable),
            (0, 240)
        );
    });
}

#[test]
fn brings_a_suspended_account_back() {
    run(|| {
        network();
        assert_ok!(send(1, Call::withdraw { amount: 13_000 }));
        let trees = usual(GATEWAY, 10);
        at(11, 0);
        commit(&trees);
        at(11, 2);
        assert_ok!(send(5, settle(&trees, 0, 64)));
        assert!(matches!(state(1), AccountState::Suspended(_)));
        let void = Call::void {
            gateway: GATEWAY,
            epoch: Epoch(10),
            reason: VoidReason::Ruled,
        };
        assert_ok!(dispatch(root(), void));
        assert_ok!(send(5, refund(&trees, 0, 64)));
        assert_eq!(state(1), AccountState::Warned);
    });
}
