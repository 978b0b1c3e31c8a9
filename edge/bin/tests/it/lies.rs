//! Caches that lie: nothing wrong ever leaves a gateway, and the liar is named.

use crate::net;
use selvedge_edge_tools_testkit::{
    content, device_key, device_of, wait_for, Answer, Ask, Client, Daemon, Liar, Lie, Net,
};
use selvedge_primitives_types::Role;

const LIAR: u8 = 200;
const DEAD_GATEWAY: u8 = 60;

/// A network in which a cache that may lie owns most keys.
struct Scene {
    net: Net,
    liar: Liar,
}

impl Scene {
    /// Two gateways; `honest` caches come after the liar.
    async fn start(honest: usize) -> Self {
        let mut net = net(2, honest).await;
        let liar = Liar::start(device_key(LIAR)).await;
        let address = liar.address().to_string();
        net.chain
            .register_node(liar.device(), Role::Cache, address, String::new());
        net.chain.node(liar.device()).capacity = u32::MAX;
        // Registered, and gone: whoever has its key can sign anything, but not for today.
        let dead = device_of(&device_key(DEAD_GATEWAY));
        net.chain
            .register_node(dead, Role::Gateway, "127.0.0.1:1".to_owned(), String::new());
        net.push().await;
        Self { net, liar }
    }

    /// Lets the first gateway fetch and seed the liar, who is still honest then.
    async fn seed(&self, target: &str) {
        self.liar.lie(Lie::None);
        assert!(self.net.visitor(0).get(target).await.body == content(target));
        let key = format!("http://site.test{target}");
        wait_for("the seed", || async { self.liar.has(&key).then_some(()) }).await;
    }

    /// A target that is the liar's.
    fn owned(&self, target: &str) -> String {
        self.net.chain.owned_by(self.liar.device(), target)
    }

    async fn faults(&self, gateway: &Daemon) -> f64 {
        let device = self.liar.device().to_string();
        let metrics = gateway.metrics().await;
        metrics.sum("selvedge_gateway_cache_faults_total", &[("cache", &device)])
    }

    /// Asks the second gateway while the liar lies.
    async fn ask(&self, lie: Lie, ask: Ask) -> anyhow::Result<Answer> {
        self.liar.lie(lie);
        let before = self.liar.lookups();
        let answer = self.net.visitor(1).ask(ask).await;
        assert!(self.liar.lookups() > before, "the liar was asked");
        answer
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_cache_learns_a_visitors_secrets() {
    let scene = Scene::start(0).await;
    let target = "/page?len=4000&cc=max-age=600";
    let ask = Ask::get(target)
        .field("cookie", "session=secret")
        .field("proxy-authorization", "Basic secret")
        .field("accept-language", "de");
    assert_eq!(scene.net.visitor(0).ask(ask).await.unwrap().status, 200);
    let asked = scene.liar.asked();
    assert!(!asked.is_empty());
    for (name, value) in asked.iter().flat_map(|request| &request.fields) {
        let (name, value) = (
            String::from_utf8_lossy(name),
            String::from_utf8_lossy(value),
        );
        assert!(!value.contains("secret"), "{name}: {value}");
    }
    // The origin is another matter: it set the cookie.
    assert_eq!(
        scene.net.origin.seen()[0].fields["cookie"],
        "session=secret"
    );
}

fn lies(scene: &Scene) -> Vec<Lie> {
    let genesis = scene.net.chain.genesis;
    let other = b"http://site.test/other?len=40000&cc=max-age=600".to_vec();
    vec![
        Lie::FirstBytes,
        Lie::LastBytes,
        Lie::Fields,
        Lie::Status,
        Lie::Signature,
        Lie::Body,
        Lie::OtherKey(other.clone()),
        Lie::Old(device_key(DEAD_GATEWAY), genesis),
        Lie::Stranger(device_key(61), genesis),
        // Signed for another network.
        Lie::Stranger(device_key(DEAD_GATEWAY), [0; 32]),
        Lie::EndsEarly,
        Lie::GoesOn,
        Lie::BytesFirst,
        Lie::FollowFields,
        Lie::FollowOtherKey(other),
        Lie::StaleFields,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_honest_answer_is_taken() {
    // What the other tests of this file do with a lie works without one.
    let scene = Scene::start(0).await;
    let target = "/page?len=40000&cc=max-age=600";
    scene.seed(target).await;
    let answer = scene.ask(Lie::None, Ask::get(target)).await.unwrap();
    assert!(answer.body == content(target));
    assert_eq!(scene.net.origin.count(target), 1, "from the cache");
    assert_eq!(scene.faults(&scene.net.gateways[1]).await, 0.0);
}

async fn no_lie_reaches_a_visitor(honest: usize) {
    let scene = Scene::start(honest).await;
    let other = scene.owned("/other?len=40000&cc=max-age=600");
    scene.seed(&other).await;
    for (number, lie) in lies(&scene).into_iter().enumerate() {
        let target = scene.owned(&format!("/page/{number}?len=40000&cc=max-age=600&etag=1"));
        scene.seed(&target).await;
        let before = scene.faults(&scene.net.gateways[1]).await;
        let answer = scene.ask(lie.clone(), Ask::get(&target)).await;
        let answer = answer.unwrap_or_else(|error| panic!("{lie:?}: {error:#}"));
        assert_eq!(answer.status, 200, "{lie:?}");
        assert!(answer.body == content(&target), "{lie:?}");
        assert!(answer.field("x-injected").is_empty(), "{lie:?}");
        assert_eq!(
            scene.net.origin.count(&target),
            2,
            "answered from elsewhere: {lie:?}"
        );
        let after = scene.faults(&scene.net.gateways[1]).await;
        assert_eq!(after, before + 1.0, "the metric names the liar: {lie:?}");
        // It is not asked about this key again; what was fetched is.
        let lookups = scene.liar.lookups();
        let again = scene.net.visitor(1).get(&target).await;
        assert!(again.body == content(&target), "{lie:?}");
        assert_eq!(scene.liar.lookups(), lookups, "{lie:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_lie_reaches_a_visitor_when_there_is_only_the_liar() {
    no_lie_reaches_a_visitor(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_lie_reaches_a_visitor_when_another_cache_is_honest() {
    no_lie_reaches_a_visitor(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_is_checked_like_the_whole() {
    let scene = Scene::start(0).await;
    for (number, lie) in [Lie::FirstBytes, Lie::LastBytes, Lie::Body, Lie::EndsEarly]
        .into_iter()
        .enumerate()
    {
        let target = format!("/part/{number}?len=16000&cc=max-age=600");
        scene.seed(&target).await;
        let ask = Ask::get(&target).field("range", "bytes=100-199");
        let answer = scene.ask(lie.clone(), ask).await.unwrap();
        assert!(
            answer.status == 206 && answer.body == content(&target)[100..200],
            "{lie:?}"
        );
    }
}

/// Reads as far as the body goes; whatever comes must be right.
async fn read_all(client: &Client, target: &str) -> (Vec<u8>, bool) {
    let mut line = client.connect().await.unwrap();
    let mut download = line.begin(Ask::get(target)).await.unwrap();
    assert_eq!(download.status, 200);
    let mut read = Vec::new();
    let is_whole = loop {
        match download.next().await {
            Ok(Some(data)) => read.extend_from_slice(&data),
            Ok(None) => break true,
            Err(_) => break false,
        }
    };
    (read, is_whole)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lie_in_the_middle_of_a_long_body_breaks_it_off_before_a_wrong_octet() {
    let scene = Scene::start(1).await;
    for (number, lie) in [
        Lie::LastBytes,
        Lie::EndsEarly,
        Lie::HangsUp,
        Lie::FollowBytes,
        Lie::FollowEndsEarly,
    ]
    .into_iter()
    .enumerate()
    {
        let target = scene.owned(&format!("/film/{number}?len=3000000&cc=max-age=600"));
        let expected = content(&target);
        scene.seed(&target).await;
        scene.liar.lie(lie.clone());
        for client in [scene.net.visitor(1), scene.net.visitor(1).http2()] {
            let (read, is_whole) = read_all(&client, &target).await;
            assert!(
                read.len() <= expected.len() && expected[..read.len()] == read,
                "{lie:?}: a wrong octet"
            );
            assert!(
                !is_whole || read.len() == expected.len(),
                "{lie:?}: half a body taken for a whole one"
            );
        }
        if !matches!(lie, Lie::HangsUp) {
            assert!(
                scene.faults(&scene.net.gateways[1]).await > number as f64 - 1.0,
                "{lie:?}"
            );
        }
        // The next visitor is answered from elsewhere.
        let (read, is_whole) = read_all(&scene.net.visitor(1), &target).await;
        assert!(is_whole && read == expected, "{lie:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_of_before_a_purge_is_not_served() {
    let scene = Scene::start(0).await;
    let target = "/page?len=40000&cc=max-age=600";
    scene.seed(target).await;
    scene.net.origin.publish(2);
    scene.net.gateways[1].purge(1).await;
    let answer = scene
        .ask(Lie::OldGeneration, Ask::get(target))
        .await
        .unwrap();
    assert!(answer.body == selvedge_edge_tools_testkit::script::content_of(target, &[], 2));
    assert_eq!(scene.faults(&scene.net.gateways[1]).await, 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_that_says_nothing_is_not_waited_for() {
    let scene = Scene::start(1).await;
    for (lie, target) in [
        (Lie::Silent, "/silent?cc=max-age=600"),
        (Lie::Refuses, "/refused?cc=max-age=600"),
    ] {
        scene.liar.lie(lie.clone());
        let answer = scene.net.visitor(1).get(target).await;
        assert!(
            answer.status == 200 && answer.body == content(target),
            "{lie:?}"
        );
    }
    // Slow and busy are no lies.
    assert_eq!(scene.faults(&scene.net.gateways[1]).await, 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_that_never_reads_what_it_asked_for_breaks_no_download() {
    let scene = Scene::start(0).await;
    scene.liar.lie(Lie::Deaf);
    for target in [
        "/short?len=5000&cc=max-age=600",
        "/film?len=40000000&cc=max-age=600",
    ] {
        let (read, is_whole) = read_all(&scene.net.visitor(1), target).await;
        assert!(is_whole && read == content(target), "{target}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn signatures_that_do_not_verify_are_dropped_and_the_epoch_closes() {
    let mut scene = Scene::start(0).await;
    let target = "/page?len=40000&cc=max-age=600";
    scene.seed(target).await;
    let (genesis, prices) = (scene.net.chain.genesis, scene.net.chain.prices.prices);
    let (customer, service) = (scene.net.site().customer, scene.net.site().id);
    let epoch = scene.net.chain.epoch;
    scene.net.chain.roll();
    scene.net.push().await;
    let gateway = &scene.net.gateways[0];
    let books = scene.net.chain.books(gateway, epoch).await;
    assert_eq!((books.requests(), books.egress()), (1, 40_000));
    let leaves =
        selvedge_edge_tools_testkit::audit::leaves(gateway, &books, customer, service, &prices)
            .await;
    assert!(leaves
        .iter()
        .any(|leaf| leaf.body.cache == scene.liar.device()));
    for leaf in leaves {
        assert_eq!(
            leaf.cache_signature.0, [0; 64],
            "a forged signature is committed to by nobody"
        );
        assert!(!selvedge_edge_tools_testkit::audit::is_signed(
            &leaf, &genesis
        ));
    }
}
