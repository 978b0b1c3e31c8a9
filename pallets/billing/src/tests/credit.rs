use super::*;
use crate::{Payouts, RunningTotals};
use frame_support::traits::fungible::Inspect;

pub(super) fn payable(who: u8) -> Planck {
    Payouts::<Test>::get(account(who)).payable
}

/// The usual 449 planck by hand: entries of 58 without a cache, 301 and 90.
///
/// take 15 %: 8, 45, 13; the rest: 50, 256, 77; stargate 10 % of it: 5, 25, 7; cache 60 %: 30, 153,
/// 46; gateway: 15, 78, 24. Burnt 2 % of the charge: 1, 6, 1.
pub(super) const PAID: Shares = Shares {
    caches: 153 + 46,
    gateways: 15 + 78 + 24,
    stargates: 0,
    treasury: (8 - 1) + (45 - 6) + (13 - 1) + (5 + 25 + 7) + 30,
    burn: 1 + 6 + 1,
    referral: 0,
    auditors: 0,
};

#[test]
fn divides_the_escrow_to_the_unit() {
    run(|| {
        let issued = Balances::total_issuance();
        let trees = credited();
        let books = books(&trees);
        assert_eq!(
            books,
            Books {
                charged: 449,
                refunded: 0,
                escrow: 0,
                shares: PAID
            }
        );
        assert_eq!(PAID.total(), Some(449));
        assert_eq!((payable(21), payable(22)), (153, 46));
        assert_eq!((payable(11), payable(12)), (117, 0));
        assert_eq!(payable(200), PAID.treasury);
        assert_eq!(Balances::total_issuance(), issued - PAID.burn);
        assert_eq!(status(&trees), Status::Credited);
        assert_eq!(RunningTotals::<Test>::get().books.shares, PAID);
        assert!(events().contains(&Event::CreditCompleted {
            gateway: GATEWAY,
            epoch: Epoch(10),
            shares: PAID
        }));
        // The treasury does not have to ask.
        assert_eq!(Balances::balance(&account(200)), PAID.treasury);
    });
}

#[test]
fn tells_what_matured_through_whom() {
    run(|| {
        credited();
        let matured = world(|world| world.matured.clone());
        let epoch = Epoch(10);
        assert_eq!(
            matured,
            [
                // κ · λ · n: 0.5 · 0.55 · 0.04 = 1.1 % for caches, 0.5 · 0.35 · 0.04 = 0.7 % for gateways.
                (CACHE, epoch, 301, 3),
                (OTHER_CACHE, epoch, 90, 0),
                (GATEWAY, epoch, 449, 3)
            ]
        );
    });
}

#[test]
fn shows_all_caches_before_it_pays_any() {
    run(|| {
        let trees = settled();
        for (start, checked) in [(0, 1), (1, 2), (2, 3)] {
            assert_ok!(send(5, credit(&trees, start, 1)));
            assert_eq!(
                status(&trees),
                Status::HeldBack {
                    matures: Epoch(13),
                    checked
                }
            );
        }
        assert_eq!(books(&trees).escrow, 449);
        assert_noop!(send(5, credit(&trees, 0, 64)), Error::<Test>::StillHeldBack);
        at(12, 3);
        assert_noop!(send(5, credit(&trees, 0, 64)), Error::<Test>::StillHeldBack);
        at(13, 0);
        for (start, end) in [
            (0, Status::Crediting(1)),
            (1, Status::Crediting(2)),
            (2, Status::Credited),
        ] {
            assert_ok!(send(5, credit(&trees, start, 1)));
            assert_eq!(status(&trees), end);
        }
        assert_eq!(books(&trees).shares, PAID);
    });
}

#[test]
fn pays_nothing_before_the_hold_back_is_over() {
    run(|| {
        let trees = settled();
        assert_ok!(send(5, credit(&trees, 0, 64)));
        let checked = Event::CachesChecked {
            gateway: GATEWAY,
            epoch: Epoch(10),
            cursor: 3,
        };
        assert_eq!(last_event(), checked);
        assert_eq!((payable(11), payable(21), payable(200)), (0, 0, 0));
        assert_eq!(books(&trees).escrow, 449);
    });
}

#[test]
fn goes_on_showing_after_the_hold_back_when_nobody_did() {
    run(|| {
        let trees = settled();
        at(13, 0);
        assert_ok!(send(5, credit(&trees, 0, 1)));
        assert_ok!(send(5, credit(&trees, 1, 64)));
        assert_eq!(
            status(&trees),
            Status::HeldBack {
                matures: Epoch(13),
                checked: 3
            }
        );
        assert_ok!(send(5, credit(&trees, 0, 64)));
        assert_eq!(status(&trees), Status::Credited);
    });
}

#[test]
fn takes_a_late_gateways_penalty_for_the_treasury() {
    run(|| {
        network();
        let trees = usual(GATEWAY, 10);
        at(13, 2);
        commit(&trees);
        at(14, 2);
        assert_ok!(send(5, settle(&trees, 0, 64)));
        at(16, 0);
        assert_ok!(send(5, credit(&trees, 0, 64)));
        // 15 % of 15, 78 and 24, rounded down entry by entry.
        let lost = 2 + 11 + 3;
        let shares = books(&trees).shares;
        assert_eq!(shares.gateways, PAID.gateways - lost);
        assert_eq!(shares.treasury, PAID.treasury + lost);
        assert_eq!(payable(11), PAID.gateways - lost);
    });
}

#[test]
fn voids_at_a_device_that_was_no_cache() {
    for device in [DeviceId([77; 32]), RIVAL] {
        run(|| {
            network();
            let trees = trees(
                GATEWAY,
                10,
                &[Used(1, 0, CACHE, 100), Used(1, 0, device, 100)],
            );
            at(11, 0);
            commit(&trees);
            at(11, 2);
            assert_ok!(send(5, settle(&trees, 0, 64)));
            let found = (0..2).any(|start| {
                assert_ok!(send(5, credit(&trees, start, 1)));
                status(&trees) == Status::Refunding(0)
            });
            assert!(found);
            assert_eq!(void_reason(&trees), Some(VoidReason::UnknownCache));
            assert_eq!((payable(11), payable(21), payable(200)), (0, 0, 0));
            assert_noop!(send(5, credit(&trees, 0, 64)), Error::<Test>::NotCreditable);
        });
    }
}

#[test]
fn voids_when_the_caches_are_never_shown() {
    run(|| {
        let trees = settled();
        at(20, 0);
        let call = Call::credit {
            gateway: GATEWAY,
            epoch: Epoch(10),
            entries: Default::default(),
            proof: RangeProof {
                start: 0,
                siblings: Vec::new(),
            },
            agent_signature: None,
        };
        assert_ok!(send(5, call));
        assert_eq!(void_reason(&trees), Some(VoidReason::Overdue));
        assert_ok!(send(5, refund(&trees, 0, 64)));
        assert_eq!((balance(1), balance(2)), (DEPOSIT, DEPOSIT));
    });
    // Shown in time, it can be paid however late.
    run(|| {
        let trees = settled();
        assert_ok!(send(5, credit(&trees, 0, 64)));
        at(1_000, 0);
        assert_ok!(send(5, credit(&trees, 0, 64)));
        assert_eq!(status(&trees), Status::Credited);
    });
}

#[test]
fn refuses_out_of_turn() {
    run(|| {
        let trees = committed();
        assert_noop!(send(5, credit(&trees, 0, 64)), Error::<Test>::NotCreditable);
        let unknown = usual(RIVAL, 10);
        assert_noop!(
            send(5, credit(&unknown, 0, 64)),
            Error::<Test>::UnknownCommitment
        );
        assert_ok!(send(5, settle(&trees, 0, 64)));
        assert_noop!(send(5, credit(&trees, 1, 1)), Error::<Test>::PageOutOfOrder);
        at(13, 0);
        assert_ok!(send(5, credit(&trees, 0, 64)));
        assert_noop!(send(5, credit(&trees, 0, 64)), Error::<Test>::NotCreditable);
        assert_noop!(
            dispatch(none(), credit(&trees, 0, 64)),
            DispatchError::BadOrigin
        );
    });
}

#[test]
fn refuses_entries_of_the_other_tree() {
    run(|| {
        let trees = settled();
        let (entries, proof) = page(&trees, TreeKind::Customers, 0, 64);
        let call = Call::credit {
            gateway: GATEWAY,
            epoch: Epoch(10),
            entries,
            proof,
            agent_signature: None,
        };
        assert_noop!(send(5, call), Error::<Test>::ProofInvalid);
    });
}

#[test]
fn refuses_shares_above_one() {
    run(|| {
        let trees = settled();
        at(13, 0);
        Take::set(selvedge_primitives_types::Ppm::percent(101));
        assert_noop!(send(5, credit(&trees, 0, 64)), Error::<Test>::SharesInvalid);
    });
}

#[test]
fn gives_the_treasury_what_no_owner_can_be_found_for() {
    run(|| {
        let trees = settled();
        assert_ok!(send(5, credit(&trees, 0, 64)));
        at(13, 0);
        world(|world| world.active.clear());
        assert_ok!(send(5, credit(&trees, 0, 64)));
        let shares = books(&trees).shares;
        assert_eq!((shares.caches, shares.gateways), (0, 0));
        assert_eq!(shares.treasury, 449 - PAID.burn);
    });
}

#[test]
fn credits_an_epoch_without_charges() {
    run(|| {
        network();
        let trees = trees(GATEWAY, 10, &[Used(1, 0, CACHE, 0)]);
        at(11, 0);
        commit(&trees);
        at(11, 2);
        assert_ok!(send(5, settle(&trees, 0, 64)));
        at(13, 0);
        assert_ok!(send(5, credit(&trees, 0, 64)));
        assert_eq!(
            (status(&trees), books(&trees)),
            (Status::Credited, Books::default())
        );
        assert!(world(|world| world.matured.is_empty()));
    });
}
