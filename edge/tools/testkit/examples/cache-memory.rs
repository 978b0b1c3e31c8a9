//! What a cache keeps in memory while it stores far more than its quota holds.
//!
//! ```text
//! cache-memory PROGRAM QUOTA_MIB OBJECTS VISITORS...
//! ```
//!
//! In every step so many visitors at a time ask for so many objects that nobody asked for before.
//! After each step one line says what the cache holds, when no fetch is under way, and what the
//! system holds for it.

use selvedge_edge_tools_testkit::{Ask, Daemon, Net, Plan, Settings};
use std::sync::{
    atomic::{AtomicUsize, Ordering},
    Arc,
};

/// A number of the process's status, KiB for memory.
fn status(id: u32, name: &str) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|rest| rest.trim_start_matches(':').split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn files(id: u32) -> usize {
    std::fs::read_dir(format!("/proc/{id}/fd")).map_or(0, |all| all.count())
}

async fn ask_for(net: &Net, visitors: usize, first: usize, count: usize) {
    let next = Arc::new(AtomicUsize::new(first));
    let visit = || {
        let (client, next) = (net.visitor(0), next.clone());
        tokio::spawn(async move {
            let mut line = client.connect().await.expect("the gateway");
            loop {
                let number = next.fetch_add(1, Ordering::AcqRel);
                if number >= first + count {
                    return;
                }
                let target = format!("/cold/{number}?len=9000&etag=1&cc=max-age=600");
                let answer = line.ask(Ask::get(target)).await.expect("an answer");
                assert_eq!(answer.status, 200, "{}", answer.reason());
            }
        })
    };
    let visits: Vec<_> = (0..visitors).map(|_| visit()).collect();
    for visit in visits {
        visit.await.expect("a visitor");
    }
    net.landed().await;
    net.origin.forget();
}

async fn say(visitors: usize, objects: usize, cache: &Daemon) {
    let id = cache.id().expect("it runs");
    let metrics = cache.metrics().await;
    println!(
        "{visitors:>8} {objects:>8} {:>8} {:>9.1} {:>8} {:>9} {:>9} {:>6}",
        metrics.gauge("selvedge_cache_stored_records"),
        metrics.gauge("selvedge_cache_stored_bytes") / 1_048_576.0,
        status(id, "Threads"),
        status(id, "RssAnon"),
        status(id, "RssFile"),
        files(id),
    );
}

#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip(1);
    let mut next = |name: &str| args.next().unwrap_or_else(|| panic!("{name} is missing"));
    let program = next("PROGRAM");
    let mut number = |name: &str| next(name).parse::<usize>().expect("a number");
    let (quota, objects) = (number("QUOTA_MIB"), number("OBJECTS"));
    let visitors: Vec<usize> = args.map(|text| text.parse().expect("a number")).collect();
    let plan = Plan {
        gateway: Settings::default().set("gateway.memory_mib", 8),
        cache: Settings::default().set("cache.quota_mib", quota as i64),
        ..Plan::default()
    };
    let net = Net::start(program, plan).await;
    let cache = &net.caches[0];
    println!("visitors  objects  records       MiB  threads  anon KiB  file KiB  files");
    say(0, 0, cache).await;
    for (step, visitors) in visitors.into_iter().enumerate() {
        ask_for(&net, visitors, step * objects, objects).await;
        say(visitors, (step + 1) * objects, cache).await;
    }
}
