//! Host names that a gateway was drawn to look up.

use super::*;
use selvedge_primitives_types::{ServiceId, Signature64};

const EXPECTED: &[u8] = b"c0ffee";

fn due(count: u64) {
    set_due(
        (0..count)
            .map(|n| (ServiceId(n), host(n), EXPECTED.to_vec(), EPOCH))
            .collect(),
    );
}

fn host(n: u64) -> Vec<u8> {
    format!("h{n}.example.org").into_bytes()
}

/// A daemon that finds the record of every host name, or of none.
fn daemon(net: &Net, found: bool) {
    let answer = move |request: &net::Request| {
        assert_eq!(request.path(), "control/v1/host-check");
        let asked = HostCheckRequest::decode(&mut &request.body[..]).unwrap();
        assert_eq!((asked.expected, asked.epoch), (EXPECTED.to_vec(), EPOCH));
        Answer::ok(HostCheckAnswer {
            found,
            signature: Signature64([3; 64]),
        })
    };
    net.serve(&endpoint(1), good(device(1), vec![], answer));
    net.list(&[endpoint(1)]);
}

#[test]
fn a_find_is_brought_to_the_chain_once() {
    run(|net| {
        daemon(&net, true);
        due(1);
        work(1);
        let verdict = HostCheckVerdict {
            device: device(1),
            service: ServiceId(0),
            host: host(0),
            epoch: EPOCH,
            found: true,
        };
        assert_eq!(
            take_sent(),
            [Sent::AttestHost(verdict, Signature64([3; 64]))]
        );
        work(2);
        assert!(take_sent().is_empty());
    });
}

#[test]
fn a_missing_record_is_not_sent_and_looked_for_again_after_a_while() {
    run(|net| {
        daemon(&net, false);
        due(1);
        for block in 1..=6 {
            work(block);
        }
        assert!(take_sent().is_empty());
        let checks = net
            .take_lines()
            .iter()
            .filter(|line| line.contains("host-check"))
            .count();
        assert_eq!(checks, 2, "in blocks 1 and 6");
    });
}

#[test]
fn a_few_names_per_block_until_all_are_looked_up() {
    run(|net| {
        daemon(&net, true);
        due(5);
        let counts: Vec<_> = (1..=4)
            .map(|block| {
                work(block);
                take_sent().len()
            })
            .collect();
        assert_eq!(counts, [2, 2, 1, 0]);
    });
}

#[test]
fn a_daemon_that_cannot_look_up_is_left_alone() {
    run(|net| {
        net.serve(
            &endpoint(1),
            good(device(1), vec![], |_| Answer::status(500)),
        );
        net.list(&[endpoint(1)]);
        due(4);
        work(1);
        assert!(take_sent().is_empty());
        assert_eq!(net.take_lines().len(), 3, "status, config, one name");
    });
}

#[test]
fn a_slow_look_up_may_take_what_time_is_left_but_no_other_daemons_turn() {
    run(|net| {
        let slow = |after| {
            move |_: &net::Request| {
                let answer = HostCheckAnswer {
                    found: true,
                    signature: Signature64([3; 64]),
                };
                Answer::ok(answer).map(|answer| Answer { after, ..answer })
            }
        };
        // Longer than one exchange may take, and then longer than all of them.
        for (after, finds) in [(900, 1), (60_000, 0)] {
            net.serve(&endpoint(1), good(device(1), vec![], slow(after)));
            plain(&net, 2);
            net.list(&[endpoint(1), endpoint(2)]);
            set_due(vec![(
                ServiceId(after),
                host(after),
                EXPECTED.to_vec(),
                EPOCH,
            )]);
            let before = net.now();
            work(2);
            assert!(net.now() - before <= longest());
            assert_eq!(take_deltas(&net).len(), 2, "both have their config");
            assert_eq!(take_sent().len(), finds);
        }
    });
}
