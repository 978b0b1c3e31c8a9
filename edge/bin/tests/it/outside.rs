//! A client that nobody here wrote. `scripts/outside-programs.sh` has more of them, and more to ask.

use crate::PROGRAM;
use selvedge_edge_tools_testkit::{certs::Certificate, content, Net, Plan, Settings};
use std::{path::Path, process::Stdio};
use tokio::{io::AsyncWriteExt, process::Command};

/// What curl says of an answer: status, version of HTTP, and the body.
async fn curl(arguments: &[&str], input: &[u8]) -> (String, Vec<u8>) {
    let mut child = Command::new("curl")
        .args(["-sS", "-w", "%{stderr}%{http_code} %{http_version}"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("scripts/setup.sh installs curl");
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // It may not want all of it.
    let writing = tokio::spawn(async move { stdin.write_all(&input).await });
    let output = child.wait_with_output().await.unwrap();
    let _ = writing.await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (said, output.stdout)
}

async fn asks_everything(root: &Path, base: &str, flags: &[&str], version: &str) {
    let target = "/file?len=300000&etag=1&cc=max-age=600";
    let (url, root) = (format!("{base}{target}"), root.display().to_string());
    let body = content(target);
    let length = body.len();
    let upload = format!("{base}/upload?len=10");
    for (more, status, expected) in [
        (&[&url[..]][..], 200, &body[..]),
        (&["-r", "100-199", &url], 206, &body[100..200]),
        (&["-r", "-70000", &url], 206, &body[length - 70_000..]),
        (&["-r", "900000-", &url], 416, b""),
        (&["-H", "If-None-Match: \"v1\"", &url], 304, b""),
        (&["-I", "-o", "/dev/null", &url], 200, b""),
        (
            &["--data-binary", "@-", &upload],
            200,
            &content("/upload?len=10")[..],
        ),
        (&["-T", "-", &upload], 200, &content("/upload?len=10")[..]),
        (
            &[
                "-H",
                "Expect: 100-continue",
                "--expect100-timeout",
                "60",
                "-T",
                "-",
                &upload,
            ][..],
            200,
            &content("/upload?len=10")[..],
        ),
    ] {
        let arguments = [&["--cacert", &root][..], flags, more].concat();
        let (said, got) = curl(&arguments, &body).await;
        assert_eq!(said, format!("{status} {version}"), "{arguments:?}");
        if status != 416 {
            assert!(got == expected, "{arguments:?}: {} octets", got.len());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_gets_what_it_asks_for() {
    let certs = tempfile::tempdir().unwrap();
    let shown = Certificate::new(&["site.test"]);
    shown.write(&certs.path().join("site.pem"));
    let trusted = tempfile::tempdir().unwrap();
    let root = trusted.path().join("root.crt");
    shown.write_root(&root);
    let settings = Settings::default()
        .set("gateway.https", vec![toml::Value::from("127.0.0.1:0")])
        .set("gateway.certs_dir", certs.path().display().to_string());
    let plan = Plan {
        gateway: settings,
        ..Plan::default()
    };
    let net = Net::start(PROGRAM, plan).await;
    for (purpose, scheme, flag, version) in [
        ("http", "http", "--http1.1", "1.1"),
        ("http", "http", "--http2-prior-knowledge", "2"),
        ("https", "https", "--http1.1", "1.1"),
        ("https", "https", "--http2", "2"),
    ] {
        let port = net.gateways[0].address(purpose).port();
        let base = format!("{scheme}://site.test:{port}");
        let resolve = format!("site.test:{port}:127.0.0.1");
        asks_everything(&root, &base, &[flag, "--resolve", &resolve], version).await;
    }
    let uploads = net.origin.seen();
    let uploads = uploads
        .iter()
        .filter(|seen| seen.target.starts_with("/upload"));
    assert!(uploads.clone().all(|seen| seen.body == 300_000));
    assert_eq!(uploads.count(), 12);
}
