//! Origins that state a digest of what they send (`Repr-Digest`, RFC 9530).

use crate::net;
use selvedge_edge_tools_testkit::{content, script::content_of, Ask, Net};

async fn altered(net: &Net, gateway: usize) -> u64 {
    let metrics = net.gateways[gateway].metrics().await;
    metrics.gauge("selvedge_gateway_origin_altered_total") as u64
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_matches_its_digest_is_shared() {
    let net = net(2, 1).await;
    for target in [
        "/short?digest=1&cc=max-age=600",
        "/long?digest=1&len=3000000&cc=max-age=600",
        "/unknown?digest=1&len=700000&chunked=1&cc=max-age=600",
    ] {
        for visitor in [net.visitor(0), net.visitor(1), net.visitor(0)] {
            let answer = visitor.get(target).await;
            assert_eq!(answer.status, 200, "{target}");
            assert!(answer.body == content(target), "{target}");
            net.landed().await;
        }
        assert_eq!(net.origin.count(target), 1, "{target}");
    }
    assert_eq!(altered(&net, 0).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_body_that_was_altered_is_an_error_and_nobody_keeps_it() {
    let net = net(2, 1).await;
    let target = "/page?digest=1&flip=50&len=20000&cc=max-age=600";
    for gateway in [0, 1] {
        let answer = net.visitor(gateway).get(target).await;
        let said = (answer.status.as_u16(), answer.reason());
        assert_eq!(said, (502, "origin-altered".to_owned()));
        assert_eq!(altered(&net, gateway).await, 1);
    }
    net.origin.publish(2);
    let right = content_of(target, &[], 2);
    for gateway in [0, 1] {
        // For a second nobody waits for anybody, since the origin fails.
        let answer = net.visitor(gateway).get(target).await;
        assert_eq!(answer.status, 200);
        assert!(answer.body == right);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_body_that_was_altered_ends_early_and_nobody_keeps_it() {
    let net = net(2, 1).await;
    for target in [
        "/film?digest=1&flip=77&len=5000000&cc=max-age=600",
        "/feed?digest=1&flip=77&len=5000000&chunked=1&cc=max-age=600",
    ] {
        let mut line = net.visitor(0).connect().await.unwrap();
        let download = line.begin(Ask::get(target)).await.unwrap();
        assert!(download.whole().await.is_err(), "{target}");
        net.landed().await;
    }
    assert_eq!(altered(&net, 0).await, 2);
    net.origin.publish(2);
    for target in [
        "/film?digest=1&flip=77&len=5000000&cc=max-age=600",
        "/feed?digest=1&flip=77&len=5000000&chunked=1&cc=max-age=600",
    ] {
        let right = content_of(target, &[], 2);
        for gateway in [1, 0] {
            assert!(
                net.visitor(gateway).get(target).await.body == right,
                "{target}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_response_answers_in_place_of_an_altered_one() {
    let net = net(1, 1).await;
    net.origin.publish(2);
    let target = "/page?digest=1&flip=5&cc=max-age=0,stale-if-error=600";
    let right = content_of(target, &[], 2);
    assert!(net.visitor(0).get(target).await.body == right);
    net.landed().await;
    net.origin.publish(1);
    let answer = net.visitor(0).get(target).await;
    assert_eq!(answer.status, 200);
    assert!(answer.body == right);
    assert_eq!(altered(&net, 0).await, 1);
}
