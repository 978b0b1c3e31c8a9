//! Dead, slow, lying and foreign daemons: the worker stays within its time, sends nothing, and
//! serves the others.

use super::*;
use crate::mock::net::Handler;
use selvedge_primitives_types::Role;
use sp_core::offchain::Timestamp;

/// Drives a bad daemon beside a good one and checks that the good one is served in time.
fn beside(bad: Handler) {
    run(|net| {
        set_jobs(&[Job::Commit(Epoch(6))]);
        net.serve(&endpoint(1), bad);
        plain(&net, 2);
        net.list(&[endpoint(1), endpoint(2)]);
        // Block 2 begins with daemon 1.
        work(2);
        assert!(net.now() <= longest(), "took {} ms", net.now());
        let served = net.take_requests();
        let good = served
            .iter()
            .filter(|request| request.url.contains(":9802/"))
            .count();
        assert_eq!(good, 2, "status and config of the good one");
        assert!(take_sent().is_empty());
    });
}

fn answering(answer: impl Fn() -> Option<Answer> + Send + 'static) -> Handler {
    Box::new(move |_| answer())
}

#[test]
fn a_dead_daemon() {
    beside(answering(|| None));
}

#[test]
fn a_daemon_nobody_listens_for() {
    run(|net| {
        plain(&net, 2);
        net.list(&[endpoint(1), endpoint(2)]);
        work(2);
        assert_eq!(take_deltas(&net).len(), 1);
    });
}

#[test]
fn a_slow_daemon() {
    beside(answering(|| {
        Answer::ok(0u8).map(|answer| Answer {
            after: 60_000,
            ..answer
        })
    }));
}

#[test]
fn a_daemon_that_drips() {
    // Each byte comes in time; all of them never do.
    let drips = |after| Answer {
        per_chunk: after,
        chunk: 1,
        ..Answer::ok([0u8; 4_096]).unwrap()
    };
    beside(answering(move || Some(drips(7))));
    beside(answering(move || Some(drips(399))));
}

#[test]
fn a_daemon_that_never_ends() {
    let endless = || {
        Some(Answer {
            body: vec![7; 3 * MAX_MESSAGE],
            ..Answer::ok(()).unwrap()
        })
    };
    beside(answering(endless));
    run(|net| {
        net.serve(&endpoint(1), answering(endless));
        net.list(&[endpoint(1)]);
        work(1);
        let read = net.bytes_read();
        assert!(
            (MAX_MESSAGE..MAX_MESSAGE + 100_000).contains(&read),
            "read {read} bytes"
        );
    });
}

#[test]
fn a_daemon_that_talks_garbage() {
    for garbage in [vec![], vec![0xff; 40], vec![7; MAX_MESSAGE]] {
        beside(answering(move || {
            Some(Answer {
                body: garbage.clone(),
                ..Answer::ok(()).unwrap()
            })
        }));
    }
    // A good answer with something behind it is none.
    let status = AgentStatus {
        device: device(1),
        role: Role::Gateway,
        versions: Default::default(),
        closed: vec![],
    };
    beside(answering(move || Answer::ok((status.clone(), 0u8))));
}

#[test]
fn a_daemon_that_answers_as_another_device() {
    beside(good(device(3), vec![Epoch(6)], |_| Answer::status(404)));
}

#[test]
fn a_daemon_with_another_status_code() {
    for code in [100, 204, 301, 403, 404, 500, 599] {
        beside(answering(move || Answer::status(code)));
    }
}

#[test]
fn a_wrong_token_is_refused_by_the_daemon() {
    run(|net| {
        plain(&net, 1);
        let wrong = AgentEndpoint {
            token: b"another".to_vec(),
            ..endpoint(1)
        };
        net.list(&[wrong]);
        work(1);
        assert_eq!(net.take_lines(), ["GET control/v1/status"]);
    });
}

#[test]
fn endpoints_that_are_no_text_or_no_url_are_skipped() {
    run(|net| {
        plain(&net, 4);
        net.list(&[
            AgentEndpoint {
                url: vec![0xff, 0xfe],
                ..endpoint(1)
            },
            AgentEndpoint {
                url: b"not a url".to_vec(),
                ..endpoint(2)
            },
            AgentEndpoint {
                token: b"line\nbreak".to_vec(),
                ..endpoint(3)
            },
            endpoint(4),
        ]);
        work(4);
        assert_eq!(take_deltas(&net).len(), 1);
    });
}

#[test]
fn a_damaged_list_drives_nobody() {
    run(|net| {
        net.store(AGENTS_STORAGE_KEY, &[0xff; 7]);
        work(1);
        assert!(net.take_requests().is_empty());
    });
}

#[test]
fn only_registered_devices_with_this_nodes_key_are_driven() {
    run(|net| {
        plain(&net, 1);
        net.list(&[endpoint(1)]);
        set_registered(false, KEY);
        work(1);
        set_registered(true, [8; 32]);
        work(2);
        assert!(net.take_requests().is_empty());
        set_registered(true, KEY);
        work(3);
        assert_eq!(net.take_requests().len(), 2);
    });
}

#[test]
fn a_held_lock_is_respected_until_it_expires_and_left_open_afterwards() {
    run(|net| {
        plain(&net, 1);
        net.list(&[endpoint(1)]);
        let key = [b"selvedge::lock::", &device(1).0[..]].concat();
        net.store(&key, &Timestamp::from_unix_millis(2 * longest()).encode());
        work(1);
        assert!(
            net.take_requests().is_empty(),
            "an earlier block's worker is at it"
        );
        net.pass(2 * longest() + 1);
        work(2);
        assert_eq!(net.take_requests().len(), 2);
        assert_eq!(net.stored(&key), None);
        work(3);
        assert_eq!(net.take_requests().len(), 2);
    });
}

#[test]
fn slow_daemons_share_the_time_and_everyone_has_a_turn() {
    run(|net| {
        let endpoints: Vec<_> = (1..=6).map(endpoint).collect();
        for (n, one) in (1..=6).zip(&endpoints) {
            if n == 6 {
                plain(&net, n);
            } else {
                net.serve(
                    one,
                    Box::new(|_| Answer::ok(0u8).map(|a| Answer { after: 9_000, ..a })),
                );
            }
        }
        net.list(&endpoints);
        let mut served = 0;
        for block in 0..6 {
            let before = net.now();
            work(block);
            assert!(net.now() - before <= longest());
            let requests = net.take_requests();
            let good = requests
                .iter()
                .filter(|one| one.url.contains(":9806/"))
                .count();
            assert_eq!(
                requests.len() - good,
                3,
                "nobody is asked once the time is up"
            );
            served += usize::from(good > 0);
        }
        // Three slow ones use up a block; in the other three blocks the good one comes early
        // enough.
        assert_eq!(served, 3);
    });
}

#[test]
fn no_more_daemons_are_driven_than_a_node_may_have() {
    run(|net| {
        let endpoints: Vec<_> = (0..100).map(endpoint).collect();
        for n in 0..100 {
            plain(&net, n);
        }
        net.list(&endpoints);
        work(0);
        assert_eq!(take_deltas(&net).len(), 64);
    });
}
