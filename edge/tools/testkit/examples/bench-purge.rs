//! Measures purges of a network of real nodes for `scripts/bench-purge.sh`.
//!
//! ```text
//! bench-purge PROGRAM GATEWAYS CACHES PURGES
//! ```
//!
//! Starts the nodes, puts a page into the memory of every gateway, and purges it again and again: the
//! time from the first byte of a customer's request to the receipt that every node has acknowledged
//! the purge, on disk. After each purge the page is asked for at a gateway, which must have the new
//! version. Prints one line of JSON.

use selvedge_edge_tools_testkit::{
    purge::{check, receipt, Purge},
    script::content_of,
    Net, Plan,
};
use selvedge_primitives_types::PurgeKind;
use serde_json::json;
use std::{path::PathBuf, time::Instant};

/// Purges before the ones that are measured: connections are made, files opened.
const WARM_UP: usize = 5;

#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip(1);
    let mut next = |name: &str| args.next().unwrap_or_else(|| panic!("{name} is missing"));
    let program = PathBuf::from(next("PROGRAM"));
    let mut number = |name: &str| -> usize { next(name).parse().expect("a number") };
    let (gateways, caches) = (number("GATEWAYS"), number("CACHES"));
    let purges = number("PURGES");
    let plan = Plan {
        gateways,
        caches,
        ..Plan::default()
    };
    let net = Net::start(program, plan).await;
    let target = "/page?len=1000&cc=max-age=600";
    let mut version = 1;
    let mut times = Vec::with_capacity(purges);
    let mut partial = 0;
    for turn in 0..WARM_UP + purges {
        for gateway in 0..gateways {
            let answer = net.visitor(gateway).get(target).await;
            assert!(answer.body == content_of(target, &[], version));
        }
        version += 1;
        net.origin.publish(version);
        let url = format!("http://site.test{target}").into_bytes();
        let purge = Purge::hard(&net.chain, PurgeKind::Url(url));
        let begun = Instant::now();
        let answer = purge.send(&net.gateways[turn % gateways]).await;
        let took = begun.elapsed();
        let receipt = receipt(&answer);
        check(&receipt, &net.chain).expect("a receipt that verifies");
        if turn < WARM_UP {
            continue;
        }
        if receipt.missing.is_empty() {
            times.push(took.as_secs_f64() * 1_000.0);
        } else {
            partial += 1;
        }
    }
    times.sort_by(f64::total_cmp);
    let at = |part: f64| {
        let last = times.len().saturating_sub(1) as f64;
        times.get((last * part).round() as usize).copied()
    };
    let line = json!({
        "gateways": gateways,
        "caches": caches,
        "purges": times.len(),
        "partial": partial,
        "min_ms": at(0.0),
        "median_ms": at(0.5),
        "p95_ms": at(0.95),
        "max_ms": at(1.0),
    });
    println!("{line}");
}
