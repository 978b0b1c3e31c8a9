//! Puts gateways and their caches in front of an origin, without a chain: for programs that measure
//! or judge them over HTTP.
//!
//! ```text
//! selvedge-edge-site --program selvedge-edge --origin http://127.0.0.1:8000 \
//!     --host localhost --gateways 1 --caches 1 --set gateway.memory_mib=0
//! ```
//!
//! With `--certificate FILE` it serves HTTPS too, and writes the certificate and its key there.
//! `--customer` is the account that pays for the site, service 1, in hex: who has its key may read
//! about it (`selvedge service top 1 --gateway`).
//!
//! Writes one line of JSON, the gateways' addresses, when it serves. Ends, with all it started,
//! when its standard input does or when it is interrupted.

use anyhow::Context;
use selvedge_edge_tools_testkit::{certs::Certificate, Net, Plan, Settings};
use selvedge_primitives_types::Account;
use serde_json::json;
use std::{io::Read, path::PathBuf};
use tokio::{
    signal::unix::{signal, SignalKind},
    sync::oneshot,
};
use toml::Value;

struct Wanted {
    program: String,
    origin: String,
    host: String,
    gateways: usize,
    caches: usize,
    certificate: Option<PathBuf>,
    customer: Option<Account>,
    settings: Settings,
}

impl Wanted {
    fn read(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut wanted = Self {
            program: String::new(),
            origin: String::new(),
            host: "localhost".to_owned(),
            gateways: 1,
            caches: 1,
            certificate: None,
            customer: None,
            settings: Settings::default(),
        };
        while let Some(name) = arguments.next() {
            let value = arguments
                .next()
                .ok_or_else(|| anyhow::anyhow!("{name} needs a value"))?;
            match name.as_str() {
                "--program" => wanted.program = value,
                "--origin" => wanted.origin = value,
                "--host" => wanted.host = value,
                "--certificate" => wanted.certificate = Some(value.into()),
                "--gateways" => wanted.gateways = value.parse()?,
                "--caches" => wanted.caches = value.parse()?,
                "--customer" => {
                    let mut account = [0; 32];
                    hex::decode_to_slice(value.trim_start_matches("0x"), &mut account)
                        .context("--customer takes 64 hex digits")?;
                    wanted.customer = Some(Account(account));
                }
                "--set" => {
                    let (name, value) = value
                        .split_once('=')
                        .ok_or_else(|| anyhow::anyhow!("--set takes NAME=VALUE, not {value}"))?;
                    wanted.settings = wanted.settings.set(name, setting(value));
                }
                name => anyhow::bail!("there is no {name}"),
            }
        }
        anyhow::ensure!(!wanted.program.is_empty(), "--program is missing");
        anyhow::ensure!(!wanted.origin.is_empty(), "--origin is missing");
        Ok(wanted)
    }
}

/// A number or a truth value where it reads as one, text otherwise.
fn setting(text: &str) -> Value {
    text.parse::<i64>()
        .map(Value::from)
        .or_else(|_| text.parse::<bool>().map(Value::from))
        .unwrap_or_else(|_| Value::from(text))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let wanted = Wanted::read(std::env::args().skip(1))?;
    let certs = tempfile::tempdir()?;
    let mut settings = wanted.settings.clone();
    if let Some(file) = &wanted.certificate {
        let shown = Certificate::new(&[&wanted.host]);
        shown.write(&certs.path().join("site.pem"));
        shown.write(file);
        settings = settings
            .set("gateway.https", vec![Value::from("127.0.0.1:0")])
            .set("gateway.certs_dir", certs.path().display().to_string());
    }
    let plan = Plan {
        gateways: wanted.gateways.max(1),
        caches: wanted.caches,
        gateway: settings,
        cache: wanted.settings,
    };
    let mut net = Net::start(&wanted.program, plan).await;
    let site = net.site();
    site.origin = wanted.origin;
    site.hosts = vec![wanted.host];
    site.customer = wanted.customer.unwrap_or(site.customer);
    net.push().await;
    let gateway = &net.gateways[0];
    let said = json!({
        "http": gateway.address("http"),
        "https": wanted.certificate.as_ref().map(|_| gateway.address("https")),
        "admin": gateway.address("admin"),
        "all": net.gateways.iter().map(|gateway| gateway.address("http")).collect::<Vec<_>>(),
        "public": net.gateways.iter().map(|gateway| gateway.address("audit")).collect::<Vec<_>>(),
        "folder": net.folder(),
    });
    println!("{said}");

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let (end, ended) = oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        end.send(())
    });
    tokio::select! {
        _ = ended => {}
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
