//! Commitments and pages, from real trees.

use super::*;
use pallet_edge_traits::HostKeccak;
use selvedge_primitives_math::{TreeKind, UsageTrees};
use selvedge_primitives_types::{
    Account, Leaf, LeafBody, ServiceId, Slice, Usage, UsageClass, UsageCommitment,
};

/// Trees of a gateway's epoch with 70 customers.
fn trees(gateway: u8, epoch: u64) -> UsageTrees {
    let leaf = |n: u8| Leaf {
        body: LeafBody {
            gateway: device(gateway),
            epoch: Epoch(epoch),
            customer: Account([n; 32]),
            service: ServiceId(u64::from(n)),
            slice: Slice(3),
            price_version: 1,
            paid: Usage::ZERO.with(UsageClass::Requests, 5),
            amount: 5,
            ..Default::default()
        },
        ..Default::default()
    };
    UsageTrees::build::<HostKeccak>((1..=70).map(leaf).collect()).unwrap()
}

fn commitment(gateway: u8, epoch: u64) -> UsageCommitment {
    trees(gateway, epoch).commitment(device(gateway), Epoch(epoch))
}

fn page(kind: TreeKind, cursor: u32, length: u32) -> crate::EntryPage {
    let trees = trees(1, 5);
    let range = cursor as usize..(cursor + length) as usize;
    let entries = trees.entries(kind)[range].to_vec();
    (
        entries,
        trees.prove_entries::<HostKeccak>(kind, cursor, length),
    )
}

/// A good daemon of device 1 that closed epochs 5 and 6.
fn daemon(net: &Net) {
    let answer = |request: &net::Request| match request.path() {
        "control/v1/commitment/6" => Answer::ok(commitment(1, 6)),
        "control/v1/settle/5/0" => Answer::ok(page(TreeKind::Customers, 0, 64)),
        "control/v1/settle/5/64" => Answer::ok(page(TreeKind::Customers, 64, 6)),
        "control/v1/credit/5/0" => Answer::ok(page(TreeKind::Caches, 0, 1)),
        _ => Answer::status(404),
    };
    net.serve(
        &endpoint(1),
        good(device(1), vec![Epoch(5), Epoch(6)], answer),
    );
    net.list(&[endpoint(1)]);
}

#[test]
fn a_closed_epoch_is_committed() {
    run(|net| {
        daemon(&net);
        set_jobs(&[Job::Commit(Epoch(6))]);
        work(1);
        assert_eq!(take_sent(), [Sent::Commit(Box::new(commitment(1, 6)))]);
        let lines = net.take_lines();
        let expected = [
            "GET control/v1/status",
            "POST control/v1/config",
            "GET control/v1/commitment/6",
        ];
        assert_eq!(lines, expected);
    });
}

#[test]
fn pages_are_settled_credited_and_refunded_from_the_cursor() {
    run(|net| {
        daemon(&net);
        let (device, epoch) = (device(1), Epoch(5));
        set_jobs(&[Job::Settle(epoch, 0)]);
        work(1);
        set_jobs(&[Job::Settle(epoch, 64)]);
        work(2);
        set_jobs(&[Job::Credit(epoch, 0)]);
        work(3);
        set_jobs(&[Job::Refund(epoch, 64)]);
        work(4);
        let expected = [
            Sent::Settle(device, epoch, page(TreeKind::Customers, 0, 64)),
            Sent::Settle(device, epoch, page(TreeKind::Customers, 64, 6)),
            Sent::Credit(device, epoch, page(TreeKind::Caches, 0, 1)),
            Sent::Refund(device, epoch, page(TreeKind::Customers, 64, 6)),
        ];
        assert_eq!(take_sent(), expected);
    });
}

#[test]
fn nothing_is_sent_twice_until_it_may_be_lost() {
    run(|net| {
        daemon(&net);
        set_jobs(&[Job::Commit(Epoch(6)), Job::Settle(Epoch(5), 0)]);
        work(1);
        assert_eq!(take_sent().len(), 2);
        for block in 2..=5 {
            work(block);
            assert!(take_sent().is_empty(), "block {block}");
        }
        work(6);
        assert_eq!(take_sent().len(), 2);
    });
}

#[test]
fn a_reorganisation_to_a_lower_block_sends_nothing_twice() {
    run(|net| {
        daemon(&net);
        set_jobs(&[Job::Commit(Epoch(6))]);
        work(10);
        take_sent();
        work(8);
        assert!(take_sent().is_empty());
        // Far back, the transaction may be gone with its block.
        work(3);
        assert_eq!(take_sent().len(), 1);
    });
}

#[test]
fn what_is_remembered_does_not_grow() {
    run(|net| {
        daemon(&net);
        for block in 1..200 {
            set_jobs(&[Job::Settle(Epoch(5), 0), Job::Commit(Epoch(6))]);
            work(block);
        }
        let key = [b"selvedge::sent::", &device(1).0[..]].concat();
        assert!(net.stored(&key).unwrap().len() < 200);
    });
}

#[test]
fn what_the_chain_refuses_is_tried_again_only_after_a_while() {
    run(|net| {
        daemon(&net);
        set_jobs(&[Job::Commit(Epoch(6))]);
        set_refuses(true);
        work(1);
        set_refuses(false);
        work(2);
        assert!(take_sent().is_empty());
        work(6);
        assert_eq!(take_sent().len(), 1);
    });
}

#[test]
fn an_epoch_without_use_is_not_asked_for() {
    run(|net| {
        daemon(&net);
        set_jobs(&[Job::Commit(Epoch(4))]);
        work(1);
        assert_eq!(net.take_lines().len(), 2, "status and config");
    });
}

#[test]
fn a_full_list_of_closed_epochs_proves_nothing_about_the_others() {
    run(|net| {
        let closed: Vec<_> = (100..164).map(Epoch).collect();
        let answer = |_: &net::Request| Answer::ok(commitment(1, 6));
        net.serve(&endpoint(1), good(device(1), closed, answer));
        net.list(&[endpoint(1)]);
        set_jobs(&[Job::Commit(Epoch(6))]);
        work(1);
        assert_eq!(take_sent().len(), 1);
    });
}

#[test]
fn commitments_of_another_device_or_epoch_are_dropped() {
    for (gateway, epoch) in [(2, 6), (1, 5)] {
        run(|net| {
            let answer = move |_: &net::Request| Answer::ok(commitment(gateway, epoch));
            net.serve(&endpoint(1), good(device(1), vec![Epoch(6)], answer));
            net.list(&[endpoint(1)]);
            set_jobs(&[Job::Commit(Epoch(6))]);
            work(1);
            assert!(take_sent().is_empty());
        });
    }
}

#[test]
fn pages_that_are_empty_too_long_or_of_another_cursor_are_dropped() {
    let (entries, proof) = page(TreeKind::Customers, 0, 64);
    let long = [entries.clone(), entries.clone()].concat();
    let other = page(TreeKind::Customers, 64, 6);
    for answer in [(vec![], proof.clone()), (long, proof), other] {
        run(|net| {
            let answer = move |_: &net::Request| Answer::ok(answer.clone());
            net.serve(&endpoint(1), good(device(1), vec![Epoch(5)], answer));
            net.list(&[endpoint(1)]);
            set_jobs(&[Job::Settle(Epoch(5), 0)]);
            work(1);
            assert!(take_sent().is_empty());
        });
    }
}

#[test]
fn a_daemon_that_fails_one_job_is_asked_for_nothing_more_in_this_block() {
    run(|net| {
        let answer = |_: &net::Request| Answer::status(500);
        net.serve(&endpoint(1), good(device(1), vec![Epoch(6)], answer));
        net.list(&[endpoint(1)]);
        set_jobs(&[Job::Commit(Epoch(6)), Job::Settle(Epoch(5), 0)]);
        work(1);
        assert_eq!(net.take_lines().len(), 3, "status, config, one job");
        work(2);
        assert_eq!(net.take_lines().len(), 3, "and again with the next block");
    });
}

#[test]
fn a_daemon_that_has_nothing_yet_is_asked_again_with_the_next_block() {
    run(|net| {
        let mut asked = 0;
        let answer = move |_: &net::Request| {
            asked += 1;
            if asked < 3 {
                Answer::status(404)
            } else {
                Answer::ok(commitment(1, 6))
            }
        };
        net.serve(&endpoint(1), good(device(1), vec![Epoch(6)], answer));
        net.list(&[endpoint(1)]);
        set_jobs(&[Job::Commit(Epoch(6))]);
        for block in 1..=2 {
            work(block);
            assert!(take_sent().is_empty());
        }
        work(3);
        assert_eq!(take_sent(), [Sent::Commit(Box::new(commitment(1, 6)))]);
    });
}
