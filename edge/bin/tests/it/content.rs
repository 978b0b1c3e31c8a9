//! Pinned content: sites served from it, and what caches keep, copy and drop.

use crate::net;
use bytes::Bytes;
use selvedge_edge_core_verify::SLICE;
use selvedge_edge_drivers_transport::{
    ContentError, ContentRefusal, CopyAnswer, CopyContent, PeerAddress, PutAnswer,
};
use selvedge_edge_tools_testkit::tree::{owners, Putter, Tree};
use selvedge_edge_tools_testkit::{device_key, wait_for, Ask, Daemon, Liar, Lie, Net};
use selvedge_primitives_types::{
    ContentConfig, ContentRef, Millis, Region, Role, ServiceId, UsageClass,
};
use std::os::unix::fs::FileExt;
use std::time::Duration;

const PUTTER: u8 = 90;
const LIAR: u8 = 200;
const PATIENCE: Duration = Duration::from_secs(60);

fn noise(length: usize, seed: u8) -> Vec<u8> {
    (0..length)
        .map(|i| (i as u32).wrapping_mul(2_654_435_761).to_le_bytes()[3] ^ seed)
        .collect()
}

/// A page, a folder, a long file and a page for what is not there.
fn first() -> Tree {
    Tree::new(&[
        ("index.html", b"<h1>first</h1>"),
        ("docs/index.html", b"<h1>docs</h1>"),
        ("docs/a b.txt", b"text"),
        ("404.html", b"<h1>nothing here</h1>"),
        ("empty.bin", b""),
        ("long.bin", &noise(3_000_000, 1)),
    ])
}

fn second() -> Tree {
    Tree::new(&[("index.html", b"<h1>second</h1>")])
}

/// A network whose site is served from the first of these trees, all of which are in their caches.
async fn serving(gateways: usize, caches: usize, trees: &[&Tree], factor: usize) -> (Net, Putter) {
    let mut net = net(gateways, caches).await;
    net.site().origin = String::new();
    net.site().content = Tree::site(trees, factor as u8);
    let putter = Putter::start(&mut net, PUTTER).await;
    for tree in trees {
        putter.place(&net, tree, factor).await;
    }
    (net, putter)
}

fn address(daemon: &Daemon) -> PeerAddress {
    PeerAddress {
        device: daemon.device(),
        endpoint: daemon.address("transport").to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_is_served_from_content() {
    let tree = first();
    let (net, _) = serving(1, 3, &[&tree], 2).await;
    let visitor = net.visitor(0);
    let page = visitor.get("/").await;
    assert_eq!(
        (page.status.as_u16(), page.text().as_str()),
        (200, "<h1>first</h1>")
    );
    assert_eq!(page.field("content-type"), "text/html; charset=utf-8");
    assert_eq!(page.field("content-length"), "14");
    let tag = page.field("etag");
    assert_eq!(
        tag,
        format!("\"{}\"", blake3::hash(b"<h1>first</h1>").to_hex())
    );
    // From memory, also where a query differs.
    for target in ["/", "/?a=b", "/index.html"] {
        assert_eq!(
            visitor.get(target).await.text(),
            "<h1>first</h1>",
            "{target}"
        );
    }
    let again = visitor.get("/").await;
    assert!(again.field("cache-status").contains("hit"), "{again:?}");
    assert_eq!(again.field("etag"), tag);
    let not_modified = Ask::get("/").field("if-none-match", &tag);
    assert_eq!(visitor.ask(not_modified).await.unwrap().status, 304);
    let head = visitor.ask(Ask::head("/docs/")).await.unwrap();
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    assert_eq!(head.field("content-length"), "13");
    assert_eq!(visitor.get("/docs/a%20b.txt").await.text(), "text");
    let empty = visitor.get("/empty.bin").await;
    assert_eq!((empty.status.as_u16(), empty.body.len()), (200, 0));
    let moved = visitor.get("/docs?x").await;
    assert_eq!(
        (moved.status.as_u16(), moved.field("location").as_str()),
        (308, "/docs/?x")
    );
    for target in [
        "/none",
        "/docs/none",
        "/docs/a%2Fb",
        "/%2e%2e/x",
        "/a%zz",
        "/docs/index.html/",
    ] {
        let missing = visitor.get(target).await;
        assert_eq!(
            (missing.status.as_u16(), missing.text().as_str()),
            (404, "<h1>nothing here</h1>"),
            "{target}"
        );
    }
    let post = visitor.ask(Ask::post("/", "x")).await.unwrap();
    assert_eq!(
        (post.status.as_u16(), post.reason().as_str()),
        (405, "method-refused")
    );
    assert!(net.origin.seen().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_file_streams_whole_and_in_ranges() {
    let tree = first();
    let (net, _) = serving(1, 2, &[&tree], 2).await;
    let (visitor, long) = (net.visitor(0), noise(3_000_000, 1));
    assert!(visitor.get("/long.bin").await.body == long);
    for (range, from, to) in [
        ("bytes=0-0", 0, 1),
        ("bytes=1000000-2200000", 1_000_000, 2_200_001),
        ("bytes=-5", 2_999_995, 3_000_000),
    ] {
        let part = visitor
            .ask(Ask::get("/long.bin").field("range", range))
            .await
            .unwrap();
        assert_eq!(part.status, 206, "{range}");
        assert!(part.body == long[from..to], "{range}");
    }
    let several = Ask::get("/long.bin").field("range", "bytes=5-9,2000000-2000003");
    let several = visitor.ask(several).await.unwrap();
    assert!(several
        .field("content-type")
        .starts_with("multipart/byteranges"));
    let holds = |part: &[u8]| {
        several
            .body
            .windows(part.len())
            .any(|window| window == part)
    };
    assert!(holds(&long[5..10]) && holds(&long[2_000_000..2_000_004]));
    let outside = Ask::get("/long.bin").field("range", "bytes=3000000-");
    assert_eq!(visitor.ask(outside).await.unwrap().status, 416);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pointer_that_moves_is_seen_by_the_next_request() {
    let (one, two) = (first(), second());
    let (mut net, _) = serving(2, 2, &[&one, &two], 2).await;
    for (tree, text) in [
        (&one, "<h1>first</h1>"),
        (&two, "<h1>second</h1>"),
        // A rollback.
        (&one, "<h1>first</h1>"),
    ] {
        net.site().content.site = Some(tree.root);
        net.push().await;
        for gateway in 0..2 {
            // Through the memory too.
            for _ in 0..2 {
                assert_eq!(net.visitor(gateway).get("/").await.text(), text);
            }
        }
    }
    // What the first site has and the second has not.
    assert_eq!(net.visitor(0).get("/docs/").await.status, 200);
    net.site().content.site = Some(two.root);
    net.push().await;
    let gone = net.visitor(0).get("/docs/").await;
    assert_eq!(
        (gone.status.as_u16(), gone.reason().as_str()),
        (404, "not-found")
    );
    // And back to an origin.
    net.site().content.site = None;
    net.site().origin = net.origin.url();
    net.push().await;
    let page = net.visitor(0).get("/page?len=10").await;
    assert!(
        page.status == 200 && page.body == selvedge_edge_tools_testkit::content("/page?len=10")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_visitors_get_is_charged_and_credited_to_the_cache() {
    let tree = first();
    let (mut net, _) = serving(1, 1, &[&tree], 1).await;
    let visitor = net.visitor(0);
    for _ in 0..2 {
        assert_eq!(visitor.get("/").await.status, 200);
    }
    assert_eq!(visitor.get("/long.bin").await.body.len(), 3_000_000);
    net.settle().await;
    let cache = net.caches[0].device();
    let books = net.roll().await.remove(0);
    let used = books.of_cache(cache).paid;
    use UsageClass::{EgressBytes, OriginBytes, Requests};
    assert_eq!((used.of(Requests), used.of(OriginBytes)), (3, 0));
    assert_eq!(used.of(EgressBytes), 2 * 14 + 3_000_000);
}

/// Many short files and a long one.
fn many() -> Tree {
    let mut files: Vec<(String, Vec<u8>)> = (0..40)
        .map(|n| (format!("{n}.bin"), noise(20_000, n)))
        .collect();
    files.push(("long.bin".to_owned(), noise(3_000_000, 1)));
    let files: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(path, bytes)| (path.as_str(), &bytes[..]))
        .collect();
    Tree::new(&files)
}

/// A network in which one of three caches, each with everything, may lie.
async fn with_liar(tree: &Tree) -> (Net, Liar) {
    let (mut net, _) = serving(1, 2, &[tree], 2).await;
    let liar = Liar::start(device_key(LIAR)).await;
    let address = liar.address().to_string();
    net.chain
        .register_node(liar.device(), Role::Cache, address, String::new());
    net.site().content = Tree::site(&[tree], 3);
    net.push().await;
    for (_, bytes) in &tree.blobs {
        liar.give(bytes);
    }
    (net, liar)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_that_lies_is_named_and_nobody_gets_its_bytes() {
    let long = noise(3_000_000, 1);
    let tree = many();
    for lie in [
        Lie::FirstBytes,
        Lie::LastBytes,
        Lie::EndsEarly,
        Lie::HangsUp,
        Lie::GoesOn,
        Lie::Refuses,
    ] {
        let (net, liar) = with_liar(&tree).await;
        liar.lie(lie.clone());
        let visitor = net.visitor(0);
        for n in 0..40 {
            let got = visitor.get(&format!("/{n}.bin")).await;
            assert!(
                got.status == 200 && got.body == noise(20_000, n),
                "{lie:?} {n}"
            );
            assert!(
                n % 10 > 0 || visitor.get("/long.bin").await.body == long,
                "{lie:?}"
            );
        }
        assert!(liar.gets() > 0, "{lie:?}: the liar was asked");
        let device = liar.device().to_string();
        let metrics = net.gateways[0].metrics().await;
        let labels = [("cache", device.as_str()), ("fault", "content")];
        let faults = metrics.sum("selvedge_gateway_cache_faults_total", &labels);
        let is_lie = !matches!(lie, Lie::HangsUp | Lie::Refuses);
        assert_eq!(faults > 0.0, is_lie, "{lie:?}");
    }
}

/// Flips a bit in every blob that a cache keeps.
fn decay(cache: &Daemon, tree: &Tree) -> usize {
    let mut count = 0;
    let folder = cache.folder().join("state/content/segments");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stored = std::fs::read(&path).unwrap();
        let file = std::fs::File::options().write(true).open(path).unwrap();
        for (_, bytes) in tree.blobs.iter().filter(|blob| !blob.1.is_empty()) {
            let piece = &bytes[..bytes.len().min(64)];
            let found = stored
                .windows(piece.len())
                .position(|window| window == piece);
            if let Some(at) = found {
                file.write_all_at(&[piece[0] ^ 1], at as u64).unwrap();
                count += 1;
            }
        }
    }
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn bits_that_flip_in_a_store_never_reach_a_visitor() {
    let tree = first();
    let (net, putter) = serving(1, 2, &[&tree], 2).await;
    assert!(decay(&net.caches[0], &tree) >= tree.blobs.len() - 1);
    let visitor = net.visitor(0);
    for target in ["/", "/docs/", "/docs/a%20b.txt"] {
        assert_eq!(visitor.get(target).await.status, 200);
    }
    assert!(visitor.get("/long.bin").await.body == noise(3_000_000, 1));
    // With nobody else to ask there is no answer, rather than a wrong one.
    assert!(decay(&net.caches[1], &tree) > 0);
    for target in ["/long.bin", "/none"] {
        let away = visitor.ask(Ask::get(target)).await;
        assert!(away.map_or(true, |answer| answer.status == 503), "{target}");
    }
    // What has decayed is no longer said to be there, and comes again.
    let (content, bytes) = tree
        .blobs
        .iter()
        .find(|(content, _)| content.length == 3_000_000)
        .unwrap();
    let cache = address(&net.caches[1]);
    let have = putter
        .peers()
        .have_content(&cache, &[content.root])
        .await
        .unwrap();
    assert_eq!(have, [false]);
    putter.put(&cache, *content, bytes).await;
    assert!(visitor.get("/long.bin").await.body == noise(3_000_000, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_goes_on_after_a_kill() {
    let (mut net, putter) = serving(1, 1, &[], 1).await;
    let bytes = Bytes::from(noise(3 * SLICE as usize + 7, 4));
    let content = selvedge_edge_core_content::content_of(
        &bytes,
        selvedge_primitives_types::ContentKind::File,
    );
    let cache = address(&net.caches[0]);
    let half = putter
        .put_slices(&cache, content, &bytes, [3, 1])
        .await
        .unwrap();
    assert_eq!(half, PutAnswer::Missing(vec![(0, 1), (2, 1)]));
    net.caches[0].kill().await;
    net.caches[0].start().await;
    net.chain.register(&net.caches[0]);
    net.push().await;
    let cache = address(&net.caches[0]);
    let asked = putter
        .put_slices(&cache, content, &bytes, [])
        .await
        .unwrap();
    assert_eq!(asked, half);
    // A range that is here is given, one that is not is not.
    for (range, is_here) in [(SLICE..2 * SLICE, true), (0..SLICE, false)] {
        let get = putter
            .peers()
            .get_content(&cache, ServiceId(1), content, range.clone());
        let piece = get.await.unwrap().next(PATIENCE).await;
        match piece {
            Ok(Some(piece)) => {
                assert!(is_here && bytes[range.start as usize..].starts_with(&piece))
            }
            Err(ContentError::Refused(ContentRefusal::Missing)) => assert!(!is_here),
            other => panic!("{other:?}"),
        }
    }
    let rest = putter
        .put_slices(&cache, content, &bytes, [0, 2])
        .await
        .unwrap();
    assert_eq!(rest, PutAnswer::Complete);
}

async fn copy(
    putter: &Putter,
    to: &PeerAddress,
    content: ContentRef,
    from: &[&Daemon],
) -> CopyAnswer {
    let order = CopyContent {
        service: ServiceId(1),
        content,
        from: from.iter().map(|cache| cache.device()).collect(),
    };
    wait_for("the end of a copy", || async {
        let answer = putter.peers().copy_content(to, &order).await.unwrap();
        (answer != CopyAnswer::UnderWay).then_some(answer)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_copies_from_another_and_believes_nothing() {
    let tree = first();
    let (mut net, putter) = serving(1, 2, &[&tree], 1).await;
    let liar = Liar::start(device_key(LIAR)).await;
    let place = liar.address().to_string();
    net.chain
        .register_node(liar.device(), Role::Cache, place, String::new());
    net.push().await;
    let (content, bytes) = tree
        .blobs
        .iter()
        .find(|(content, _)| content.length == 3_000_000)
        .unwrap();
    let holder = owners_among(&net, content);
    let (holder, other) = (&net.caches[holder], &net.caches[1 - holder]);
    liar.give(bytes);
    liar.lie(Lie::FirstBytes);
    let to = address(other);
    let order = CopyContent {
        service: ServiceId(1),
        content: *content,
        from: vec![liar.device(), holder.device()],
    };
    let begun = putter.peers().copy_content(&to, &order).await.unwrap();
    assert_eq!(begun, CopyAnswer::UnderWay);
    assert_eq!(
        copy(&putter, &to, *content, &[holder]).await,
        CopyAnswer::Complete
    );
    let metrics = other.metrics().await;
    let corrupt = metrics.sum(
        "selvedge_cache_content_copies_total",
        &[("answer", "corrupt")],
    );
    assert!(corrupt >= 1.0);
    let get = putter
        .peers()
        .get_content(&to, ServiceId(1), *content, 0..content.length);
    let mut stream = get.await.unwrap();
    let mut got = Vec::new();
    while let Some(piece) = stream.next(PATIENCE).await.unwrap() {
        got.extend_from_slice(&piece);
    }
    assert!(got == *bytes);
    // Nobody else orders, and what nobody has does not come.
    let missing = ContentRef {
        root: [9; 32],
        ..*content
    };
    let refused = copy(&putter, &to, missing, &[holder]).await;
    assert_eq!(refused, CopyAnswer::Refused(ContentRefusal::NoSource));
    let stranger = Putter::stranger(91);
    assert!(stranger.peers().copy_content(&to, &order).await.is_err());
}

/// The cache that has a blob.
fn owners_among(net: &Net, content: &ContentRef) -> usize {
    let owner = &owners(net, content, 2)
        .into_iter()
        .find(|owner| {
            net.caches
                .iter()
                .any(|cache| cache.device() == owner.device)
        })
        .unwrap();
    let is_owner = |cache: &Daemon| cache.device() == owner.device;
    net.caches.iter().position(is_owner).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_pin_covers_is_dropped_after_a_whole_epoch() {
    let (one, two) = (first(), second());
    let (mut net, _) = serving(1, 2, &[&one, &two], 1).await;
    let (all, left) = (one.blobs.len() + two.blobs.len(), two.blobs.len());
    assert_eq!(blobs_of(&net).await, all);
    net.chain.sites[0].content = Tree::site(&[&two], 1);
    let mut left_at = None;
    for epoch in 0..4 {
        net.push().await;
        // It is looked at once the epoch is known: at the latest a later one is.
        if epoch < 2 {
            assert_eq!(blobs_of(&net).await, all, "{epoch}");
        } else if left_at.is_none() {
            wait_for("the drop", || async {
                (blobs_of(&net).await == left).then_some(())
            })
            .await;
            left_at = Some(epoch);
        }
        looked(&net).await;
        net.chain.roll();
    }
    assert_eq!(net.visitor(0).get("/").await.text(), "<h1>second</h1>");
}

async fn blobs_of(net: &Net) -> usize {
    let mut blobs = 0.0;
    for cache in &net.caches {
        blobs += cache.metrics().await.gauge("selvedge_cache_content_blobs");
    }
    blobs as usize
}

/// Waits until every cache has looked at what it keeps in this epoch.
async fn looked(net: &Net) {
    for cache in &net.caches {
        wait_for("a look at what is kept", || async {
            let looked = cache
                .metrics()
                .await
                .gauge("selvedge_cache_content_looked_epoch");
            (looked as u64 == net.chain.epoch.0).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_read_in_vain_while_a_third_of_the_caches_is_gone() {
    const FACTOR: usize = 3;
    let files: Vec<(String, Vec<u8>)> = (0..20)
        .map(|n| (format!("{n}.bin"), noise(40_000 + 1_000 * n as usize, n)))
        .collect();
    let files: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(path, bytes)| (path.as_str(), &bytes[..]))
        .collect();
    let tree = Tree::new(&files);
    let mut net = net(2, 20).await;
    let devices: Vec<_> = net.caches.iter().map(Daemon::device).collect();
    for (place, device) in devices.iter().enumerate() {
        let region = ["eu", "us", "as", "af"][place % 4];
        net.chain.node(*device).region = Region::parse(region).unwrap();
    }
    net.site().origin = String::new();
    net.site().content = Tree::site(&[&tree], FACTOR as u8);
    let putter = Putter::start(&mut net, PUTTER).await;
    putter.place(&net, &tree, FACTOR).await;
    // Six of them, so that nothing loses all of its holders at once: beyond that nobody promises anything.
    let holders: Vec<Vec<_>> = tree
        .blobs
        .iter()
        .map(|(content, _)| {
            let owners = owners(&net, content, FACTOR).into_iter();
            owners.map(|owner| owner.device).collect()
        })
        .collect();
    let gone = (0..20).find_map(|start| {
        let gone: Vec<usize> = (0..6).map(|step| (start + 3 * step) % 20).collect();
        let is_left = |holders: &Vec<_>| {
            let is_gone = |holder| gone.iter().any(|place| devices[*place] == holder);
            holders.iter().any(|holder| !is_gone(*holder))
        };
        holders.iter().all(is_left).then_some(gone)
    });
    let gone = gone.expect("six whose loss is borne");
    // Warm in one gateway, cold in the other.
    assert_eq!(net.visitor(0).get("/0.bin").await.status, 200);
    for place in gone {
        net.caches[place].kill().await;
    }
    for gateway in 0..2 {
        for (path, bytes) in &files {
            let got = net.visitor(gateway).get(&format!("/{path}")).await;
            assert!(
                got.status == 200 && got.body == *bytes,
                "{path} at {gateway}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_are_bounded_and_strangers_put_nothing() {
    let settings = selvedge_edge_tools_testkit::Settings::default()
        .set("cache.staging_mib", 1)
        .set("cache.content_mib", 2);
    let plan = selvedge_edge_tools_testkit::Plan {
        cache: settings,
        ..Default::default()
    };
    let mut net = Net::start(crate::PROGRAM, plan).await;
    net.site().content = ContentConfig::default();
    let putter = Putter::start(&mut net, PUTTER).await;
    let cache = address(&net.caches[0]);
    let blob = |length: usize, seed: u8| {
        let bytes = Bytes::from(noise(length, seed));
        let kind = selvedge_primitives_types::ContentKind::File;
        (selvedge_edge_core_content::content_of(&bytes, kind), bytes)
    };
    let (content, bytes) = blob(700_000, 1);
    putter.put(&cache, content, &bytes).await;
    let (content, bytes) = blob(700_000, 2);
    let full = putter
        .put_slices(&cache, content, &bytes, [0])
        .await
        .unwrap();
    assert_eq!(full, PutAnswer::Refused(ContentRefusal::Full));
    let (content, mut wrong) = blob(1_000, 3);
    wrong = [&wrong[..999], b"x"].concat().into();
    let unverified = putter
        .put_slices(&cache, content, &wrong, [0])
        .await
        .unwrap();
    assert_eq!(unverified, PutAnswer::Refused(ContentRefusal::Unverified));
    let stranger = Putter::stranger(91);
    let (content, bytes) = blob(1_000, 4);
    assert!(stranger
        .put_slices(&cache, content, &bytes, [0])
        .await
        .is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pinned_reaches_its_owners_and_storage_is_on_the_bill() {
    const FACTOR: usize = 2;
    let tree = first();
    let mut net = net(2, 4).await;
    net.chain.epoch_length = Millis(20_000);
    net.site().origin = String::new();
    net.site().content = Tree::site(&[&tree], FACTOR as u8);
    let putter = Putter::start(&mut net, PUTTER).await;
    // Each blob is in one place only, and who put it there is gone.
    putter.place(&net, &tree, 1).await;
    net.chain
        .nodes
        .retain(|node| node.device != putter.device());
    net.push().await;
    wait_for("all copies", || async {
        (blobs_of(&net).await == FACTOR * tree.blobs.len()).then_some(())
    })
    .await;
    for gateway in 0..2 {
        assert_eq!(net.visitor(gateway).get("/").await.status, 200);
    }
    let hours = |length: u64| length * 20_000 / 3_600_000;
    let lengths = tree.blobs.iter().map(|(content, _)| content.length);
    let expected = FACTOR as u64 * lengths.map(hours).sum::<u64>();
    assert!(expected > 0);
    // Proofs come in their turn, two for each pair in an epoch, and one of them counts.
    let counted = || async {
        let mut sum = 0.0;
        for gateway in &net.gateways {
            let metrics = gateway.metrics().await;
            sum += metrics.sum("selvedge_gateway_content_byte_hours_total", &[]);
        }
        sum as u64
    };
    wait_for("storage of all copies", || async {
        (counted().await >= expected).then_some(())
    })
    .await;
    let proofs = || async {
        let mut sum = 0.0;
        for gateway in &net.gateways {
            let metrics = gateway.metrics().await;
            let passed = [("outcome", "passed")];
            sum += metrics.sum("selvedge_gateway_content_challenges_total", &passed);
        }
        sum as usize
    };
    let before = proofs().await;
    wait_for("more proofs", || async {
        (proofs().await > before + FACTOR * tree.blobs.len()).then_some(())
    })
    .await;
    net.settle().await;
    let books = net.roll().await;
    let stored = books
        .iter()
        .map(|books| books.total().paid.of(UsageClass::StorageByteHours));
    assert_eq!(stored.sum::<u64>(), expected);
}
