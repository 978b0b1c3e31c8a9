//! Content that customers put through a gateway, and that anyone reads by its root.

use crate::insight::{asked, public};
use crate::net;
use bytes::Bytes;
use codec::Encode;
use http::Method;
use selvedge_edge_core_verify::{shape, Outboard, ProvenSlice, SLICE};
use selvedge_edge_tools_testkit::tree::Tree;
use selvedge_edge_tools_testkit::{chain, Answer, Ask, Net, Site};
use selvedge_primitives_types::{
    ContentKind, ContentRef, Domain, Hash, Millis, PublishToken, ReadScope, ServiceId,
    SignedPublishToken,
};
use serde_json::{json, Value};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn token_of(net: &Net, signer: &Site, service: u64, ahead: u64) -> String {
    let token = PublishToken {
        service: ServiceId(service),
        expires: Millis(chain::now().0 + ahead),
    };
    let signature = signer.sign(Domain::PublishToken, &net.chain.genesis, &token);
    let signed = SignedPublishToken { token, signature };
    format!("Selvedge {}", hex(&signed.encode()))
}

fn token(net: &Net) -> String {
    token_of(net, &net.chain.sites[0], 1, 60_000)
}

fn kind_of(content: &ContentRef) -> &'static str {
    match content.kind {
        ContentKind::File => "file",
        ContentKind::Directory => "directory",
    }
}

fn slice_of(bytes: &Bytes, slice: u64) -> Bytes {
    let place = shape::slice_bytes(bytes.len() as u64, slice);
    let proven = ProvenSlice {
        slice,
        proof: Outboard::of(bytes).slice_proof(slice).unwrap(),
        bytes: bytes.slice(place.start as usize..place.end as usize),
    };
    proven.to_bytes()
}

/// `PUT` of a slice, with a token of the customer.
fn put_of(net: &Net, content: &ContentRef, slice: u64, factor: u8, body: Bytes) -> Ask {
    let target = format!(
        "/content/v1/1/0x{}?length={}&kind={}&slice={slice}&factor={factor}",
        hex(&content.root),
        content.length,
        kind_of(content)
    );
    Ask {
        method: Method::PUT,
        ..Ask::post(target, body)
    }
    .field("authorization", &token(net))
}

async fn send(net: &Net, ask: Ask) -> Answer {
    asked(&net.gateways[0], ask).await
}

async fn put(net: &Net, content: &ContentRef, bytes: &Bytes, slice: u64, factor: u8) -> Value {
    let answer = send(
        net,
        put_of(net, content, slice, factor, slice_of(bytes, slice)),
    )
    .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    serde_json::from_slice(&answer.body).unwrap()
}

/// What owners lack of some blobs.
async fn missing(net: &Net, blobs: &[ContentRef], factor: u8) -> Vec<Vec<(u64, u64)>> {
    let list: Vec<Value> = blobs
        .iter()
        .map(|blob| {
            let root = format!("0x{}", hex(&blob.root));
            json!({ "root": root, "length": blob.length, "kind": kind_of(blob) })
        })
        .collect();
    let question = json!({ "factor": factor, "blobs": list }).to_string();
    let ask = Ask::post("/content/v1/1/have", question).field("authorization", &token(net));
    let answer = send(net, ask).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer: Value = serde_json::from_slice(&answer.body).unwrap();
    let blobs = answer["blobs"].as_array().unwrap().iter();
    blobs
        .map(|blob| serde_json::from_value(blob["missing"].clone()).unwrap())
        .collect()
}

fn at(root: &Hash, rest: &str) -> String {
    format!("/content/v1/0x{}{rest}", hex(root))
}

async fn get(net: &Net, root: &Hash, rest: &str) -> Answer {
    send(net, Ask::get(at(root, rest))).await
}

async fn put_all(net: &Net, tree: &Tree, factor: u8) {
    for (content, bytes) in &tree.blobs {
        for slice in 0..shape::slices(content.length) {
            put(net, content, bytes, slice, factor).await;
        }
    }
}

fn noise(length: usize) -> Vec<u8> {
    let octet = |i: usize| (i as u32).wrapping_mul(2_654_435_761).to_le_bytes()[3];
    (0..length).map(octet).collect()
}

fn tree() -> Tree {
    Tree::new(&[
        ("index.html", b"<h1>put</h1>"),
        ("docs/a b.txt", b"text"),
        ("docs/empty", b""),
        ("long.bin", &noise(2 * SLICE as usize + 77)),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_put_is_read_by_its_root_once_it_is_pinned() {
    let (mut net, tree) = (net(1, 3).await, tree());
    let blobs: Vec<ContentRef> = tree.blobs.iter().map(|(content, _)| *content).collect();
    for (runs, blob) in missing(&net, &blobs, 2).await.iter().zip(&blobs) {
        assert_eq!(runs, &[(0, shape::slices(blob.length))]);
    }
    put_all(&net, &tree, 2).await;
    assert!(missing(&net, &blobs, 2).await.concat().is_empty());
    // A third owner has nothing yet.
    let more = missing(&net, &blobs, 3).await;
    assert!(more.iter().all(|runs| !runs.is_empty()), "{more:?}");

    let root = tree.root.root;
    assert_eq!(get(&net, &root, "").await.status, 404);
    net.site().content = Tree::site(&[&tree], 2);
    net.push().await;
    let described = get(&net, &root, "").await;
    let described: Value = serde_json::from_slice(&described.body).unwrap();
    assert_eq!(
        described,
        json!({
            "root": format!("0x{}", hex(&root)),
            "length": tree.root.length,
            "kind": "directory",
            "media_type": null,
            "service": 1,
        })
    );
    let text = get(&net, &root, "/docs/a%20b.txt").await;
    let text: Value = serde_json::from_slice(&text.body).unwrap();
    assert_eq!(text["media_type"], "text/plain; charset=utf-8");
    for (path, bytes) in [
        ("/docs/a%20b.txt", Bytes::from_static(b"text")),
        ("/docs/empty", Bytes::new()),
        ("/long.bin", noise(2 * SLICE as usize + 77).into()),
    ] {
        let root_of_file = blake3::hash(&bytes);
        for slice in 0..shape::slices(bytes.len() as u64) {
            let given = get(&net, &root, &format!("{path}?slice={slice}")).await;
            assert_eq!(given.status, 200, "{}", given.text());
            let length = bytes.len() as u64;
            let read = ProvenSlice::read(root_of_file.as_bytes(), length, slice, given.body);
            assert_eq!(read.unwrap().to_bytes(), slice_of(&bytes, slice));
        }
    }
    for (rest, status) in [
        ("/none", 404),
        ("/docs/none", 404),
        ("/index.html/x", 404),
        ("/long.bin?slice=3", 404),
        ("/long.bin?slice=x", 400),
        ("/..", 400),
        ("/docs/%2e%2e/x", 400),
        ("/docs/a%2fb", 400),
        ("/a%00", 400),
        ("//", 400),
    ] {
        let refused = get(&net, &root, rest).await;
        assert_eq!(
            refused.status.as_u16(),
            status,
            "{rest}: {}",
            refused.text()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_is_charged_to_who_has_pinned_it() {
    let (mut net, tree) = (net(1, 1).await, tree());
    put_all(&net, &tree, 1).await;
    net.site().content = Tree::site(&[&tree], 1);
    net.push().await;
    let mut expected = 0;
    for slice in 0..3 {
        let given = get(&net, &tree.root.root, &format!("/long.bin?slice={slice}")).await;
        assert_eq!(given.status, 200);
        expected += given.body.len() as u64;
    }
    net.settle().await;
    let cache = net.caches[0].device();
    let books = net.roll().await.remove(0);
    let used = books.of_cache(cache).paid;
    use selvedge_primitives_types::UsageClass::{EgressBytes, OriginBytes, Requests};
    assert_eq!((used.of(Requests), used.of(OriginBytes)), (3, 0));
    assert_eq!(used.of(EgressBytes), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_the_customer_puts() {
    let mut net = net(1, 1).await;
    let other = Site::numbered(2, "other.test", net.origin.url());
    net.chain.sites.push(other.clone());
    net.push().await;
    let bytes = Bytes::from_static(b"text");
    let (content, _) = Tree::new(&[("a", &bytes)]).blobs[0].clone();
    let with = |token: Option<String>| {
        let mut ask = put_of(&net, &content, 0, 1, slice_of(&bytes, 0));
        ask.fields.clear();
        match token {
            Some(token) => ask.field("authorization", &token),
            None => ask,
        }
    };
    let site = &net.chain.sites[0];
    let read = crate::insight::token(&net, ReadScope::Analytics);
    for (token, status) in [
        (None, 401),
        (Some("Selvedge 00".to_owned()), 401),
        (Some(read), 401),
        (Some(token_of(&net, site, 1, 0)), 401),
        (Some(token_of(&net, site, 1, 24 * 3_600_000)), 401),
        (Some(token_of(&net, &other, 1, 60_000)), 403),
        (Some(token_of(&net, &other, 2, 60_000)), 403),
        (Some(token_of(&net, site, 9, 60_000)), 403),
    ] {
        let refused = send(&net, with(token)).await;
        assert_eq!(refused.status.as_u16(), status, "{}", refused.text());
    }
    assert_eq!(missing(&net, &[content], 1).await, [[(0, 1)]]);
    let taken = send(&net, with(Some(token_of(&net, site, 1, 60_000)))).await;
    assert_eq!(taken.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn slices_that_lie_go_no_further() {
    let net = net(1, 2).await;
    let bytes = Bytes::from(noise(SLICE as usize + 5));
    let (content, _) = Tree::new(&[("a", &bytes)]).blobs[0].clone();
    let whole = slice_of(&bytes, 1);
    let mut flipped = whole.to_vec();
    *flipped.last_mut().unwrap() ^= 1;
    let mut unproven = whole.to_vec();
    unproven[0] ^= 1;
    let longer = [&whole[..], b"x"].concat();
    let other_length = ContentRef {
        length: content.length + 1,
        ..content
    };
    let cases = [
        (put_of(&net, &content, 1, 2, flipped.into()), 422),
        (put_of(&net, &content, 1, 2, unproven.into()), 422),
        (put_of(&net, &content, 1, 2, whole.slice(1..)), 422),
        (put_of(&net, &content, 1, 2, longer.into()), 413),
        (put_of(&net, &content, 0, 2, whole.clone()), 422),
        (put_of(&net, &content, 2, 2, whole.clone()), 404),
        (put_of(&net, &content, u64::MAX, 2, whole.clone()), 404),
        (put_of(&net, &other_length, 1, 2, whole.clone()), 422),
        (put_of(&net, &content, 1, 0, whole.clone()), 400),
        (put_of(&net, &content, 1, 17, whole.clone()), 400),
    ];
    for (ask, status) in cases {
        let target = ask.target.clone();
        let refused = send(&net, ask).await;
        assert_eq!(
            refused.status.as_u16(),
            status,
            "{target}: {}",
            refused.text()
        );
    }
    assert_eq!(missing(&net, &[content], 2).await, [[(0, 2)]]);
    let taken = put(&net, &content, &bytes, 1, 2).await;
    assert_eq!(
        taken,
        json!({ "owners": 2, "wanted": 2, "complete": false })
    );
    assert_eq!(missing(&net, &[content], 2).await, [[(0, 1)]]);
    let taken = put(&net, &content, &bytes, 0, 2).await;
    assert_eq!(taken, json!({ "owners": 2, "wanted": 2, "complete": true }));
}

#[tokio::test(flavor = "multi_thread")]
async fn owners_that_are_away_are_counted_and_not_waited_for() {
    let mut net = net(1, 2).await;
    let bytes = Bytes::from_static(b"text");
    let (content, _) = Tree::new(&[("a", &bytes)]).blobs[0].clone();
    net.caches[1].kill().await;
    let taken = put(&net, &content, &bytes, 0, 2).await;
    assert_eq!(taken, json!({ "owners": 1, "wanted": 2, "complete": true }));
    net.caches[0].kill().await;
    let ask = put_of(&net, &content, 0, 2, slice_of(&bytes, 0));
    let refused = public(&net.gateways[0]).ask(ask).await.unwrap();
    assert_eq!(refused.status, 503, "{}", refused.text());
}
