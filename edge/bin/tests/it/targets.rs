//! Targets and hosts in every spelling: two that mean the same share an answer, two that do not
//! never do, and what could mean two things is refused.

use crate::{framing::raw_site, net};
use selvedge_edge_tools_testkit::{content, raw, Ask, Net, RawOrigin};

async fn says(net: &Net, octets: &[u8]) -> String {
    raw(net.gateways[0].address("http"), octets).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_or_host_of_two_meanings_is_refused() {
    let origin = RawOrigin::good().await;
    let net = raw_site(&origin).await;
    for (target, hosts) in [
        ("/", "host: raw.test\r\nhost: raw.test\r\n"),
        ("/", "host: raw.test\r\nhost: site.test\r\n"),
        ("/", "host: raw.test\r\nHost : site.test\r\n"),
        ("/", "host: raw.test, site.test\r\n"),
        ("/", "host: user@raw.test\r\n"),
        ("/", "host: raw.test:80@site.test\r\n"),
        ("/", "host: raw.test:http\r\n"),
        ("/", "host: raw.test:-80\r\n"),
        ("/", "host: raw.test:65536\r\n"),
        ("/", "host: raw.test/path\r\n"),
        ("/", "host: raw.test?query\r\n"),
        ("/", "host: raw.test#fragment\r\n"),
        ("/", "host: raw.test%00.site.test\r\n"),
        ("/", "host: raw.test\\.site.test\r\n"),
        ("/", "host: http://raw.test\r\n"),
        ("/", "host: [raw.test]\r\n"),
        ("/", "host: [::1\r\n"),
        ("/", "host: .\r\n"),
        ("/", "host:\r\n"),
        ("/", ""),
        ("http://raw.test/", ""),
        ("http://raw.test/", "host:\r\n"),
        ("http://raw.test/", "host: raw.test\r\nhost: raw.test\r\n"),
        ("http://raw.test/", "host: user@site.test\r\n"),
        ("http://user@raw.test/", "host: raw.test\r\n"),
        ("http://raw.test:pass@site.test/", "host: raw.test\r\n"),
        ("http://raw.test:x/", "host: raw.test\r\n"),
        ("http:///", "host: raw.test\r\n"),
        ("http:/raw.test", "host: raw.test\r\n"),
        ("ftp://raw.test/", "host: raw.test\r\n"),
        ("javascript://raw.test/", "host: raw.test\r\n"),
        ("raw.test", "host: raw.test\r\n"),
        ("raw.test:80", "host: raw.test\r\n"),
        ("raw.test/path", "host: raw.test\r\n"),
        ("*", "host: raw.test\r\n"),
        ("?query", "host: raw.test\r\n"),
        ("#fragment", "host: raw.test\r\n"),
        ("..", "host: raw.test\r\n"),
    ] {
        for method in ["GET", "POST"] {
            let request = format!("{method} {target} HTTP/1.1\r\n{hosts}\r\n");
            let said = says(&net, request.as_bytes()).await;
            assert!(said.starts_with("HTTP/1.1 400"), "{request:?}: {said}");
        }
    }
    assert!(origin.heard().is_empty(), "{:?}", origin.heard());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_target_in_every_spelling_is_one_response() {
    let net = net(1, 1).await;
    let target = "/same?cc=max-age=600";
    let expected = String::from_utf8_lossy(&content(target)).into_owned();
    for (sent, host) in [
        (target.to_owned(), "site.test"),
        (target.to_owned(), "SITE.Test"),
        (target.to_owned(), "site.test."),
        (target.to_owned(), "site.test:80"),
        (target.to_owned(), "site.test:8443"),
        (target.to_owned(), "site.test:"),
        (format!("{target}#fragment"), "site.test"),
        (format!("http://site.test{target}"), "site.test"),
        (format!("HTTP://SITE.TEST.:80{target}#x"), "site.test"),
        // The target counts (RFC 9112 §3.2.2).
        (format!("http://site.test{target}"), "other.test"),
    ] {
        let request = format!("GET {sent} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        let said = says(&net, request.as_bytes()).await;
        assert!(said.starts_with("HTTP/1.1 200"), "{request:?}: {said}");
        assert!(said.ends_with(&expected), "{request:?}");
    }
    assert_eq!(net.origin.seen().len(), 1, "{:?}", net.origin.seen());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_targets_are_never_one_response() {
    let net = net(1, 1).await;
    let paths = [
        "/a",
        "/A",
        "/a/",
        "//a",
        "/./a",
        "/b/../a",
        "/b/%2e%2e/a",
        "/%61",
        "/a%2f",
        "/a%2F",
        "/a%00",
        "/a;p",
        "/a%3fx",
        "/a%23x",
        "/a%0d%0aset-cookie:%20x=y",
        "/a.css",
        "/a/x.css",
        "//other.test/a",
        "/http://other.test/a",
        "/\\a",
        "/a,b",
        "/a+b",
        "/a%20b",
    ];
    let with = |path: &str| format!("{path}?cc=max-age=600");
    let mut targets: Vec<_> = paths.iter().map(|path| with(path)).collect();
    for query in [
        "&x", "&x=", "&X", "&x=1&y=2", "&y=2&x=1", "&x=1;y=2", "&x=%31", "&", "&?", "&/..",
    ] {
        targets.push(format!("/a?cc=max-age=600{query}"));
    }
    for round in 0..2 {
        for target in &targets {
            let request =
                format!("GET {target} HTTP/1.1\r\nhost: site.test\r\nconnection: close\r\n\r\n");
            let said = says(&net, request.as_bytes()).await;
            assert!(said.starts_with("HTTP/1.1 200"), "{target}: {said}");
            let expected = String::from_utf8_lossy(&content(target)).into_owned();
            assert!(said.ends_with(&expected), "round {round}, {target}: {said}");
            assert!(!said.contains("set-cookie"), "{said}");
        }
    }
    // The origin was asked for each as it was sent, once.
    let mut seen: Vec<_> = net
        .origin
        .seen()
        .into_iter()
        .map(|seen| seen.target)
        .collect();
    seen.sort();
    targets.sort();
    assert_eq!(seen, targets);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_without_a_path_is_asked_for_as_it_is_stored() {
    let net = net(1, 1).await;
    let target = "/?cc=max-age=600&n=1";
    let request = format!(
        "GET http://site.test{} HTTP/1.1\r\nhost: site.test\r\nconnection: close\r\n\r\n",
        &target[1..]
    );
    let said = says(&net, request.as_bytes()).await;
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    assert_eq!(net.visitor(0).get(target).await.body, content(target));
    let seen: Vec<_> = net
        .origin
        .seen()
        .into_iter()
        .map(|seen| seen.target)
        .collect();
    assert_eq!(seen, [target]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_leaves_the_base_path_of_an_origin() {
    let origin = RawOrigin::good().await;
    let mut net = raw_site(&origin).await;
    net.chain.sites[1].origin = format!("{}/base/", origin.url());
    net.push().await;
    for target in [
        "/..",
        "/../secret",
        "/a/../../secret",
        "/%2e%2e/secret",
        "/.%2E/secret",
        "/..%2fsecret",
        "/..%5csecret",
        "/..\\secret",
        "/..;/secret",
        "/a/..",
    ] {
        let request = format!("GET {target} HTTP/1.1\r\nhost: raw.test\r\n\r\n");
        let said = says(&net, request.as_bytes()).await;
        assert!(said.starts_with("HTTP/1.1 400"), "{target}: {said}");
    }
    assert!(origin.heard().is_empty(), "{:?}", origin.heard());
    let visitor = net.gateways[0].visitor("raw.test");
    for target in ["/", "/page?a=/../b", "/a..b", "//page"] {
        let expected = format!("/base{target}");
        assert_eq!(visitor.get(target).await.text(), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_of_two_sites_never_share_a_response() {
    let origin = RawOrigin::good().await;
    let net = raw_site(&origin).await;
    let target = "/page?cc=max-age=600";
    for _ in 0..2 {
        let ours = net.visitor(0).get(target).await;
        let theirs = net.gateways[0].visitor("raw.test").get(target).await;
        assert_eq!(
            (ours.body.to_vec(), theirs.text()),
            (content(target), target.to_owned())
        );
    }
    // A visitor of one cannot name the other in a field.
    for name in ["x-forwarded-host", "x-host", "x-original-host", "forwarded"] {
        let ask = Ask::get(target).field(name, "raw.test");
        let answer = net.visitor(0).ask(ask).await.unwrap();
        assert_eq!(answer.body, content(target), "{name}");
    }
}
