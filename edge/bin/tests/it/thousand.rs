//! A thousand visitors who miss the same thing at once.

use crate::net;
use selvedge_edge_tools_testkit::{content, wait_for, Ask};

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_who_miss_at_once_on_two_gateways_are_one_fetch() {
    const ALONE: usize = 400;
    const SHARED: usize = 12;
    const EACH: usize = 50;
    let net = net(2, 2).await;
    let target = "/release?len=120000&hold=head&cc=max-age=600";
    let mut lines = Vec::new();
    for number in 0..ALONE {
        lines.push(net.visitor(number % 2).connect().await.unwrap());
    }
    for number in 0..SHARED {
        let first = net.visitor(number % 2).http2().connect().await.unwrap();
        lines.extend((1..EACH).map(|_| first.beside()));
        lines.push(first);
    }
    assert_eq!(lines.len(), 1_000);
    let ask = |mut line: selvedge_edge_tools_testkit::Line| {
        tokio::spawn(async move { line.ask(Ask::get(target)).await.unwrap() })
    };
    let asking: Vec<_> = lines.into_iter().map(ask).collect();
    wait_for("every request", || async {
        let mut running = 0.0;
        for gateway in &net.gateways {
            let metrics = gateway.metrics().await;
            running += metrics.gauge("selvedge_gateway_running_requests");
        }
        (running == 1_000.0).then_some(())
    })
    .await;
    net.origin.open("head");
    let expected = content(target);
    for answer in asking {
        let answer = answer.await.unwrap();
        assert!(answer.status == 200 && answer.body == expected);
    }
    assert_eq!(net.origin.count(target), 1);
}
