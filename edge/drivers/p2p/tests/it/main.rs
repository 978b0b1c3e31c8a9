//! Nodes on loopback, each knowing at most one other.

use ed25519_dalek::SigningKey;
use selvedge_edge_drivers_p2p::{Discovery, Multiaddr, Options, P2pError, Provider};
use selvedge_primitives_types::{DeviceId, Hash};
use std::time::Duration;

const GENESIS: [u8; 32] = [1; 32];
const WITHIN: Duration = Duration::from_secs(20);

fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

fn device(number: u8) -> DeviceId {
    DeviceId(key(number).verifying_key().to_bytes())
}

fn options(known: &[&Discovery]) -> Options {
    Options {
        listen: "/ip4/127.0.0.1/tcp/0".parse().unwrap(),
        announce: Vec::new(),
        known: known
            .iter()
            .map(|node| node.addresses()[0].clone())
            .collect(),
    }
}

fn node_of(network: [u8; 32], number: u8, known: &[&Discovery]) -> Discovery {
    Discovery::start(&key(number), &network, &options(known)).unwrap()
}

fn node(number: u8, known: &[&Discovery]) -> Discovery {
    node_of(GENESIS, number, known)
}

/// Asks until as many are known as are expected: a record takes a few round trips to reach its place.
async fn found(node: &Discovery, root: Hash, expected: usize) -> Vec<Provider> {
    let looking = async {
        loop {
            let providers = node.providers(root, WITHIN).await.unwrap();
            if providers.len() == expected {
                return providers;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(WITHIN, looking)
        .await
        .expect("providers are found")
}

#[tokio::test(flavor = "multi_thread")]
async fn who_holds_something_is_found_by_nodes_that_know_a_third() {
    let first = node(1, &[]);
    let holders = [node(2, &[&first]), node(3, &[&first])];
    let seeker = node(4, &[&first]);
    let root = [7; 32];
    for holder in &holders {
        holder.provide(root).await.unwrap();
    }
    let mut providers = found(&seeker, root, 2).await;
    providers.sort_by_key(|provider| provider.device);
    let mut expected = [device(2), device(3)];
    expected.sort();
    assert_eq!(
        providers
            .iter()
            .map(|provider| provider.device)
            .collect::<Vec<_>>(),
        expected
    );
    for provider in providers {
        assert!(!provider.addresses.is_empty(), "{provider:?}");
    }
    assert_eq!(seeker.providers([8; 32], WITHIN).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_before_anybody_was_there_is_said_again() {
    let first = node(1, &[]);
    let root = [9; 32];
    first.provide(root).await.unwrap();
    let seeker = node(2, &[&first]);
    assert_eq!(found(&seeker, root, 1).await[0].device, device(1));
    let third = node(3, &[&seeker]);
    assert_eq!(found(&third, root, 1).await[0].device, device(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_of_another_network_are_strangers() {
    let first = node(1, &[]);
    let stranger = node_of([2; 32], 2, &[&first]);
    let root = [5; 32];
    stranger.provide(root).await.unwrap();
    let seeker = node(3, &[&first]);
    let own = node(4, &[&first]);
    own.provide(root).await.unwrap();
    let providers = found(&seeker, root, 1).await;
    assert_eq!(providers[0].device, device(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_addresses_are_said_to_be_wrong() {
    let first = node(1, &[]);
    let start = |options: &Options| Discovery::start(&key(2), &GENESIS, options).unwrap_err();
    let bare: Multiaddr = "/ip4/127.0.0.1/tcp/4001".parse().unwrap();
    let of_no_key = "/ip4/127.0.0.1/tcp/1/p2p/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N";
    let known = |address: Multiaddr| Options {
        known: vec![address],
        ..options(&[])
    };
    assert!(matches!(start(&known(bare)), P2pError::NoPeer(_)));
    assert!(matches!(
        start(&known(of_no_key.parse().unwrap())),
        P2pError::NotADevice(_)
    ));
    let foreign = Options {
        listen: "/ip4/203.0.113.1/tcp/0".parse().unwrap(),
        ..options(&[&first])
    };
    assert!(matches!(
        start(&foreign),
        P2pError::Listen(_) | P2pError::Start(_)
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_hears_nothing_gives_up_in_time() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let peer = node(9, &[]);
    let id = peer.addresses()[0].iter().last().unwrap();
    let address: Multiaddr = format!("/ip4/127.0.0.1/tcp/{port}{}", Multiaddr::empty().with(id))
        .parse()
        .unwrap();
    let lonely = Discovery::start(
        &key(2),
        &GENESIS,
        &Options {
            known: vec![address],
            ..options(&[])
        },
    )
    .unwrap();
    let limit = Duration::from_millis(300);
    match lonely.providers([1; 32], limit).await {
        Ok(providers) => assert_eq!(providers, []),
        Err(error) => assert!(matches!(error, P2pError::TooSlow(_)), "{error}"),
    }
}
