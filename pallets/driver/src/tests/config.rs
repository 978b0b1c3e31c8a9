//! What is pushed.

use super::*;
use crate::ConfigView;

#[test]
fn the_first_delta_has_everything_and_the_next_only_the_clock() {
    run(|net| {
        plain(&net, 1);
        net.list(&[endpoint(1)]);
        work(1);
        let delta = take_deltas(&net).remove(0);
        assert_eq!(delta.block.number, 1);
        assert_eq!(delta.clock, Chain::clock());
        assert_eq!(delta.nodes, Some(Chain::nodes()));
        assert_eq!(delta.services, Some(Chain::services(&device(1), EPOCH)));
        assert_eq!(delta.prices, Some(Chain::prices()));
        assert_eq!(delta.committed, [Epoch(5)]);
        assert_eq!(delta.done_through, Some(Epoch(4)));
        let digest = sp_io::hashing::blake2_256(&Chain::nodes().encode());
        assert_eq!(delta.versions.nodes, digest);

        work(2);
        let delta = take_deltas(&net).remove(0);
        assert_eq!(delta.block.number, 2);
        assert_eq!(
            (delta.nodes, delta.services, delta.prices),
            (None, None, None)
        );
        assert_eq!(delta.versions.nodes, digest);
    });
}

#[test]
fn only_the_section_that_changed_is_sent_again() {
    run(|net| {
        plain(&net, 1);
        net.list(&[endpoint(1)]);
        work(1);
        take_deltas(&net);
        set_lease(501);
        work(2);
        let delta = take_deltas(&net).remove(0);
        assert!(delta.nodes.is_none() && delta.prices.is_none());
        assert_eq!(delta.services.unwrap()[0].lease, 501);
    });
}

#[test]
fn each_daemon_gets_its_own_services() {
    run(|net| {
        plain(&net, 1);
        plain(&net, 2);
        net.list(&[endpoint(1), endpoint(2)]);
        work(2);
        let ids: Vec<_> = take_deltas(&net)
            .into_iter()
            .map(|delta| delta.services.unwrap()[0].id.0)
            .collect();
        assert_eq!(ids, [1, 2]);
    });
}

#[test]
fn the_parent_of_the_block_is_named() {
    run(|net| {
        plain(&net, 1);
        net.list(&[endpoint(1)]);
        let parent = sp_core::H256::repeat_byte(5);
        System::initialize(&1, &parent, &Default::default());
        work(1);
        assert_eq!(
            take_deltas(&net).remove(0).block,
            BlockRef {
                number: 1,
                parent: [5; 32]
            }
        );
    });
}

#[test]
fn without_daemons_nothing_is_read_or_asked() {
    run(|net| {
        work(1);
        net.list(&[]);
        work(2);
        assert!(net.take_requests().is_empty());
    });
}

#[test]
fn what_has_no_room_beside_the_services_comes_with_the_next_block() {
    run(|net| {
        plain(&net, 1);
        net.list(&[endpoint(1)]);
        const LONG: usize = 1_000_000;
        set_host_len(LONG);
        work(1);
        let mut all = take_deltas(&net).remove(0);
        all.nodes = None;
        let longest = MAX_MESSAGE - (all.encoded_size() - LONG);

        plain(&net, 2);
        net.list(&[endpoint(2)]);
        set_host_len(longest);
        work(2);
        let delta = take_deltas(&net).remove(0);
        assert_eq!(delta.encoded_size(), MAX_MESSAGE);
        assert!(delta.nodes.is_none() && delta.prices.is_some());
        assert_eq!(delta.services.unwrap()[0].hosts[0].len(), longest);
        assert_eq!(delta.versions.nodes, [0; 32], "the daemon has none");
        work(3);
        let delta = take_deltas(&net).remove(0);
        assert_eq!(delta.nodes, Some(Chain::nodes()));
        assert_eq!((delta.services, delta.prices), (None, None));
        work(4);
        assert!(take_deltas(&net).remove(0).nodes.is_none());
    });
}

#[test]
fn a_config_beyond_the_longest_message_is_not_pushed_but_work_goes_on() {
    run(|net| {
        set_host_len(MAX_MESSAGE);
        set_jobs(&[Job::Commit(Epoch(6))]);
        net.serve(
            &endpoint(1),
            good(device(1), vec![Epoch(6)], |_| Answer::status(404)),
        );
        net.list(&[endpoint(1)]);
        work(1);
        let lines = net.take_lines();
        assert_eq!(
            lines,
            ["GET control/v1/status", "GET control/v1/commitment/6"]
        );
    });
}
