use super::*;
use crate::{ClearFrom, EpochBooks, InvoiceLines, WeightInfo};
use frame_support::{traits::Hooks, weights::Weight};

fn idle(remaining: Weight) -> Weight {
    Billing::on_idle(1, remaining)
}

const MUCH: Weight = Weight::MAX;

#[test]
fn clears_what_is_old_and_final() {
    run(|| {
        credited();
        at(30, 0);
        idle(MUCH);
        assert!(
            EpochBooks::<Test>::contains_key(Epoch(10)),
            "kept for 20 epochs"
        );
        at(31, 0);
        idle(MUCH);
        assert_eq!(EpochBooks::<Test>::iter().count(), 0);
        assert_eq!(Commitments::<Test>::iter().count(), 0);
        assert_eq!(InvoiceLines::<Test>::iter().count(), 0);
        // The totals remember.
        assert_eq!(crate::RunningTotals::<Test>::get().books.charged, 449);
    });
}

#[test]
fn waits_for_an_open_commitment_and_comes_back_to_it() {
    run(|| {
        let trees = settled();
        assert_ok!(send(5, credit(&trees, 0, 64)));
        at(100, 0);
        idle(MUCH);
        assert_eq!(ClearFrom::<Test>::get(), Epoch(80));
        assert_eq!(
            status(&trees),
            Status::HeldBack {
                matures: Epoch(13),
                checked: 3
            }
        );
        assert_ok!(send(5, credit(&trees, 0, 64)));
        assert_eq!(ClearFrom::<Test>::get(), Epoch(10));
        idle(MUCH);
        assert_eq!(Billing::commitment(&GATEWAY, Epoch(10)), None);
        assert_eq!(ClearFrom::<Test>::get(), Epoch(80));
    });
}

/// The books hold at every step of a clearing that is cut short again and again.
#[test]
fn goes_on_where_the_weight_ended() {
    run(|| {
        network();
        for service in 0..40 {
            serve(service, 1, 100);
        }
        assert_ok!(send(1, deposit(100_000)));
        let used: Vec<_> = (0..40).map(|service| Used(1, service, CACHE, 10)).collect();
        let trees = trees(GATEWAY, 10, &used);
        at(11, 0);
        commit(&trees);
        at(11, 2);
        assert_ok!(send(5, settle(&trees, 0, 64)));
        at(13, 0);
        assert_ok!(send(5, credit(&trees, 0, 64)));
        at(60, 0);
        let mut rounds = 0;
        while ClearFrom::<Test>::get() < Epoch(40) {
            // A few epochs without use, or one of three batches.
            let batches = <()>::clear_batch(16).saturating_add(<()>::pay_referrals(16));
            let limit = batches.saturating_add(<()>::clear_step().saturating_mul(4));
            let used = idle(limit);
            assert!(used.all_lte(limit));
            assert_eq!(Billing::check_invariants(), Ok(()));
            rounds += 1;
            assert!(rounds < 50, "clearing makes no headway");
        }
        assert!(rounds > 3);
        assert_eq!(InvoiceLines::<Test>::iter().count(), 0);
    });
}

#[test]
fn does_nothing_without_weight() {
    run(|| {
        credited();
        at(60, 0);
        assert_eq!(idle(Weight::zero()), Weight::zero());
        assert!(EpochBooks::<Test>::contains_key(Epoch(10)));
    });
}
