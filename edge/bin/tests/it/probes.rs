//! Probes that a chain node orders: of honest nodes, dead ones, and those that do whatever they like.

use crate::net;
use codec::Encode;
use ed25519_dalek::{Signer, SigningKey};
use selvedge_edge_core_verify::sign::verify;
use selvedge_edge_tools_testkit::{
    device_key, device_of, raw_origin::Then, wait_for, Ask, Client, Liar, Lie, Net, RawOrigin,
    Reply,
};
use selvedge_primitives_types::{
    agent::{ProbeOrder, ProbeResults},
    DeviceId, Domain, Epoch, FetchVerdict, Millis, Probe, ProbeAnswerPayload, Role, Signature64,
};
use std::time::{Duration, Instant};

/// A page that is fresh for long, small, and the same for everybody.
const PAGE: &str = "/probed?len=20000&cc=max-age=3600&etag=1";
/// The longest that one node can cost: two nonces and a fetch, and a second to spare.
const LONGEST: Duration = Duration::from_secs(3 + 3 + 10 + 1);

fn order(net: &Net, nodes: &[DeviceId]) -> ProbeOrder {
    let mut nodes = nodes.to_vec();
    nodes.sort();
    ProbeOrder {
        epoch: net.chain.epoch,
        within: Millis(0),
        nodes,
    }
}

/// What the first gateway sees of these nodes.
async fn probe(net: &Net, nodes: &[DeviceId]) -> Vec<Probe> {
    let order = order(net, nodes);
    let control = net.gateways[0].control();
    let results: ProbeResults = wait_for("the end of the probes", || async {
        let results = control.probe(&order).await.unwrap();
        results.is_done.then_some(results)
    })
    .await;
    assert_eq!(results.epoch, net.chain.epoch);
    assert!(results.probes.is_sorted_by_key(|probe| probe.probed));
    results.probes
}

fn of(probes: &[Probe], device: DeviceId) -> &Probe {
    let found = probes.iter().find(|probe| probe.probed == device);
    found.expect("it was probed")
}

/// Two gateways and a cache, all of which hold the page.
async fn with_page() -> Net {
    let net = net(2, 1).await;
    for gateway in 0..2 {
        let answer = net.visitor(gateway).get(PAGE).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
    }
    net.stored(1).await;
    net
}

fn is_signed(net: &Net, probe: &Probe) -> bool {
    let answer = probe.answer.as_ref().expect("it answered");
    let asked = ProbeAnswerPayload {
        prober: net.gateways[0].device(),
        probed: probe.probed,
        epoch: net.chain.epoch,
        nonce: answer.nonce,
    };
    let (domain, genesis) = (Domain::ProbeAnswer, &net.chain.genesis);
    verify(&probe.probed, domain, genesis, &asked, &answer.signature).is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn honest_nodes_sign_and_serve_what_is_right() {
    let net = with_page().await;
    let (gateway, cache) = (net.gateways[1].device(), net.caches[0].device());
    let probes = probe(&net, &[gateway, cache]).await;
    for device in [gateway, cache] {
        let probe = of(&probes, device);
        assert!(is_signed(&net, probe));
        assert!(probe.answer.unwrap().round_trip > 0);
        let fetch = probe.fetch.expect("the page is there");
        assert_eq!(fetch.verdict, FetchVerdict::Right);
        assert_eq!(fetch.bytes, 20_000);
    }
    // To the gateway it was a visitor like any other.
    net.settle().await;
    let log = net.gateways[1].access_log();
    let seen = log.iter().filter(|line| line["target"] == PAGE);
    assert_eq!(seen.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_counts_once_and_ends_with_its_epoch() {
    let mut net = with_page().await;
    let gateway = net.gateways[1].device();
    let first = probe(&net, &[gateway]).await;
    // The same again, and another of the epoch, tell what was seen.
    let cache = net.caches[0].device();
    assert_eq!(probe(&net, &[gateway, cache]).await, first);
    let past = order(&net, &[gateway]);
    net.roll().await;
    let control = net.gateways[0].control();
    assert!(control.probe(&past).await.is_err());
    assert_ne!(probe(&net, &[gateway]).await, first);
    let many = ProbeOrder {
        nodes: vec![gateway; 65],
        ..order(&net, &[])
    };
    assert!(control.probe(&many).await.is_err());
    // A cache is drawn for nothing.
    let control = net.caches[0].control();
    assert!(control.probe(&order(&net, &[gateway])).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_nodes_did_not_answer() {
    let mut net = with_page().await;
    let (gateway, cache) = (net.gateways[1].device(), net.caches[0].device());
    net.gateways[1].kill().await;
    net.caches[0].kill().await;
    let probes = probe(&net, &[gateway, cache]).await;
    for device in [gateway, cache] {
        let probe = of(&probes, device);
        assert_eq!((probe.answer, probe.fetch), (None, None));
    }
    // A node that the chain does not list is nothing to be said about.
    net.chain.roll();
    net.chain.push(&net.gateways[0]).await;
    assert_eq!(probe_stranger(&net).await, []);
}

async fn probe_stranger(net: &Net) -> Vec<Probe> {
    probe(net, &[DeviceId([77; 32])]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reaches_nobody_says_nothing() {
    let mut net = net(1, 0).await;
    let nobody: Vec<_> = (60..63).map(|seed| device_of(&device_key(seed))).collect();
    for device in &nobody {
        let (endpoint, url) = ("127.0.0.1:1".to_owned(), "http://127.0.0.1:1".to_owned());
        net.chain
            .register_node(*device, Role::Gateway, endpoint, url);
    }
    net.push().await;
    assert_eq!(probe(&net, &nobody).await, []);
}

/// A registered gateway that answers nonces as it should and everything else with `answer`.
struct Rogue {
    device: DeviceId,
    server: RawOrigin,
}

impl Rogue {
    async fn start(net: &mut Net, seed: u8, answer: fn() -> Reply) -> Self {
        let key = device_key(seed);
        let genesis = net.chain.genesis;
        let device = device_of(&key);
        let server = RawOrigin::start(move |heard| match heard.target() {
            "/probe/v1" => Reply::listen(signed(&key, &genesis, &heard.body)),
            _ => answer(),
        })
        .await;
        let url = server.url();
        let endpoint = url.trim_start_matches("http://").to_owned();
        net.chain
            .register_node(device, Role::Gateway, endpoint, url);
        net.push().await;
        Self { device, server }
    }
}

fn signed(key: &SigningKey, genesis: &[u8; 32], body: &[u8]) -> Vec<u8> {
    let asked: ProbeAnswerPayload = codec::Decode::decode(&mut &body[..]).unwrap();
    let message = Domain::ProbeAnswer.message(genesis, &asked);
    let signature = Signature64(key.sign(&message).to_bytes()).encode();
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 64\r\n\r\n";
    [&head[..], &signature].concat()
}

/// What a gateway sees of one that serves like this, and how long it took.
async fn sees(answer: fn() -> Reply) -> (Probe, Duration) {
    let mut net = with_page().await;
    let rogue = Rogue::start(&mut net, 60, answer).await;
    let began = Instant::now();
    let probes = probe(&net, &[rogue.device]).await;
    assert!(!rogue.server.heard().is_empty());
    let probe = *of(&probes, rogue.device);
    assert!(is_signed(&net, &probe));
    (probe, began.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_no_answer() {
    let (probe, _) = sees(|| Reply::close("this is not HTTP\r\n\r\n")).await;
    assert_eq!(probe.fetch.unwrap().verdict, FetchVerdict::Failed);
    let (probe, _) =
        sees(|| Reply::close("HTTP/1.1 200 OK\r\ncontent-length: 20000\r\n\r\ncut off")).await;
    assert_eq!(probe.fetch.unwrap().verdict, FetchVerdict::Failed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_gateway_has_not_served_but_an_excused_one_is_not_blamed() {
    let (probe, _) = sees(|| Reply::close("HTTP/1.1 503 no\r\ncontent-length: 0\r\n\r\n")).await;
    assert_eq!(probe.fetch.unwrap().verdict, FetchVerdict::Failed);
    for answer in [
        (|| {
            Reply::close(
                "HTTP/1.1 503 no\r\nx-selvedge-reason: allowance-used-up\r\ncontent-length: 0\r\n\r\n",
            )
        }) as fn() -> Reply,
        || Reply::close("HTTP/1.1 502 origin\r\ncontent-length: 0\r\n\r\n"),
        // Another version of the page.
        || Reply::close("HTTP/1.1 200 OK\r\netag: \"new\"\r\ncontent-length: 3\r\n\r\nnew"),
    ] {
        assert_eq!(sees(answer).await.0.fetch, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_megabytes_cost_no_more_than_the_object() {
    let (probe, took) = sees(|| Reply {
        octets: b"HTTP/1.1 200 OK\r\ncontent-length: 104857600\r\n\r\n".to_vec(),
        then: Then::Repeat(vec![b'x'; 64 * 1024]),
    })
    .await;
    assert_eq!(probe.fetch, None, "who knows which version it is");
    assert!(took < LONGEST);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_gateway_costs_no_more_than_its_time() {
    let (probe, took) = sees(|| Reply::listen("HTTP/1.1 200 OK\r\n")).await;
    assert_eq!(probe.fetch.unwrap().verdict, FetchVerdict::Failed);
    assert!(took < LONGEST, "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_that_signs_nothing_has_not_answered() {
    let mut net = with_page().await;
    let liar = Liar::start(device_key(150)).await;
    liar.lie(Lie::Silent);
    let endpoint = liar.address().to_string();
    net.chain
        .register_node(liar.device(), Role::Cache, endpoint, String::new());
    net.push().await;
    let probes = probe(&net, &[liar.device()]).await;
    assert_eq!(of(&probes, liar.device()).answer, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_a_gateway_gets_a_signature_and_only_for_itself() {
    let net = net(2, 1).await;
    let audit = Client::new(net.gateways[1].address("audit"), "localhost");
    let ask = |prober: DeviceId, epoch: Epoch| {
        let asked = ProbeAnswerPayload {
            prober,
            probed: net.gateways[1].device(),
            epoch,
            nonce: [1; 16],
        };
        let audit = audit.clone();
        async move { audit.ask(Ask::post("/probe/v1", asked.encode())).await }
    };
    let epoch = net.chain.epoch;
    let answer = ask(net.gateways[0].device(), epoch).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 64));
    for (prober, epoch) in [
        (net.caches[0].device(), epoch),
        (DeviceId([9; 32]), epoch),
        (net.gateways[0].device(), epoch.plus(2)),
        (net.gateways[0].device(), epoch.minus(1)),
    ] {
        assert_eq!(ask(prober, epoch).await.unwrap().status.as_u16(), 403);
    }
    let garbage = audit.ask(Ask::post("/probe/v1", vec![0; 1_000])).await;
    assert_eq!(garbage.unwrap().status.as_u16(), 400);
    let got = audit.ask(Ask::get("/probe/v1")).await.unwrap();
    assert_eq!(got.status.as_u16(), 405);
}
