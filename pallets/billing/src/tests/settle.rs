use super::*;
use crate::InvoiceLines;
use frame_support::traits::fungible::{Inspect, MutateFreeze};
use selvedge_primitives_types::Account as Bytes;

/// Commits `used` by `GATEWAY` in epoch 10 and settles it in one page.
fn settle_used(used: &[Used]) -> UsageTrees {
    network();
    settle_trees(trees(GATEWAY, 10, used))
}

fn settle_trees(trees: UsageTrees) -> UsageTrees {
    at(11, 0);
    commit(&trees);
    at(11, 2);
    assert_ok!(send(5, settle(&trees, 0, 64)));
    trees
}

fn assert_void(trees: &UsageTrees, reason: VoidReason) {
    assert_eq!(status(trees), Status::Void);
    assert_eq!(void_reason(trees), Some(reason));
    assert_eq!(books(trees), Books::default());
    assert_eq!((balance(1), balance(2)), (DEPOSIT, DEPOSIT));
}

#[test]
fn moves_the_charges_into_escrow() {
    run(|| {
        let trees = settled();
        assert_eq!((balance(1), balance(2)), (DEPOSIT - 240, DEPOSIT - 209));
        assert_eq!(Balances::balance(&Billing::pot()), 10 + 449);
        assert_eq!(books(&trees).escrow, 449);
        assert_eq!(
            status(&trees),
            Status::HeldBack {
                matures: Epoch(13),
                checked: 0
            }
        );
        let completed = Event::SettlementCompleted {
            gateway: GATEWAY,
            epoch: Epoch(10),
            charged: 449,
            matures: Epoch(13),
        };
        assert_eq!(last_event(), completed);
        let line = InvoiceLines::<Test>::get((Epoch(10), account(2), (ServiceId(1), GATEWAY)));
        let line = line.unwrap();
        assert_eq!((line.amount, line.entry, line.refunded), (209, 1, false));
        assert_eq!(line.paid.of(UsageClass::Requests), 140);
    });
}

#[test]
fn walks_page_by_page() {
    run(|| {
        let trees = committed();
        assert_ok!(send(5, settle(&trees, 0, 1)));
        assert_eq!(status(&trees), Status::Settling(1));
        let settled = Event::Settled {
            gateway: GATEWAY,
            epoch: Epoch(10),
            charged: 240,
            cursor: 1,
        };
        assert_eq!(last_event(), settled);
        assert_noop!(send(5, settle(&trees, 0, 1)), Error::<Test>::PageOutOfOrder);
        assert_ok!(send(5, settle(&trees, 1, 64)));
        assert_noop!(send(5, settle(&trees, 1, 1)), Error::<Test>::NotSettling);
    });
}

#[test]
fn refuses_before_the_window_has_closed() {
    run(|| {
        network();
        let trees = usual(GATEWAY, 10);
        at(11, 1);
        commit(&trees);
        assert_noop!(send(5, settle(&trees, 0, 64)), Error::<Test>::NotAccepted);
        at(11, 2);
        assert_ok!(send(5, settle(&trees, 0, 64)));
    });
}

#[test]
fn waits_for_the_window_a_late_commitment_was_made_in() {
    run(|| {
        network();
        let trees = usual(GATEWAY, 10);
        at(12, 3);
        commit(&trees);
        at(13, 1);
        assert_noop!(send(5, settle(&trees, 0, 64)), Error::<Test>::NotAccepted);
        at(13, 2);
        assert_ok!(send(5, settle(&trees, 0, 64)));
    });
}

#[test]
fn refuses_unknown_commitments_and_wrong_pages() {
    run(|| {
        let trees = committed();
        let other = usual(GATEWAY, 9);
        assert_noop!(
            send(5, settle(&other, 0, 64)),
            Error::<Test>::UnknownCommitment
        );
        let rival = usual(RIVAL, 10);
        assert_noop!(
            send(5, settle(&rival, 0, 64)),
            Error::<Test>::UnknownCommitment
        );
        assert_noop!(send(5, settle(&trees, 1, 1)), Error::<Test>::PageOutOfOrder);

        let (gateway, epoch) = of_gateway(&trees);
        let call = |entries: &[Entry], proof: &RangeProof<EntryKey>| Call::<Test>::settle {
            gateway,
            epoch,
            entries: entries.to_vec().try_into().unwrap(),
            proof: proof.clone(),
            agent_signature: None,
        };
        let (entries, proof) = page(&trees, TreeKind::Customers, 0, 1);
        let invalid: DispatchError = Error::<Test>::ProofInvalid.into();
        assert_noop!(send(5, call(&[], &proof)), invalid);
        let mut more = entries[0];
        more.sum.amount += 1;
        assert_noop!(send(5, call(&[more], &proof)), invalid);
        let mut short = proof.clone();
        short.siblings.clear();
        assert_noop!(send(5, call(&entries, &short)), invalid);
        // Entries and proof of another tree, with the right cursor.
        let (entries, proof) = page(&usual(RIVAL, 10), TreeKind::Customers, 0, 64);
        assert_noop!(send(5, call(&entries, &proof)), invalid);
        let (entries, proof) = page(&trees, TreeKind::Caches, 0, 64);
        assert_noop!(send(5, call(&entries, &proof)), invalid);
    });
}

#[test]
fn refuses_origins_that_are_neither_account_nor_agent() {
    run(|| {
        let trees = committed();
        assert_noop!(
            dispatch(none(), settle(&trees, 0, 64)),
            DispatchError::BadOrigin
        );
        assert_noop!(
            dispatch(root(), settle(&trees, 0, 64)),
            DispatchError::BadOrigin
        );
    });
}

#[test]
fn charges_up_to_the_lease_and_not_a_planck_more() {
    // 333 requests cost 499, 334 cost 501; the lease is 500.
    run(|| {
        let trees = settle_used(&[Used(1, 0, CACHE, 333)]);
        assert_eq!(books(&trees).charged, 499);
    });
    run(|| {
        let trees = settle_used(&[Used(1, 0, CACHE, 334)]);
        assert_void(&trees, VoidReason::AboveLease);
    });
    // Two gateways at their leases never exceed the allowance together.
    run(|| {
        let ours = settle_used(&[Used(1, 0, CACHE, 333)]);
        let theirs = settle_trees(trees(RIVAL, 10, &[Used(1, 0, CACHE, 333)]));
        assert!(books(&ours).charged + books(&theirs).charged <= CAP);
        assert_eq!(balance(1), DEPOSIT - 998);
    });
}

#[test]
fn voids_at_an_unknown_service() {
    run(|| {
        let trees = settle_used(&[Used(1, 7, CACHE, 1)]);
        assert_void(&trees, VoidReason::UnknownService);
        let voided = Event::CommitmentVoided {
            gateway: GATEWAY,
            epoch: Epoch(10),
            reason: VoidReason::UnknownService,
        };
        assert_eq!(last_event(), voided);
    });
}

#[test]
fn voids_at_the_wrong_customer() {
    run(|| {
        let trees = settle_used(&[Used(2, 0, CACHE, 1)]);
        assert_void(&trees, VoidReason::WrongCustomer);
    });
}

#[test]
fn voids_at_a_paused_service() {
    run(|| {
        network();
        world(|world| world.services.get_mut(&ServiceId(0)).unwrap().active = false);
        let trees = settle_trees(trees(GATEWAY, 10, &[Used(1, 0, CACHE, 1)]));
        assert_void(&trees, VoidReason::ServicePaused);
    });
}

#[test]
fn voids_at_an_account_that_was_not_funded() {
    run(|| {
        network();
        serve(2, 3, CAP);
        let trees = settle_trees(trees(GATEWAY, 10, &[Used(3, 2, CACHE, 1)]));
        assert_void(&trees, VoidReason::NotFunded);
    });
    // Funded before and after, but not in the epoch of the use.
    run(|| {
        network();
        serve(0, 1, 100 * CAP);
        assert_ok!(send(
            5,
            Call::poke {
                account: account(1)
            }
        ));
        at(11, 0);
        serve(0, 1, CAP);
        assert_ok!(send(
            5,
            Call::poke {
                account: account(1)
            }
        ));
        at(12, 0);
        let trees = trees(GATEWAY, 11, &[Used(1, 0, CACHE, 1)]);
        commit(&trees);
        at(12, 2);
        assert_ok!(send(5, settle(&trees, 0, 64)));
        assert_void(&trees, VoidReason::NotFunded);
    });
}

/// Each leaf may lose less than one planck to rounding, and nothing may be added.
#[test]
fn voids_at_any_amount_that_rounding_does_not_explain() {
    let priced = |leaves: u16, each: u64, amount: Planck| {
        let mut leaves: Vec<_> = (0..leaves)
            .map(|slice| leaf(GATEWAY, 10, slice, &Used(1, 0, CACHE, each)))
            .collect();
        for leaf in &mut leaves {
            leaf.body.amount = 0;
        }
        leaves[0].body.amount = amount;
        UsageTrees::build::<HostKeccak>(leaves).unwrap()
    };
    // Four leaves of 11 requests cost 66 in one, and 16 each, so 64, in four. The lowest that could
    // be is 63.
    for (amount, good) in [
        (66, true),
        (64, true),
        (63, true),
        (62, false),
        (67, false),
        (0, false),
    ] {
        run(|| {
            network();
            let trees = settle_trees(priced(4, 11, amount));
            if good {
                assert_eq!(books(&trees).charged, amount, "{amount}");
            } else {
                assert_void(&trees, VoidReason::WrongPrice);
            }
        });
    }
}

#[test]
fn voids_at_usage_whose_price_does_not_fit() {
    run(|| {
        network();
        world(|world| world.prices.insert(1, Prices([u64::MAX; 6])));
        let mut leaf = leaf(GATEWAY, 10, 0, &Used(1, 0, CACHE, 1));
        leaf.body.paid = Usage([u64::MAX; 6]);
        let trees = settle_trees(UsageTrees::build::<HostKeccak>(vec![leaf]).unwrap());
        assert_void(&trees, VoidReason::WrongPrice);
    });
}

#[test]
fn charges_nothing_of_a_page_with_one_bad_entry() {
    run(|| {
        let used = [
            Used(1, 0, CACHE, 100),
            Used(2, 1, CACHE, 100),
            Used(3, 9, CACHE, 1),
        ];
        let trees = settle_used(&used);
        assert_void(&trees, VoidReason::UnknownService);
    });
}

#[test]
fn opens_the_refund_when_a_later_page_is_bad() {
    run(|| {
        network();
        let used = [
            Used(1, 0, CACHE, 100),
            Used(2, 1, CACHE, 100),
            Used(3, 9, CACHE, 1),
        ];
        let trees = trees(GATEWAY, 10, &used);
        at(11, 0);
        commit(&trees);
        at(11, 2);
        assert_ok!(send(5, settle(&trees, 0, 2)));
        assert_ok!(send(5, settle(&trees, 2, 1)));
        assert_eq!(status(&trees), Status::Refunding(0));
        assert_eq!(books(&trees).escrow, 300);
        assert_noop!(send(5, settle(&trees, 2, 1)), Error::<Test>::NotSettling);
    });
}

#[test]
fn refuses_when_a_pinned_price_list_is_not_there() {
    run(|| {
        let trees = committed();
        world(|world| world.prices.clear());
        assert_noop!(
            send(5, settle(&trees, 0, 64)),
            Error::<Test>::UnknownPriceList
        );
    });
}

#[test]
fn voids_what_is_not_settled_in_time() {
    run(|| {
        let trees = committed();
        assert_ok!(send(5, settle(&trees, 0, 1)));
        at(17, 0);
        assert_ok!(send(5, settle(&trees, 1, 1)));
        assert_eq!(status(&trees), Status::Refunding(0));
        assert_eq!(void_reason(&trees), Some(VoidReason::Overdue));
        assert_eq!(balance(2), DEPOSIT);
    });
    run(|| {
        let trees = committed();
        at(16, 3);
        assert_ok!(send(5, settle(&trees, 0, 64)));
        assert_eq!(books(&trees).charged, 449);
    });
}

#[test]
fn needs_no_page_to_void_what_is_overdue() {
    run(|| {
        let trees = committed();
        at(17, 0);
        let call = Call::settle {
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
        assert_void(&trees, VoidReason::Overdue);
    });
}

/// A freeze, such as a vote's, spans held tokens too.
#[test]
fn charges_tokens_that_are_frozen_for_a_vote() {
    run(|| {
        let trees = committed();
        assert_ok!(Balances::set_freeze(b"v", &account(1), 1_000_000));
        assert_ok!(send(5, settle(&trees, 0, 64)));
        assert_eq!(balance(1), DEPOSIT - 240);
    });
}

#[test]
fn suspends_an_account_that_no_longer_covers_its_reserve() {
    run(|| {
        network();
        assert_ok!(send(1, Call::withdraw { amount: 13_000 }));
        let trees = settle_trees(usual(GATEWAY, 10));
        assert_eq!(books(&trees).charged, 449);
        let reason = SuspensionReason::ReserveUncovered;
        assert_eq!(state(1), AccountState::Suspended(reason));
        assert!(events().contains(&Event::AccountSuspended {
            account: account(1),
            reason,
            from: Epoch(12)
        }));
        // What it could still be charged for the epochs it was funded in is there.
        assert!(balance(1) >= 2 * CAP);
    });
}

#[test]
fn a_charge_above_the_balance_changes_nothing() {
    run(|| {
        let trees = committed();
        // Only a broken `Services` gets here: an allowance that was never covered.
        crate::Accounts::<Test>::mutate(account(1), |account| {
            account.as_mut().unwrap().balance = 239;
        });
        assert_noop!(
            send(5, settle(&trees, 0, 64)),
            Error::<Test>::BalanceExhausted
        );
        crate::Accounts::<Test>::mutate(account(1), |account| {
            account.as_mut().unwrap().balance = DEPOSIT;
        });
    });
}

#[test]
fn settles_more_entries_than_fit_into_a_page() {
    run(|| {
        network();
        for service in 0..150 {
            serve(service, 1, 100);
        }
        assert_ok!(send(1, deposit(200_000)));
        let used: Vec<_> = (0..150)
            .map(|service| Used(1, service, CACHE, 10))
            .collect();
        let trees = trees(GATEWAY, 10, &used);
        at(11, 0);
        commit(&trees);
        at(11, 2);
        for start in [0, 64, 128] {
            assert_ok!(send(5, settle(&trees, start, 64)));
        }
        assert_eq!(books(&trees).charged, 150 * 15);
        assert_eq!(balance(1), DEPOSIT + 200_000 - 150 * 15);
        assert_eq!(
            trees.entries(TreeKind::Customers)[0]
                .key
                .as_customer()
                .customer,
            Bytes([1; 32])
        );
    });
}

#[test]
fn weighs_by_entries_never_by_requests() {
    use frame_support::dispatch::GetDispatchInfo;
    run(|| {
        network();
        let weight = |requests| {
            let trees = trees(GATEWAY, 10, &[Used(1, 0, CACHE, requests)]);
            let commit = commit_call(commitment(&trees)).get_dispatch_info();
            [
                settle(&trees, 0, 64),
                credit(&trees, 0, 64),
                refund(&trees, 0, 64),
            ]
            .map(|call| call.get_dispatch_info())
            .map(|info| (info.call_weight, commit.call_weight))
        };
        assert_eq!(weight(1_000), weight(1_000_000));
        assert_eq!(weight(1_000), weight(1_000_000_000));
        type Real = crate::weights::SubstrateWeight<Test>;
        use crate::WeightInfo;
        assert!(Real::settle(64).all_gt(Real::settle(1)));
        assert!(Real::credit(64).all_gt(Real::credit(1)));
        assert!(Real::refund(64).all_gt(Real::refund(1)));
    });
}

#[test]
fn storage_is_charged_up_to_what_pins_come_to() {
    let settled_with = |paid: u64, free: u64, kept: u64, expected: Option<VoidReason>| {
        run(|| {
            network();
            world(|world| world.kept = kept);
            let mut leaf = leaf(GATEWAY, 10, 0, &Used(1, 0, CACHE, 100));
            let body = &mut leaf.body;
            body.paid = body.paid.with(UsageClass::StorageByteHours, paid);
            body.free = body.free.with(UsageClass::StorageByteHours, free);
            let trees = UsageTrees::build::<HostKeccak>(vec![leaf]).unwrap();
            assert_eq!(void_reason(&settle_trees(trees)), expected);
            assert_eq!(balance(1) == DEPOSIT, expected.is_some());
        });
    };
    // 60 bytes for a minute are one byte-hour; what is begun counts.
    let kept = 3_600_000 / LENGTH * 9 + 1;
    let above = Some(VoidReason::AboveStorage);
    settled_with(10, 0, kept, None);
    settled_with(11, 0, kept, above);
    settled_with(9, 2, kept, above);
    settled_with(u64::MAX, u64::MAX, kept, above);
    settled_with(1, 0, 0, above);
    settled_with(0, 0, 0, None);
}
