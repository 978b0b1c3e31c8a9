//! What `Server-Timing` tells, and which answers have one.

use crate::gateway;
use selvedge_edge_tools_testkit::{wait_for, Answer, Ask, Net, Settings};

/// The names of an answer's timings with what stands behind `desc=`; every `dur=` is a number.
fn told(answer: &Answer) -> Vec<String> {
    let field = answer.field("server-timing");
    let members = field.split(", ").filter(|member| !member.is_empty());
    members
        .map(|member| {
            let (name, parameter) = member.split_once(';').expect("a parameter");
            match parameter.split_once('=').expect("a value") {
                ("desc", text) => format!("{name} {text}"),
                ("dur", number) => {
                    assert!(number.parse::<f64>().is_ok(), "{member}");
                    name.to_owned()
                }
                _ => panic!("{member}"),
            }
        })
        .collect()
}

/// A plain hit and a doubtful one.
async fn hits(net: &Net, target: &str) -> [Answer; 2] {
    let doubtful = Ask::get(target).field("x-nobody-knows", "1");
    wait_for("a hit", || async {
        let answer = net.visitor(0).ask(doubtful.clone()).await.unwrap();
        let is_hit = answer
            .field("cache-status")
            .contains("selvedge-gateway\"; hit");
        is_hit.then_some(())
    })
    .await;
    let plain = net.visitor(0).get(target).await;
    [plain, net.visitor(0).ask(doubtful).await.unwrap()]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_hit_in_memory_tells_what_took_how_long() {
    let net = gateway(Settings::default()).await;
    let target = "/page?len=300&cc=max-age=600";
    let fetched = net.visitor(0).get(target).await;
    assert_eq!(told(&fetched), ["cache origin", "origin", "edge"]);
    for answer in hits(&net, target).await {
        assert!(told(&answer).is_empty(), "{:?}", answer.fields);
    }
    let passed = net.visitor(0).get("/own?cc=private").await;
    assert_eq!(told(&passed), ["cache pass", "origin", "edge"]);
    let only = Ask::get("/other").field("cache-control", "only-if-cached");
    let refused = net.visitor(0).ask(only).await.unwrap();
    assert_eq!(told(&refused), ["cache own", "edge"]);
    let health = net.visitor(0).get("/.well-known/selvedge/healthz").await;
    assert!(told(&health).is_empty());
    // Nobody learns where the origin is.
    let origin = net.origin.address().to_string();
    for answer in [&fetched, &passed] {
        assert!(!format!("{:?}", answer.fields).contains(&origin));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_answers_tell_or_none_where_the_operator_says_so() {
    for (setting, hit, fetch) in [
        (
            "all",
            &["cache memory", "edge"][..],
            &["cache origin", "origin", "edge"][..],
        ),
        ("off", &[][..], &[][..]),
    ] {
        let net = gateway(Settings::default().set("gateway.server_timing", setting)).await;
        let target = "/page?len=300&cc=max-age=600";
        assert_eq!(told(&net.visitor(0).get(target).await), fetch, "{setting}");
        for answer in hits(&net, target).await {
            assert_eq!(told(&answer), hit, "{setting}");
        }
        let metrics = net.gateways[0].metrics().await;
        assert!(metrics.sum("selvedge_gateway_hits_total", &[]) > 0.0);
        let visitor = net.visitor(0).http2();
        let answer = visitor.ask(Ask::get(target)).await.unwrap();
        assert_eq!(told(&answer), hit, "{setting}");
    }
}
