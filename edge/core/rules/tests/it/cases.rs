//! Each kind of rule.

use http::{HeaderMap, Method, StatusCode};
use selvedge_edge_core_rules::{Limiter, Rate, RateMeter, Rules, Why};
use selvedge_primitives_types::Millis;

use crate::{get, rules};

#[test]
fn every_rule_that_holds_applies_and_the_later_one_counts() {
    let rules = rules(
        r#"
        [[rule]]
        cache.edge_ttl = "1h"
        response.set = { x-a = "1" }
        [[rule]]
        when.path = "/img/**"
        cache.edge_ttl = "1d"
        response.append = { x-a = "2" }
        [[rule]]
        when.path = "/img/own/**"
        cache.off = true
        last = true
        [[rule]]
        when.path = "/img/**"
        response.remove = "server"
        "#,
    );
    let plan = get("/").plan(&rules);
    assert_eq!(
        (plan.store.edge, plan.matched.as_slice()),
        (Some(3_600), &[0][..])
    );
    let plan = get("/img/a").plan(&rules);
    assert_eq!((plan.store.edge, plan.store.is_off), (Some(86_400), false));
    let ask = get("/img/a");
    let mut headers = HeaderMap::new();
    headers.insert("server", "x".parse().unwrap());
    plan.on_answer(&ask.request(), &mut headers);
    let values: Vec<_> = headers.get_all("x-a").iter().collect();
    assert_eq!(values, ["1", "2"]);
    assert!(!headers.contains_key("server"));
    let plan = get("/img/own/a").plan(&rules);
    assert!(plan.store.is_off);
    assert_eq!(plan.matched, [0, 1, 2]);
}

#[test]
fn conditions_are_about_everything_that_a_visitor_sends() {
    let rules = rules(
        r#"
        [[rule]]
        when.method = ["PUT", "DELETE"]
        deny.status = 404
        [[rule]]
        when = { path = "/x", header.accept-language = "de*" }
        redirect.to = "/de/"
        [[rule]]
        when = { path = "/x", cookie.beta = "1" }
        redirect.to = "/beta/"
        [[rule]]
        when.query.page = ["7", "8*"]
        redirect.to = "/p?x"
        [[rule]]
        when.client = ["198.51.100.0/24", "2001:db8::/32"]
        deny.status = 403
        [[rule]]
        when.path = "/team/**"
        when.not.client = "192.0.2.7"
        deny.status = 451
        [[rule]]
        when.host = "*.a.test"
        deny = {}
        "#,
    );
    assert_eq!(get("/").answer(&rules).0, 0);
    assert_eq!(get("/").method(Method::PUT).answer(&rules).0, 404);
    let german = get("/x").field("accept-language", "de-AT,en");
    assert_eq!(german.answer(&rules), (302, "/de/".to_owned()));
    let beta = get("/x?q=1").field("cookie", "a=0; beta=1");
    assert_eq!(beta.answer(&rules), (302, "/beta/?q=1".to_owned()));
    assert_eq!(get("/x?page=81").answer(&rules), (302, "/p?x".to_owned()));
    for client in ["198.51.100.9", "::ffff:198.51.100.9", "2001:db8::7"] {
        assert_eq!(get("/").client(client).answer(&rules).0, 403, "{client}");
    }
    assert_eq!(get("/team/a").answer(&rules).0, 0);
    assert_eq!(get("/team/a").client("203.0.113.1").answer(&rules).0, 451);
}

#[test]
fn what_hides_a_path_from_a_rule_does_not_help() {
    let rules = rules("[[rule]]\nwhen.path = '/private/**'\ndeny = {}");
    for path in [
        "/private/",
        "//private/x",
        "/%70rivate/x",
        "/a/../private/x",
        "/./private/x",
        "/%2e/private/x",
    ] {
        assert_eq!(get(path).answer(&rules).0, 403, "{path}");
    }
    assert_eq!(get("/privates/x").answer(&rules).0, 0);
}

#[test]
fn redirects_and_rewritings_take_captures_along() {
    let rules = rules(
        r#"
        [[rule]]
        when.path = "/blog/*/**"
        redirect = { to = "https://b.test/$2?by=$1", status = 308 }
        [[rule]]
        when.path_regex = "^/u/([0-9]+)$"
        rewrite = "/users/$1/page"
        [[rule]]
        when.path = "/old/**"
        rewrite = "/$1"
        "#,
    );
    assert_eq!(
        get("/blog/me/x/y").answer(&rules),
        (308, "https://b.test/x/y?by=me".to_owned())
    );
    let target = |path: &str| get(path).plan(&rules).target;
    assert_eq!(target("/u/42?a=1"), Some("/users/42/page?a=1".to_owned()));
    assert_eq!(target("/old//u/42"), Some("/u/42".to_owned()));
    assert_eq!(target("/new"), None);
    // The one form of a path is what was matched, so nothing climbs.
    assert_eq!(target("/old/a/%2e%2e/%2e%2e/b"), None);
}

#[test]
fn pages_of_other_sites_read_what_they_may() {
    let rules = rules(
        r#"
        [[rule]]
        when.path = "/api/**"
        cors = { origins = ["https://*.b.test"], methods = ["GET", "PUT"], headers = ["x-a"], expose = ["etag"], credentials = true, max_age = "1h" }
        [[rule]]
        when.path = "/font/**"
        cors.origins = "*"
        "#,
    );
    let preflight = |origin: &str| {
        let ask = get("/api/x")
            .method(Method::OPTIONS)
            .field("origin", origin);
        ask.field("access-control-request-method", "PUT")
            .plan(&rules)
            .answer
            .unwrap()
    };
    let allowed = preflight("https://w.b.test");
    assert_eq!(
        (allowed.status, allowed.why),
        (StatusCode::NO_CONTENT, Why::Preflight)
    );
    assert_eq!(
        allowed.headers["access-control-allow-origin"],
        "https://w.b.test"
    );
    assert_eq!(allowed.headers["access-control-allow-methods"], "GET, PUT");
    assert_eq!(allowed.headers["access-control-max-age"], "3600");
    let refused = preflight("https://evil.test");
    assert!(!refused.headers.contains_key("access-control-allow-origin"));
    // Without the question of a browser it is the origin's request.
    assert!(get("/api/x")
        .method(Method::OPTIONS)
        .plan(&rules)
        .answer
        .is_none());

    let answered = |path: &str, origin: &str| {
        let ask = get(path).field("origin", origin);
        let mut headers = HeaderMap::new();
        headers.insert("access-control-allow-origin", "null".parse().unwrap());
        ask.plan(&rules).on_answer(&ask.request(), &mut headers);
        let field = |name: &str| {
            headers
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned())
        };
        (field("access-control-allow-origin"), field("vary"))
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        answered("/api/x", "https://w.b.test"),
        (text("https://w.b.test"), text("origin"))
    );
    assert_eq!(
        answered("/api/x", "https://evil.test"),
        (None, text("origin"))
    );
    assert_eq!(answered("/font/x", "https://evil.test"), (text("*"), None));
}

#[test]
fn other_sites_do_not_show_what_is_not_theirs() {
    let rules = rules("[[rule]]\nwhen.path = '*.png'\nhotlink.allow = '*.friend.test'");
    let by = |referer: &str| get("/x/a.png").field("referer", referer).answer(&rules).0;
    assert_eq!(
        (by("https://a.test/p"), by("http://w.friend.test/")),
        (0, 0)
    );
    assert_eq!(
        (
            by("https://evil.test/a.test"),
            by("a.test.evil"),
            by("\u{9}")
        ),
        (403, 403, 403)
    );
    assert_eq!(get("/x/a.png").answer(&rules).0, 0);
}

/// Counts by a limiter, as a gateway does.
struct Counting(Limiter, Millis);

impl RateMeter for Counting {
    fn take(&mut self, rule: usize, client: std::net::IpAddr, rate: Rate) -> Result<(), Millis> {
        self.0
            .take(format!("{rule} {client}").as_bytes(), rate, self.1)
    }
}

#[test]
fn clients_send_no_more_than_they_may() {
    let rules = rules("[[rule]]\nwhen.path = '/login'\nlimit = { requests = 2, per = '10s' }");
    let mut counting = Counting(Limiter::new(64, [1; 32]), Millis(5_000));
    let mut ask = |client: &str| {
        let ask = get("/login").client(client);
        let plan = rules
            .plan(&ask.request(), Millis(0), &mut counting)
            .unwrap();
        plan.answer
            .map(|answer| answer.headers["retry-after"].to_str().unwrap().to_owned())
    };
    assert_eq!((ask("192.0.2.1"), ask("192.0.2.1")), (None, None));
    assert_eq!(ask("192.0.2.1"), Some("5".to_owned()));
    assert_eq!(ask("192.0.2.2"), None);
    // One customer of an access network has all addresses of a prefix.
    assert_eq!((ask("2001:db8::1"), ask("2001:db8::2")), (None, None));
    assert!(ask("2001:db8::3").is_some());
}

#[test]
fn a_document_says_what_is_sent_in_place_of_failures() {
    let rules = rules(
        r#"
        prefetch = ["/", "/app.js?v=1"]
        [[error_page]]
        status = [502, 503]
        text = "<h1>Back soon</h1>"
        [[rule]]
        when.path = "/robots.txt"
        page = { text = "User-agent: *\n", type = "text/plain" }
        [[rule]]
        compress = { codings = ["br", "gzip"], min_bytes = 256 }
        "#,
    );
    let page = rules.error_page(StatusCode::BAD_GATEWAY).unwrap();
    assert_eq!(page, ("<h1>Back soon</h1>", "text/html; charset=utf-8"));
    assert_eq!(rules.error_page(StatusCode::NOT_FOUND), None);
    let answer = get("/robots.txt").plan(&rules).answer.unwrap();
    assert_eq!(
        (answer.status.as_u16(), answer.body.as_str()),
        (200, "User-agent: *\n")
    );
    let plan = get("/").plan(&rules);
    assert_eq!(plan.compression().unwrap().min_bytes, 256);
    assert_eq!(rules.prefetch(), ["/", "/app.js?v=1"]);
}

#[test]
fn every_example_of_the_guide_is_in_order() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../docs/guide/rules");
    let mut count = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        if let Err(error) = Rules::parse(&text, false) {
            panic!("{}: {error}", path.display());
        }
        count += 1;
    }
    assert!(count >= 11, "{count}");
}

#[test]
fn lifetimes_alone_spare_hits() {
    let spare = |body: &str| rules(&format!("[[rule]]\n{body}")).spare_hits();
    assert!(spare(
        "cache = { edge_ttl = '1h', error_ttl = '1s', strip_set_cookie = true }"
    ));
    for body in [
        "cache.off = true",
        "cache.browser_ttl = '1h'",
        "cache = { edge_ttl = '1h', force = true }",
        "deny = {}",
        "key.query.sort = true",
        "response.remove = 'server'",
        "limit = { requests = 1, per = '1s' }",
        "compress = {}",
    ] {
        assert!(!spare(body), "{body}");
    }
}

#[test]
fn a_source_has_servers_in_an_order() {
    let text = r#"
        version = 1
        [[origin]]
        name = "two"
        servers = ["https://one.test/base", "https://two.test"]
        patience = "5s"
        health = { path = "/healthz", interval = "10s" }
        [[rule]]
        when.path = "/api/**"
        origin = "two"
    "#;
    let rules = std::sync::Arc::new(Rules::parse(text, false).unwrap());
    let plan = get("/api/x").plan(&rules);
    let origin = plan.origin().unwrap();
    assert_eq!(
        (origin.servers.len(), &origin.next_after[..]),
        (2, &[502, 503, 504][..])
    );
    assert_eq!(origin.health.as_ref().unwrap().status, 200);
    assert!(get("/").plan(&rules).origin().is_none());
}
