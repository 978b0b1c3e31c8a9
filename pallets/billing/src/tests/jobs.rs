use super::*;
use pallet_edge_traits::{Job, Settlement};

fn jobs(limit: u32) -> Vec<Job> {
    Billing::jobs(&GATEWAY, limit)
}

#[test]
fn follows_a_commitment_through_its_life() {
    run(|| {
        network();
        let trees = usual(GATEWAY, 10);
        at(11, 0);
        assert_eq!(jobs(1), [Job::Commit(Epoch(10))]);
        commit(&trees);
        assert_eq!(Billing::committed(&GATEWAY), [Epoch(10)]);
        let of_epoch = || {
            jobs(64)
                .into_iter()
                .find(|job| !matches!(job, Job::Commit(_)))
        };
        assert_eq!(of_epoch(), None);
        at(11, 2);
        assert_eq!(of_epoch(), Some(Job::Settle(Epoch(10), 0)));
        assert_ok!(send(5, settle(&trees, 0, 1)));
        assert_eq!(of_epoch(), Some(Job::Settle(Epoch(10), 1)));
        assert_ok!(send(5, settle(&trees, 1, 1)));
        assert_eq!(of_epoch(), Some(Job::Credit(Epoch(10), 0)));
        assert_ok!(send(5, credit(&trees, 0, 2)));
        assert_eq!(of_epoch(), Some(Job::Credit(Epoch(10), 2)));
        assert_ok!(send(5, credit(&trees, 2, 1)));
        assert_eq!(of_epoch(), None);
        at(13, 0);
        assert_eq!(of_epoch(), Some(Job::Credit(Epoch(10), 0)));
        assert_ok!(send(5, credit(&trees, 0, 64)));
        assert_eq!(of_epoch(), None);
        assert_eq!(Billing::committed(&GATEWAY), []);
    });
}

#[test]
fn names_every_step_that_a_call_accepts() {
    run(|| {
        let trees = settled();
        let void = Call::void {
            gateway: GATEWAY,
            epoch: Epoch(10),
            reason: VoidReason::Ruled,
        };
        assert_ok!(dispatch(root(), void));
        assert!(jobs(64).contains(&Job::Refund(Epoch(10), 0)));
        assert_ok!(send(5, refund(&trees, 0, 1)));
        assert!(jobs(64).contains(&Job::Refund(Epoch(10), 1)));
    });
    // What is overdue can be ended.
    run(|| {
        committed();
        at(17, 0);
        assert!(jobs(64).contains(&Job::Settle(Epoch(10), 0)));
    });
}

#[test]
fn offers_epochs_that_can_still_be_committed_the_newest_first() {
    run(|| {
        network();
        at(12, 1);
        let commits = [11, 10, 9, 8].map(|epoch| Job::Commit(Epoch(epoch)));
        assert_eq!(jobs(64), commits);
        at(12, 2);
        assert_eq!(jobs(64), commits[..3]);
        assert_eq!(jobs(2), commits[..2]);
        assert_eq!(jobs(0), []);
        assert_eq!(Billing::jobs(&CACHE, 64), []);
    });
}

/// Epochs without use are never committed, and data of an old one may be lost; neither hides the
/// rest.
#[test]
fn lets_no_job_starve_another() {
    run(|| {
        network();
        for epoch in 10..14 {
            at(epoch + 1, 0);
            commit(&usual(GATEWAY, epoch));
        }
        at(15, 2);
        let mut seen = std::collections::BTreeSet::new();
        for block in 1..=8 {
            System::set_block_number(block);
            let jobs = jobs(2);
            assert!(jobs.contains(&Job::Commit(Epoch(14))), "block {block}");
            for job in jobs {
                if let Job::Settle(epoch, _) = job {
                    seen.insert(epoch.0);
                }
            }
        }
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [10, 11, 12, 13]);
    });
}

#[test]
fn knows_what_is_done() {
    run(|| {
        network();
        // In the first quarter of 11, epoch 7 can still be committed.
        at(11, 1);
        assert_eq!(Billing::done_through(&GATEWAY), Some(Epoch(6)));
        at(11, 2);
        assert_eq!(Billing::done_through(&GATEWAY), Some(Epoch(7)));
        let trees = usual(GATEWAY, 10);
        at(11, 0);
        commit(&trees);
        at(16, 2);
        assert_eq!(Billing::done_through(&GATEWAY), Some(Epoch(9)));
        assert_ok!(send(5, settle(&trees, 0, 64)));
        assert_ok!(send(5, credit(&trees, 0, 64)));
        at(18, 2);
        assert_ok!(send(5, credit(&trees, 0, 64)));
        assert_eq!(Billing::done_through(&GATEWAY), Some(Epoch(14)));
        // Only here does the clock go back.
        crate::Reserved::<Test>::kill();
        at(3, 0);
        assert_eq!(Billing::done_through(&GATEWAY), None);
        assert_eq!(jobs(64).len(), 3);
        at(0, 0);
        assert_eq!(jobs(64), []);
    });
}
