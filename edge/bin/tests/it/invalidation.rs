//! What unsafe requests change is served as it was by nobody any more (RFC 9111 §4.4, ADR 016).

use crate::net;
use codec::{DecodeAll, Encode};
use ed25519_dalek::{Signer, SigningKey};
use selvedge_edge_drivers_transport::{Identity, OrderPurge, PeerAddress, Peers, PeersOptions};
use selvedge_edge_tools_testkit::{
    chain::now, device_key, device_of, script::content_of, Ask, Client, Net,
};
use selvedge_primitives_types::{
    Domain, InvalidKeys, PurgeAnswer, PurgeAuthor, PurgeKind, PurgeMode, PurgeOrder, PurgeRefusal,
    PurgeRequest, Role, ServiceId, Signature64, SignedPurgeOrder, SignedPurgeRequest,
};
use std::{sync::Arc, time::Instant};

fn page(name: impl std::fmt::Display) -> String {
    format!("/page/{name}?len=900&cc=max-age=600")
}

/// Whether every gateway answers with this version, past hyper and in the ordinary way.
pub async fn assert_version(net: &Net, target: &str, version: u32, what: &str) {
    for gateway in 0..net.gateways.len() {
        for visitor in [net.visitor(gateway), net.visitor(gateway).http2()] {
            let answer = visitor.get(target).await;
            assert_eq!(answer.status, 200, "{what}");
            assert!(
                answer.body == content_of(target, &[], version),
                "{what}: {target} at {gateway} is not of version {version}"
            );
        }
    }
}

/// Changes a page through a gateway, and waits until everybody who can be reached knows.
pub async fn change(net: &Net, gateway: usize, target: &str) {
    let visitor = net.visitor(gateway);
    let answer = visitor.ask(Ask::post(target, "change")).await.unwrap();
    assert_eq!(answer.status, 200);
    net.invalidated().await;
}

async fn orders(net: &Net, gateway: usize) -> f64 {
    let metrics = net.gateways[gateway].metrics().await;
    let ordered = [("reason", "ordered")];
    metrics.sum("selvedge_gateway_invalidation_orders_total", &ordered)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_through_one_gateway_is_new_at_every_other() {
    for caches in [1, 3] {
        let net = net(3, caches).await;
        let (target, other) = (page("changed"), page("other"));
        for target in [&target, &other] {
            // In memory of every gateway.
            assert_version(&net, target, 1, "before").await;
        }
        net.stored(2).await;
        net.origin.publish(2);
        assert_version(&net, &target, 1, "still fresh").await;
        change(&net, 0, &target).await;
        assert_version(&net, &target, 2, "changed").await;
        assert_version(&net, &other, 1, "another page").await;
        // Again, through another one.
        net.origin.publish(3);
        change(&net, 1, &target).await;
        assert_version(&net, &target, 3, "changed again").await;
        assert_version(&net, &other, 1, "another page still").await;
        // Who took it says so.
        for node in net.gateways.iter().chain(&net.caches) {
            let name = format!("selvedge_{}_invalid_keys", node.role().name());
            assert_eq!(node.metrics().await.gauge(&name), 1.0, "{}", node.name());
            let name = format!("selvedge_{}_purges", node.role().name());
            assert_eq!(node.metrics().await.gauge(&name), 0.0, "{}", node.name());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_who_leaves_has_changed_it_for_everybody() {
    let net = net(2, 1).await;
    let target = page("left");
    assert_version(&net, &target, 1, "before").await;
    net.stored(1).await;
    net.origin.publish(2);
    let mut line = net.visitor(0).connect().await.unwrap();
    let answer = line.begin(Ask::post(&target, "change")).await.unwrap();
    assert_eq!(answer.status, 200);
    drop((answer, line));
    net.settle().await;
    net.invalidated().await;
    assert_version(&net, &target, 2, "after").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_has_is_not_ordered_and_failures_change_nothing() {
    let net = net(2, 1).await;
    let visitor = net.visitor(0);
    let kept = page("kept");
    assert_version(&net, &kept, 1, "before").await;
    net.stored(1).await;
    for number in 0..100 {
        let target = format!("/form/{number}");
        let answer = visitor.ask(Ask::post(target, "x")).await.unwrap();
        assert_eq!(answer.status, 200);
    }
    // What is looked at and not for sharing is had by nobody either.
    for target in ["/account?cc=no-store", "/search?cc=private"] {
        assert_eq!(visitor.get(target).await.status, 200);
        net.landed().await;
        change(&net, 0, target).await;
    }
    net.invalidated().await;
    assert_eq!(orders(&net, 0).await, 0.0);
    let metrics = net.gateways[0].metrics().await;
    let changed = metrics.sum("selvedge_gateway_invalidations_total", &[]);
    assert_eq!(changed, 102.0);
    net.origin.publish(2);
    assert_version(&net, &kept, 1, "nobody changed it").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_changes_is_few_orders_and_takes_nothing_else() {
    let net = net(2, 1).await;
    let pages: Vec<String> = (0..40).map(page).collect();
    let spared: Vec<String> = (100..120).map(page).collect();
    for page in pages.iter().chain(&spared) {
        assert_version(&net, page, 1, "before").await;
    }
    net.stored(60).await;
    let begun = Instant::now();
    for version in 2..=6 {
        net.origin.publish(version);
        let posts = pages.iter().map(|page| {
            let visitor = net.visitor(0);
            async move { visitor.ask(Ask::post(page, "change")).await.unwrap().status }
        });
        for status in futures::future::join_all(posts).await {
            assert_eq!(status, 200);
        }
        // So that there is something to change again.
        for page in &pages {
            net.visitor(1).get(page).await;
        }
    }
    net.invalidated().await;
    let ordered = orders(&net, 0).await;
    // What may go out at once, and one more for each second.
    let budget = 16.0 + begun.elapsed().as_secs_f64() + 1.0;
    assert!((1.0..=budget).contains(&ordered), "{ordered} {budget}");
    assert_eq!(orders(&net, 1).await, 0.0);
    let cache = net.caches[0].metrics().await;
    let given = cache.sum(
        "selvedge_cache_purge_orders_total",
        &[("answer", "ordered")],
    );
    assert_eq!(given, ordered);
    for page in &pages {
        assert_version(&net, page, 6, "changed").await;
    }
    net.origin.publish(7);
    for page in &spared {
        assert_version(&net, page, 1, "spared").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_shows_other_bytes_is_no_change_for_others() {
    let net = net(2, 1).await;
    let target = "/file?len=900&etag=1&cc=max-age=600";
    assert_version(&net, target, 1, "before").await;
    net.stored(1).await;
    net.origin.publish(2);
    let ask = Ask::head(target).field("cache-control", "no-cache");
    assert_eq!(net.visitor(0).ask(ask).await.unwrap().status, 200);
    assert!(net.visitor(0).get(target).await.body == content_of(target, &[], 2));
    assert_eq!(orders(&net, 0).await, 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_answers_on_while_its_owners_are_told() {
    let mut net = net(2, 1).await;
    let target = page("kept");
    assert_version(&net, &target, 1, "before").await;
    net.stored(1).await;
    // Other owners: what is in memory is told of anew, and answers on.
    let device = device_of(&device_key(77));
    let nowhere = "127.0.0.1:1".to_owned();
    net.chain
        .register_node(device, Role::Cache, nowhere, String::new());
    net.push().await;
    let asked = net.origin.count(&target);
    assert_version(&net, &target, 1, "with other owners").await;
    assert_eq!(net.origin.count(&target), asked);
    // Whoever may not know who has it has it ordered.
    net.origin.publish(2);
    let fresh = page("never-asked-for");
    change(&net, 0, &fresh).await;
    assert!(orders(&net, 0).await >= 1.0);
    change(&net, 0, &target).await;
    assert_version(&net, &target, 2, "changed").await;
}

fn signature(key: &SigningKey, message: &[u8]) -> Signature64 {
    Signature64(key.sign(message).to_bytes())
}

/// What a gateway asks for.
fn asked(net: &Net, service: ServiceId, kind: PurgeKind, nonce: u8) -> SignedPurgeRequest {
    let gateway = &net.gateways[0];
    let request = PurgeRequest {
        service,
        kind,
        mode: PurgeMode::Hard,
        issued: now(),
        nonce: [nonce; 16],
    };
    let message = Domain::Invalidation.message(&net.chain.genesis, &request);
    let author = PurgeAuthor::Gateway(gateway.device(), signature(gateway.key(), &message));
    SignedPurgeRequest { request, author }
}

fn keys() -> PurgeKind {
    PurgeKind::Keys(InvalidKeys {
        bits: InvalidKeys::EXACT,
        keys: vec![(7, 0)],
        replaces: Vec::new(),
    })
}

/// The same with a place that the cache gave it.
fn ordered(net: &Net, signed: SignedPurgeRequest, number: u64) -> SignedPurgeOrder {
    let cache = &net.caches[0];
    let order = PurgeOrder {
        signed,
        number,
        after: 0,
        owner: cache.device(),
    };
    let message = Domain::PurgeOrder.message(&net.chain.genesis, &order);
    let signature = signature(cache.key(), &message);
    SignedPurgeOrder { order, signature }
}

async fn offered(net: &Net, order: &SignedPurgeOrder) -> PurgeAnswer {
    let public = Client::new(net.gateways[1].address("audit"), "localhost");
    let ask = Ask::post("/purge/v1/order", order.encode());
    let answer = public.ask(ask).await.unwrap();
    PurgeAnswer::decode_all(&mut &answer.body[..]).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_signs_for_single_keys_of_services_there_are_and_for_nothing_else() {
    let net = net(2, 1).await;
    let target = page("kept");
    assert_version(&net, &target, 1, "before").await;
    net.stored(1).await;
    net.origin.publish(2);
    let service = net.chain.sites[0].id;
    let number = now().0;
    for (kind, service, refusal) in [
        (PurgeKind::Everything, service, PurgeRefusal::NotTheGateway),
        (
            PurgeKind::Prefix(b"http://site.test/".to_vec()),
            service,
            PurgeRefusal::NotTheGateway,
        ),
        (
            PurgeKind::Tag(b"a".to_vec()),
            service,
            PurgeRefusal::NotTheGateway,
        ),
        (
            PurgeKind::Host(b"site.test".to_vec()),
            service,
            PurgeRefusal::NotTheGateway,
        ),
        (keys(), ServiceId(77), PurgeRefusal::UnknownService),
    ] {
        let order = ordered(&net, asked(&net, service, kind, 1), number);
        assert_eq!(offered(&net, &order).await, PurgeAnswer::Refused(refusal));
    }
    // Somebody else's signature, and no gateway's.
    let mut forged = asked(&net, service, keys(), 2);
    forged.request.nonce = [3; 16];
    let mut stranger = asked(&net, service, keys(), 4);
    let message = Domain::Invalidation.message(&net.chain.genesis, &stranger.request);
    let key = device_key(66);
    stranger.author = PurgeAuthor::Gateway(device_of(&key), signature(&key, &message));
    for signed in [forged, stranger] {
        let order = ordered(&net, signed, number);
        let refused = PurgeAnswer::Refused(PurgeRefusal::NotTheGateway);
        assert_eq!(offered(&net, &order).await, refused);
    }
    assert_version(&net, &target, 1, "after all of them").await;
    let count = |metrics: selvedge_edge_tools_testkit::daemon::Metrics| {
        metrics.gauge("selvedge_gateway_invalid_keys")
    };
    assert_eq!(count(net.gateways[1].metrics().await), 0.0);
    // What counts counts once, however often it is sent.
    let good = ordered(&net, asked(&net, service, keys(), 5), number);
    for _ in 0..3 {
        assert!(matches!(offered(&net, &good).await, PurgeAnswer::Taken(_)));
    }
    assert_eq!(count(net.gateways[1].metrics().await), 1.0);
    let mut moved = good;
    moved.order.number += 1;
    let refused = PurgeAnswer::Refused(PurgeRefusal::NotAnOwner);
    assert_eq!(offered(&net, &moved).await, refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_gateway_asked_for_no_other_has_ordered() {
    let mut net = net(1, 1).await;
    let key = device_key(55);
    let (device, nowhere) = (device_of(&key), "127.0.0.1:1".to_owned());
    net.chain
        .register_node(device, Role::Gateway, nowhere, String::new());
    net.push().await;
    let place = |key: SigningKey, signed: SignedPurgeRequest| {
        let peers = Peers::new(
            Arc::new(Identity::new(key).unwrap()),
            PeersOptions::default(),
        );
        let cache = PeerAddress {
            device: net.caches[0].device(),
            endpoint: net.caches[0].address("transport").to_string(),
        };
        async move {
            let request = OrderPurge { signed, above: 0 };
            peers.order_purge(&cache, &request).await.unwrap()
        }
    };
    let service = net.chain.sites[0].id;
    let signed = asked(&net, service, keys(), 1);
    let replayed = place(key, signed.clone()).await;
    assert_eq!(replayed, Err(PurgeRefusal::NotTheGateway));
    let own = place(net.gateways[0].key().clone(), signed).await.unwrap();
    assert_eq!(own.order.owner, net.caches[0].device());
}
