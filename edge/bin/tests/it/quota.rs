//! A cache with little room.

use crate::PROGRAM;
use selvedge_edge_tools_testkit::{content, Net, Plan, Settings};

#[tokio::test(flavor = "multi_thread")]
async fn a_small_quota_is_kept_and_serves_on() {
    const MIB: f64 = 1_048_576.0;
    let plan = Plan {
        // So little memory that everything is asked of the cache.
        gateway: Settings::default().set("gateway.memory_mib", 1),
        cache: Settings::default().set("cache.quota_mib", 4),
        ..Plan::default()
    };
    let mut net = Net::start(PROGRAM, plan).await;
    let mut octets = 0;
    for round in 0..2 {
        for page in 0..60 {
            let target = format!("/page/{page}?len=300000&cc=max-age=600");
            assert!(
                net.visitor(0).get(&target).await.body == content(&target),
                "{round} {page}"
            );
            octets += 300_000;
        }
        // Longer than the store takes at all.
        let target = format!("/film/{round}?len=9000000&cc=max-age=600");
        assert!(net.visitor(0).get(&target).await.body == content(&target));
        octets += 9_000_000;
        let metrics = net.caches[0].metrics().await;
        let used = metrics.gauge("selvedge_cache_stored_bytes");
        assert!(used > 0.0 && used <= 4.0 * MIB, "{used}");
    }
    net.landed().await;
    let on_disk = size_of(&net.caches[0].folder().join("state/store"));
    assert!(on_disk as f64 <= 4.5 * MIB, "{on_disk}");
    net.settle().await;
    let books = net.roll().await.remove(0);
    assert_eq!(books.egress(), octets);
}

fn size_of(folder: &std::path::Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => size_of(&entry.path()),
        Ok(meta) => meta.len(),
        // Evicted between the two looks.
        Err(_) => 0,
    });
    sizes.sum()
}
