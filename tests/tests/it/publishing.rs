//! A site put into the network by the command line alone: served from pinned content, changed, rolled back, kept when caches go,
//! ruled, fetched again by its root, and stored for money.

use crate::{env_path, invariants, site::Site, NETWORKS};
use anyhow::Context;
use http::StatusCode;
use selvedge_devnet::{
    client,
    figures::Figures,
    job::{self, HOST},
    process::wait_for,
    programs::Programs,
    Network, Options,
};
use serde_json::Value;
use std::{fs, path::Path, time::Duration};

/// How long gateways may take to hear of a change on chain.
const LIMIT: Duration = Duration::from_secs(180);
/// Length of the film.
const FILM: usize = 3_000_000;
/// Files that are asked for when a cache is gone.
const NOTES: usize = 12;
/// Epochs after the first pin until its storage must be on a bill.
const EPOCHS: u64 = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_is_published_kept_ruled_and_billed() -> anyhow::Result<()> {
    let _turn = NETWORKS.acquire().await?;
    let temp = tempfile::tempdir()?;
    let options = Options {
        folder: temp.path().join("network"),
        fresh: true,
        runtime: env_path("SELVEDGE_RUNTIME_WASM"),
        validators: 3,
        gateways: 2,
        caches: 4,
        resolver: None,
    };
    let programs = Programs::in_folder(&env_path("SELVEDGE_BIN_DIR"))?;
    let mut network = Network::start(&options, programs, &mut Figures::default()).await?;
    let origin = Site::start().await?;
    let service = job::register(&network, &origin.url()).await?;
    job::wait_served(&network, "/page/1").await?;

    let folder = temp.path().join("site");
    write_site(&folder)?;
    let owner = Owner {
        suri: network.plan.customer.suri(),
        service: service.to_string(),
        folder,
    };
    let first = owner.put(&network).await.context("the first version")?;
    let pinned = job::epoch(&network.cli()).await?;
    everywhere(&network, "/", StatusCode::OK, b"<h1>first</h1>").await?;
    everywhere(&network, "/film.bin", StatusCode::OK, &film()).await?;
    everywhere(&network, "/none", StatusCode::NOT_FOUND, b"<h1>none</h1>").await?;

    fs::write(owner.folder.join("index.html"), "<h1>second</h1>")?;
    let second = owner.put(&network).await.context("the second version")?;
    assert_ne!(first["root"], second["root"]);
    let sent = second["sent_bytes"].as_u64().context("sent bytes")?;
    assert!(sent < 10_000, "only what has changed is sent: {second}");
    everywhere(&network, "/", StatusCode::OK, b"<h1>second</h1>").await?;
    owner
        .run(&network, &["site", "rollback", &owner.service])
        .await?;
    everywhere(&network, "/", StatusCode::OK, b"<h1>first</h1>").await?;

    owner
        .got_again(&network, &first, temp.path())
        .await
        .context("get")?;
    owner.rules(&network, temp.path()).await.context("rules")?;
    one_cache_gone(&mut network)
        .await
        .context("a cache that is gone")?;
    stored(&network, pinned)
        .await
        .context("storage on a bill")?;
    invariants::check(network.rpc_port())
        .await
        .context("invariants")?;
    network.stop().await
}

fn film() -> Vec<u8> {
    let octets = (0..FILM as u32).map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes()[3]);
    octets.collect()
}

fn note(number: usize) -> String {
    format!("note {number}\n").repeat(1_000)
}

fn write_site(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder.join("docs"))?;
    fs::write(folder.join("index.html"), "<h1>first</h1>")?;
    fs::write(folder.join("404.html"), "<h1>none</h1>")?;
    fs::write(folder.join("docs/index.html"), "<h1>docs</h1>")?;
    fs::write(folder.join("film.bin"), film())?;
    fs::create_dir_all(folder.join("notes"))?;
    for number in 0..NOTES {
        fs::write(folder.join(format!("notes/{number}.txt")), note(number))?;
    }
    Ok(())
}

/// Waits until every gateway gives this answer.
async fn everywhere(
    network: &Network,
    path: &str,
    status: StatusCode,
    body: &[u8],
) -> anyhow::Result<()> {
    for gateway in network.plan.of_role("gateway") {
        let what = format!("{path} at {}", gateway.name);
        wait_for(&what, LIMIT, || async {
            let answer = client::get(gateway.http_port, HOST, path).await?;
            Ok((answer.status() == status && answer.body() == body).then_some(()))
        })
        .await?;
    }
    Ok(())
}

/// Who pays for the service.
struct Owner {
    suri: String,
    service: String,
    folder: std::path::PathBuf,
}

impl Owner {
    async fn run(&self, network: &Network, words: &[&str]) -> anyhow::Result<Value> {
        network.cli().run(Some(&self.suri), words).await
    }

    /// Puts the folder as it is now, and serves the service from it.
    async fn put(&self, network: &Network) -> anyhow::Result<Value> {
        let folder = self.folder.to_str().context("a folder's name")?;
        let words = [
            "put",
            folder,
            "--service",
            &self.service,
            "--site",
            "--factor",
            "3",
        ];
        let put = self.run(network, &words).await?;
        assert_eq!(
            (&put["pinned"], &put["owners"]),
            (&true.into(), &3.into()),
            "{put}"
        );
        Ok(put)
    }

    /// What was put comes back by its root, octet by octet.
    async fn got_again(&self, network: &Network, put: &Value, to: &Path) -> anyhow::Result<()> {
        let root = put["root"].as_str().context("a root")?;
        let copy = to.join("copy");
        let target = copy.to_str().context("a folder's name")?;
        network
            .cli()
            .run(None, &["get", root, "-o", target])
            .await?;
        assert!(fs::read(copy.join("film.bin"))? == film());
        assert_eq!(
            fs::read_to_string(copy.join("index.html"))?,
            "<h1>first</h1>"
        );
        assert_eq!(
            fs::read_to_string(copy.join("docs/index.html"))?,
            "<h1>docs</h1>"
        );
        Ok(())
    }

    /// A document of rules is obeyed by every gateway; one that cannot be read changes nothing.
    async fn rules(&self, network: &Network, temp: &Path) -> anyhow::Result<()> {
        let file = temp.join("rules.toml");
        let path = file.to_str().context("a file's name")?;
        let redirect = "version = 1\n[[rule]]\nwhen.path = \"/old/**\"\nredirect = { to = \"/docs/\", status = 301 }\n";
        for (text, is_read) in [
            (redirect, true),
            ("version = 1\n[[rule]]\nwhen.pth = \"/\"\n", false),
        ] {
            fs::write(&file, text)?;
            assert_eq!(
                self.run(network, &["rules", "check", path]).await.is_ok(),
                is_read
            );
            let put = self
                .run(network, &["put", path, "--service", &self.service])
                .await?;
            let root = put["root"].as_str().context("a root")?;
            self.run(network, &["rules", "set", &self.service, root])
                .await?;
            everywhere(network, "/old/page", StatusCode::MOVED_PERMANENTLY, b"").await?;
        }
        // What was in force before the unreadable document still is, a whole epoch later.
        let epoch = job::epoch(&network.cli()).await?;
        wait_for("the next epoch but one", LIMIT, || async {
            Ok((job::epoch(&network.cli()).await? > epoch + 1).then_some(()))
        })
        .await?;
        everywhere(network, "/old/page", StatusCode::MOVED_PERMANENTLY, b"").await
    }
}

/// Nobody notices that a cache is gone.
async fn one_cache_gone(network: &mut Network) -> anyhow::Result<()> {
    let name = network
        .plan
        .of_role("cache")
        .next()
        .context("a cache")?
        .name
        .clone();
    network.kill(&name).await?;
    // Nobody has asked for these yet, so no gateway has them in memory, and they have different owners.
    for number in 0..NOTES {
        for gateway in network.plan.of_role("gateway") {
            let path = format!("/notes/{number}.txt");
            let answer = client::get(gateway.http_port, HOST, &path).await?;
            anyhow::ensure!(answer.status().is_success(), "{path}: {}", answer.status());
            anyhow::ensure!(answer.body() == note(number).as_bytes(), "{path}");
        }
    }
    network.restart(&name).await
}

/// A later epoch's bill has byte-hours: what is pinned, in three places, for as long as the epoch is.
async fn stored(network: &Network, pinned: u64) -> anyhow::Result<()> {
    let mut seen = 0;
    for epoch in pinned + 1..=pinned + EPOCHS {
        let bill = job::bill(network, epoch).await?;
        let lines = bill["lines"].as_array().context("lines")?;
        let of = |line: &Value| line["paid"]["storage_byte_hours"].as_u64().unwrap_or(0);
        seen = lines.iter().map(of).sum();
        if seen > 0 {
            break;
        }
    }
    // Three copies of the film for a minute, and a little beside.
    let least = 3 * FILM as u64 / 60 / 2;
    anyhow::ensure!(seen >= least, "{seen} byte-hours, not {least}");
    Ok(())
}
