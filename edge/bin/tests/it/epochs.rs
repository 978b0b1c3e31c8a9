//! Epochs that begin while visitors are being served.

use crate::net;
use selvedge_edge_tools_testkit::{content, wait_for, Ask, Books};
use selvedge_primitives_types::Epoch;
use std::sync::{
    atomic::{AtomicBool, AtomicU64, Ordering},
    Arc,
};

#[tokio::test(flavor = "multi_thread")]
async fn no_request_is_lost_or_counted_twice_when_epochs_roll_under_load() {
    const EPOCHS: u64 = 5;
    let mut net = net(2, 2).await;
    let is_over = Arc::new(AtomicBool::new(false));
    let served = Arc::new(AtomicU64::new(0));
    let mut visits = Vec::new();
    for number in 0..8 {
        let (client, is_over, served) = (net.visitor(number % 2), is_over.clone(), served.clone());
        visits.push(tokio::spawn(async move {
            let mut line = client.connect().await.unwrap();
            let (mut requests, mut octets) = (0, 0);
            while !is_over.load(Ordering::Acquire) {
                let page = requests % 7;
                let kind = if requests % 5 == 0 {
                    "cc=no-store"
                } else {
                    "cc=max-age=600"
                };
                let target = format!("/page/{page}?len={}&{kind}", 500 * (page + 1));
                let answer = line.ask(Ask::get(&target)).await.unwrap();
                assert!(answer.status == 200 && answer.body == content(&target));
                requests += 1;
                octets += answer.body.len() as u64;
                served.fetch_add(1, Ordering::AcqRel);
            }
            (requests, octets)
        }));
    }
    let first = net.chain.epoch;
    for _ in 0..EPOCHS {
        let before = served.load(Ordering::Acquire);
        wait_for("more requests", || async {
            (served.load(Ordering::Acquire) > before + 150).then_some(())
        })
        .await;
        net.chain.roll();
        // Gateways first this time: a cache may learn of an epoch later than those who report to
        // it.
        for daemon in net.gateways.iter().chain(&net.caches) {
            net.chain.push(daemon).await;
        }
    }
    is_over.store(true, Ordering::Release);
    let (mut requests, mut octets) = (0, 0);
    for visit in visits {
        let (own_requests, own_octets) = visit.await.unwrap();
        requests += own_requests;
        octets += own_octets;
    }
    net.settle().await;
    net.roll().await;
    let mut books: Vec<Books> = Vec::new();
    for gateway in &net.gateways {
        for epoch in first.0..=first.0 + EPOCHS {
            books.push(net.chain.books(gateway, Epoch(epoch)).await);
        }
    }
    assert_eq!(books.iter().map(Books::requests).sum::<u64>(), requests);
    assert_eq!(books.iter().map(Books::egress).sum::<u64>(), octets);
    assert_eq!(
        books.iter().map(Books::origin).sum::<u64>(),
        net.origin.sent()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_across_epochs_is_charged_in_both_and_once() {
    let mut net = net(1, 1).await;
    let target = "/long?len=2000000&pause=rest&at=1000000&cc=max-age=600";
    let mut line = net.visitor(0).connect().await.unwrap();
    let mut download = line.begin(Ask::get(target)).await.unwrap();
    let begun = download.at_least(1_000_000).await.unwrap().len();
    let first = net.roll().await.remove(0);
    assert_eq!(first.requests(), 1);
    assert!(first.egress() <= begun as u64);
    net.origin.open("rest");
    download.whole().await.unwrap();
    net.settle().await;
    let second = net.roll().await.remove(0);
    assert_eq!(second.requests(), 0, "the request was the first epoch's");
    assert_eq!(first.egress() + second.egress(), 2_000_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_credited_is_forgotten_after_its_time() {
    let mut net = net(1, 1).await;
    assert_eq!(net.visitor(0).get("/page").await.status, 200);
    let books = net.roll().await.remove(0);
    let epoch = books.commitment.epoch;
    let control = net.gateways[0].control();
    // Credited, but not old enough.
    net.chain.done_through = Some(epoch);
    net.chain.roll();
    net.push().await;
    assert!(control.status().await.closed.contains(&epoch));
    for _ in 0..24 {
        net.chain.roll();
    }
    net.push().await;
    assert!(control.status().await.closed.contains(&epoch));
    net.chain.roll();
    net.push().await;
    assert!(!control.status().await.closed.contains(&epoch));
    assert!(control.commitment(epoch).await.is_none());
}
