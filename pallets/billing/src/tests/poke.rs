use super::*;
use pallet_edge_traits::PrepaidInspect;
use selvedge_primitives_types::Millis;

fn poke(who: u8) -> Call<Test> {
    Call::poke {
        account: account(who),
    }
}

#[test]
fn changes_nothing_when_nothing_changed() {
    run(|| {
        network();
        let before = events().len();
        assert_ok!(send(5, poke(1)));
        assert_ok!(send(5, poke(1)));
        assert_eq!(events().len(), before);
        assert_eq!(state(1), AccountState::Active);
    });
}

#[test]
fn walks_down_from_active_to_suspended_and_up_again() {
    run(|| {
        network();
        serve(0, 1, 2_000);
        assert_ok!(send(5, poke(1)));
        assert_eq!(state(1), AccountState::Warned);
        let warned = Event::AccountWarned {
            account: account(1),
            lasts: Millis(3 * LENGTH),
        };
        assert_eq!(last_event(), warned);

        serve(0, 1, 2_858);
        assert_ok!(send(5, poke(1)));
        let reason = SuspensionReason::ReserveUncovered;
        assert_eq!(state(1), AccountState::Suspended(reason));
        let suspended = Event::AccountSuspended {
            account: account(1),
            reason,
            from: Epoch(11),
        };
        assert_eq!(last_event(), suspended);

        serve(0, 1, 10);
        at(12, 0);
        assert_ok!(send(5, poke(1)));
        assert_eq!(state(1), AccountState::Active);
        assert_eq!(
            last_event(),
            Event::AccountActivated {
                account: account(1),
                from: Epoch(13)
            }
        );
        let funded = [10, 11, 12, 13].map(|epoch| Billing::is_funded_at(&account(1), Epoch(epoch)));
        assert_eq!(funded, [true, false, false, true]);
    });
}

#[test]
fn never_suspends_without_a_warning() {
    run(|| {
        network();
        serve(0, 1, 100 * CAP);
        let before = events().len();
        assert_ok!(send(5, poke(1)));
        let told = &events()[before..];
        assert!(matches!(
            told[0],
            Event::AccountWarned {
                lasts: Millis(0),
                ..
            }
        ));
        assert!(matches!(told[1], Event::AccountSuspended { .. }));
    });
}

#[test]
fn says_when_nothing_is_left() {
    run(|| {
        assert_ok!(send(1, deposit(500)));
        assert_ok!(send(1, Call::withdraw { amount: 500 }));
        serve(0, 1, CAP);
        assert_ok!(send(5, poke(1)));
        assert_eq!(state(1), AccountState::Suspended(SuspensionReason::Empty));
    });
}

#[test]
fn refuses_unknown_and_closed_accounts() {
    run(|| {
        assert_noop!(send(5, poke(1)), Error::<Test>::NoAccount);
        assert_ok!(send(1, deposit(500)));
        assert_ok!(send(1, Call::close {}));
        assert_noop!(send(5, poke(1)), Error::<Test>::AccountClosed);
        assert_noop!(dispatch(none(), poke(1)), DispatchError::BadOrigin);
    });
}

#[test]
fn an_allowance_has_to_be_covered_for_all_unsettled_epochs() {
    run(|| {
        assert_ok!(Billing::ensure_covers(&account(1), 0));
        assert_noop!(
            Billing::ensure_covers(&account(1), 1),
            Error::<Test>::NoAccount
        );
        assert_ok!(send(1, deposit(7_000)));
        assert_ok!(Billing::ensure_covers(&account(1), 1_000));
        assert_noop!(
            Billing::ensure_covers(&account(1), 1_001),
            Error::<Test>::AllowanceNotCovered
        );
        let max = Planck::MAX;
        assert_noop!(
            Billing::ensure_covers(&account(1), max),
            Error::<Test>::AllowanceNotCovered
        );
        assert_ok!(send(1, Call::close {}));
        assert_noop!(
            Billing::ensure_covers(&account(1), 1),
            Error::<Test>::AccountClosed
        );
    });
}

/// Otherwise the next evaluation would suspend what was just allowed.
#[test]
fn an_allowance_is_covered_beside_former_ones_that_may_still_be_charged() {
    run(|| {
        assert_ok!(send(1, deposit(10_499)));
        world(|world| world.former_caps = 500);
        serve(0, 1, CAP);
        let refused = Error::<Test>::AllowanceNotCovered;
        assert_noop!(Billing::ensure_covers(&account(1), CAP), refused);
        assert_ok!(send(1, deposit(50)));
        assert_ok!(Billing::ensure_covers(&account(1), CAP));
        assert_ok!(send(5, poke(1)));
        assert_eq!(state(1), AccountState::Warned);
    });
}
