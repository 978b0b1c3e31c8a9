//! How fast escrow matures, what new nodes wait for, and that what lapsed stays lapsed.

use super::{credit::payable, *};
use crate::{FirstEarnings, Maturing, RunningTotals};
use selvedge_primitives_types::{Millis, Score};

/// The usual use of an epoch, settled in the next, when so much is left of the gateway's stake.
fn settled_with(stake: Planck, epoch: u64) -> UsageTrees {
    world(|world| world.stake = stake);
    let trees = usual(GATEWAY, epoch);
    at(epoch + 1, 1);
    commit(&trees);
    at(epoch + 1, 2);
    assert_ok!(send(5, settle(&trees, 0, 64)));
    trees
}

/// An era has four epochs: a stake of 1,000 covers 250 an epoch, of the 449 of a commitment.
#[test]
fn escrow_waits_until_the_stake_has_covered_it() {
    run(|| {
        network();
        let trees = settled_with(1_000, 10);
        at(13, 0);
        // It is shown, and nothing is lost.
        assert_ok!(send(5, credit(&trees, 0, 64)));
        let shown = Status::HeldBack {
            matures: Epoch(13),
            checked: 3,
        };
        assert_eq!(status(&trees), shown);
        let early = || Error::<Test>::AboveStakePace;
        assert_noop!(send(5, credit(&trees, 0, 64)), early());
        let call = signed_credit(&trees);
        assert_eq!(authorize(&call), Err(InvalidTransaction::Future.into()));
        // What fits may go.
        assert_ok!(send(5, credit(&trees, 0, 1)));
        assert_noop!(send(5, credit(&trees, 1, 1)), early());
        at(14, 0);
        assert_ok!(authorize(&signed_credit_at(&trees, 1, 2)));
        assert_ok!(send(5, credit(&trees, 1, 2)));
        assert_eq!(status(&trees), Status::Credited);
        let pace = Pace {
            since: Epoch(13),
            amount: 449,
        };
        assert_eq!(Maturing::<Test>::get(GATEWAY), pace);
    });
}

fn signed_credit(trees: &UsageTrees) -> Call<Test> {
    signed_credit_at(trees, 0, 64)
}

fn signed_credit_at(trees: &UsageTrees, start: u32, len: u32) -> Call<Test> {
    let mut call = credit(trees, start, len);
    if let Call::credit {
        gateway,
        epoch,
        entries,
        proof,
        agent_signature,
    } = &mut call
    {
        let payload = page_payload(Walk::Credit, *gateway, *epoch, entries, proof);
        *agent_signature = Some(sign(*gateway, &payload));
    }
    call
}

#[test]
fn commitments_of_a_gateway_share_its_pace() {
    run(|| {
        network();
        let all = [10, 11, 12].map(|epoch| settled_with(1_800, epoch));
        at(15, 0);
        for trees in &all {
            assert_ok!(send(5, credit(trees, 0, 64)));
        }
        // 450 an epoch: the first came when it matured, in 13; the second in 14, the third in 15.
        let paid = |trees: &UsageTrees| status(trees) == Status::Credited;
        assert_eq!(all.each_ref().map(paid), [true, true, true]);
        let pace = Pace {
            since: Epoch(15),
            amount: 449,
        };
        assert_eq!(Maturing::<Test>::get(GATEWAY), pace);
    });
    run(|| {
        network();
        let all = [10, 11].map(|epoch| settled_with(1_800, epoch));
        at(14, 0);
        assert_ok!(send(5, credit(&all[1], 0, 64)));
        // The epoch of the first is not made up for: it began to wait later than that.
        assert_ok!(send(5, credit(&all[0], 0, 64)));
        let early = || Error::<Test>::AboveStakePace;
        assert_noop!(send(5, credit(&all[0], 0, 64)), early());
        at(15, 0);
        assert_ok!(send(5, credit(&all[0], 0, 64)));
    });
}

#[test]
fn the_worker_is_not_sent_for_what_waits() {
    run(|| {
        network();
        let trees = settled_with(1_000, 10);
        at(13, 0);
        assert_ok!(send(5, credit(&trees, 0, 64)));
        assert_ok!(send(5, credit(&trees, 0, 1)));
        use pallet_edge_traits::{Job, Settlement};
        let is_offered = || {
            let jobs = Billing::jobs(&GATEWAY, 64);
            jobs.iter().any(|job| matches!(job, Job::Credit(..)))
        };
        assert!(is_offered());
        let pace = Pace {
            since: Epoch(13),
            amount: 250,
        };
        Maturing::<Test>::insert(GATEWAY, pace);
        assert!(!is_offered());
    });
}

#[test]
fn nothing_is_committed_without_a_stake() {
    run(|| {
        network();
        world(|world| world.stake = 0);
        at(11, 0);
        let call = commit_call(commitment(&usual(GATEWAY, 10)));
        assert_eq!(authorize(&call), Err(InvalidTransaction::BadSigner.into()));
        assert_noop!(
            dispatch(RawOrigin::Authorized.into(), call),
            Error::<Test>::NothingAtStake
        );
    });
}

/// The gateway's stake, and that of the first cache, were assigned when epoch 8 began: they are known at the begin of 18.
fn young() -> UsageTrees {
    let since = Millis(1_000_000 + 8 * LENGTH);
    world(|world| world.since = [(GATEWAY, since), (CACHE, since)].into());
    credited()
}

fn release(device: DeviceId, owner: u8) -> Result<(), DispatchError> {
    let owner = account(owner);
    send(5, Call::release_first { device, owner })
}

#[test]
fn a_new_node_waits_for_what_it_earns_first() {
    run(|| {
        young();
        assert_eq!((payable(11), payable(21), payable(22)), (0, 0, 46));
        assert_eq!(RunningTotals::<Test>::get().pending, 117 + 153);
        at(17, 3);
        assert_noop!(release(GATEWAY, 11), Error::<Test>::StillHeldBack);
        at(18, 0);
        assert_ok!(release(GATEWAY, 11));
        assert_eq!((payable(11), payable(21)), (117, 0));
        assert_eq!(
            last_event(),
            Event::FirstEarningsReleased {
                device: GATEWAY,
                account: account(11),
                amount: 117,
            }
        );
        let nothing = || Error::<Test>::NothingToClaim;
        assert_noop!(release(GATEWAY, 11), nothing());
        assert_noop!(release(OTHER_CACHE, 22), nothing());
        assert_noop!(release(CACHE, 22), nothing());
        assert_noop!(
            dispatch(
                none(),
                Call::release_first {
                    device: CACHE,
                    owner: account(21)
                }
            ),
            DispatchError::BadOrigin
        );
    });
}

#[test]
fn a_node_that_is_known_has_all_with_the_next_that_it_earns() {
    run(|| {
        young();
        let trees = settled_with(STAKE, 17);
        at(20, 0);
        assert_ok!(send(5, credit(&trees, 0, 64)));
        assert_eq!((payable(11), payable(21)), (2 * 117, 2 * 153));
        assert_eq!(FirstEarnings::<Test>::iter().count(), 0);
        assert_eq!(RunningTotals::<Test>::get().pending, 0);
    });
}

#[test]
fn a_new_node_without_a_fair_score_waits_twice_as_long() {
    run(|| {
        young();
        world(|world| world.quality = Score(499_999));
        at(27, 3);
        assert_noop!(release(GATEWAY, 11), Error::<Test>::StillHeldBack);
        at(28, 0);
        assert_ok!(release(GATEWAY, 11));
        world(|world| world.quality = Score(500_000));
        assert_ok!(release(CACHE, 21));
    });
}

/// The customers' money was released when seven epochs had begun; that twenty may be unsettled now brings nothing back.
#[test]
fn a_vote_revives_no_commitment_that_lapsed() {
    run(|| {
        let trees = committed();
        at(17, 0);
        world(|world| world.services.clear());
        assert_ok!(send(1, Call::close {}));
        UnsettledEpochs::set(20);
        assert_ok!(send(5, settle(&trees, 0, 64)));
        assert_eq!(void_reason(&trees), Some(VoidReason::Overdue));
        // Nor may one be made for that epoch.
        let late = commit_call(commitment(&usual(RIVAL, 10)));
        assert_noop!(
            dispatch(RawOrigin::Authorized.into(), late),
            Error::<Test>::CommitmentTooLate
        );
    });
    // Whose money is reserved still can be settled for longer.
    run(|| {
        let trees = committed();
        UnsettledEpochs::set(20);
        at(17, 0);
        assert_ok!(send(5, settle(&trees, 0, 64)));
        assert_eq!(void_reason(&trees), None);
    });
}
