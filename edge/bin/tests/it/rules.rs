//! Rules: each example of the guide, at a gateway whose documents come out of caches.

use crate::{gateway, net};
use bytes::Bytes;
use ed25519_dalek::SigningKey;
use http::Method;
use selvedge_edge_core_rules::{sign_cookie, sign_url, Grant};
use selvedge_edge_core_verify::{sign_request, RequestTarget};
use selvedge_edge_tools_testkit::tree::{Putter, Tree};
use selvedge_edge_tools_testkit::{
    origin::Trouble, wait_for, Answer, Ask, Client, Net, Origin, Settings,
};
use selvedge_primitives_types::{ContentKind, ContentRef};
use std::io::Read;
use std::time::{SystemTime, UNIX_EPOCH};

const PUTTER: u8 = 90;

macro_rules! example {
    ($name:literal) => {
        include_str!(concat!("../../../../docs/guide/rules/", $name, ".toml"))
    };
}

/// A document as content of one blob.
fn blob(text: &str) -> Tree {
    let content = ContentRef {
        root: *blake3::hash(text.as_bytes()).as_bytes(),
        length: text.len() as u64,
        kind: ContentKind::File,
    };
    Tree {
        root: content,
        blobs: vec![(content, Bytes::copy_from_slice(text.as_bytes()))],
        bytes: content.length,
    }
}

/// A network and who puts documents into its caches.
struct Ruled {
    net: Net,
    putter: Putter,
    taken: f64,
}

impl Ruled {
    async fn over(mut net: Net) -> Self {
        let putter = Putter::start(&mut net, PUTTER).await;
        Self {
            net,
            putter,
            taken: 0.0,
        }
    }

    async fn by(text: &str) -> Self {
        let mut ruled = Self::over(net(1, 1).await).await;
        ruled.set(text).await;
        ruled
    }

    /// Points the site at a document.
    async fn point(&mut self, text: &str) {
        let tree = blob(text);
        self.putter.place(&self.net, &tree, 1).await;
        let content = &mut self.net.site().content;
        if !content.pins.contains(&tree.pin(1)) {
            content.pins.push(tree.pin(1));
            content.pins.sort_unstable();
        }
        content.rules = Some(tree.root);
        self.net.push().await;
    }

    /// The same, until every gateway has it in force.
    async fn set(&mut self, text: &str) {
        // The caches must know of the pin before they keep its blob.
        let tree = blob(text);
        self.net.site().content.pins.push(tree.pin(1));
        self.net.site().content.pins.sort_unstable();
        self.net.push().await;
        self.point(text).await;
        self.taken += 1.0;
        for gateway in &self.net.gateways {
            let taken = self.taken;
            wait_for("the rules are in force", || async {
                let metrics = gateway.metrics().await;
                let sum = metrics.sum("selvedge_gateway_rules_taken_total", &[]);
                (sum >= taken).then_some(())
            })
            .await;
        }
    }

    fn visitor(&self) -> Client {
        self.net.visitor(0)
    }

    async fn get(&self, target: &str) -> Answer {
        self.visitor().get(target).await
    }

    async fn ask(&self, ask: Ask) -> Answer {
        self.visitor().ask(ask).await.unwrap()
    }

    /// The field that the origin saw last.
    fn seen(&self, name: &str) -> Option<String> {
        let seen = self.net.origin.seen();
        let value = seen.last()?.fields.get(name)?.to_str().ok()?;
        Some(value.to_owned())
    }
}

fn is_hit(answer: &Answer) -> bool {
    answer.field("cache-status").contains("hit")
}

#[tokio::test(flavor = "multi_thread")]
async fn lifetimes_are_those_of_the_rules() {
    let ruled = Ruled::by(example!("caching")).await;
    // The origin says nothing, and something else.
    for target in ["/page", "/assets/a.css?cc=no-cache"] {
        assert!(!is_hit(&ruled.get(target).await), "{target}");
        assert!(is_hit(&ruled.get(target).await), "{target}");
    }
    let asset = ruled.get("/assets/a.css?cc=no-cache").await;
    assert!(
        asset.field("cache-control").starts_with("max-age=36"),
        "{asset:?}"
    );
    // A cookie is left out and its page is shared; without the rule it would not be.
    assert_eq!(
        ruled.get("/assets/b.js?cookie=1").await.field("set-cookie"),
        ""
    );
    assert!(is_hit(&ruled.get("/assets/b.js?cookie=1").await));
    // What the origin keeps for one visitor stays with that one.
    for target in ["/own?cc=private", "/own?cc=no-store", "/own?cookie=1"] {
        ruled.get(target).await;
        assert!(!is_hit(&ruled.get(target).await), "{target}");
    }
    ruled.get("/cart/1?cc=max-age=600").await;
    let cart = ruled.get("/cart/1?cc=max-age=600").await;
    assert!(
        cart.field("cache-status").contains("detail=rules-off"),
        "{cart:?}"
    );
    assert_eq!(ruled.net.origin.count("/cart/1?cc=max-age=600"), 2);
    // Forced pages are fetched as nobody, and those who are logged in have their own.
    let anybody = Ask::get("/pages/a?cc=private").field("cookie", "session=secret");
    ruled.ask(anybody.clone()).await;
    assert_eq!(ruled.seen("cookie"), None);
    assert!(is_hit(&ruled.ask(anybody).await));
    let member = Ask::get("/pages/a?cc=private").field("cookie", "login_1=me");
    assert!(!is_hit(&ruled.ask(member.clone()).await));
    assert_eq!(ruled.seen("cookie"), Some("login_1=me".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_have_what_the_rules_say_and_nothing_else_is_sent() {
    let ruled = Ruled::by(example!("keys")).await;
    ruled.get("/a?cc=max-age=600&utm_source=x").await;
    assert_eq!(ruled.net.origin.count("/a?cc=max-age=600"), 1);
    assert!(is_hit(&ruled.get("/a?fbclid=7&cc=max-age=600").await));
    ruled.get("/img/a?h=2&x=1&w=1").await;
    assert_eq!(ruled.net.origin.count("/img/a?h=2&w=1"), 1);

    let page = |cookie: &str| Ask::get("/pages/a?cc=max-age=600").field("cookie", cookie);
    ruled.ask(page("lang=de; session=1")).await;
    assert_eq!(ruled.seen("cookie"), Some("lang=de".to_owned()));
    assert_eq!(ruled.seen("selvedge-key"), None);
    let same = ruled.ask(page("session=2; lang=de")).await;
    assert!(is_hit(&same));
    assert_eq!(same.field("vary"), "cookie");
    assert!(!is_hit(&ruled.ask(page("lang=en")).await));
    // A visitor who writes the field by hand chooses nothing.
    let forged = page("lang=fr").field("selvedge-key", "c-lang=de");
    assert!(!is_hit(&ruled.ask(forged).await));

    let api = |version: &str| Ask::get("/api/a?cc=max-age=600").field("x-api-version", version);
    ruled.ask(api("1")).await;
    assert!(is_hit(&ruled.ask(api("1")).await));
    let other = ruled.ask(api("2")).await;
    assert!(!is_hit(&other));
    // The document looks at cookies too, and whoever keeps it must.
    assert_eq!(other.field("vary"), "cookie, x-api-version");
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_are_edited_on_both_ways() {
    let ruled = Ruled::by(example!("fields")).await;
    for _ in 0..2 {
        let page = ruled.get("/a?cc=max-age=600").await;
        assert_eq!(page.field("x-content-type-options"), "nosniff");
        assert_eq!(page.field("server"), "");
    }
    let phone = Ask::get("/a?cc=max-age=600").field("user-agent", "a Mobile b");
    // What the rules tell the origin of a visitor is not what others get.
    assert!(!is_hit(&ruled.ask(phone.clone()).await));
    assert_eq!(ruled.seen("x-device"), Some("phone".to_owned()));
    let again = ruled.ask(phone).await;
    assert!(is_hit(&again));
    assert_eq!(again.field("vary"), "user-agent");
    assert!(is_hit(&ruled.get("/a?cc=max-age=600").await));
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_and_origins_are_sent_elsewhere() {
    let ruled = Ruled::by(example!("redirects")).await;
    let moved = ruled.get("/blog/me/2026/a?x=1").await;
    assert_eq!(moved.status, 308);
    assert_eq!(
        moved.field("location"),
        "https://blog.example.org/2026/a?author=me"
    );
    let old = ruled.get("/item-7.html").await;
    assert_eq!(
        (old.status.as_u16(), old.field("location")),
        (301, "/items/7".to_owned())
    );
    assert!(ruled.net.origin.seen().is_empty());
    let shop = ruled.get("/shop/a?cc=max-age=600").await;
    assert_eq!(shop.status, 200);
    assert_eq!(ruled.net.origin.count("/v2/store/a?cc=max-age=600"), 1);
    let robots = ruled.get("/robots.txt").await;
    assert!(robots.text().starts_with("User-agent"));
    assert_eq!(robots.field("content-type"), "text/plain");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_is_told_so_and_costs_nothing() {
    let mut ruled = Ruled::by(example!("access")).await;
    assert_eq!(ruled.get("/internal/a").await.status, 200);
    let scraper = Ask::get("/a").field("user-agent", "x Scrapy y");
    let denied = ruled.ask(scraper.clone()).await;
    assert_eq!(
        (denied.status.as_u16(), denied.reason()),
        (403, "rules-denied".to_owned())
    );
    let login = || Ask::post("/login?len=3", "x");
    for _ in 0..3 {
        assert_eq!(ruled.ask(login()).await.status, 200);
    }
    let limited = ruled.ask(login()).await;
    assert_eq!(
        (limited.status.as_u16(), limited.reason()),
        (429, "rules-limited".to_owned())
    );
    assert!(limited.field("retry-after").parse::<u64>().unwrap() >= 1);
    let picture = |referer: &str| Ask::get("/img/a").field("referer", referer);
    assert_eq!(
        ruled.ask(picture("https://www.example.org/x")).await.status,
        200
    );
    assert_eq!(ruled.ask(picture("https://evil.test/")).await.status, 403);
    // Five were answered with content.
    let books = ruled.net.roll().await;
    let requests: u64 = books.iter().map(|books| books.requests()).sum();
    assert_eq!(requests, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn preflights_are_answered_here() {
    let ruled = Ruled::by(example!("cors")).await;
    let ask = Ask {
        method: Method::OPTIONS,
        ..Ask::get("/api/a")
    };
    let ask = ask
        .field("origin", "https://www.example.org")
        .field("access-control-request-method", "PUT");
    let preflight = ruled.ask(ask).await;
    assert_eq!(preflight.status, 204);
    assert_eq!(
        preflight.field("access-control-allow-methods"),
        "GET, PUT, DELETE"
    );
    assert!(ruled.net.origin.seen().is_empty());
    let page = |origin: &str| Ask::get("/api/a?cc=max-age=600").field("origin", origin);
    let answer = ruled.ask(page("https://www.example.org")).await;
    assert_eq!(
        answer.field("access-control-allow-origin"),
        "https://www.example.org"
    );
    // Stored for one site's page, and still not for another's.
    let other = ruled.ask(page("https://evil.test")).await;
    assert!(is_hit(&other));
    assert_eq!(other.field("access-control-allow-origin"), "");
    assert_eq!(other.field("vary"), "origin");
}

#[tokio::test(flavor = "multi_thread")]
async fn signed_addresses_open_what_is_closed() {
    let ruled = Ruled::by(example!("signed")).await;
    let key = SigningKey::from_bytes(&[7; 32]);
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let target = "/film/a?cc=max-age=600";
    let grant = Grant::Target(target.to_owned());
    let sign = |expires| sign_url("site.test", target, &grant, ("k1", &key), expires).unwrap();
    assert_eq!(ruled.get(target).await.reason(), "rules-unsigned");
    assert_eq!(ruled.get(&sign(now - 1)).await.status, 403);
    assert_eq!(ruled.get(&sign(now + 600)).await.status, 200);
    // Each visitor has another signature, and they share one answer.
    assert!(is_hit(&ruled.get(&sign(now + 601)).await));
    assert_eq!(ruled.net.origin.count(target), 1);
    let cookie = sign_cookie("site.test", "/film/", ("k1", &key), now + 600).unwrap();
    let with = Ask::get(target).field("cookie", &cookie);
    assert_eq!(ruled.ask(with).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn text_leaves_compressed_and_is_charged_as_it_leaves() {
    let page = "<p>the same words again and again</p>\n".repeat(400);
    let site = Tree::new(&[
        ("index.html", page.as_bytes()),
        ("raw/a.html", page.as_bytes()),
    ]);
    let mut ruled = Ruled::over(net(1, 1).await).await;
    ruled.net.site().origin = String::new();
    ruled.net.site().content = Tree::site(&[&site], 1);
    ruled.net.push().await;
    ruled.putter.place(&ruled.net, &site, 1).await;
    ruled.set(example!("compression")).await;
    let mut sent = 0;
    for (accepts, coding) in [
        ("gzip, br", "br"),
        ("gzip", "gzip"),
        ("zstd, gzip", "zstd"),
        ("", ""),
        ("br", "br"),
    ] {
        let answer = ruled
            .ask(Ask::get("/").field("accept-encoding", accepts))
            .await;
        assert_eq!(answer.field("content-encoding"), coding, "{accepts}");
        assert_eq!(answer.field("vary"), "accept-encoding");
        assert!(answer.field("etag").starts_with("W/\""), "{answer:?}");
        assert_eq!(
            answer.field("content-length"),
            answer.body.len().to_string()
        );
        assert_eq!(decoded(&answer.body, coding), page.as_bytes(), "{accepts}");
        if !coding.is_empty() {
            assert!(answer.body.len() < page.len() / 4);
        }
        sent += answer.body.len() as u64;
    }
    let tag = ruled.get("/").await.field("etag");
    sent += page.len() as u64;
    let same = Ask::get("/")
        .field("if-none-match", &tag)
        .field("accept-encoding", "br");
    assert_eq!(ruled.ask(same).await.status, 304);
    let raw = ruled
        .ask(Ask::get("/raw/a.html").field("accept-encoding", "gzip"))
        .await;
    assert_eq!(raw.field("content-encoding"), "");
    sent += page.len() as u64;
    let books = ruled.net.roll().await;
    let egress: u64 = books.iter().map(|books| books.egress()).sum();
    assert_eq!(egress, sent);
}

fn decoded(bytes: &[u8], coding: &str) -> Vec<u8> {
    let mut plain = Vec::new();
    let read = match coding {
        "br" => brotli::Decompressor::new(bytes, 4_096).read_to_end(&mut plain),
        "gzip" => flate2::read::GzDecoder::new(bytes).read_to_end(&mut plain),
        "zstd" => {
            plain = zstd::stream::decode_all(bytes).unwrap();
            Ok(plain.len())
        }
        _ => {
            plain = bytes.to_vec();
            Ok(plain.len())
        }
    };
    read.unwrap();
    plain
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_server_answers_when_one_does_not() {
    let mut ruled = Ruled::over(net(1, 1).await).await;
    let (first, second) = (Origin::start().await, Origin::start().await);
    let document = example!("origins")
        .replace("https://shop-a.example.org", &first.url())
        .replace("https://shop-b.example.org", &second.url());
    ruled.set(&document).await;
    assert_eq!(ruled.get("/shop/a").await.status, 200);
    assert_eq!((first.count("/shop/a"), second.count("/shop/a")), (1, 0));
    first.trouble(Trouble::Unavailable);
    assert_eq!(ruled.get("/shop/b").await.status, 200);
    assert_eq!(second.count("/shop/b"), 1);
    // The one that failed comes last for a while.
    assert_eq!(ruled.get("/shop/c").await.status, 200);
    assert_eq!((first.count("/shop/c"), second.count("/shop/c")), (0, 1));
    first.recover();
    // It is looked at, not tried with visitors.
    wait_for("the first server is well again", || async {
        ruled.get("/shop/d").await;
        (first.count("/shop/d") > 0).then_some(())
    })
    .await;
    assert!(first.count("/healthz") > 0);
    // Other paths have the service's own origin.
    assert_eq!(ruled.get("/other").await.status, 200);
    assert_eq!(ruled.net.origin.count("/other"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_origin_sees_which_gateway_asks() {
    let ruled = Ruled::by(example!("private-origin")).await;
    let authority = ruled.net.origin.address().to_string();
    for (method, target) in [("GET", "/a/b?len=77"), ("POST", "/form?len=5")] {
        let ask = match method {
            "GET" => Ask::get(target),
            _ => Ask::post(target, "a=b"),
        };
        assert_eq!(ruled.ask(ask).await.status, 200);
        let input = ruled.seen("signature-input").unwrap();
        let created = input
            .split(';')
            .find_map(|part| part.strip_prefix("created="));
        let created: u64 = created.unwrap().parse().unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        assert!(created.abs_diff(now.as_secs()) < 60);
        let (path, query) = target.split_once('?').unwrap();
        let asked = RequestTarget {
            method,
            authority: &authority,
            path,
            query: Some(query),
        };
        // The same key signs the same bytes in the same way.
        let expected = sign_request(ruled.net.gateways[0].key(), &asked, created);
        assert_eq!(input, expected.input);
        assert_eq!(ruled.seen("signature").unwrap(), expected.signature);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_have_the_customers_pages() {
    let ruled = Ruled::by(example!("errors")).await;
    let missing = ruled.get("/a?status=404").await;
    assert_eq!(missing.status, 404);
    assert!(
        missing.text().contains("has moved or never was"),
        "{}",
        missing.text()
    );
    assert_eq!(
        missing.field("content-length"),
        missing.body.len().to_string()
    );
    ruled.net.origin.trouble(Trouble::HangUp);
    let down = ruled.get("/b").await;
    assert_eq!(
        (down.status.as_u16(), down.text().as_str()),
        (502, "Back in a minute.\n")
    );
    assert_eq!(down.reason(), "origin-down");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wanted_is_there_before_anybody_asks() {
    let ruled = Ruled::by(example!("prefetch")).await;
    wait_for("both are fetched", || async {
        let origin = &ruled.net.origin;
        (origin.count("/") == 1 && origin.count("/assets/app.css") == 1).then_some(())
    })
    .await;
    wait_for("it is in memory", || async {
        let answer = ruled
            .ask(Ask::get("/").field("cache-control", "only-if-cached"))
            .await;
        is_hit(&answer).then_some(())
    })
    .await;
    assert_eq!(ruled.net.origin.count("/"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_does_not_parse_leaves_the_one_before_in_force() {
    let mut ruled = Ruled::by("version = 1\n[[rule]]\npage.text = 'one'").await;
    assert_eq!(ruled.get("/").await.text(), "one");
    let broken = "version = 1\n[[rule]]\npage.txt = 'two'";
    let tree = blob(broken);
    ruled.net.site().content.pins.push(tree.pin(1));
    ruled.net.site().content.pins.sort_unstable();
    ruled.net.push().await;
    ruled.point(broken).await;
    let daemon = &ruled.net.gateways[0];
    wait_for("the fault is told", || async {
        let metrics = daemon.metrics().await;
        (metrics.sum("selvedge_gateway_rules_refused_total", &[]) > 0.0).then_some(())
    })
    .await;
    assert_eq!(ruled.get("/").await.text(), "one");
    let log = daemon.log();
    assert!(
        log.contains("line 3, column 6") && log.contains("txt"),
        "{log}"
    );
    // Also after a restart, without any cache.
    for cache in &mut ruled.net.caches {
        cache.kill().await;
    }
    ruled.net.gateways[0].kill().await;
    ruled.net.gateways[0].start_again().await;
    wait_for("it serves again", || async {
        (ruled.get("/").await.text() == "one").then_some(())
    })
    .await;
    // A rollback, and no rules at all.
    ruled.net.site().content.rules = None;
    ruled.net.chain.push(&ruled.net.gateways[0]).await;
    assert_eq!(ruled.get("/x?cc=no-store").await.status, 200);
    assert_eq!(ruled.net.origin.count("/x?cc=no-store"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_served_before_the_rules_are_known() {
    let mut net = gateway(Settings::default()).await;
    let tree = blob("version = 1\n[[rule]]\ndeny = {}");
    net.site().content.pins = vec![tree.pin(1)];
    net.site().content.rules = Some(tree.root);
    // A gateway that has never seen this service without rules.
    net.site().id = selvedge_primitives_types::ServiceId(7);
    net.push().await;
    let answer = net.visitor(0).get("/").await;
    assert_eq!(
        (answer.status.as_u16(), answer.reason()),
        (503, "rules-missing".to_owned())
    );
    assert!(net.origin.seen().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_visitor_chooses_by_rules_what_others_get() {
    let ruled = Ruled::by(
        "version = 1\n[[rule]]\nkey.query.only = ['cc', 'vary']\nkey.cookies = []\ncache.edge_ttl = '1h'",
    )
    .await;
    let poisoned = Ask::get("/a?cc=max-age=9&x=evil")
        .field("cookie", "evil=1")
        .field("selvedge-key", "c-evil=1");
    ruled.ask(poisoned).await;
    let seen = ruled.net.origin.seen();
    assert_eq!(seen[0].target, "/a?cc=max-age=9");
    assert!(!seen[0].fields.contains_key("cookie"));
    assert!(is_hit(&ruled.get("/a?cc=max-age=9").await));
    // Signs that hide a parameter's name do not bring it along.
    ruled.get("/b?%78=1&cc=max-age=9").await;
    assert_eq!(ruled.net.origin.count("/b?cc=max-age=9"), 1);
}
