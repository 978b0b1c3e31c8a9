use super::*;
use frame_support::traits::fungible::Inspect;
use pallet_edge_traits::PrepaidInspect;

#[test]
fn releases_the_whole_deposit() {
    run(|| {
        assert_ok!(send(1, deposit(500)));
        assert_ok!(send(1, Call::close {}));
        assert_eq!(Balances::balance(&account(1)), 1_000_000);
        assert_eq!((state(1), balance(1)), (AccountState::Closed, 0));
        assert_eq!(
            last_event(),
            Event::AccountClosed {
                account: account(1),
                released: 500
            }
        );
        assert!(!Billing::is_funded_at(&account(1), Epoch(11)));
    });
}

#[test]
fn refuses_while_a_service_may_still_be_charged() {
    run(|| {
        network();
        assert_noop!(send(1, Call::close {}), Error::<Test>::StillReserved);
    });
}

#[test]
fn refuses_twice_and_strangers() {
    run(|| {
        assert_noop!(send(1, Call::close {}), Error::<Test>::NoAccount);
        assert_ok!(send(1, deposit(500)));
        assert_ok!(send(1, Call::close {}));
        assert_noop!(send(1, Call::close {}), Error::<Test>::AccountClosed);
        assert_noop!(dispatch(root(), Call::close {}), DispatchError::BadOrigin);
    });
}

#[test]
fn can_be_opened_again_by_a_deposit() {
    run(|| {
        assert_ok!(send(1, deposit(500)));
        assert_ok!(send(1, Call::close {}));
        at(11, 0);
        assert_ok!(send(1, deposit(60)));
        assert_eq!((state(1), balance(1)), (AccountState::Active, 60));
        assert!(!Billing::is_funded_at(&account(1), Epoch(11)));
        assert!(Billing::is_funded_at(&account(1), Epoch(12)));
        assert_eq!(
            last_event(),
            Event::AccountActivated {
                account: account(1),
                from: Epoch(12)
            }
        );
    });
}
