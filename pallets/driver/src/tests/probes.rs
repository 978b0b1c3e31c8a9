//! Nodes that a gateway was drawn to probe.

use super::*;
use selvedge_primitives_types::{Millis, Probe, ProbeReport};

/// Nodes 3 and 5 are to be probed, and reports are taken in so many milliseconds.
fn duty(within: u64) {
    set_duty(&[device(3), device(5)]);
    set_elapsed(30_000 - within);
}

fn probe(n: u8) -> Probe {
    Probe {
        probed: device(n),
        answer: None,
        fetch: None,
    }
}

fn results(is_done: bool, nodes: &[u8]) -> ProbeResults {
    ProbeResults {
        epoch: EPOCH,
        is_done,
        probes: nodes.iter().map(|n| probe(*n)).collect(),
    }
}

/// A daemon that answers every order with the same.
fn daemon(net: &Net, results: ProbeResults) {
    let answer = move |request: &net::Request| {
        assert_eq!(request.path(), "control/v1/probes");
        let order = ProbeOrder::decode(&mut &request.body[..]).unwrap();
        let nodes = vec![device(3), device(5)];
        assert_eq!((order.epoch, order.nodes), (EPOCH, nodes));
        assert!(order.within < Millis(30_000));
        Answer::ok(results.clone())
    };
    net.serve(&endpoint(1), good(device(1), vec![], answer));
    net.list(&[endpoint(1)]);
}

fn orders(net: &Net) -> usize {
    let is_order = |line: &&String| line.contains("probes");
    net.take_lines().iter().filter(is_order).count()
}

#[test]
fn an_order_is_given_early_and_its_results_are_reported_late() {
    run(|net| {
        daemon(&net, results(true, &[3, 5]));
        duty(5_000);
        work(1);
        assert_eq!(orders(&net), 1);
        assert!(take_sent().is_empty(), "reports are not taken yet");
        duty(0);
        work(2);
        let report = ProbeReport {
            prober: device(1),
            epoch: EPOCH,
            probes: vec![probe(3), probe(5)],
        };
        assert_eq!(take_sent(), [Sent::Report(report)]);
        assert_eq!(orders(&net), 1);
        for block in 3..=6 {
            work(block);
        }
        assert!(take_sent().is_empty());
        assert_eq!(orders(&net), 0);
        // The chain still waits for it.
        work(7);
        assert_eq!(take_sent().len(), 1);
    });
}

#[test]
fn an_order_is_repeated_only_after_a_while() {
    run(|net| {
        daemon(&net, results(false, &[]));
        duty(20_000);
        for block in 1..=5 {
            work(block);
        }
        assert_eq!(orders(&net), 1);
        work(6);
        assert_eq!(orders(&net), 1, "a daemon that has restarted gets it again");
    });
}

#[test]
fn what_is_not_done_is_asked_for_again_in_the_next_block() {
    run(|net| {
        daemon(&net, results(false, &[3]));
        duty(0);
        work(1);
        work(2);
        assert!(take_sent().is_empty());
        assert_eq!(orders(&net), 2);
        daemon(&net, results(true, &[3]));
        work(3);
        assert_eq!(take_sent().len(), 1);
    });
}

#[test]
fn without_a_duty_the_daemon_is_not_asked_and_the_chain_seldom() {
    run(|net| {
        daemon(&net, results(true, &[3]));
        for block in 1..=5 {
            work(block);
        }
        assert_eq!(orders(&net), 0);
        assert_eq!(take_asked(), 1);
    });
}

#[test]
fn results_that_were_not_ordered_are_dropped() {
    let other = ProbeResults {
        epoch: Epoch(1),
        ..results(true, &[3])
    };
    let bad = [
        other,
        results(true, &[4]),
        results(true, &[5, 3]),
        results(true, &[3, 3]),
        results(true, &[]),
    ];
    for results in bad {
        run(|net| {
            daemon(&net, results);
            duty(0);
            work(1);
            assert!(take_sent().is_empty());
        });
    }
}

#[test]
fn a_silent_or_endless_daemon_costs_no_more_than_its_turn() {
    run(|net| {
        let answers = [
            Answer {
                after: 60_000,
                ..Answer::ok(results(true, &[3])).unwrap()
            },
            Answer {
                body: vec![0; 100 * 1024 * 1024],
                ..Answer::ok(()).unwrap()
            },
        ];
        for (block, answer) in (1..).zip(answers) {
            let answer = move |_: &net::Request| Some(answer.clone());
            net.serve(&endpoint(1), good(device(1), vec![], answer));
            plain(&net, 2);
            net.list(&[endpoint(1), endpoint(2)]);
            duty(0);
            let before = net.now();
            work(block);
            assert!(net.now() - before <= longest());
            assert_eq!(take_deltas(&net).len(), 2, "both have their config");
            assert!(take_sent().is_empty());
        }
    });
}
