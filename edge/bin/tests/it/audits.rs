//! Auditors: drawn leaves are opened in kilobytes, and the chain gets the leaf it asks for.

use crate::net;
use codec::{DecodeAll, Encode};
use selvedge_edge_tools_testkit::{books::Keccak, Ask, Client, Net};
use selvedge_primitives_math::{
    draw::{draws, Draw, Place, DRAWS},
    fraud::{sample, Context, Flaw, OpenedLeaf, Openings, Terms},
    TreeKind, UsageTrees,
};
use selvedge_primitives_types::{
    Account, DeviceId, Epoch, Leaf, Prices, ServiceId, UsageCommitment,
};

/// What the chain would tell an auditor of the one site there is.
struct Chain {
    customer: Account,
    service: ServiceId,
    prices: Prices,
}

impl Context for Chain {
    fn terms(&self, service: ServiceId) -> Option<Terms> {
        (service == self.service).then_some(Terms {
            owner: self.customer,
            lease: u128::MAX,
            price_version: 1,
            prices: Some(self.prices),
            storage: u64::MAX,
        })
    }
    fn is_cache(&self, _: &DeviceId) -> bool {
        true
    }
    fn is_signed(&self, _: &Leaf) -> bool {
        true
    }
}

/// A gateway that has committed an epoch.
async fn committed() -> (Net, UsageCommitment) {
    let mut net = net(1, 2).await;
    for page in 0..20 {
        let target = format!("/page/{page}?len=3000&cc=max-age=600");
        assert_eq!(net.visitor(0).get(&target).await.status, 200);
    }
    net.settle().await;
    let commitment = net.roll().await.remove(0).commitment;
    (net, commitment)
}

fn public(net: &Net) -> Client {
    Client::new(net.gateways[0].address("audit"), "localhost")
}

fn drawn(commitment: &UsageCommitment) -> Vec<Draw> {
    let UsageCommitment { gateway, epoch, .. } = commitment;
    let total = &commitment.customers.sum;
    draws::<Keccak>(&[7; 32], gateway, *epoch, total, DRAWS)
}

async fn open(client: &Client, epoch: Epoch, body: Vec<u8>) -> (u16, Vec<u8>) {
    let ask = Ask::post(format!("/audit/v1/{epoch}/open"), body);
    let answer = client.ask(ask).await.unwrap();
    (answer.status.as_u16(), answer.body.to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn drawn_leaves_are_opened_and_found_sound() {
    let (mut net, commitment) = committed().await;
    let chain = Chain {
        customer: net.site().customer,
        service: net.site().id,
        prices: net.chain.prices.prices,
    };
    let draws = drawn(&commitment);
    let (status, body) = open(&public(&net), commitment.epoch, draws.encode()).await;
    assert_eq!(status, 200);
    let openings = Openings::decode_all(&mut &body[..]).unwrap();
    let leaves = sample::<Keccak>(&openings, &commitment, &chain, &draws).unwrap();
    assert_eq!(leaves.len(), draws.len());

    // They are of this commitment and no other.
    let mut other = commitment;
    other.customers.root[0] ^= 1;
    let refused = sample::<Keccak>(&openings, &other, &chain, &draws);
    assert!(matches!(refused, Err(Flaw::Withheld(_))));

    // The chain node gets the very leaf for the chain.
    let at = format!("/control/v1/open/{}", commitment.epoch);
    for (draw, leaf) in draws.iter().zip(leaves).take(4) {
        let answer = net.gateways[0]
            .control()
            .ask(Ask::post(&at, draw.encode()))
            .await
            .unwrap();
        assert_eq!(answer.status, 200);
        let opened = OpenedLeaf::decode_all(&mut &answer.body[..]).unwrap();
        assert_eq!(opened.leaf, leaf);
    }
    let beyond = Draw {
        tree: TreeKind::Caches,
        at: Place::Index(u64::MAX),
    };
    let answer = net.gateways[0]
        .control()
        .ask(Ask::post(&at, beyond.encode()))
        .await
        .unwrap();
    assert_eq!(answer.status, 404);
    let answer = net.gateways[0]
        .control()
        .ask(Ask::post(&at, b"no draw".to_vec()))
        .await
        .unwrap();
    assert_eq!(answer.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_accepts_scale_gets_all_leaves_in_it() {
    let (net, commitment) = committed().await;
    let target = format!("/audit/v1/{}/leaves", commitment.epoch);
    let ask = Ask::get(&target).field("accept", "application/octet-stream");
    let answer = public(&net).ask(ask).await.unwrap();
    assert_eq!(
        (
            answer.status.as_u16(),
            answer.field("content-type").as_str()
        ),
        (200, "application/octet-stream")
    );
    let leaves = Vec::<Leaf>::decode_all(&mut &answer.body[..]).unwrap();
    let trees = UsageTrees::build::<Keccak>(leaves).unwrap();
    let committed = trees.commitment(commitment.gateway, commitment.epoch);
    assert_eq!(committed, commitment);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_for_openings_is_refused() {
    let (net, commitment) = committed().await;
    let (client, epoch) = (public(&net), commitment.epoch);
    let draws = drawn(&commitment);
    let too_many = vec![draws[0]; 65];
    for body in [
        too_many.encode(),
        vec![],
        b"garbage".to_vec(),
        vec![0xff; 1_154],
        vec![0; 100_000],
    ] {
        assert_eq!(open(&client, epoch, body).await.0, 400);
    }
    let unknown = open(&client, Epoch(99), draws.encode()).await;
    assert_eq!(unknown.0, 404);
    let target = format!("/audit/v1/{epoch}/open");
    assert_eq!(client.get(&target).await.status, 405);
    // Nothing of it harmed anybody.
    assert_eq!(open(&client, epoch, draws.encode()).await.0, 200);
}
