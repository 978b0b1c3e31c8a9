use super::*;
use pallet_edge_mocks::Network;

/// The most that the gateway's stake of 24,000 pays for an epoch of a day of 24.
const STAKE_CAP: Planck = 1_000;

#[test]
fn pays_out_of_the_stake_when_the_commitment_is_void_or_missing() {
    for fate in [Fate::Void, Fate::Missing] {
        run(|| {
            set_fate(device(1), EPOCH, fate);
            assert_ok!(redeem(voucher(2, 7, 800), None));
            // Half of it is the cache's: 75 % of that are paid and 25 % burnt, though the express fee is 20 %.
            assert_eq!((balance(12), stake()), (10_000 + 300, STAKE - 400));
            assert_eq!(
                last_event(),
                Event::VoucherRedeemed {
                    epoch: EPOCH,
                    gateway: device(1),
                    cache: device(2),
                    seq: 7,
                    to: account(12),
                    from_share: 0,
                    from_stake: 300,
                    burnt: 100,
                }
            );
            assert_eq!(world(|world| world.retired.clone()), [device(1)]);
        });
    }
}

#[test]
fn is_worth_no_more_than_a_stake_that_is_released_at_once() {
    run(|| {
        ExpressFee::set(Ppm::percent(40));
        set_fate(device(1), EPOCH, Fate::Void);
        assert_ok!(redeem(voucher(2, 7, 800), None));
        assert_eq!((balance(12), stake()), (10_000 + 240, STAKE - 400));
    });
}

#[test]
fn a_higher_number_adds_what_it_is_worth_more() {
    run(|| {
        set_fate(device(1), EPOCH, Fate::Void);
        assert_ok!(redeem(voucher(2, 7, 800), None));
        let superseded = || Error::<Test>::Superseded;
        assert_noop!(redeem(voucher(2, 7, 800), None), superseded());
        assert_noop!(redeem(voucher(2, 6, 900), None), superseded());
        let nothing = || Error::<Test>::NothingDue;
        assert_noop!(redeem(voucher(2, 8, 800), None), nothing());
        assert_noop!(redeem(voucher(2, 8, 10), None), nothing());
        assert_noop!(redeem(voucher(3, 1, 0), None), nothing());
        assert_ok!(redeem(voucher(2, 8, 1_600), None));
        assert_eq!((balance(12), stake()), (10_000 + 600, STAKE - 800));
        // It is retired once.
        assert_eq!(world(|world| world.retired.len()), 1);
    });
}

#[test]
fn caches_together_have_at_most_the_cap() {
    run(|| {
        set_fate(device(1), EPOCH, Fate::Void);
        assert_ok!(redeem(voucher(2, 1, 2_000), None));
        assert_eq!(balance(12), 10_000 + 750);
        assert_ok!(redeem(voucher(3, 1, 2_000), None));
        assert_eq!(balance(13), 10_000 + 250);
        // Of the second a third was paid, and as much as that is worth is gone from the stake: 334 with the rounding.
        assert_eq!(stake(), STAKE - 1_000 - 334);
        let debt = Debts::<Test>::get(EPOCH, device(1)).unwrap();
        assert_eq!((debt.cap, debt.from_stake), (STAKE_CAP, STAKE_CAP));
        assert_noop!(
            redeem(voucher(3, 2, 3_000), None),
            Error::<Test>::NothingLeft
        );
        assert_noop!(
            redeem(voucher(2, 2, u128::MAX), None),
            Error::<Test>::NothingLeft
        );
    });
}

#[test]
fn a_stake_of_which_nothing_is_left_pays_nothing() {
    run(|| {
        Network::change(device(1), |node| node.stake = 0);
        set_fate(device(1), EPOCH, Fate::Void);
        let nothing = Error::<Test>::NothingLeft;
        assert_noop!(redeem(voucher(2, 1, 800), None), nothing);
        assert_eq!(Debts::<Test>::iter().count(), 0);
    });
}

#[test]
fn pays_what_a_commitment_left_out_from_the_share_and_then_the_stake() {
    run(|| {
        let trees = trees(&[(device(2), 300), (device(3), 700)]);
        paid(&trees, 120);
        let at = |number| {
            let entries = trees.entries(TreeKind::Caches).iter();
            let place = entries
                .map(|entry| entry.sum.amount)
                .position(|sum| sum == number);
            show(&trees, place.unwrap(), 1)
        };
        // 500 are missing, of which half is the cache's; as much is burnt.
        assert_ok!(redeem(voucher(2, 4, 800), Some(at(300))));
        assert_eq!((balance(12), stake()), (10_000 + 250, STAKE - 130 - 250));
        assert_eq!(
            Redemptions::<Test>::get((EPOCH, device(1), device(2))),
            Redemption {
                seq: 4,
                value: 250,
                from_share: 120,
                from_stake: 130,
                burnt: 250,
            }
        );
        // The share of this epoch is used up, whatever the gateway earned elsewhere.
        world(|world| world.earned.insert(account(11), 1_000));
        assert_ok!(redeem(voucher(3, 1, 720), Some(at(700))));
        assert_eq!((balance(13), stake()), (10_000 + 10, STAKE - 380 - 20));
        assert_eq!(world(|world| world.retired.clone()), []);
        // What is in the commitment was paid.
        assert_noop!(
            redeem(voucher(3, 2, 700), Some(at(700))),
            Error::<Test>::NothingDue
        );
    });
}

#[test]
fn what_a_commitment_says_of_the_cache_has_to_be_shown() {
    run(|| {
        let trees = trees(&[(device(3), 700), (DeviceId([255; 32]), 10)]);
        paid(&trees, 10_000);
        let hidden = || Error::<Test>::EntryNotShown;
        assert_noop!(redeem(voucher(3, 1, 800), None), hidden());
        let place = trees.entries(TreeKind::Caches).iter();
        let mut amounts = place.map(|entry| entry.sum.amount);
        let own = amounts.position(|amount| amount == 700).unwrap();
        // Not by an entry of another.
        assert_noop!(
            redeem(voucher(3, 1, 800), Some(show(&trees, 1 - own, 1))),
            hidden()
        );
        let mut forged = show(&trees, own, 1);
        forged.entries[0].sum.amount = 1;
        let invalid = || Error::<Test>::ProofInvalid;
        assert_noop!(redeem(voucher(3, 1, 800), Some(forged)), invalid());
        let mut empty = show(&trees, own, 1);
        empty.entries = Default::default();
        assert_noop!(redeem(voucher(3, 1, 800), Some(empty)), invalid());
        assert_ok!(redeem(voucher(3, 1, 800), Some(show(&trees, own, 1))));
        assert_eq!(balance(13), 10_000 + 50);
    });
}

/// Cache 2 has no entry; the others stand below it, above it or on both sides.
#[test]
fn that_there_is_no_entry_is_shown_by_where_it_would_stand() {
    let (low, high) = (DeviceId([0; 32]), DeviceId([255; 32]));
    let beyond = DeviceId([254; 32]);
    let cases = [
        (vec![(low, 1), (high, 2)], 0, 2, true),
        (vec![(beyond, 1), (high, 2)], 0, 1, true),
        (vec![(low, 2)], 0, 1, true),
        // These show nothing: there may be one between.
        (vec![(low, 1), (high, 2)], 0, 1, false),
        (vec![(low, 1), (high, 2)], 1, 1, false),
        (vec![(beyond, 1), (high, 2)], 0, 2, false),
        (vec![(beyond, 1), (high, 2)], 1, 1, false),
    ];
    for (caches, start, len, is_shown) in cases {
        run(|| {
            let trees = trees(&caches);
            paid(&trees, 10_000);
            let outcome = redeem(voucher(2, 1, 800), Some(show(&trees, start, len)));
            let refused = Err(Error::<Test>::EntryNotShown.into());
            assert_eq!(outcome, if is_shown { Ok(()) } else { refused });
            assert_eq!(balance(12), 10_000 + if is_shown { 400 } else { 0 });
        });
    }
}

#[test]
fn waits_until_the_commitment_has_come_to_an_end() {
    run(|| {
        let early = Error::<Test>::NotDecided;
        assert_noop!(redeem(voucher(2, 1, 800), None), early);
    });
}

#[test]
fn counts_for_so_long_and_no_longer() {
    run(|| {
        set_fate(device(1), EPOCH, Fate::Void);
        begin(EPOCH.0 + REDEEM_UNTIL);
        assert_ok!(redeem(voucher(2, 1, 400), None));
        begin(EPOCH.0 + REDEEM_UNTIL + 1);
        let late = Error::<Test>::TooLate;
        assert_noop!(redeem(voucher(2, 2, 800), None), late);
    });
}

#[test]
fn both_nodes_were_active_as_such() {
    run(|| {
        set_fate(device(1), EPOCH, Fate::Void);
        let inactive = || Error::<Test>::NotActive;
        // Not a cache, and nobody.
        assert_noop!(redeem(voucher(1, 1, 800), None), inactive());
        assert_noop!(redeem(voucher(8, 1, 800), None), inactive());
        Network::change(device(1), |node| node.from = EPOCH.next());
        assert_noop!(redeem(voucher(2, 1, 800), None), inactive());
    });
}

#[test]
fn only_what_the_gateway_signed_for_this_network_counts() {
    run(|| {
        set_fate(device(1), EPOCH, Fate::Void);
        let signed = voucher(2, 1, 800);
        let mut more = signed;
        more.voucher.amount += 1;
        let mut elsewhere = signed;
        let message = Domain::Voucher.message(&[8; 32], &signed.voucher);
        elsewhere.signature = Signature64(pair(1).sign(&message).0);
        let mut otherwise = signed;
        let message = Domain::Leaf.message(&[7; 32], &signed.voucher);
        otherwise.signature = Signature64(pair(1).sign(&message).0);
        let mut own = signed;
        let message = Domain::Voucher.message(&[7; 32], &signed.voucher);
        own.signature = Signature64(pair(2).sign(&message).0);
        for forged in [more, elsewhere, otherwise, own] {
            assert_noop!(redeem(forged, None), Error::<Test>::SignatureInvalid);
        }
        // Number 0 is none.
        assert_noop!(redeem(voucher(2, 0, 800), None), Error::<Test>::Superseded);
        let call = Call::redeem_voucher {
            voucher: signed.into(),
            shown: None,
        };
        assert_noop!(
            dispatch(RuntimeOrigin::none(), call),
            DispatchError::BadOrigin
        );
    });
}

#[test]
fn the_longest_path_is_climbed() {
    run(|| {
        let (shown, commitment) = crate::deep::commitment(device(1), EPOCH);
        assert_eq!(shown.proof.siblings.len(), 62);
        let owner = account(15);
        let node = pallet_edge_mocks::Node::new(owner, selvedge_primitives_types::Role::Cache, 100);
        Network::set(crate::deep::CACHE, node);
        let fate = Fate::Paid {
            commitment,
            gateway_share: 0,
        };
        set_fate(device(1), EPOCH, fate);
        let voucher = Voucher {
            cache: crate::deep::CACHE,
            ..voucher(2, 1, 800).voucher
        };
        assert_ok!(redeem(sign(voucher), Some(shown.clone())));
        assert_eq!(balance(15), 400);
        let mut cut = shown;
        cut.proof.siblings.pop();
        let voucher = Voucher { seq: 2, ..voucher };
        assert_noop!(
            redeem(sign(voucher), Some(cut)),
            Error::<Test>::ProofInvalid
        );
    });
}
