use super::{
    credit::{payable, PAID},
    *,
};
use crate::{Referred, Referrers, RunningTotals, WeightInfo};
use frame_support::{traits::Hooks, weights::Weight};

/// Customer 1 names account 31, customer 2 names nobody or account 32; the usual use is charged.
fn referred(second: Option<u8>) -> UsageTrees {
    network();
    for (customer, referrer) in [(1, Some(31)), (2, second)] {
        // As if the account was opened so.
        if let Some(referrer) = referrer {
            Referrers::<Test>::insert(account(customer), account(referrer));
        }
    }
    let trees = usual(GATEWAY, 10);
    at(11, 1);
    commit(&trees);
    at(11, 2);
    assert_ok!(send(5, settle(&trees, 0, 64)));
    trees
}

fn pay() -> Result<(), DispatchError> {
    let (gateway, epoch) = (GATEWAY, Epoch(10));
    send(5, Call::pay_referrals { gateway, epoch })
}

fn pending() -> Planck {
    RunningTotals::<Test>::get().pending
}

fn with_referrer(amount: Planck, referrer: u8) -> Call<Test> {
    let referrer = account(referrer);
    Call::deposit_referred { amount, referrer }
}

#[test]
fn a_referrer_is_named_once_when_the_account_is_opened() {
    run(|| {
        let own = Error::<Test>::OwnReferrer;
        assert_noop!(send(1, with_referrer(500, 1)), own);
        let small = Error::<Test>::DepositTooSmall;
        assert_noop!(send(1, with_referrer(49, 2)), small);
        assert_ok!(send(1, with_referrer(500, 2)));
        assert_eq!(Referrers::<Test>::get(account(1)), Some(account(2)));
        assert_eq!(balance(1), 500);
        assert!(events().contains(&Event::ReferrerNamed {
            account: account(1),
            referrer: account(2),
        }));
        let fixed = || Error::<Test>::AlreadyOpened;
        assert_noop!(send(1, with_referrer(500, 3)), fixed());
        // Not even who closes the account is asked again.
        assert_ok!(send(1, Call::close {}));
        assert_noop!(send(1, with_referrer(500, 3)), fixed());
        assert_ok!(send(3, deposit(500)));
        assert_noop!(send(3, with_referrer(500, 2)), fixed());
        assert_noop!(
            dispatch(none(), with_referrer(500, 2)),
            DispatchError::BadOrigin
        );
    });
}

/// The referral parts of the entries, 10 % of 58, 301 and 90, are 5, 30 and 9, cut to the take. Customer 1 was charged 240
/// of the 449: of these parts it is 2, 16 and 4.
#[test]
fn a_referrer_has_its_part_and_the_treasury_the_rest() {
    run(|| {
        let trees = referred(None);
        at(13, 0);
        assert_ok!(send(5, credit(&trees, 0, 64)));
        let shares = books(&trees).shares;
        assert_eq!(shares.referral, 2 + 16 + 4);
        assert_eq!(shares.treasury, PAID.treasury - shares.referral);
        assert_eq!(
            (shares.caches, shares.gateways),
            (PAID.caches, PAID.gateways)
        );
        assert_eq!(shares.total(), Some(449));
        assert_eq!((pending(), payable(31)), (22, 0));
        assert_ok!(pay());
        assert_eq!((pending(), payable(31)), (0, 22));
        assert_eq!(
            last_event(),
            Event::ReferralPaid {
                gateway: GATEWAY,
                epoch: Epoch(10),
                referrer: account(31),
                amount: 22,
            }
        );
        assert_noop!(pay(), Error::<Test>::NothingToClaim);
        assert_ok!(send(
            5,
            Call::claim_for {
                account: account(31)
            }
        ));
    });
}

#[test]
fn referrers_share_the_pool_to_the_unit() {
    run(|| {
        let trees = referred(Some(32));
        at(13, 0);
        for start in 0..3 {
            assert_ok!(send(5, credit(&trees, start, 1)));
            if start == 0 {
                // The first was shown, and nothing is paid before all are.
                assert_eq!(books(&trees).shares.referral, 0);
            }
        }
        for start in 0..3 {
            assert_noop!(pay(), Error::<Test>::NotCredited);
            assert_ok!(send(5, credit(&trees, start, 1)));
        }
        let divided = books(&trees).shares.referral;
        assert_eq!(divided, 5 + 30 + 9);
        assert_eq!(pending(), divided);
        assert_ok!(pay());
        assert_eq!(payable(31) + payable(32), divided);
        // 240 and 209 of 449 of 44.
        assert!(payable(31).abs_diff(23) <= 1, "{}", payable(31));
        assert_eq!(pending(), 0);
    });
}

#[test]
fn nothing_is_paid_for_a_void_commitment() {
    run(|| {
        let trees = referred(None);
        let (gateway, epoch, reason) = (GATEWAY, Epoch(10), VoidReason::Ruled);
        assert_ok!(dispatch(
            root(),
            Call::void {
                gateway,
                epoch,
                reason
            }
        ));
        assert_ok!(send(5, refund(&trees, 0, 64)));
        assert_noop!(pay(), Error::<Test>::NotCredited);
        at(60, 0);
        Billing::on_idle(1, Weight::MAX);
        assert_eq!((payable(31), Referred::<Test>::iter().count()), (0, 0));
    });
}

#[test]
fn who_does_not_ask_is_paid_before_the_commitment_is_forgotten() {
    run(|| {
        let trees = referred(Some(32));
        at(13, 0);
        assert_ok!(send(5, credit(&trees, 0, 64)));
        at(60, 0);
        // Epoch 10 is reached after as many steps as come before it, and one to begin with.
        let step = <()>::clear_step().saturating_mul(12);
        Billing::on_idle(1, step.saturating_add(<()>::pay_referrals(16)));
        assert_eq!(payable(31) + payable(32), 44);
        assert_eq!(Billing::check_invariants(), Ok(()));
        assert!(Billing::commitment(&GATEWAY, Epoch(10)).is_some());
        Billing::on_idle(1, Weight::MAX);
        assert!(Billing::commitment(&GATEWAY, Epoch(10)).is_none());
        let unknown = Error::<Test>::UnknownCommitment;
        assert_noop!(pay(), unknown);
    });
}
