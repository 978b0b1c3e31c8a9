//! Purges by customers: what they take, on which gateway, and who may.

use crate::net;
use selvedge_edge_tools_testkit::{
    device_key,
    purge::{check, post, receipt, Purge},
    script::content_of,
    wait_for, Ask, Client, Net, Origin,
};
use selvedge_primitives_types::{
    Domain, Millis, PurgeAnswer, PurgeAuthor, PurgeKind, PurgeMode, PurgeRefusal, ServiceId,
    Signature64, SignedPurgeOrder,
};

/// Two pages that have nothing in common but their host.
const RED: &str = "/a/red?len=900&tag=red,both&keys=warm+all&cc=max-age=600";
const BLUE: &str = "/b/blue?len=900&tag=blue,both&keys=cold+all&cc=max-age=600";

fn url(target: &str) -> Vec<u8> {
    format!("http://site.test{target}").into_bytes()
}

/// What a page is at every gateway, for the hit loop and for the ordinary way.
async fn assert_version(net: &Net, target: &str, version: u32, what: &str) {
    for gateway in 0..net.gateways.len() {
        for visitor in [net.visitor(gateway), net.visitor(gateway).http2()] {
            let answer = visitor.get(target).await;
            let expected = content_of(target, &[], version);
            assert!(
                answer.body == expected,
                "{what}: {target} at {gateway} is not of version {version}"
            );
            assert_eq!(answer.field("cache-tag"), "");
            assert_eq!(answer.field("surrogate-key"), "");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_takes_what_it_names_at_every_gateway_and_nothing_else() {
    let net = net(2, 1).await;
    let tag = |tag: &str| PurgeKind::Tag(tag.as_bytes().to_vec());
    let prefix = |path: &str| PurgeKind::Prefix(url(path));
    let kinds = [
        ("url", PurgeKind::Url(url(RED)), true, false),
        ("prefix", prefix("/b/"), false, true),
        ("half a prefix", prefix("/b/blu"), false, true),
        ("tag", tag("red"), true, false),
        ("key", tag("cold"), false, true),
        ("common tag", tag("both"), true, true),
        ("other tag", tag("Red"), false, false),
        ("host", PurgeKind::Host(b"site.test".to_vec()), true, true),
        (
            "other host",
            PurgeKind::Host(b"www.site.test".to_vec()),
            false,
            false,
        ),
        ("everything", PurgeKind::Everything, true, true),
    ];
    let (mut version, mut red, mut blue) = (1, 1, 1);
    let mut number = 0;
    for (what, kind, takes_red, takes_blue) in kinds {
        // In memory of both gateways, and on disk.
        assert_version(&net, RED, red, what).await;
        assert_version(&net, BLUE, blue, what).await;
        version += 1;
        net.origin.publish(version);
        let gateway = &net.gateways[version as usize % 2];
        let receipt = Purge::hard(&net.chain, kind).everywhere(gateway).await;
        assert_eq!(check(&receipt, &net.chain), Ok(()));
        assert!(receipt.order.order.number > number);
        number = receipt.order.order.number;
        red = if takes_red { version } else { red };
        blue = if takes_blue { version } else { blue };
        assert_version(&net, RED, red, what).await;
        assert_version(&net, BLUE, blue, what).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_purged_is_gone_whoever_owns_the_order_and_the_page() {
    let net = net(2, 2).await;
    let pages: Vec<String> = (0..6)
        .map(|n| format!("/page/{n}?len=300&cc=max-age=600"))
        .collect();
    for page in &pages {
        assert_version(&net, page, 1, "before").await;
    }
    net.stored(pages.len()).await;
    net.origin.publish(2);
    let kind = PurgeKind::Prefix(url("/page/"));
    Purge::hard(&net.chain, kind)
        .everywhere(&net.gateways[1])
        .await;
    for page in &pages {
        assert_version(&net, page, 2, "after").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_soft_purge_has_it_validated() {
    let net = net(2, 1).await;
    let target = "/page?len=900&etag=1&cc=max-age=600";
    assert_version(&net, target, 1, "before").await;
    net.stored(1).await;
    assert_eq!(net.origin.count(target), 1);
    let purge = || async {
        Purge::soft(&net.chain, PurgeKind::Url(url(target)))
            .everywhere(&net.gateways[0])
            .await
    };
    // The origin says that it is still good, once for all gateways and visitors.
    purge().await;
    assert_version(&net, target, 1, "validated").await;
    let asked = net.origin.seen();
    let asked: Vec<_> = asked
        .iter()
        .filter(|seen| seen.fields.contains_key("if-none-match"))
        .collect();
    assert_eq!((net.origin.count(target), asked.len()), (2, 1));
    // Or that it is another now.
    purge().await;
    net.origin.publish(2);
    assert_version(&net, target, 2, "changed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_soft_purge_stale_answers_serve_where_the_origin_allows_them() {
    let mut net = net(1, 1).await;
    let meanwhile = "/meanwhile?len=900&etag=1&cc=max-age=600,stale-while-revalidate=600";
    let failing = "/failing?len=900&etag=1&cc=max-age=600,stale-if-error=600";
    let strict = "/strict?len=900&etag=1&cc=max-age=600,must-revalidate";
    for target in [meanwhile, failing, strict] {
        assert_version(&net, target, 1, "before").await;
    }
    net.stored(3).await;
    net.origin.publish(2);
    let all = |mode| {
        let (chain, site) = (&net.chain, &net.chain.sites[0]);
        let now = selvedge_edge_tools_testkit::chain::now();
        Purge::signed(chain, site, PurgeKind::Everything, mode, now)
    };
    all(PurgeMode::Soft).everywhere(&net.gateways[0]).await;
    let visitor = net.visitor(0);
    // It answers meanwhile, and is renewed behind the visitor's back.
    let answer = visitor.get(meanwhile).await;
    assert!(answer.body == content_of(meanwhile, &[], 1));
    wait_for("the new version", || async {
        let answer = visitor.get(meanwhile).await;
        (answer.body == content_of(meanwhile, &[], 2)).then_some(())
    })
    .await;
    let hard = all(PurgeMode::Hard);
    net.origin = Origin::start().await;
    let answer = visitor.get(failing).await;
    assert_eq!(answer.status, 200);
    assert!(answer.body == content_of(failing, &[], 1));
    assert_eq!(visitor.get(strict).await.status, 502);
    // What is purged for good answers nobody, whatever the origin allowed.
    hard.everywhere(&net.gateways[0]).await;
    assert_eq!(visitor.get(failing).await.status, 502);
}

#[tokio::test(flavor = "multi_thread")]
async fn purges_at_once_get_numbers_that_everybody_has() {
    let net = net(2, 2).await;
    let purges: Vec<Purge> = (0..12)
        .map(|n| Purge::hard(&net.chain, PurgeKind::Tag(format!("tag-{n}").into_bytes())))
        .collect();
    let sent = purges.iter().enumerate();
    let sent = sent.map(|(n, purge)| purge.everywhere(&net.gateways[n % 2]));
    let receipts = futures::future::join_all(sent).await;
    let mut numbers: Vec<u64> = Vec::new();
    for receipt in &receipts {
        assert_eq!(check(receipt, &net.chain), Ok(()));
        numbers.push(receipt.order.order.number);
    }
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), purges.len());
    for node in net.gateways.iter().chain(&net.caches) {
        let metrics = node.metrics().await;
        let name = format!("selvedge_{}_purges", node.role().name());
        assert_eq!(metrics.gauge(&name), purges.len() as f64, "{}", node.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_is_one_purge_with_one_receipt() {
    let net = net(2, 1).await;
    let target = "/page?len=900&cc=max-age=600";
    let purge = Purge::hard(&net.chain, PurgeKind::Url(url(target)));
    let first = purge.everywhere(&net.gateways[0]).await;
    net.origin.publish(2);
    assert_version(&net, target, 2, "purged").await;
    net.origin.publish(3);
    assert_eq!(purge.everywhere(&net.gateways[0]).await, first);
    assert_eq!(purge.everywhere(&net.gateways[1]).await, first);
    assert_version(&net, target, 2, "not purged again").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_purge_is_told_why_and_purges_nothing() {
    let net = net(1, 1).await;
    let gateway = &net.gateways[0];
    let target = "/page?len=900&cc=max-age=600";
    assert_version(&net, target, 1, "before").await;
    net.origin.publish(2);
    let (chain, site) = (&net.chain, &net.chain.sites[0]);
    let now = selvedge_edge_tools_testkit::chain::now();
    let good = Purge::hard(chain, PurgeKind::Everything);
    let mut stranger = good.clone();
    let message = Domain::PurgeRequest.message(&chain.genesis, &stranger.0.request);
    let signature = ed25519_dalek::Signer::sign(&device_key(66), &message);
    stranger.0.author = PurgeAuthor::Ed25519(Signature64(signature.to_bytes()));
    let mut changed = good.clone();
    changed.0.request.nonce[0] ^= 1;
    let mut other_scheme = good.clone();
    if let PurgeAuthor::Ed25519(bytes) = good.0.author {
        other_scheme.0.author = PurgeAuthor::Sr25519(bytes);
    }
    let mut other_service = good.clone();
    other_service.0.request.service = ServiceId(77);
    let at = |moment| Purge::signed(chain, site, PurgeKind::Everything, PurgeMode::Hard, moment);
    let empty = Purge::hard(chain, PurgeKind::Tag(Vec::new()));
    let long = Purge::hard(chain, PurgeKind::Tag(vec![b'x'; 9_000]));
    for (what, purge, status, word) in [
        ("a stranger", &stranger, 403, "account"),
        ("a changed request", &changed, 403, "account"),
        ("another scheme", &other_scheme, 403, "account"),
        ("another service", &other_service, 404, "service"),
        (
            "an old request",
            &at(Millis(now.0 - 900_000)),
            400,
            "five minutes",
        ),
        (
            "a future request",
            &at(Millis(now.0 + 900_000)),
            400,
            "five minutes",
        ),
        ("an empty tag", &empty, 400, "tag"),
        ("a long tag", &long, 400, "too long"),
    ] {
        let answer = purge.send(gateway).await;
        assert_eq!(answer.status.as_u16(), status, "{what}: {}", answer.text());
        assert!(answer.text().contains(word), "{what}: {}", answer.text());
    }
    for body in [String::new(), "{".into(), "[1]".into(), "null".into()] {
        assert_eq!(post(gateway, body).await.status, 400);
    }
    assert_eq!(post(gateway, vec![b' '; 100_000]).await.status, 413);
    let public = Client::new(gateway.address("audit"), "localhost");
    assert_eq!(public.get("/purge/v1").await.status, 405);
    let answer = public.ask(Ask::post("/purge/v1/other", "")).await.unwrap();
    assert_eq!(answer.status, 404);
    let answer = public.ask(Ask::post("/purge/v1/order", "x")).await.unwrap();
    assert_eq!(answer.status, 400);
    assert_version(&net, target, 1, "after all of them").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_or_a_receipt_that_was_forged_does_not_count() {
    let net = net(1, 1).await;
    let gateway = &net.gateways[0];
    let purge = Purge::hard(&net.chain, PurgeKind::Tag(b"first".to_vec()));
    let good = purge.everywhere(gateway).await;
    assert_eq!(check(&good, &net.chain), Ok(()));
    type Change = fn(&mut selvedge_primitives_types::PurgeReceipt);
    let changes: [(Change, &str); 5] = [
        (|receipt| receipt.order.order.number += 1, "the owner"),
        (
            |receipt| receipt.order.order.signed.request.mode = PurgeMode::Soft,
            "the customer",
        ),
        (|receipt| receipt.order.signature.0[3] ^= 1, "the owner"),
        (
            |receipt| receipt.acks[0].signature.0[3] ^= 1,
            "an acknowledgement",
        ),
        (
            |receipt| receipt.acks.clear(),
            "a node is left out, or named twice",
        ),
    ];
    for (change, expected) in changes {
        let mut forged = good.clone();
        change(&mut forged);
        assert_eq!(check(&forged, &net.chain), Err(expected));
    }

    // Orders by a device that is no cache, with numbers that cannot be, and what was changed.
    let public = Client::new(gateway.address("audit"), "localhost");
    let other = Purge::hard(&net.chain, PurgeKind::Everything);
    let sign = |order: &mut SignedPurgeOrder, key: &ed25519_dalek::SigningKey| {
        let message = Domain::PurgeOrder.message(&net.chain.genesis, &order.order);
        let signature = ed25519_dalek::Signer::sign(key, &message);
        order.signature = Signature64(signature.to_bytes());
    };
    let mut by_gateway = good.order.clone();
    by_gateway.order.signed = other.0.clone();
    by_gateway.order.number += 1;
    by_gateway.order.owner = gateway.device();
    sign(&mut by_gateway, gateway.key());
    let mut far = good.order.clone();
    far.order.signed = other.0.clone();
    far.order.number += 3_600_000;
    sign(&mut far, net.caches[0].key());
    let mut unsigned = good.order.clone();
    unsigned.order.signed.request.kind = PurgeKind::Everything;
    unsigned.order.number += 1;
    sign(&mut unsigned, net.caches[0].key());
    let mut changed = good.order.clone();
    changed.order.number += 1;
    for (order, refusal) in [
        (by_gateway, PurgeRefusal::NotAnOwner),
        (far, PurgeRefusal::Number),
        (unsigned, PurgeRefusal::NotTheCustomer),
        (changed, PurgeRefusal::NotAnOwner),
    ] {
        let body = codec::Encode::encode(&order);
        let answer = public
            .ask(Ask::post("/purge/v1/order", body))
            .await
            .unwrap();
        let answer: PurgeAnswer = codec::DecodeAll::decode_all(&mut &answer.body[..]).unwrap();
        assert_eq!(answer, PurgeAnswer::Refused(refusal));
    }
    assert_eq!(
        gateway.metrics().await.gauge("selvedge_gateway_purges"),
        1.0
    );
    // The order itself may be brought again by anyone.
    let body = codec::Encode::encode(&good.order);
    let answer = public
        .ask(Ask::post("/purge/v1/order", body))
        .await
        .unwrap();
    let answer: PurgeAnswer = codec::DecodeAll::decode_all(&mut &answer.body[..]).unwrap();
    assert!(matches!(answer, PurgeAnswer::Taken(_)));
    assert_eq!(receipt(&purge.send(gateway).await).order, good.order);
}
