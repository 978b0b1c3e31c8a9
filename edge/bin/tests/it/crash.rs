//! `kill -9` in mid-epoch: nothing is lost, and nothing counts twice.

use crate::{crowd::Crowd, net, PROGRAM};
use selvedge_edge_tools_testkit::{
    audit, chain::now, content, wait_for, Ask, Chain, Daemon, Net, Plan, Settings,
};
use selvedge_primitives_types::{agent::SectionVersions, Role};

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_gateway_goes_on_counting_where_it_was() {
    let mut net = net(1, 1).await;
    let (mut requests, mut octets) = (0, 0);
    for round in 0..3 {
        for page in 0..40 {
            let target = format!("/page/{page}?len={}&cc=max-age=600", 1_000 + page);
            let answer = net.visitor(0).get(&target).await;
            assert!(answer.body == content(&target));
            requests += 1;
            octets += answer.body.len() as u64;
        }
        net.gateways[0].kill().await;
        net.gateways[0].start_again().await;
        if round == 0 {
            // It serves on with the config it had, before the chain node has said a word.
            assert_eq!(
                net.visitor(0)
                    .get("/page/0?len=1000&cc=max-age=600")
                    .await
                    .status,
                200
            );
            requests += 1;
            octets += 1_000;
        }
    }
    let (genesis, prices) = (net.chain.genesis, net.chain.prices.prices);
    let (customer, service) = (net.site().customer, net.site().id);
    let books = net.roll().await.remove(0);
    assert_eq!((books.requests(), books.egress()), (requests, octets));
    let leaves = audit::leaves(&net.gateways[0], &books, customer, service, &prices).await;
    assert!(leaves
        .iter()
        .all(|leaf| leaf.body.cache.is_none() || audit::is_signed(leaf, &genesis)));
    // What was committed stays what it is.
    net.gateways[0].kill().await;
    net.gateways[0].start_again().await;
    let again = net
        .chain
        .books(&net.gateways[0], books.commitment.epoch)
        .await;
    assert_eq!(again.commitment, books.commitment);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_killed_in_mid_download_charges_no_more_than_arrived() {
    let mut net = net(1, 1).await;
    let target = "/long?len=30000000&pause=never&at=20000000&cc=max-age=600";
    let mut line = net.visitor(0).connect().await.unwrap();
    let mut download = line.begin(Ask::get(target)).await.unwrap();
    let read = download.at_least(6_000_000).await.unwrap().len() as u64;
    net.gateways[0].kill().await;
    let mut arrived = read;
    while let Ok(Some(data)) = download.next().await {
        arrived += data.len() as u64;
    }
    net.gateways[0].start_again().await;
    let books = net.roll().await.remove(0);
    assert_eq!(books.requests(), 1);
    assert!(books.egress() <= arrived, "{} of {arrived}", books.egress());
    assert!(books.egress() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_killed_under_load_loses_no_request_that_was_served() {
    const VISITORS: u64 = 8;
    let mut net = net(1, 1).await;
    let (mut requests, mut octets) = (0, 0);
    for _ in 0..3 {
        let crowd = Crowd::start((0..VISITORS).map(|_| net.visitor(0)).collect());
        crowd.served(300).await;
        net.gateways[0].kill().await;
        let received = crowd.end().await;
        assert!(received.failed > 0);
        requests += received.requests;
        octets += received.octets;
        net.gateways[0].start_again().await;
    }
    let books = net.roll().await.remove(0);
    // What was counted and had not arrived is at most one request of each visitor and kill.
    let (most, in_flight) = (requests + 3 * VISITORS, 3 * VISITORS * 5_000);
    assert!(
        (requests..=most).contains(&books.requests()),
        "{} {requests}",
        books.requests()
    );
    assert!(
        (octets..=octets + in_flight).contains(&books.egress()),
        "{} {octets}",
        books.egress()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_killed_when_long_responses_have_just_arrived_charges_all_of_them() {
    const LENGTH: u64 = 3_000_000;
    let mut net = net(1, 1).await;
    let target = format!("/long?len={LENGTH}&cc=max-age=600");
    let mut requests = 0;
    for _ in 0..5 {
        for _ in 0..4 {
            assert_eq!(net.visitor(0).get(&target).await.body.len() as u64, LENGTH);
            requests += 1;
        }
        net.gateways[0].kill().await;
        net.gateways[0].start_again().await;
    }
    let books = net.roll().await.remove(0);
    assert_eq!(
        (books.requests(), books.egress()),
        (requests, requests * LENGTH)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_notice_nothing_of_caches_that_are_killed_under_load() {
    // So little memory that nearly everything is asked of a cache.
    let plan = Plan {
        gateways: 2,
        caches: 2,
        gateway: Settings::default().set("gateway.memory_mib", 1),
        ..Plan::default()
    };
    let mut net = Net::start(PROGRAM, plan).await;
    let crowd = Crowd::start((0..8).map(|number| net.visitor(number % 2)).collect());
    for round in 0..6 {
        crowd.served(150).await;
        let cache = &mut net.caches[round % 2];
        cache.kill().await;
        crowd.served(50).await;
        net.caches[round % 2].start_again().await;
    }
    let received = crowd.end().await;
    assert_eq!(received.failed, 0);
    net.settle().await;
    let books = net.roll().await;
    assert_eq!(
        books.iter().map(|books| books.requests()).sum::<u64>(),
        received.requests
    );
    assert_eq!(
        books.iter().map(|books| books.egress()).sum::<u64>(),
        received.octets
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_cache_keeps_what_it_stored_and_whom_it_trusted() {
    let mut net = net(2, 1).await;
    let targets: Vec<_> = (0..30)
        .map(|page| format!("/page/{page}?len=20000&cc=max-age=600"))
        .collect();
    for target in &targets {
        assert_eq!(net.visitor(0).get(target).await.status, 200);
    }
    net.stored(targets.len()).await;
    net.caches[0].kill().await;
    net.caches[0].start_again().await;
    for target in &targets {
        assert!(
            net.visitor(1).get(target).await.body == content(target),
            "{target}"
        );
    }
    let metrics = net.gateways[1].metrics().await;
    let from_cache = metrics.sum("selvedge_gateway_requests_total", &[("source", "cache")]);
    let fetched = targets
        .iter()
        .filter(|target| net.origin.count(target) > 1)
        .count();
    // A gateway may find its line to the cache broken, once, and goes to the origin then.
    assert!(
        fetched <= 1 && from_cache >= (targets.len() - 1) as f64,
        "{fetched} {from_cache}"
    );

    let (genesis, prices) = (net.chain.genesis, net.chain.prices.prices);
    let (customer, service) = (net.site().customer, net.site().id);
    let books = net.roll().await;
    assert_eq!(
        books.iter().map(|books| books.requests()).sum::<u64>(),
        2 * targets.len() as u64
    );
    for (gateway, books) in net.gateways.iter().zip(&books) {
        let leaves = audit::leaves(gateway, books, customer, service, &prices).await;
        for leaf in leaves.iter().filter(|leaf| !leaf.body.cache.is_none()) {
            assert!(audit::is_signed(leaf, &genesis), "{leaf:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_are_served_while_a_cache_is_dead() {
    let mut net = net(2, 2).await;
    net.caches[0].kill().await;
    let mut octets = 0;
    for page in 0..40 {
        let target = format!("/page/{page}?len=3000&cc=max-age=600");
        let answer = net.visitor(page % 2).get(&target).await;
        assert!(answer.status == 200 && answer.body == content(&target));
        octets += answer.body.len() as u64;
    }
    // Without its signature the leaves of the dead one stay unsigned, and the epoch closes all the
    // same.
    let epoch = net.chain.epoch;
    net.chain.roll();
    let mut committed = 0;
    for gateway in &net.gateways {
        net.chain.push(gateway).await;
        committed += net.chain.books(gateway, epoch).await.egress();
    }
    assert_eq!(committed, octets);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_was_away_too_long_waits_for_its_chain_node() {
    let mut net = net(1, 1).await;
    net.chain.roll();
    let mut delta = net.chain.delta(&SectionVersions::default());
    delta.clock.epoch_length.0 = 500;
    net.gateways[0].control().configure(&delta).await.unwrap();
    net.gateways[0].kill().await;
    let too_long = delta.clock.epoch_start.0 + 2 * delta.clock.epoch_length.0;
    wait_for("two epochs", || async {
        (now().0 >= too_long).then_some(())
    })
    .await;
    net.gateways[0].start_again().await;
    assert_eq!(net.gateways[0].admin().get("/readyz").await.status, 503);
    assert_eq!(net.visitor(0).get("/page").await.reason(), "not-ready");
    net.push().await;
    assert_eq!(net.visitor(0).get("/page").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_config_that_was_half_written_is_as_none() {
    let mut net = net(1, 1).await;
    for daemon in [&mut net.gateways[0], &mut net.caches[0]] {
        daemon.kill().await;
        let file = daemon.folder().join("state/chain.scale");
        let whole = std::fs::read(&file).unwrap();
        std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
        daemon.start_again().await;
        assert_eq!(daemon.admin().get("/readyz").await.status, 503);
    }
    net.push().await;
    assert_eq!(net.visitor(0).get("/page").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_daemons_never_share_a_state_folder() {
    for role in [Role::Gateway, Role::Cache] {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state").display().to_string();
        let settings = Settings::default().set("state_dir", state);
        let program = PROGRAM.as_ref();
        let mut first = Daemon::new(program, folder.path(), "first", role, 1, &settings);
        first.start().await;
        let second = Daemon::new(program, folder.path(), "second", role, 1, &settings);
        let (status, said) = second.refuse().await;
        assert!(!status.success());
        assert!(said.contains("error:") && said.contains("state"), "{said}");
        assert!(
            first.admin().get("/healthz").await.status == 200,
            "the first goes on"
        );
        // Nor does a folder change its device, once it counts for one.
        let mut chain = Chain::new();
        chain.register(&first);
        chain.push(&first).await;
        first.kill().await;
        let other = Daemon::new(program, folder.path(), "other", role, 9, &settings);
        let (status, said) = other.refuse().await;
        assert!(
            !status.success() && said.contains("another device"),
            "{said}"
        );
        first.start().await;
    }
}
