//! Nothing is served beyond a lease, and nothing is charged for saying so.

use crate::net;
use selvedge_edge_tools_testkit::{content, wait_for, Answer, Ask, Net, Site};
use selvedge_primitives_types::{agent::ServiceState, Sum, Usage, UsageClass};

/// A plain refusal: status, reason, words for people, JSON for programs, and when to come back.
async fn is_refused(net: &Net, host: &str, status: u16, reason: &str, words: &str) {
    for gateway in &net.gateways {
        let visitor = gateway.visitor(host);
        let page = visitor.get("/page?len=10").await;
        assert_eq!(
            (page.status.as_u16(), page.reason().as_str()),
            (status, reason)
        );
        assert!(page.field("content-type").starts_with("text/html"));
        assert!(page.text().contains(words), "{}", page.text());
        assert!(page.text().contains(&page.field("x-request-id")));
        assert_eq!(page.field("cache-control"), "no-store");
        assert_eq!(
            page.field("retry-after").is_empty(),
            status != 503,
            "{}",
            page.field("retry-after")
        );
        let ask = Ask::get("/page?len=10").field("accept", "application/json");
        let program = visitor.ask(ask).await.unwrap();
        let said: serde_json::Value = serde_json::from_slice(&program.body).unwrap();
        assert_eq!(said["reason"], reason);
        assert_eq!(said["status"], status);
        let head = visitor.ask(Ask::head("/page?len=10")).await.unwrap();
        assert_eq!((head.status.as_u16(), head.body.len()), (status, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_served_says_so_and_is_free() {
    let mut net = net(1, 1).await;
    let url = net.origin.url();
    for (id, host, state) in [
        (2, "paused.test", ServiceState::Paused),
        (3, "suspended.test", ServiceState::Suspended),
    ] {
        net.chain.sites.push(Site {
            state,
            ..Site::numbered(id, host, url.clone())
        });
    }
    net.chain.sites.push(Site {
        cap: 0,
        ..Site::numbered(4, "spent.test", url)
    });
    net.push().await;
    is_refused(&net, "paused.test", 503, "paused", "paused").await;
    is_refused(&net, "suspended.test", 503, "suspended", "suspended").await;
    is_refused(&net, "spent.test", 503, "allowance-used-up", "allowance").await;
    is_refused(&net, "nobody.test", 404, "unknown-host", "No site").await;
    assert!(
        net.origin.seen().is_empty(),
        "an origin learns nothing of what is not served"
    );

    assert_eq!(net.visitor(0).get("/page?len=10").await.status, 200);
    let books = net.roll().await.remove(0);
    assert_eq!(
        (books.requests(), books.egress(), books.customers.len()),
        (1, 10, 1)
    );
}

/// What is free comes first, is counted apart and charged to nobody.
#[tokio::test(flavor = "multi_thread")]
async fn the_free_buffer_is_used_before_the_allowance() {
    let mut net = net(1, 1).await;
    net.site().free = Usage::ZERO
        .with(UsageClass::Requests, 2)
        .with(UsageClass::EgressBytes, 25);
    net.push().await;
    for _ in 0..3 {
        assert_eq!(net.visitor(0).get("/page?len=10").await.status, 200);
    }
    let books = net.roll().await.remove(0);
    let Sum { paid, free, .. } = books.total();
    let of = |usage: &Usage| {
        let octets = usage.of(UsageClass::EgressBytes);
        (usage.of(UsageClass::Requests), octets)
    };
    assert_eq!((of(&free), of(&paid)), ((2, 25), (1, 5)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_paused_and_goes_on_follows_the_chain() {
    let mut net = net(1, 1).await;
    let target = "/page?len=10&cc=max-age=600";
    assert_eq!(net.visitor(0).get(target).await.status, 200);
    for (state, status) in [
        (ServiceState::Paused, 503),
        (ServiceState::Active, 200),
        (ServiceState::Suspended, 503),
        (ServiceState::Active, 200),
    ] {
        net.site().state = state;
        net.push().await;
        assert_eq!(net.visitor(0).get(target).await.status, status, "{state:?}");
    }
}

async fn until_refused(net: &Net, gateway: usize, length: u64) -> (u64, u64, Answer) {
    let visitor = net.visitor(gateway);
    let mut line = visitor.connect().await.unwrap();
    let (mut requests, mut octets) = (0, 0);
    loop {
        let target = format!("/page/{}?len={length}&cc=max-age=600", requests % 5);
        match line.ask(Ask::get(&target)).await {
            Ok(answer) if answer.status == 200 => {
                assert!(answer.body == content(&target));
                requests += 1;
                octets += length;
            }
            Ok(answer) => return (requests, octets, answer),
            // Cut off at the end of the lease.
            Err(_) => line = visitor.connect().await.unwrap(),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_gateways_under_one_cap_serve_no_more_than_it() {
    const CAP: u128 = 3_000_000;
    const VISITORS: usize = 6;
    let mut net = net(2, 2).await;
    net.site().cap = CAP;
    net.push().await;
    let lease = net.chain.lease(&net.chain.sites[0].clone());
    let net = &net;
    let visits = (0..VISITORS).map(|number| until_refused(net, number % 2, 20_000));
    let visits = futures::future::join_all(visits).await;
    for (_, _, refused) in &visits {
        assert_eq!(
            (refused.status.as_u16(), refused.reason().as_str()),
            (503, "allowance-used-up")
        );
        let wait: u64 = refused.field("retry-after").parse().unwrap();
        assert!((1..=3_600).contains(&wait));
    }
    let requests: u64 = visits.iter().map(|visit| visit.0).sum();
    let octets: u64 = visits.iter().map(|visit| visit.1).sum();
    // 10 planck a request and half a planck an octet, as the test chain's price list says. Whole
    // answers only: what was cut off is within the lease too, and the leaf is rounded down.
    let served = u128::from(requests) * 10 + u128::from(octets) / 2;
    assert!(served <= CAP, "{served}");
    assert!(
        served > CAP / 2,
        "a cap that is not used says nothing: {served}"
    );

    let mut chain = net.chain.clone();
    let epoch = chain.epoch;
    chain.roll();
    for gateway in &net.gateways {
        chain.push(gateway).await;
    }
    let mut sum = 0;
    for gateway in &net.gateways {
        let books = chain.books(gateway, epoch).await;
        assert!(
            books.total().amount <= lease,
            "{} of {lease}",
            books.total().amount
        );
        sum += books.total().amount;
    }
    assert!(
        sum <= CAP && sum >= served - 2 * 1_000,
        "committed {sum}, served {served}"
    );
    // A new epoch, a new allowance.
    assert_eq!(
        net.visitor(0)
            .get("/page/0?len=20000&cc=max-age=600")
            .await
            .status,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_response_ends_with_the_lease() {
    // One connection's system buffers, a piece of a body, and the MiB between two looks at the
    // lease.
    const SLACK: u64 = 4 << 20;
    let mut net = net(1, 1).await;
    // Egress and origin octets of 8 MiB.
    let covered: u64 = 8 << 20;
    net.site().cap = u128::from(covered) * 3 / 4;
    net.push().await;
    let lease = net.chain.lease(&net.chain.sites[0].clone());
    for target in [
        "/long?len=40000000&cc=max-age=600",
        "/long?len=40000000&chunked=1&cc=no-store",
    ] {
        let mut line = net.visitor(0).connect().await.unwrap();
        let begun = line.begin(Ask::get(target)).await.unwrap();
        let expected = content(target);
        let (mut download, mut octets) = (begun, 0);
        if download.status == 503 {
            continue;
        }
        while let Ok(Some(data)) = download.next().await {
            assert!(expected[octets..octets + data.len()] == data);
            octets += data.len();
        }
        assert!((octets as u64) < covered + SLACK, "{octets}");
    }
    // What was set aside for them and not used is free again, and suffices for a little more.
    wait_for("a refusal", || async {
        let ask = Ask::get("/next?len=3000000");
        let answer = net.visitor(0).ask(ask).await.ok()?;
        (answer.reason() == "allowance-used-up").then_some(())
    })
    .await;
    let books = net.roll().await.remove(0);
    assert!(
        books.total().amount <= lease,
        "{} of {lease}",
        books.total().amount
    );
    assert!(books.egress() > 1 << 20);
}
