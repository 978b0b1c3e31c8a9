//! Content that lies where no rule places it, and is found all the same.

use crate::PROGRAM;
use selvedge_edge_drivers_p2p::{Discovery, Options};
use selvedge_edge_drivers_transport::PeerAddress;
use selvedge_edge_tools_testkit::chain::GENESIS;
use selvedge_edge_tools_testkit::tree::{owners, Putter, Tree};
use selvedge_edge_tools_testkit::{device_key, wait_for, Net, Plan, Settings};
use selvedge_primitives_types::MAX_FACTOR;
use std::time::Duration;
use toml::Value;

/// More than are asked as owners.
const CACHES: usize = MAX_FACTOR as usize + 2;
const WITHIN: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_that_owns_nothing_of_a_site_is_found_by_what_it_says() {
    let first = Discovery::start(
        &device_key(250),
        &GENESIS,
        &Options::read("/ip4/127.0.0.1/tcp/0", &[], &[]).unwrap(),
    )
    .unwrap();
    let known = vec![Value::from(first.addresses()[0].to_string())];
    let settings = Settings::default()
        .set("p2p.listen", "/ip4/127.0.0.1/tcp/0")
        .set("p2p.known", known);
    let plan = Plan {
        caches: CACHES,
        gateway: settings.clone(),
        cache: settings,
        ..Plan::default()
    };
    let mut net = Net::start(PROGRAM, plan).await;
    let (tree, holder) = (0..)
        .find_map(|number| {
            let page = format!("<h1>found</h1>{number}");
            let tree = Tree::new(&[("index.html", page.as_bytes())]);
            let asked = |blob| owners(&net, blob, usize::from(MAX_FACTOR));
            let asked: Vec<_> = tree
                .blobs
                .iter()
                .flat_map(|(blob, _)| asked(blob))
                .collect();
            let mut caches = net.caches.iter().map(|cache| PeerAddress {
                device: cache.device(),
                endpoint: cache.address("transport").to_string(),
            });
            let holder = caches.find(|cache| !asked.contains(cache))?;
            Some((tree, holder))
        })
        .expect("a page that some cache is not asked for");
    net.site().content = Tree::site(&[&tree], 1);
    let putter = Putter::start(&mut net, 90).await;
    assert_eq!(net.visitor(0).get("/").await.reason(), "content-away");

    for (content, bytes) in &tree.blobs {
        putter.put(&holder, *content, bytes).await;
    }
    let said = wait_for("a cache says what it keeps", || async {
        let found = first.providers(tree.root.root, WITHIN).await.ok()?;
        found.first().cloned()
    })
    .await;
    assert_eq!(said.device, holder.device);
    let page = wait_for("the gateway finds it", || async {
        let page = net.visitor(0).get("/").await;
        (page.status == 200).then_some(page)
    })
    .await;
    assert!(page.text().starts_with("<h1>found</h1>"));
}
