//! A network of one gateway and one cache for `scripts/bench-gateway.sh`.
//!
//! ```text
//! bench-net PROGRAM CERTIFICATE LENGTH...
//! ```
//!
//! Starts an origin, a cache and a gateway that are told about each other as by a chain, asks for a
//! body of every length until the gateway has it in memory, and prints one line of JSON: addresses,
//! the gateway's process id, and the targets. Everything ends with a signal or with its input.

use selvedge_edge_tools_testkit::{certs::Certificate, wait_for, Client, Net, Plan, Settings};
use serde_json::json;
use std::path::PathBuf;
use tokio::signal::unix::{signal, SignalKind};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut args = std::env::args().skip(1);
    let mut next = |name: &str| args.next().unwrap_or_else(|| panic!("{name} is missing"));
    let program = PathBuf::from(next("PROGRAM"));
    let certificate = PathBuf::from(next("CERTIFICATE"));
    let lengths: Vec<u64> = args
        .map(|length| length.parse().expect("LENGTH is a number"))
        .collect();

    let certs = tempfile::tempdir().expect("a temporary folder");
    let shown = Certificate::new(&["site.test"]);
    shown.write(&certs.path().join("site.pem"));
    shown.write(&certificate);
    let gateway = Settings::default()
        .set("gateway.memory_mib", 512)
        .set("gateway.https", vec![toml::Value::from("127.0.0.1:0")])
        .set("gateway.certs_dir", certs.path().display().to_string());
    let plan = Plan {
        gateway,
        ..Plan::default()
    };
    let net = Net::start(program, plan).await;
    let targets: Vec<String> = lengths
        .iter()
        .enumerate()
        .map(|(number, length)| format!("/body-{number}?len={length}&cc=max-age=86400"))
        .collect();
    let visitor = net.visitor(0);
    let secure = Client::new(net.gateways[0].address("https"), "site.test").tls(shown.roots());
    // Once, so that most are there when they are waited for.
    for target in &targets {
        visitor.get(target).await;
        secure.get(target).await;
    }
    for target in &targets {
        for visitor in [&visitor, &secure] {
            wait_for(format!("{target} in memory"), || async {
                let answer = visitor.get(target).await;
                let said = answer.fields.get("cache-status")?.to_str().ok()?;
                said.contains("selvedge-gateway\"; hit").then_some(())
            })
            .await;
        }
    }
    let gateway = &net.gateways[0];
    let line = json!({
        "pid": gateway.id(),
        "http": gateway.address("http"),
        "https": gateway.address("https"),
        "admin": gateway.address("admin"),
        "origin": net.origin.url(),
        "folder": gateway.folder(),
        "targets": targets,
    });
    println!("{line}");
    let mut asked = signal(SignalKind::terminate()).expect("signals");
    let (closed, input) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        // Whoever started this is gone when its end of the pipe is.
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = closed.send(());
    });
    tokio::select! {
        _ = asked.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
        _ = input => {}
    }
}
