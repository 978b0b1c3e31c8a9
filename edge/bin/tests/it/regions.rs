//! Several regions, each with gateways and caches of its own, and one origin fetch for all of them.

use crate::invalidation::{assert_version, change};
use crate::PROGRAM;
use selvedge_edge_tools_testkit::{content, wait_for, Ask, Net, Plan, Settings};
use selvedge_primitives_types::Region;

const FOREVER: &str = "cc=max-age=600";

/// Four gateways and four caches, the even ones in one region and the odd ones in another.
async fn two_regions(gateway: Settings) -> Net {
    let plan = Plan {
        gateways: 4,
        caches: 4,
        gateway,
        ..Plan::default()
    };
    let mut net = Net::start(PROGRAM, plan).await;
    let far = Region::parse("us").unwrap();
    for daemons in [&net.gateways, &net.caches] {
        let odd = daemons.iter().skip(1).step_by(2);
        for device in odd.map(|daemon| daemon.device()) {
            net.chain.node(device).region = far;
        }
    }
    net.push().await;
    net
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_region_fetched_serves_all() {
    let net = two_regions(Settings::default()).await;
    for page in 0..12 {
        // Short ones, one that is checked whole before it is sent, and one that is not.
        let length = [1, 900, 70_000, 700_000][page % 4];
        let target = format!("/page/{page}?len={length}&{FOREVER}");
        for number in 0..4 {
            let answer = net.visitor((page + number) % 4).get(&target).await;
            assert_eq!(answer.status, 200);
            assert!(answer.body == content(&target), "{target}");
            net.landed().await;
        }
        assert_eq!(net.origin.count(&target), 1, "{target}");
    }
    for gateway in &net.gateways {
        let faults = gateway.metrics().await;
        let faults = faults.sum("selvedge_gateway_cache_faults_total", &[]);
        assert_eq!(faults, 0.0, "{}", gateway.log());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_miss_at_once_in_two_regions_are_one_fetch() {
    const EACH: usize = 25;
    let net = two_regions(Settings::default()).await;
    for round in 0..4 {
        let target = format!("/crowd/{round}?len=300000&hold=head{round}&{FOREVER}");
        let mut asking = Vec::new();
        for number in 0..4 * EACH {
            let (visitor, target) = (net.visitor(number % 4), target.clone());
            asking.push(tokio::spawn(async move { visitor.get(&target).await }));
        }
        wait_for("every request", || async {
            let mut running = 0.0;
            for gateway in &net.gateways {
                let metrics = gateway.metrics().await;
                running += metrics.gauge("selvedge_gateway_running_requests");
            }
            (running == 4.0 * EACH as f64).then_some(())
        })
        .await;
        net.origin.open(&format!("head{round}"));
        for answer in asking {
            let answer = answer.await.unwrap();
            assert_eq!(answer.status, 200);
            assert!(answer.body == content(&target));
        }
        assert_eq!(net.origin.count(&target), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_has_a_copy_of_its_own_of_what_it_asked_for() {
    // Without memory at the gateways, so that caches have to answer.
    let settings = Settings::default().set("gateway.memory_mib", 0);
    let mut net = two_regions(settings).await;
    let targets: Vec<_> = (0..8)
        .map(|page| format!("/page/{page}?len=30000&{FOREVER}"))
        .collect();
    for target in &targets {
        for gateway in [0, 1] {
            assert_eq!(net.visitor(gateway).get(target).await.status, 200);
            net.landed().await;
        }
    }
    for cache in [0, 2] {
        net.caches[cache].kill().await;
    }
    for target in &targets {
        let answer = net.visitor(3).get(target).await;
        assert_eq!(answer.status, 200);
        assert!(answer.body == content(target));
        assert_eq!(net.origin.count(target), 1, "{target}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_serves_when_the_other_is_gone() {
    let mut net = two_regions(Settings::default()).await;
    for node in [0, 2] {
        net.caches[node].kill().await;
    }
    for page in 0..8 {
        let target = format!("/alone/{page}?len=5000&{FOREVER}");
        for gateway in [1, 3] {
            let answer = net.visitor(gateway).get(&target).await;
            assert_eq!(answer.status, 200);
            assert!(answer.body == content(&target));
            net.gateways[gateway].metrics().await;
        }
        assert_eq!(net.origin.count(&target), 1, "{target}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_for_sharing_is_not_waited_for_in_any_region() {
    let net = two_regions(Settings::default()).await;
    let target = "/mine?len=500&cc=private";
    for round in 0..3 {
        for gateway in 0..4 {
            let answer = net.visitor(gateway).get(target).await;
            assert_eq!(answer.status, 200);
            assert!(answer.body == content(target));
        }
        assert_eq!(net.origin.count(target), 4 * (round + 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_in_one_region_is_new_in_the_other() {
    let net = two_regions(Settings::default()).await;
    let targets: Vec<_> = (0..6)
        .map(|page| format!("/changed/{page}?len=900&{FOREVER}"))
        .collect();
    for target in &targets {
        assert_version(&net, target, 1, "before").await;
    }
    net.origin.publish(2);
    for (page, target) in targets.iter().enumerate() {
        change(&net, page % 4, target).await;
        assert_version(&net, target, 2, "changed").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_is_asked_for_first_does_not_keep_a_region_waiting() {
    let net = two_regions(Settings::default()).await;
    for page in 0..6 {
        let target = format!("/part/{page}?len=90000&{FOREVER}");
        let whole = content(&target);
        assert_eq!(net.visitor(0).get(&target).await.status, 200);
        net.landed().await;
        for gateway in [1, 3] {
            let ask = Ask::get(&target).field("range", "bytes=10-19");
            let answer = net.visitor(gateway).ask(ask).await.unwrap();
            assert_eq!(answer.status, 206);
            assert!(answer.body == whole[10..20]);
            net.landed().await;
        }
        let answer = net.visitor(3).get(&target).await;
        assert!(answer.body == whole);
        assert_eq!(net.origin.count(&target), 1, "{target}");
    }
}
