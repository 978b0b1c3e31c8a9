//! What is stored, for whom, and for how long, seen from outside.

use crate::{by_the_standard, net, PROGRAM};
use selvedge_edge_tools_testkit::{
    content, script::content_of, wait_for, Answer, Ask, Net, Plan, Settings,
};

async fn get(net: &Net, gateway: usize, ask: Ask) -> Answer {
    let target = ask.target.clone();
    let answer = net.visitor(gateway).ask(ask).await;
    answer.unwrap_or_else(|error| panic!("{target}: {error:#}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_heads_and_conditions_are_answered_from_what_is_stored() {
    let net = net(2, 1).await;
    let target = "/file?len=50000&cc=max-age=600&etag=1";
    let whole = content(target);
    assert!(net.visitor(0).get(target).await.body == whole);
    net.stored(1).await;
    for gateway in 0..2 {
        let part = get(
            &net,
            gateway,
            Ask::get(target).field("range", "bytes=20000-20999"),
        )
        .await;
        assert_eq!(part.status, 206);
        assert!(part.body == whole[20_000..21_000]);
        assert_eq!(part.field("content-range"), "bytes 20000-20999/50000");
        let end = get(&net, gateway, Ask::get(target).field("range", "bytes=-10")).await;
        assert!(end.body == whole[49_990..]);
        let beyond = get(
            &net,
            gateway,
            Ask::get(target).field("range", "bytes=50000-"),
        )
        .await;
        assert_eq!((beyond.status.as_u16(), beyond.body.len()), (416, 0));
        let head = get(&net, gateway, Ask::head(target)).await;
        assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
        assert_eq!(head.field("content-length"), "50000");
        let same = get(
            &net,
            gateway,
            Ask::get(target).field("if-none-match", "\"v1\""),
        )
        .await;
        assert_eq!((same.status.as_u16(), same.body.len()), (304, 0));
        assert_eq!(same.field("etag"), "\"v1\"");
    }
    assert_eq!(net.origin.count(target), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_for_one_visitor_is_never_stored() {
    let net = net(2, 1).await;
    for target in [
        "/a?cc=no-store",
        "/b?cc=private",
        "/c?cookie=1&cc=max-age=600",
        "/d?vary=*&cc=max-age=600",
        "/e",
    ] {
        for round in 0..4 {
            let answer = net.visitor(round % 2).get(target).await;
            assert_eq!(answer.body, content(target), "{target}");
            if target.starts_with("/c") {
                assert_eq!(answer.field("set-cookie"), format!("visitor={round}"));
            }
        }
        assert_eq!(net.origin.count(target), 4, "{target}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_that_are_private_reach_who_asked_and_the_rest_is_shared() {
    let net = net(2, 1).await;
    let target = "/shop?len=3000&cookie=1&withhold=set-cookie&cc=max-age=600";
    let first = net.visitor(0).get(target).await;
    assert_eq!(first.field("set-cookie"), "visitor=0");
    net.stored(1).await;
    for gateway in [0, 1, 1] {
        let answer = net.visitor(gateway).get(target).await;
        assert!(answer.body == content(target));
        assert!(!answer.fields.contains_key("set-cookie"));
    }
    assert_eq!(net.origin.count(target), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_to_cdns_alone_counts_before_what_is_said_to_all() {
    let net = net(2, 1).await;
    let kept = "/kept?len=3000&cdn=max-age=600&cc=no-store";
    let passed = "/passed?len=3000&cdn=no-store&cc=max-age=600";
    for (target, fetched) in [(kept, 1), (passed, 3)] {
        for gateway in [0, 1, 0] {
            let answer = net.visitor(gateway).get(target).await;
            assert!(answer.body == content(target));
        }
        assert_eq!(net.origin.count(target), fetched, "{target}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_stale_meanwhile_is_renewed_once_and_nobody_waits() {
    for memory in [256, 0] {
        let plan = Plan {
            gateways: 2,
            gateway: Settings::default().set("gateway.memory_mib", memory),
            ..Plan::default()
        };
        let net = Net::start(PROGRAM, plan).await;
        let target = "/news?len=3000&etag=1&hold=desk&cc=max-age=1,stale-while-revalidate=600";
        net.origin.open("desk");
        assert!(net.visitor(0).get(target).await.body == content(target));
        net.stored(1).await;
        net.origin.publish(2);
        net.origin.close("desk");
        wait_for("a stale answer", || async {
            let answer = net.visitor(0).get(target).await;
            assert!(answer.body == content(target));
            let said = answer.field("cache-status");
            said.contains("stale-while-revalidate").then_some(())
        })
        .await;
        wait_for("the origin to be asked", || async {
            (net.origin.count(target) == 2).then_some(())
        })
        .await;
        let renewal = net.origin.seen().pop().expect("it was asked");
        assert_eq!(renewal.fields["if-none-match"], "\"v1\"");
        // It keeps the one who renews waiting, and nobody else.
        for round in 0..20 {
            let answer = net.visitor(round % 2).get(target).await;
            assert!(answer.body == content(target), "{round} {memory}");
        }
        assert_eq!(net.origin.count(target), 2, "{memory}");
        net.origin.open("desk");
        wait_for("the next version", || async {
            let answer = net.visitor(0).get(target).await;
            (answer.body == content_of(target, &[], 2)).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn by_the_standard_a_visitors_secret_keeps_others_from_nothing() {
    let net = by_the_standard().await;
    let secret = |target: &str| Ask::get(target).field("authorization", "Bearer 1");
    let own = "/own?len=3000&cc=max-age=600";
    for round in 0..3 {
        get(&net, round % 2, secret(own)).await;
        get(&net, round % 2, Ask::get(own)).await;
        net.stored(1).await;
    }
    let seen = net.origin.seen();
    let secrets = seen
        .iter()
        .filter(|seen| seen.fields.contains_key("authorization"));
    assert_eq!((secrets.count(), seen.len()), (3, 4));
    let common = "/common?len=3000&cc=public,max-age=600";
    get(&net, 0, secret(common)).await;
    net.stored(2).await;
    for round in 0..4 {
        let ask = if round < 2 {
            Ask::get(common)
        } else {
            secret(common)
        };
        get(&net, round % 2, ask).await;
    }
    assert_eq!(net.origin.count(common), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_pass_by_and_are_seen_by_the_origin_alone() {
    let net = net(2, 1).await;
    let target = "/account?cc=public,max-age=600";
    for round in 0..4 {
        let secret = format!("Bearer {round}");
        get(
            &net,
            round % 2,
            Ask::get(target).field("authorization", &secret),
        )
        .await;
    }
    let seen = net.origin.seen();
    let shown: Vec<_> = seen
        .iter()
        .map(|seen| seen.fields["authorization"].to_str().unwrap())
        .collect();
    assert_eq!(shown, ["Bearer 0", "Bearer 1", "Bearer 2", "Bearer 3"]);
    let lookups = net.caches[0]
        .metrics()
        .await
        .sum("selvedge_cache_lookups_total", &[]);
    assert_eq!(lookups, 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_variant_is_given_to_those_it_is_for() {
    let net = net(2, 1).await;
    let target = "/text?len=3000&vary=accept-language&cc=max-age=600";
    for round in 0..3 {
        for (gateway, language) in [(0, "de"), (1, "fr"), (1, "de"), (0, "fr")] {
            let answer = get(
                &net,
                gateway,
                Ask::get(target).field("accept-language", language),
            )
            .await;
            assert!(
                answer.body == content_of(target, language.as_bytes(), 1),
                "{round} {gateway} {language}"
            );
        }
    }
    assert_eq!(net.origin.count(target), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_response_is_validated_and_not_fetched_again() {
    let net = net(2, 1).await;
    let target = "/news?len=90000&etag=1&cc=no-cache";
    let whole = content(target);
    for gateway in [0, 0, 1, 1] {
        assert!(net.visitor(gateway).get(target).await.body == whole);
        net.stored(1).await;
    }
    let conditional = |seen: &selvedge_edge_tools_testkit::origin::Seen| {
        seen.fields.contains_key("if-none-match")
    };
    let seen = net.origin.seen();
    assert_eq!(seen.iter().filter(|seen| !conditional(seen)).count(), 1);
    assert_eq!(seen.iter().filter(|seen| conditional(seen)).count(), 3);
    assert_eq!(net.origin.sent(), 90_000);
    net.origin.publish(2);
    for gateway in 0..2 {
        assert!(net.visitor(gateway).get(target).await.body == content_of(target, &[], 2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsafe_request_makes_what_is_stored_invalid() {
    let net = net(1, 1).await;
    let target = "/thing?len=3000&cc=max-age=600";
    assert!(net.visitor(0).get(target).await.body == content(target));
    net.origin.publish(2);
    assert!(
        net.visitor(0).get(target).await.body == content(target),
        "still fresh"
    );
    let posted = get(&net, 0, Ask::post(target, "change")).await;
    assert_eq!(posted.status, 200);
    assert_eq!(net.origin.seen().last().unwrap().body, 6);
    assert!(net.visitor(0).get(target).await.body == content_of(target, &[], 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_purged_is_never_served_again() {
    let net = net(2, 1).await;
    let target = "/thing?len=3000&cc=max-age=600";
    assert!(net.visitor(0).get(target).await.body == content(target));
    net.stored(1).await;
    net.origin.publish(2);
    net.gateways[1].purge(1).await;
    assert!(net.visitor(1).get(target).await.body == content_of(target, &[], 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_outlives_a_restart_of_who_purged() {
    let mut net = net(1, 1).await;
    let target = "/thing?len=3000&cc=max-age=600";
    assert!(net.visitor(0).get(target).await.body == content(target));
    net.stored(1).await;
    net.origin.publish(2);
    net.gateways[0].purge(1).await;
    // Before any cache has heard of it.
    net.gateways[0].kill().await;
    net.gateways[0].start_again().await;
    assert!(net.visitor(0).get(target).await.body == content_of(target, &[], 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_response_outlives_its_origin_only_where_it_may() {
    let mut net = net(1, 1).await;
    let kept = "/kept?len=3000&etag=1&cc=max-age=0,stale-if-error=600";
    let strict = "/strict?len=3000&etag=1&cc=max-age=0,must-revalidate";
    for target in [kept, strict] {
        assert_eq!(net.visitor(0).get(target).await.status, 200);
    }
    net.origin = selvedge_edge_tools_testkit::Origin::start().await;
    let stale = net.visitor(0).get(kept).await;
    assert_eq!(stale.status, 200);
    assert!(stale.body == content(kept));
    let refused = net.visitor(0).get(strict).await;
    assert_eq!(
        (refused.status.as_u16(), refused.reason().as_str()),
        (502, "origin-down")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_under_way_when_it_became_invalid_is_not_served_afterwards() {
    let net = net(2, 1).await;
    for change in ["post", "purge"] {
        let target = format!("/thing?len=90000&pause={change}&at=40000&cc=max-age=600");
        let mut line = net.visitor(0).connect().await.unwrap();
        let mut download = line.begin(Ask::get(&target)).await.unwrap();
        download.at_least(40_000).await.unwrap();
        net.origin.publish(2);
        if change == "post" {
            // Only bodies wait at the gate, so the change is made while the fetch is under way.
            let mut line = net.visitor(0).connect().await.unwrap();
            let posted = line.begin(Ask::post(&target, "change")).await.unwrap();
            assert_eq!(posted.status, 200);
            net.origin.open(change);
            posted.whole().await.unwrap();
        } else {
            net.gateways[0].purge(1).await;
            net.origin.open(change);
        }
        // Whoever asked before may have what was right when it asked.
        download.whole().await.unwrap();
        net.settle().await;
        net.landed().await;
        net.invalidated().await;
        for gateway in [0, 1] {
            let answer = net.visitor(gateway).get(&target).await;
            assert!(
                answer.body == content_of(&target, &[], 2),
                "{change} at {gateway}"
            );
        }
        net.origin.publish(1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_who_wants_only_what_is_stored_gets_that_or_a_504() {
    let net = net(2, 1).await;
    let target = "/page?cc=max-age=600";
    let only = || Ask::get(target).field("cache-control", "only-if-cached");
    for gateway in 0..2 {
        let answer = get(&net, gateway, only()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.reason().as_str()),
            (504, "not-stored")
        );
    }
    assert_eq!(net.visitor(0).get(target).await.status, 200);
    net.stored(1).await;
    for gateway in 0..2 {
        assert_eq!(get(&net, gateway, only()).await.status, 200);
    }
    assert_eq!(net.origin.count(target), 1);
}
