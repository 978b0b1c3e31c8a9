//! What a customer learns of its service while it is served: figures, and who may ask for them.

use crate::net;
use codec::Encode;
use selvedge_edge_tools_testkit::{chain, wait_for, Answer, Ask, Client, Daemon, Net, Site};
use selvedge_primitives_types::{Domain, Millis, ReadScope, ReadToken, ServiceId, SignedReadToken};
use serde_json::Value;
use std::collections::BTreeMap;

/// A token as it is shown, signed by a site's customer.
pub fn shown(net: &Net, signer: &Site, token: ReadToken) -> String {
    let signature = signer.sign(Domain::ReadToken, &net.chain.genesis, &token);
    let signed = SignedReadToken { token, signature };
    format!("Selvedge {}", hex(&signed.encode()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A token of the first site's customer for its service that counts now.
pub fn token(net: &Net, scope: ReadScope) -> String {
    let token = ReadToken {
        service: ServiceId(1),
        scope,
        expires: Millis(chain::now().0 + 600_000),
    };
    shown(net, &net.chain.sites[0], token)
}

/// The public server of a gateway.
pub fn public(gateway: &Daemon) -> Client {
    Client::new(gateway.address("audit"), "localhost")
}

/// Asks the public server, again while it says that an address asked too often.
pub async fn asked(gateway: &Daemon, ask: Ask) -> Answer {
    wait_for(format!("an answer to {}", ask.target), || async {
        let answer = public(gateway).ask(ask.clone()).await.unwrap();
        (answer.status != 429).then_some(answer)
    })
    .await
}

/// The figures of the first site at a gateway.
pub async fn figures(net: &Net, gateway: usize, window: &str) -> Value {
    let ask = Ask::get(format!("/analytics/v1/1?window={window}"))
        .field("authorization", &token(net, ReadScope::Analytics));
    let answer = asked(&net.gateways[gateway], ask).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    serde_json::from_slice(&answer.body).expect("JSON")
}

/// What the lines of an access log add up to: requests and bytes by source, requests by class.
type Sums = (BTreeMap<String, (u64, u64)>, BTreeMap<String, u64>);

fn sums(lines: &[Value]) -> Sums {
    let mut sums = Sums::default();
    for line in lines {
        let source = line["source"].as_str().unwrap().to_owned();
        let amounts = sums.0.entry(source).or_default();
        amounts.0 += 1;
        amounts.1 += line["bytes"].as_u64().unwrap();
        let class = format!("{}xx", line["status"].as_u64().unwrap() / 100);
        *sums.1.entry(class).or_default() += 1;
    }
    sums
}

/// The same of figures, without what is zero.
fn sums_of(figures: &Value) -> Sums {
    let number = |value: &Value| value.as_u64().expect("a number");
    let sources = figures["sources"].as_object().unwrap().iter();
    let sources = sources.map(|(name, amounts)| {
        let amounts = (number(&amounts["requests"]), number(&amounts["bytes"]));
        (name.clone(), amounts)
    });
    let classes = figures["statuses"].as_object().unwrap().iter();
    let classes = classes.map(|(name, count)| (name.clone(), number(count)));
    (
        sources.filter(|(_, amounts)| *amounts != (0, 0)).collect(),
        classes.filter(|(_, count)| *count > 0).collect(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_are_exact_at_each_gateway() {
    let mut net = net(2, 1).await;
    net.chain
        .sites
        .push(Site::numbered(2, "other.test", net.origin.url()));
    net.push().await;
    let kept = "/kept?len=3000&cc=max-age=600";
    let asks = [
        Ask::get(kept),
        Ask::get(kept).field("x-nobody-knows", "1"),
        Ask::get("/long?len=200000&cc=max-age=600"),
        Ask::get("/news?len=70&etag=1&cc=no-cache"),
        Ask::get("/gone?status=404&cc=no-store"),
        Ask::get("/broken?status=500"),
        Ask::get("/moved?status=301&to=/kept&cc=max-age=600"),
        Ask::get("/own?cc=private"),
        Ask::post("/form", "text"),
        Ask::head(kept),
        Ask::get(kept).field("cdn-loop", "selvedge"),
        Ask::get("/.well-known/selvedge/healthz"),
    ];
    let mut made = 0;
    for _ in 0..3 {
        for gateway in 0..2 {
            for ask in &asks {
                net.visitor(gateway).ask(ask.clone()).await.unwrap();
            }
            made += asks.len();
            net.gateways[gateway].visitor("other.test").get(kept).await;
        }
    }
    let mut all = 0;
    for (gateway, daemon) in net.gateways.iter().enumerate() {
        let lines = wait_for("a line of each request", || async {
            let lines = daemon.access_log();
            (lines.len() == made / 2 + 3).then_some(lines)
        })
        .await;
        let own = |line: &Value| line["service"] == 1;
        let lines: Vec<_> = lines.into_iter().filter(own).collect();
        // Health is nobody's, and what another site's visitors get is its own.
        assert_eq!(lines.len(), made / 2 - 3);
        let expected = sums(&lines);
        let found = wait_for("the same figures", || async {
            let found = figures(&net, gateway, "1h").await;
            (sums_of(&found) == expected).then_some(found)
        })
        .await;
        assert_eq!(found["requests"], lines.len());
        let bytes: u64 = expected.0.values().map(|(_, bytes)| bytes).sum();
        assert_eq!(found["bytes"], bytes);
        let hits = ["memory", "cache", "shared", "stale"].map(|name| expected.0.get(name));
        let hits: u64 = hits.iter().flatten().map(|(count, _)| count).sum();
        assert!(hits > 0, "{expected:?}");
        let asked = lines.len() as u64 - expected.0["own"].0;
        assert_eq!(found["hit_ratio"], hits as f64 / asked as f64);
        let times = &found["first_byte_us"];
        let buckets = times["buckets"].as_array().unwrap();
        let count: u64 = buckets
            .iter()
            .map(|bucket| bucket[2].as_u64().unwrap())
            .sum();
        assert_eq!(count, lines.len() as u64);
        let quantiles = ["p50", "p95", "p99"].map(|name| times[name].as_u64().unwrap());
        assert!(quantiles.is_sorted(), "{quantiles:?}");
        let period = &found["period"];
        assert!(period["from_ms"].as_u64() < period["to_ms"].as_u64());
        assert_eq!(found["gateway"], daemon.device().to_string());
        all += lines.len();
    }
    assert_eq!(all, made - 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_without_visitors_has_figures_too() {
    let net = net(1, 1).await;
    let found = figures(&net, 0, "10s").await;
    assert_eq!(
        (&found["requests"], &found["bytes"]),
        (&0.into(), &0.into())
    );
    assert!(found["hit_ratio"].is_null() && found["first_byte_us"]["p50"].is_null());
    let length = found["period"]["seconds"].as_f64().unwrap();
    assert!((0.0..=10.0).contains(&length), "{length}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_customer_reads_and_not_for_long() {
    let mut net = net(1, 1).await;
    let url = net.origin.url();
    net.chain.sites.push(Site::numbered(2, "other.test", url));
    net.push().await;
    let (own, other) = (&net.chain.sites[0], &net.chain.sites[1]);
    let good = ReadToken {
        service: ServiceId(1),
        scope: ReadScope::Analytics,
        expires: Millis(chain::now().0 + 600_000),
    };
    let until = |millis: u64| ReadToken {
        expires: Millis(millis),
        ..good
    };
    let of = |service: u64| ReadToken {
        service: ServiceId(service),
        ..good
    };
    let logs = ReadToken {
        scope: ReadScope::Logs,
        ..good
    };
    let ended = until(chain::now().0 - 1);
    let far = until(chain::now().0 + 2 * ReadToken::LONGEST.0);
    let cases = [
        (Some(shown(&net, own, good)), 200),
        (None, 401),
        (Some("Bearer 00".to_owned()), 401),
        (Some("Selvedge 0000".to_owned()), 401),
        (Some(shown(&net, own, ended)), 401),
        (Some(shown(&net, own, far)), 401),
        (Some(shown(&net, own, logs)), 403),
        (Some(shown(&net, other, good)), 403),
        (Some(shown(&net, other, of(2))), 403),
        (Some(shown(&net, own, of(9))), 403),
    ];
    for (number, (shown, status)) in cases.into_iter().enumerate() {
        let mut ask = Ask::get("/analytics/v1/1");
        if let Some(shown) = &shown {
            ask = ask.field("authorization", shown);
        }
        let answer = asked(&net.gateways[0], ask).await;
        assert_eq!(answer.status, status, "{number}: {}", answer.text());
        let scheme = answer.field("www-authenticate");
        let genesis = format!("Selvedge genesis=\"0x{}\"", hex(&net.chain.genesis));
        assert_eq!(scheme == genesis, status == 401, "{number}");
        assert_eq!(answer.field("cache-control"), "no-store");
    }
    // Nor does a token for figures open anything else.
    for target in ["/logs/v1/1", "/explain/v1/1?url=http://site.test/"] {
        let ask = Ask::get(target).field("authorization", &shown(&net, own, good));
        assert_eq!(asked(&net.gateways[0], ask).await.status, 403, "{target}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_makes_no_sense_is_told_so() {
    let net = net(1, 1).await;
    let gateway = &net.gateways[0];
    let shown = token(&net, ReadScope::Analytics);
    for (ask, status) in [
        (Ask::get("/analytics/v1/1?window=1d"), 400),
        (Ask::get("/analytics/v1/one"), 404),
        (Ask::post("/analytics/v1/1", ""), 405),
        (Ask::get("/analytics/v2/1"), 404),
    ] {
        let target = ask.target.clone();
        let answer = asked(gateway, ask.field("authorization", &shown)).await;
        assert_eq!(answer.status, status, "{target}: {}", answer.text());
    }
    let ask = Ask {
        method: http::Method::OPTIONS,
        ..Ask::get("/analytics/v1/1")
    };
    let answer = asked(gateway, ask).await;
    assert_eq!(answer.status, 204);
    assert!(answer
        .field("access-control-allow-headers")
        .contains("authorization"));
    assert_eq!(answer.field("access-control-allow-origin"), "*");
}
