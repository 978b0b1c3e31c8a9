//! What a gateway says it would do is what it does.

use crate::insight::{asked, token};
use crate::{net, PROGRAM};
use selvedge_edge_tools_testkit::{wait_for, Ask, Net, Plan, Settings};
use selvedge_primitives_types::ReadScope;
use serde_json::{json, Value};

/// Explains a request to the first site at a gateway.
async fn explain(net: &Net, gateway: usize, ask: &Ask) -> Value {
    let fields = ask.fields.iter().map(|(name, value)| {
        let value = value.to_str().expect("text").into();
        (name.to_string(), value)
    });
    let question = json!({
        "url": format!("http://site.test{}", ask.target),
        "method": ask.method.as_str(),
        "fields": fields.collect::<serde_json::Map<String, Value>>(),
    });
    let ask = Ask::post("/explain/v1/1", question.to_string())
        .field("authorization", &token(net, ReadScope::Explain));
    let answer = asked(&net.gateways[gateway], ask).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    serde_json::from_slice(&answer.body).expect("JSON")
}

/// Outcome, source, and the rule's name.
fn now(said: &Value) -> (String, String, String) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let now = &said["now"];
    (
        text(&now["outcome"]),
        text(&now["source"]),
        text(&now["rule"]["name"]),
    )
}

fn expected(outcome: &str, source: &str, rule: &str) -> (String, String, String) {
    (outcome.to_owned(), source.to_owned(), rule.to_owned())
}

/// Asks for real, and gives the source in the access log.
async fn source(net: &Net, gateway: usize, ask: &Ask) -> String {
    let id = format!("ask-{}", net.gateways[gateway].access_log().len());
    let ask = ask.clone().field("x-request-id", &id);
    net.visitor(gateway).ask(ask).await.unwrap();
    let line = wait_for("its line", || async {
        let lines = net.gateways[gateway].access_log();
        lines.into_iter().find(|line| line["request_id"] == *id)
    })
    .await;
    line["source"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_miss_becomes_a_hit_and_asking_changes_neither() {
    let net = net(2, 1).await;
    let ask = Ask::get("/page?len=3000&cc=max-age=600");
    for _ in 0..3 {
        let said = explain(&net, 0, &ask).await;
        assert_eq!(now(&said), expected("fetch", "origin", "nothing-stored"));
        assert_eq!(said["key"], format!("http://site.test{}", ask.target));
        assert_eq!(said["memory"], json!([]));
        assert_eq!(said["owners"][0]["answer"], "nothing");
    }
    assert_eq!(net.origin.seen().len(), 0);
    assert_eq!(source(&net, 0, &ask).await, "origin");
    net.stored(1).await;
    let said = wait_for("a hit in memory", || async {
        let said = explain(&net, 0, &ask).await;
        (now(&said) == expected("hit", "memory", "fresh")).then_some(said)
    })
    .await;
    let entry = &said["memory"][0];
    assert_eq!(
        (&entry["status"], &entry["length"]),
        (&200.into(), &3_000.into())
    );
    assert_eq!(entry["is_chosen"], true);
    assert_eq!(entry["lifetime_from"], "max-age");
    let fresh = entry["fresh_for_s"].as_i64().unwrap();
    assert!((1..=600).contains(&fresh), "{fresh}");
    assert_eq!(entry["rule"]["section"], "RFC 9111 §4.2");
    assert_eq!(said["stored_afterwards"]["rule"]["name"], "storable");
    let said = explain(&net, 1, &ask).await;
    assert_eq!(now(&said), expected("hit", "cache", "fresh"));
    let owner = &said["owners"][0];
    assert_eq!(owner["cache"], net.caches[0].device().to_string());
    assert_eq!(owner["stored"]["length"], 3_000);
    let supplied = net.caches[0].metrics().await;
    let supplied = supplied.sum("selvedge_cache_supplied_bytes_total", &[]);
    assert_eq!(supplied, 0.0);
    // As said, past hyper and with it.
    assert_eq!(source(&net, 0, &ask).await, "memory");
    let doubtful = ask.clone().field("x-nobody-knows", "1");
    assert_eq!(source(&net, 0, &doubtful).await, "memory");
    assert_eq!(source(&net, 1, &ask).await, "cache");
    assert_eq!(net.origin.count(&ask.target), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_memory_the_owner_cache_answers() {
    let plan = Plan {
        gateway: Settings::default().set("gateway.memory_mib", 0),
        ..Plan::default()
    };
    let net = Net::start(PROGRAM, plan).await;
    let ask = Ask::get("/page?len=3000&cc=max-age=600");
    assert_eq!(source(&net, 0, &ask).await, "origin");
    net.stored(1).await;
    let said = explain(&net, 0, &ask).await;
    assert_eq!(now(&said), expected("hit", "cache", "fresh"));
    assert_eq!(said["memory"], json!([]));
    assert_eq!(source(&net, 0, &ask).await, "cache");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_stored_is_said_by_its_rule() {
    let net = net(1, 1).await;
    for (target, rule) in [
        ("/a?cc=private", "private"),
        ("/b?cc=no-store", "no-store"),
        ("/c?cookie=1&cc=max-age=600", "set-cookie"),
        ("/d?vary=*&cc=max-age=600", "vary-star"),
        ("/e", "useless"),
    ] {
        let ask = Ask::get(target);
        let said = explain(&net, 0, &ask).await;
        assert_eq!(now(&said), expected("fetch", "origin", "nothing-stored"));
        assert!(said["stored_afterwards"]["rule"].is_null(), "{said}");
        assert_eq!(source(&net, 0, &ask).await, "pass", "{target}");
        let said = explain(&net, 0, &ask).await;
        assert_eq!(now(&said), expected("forward", "pass", rule), "{target}");
        assert_eq!(said["stored_afterwards"]["rule"]["name"], rule);
        assert_eq!(source(&net, 0, &ask).await, "pass", "{target}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_was_told_to_pass_learns_why_from_the_origin() {
    let net = net(2, 1).await;
    let ask = Ask::get("/own?cc=private");
    for gateway in 0..2 {
        assert_eq!(source(&net, gateway, &ask).await, "pass");
        let said = explain(&net, gateway, &ask).await;
        assert_eq!(now(&said), expected("forward", "pass", "private"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_of_what_is_too_long_are_told() {
    let plan = Plan {
        gateway: Settings::default().set("gateway.max_object_mib", 1),
        ..Plan::default()
    };
    let net = Net::start(PROGRAM, plan).await;
    let ask =
        Ask::get("/film?len=3000000&ranges=1&etag=1&cc=max-age=600").field("range", "bytes=0-999");
    let said = explain(&net, 0, &ask).await;
    assert_eq!(now(&said), expected("fetch", "origin", "nothing-stored"));
    wait_for("a part in memory", || async {
        let made = source(&net, 0, &ask).await;
        let said = explain(&net, 0, &ask).await;
        (made == "memory" && now(&said) == expected("hit", "memory", "range")).then_some(())
    })
    .await;
    let said = explain(&net, 0, &ask).await;
    assert_eq!(said["memory"][0]["is_in_parts"], true);
    assert_eq!(said["memory"][0]["is_chosen"], false);
    let other = Ask::get(&ask.target).field("range", "bytes=5000-5999");
    let said = explain(&net, 0, &other).await;
    assert_eq!(now(&said), expected("fetch", "origin", "limit"));
    assert_eq!(source(&net, 0, &other).await, "origin");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_and_may_not_answer_is_said_by_its_rule() {
    let net = net(1, 1).await;
    let validated = Ask::get("/news?len=300&etag=1&cc=no-cache");
    let stale = Ask::get("/old?len=300&etag=1&cc=max-age=1,must-revalidate");
    let meanwhile = Ask::get("/swr?len=300&cc=max-age=1,stale-while-revalidate=600");
    for (number, ask) in [&validated, &stale, &meanwhile].into_iter().enumerate() {
        assert_eq!(source(&net, 0, ask).await, "origin");
        net.stored(number + 1).await;
    }
    for (ask, outcome) in [
        (&validated, expected("validate", "validated", "no-cache")),
        (&stale, expected("validate", "validated", "must-revalidate")),
        (
            &meanwhile,
            expected("stale", "memory", "stale-while-revalidate"),
        ),
    ] {
        wait_for(format!("{outcome:?}"), || async {
            (now(&explain(&net, 0, ask).await) == outcome).then_some(())
        })
        .await;
        assert_eq!(source(&net, 0, ask).await, outcome.1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_variant_for_others_is_told_apart() {
    let net = net(1, 1).await;
    let ask = Ask::get("/text?len=300&vary=accept-language&cc=max-age=600");
    let of = |language: &str| ask.clone().field("accept-language", language);
    assert_eq!(source(&net, 0, &of("de")).await, "origin");
    wait_for("a hit", || async {
        let said = explain(&net, 0, &of("de")).await;
        (now(&said) == expected("hit", "memory", "fresh")).then_some(())
    })
    .await;
    let said = explain(&net, 0, &of("fr")).await;
    assert_eq!(now(&said), expected("fetch", "origin", "nothing-stored"));
    let entry = &said["memory"][0];
    assert_eq!(entry["vary"], json!({ "accept-language": "de" }));
    assert_eq!(entry["is_for_this_request"], false);
    assert_eq!(entry["is_chosen"], false);
    assert_eq!(entry["rule"]["name"], "vary-mismatch");
    assert_eq!(source(&net, 0, &of("fr")).await, "origin");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_no_cache_answers_are_said_by_their_rule() {
    let net = net(1, 1).await;
    let target = "/page?len=300&cc=max-age=600";
    let get = || Ask::get(target);
    for (ask, rule) in [
        (Ask::post(target, "text"), "unsafe-method"),
        (get().field("authorization", "Basic eA=="), "authorization"),
        (get().field("cache-control", "no-store"), "request-no-store"),
        (get().field("if-match", "\"v1\""), "origin-precondition"),
    ] {
        let said = explain(&net, 0, &ask).await;
        assert_eq!(now(&said), expected("forward", "pass", rule));
        assert_eq!(said["stored_afterwards"]["rule"]["name"], rule);
        assert_eq!(source(&net, 0, &ask).await, "pass");
    }
    let only = get().field("cache-control", "only-if-cached");
    let said = explain(&net, 0, &only).await;
    assert_eq!(now(&said), expected("refuse", "own", "nothing-stored"));
    assert_eq!(source(&net, 0, &only).await, "own");
    let head = Ask::head(target);
    let said = explain(&net, 0, &head).await;
    assert_eq!(now(&said), expected("forward", "pass", "nothing-stored"));
    assert_eq!(source(&net, 0, &head).await, "pass");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_purged_is_gone() {
    let net = net(1, 1).await;
    let ask = Ask::get("/page?len=3000&cc=max-age=600");
    source(&net, 0, &ask).await;
    net.stored(1).await;
    net.gateways[0].purge(1).await;
    let said = explain(&net, 0, &ask).await;
    assert_eq!(now(&said), expected("fetch", "origin", "nothing-stored"));
    assert_eq!(said["owners"][0]["answer"], "nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_said_of_what_is_not_the_customers() {
    let mut net = net(1, 1).await;
    let url = net.origin.url();
    let other = selvedge_edge_tools_testkit::Site::numbered(2, "other.test", url);
    net.chain.sites.push(other);
    net.push().await;
    let shown = token(&net, ReadScope::Explain);
    for (url, status) in [
        ("http://site.test/page", 200),
        ("http://other.test/page", 400),
        ("ftp://site.test/", 400),
        ("/page", 400),
        ("http://me@site.test/", 400),
        ("nonsense%20", 400),
        ("http://nobody.test/", 200),
    ] {
        let ask = Ask::get(format!("/explain/v1/1?url={url}")).field("authorization", &shown);
        let answer = asked(&net.gateways[0], ask).await;
        assert_eq!(answer.status, status, "{url}: {}", answer.text());
        if url.contains("nobody") {
            assert!(answer.text().contains("unknown-host"), "{}", answer.text());
        }
    }
    for body in [
        "",
        "{}",
        "{\"url\":1}",
        "{\"url\":\"http://site.test/\",\"x\":1}",
    ] {
        let ask = Ask::post("/explain/v1/1", body).field("authorization", &shown);
        assert_eq!(asked(&net.gateways[0], ask).await.status, 400, "{body}");
    }
}
