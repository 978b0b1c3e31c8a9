use super::*;
use frame_support::traits::fungible::{Inspect, InspectHold};
use pallet_edge_traits::PrepaidInspect;
use sp_runtime::TokenError;

#[test]
fn holds_the_tokens_in_the_customers_own_account() {
    run(|| {
        assert_ok!(send(1, deposit(500)));
        assert_eq!(Balances::balance(&account(1)), 999_500);
        assert_eq!(
            Balances::balance_on_hold(&crate::HoldReason::Prepaid.into(), &account(1)),
            500
        );
        assert_eq!(
            events(),
            [
                Event::Deposited {
                    account: account(1),
                    amount: 500,
                    balance: 500
                },
                Event::AccountActivated {
                    account: account(1),
                    from: Epoch(10)
                },
            ]
        );
    });
}

#[test]
fn funds_a_new_account_at_once_and_never_before() {
    run(|| {
        assert!(!Billing::is_funded_at(&account(1), Epoch(10)));
        assert_ok!(send(1, deposit(500)));
        assert!(Billing::is_funded_at(&account(1), Epoch(10)));
        assert!(Billing::is_funded_at(&account(1), Epoch(11)));
        assert!(!Billing::is_funded_at(&account(1), Epoch(9)));
    });
}

#[test]
fn adds_up() {
    run(|| {
        assert_ok!(send(1, deposit(500)));
        assert_ok!(send(1, deposit(50)));
        assert_eq!(balance(1), 550);
        assert_eq!(
            last_event(),
            Event::Deposited {
                account: account(1),
                amount: 50,
                balance: 550
            }
        );
    });
}

#[test]
fn refuses_less_than_the_least_deposit() {
    run(|| {
        assert_noop!(send(1, deposit(0)), Error::<Test>::DepositTooSmall);
        assert_noop!(send(1, deposit(49)), Error::<Test>::DepositTooSmall);
    });
}

#[test]
fn refuses_more_than_is_free() {
    run(|| {
        assert_noop!(send(1, deposit(1_000_000)), TokenError::FundsUnavailable);
        assert_noop!(send(1, deposit(Planck::MAX)), TokenError::FundsUnavailable);
        assert_noop!(send(9, deposit(50)), TokenError::FundsUnavailable);
        assert_ok!(send(1, deposit(50)));
        assert_noop!(send(1, deposit(Planck::MAX)), TokenError::FundsUnavailable);
    });
}

#[test]
fn refuses_an_origin_without_an_account() {
    run(|| {
        assert_noop!(dispatch(none(), deposit(50)), DispatchError::BadOrigin);
        assert_noop!(dispatch(root(), deposit(50)), DispatchError::BadOrigin);
        assert_noop!(
            dispatch(RawOrigin::Authorized.into(), deposit(50)),
            DispatchError::BadOrigin
        );
    });
}

#[test]
fn brings_a_suspended_account_back_from_the_next_epoch_on() {
    run(|| {
        assert_ok!(send(1, deposit(6_999)));
        serve(0, 1, CAP);
        assert_ok!(send(
            5,
            Call::poke {
                account: account(1)
            }
        ));
        assert_eq!(
            state(1),
            AccountState::Suspended(SuspensionReason::ReserveUncovered)
        );
        at(11, 0);
        assert!(!Billing::is_funded_at(&account(1), Epoch(11)));
        assert_ok!(send(1, deposit(50)));
        assert_eq!(state(1), AccountState::Warned);
        assert!(!Billing::is_funded_at(&account(1), Epoch(11)));
        assert!(Billing::is_funded_at(&account(1), Epoch(12)));
        // What was true of epochs that may be unsettled stays true.
        assert!(Billing::is_funded_at(&account(1), Epoch(10)));
    });
}

#[test]
fn takes_back_a_suspension_that_has_not_come_yet() {
    run(|| {
        assert_ok!(send(1, deposit(6_999)));
        serve(0, 1, CAP);
        assert_ok!(send(
            5,
            Call::poke {
                account: account(1)
            }
        ));
        assert!(!Billing::is_funded_at(&account(1), Epoch(11)));
        assert_ok!(send(1, deposit(50)));
        for epoch in 10..13 {
            assert!(
                Billing::is_funded_at(&account(1), Epoch(epoch)),
                "epoch {epoch}"
            );
        }
    });
}
