use super::*;
use frame_support::traits::fungible::Inspect;

fn withdraw(amount: Planck) -> Call<Test> {
    Call::withdraw { amount }
}

#[test]
fn releases_what_is_not_reserved() {
    run(|| {
        network();
        // Seven epochs of 1,000 stay.
        assert_noop!(send(1, withdraw(13_001)), Error::<Test>::AboveWithdrawable);
        assert_ok!(send(1, withdraw(13_000)));
        assert_eq!(balance(1), 7_000);
        assert_eq!(Balances::balance(&account(1)), 1_000_000 - 7_000);
        assert_noop!(send(1, withdraw(1)), Error::<Test>::AboveWithdrawable);
    });
}

#[test]
fn warns_when_little_is_left() {
    run(|| {
        network();
        assert_ok!(send(1, withdraw(9_001)));
        // 3,999 above the reserve last three epochs of 1,000.
        assert_eq!(state(1), AccountState::Warned);
        let lasts = selvedge_primitives_types::Millis(3 * LENGTH);
        assert_eq!(
            last_event(),
            Event::AccountWarned {
                account: account(1),
                lasts
            }
        );
        let summary = Billing::account_summary(&account(1)).unwrap();
        assert_eq!((summary.reserved, summary.lasts), (7_000, lasts));
    });
}

#[test]
fn releases_everything_without_services() {
    run(|| {
        assert_ok!(send(1, deposit(500)));
        assert_ok!(send(1, withdraw(500)));
        assert_eq!(Balances::balance(&account(1)), 1_000_000);
        assert_eq!(
            last_event(),
            Event::Withdrawn {
                account: account(1),
                amount: 500,
                balance: 0
            }
        );
        assert_eq!(state(1), AccountState::Active);
    });
}

#[test]
fn refuses_what_makes_no_sense() {
    run(|| {
        assert_noop!(send(1, withdraw(1)), Error::<Test>::NoAccount);
        assert_ok!(send(1, deposit(500)));
        assert_noop!(send(1, withdraw(0)), Error::<Test>::AmountZero);
        assert_noop!(send(1, withdraw(501)), Error::<Test>::AboveWithdrawable);
        assert_noop!(
            send(1, withdraw(Planck::MAX)),
            Error::<Test>::AboveWithdrawable
        );
        assert_noop!(dispatch(none(), withdraw(1)), DispatchError::BadOrigin);
        assert_ok!(send(1, Call::close {}));
        assert_noop!(send(1, withdraw(1)), Error::<Test>::AccountClosed);
    });
}

#[test]
fn leaves_a_suspended_account_nothing_to_withdraw() {
    run(|| {
        network();
        serve(0, 1, 100 * CAP);
        assert_noop!(send(1, withdraw(1)), Error::<Test>::AboveWithdrawable);
    });
}
