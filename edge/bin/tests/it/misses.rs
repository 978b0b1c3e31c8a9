//! Misses that are in trouble: what may not be shared keeps nobody waiting, what broke is asked
//! again, what is late is asked elsewhere, and all of it has an end.

use crate::{by_the_standard, framing::raw_site_with, net, PROGRAM};
use selvedge_edge_tools_testkit::{
    content, raw_origin::Reply, wait_for, Ask, Net, Plan, RawOrigin, Settings,
};
use std::{
    collections::HashSet,
    sync::atomic::{AtomicUsize, Ordering},
};
use tokio::task::JoinHandle;

/// So many requests for a target at once, alternating between the gateways.
fn crowd(
    net: &Net,
    target: &str,
    count: usize,
    field: Option<(&str, &str)>,
) -> Vec<JoinHandle<()>> {
    let visit = |number: usize| {
        let visitor = net.visitor(number % net.gateways.len());
        let ask = Ask::get(target);
        let ask = match field {
            Some((name, value)) => ask.field(name, value),
            None => ask,
        };
        let expected = content(target);
        tokio::spawn(async move {
            let answer = visitor.ask(ask).await.unwrap();
            assert!(answer.status == 200 && answer.body == expected);
        })
    };
    (0..count).map(visit).collect()
}

async fn fetches(net: &Net, target: &str, count: usize) {
    wait_for(format!("{count} fetches of {target}"), || async {
        (net.origin.count(target) == count).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_shared_keeps_nobody_waiting() {
    let net = net(2, 1).await;
    // Nobody knows yet that it may not be shared: all wait for one head, and for nothing else.
    let target = "/mine?len=90000&pause=rest&at=40000&cc=no-store";
    let crowd_of_all = crowd(&net, target, 20, None);
    fetches(&net, target, 20).await;
    net.origin.open("rest");
    for visit in crowd_of_all {
        visit.await.unwrap();
    }
    // It is known: nobody waits even for a head.
    net.origin.close("rest");
    let known = "/mine?len=90000&hold=head&cc=private";
    let first = crowd(&net, known, 1, None);
    fetches(&net, known, 1).await;
    net.origin.open("head");
    for visit in first {
        visit.await.unwrap();
    }
    // Each gateway may have to learn it from the cache.
    net.origin.close("head");
    let later = crowd(&net, known, 20, None);
    fetches(&net, known, 21).await;
    net.origin.open("head");
    for visit in later {
        visit.await.unwrap();
    }
    let asked = net.caches[0].metrics().await;
    let leases = asked.sum("selvedge_cache_lookups_total", &[("answer", "lease")]);
    assert_eq!(leases, 2.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn those_with_credentials_wait_for_nobody_elses_answer() {
    let net = by_the_standard().await;
    let target = "/account?len=3000&hold=head&cc=max-age=600";
    let all = crowd(&net, target, 20, Some(("authorization", "Bearer x")));
    fetches(&net, target, 20).await;
    net.origin.open("head");
    for visit in all {
        visit.await.unwrap();
    }
}

/// Hangs up on the first so many requests for each target.
async fn hanging_up(times: usize) -> RawOrigin {
    let seen = AtomicUsize::new(0);
    RawOrigin::start(move |heard| {
        if seen.fetch_add(1, Ordering::AcqRel) < times {
            Reply::close("")
        } else {
            Reply::good(heard)
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_origin_hung_up_on_is_asked_again_over_another_connection() {
    for (ask, times, heard, status) in [
        (Ask::get("/a"), 1, 2, 200),
        (Ask::head("/a"), 2, 3, 200),
        (Ask::get("/a").field("cache-control", "no-store"), 1, 2, 200),
        // It may be the request's doing.
        (Ask::get("/a"), 3, 3, 502),
        // Twice is not the same as once.
        (Ask::post("/a", ""), 1, 1, 502),
        (Ask::post("/a", "body"), 1, 1, 502),
    ] {
        let origin = hanging_up(times).await;
        let net = raw_site_with(&origin, Settings::default()).await;
        let case = format!("{} {times}", ask.method);
        let visitor = net.gateways[0].visitor("raw.test");
        let answer = visitor.ask(ask).await.unwrap();
        assert_eq!(answer.status, status, "{case}: {}", answer.text());
        let asked = origin.heard();
        let connections: HashSet<_> = asked.iter().map(|heard| heard.connection).collect();
        assert_eq!((asked.len(), connections.len()), (heard, heard), "{case}");
        let metrics = net.gateways[0].metrics().await;
        let again = metrics.sum("selvedge_gateway_origin_retries_total", &[]);
        assert_eq!(again, heard as f64 - 1.0, "{case}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_never_sent_twice() {
    let origin = hanging_up(1).await;
    let net = raw_site_with(&origin, Settings::default()).await;
    let mut put = Ask::post("/a", "body");
    put.method = http::Method::PUT;
    let visitor = net.gateways[0].visitor("raw.test");
    assert_eq!(visitor.ask(put).await.unwrap().status, 502);
    assert_eq!(origin.heard().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_origin_in_trouble_is_not_asked_much_more_than_before() {
    const REQUESTS: usize = 300;
    for (percent, most) in [(20, 50 + REQUESTS / 5), (0, 0)] {
        let origin = hanging_up(usize::MAX).await;
        let settings = Settings::default().set("gateway.origin_retry_percent", percent);
        let net = raw_site_with(&origin, settings).await;
        let visitor = net.gateways[0].visitor("raw.test");
        for number in 0..REQUESTS {
            let answer = visitor.get(&format!("/{number}")).await;
            assert_eq!(answer.reason(), "origin-down", "{}", answer.text());
        }
        let more = origin.heard().len() - REQUESTS;
        assert!(more <= most && (more > 0) == (most > 0), "{more} of {most}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_takes_the_time_that_it_takes() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let settings = Settings::default().set("gateway.origin_head_seconds", 3);
    let net = crate::gateway(settings).await;
    let address = net.gateways[0].address("http");
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = "POST /slowly HTTP/1.1\r\nhost: site.test\r\ncontent-length: 16\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    // Longer in all than an origin may take for an answer.
    for octet in 0..16u8 {
        tokio::time::sleep(std::time::Duration::from_millis(400)).await;
        stream.write_all(&[octet]).await.unwrap();
    }
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    assert_eq!(net.origin.seen()[0].body, 16);
}

/// Asks until the cache is talked to again.
async fn is_asked(net: &Net, cache: usize, target: &str) {
    wait_for("a lookup", || async {
        let lookups = |metrics: selvedge_edge_tools_testkit::Metrics| {
            metrics.sum("selvedge_cache_lookups_total", &[])
        };
        let before = lookups(net.caches[cache].metrics().await);
        assert_eq!(net.visitor(0).get(target).await.status, 200);
        let after = lookups(net.caches[cache].metrics().await);
        (after > before).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_cache_is_not_waited_for_where_the_next_has_it_too() {
    // However busy the machine is, this one may ask.
    let settings = Settings::default().set("gateway.hedge_percent", 100);
    let plan = Plan {
        caches: 2,
        gateway: settings.set("gateway.memory_mib", 0),
        ..Plan::default()
    };
    let mut net = Net::start(PROGRAM, plan).await;
    let target = "/page?len=3000&cc=max-age=600";
    assert_eq!(net.visitor(0).get(target).await.status, 200);
    net.stored(1).await;
    let taken = net.caches[0].metrics().await;
    let taken = taken.sum("selvedge_cache_seeds_total", &[("answer", "taken")]);
    let first = if taken == 1.0 { 0 } else { 1 };
    // The next owner gets it while the first is away.
    net.caches[first].kill().await;
    assert_eq!(net.visitor(0).get(target).await.status, 200);
    net.stored_at(1 - first, 1).await;
    net.caches[first].start_again().await;
    net.push().await;
    is_asked(&net, first, target).await;
    for _ in 0..100 {
        assert_eq!(net.visitor(0).get(target).await.status, 200);
    }
    let before = net.origin.count(target);
    net.caches[first].stand_still().await;
    let answer = net.visitor(0).get(target).await;
    net.caches[first].signal("CONT").await;
    assert!(answer.status == 200 && answer.body == content(target));
    assert_eq!(net.origin.count(target), before, "from the next owner");
    let metrics = net.gateways[0].metrics().await;
    let won = metrics.sum("selvedge_gateway_hedges_won_total", &[]);
    assert!(won >= 1.0, "{won}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_for_an_answer_has_an_end_for_all_who_wait() {
    let settings = Settings::default().set("gateway.answer_seconds", 1);
    let plan = Plan {
        gateways: 2,
        gateway: settings,
        ..Plan::default()
    };
    let net = Net::start(PROGRAM, plan).await;
    for kind in ["cc=max-age=600", "cc=no-store"] {
        let target = format!("/slow?hold=never&{kind}");
        let visit = |number: usize| {
            let (visitor, target) = (net.visitor(number % 2), target.clone());
            tokio::spawn(async move { visitor.get(&target).await })
        };
        let all: Vec<_> = (0..4).map(visit).collect();
        for visit in all {
            let answer = visit.await.unwrap();
            assert_eq!(
                (answer.status.as_u16(), answer.reason().as_str()),
                (504, "origin-slow")
            );
        }
    }
    // The cache was not the reason, and is asked as before.
    let leases = || async {
        let metrics = net.caches[0].metrics().await;
        metrics.sum("selvedge_cache_lookups_total", &[("answer", "lease")])
    };
    let before = leases().await;
    for gateway in 0..2 {
        let target = format!("/quick/{gateway}?cc=max-age=600");
        assert_eq!(net.visitor(gateway).get(&target).await.status, 200);
    }
    assert_eq!(leases().await, before + 2.0);
}
