//! What other pallets ask: what commitments came to, what is burnt of them, and what gateways owe out of their earnings.

use super::{
    credit::{payable, PAID},
    *,
};
use frame_support::traits::fungible::Inspect;
use pallet_edge_traits::{CommitmentFate, Fate, HeldLine};

fn fate(gateway: DeviceId) -> Fate {
    Billing::fate(&gateway, Epoch(10))
}

#[test]
fn an_end_is_told_when_it_is_final() {
    run(|| {
        network();
        let trees = usual(GATEWAY, 10);
        assert_eq!(fate(GATEWAY), Fate::Open);
        at(11, 0);
        commit(&trees);
        at(11, 2);
        assert_eq!(fate(GATEWAY), Fate::Open);
        assert_ok!(send(5, settle(&trees, 0, 64)));
        assert_eq!(fate(GATEWAY), Fate::Open);
        at(13, 0);
        assert_ok!(send(5, credit(&trees, 0, 64)));
        let paid = Fate::Paid {
            commitment: commitment(&trees),
            gateway_share: PAID.gateways,
        };
        assert_eq!(fate(GATEWAY), paid);
        at(16, 3);
        assert_eq!(fate(RIVAL), Fate::Open);
        at(17, 0);
        assert_eq!(fate(RIVAL), Fate::Missing);
        UnsettledEpochs::set(60);
        assert_eq!(fate(RIVAL), Fate::Missing);
    });
}

#[test]
fn what_lapsed_is_void_before_anybody_says_so() {
    run(|| {
        let trees = committed();
        at(17, 0);
        assert_eq!(fate(GATEWAY), Fate::Void);
        UnsettledEpochs::set(60);
        assert_eq!(fate(GATEWAY), Fate::Void);
        assert_ok!(send(5, settle(&trees, 0, 64)));
        assert_eq!(void_reason(&trees), Some(VoidReason::Overdue));
    });
}

#[test]
fn a_line_is_told_while_it_is_held_back() {
    run(|| {
        let trees = settled();
        let line = |customer: u8| {
            let service = ServiceId(u64::from(customer) - 1);
            Billing::held_line(&account(customer), service, &GATEWAY, Epoch(10))
        };
        let held = HeldLine {
            amount: 240,
            entry: 0,
            matures: Epoch(13),
        };
        assert_eq!(line(1), Some(held));
        assert_eq!(line(2).map(|line| line.amount), Some(209));
        assert_eq!(line(3), None);
        at(13, 0);
        assert_ok!(send(5, credit(&trees, 0, 64)));
        assert_eq!(line(1), None);
    });
}

#[test]
fn what_is_disputed_is_burnt_before_the_rest_is_divided() {
    run(|| {
        let issued = Balances::total_issuance();
        let trees = settled();
        world(|world| world.to_burn = 120);
        at(13, 0);
        for start in 0..3 {
            assert_ok!(send(5, credit(&trees, start, 1)));
        }
        for start in 0..3 {
            assert_ok!(send(5, credit(&trees, start, 1)));
            assert_eq!(Billing::check_invariants(), Ok(()));
        }
        let shares = books(&trees).shares;
        // Of 58, 301 and 90 planck 15, 80 and 25 are burnt: 120 of 449 up to each.
        let left = [58 - 15, 301 - 80, 90 - 25];
        let burn = left.map(|amount| amount * 2 / 100);
        assert_eq!(shares.burn, 120 + burn.iter().sum::<Planck>());
        assert_eq!(shares.total(), Some(449));
        assert_eq!(Balances::total_issuance(), issued - shares.burn);
        let matured = world(|world| world.matured.clone());
        let amounts = matured.iter().map(|(_, _, amount, _)| *amount);
        assert_eq!(
            amounts.collect::<Vec<_>>(),
            [left[0], left[1], left[1], left[2], left[2]]
        );
        assert!(payable(11) < PAID.gateways && payable(21) < 153);
    });
}

#[test]
fn a_debt_is_paid_out_of_what_was_not_claimed() {
    run(|| {
        credited();
        let garnish = |amount| Billing::garnish(&account(11), &account(5), amount);
        let before = Balances::balance(&account(5));
        assert_eq!(garnish(17), Ok(17));
        assert_eq!(Balances::balance(&account(5)), before + 17);
        assert_eq!(
            last_event(),
            Event::Garnished {
                from: account(11),
                to: account(5),
                amount: 17,
            }
        );
        assert_eq!(
            (garnish(0), garnish(1_000), garnish(1)),
            (Ok(0), Ok(100), Ok(0))
        );
        let nothing = Error::<Test>::NothingToClaim;
        assert_noop!(send(11, Call::claim {}), nothing);
    });
}

#[test]
fn a_caches_part_follows_the_shares() {
    run(|| {
        assert_eq!(Billing::cache_part(1_000), Ok(510));
        Take::set(selvedge_primitives_types::Ppm::percent(101));
        let invalid = Error::<Test>::SharesInvalid;
        assert_eq!(Billing::cache_part(1_000), Err(invalid.into()));
    });
}
