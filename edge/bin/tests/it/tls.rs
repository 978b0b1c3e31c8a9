//! HTTPS with certificates from a folder.

use crate::gateway;
use http::Version;
use selvedge_edge_tools_testkit::{
    certs::Certificate, content, wait_for, Ask, Client, Net, Settings,
};
use std::path::PathBuf;
use tempfile::TempDir;

/// A network whose gateway speaks TLS.
pub struct Secure {
    /// The network.
    pub net: Net,
    folder: TempDir,
    /// What the gateway shows.
    pub certificate: Certificate,
}

impl Secure {
    pub async fn start(settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificate = Certificate::new(&["site.test", "other.test"]);
        certificate.write(&folder.path().join("site.pem"));
        let settings = settings
            .set("gateway.https", vec![toml::Value::from("127.0.0.1:0")])
            .set("gateway.certs_dir", folder.path().display().to_string());
        Self {
            net: gateway(settings).await,
            folder,
            certificate,
        }
    }

    pub fn visitor(&self, host: &str, certificate: &Certificate) -> Client {
        Client::new(self.net.gateways[0].address("https"), host).tls(certificate.roots())
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("site.pem")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_protocols_are_served_over_tls() {
    let secure = Secure::start(Settings::default()).await;
    let target = "/page?len=200000&cc=max-age=600";
    let visitor = secure.visitor("site.test", &secure.certificate);
    for (client, version) in [
        (visitor.clone(), Version::HTTP_11),
        (visitor.http2(), Version::HTTP_2),
    ] {
        let answer = client.get(target).await;
        assert_eq!((answer.status.as_u16(), answer.version), (200, version));
        assert!(answer.body == content(target));
    }
    let seen = secure.net.origin.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].fields["x-forwarded-proto"], "https");
    // The same path in the clear is another resource: the origin may answer it otherwise.
    assert!(secure.net.visitor(0).get(target).await.body == content(target));
    assert_eq!(secure.net.origin.count(target), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn octets_are_counted_the_same_with_and_without_tls() {
    let mut secure = Secure::start(Settings::default()).await;
    let target = "/page?len=123457&cc=max-age=600";
    let visitor = secure.visitor("site.test", &secure.certificate);
    for client in [
        visitor.clone(),
        visitor.http2(),
        secure.net.visitor(0),
        secure.net.visitor(0).http2(),
    ] {
        assert!(client.get(target).await.body == content(target));
    }
    secure.net.settle().await;
    let books = secure.net.roll().await.remove(0);
    assert_eq!((books.requests(), books.egress()), (4, 4 * 123_457));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_without_a_certificate_or_a_site_is_not_served() {
    let secure = Secure::start(Settings::default()).await;
    let nobody = secure.visitor("nobody.test", &secure.certificate);
    assert!(
        nobody.ask(Ask::get("/page")).await.is_err(),
        "no certificate, no handshake"
    );
    let no_site = secure
        .visitor("other.test", &secure.certificate)
        .get("/page")
        .await;
    assert_eq!(
        (no_site.status.as_u16(), no_site.reason().as_str()),
        (421, "unknown-host")
    );
    // Not even a handshake, from one who speaks plain HTTP.
    let said = selvedge_edge_tools_testkit::raw(
        secure.net.gateways[0].address("https"),
        b"GET / HTTP/1.1\r\nhost: site.test\r\n\r\n",
    );
    assert!(!said.await.contains("HTTP/1.1 200"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_replaced_without_a_restart() {
    let secure = Secure::start(Settings::default()).await;
    let target = "/page?cc=max-age=600";
    let mut open = secure
        .visitor("site.test", &secure.certificate)
        .connect()
        .await
        .unwrap();
    assert_eq!(open.ask(Ask::get(target)).await.unwrap().status, 200);
    let next = Certificate::new(&["site.test"]);
    next.write(&secure.file());
    secure.net.gateways[0].signal("HUP").await;
    let visitor = secure.visitor("site.test", &next);
    wait_for("the new certificate", || async {
        visitor.ask(Ask::get(target)).await.ok()
    })
    .await;
    assert!(secure
        .visitor("site.test", &secure.certificate)
        .ask(Ask::get(target))
        .await
        .is_err());
    assert_eq!(
        open.ask(Ask::get(target)).await.unwrap().status,
        200,
        "open connections stay"
    );

    // A file that is no certificate keeps the one before, and one that nobody announced is seen all
    // the same.
    std::fs::write(secure.file(), "no certificate").unwrap();
    secure.net.gateways[0].signal("HUP").await;
    wait_for("the complaint", || async {
        secure.net.gateways[0]
            .log()
            .contains("kept as it was")
            .then_some(())
    })
    .await;
    assert_eq!(visitor.get(target).await.status, 200);
    let last = Certificate::new(&["site.test"]);
    last.write(&secure.file());
    let visitor = secure.visitor("site.test", &last);
    wait_for("the last certificate", || async {
        visitor.ask(Ask::get(target)).await.ok()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_is_redirected_where_the_operator_wants_it() {
    let secure = Secure::start(Settings::default().set("gateway.redirect_https", true)).await;
    let port = secure.net.gateways[0].address("https").port();
    let answer = secure.net.visitor(0).get("/a/b?c=d").await;
    assert_eq!(answer.status, 308);
    assert_eq!(
        answer.field("location"),
        format!("https://site.test:{port}/a/b?c=d")
    );
    assert!(secure.net.origin.seen().is_empty());
    let health = secure
        .net
        .visitor(0)
        .get("/.well-known/selvedge/healthz")
        .await;
    assert_eq!(health.status, 200, "a load balancer asks in the clear");
    let visitor = secure.visitor("site.test", &secure.certificate);
    assert_eq!(visitor.get("/a/b?c=d").await.status, 200);
}
