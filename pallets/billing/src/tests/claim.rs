use super::*;
use crate::Payouts;
use frame_support::traits::fungible::{Inspect, Mutate};
use sp_runtime::TokenError;

#[test]
fn pays_what_was_credited() {
    run(|| {
        credited();
        assert_ok!(send(21, Call::claim {}));
        assert_eq!(Balances::balance(&account(21)), 153);
        assert_eq!(
            last_event(),
            Event::Claimed {
                account: account(21),
                amount: 153
            }
        );
        assert_eq!(
            Payouts::<Test>::get(account(21)),
            Payout {
                payable: 153,
                claimed: 153
            }
        );
    });
}

#[test]
fn pays_once() {
    run(|| {
        credited();
        assert_ok!(send(21, Call::claim {}));
        assert_noop!(send(21, Call::claim {}), Error::<Test>::NothingToClaim);
        assert_noop!(
            send(
                5,
                Call::claim_for {
                    account: account(21)
                }
            ),
            Error::<Test>::NothingToClaim
        );
        assert_noop!(send(5, Call::claim {}), Error::<Test>::NothingToClaim);
        assert_noop!(dispatch(none(), Call::claim {}), DispatchError::BadOrigin);
    });
}

#[test]
fn anyone_may_have_an_account_paid() {
    run(|| {
        credited();
        assert_ok!(send(
            5,
            Call::claim_for {
                account: account(11)
            }
        ));
        assert_eq!(Balances::balance(&account(11)), 117);
        let call = Call::claim_for {
            account: account(11),
        };
        assert_noop!(dispatch(none(), call), DispatchError::BadOrigin);
    });
}

#[test]
fn waits_until_it_is_enough_to_open_an_account() {
    run(|| {
        network();
        let trees = trees(GATEWAY, 10, &[Used(1, 0, CACHE, 10)]);
        at(11, 0);
        commit(&trees);
        at(11, 2);
        assert_ok!(send(5, settle(&trees, 0, 64)));
        at(13, 0);
        assert_ok!(send(5, credit(&trees, 0, 64)));
        // 15 planck: the treasury's 3 and the cache's 7 are below the existential deposit of 10.
        assert_noop!(send(21, Call::claim {}), TokenError::BelowMinimum);
        assert_eq!(Payouts::<Test>::get(account(200)).claimed, 0);
        assert_ok!(Balances::mint_into(&account(21), 10));
        assert_ok!(send(21, Call::claim {}));
        assert_eq!(Balances::balance(&account(21)), 17);
    });
}
