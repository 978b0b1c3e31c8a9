//! What is committed is what visitors received, to the octet and the request.

use crate::{gateway, net};
use selvedge_edge_tools_testkit::{audit, books::Keccak, content, Ask, Books, Client, Settings};
use selvedge_primitives_math::fraud::{find, verify, Context, Defect, Terms};
use selvedge_primitives_types::{
    Account, CustomerEntryKey, DeviceId, GenesisHash, Leaf, Prices, ServiceId, UsageClass,
};

/// What a visitor got in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Received {
    requests: u64,
    octets: u64,
}

/// A request of the mix; every kind comes up at every gateway, first as a miss, then as a hit.
fn mixed(number: usize) -> (Ask, u16) {
    let page = number / 20 % 10;
    let file = format!(
        "/file/{page}?len={}&cc=max-age=600&etag=1",
        1_000 + 7_777 * page
    );
    match number % 20 {
        0..=4 => (Ask::get(file), 200),
        5 | 6 => (
            Ask::get(file).field("range", &format!("bytes={}-{}", 10 * page, 10 * page + 499)),
            206,
        ),
        7 => (Ask::get(file).field("range", "bytes=9000000-"), 416),
        8 | 9 => (Ask::head(file), 200),
        10 | 11 => (Ask::get(file).field("if-none-match", "\"v1\""), 304),
        12 => (
            Ask::get(format!("/gone/{page}?status=404&len=321&cc=max-age=600")),
            404,
        ),
        13 => (Ask::get(format!("/mine/{page}?len=4321&cc=private")), 200),
        14 => (
            Ask::get(format!("/fresh/{number}?len=2500&cc=no-store")),
            200,
        ),
        15 => (Ask::post(format!("/form/{page}?len=77"), "a=b"), 200),
        16 => (
            Ask::get(format!(
                "/stream/{page}?len=150000&chunked=1&cc=max-age=600"
            )),
            200,
        ),
        17 => (
            Ask::get(format!("/moved/{page}?len=0&to=/elsewhere&cc=max-age=600")),
            302,
        ),
        18 => (Ask::head(format!("/mine/{page}?len=4321&cc=private")), 200),
        _ => (Ask::get(format!("/empty/{page}?status=204&len=0")), 204),
    }
}

async fn visit(client: Client, numbers: Vec<usize>) -> Received {
    let mut line = client.connect().await.unwrap();
    let mut received = Received::default();
    for number in numbers {
        let (ask, status) = mixed(number);
        let (method, target) = (ask.method.clone(), ask.target.clone());
        let answer = line
            .ask(ask)
            .await
            .unwrap_or_else(|error| panic!("{method} {target}: {error:#}"));
        // A range of what is still being fetched may be ignored (RFC 9110 §14.2).
        let is_whole = matches!(status, 206 | 416) && answer.status == 200;
        assert!(
            answer.status == status || is_whole,
            "{method} {target}: {}",
            answer.status
        );
        if answer.status == 200 && method != http::Method::HEAD {
            assert!(answer.body == content(&target), "{target}");
        }
        received.requests += 1;
        received.octets += answer.body.len() as u64;
    }
    received
}

fn total(books: &[Books]) -> Received {
    Received {
        requests: books.iter().map(Books::requests).sum(),
        octets: books.iter().map(Books::egress).sum(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_mixed_requests_are_committed_exactly() {
    const REQUESTS: usize = 2_000;
    const VISITORS: usize = 8;
    let mut net = net(2, 2).await;
    let mut visits = Vec::new();
    for visitor in 0..VISITORS {
        let numbers: Vec<_> = (visitor..REQUESTS).step_by(VISITORS).collect();
        // Half of the visitors of each gateway speak HTTP/2.
        let client = net.visitor(visitor % 2);
        let client = if visitor % 4 < 2 {
            client
        } else {
            client.http2()
        };
        visits.push(tokio::spawn(visit(client, numbers)));
    }
    let mut received = Received::default();
    for visit in visits {
        let one = visit.await.unwrap();
        received.requests += one.requests;
        received.octets += one.octets;
    }
    assert_eq!(received.requests, REQUESTS as u64);
    net.settle().await;
    let books = net.roll().await;
    assert_eq!(total(&books), received);
    assert_eq!(
        books.iter().map(Books::origin).sum::<u64>(),
        net.origin.sent()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_leaf_is_public_adds_up_and_is_signed_by_its_cache() {
    let mut net = net(2, 2).await;
    for number in 0..60 {
        let client = net.visitor(number % 2);
        visit(client, vec![number]).await;
    }
    net.settle().await;
    let (genesis, prices) = (net.chain.genesis, net.chain.prices.prices);
    let (customer, service) = (net.site().customer, net.site().id);
    let books = net.roll().await;
    for (gateway, books) in net.gateways.iter().zip(&books) {
        let leaves = audit::leaves(gateway, books, customer, service, &prices).await;
        let of_entry = books.of_customer(CustomerEntryKey { customer, service });
        assert_eq!(of_entry, books.total(), "there is one customer");
        for cache in &net.caches {
            let own = |leaf: &&Leaf| leaf.body.cache == cache.device();
            let octets: u64 = leaves
                .iter()
                .filter(own)
                .map(|leaf| leaf.body.paid.of(UsageClass::EgressBytes))
                .sum();
            assert!(octets > 0, "{} was used", cache.name());
            assert_eq!(
                books
                    .of_cache(cache.device())
                    .paid
                    .of(UsageClass::EgressBytes),
                octets
            );
        }
        for leaf in &leaves {
            assert!(
                leaf.body.cache.is_none() || audit::is_signed(leaf, &genesis),
                "{leaf:?}"
            );
        }
        // What no cache may hold names none.
        assert!(leaves.iter().any(|leaf| leaf.body.cache.is_none()));

        let trees = audit::everything(gateway, books).await;
        assert_eq!(trees.leaves().len(), leaves.len());
        let mut auditor = Auditor {
            customer,
            service,
            prices,
            caches: net.caches.iter().map(|cache| cache.device()).collect(),
            genesis,
        };
        let commitment = &books.commitment;
        assert_eq!(find::<Keccak>(&trees, commitment, &auditor), Ok(None));
        // The same auditor finds what is not as the chain has it.
        auditor.caches.pop();
        let proof = find::<Keccak>(&trees, commitment, &auditor)
            .unwrap()
            .unwrap();
        assert_eq!(
            verify::<Keccak>(&proof, commitment, &auditor),
            Ok(Defect::UnassignedCache)
        );
    }
}

/// What the chain would tell an auditor.
struct Auditor {
    customer: Account,
    service: ServiceId,
    prices: Prices,
    caches: Vec<DeviceId>,
    genesis: GenesisHash,
}

impl Context for Auditor {
    fn terms(&self, service: ServiceId) -> Option<Terms> {
        (service == self.service).then_some(Terms {
            owner: self.customer,
            lease: u128::MAX,
            price_version: 1,
            prices: Some(self.prices),
            storage: u64::MAX,
        })
    }

    fn is_cache(&self, device: &DeviceId) -> bool {
        self.caches.contains(device)
    }

    fn is_signed(&self, leaf: &Leaf) -> bool {
        audit::is_signed(leaf, &self.genesis)
    }
}

/// Reads a part of a long download, leaves, and gives what was read.
async fn leave_early(client: &Client, target: &str, octets: usize) -> u64 {
    let mut line = client.connect().await.unwrap();
    let mut download = line.begin(Ask::get(target)).await.unwrap();
    assert_eq!(download.status, 200);
    let read = download.at_least(octets).await.unwrap();
    assert!(content(target)[..read.len()] == read);
    download.received
}

#[tokio::test(flavor = "multi_thread")]
async fn an_aborted_download_is_charged_within_the_octets_in_flight() {
    // Over HTTP/1.1 the peer's system has acknowledged what it buffers, here little; over HTTP/2
    // the connection has taken at most its own buffer, a window and a piece.
    const BUFFER: u32 = 64 * 1024;
    for (is_http2, in_flight) in [(false, 1 << 20), (true, 2 << 20)] {
        let mut net = net(1, 1).await;
        let target = "/long?len=30000000&cc=max-age=600";
        let client = net.visitor(0).receive_buffer(BUFFER);
        let client = if is_http2 { client.http2() } else { client };
        let mut received = 0;
        // From the origin, and then from the cache: a body of this length stays out of memory while
        // it comes.
        for octets in [3_000_000, 5_000_000] {
            received += leave_early(&client, target, octets).await;
            net.settle().await;
        }
        let books = net.roll().await.remove(0);
        let charged = books.egress();
        assert_eq!(books.requests(), 2);
        assert!(
            charged <= received + 2 * in_flight,
            "charged {charged}, received {received}, {is_http2}"
        );
        assert!(
            charged + 2 * in_flight >= received,
            "charged {charged}, received {received}, {is_http2}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_the_origin_breaks_off_is_charged_as_far_as_it_came() {
    // What was broken off before its head was read would be asked for again.
    let settings = Settings::default().set("gateway.origin_retry_percent", 0);
    let mut net = gateway(settings).await;
    let target = "/broken?len=500000&break=200000&cc=max-age=600";
    let (mut requests, mut octets) = (0, 0);
    for round in 1..=3 {
        let mut line = net.visitor(0).connect().await.unwrap();
        let mut download = line.begin(Ask::get(target)).await.unwrap();
        let mut read = Vec::new();
        while let Ok(Some(data)) = download.next().await {
            read.extend_from_slice(&data);
        }
        // The origin may be gone before the gateway has read the head of its answer.
        if download.status == 200 {
            assert!(content(target)[..read.len()] == read);
            requests += 1;
            octets += 200_000;
        } else {
            assert_eq!(download.status, 502);
        }
        assert_eq!(net.origin.count(target), round, "nothing of it was kept");
        net.settle().await;
        // Until the cache knows of the end, others would read along.
        net.landed().await;
    }
    let target = "/whole?len=1000";
    assert_eq!(net.visitor(0).get(target).await.status, 200);
    net.settle().await;
    let books = net.roll().await.remove(0);
    assert_eq!(books.requests(), requests + 1);
    assert!(books.egress() <= octets + 1_000, "{}", books.egress());
    assert!(books.origin() <= net.origin.sent() && books.origin() >= books.egress());
}
