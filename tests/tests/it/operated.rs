//! What an owner does with a service while it is served, by the command line alone: watch it, ask why, purge it. Gateways and
//! services are found on the chain.

use crate::site::Site;
use anyhow::Context;
use bytes::Bytes;
use http::{header::AUTHORIZATION, Request, StatusCode};
use http_body_util::Full;
use selvedge_devnet::{
    client::{self, Cli},
    job::HOST,
    plan::Daemon,
    process::wait_for,
    Network,
};
use serde_json::Value;
use std::{collections::BTreeSet, fs, path::Path, process::Stdio, time::Duration};

/// How long gateways may take to tell what they did.
const LIMIT: Duration = Duration::from_secs(60);

/// A page that is too short-lived to be probed with, one that is stored, one that never is, and one with a validator.
const BRIEF: &str = "/brief/37";
const PAGE: &str = "/page/37";
const PRIVATE: &str = "/private/37";
const TAGGED: &str = "/tagged/37";

/// Runs every question and a purge of each kind.
pub async fn check(network: &Network, site: &Site, service: u64) -> anyhow::Result<()> {
    let owner = Owner {
        network,
        cli: network.cli(),
        suri: network.plan.customer.suri(),
        service: service.to_string(),
    };
    owner.top().await.context("service top")?;
    owner.explain().await.context("service explain")?;
    owner.logs().await.context("service logs")?;
    owner.token().await.context("service token")?;
    owner.strangers().await.context("somebody else's service")?;
    owner.purge(site).await.context("service purge")?;
    owner.purge_softly(site).await.context("a soft purge")
}

/// Who pays for the service.
struct Owner<'a> {
    network: &'a Network,
    cli: Cli,
    suri: String,
    service: String,
}

impl Owner<'_> {
    async fn run(&self, words: &[&str]) -> anyhow::Result<Value> {
        let words = [&["service"], words].concat();
        self.cli.run(Some(&self.suri), &words).await
    }

    fn gateways(&self) -> impl Iterator<Item = &Daemon> {
        self.network.plan.of_role("gateway")
    }

    /// Gateways as tables name them.
    fn names(&self) -> BTreeSet<String> {
        let short = |gateway: &Daemon| gateway.device.device_id()[..12].to_owned();
        self.gateways().map(short).collect()
    }

    /// Asks every gateway for a path once; the length of one answer.
    async fn visit(&self, path: &str) -> anyhow::Result<u64> {
        let mut length = 0;
        for gateway in self.gateways() {
            let answer = client::get(gateway.http_port, HOST, path).await?;
            let status = answer.status();
            anyhow::ensure!(status.is_success(), "{}: {path}: {status}", gateway.name);
            length = answer.body().len() as u64;
        }
        Ok(length)
    }

    /// The figures count the requests just made, each where it was made. Nodes that probe each other are visitors too, so it is
    /// asked for what they leave alone.
    async fn top(&self) -> anyhow::Result<()> {
        const ROUNDS: u64 = 5;
        let figures = || self.run(&["top", HOST, "--window", "1h", "--once"]);
        let length = self.visit(BRIEF).await?;
        let before = Figures::read(&figures().await?)?;
        for _ in 0..ROUNDS {
            self.visit(BRIEF).await?;
        }
        let names = self.names();
        let all = ROUNDS * names.len() as u64;
        let expected = Figures {
            requests: before.requests + all,
            bytes: before.bytes + all * length,
            hits: before.hits + all,
            by_gateway: before
                .by_gateway
                .iter()
                .map(|(name, count)| (name.clone(), count + ROUNDS))
                .collect(),
        };
        assert_eq!(before.names(), names);
        wait_for("the figures", LIMIT, || async {
            let now = Figures::read(&figures().await?)?;
            anyhow::ensure!(now == expected, "{now:?}, not {expected:?}");
            Ok(Some(()))
        })
        .await?;
        let words = ["service", "top", &self.service, "--once"];
        let table = self.cli.show(Some(&self.suri), &words).await?;
        assert!(names.iter().all(|name| table.contains(name)), "{table}");
        Ok(())
    }

    /// What each gateway would do with a request.
    async fn explained(&self, path: &str) -> anyhow::Result<Vec<Value>> {
        let url = format!("http://{HOST}{path}");
        let answers = self.run(&["explain", &url]).await?;
        let answers = answers.as_array().context("a list of answers")?.clone();
        let named: BTreeSet<_> = answers.iter().map(|one| one["gateway"].as_str()).collect();
        let ids: Vec<_> = self.gateways().map(|one| one.device.device_id()).collect();
        assert_eq!(named, ids.iter().map(|id| Some(id.as_str())).collect());
        Ok(answers)
    }

    /// Every gateway says what it did with such a request a moment ago, and why.
    async fn explain(&self) -> anyhow::Result<()> {
        self.visit(PAGE).await?;
        for answer in self.explained(PAGE).await? {
            let now = &answer["now"];
            assert_eq!(now["outcome"], "hit", "{answer}");
            assert_eq!(now["source"], "memory", "{answer}");
            assert_eq!(answer["memory"][0]["is_chosen"], true, "{answer}");
        }
        self.visit(PRIVATE).await?;
        for answer in self.explained(PRIVATE).await? {
            assert_ne!(answer["now"]["outcome"], "hit", "{answer}");
            let rule = &answer["stored_afterwards"]["rule"]["name"];
            assert_eq!(rule, "no-store", "{answer}");
        }
        Ok(())
    }

    /// A log shows a request at each gateway while it is followed.
    async fn logs(&self) -> anyhow::Result<()> {
        let path = self.network.folder.path().join("followed.jsonl");
        let output = fs::File::create(&path)?;
        let mut command = tokio::process::Command::new(&self.cli.program);
        let mut following = command
            .args(["--json", "--url", &self.cli.url])
            .args(["service", "logs", HOST])
            .env("SELVEDGE_SURI", &self.suri)
            .env_remove("SELVEDGE_KEY_FILE")
            .stdin(Stdio::null())
            .stdout(output)
            .kill_on_drop(true)
            .spawn()?;
        let names = self.names();
        // Shown is what comes after it is followed, so visits are made until one is seen.
        wait_for("lines of the log", LIMIT, || async {
            self.visit(PAGE).await?;
            Ok((seen_at(&path)? == names).then_some(()))
        })
        .await?;
        anyhow::ensure!(following.try_wait()?.is_none(), "it goes on");
        following.kill().await?;
        let words = ["service", "logs", &self.service, "--seconds", "1"];
        self.cli.show(Some(&self.suri), &words).await?;
        Ok(())
    }

    /// A token opens what it is for, at every gateway that it is printed with, and nothing else.
    async fn token(&self) -> anyhow::Result<()> {
        let said = self.run(&["token", HOST, "--scope", "analytics"]).await?;
        assert_eq!(said["service"].to_string(), self.service);
        let shown = said["authorization"].as_str().context("a token")?;
        let gateways = said["gateways"].as_array().context("gateways")?;
        assert_eq!(gateways.len(), self.names().len());
        for gateway in gateways {
            let base = gateway.as_str().context("a URL")?;
            for (noun, token, status) in [
                ("analytics", Some(shown), StatusCode::OK),
                ("analytics", None, StatusCode::UNAUTHORIZED),
                ("logs", Some(shown), StatusCode::FORBIDDEN),
            ] {
                let mut request = Request::get(format!("{base}/{noun}/v1/{}", self.service));
                if let Some(token) = token {
                    request = request.header(AUTHORIZATION, token);
                }
                let answer = client::fetch(request.body(Full::new(Bytes::new()))?).await?;
                assert_eq!(answer.status(), status, "{noun} at {base}");
            }
        }
        Ok(())
    }

    /// Who does not pay for a service learns nothing of it, and the command line says so by its exit code.
    async fn strangers(&self) -> anyhow::Result<()> {
        const NOT_FOUND: &str = "\"code\":3";
        const REFUSED: &str = "\"code\":4";
        let stranger = self.network.plan.validators[0].owner.suri();
        let url = format!("http://{HOST}{PAGE}");
        let (number, everything) = (&self.service[..], "--everything");
        for (words, code) in [
            (&["service", "top", number, "--once"][..], REFUSED),
            (&["service", "top", HOST, "--once"], NOT_FOUND),
            (&["service", "logs", number], REFUSED),
            (&["service", "explain", &url, "--service", number], REFUSED),
            (&["service", "purge", number, everything], REFUSED),
        ] {
            let error = match self.cli.run(Some(&stranger), words).await {
                Ok(answer) => anyhow::bail!("{words:?}: {answer}"),
                Err(error) => error.to_string(),
            };
            assert!(error.contains(code), "{words:?}: {error}");
        }
        Ok(())
    }

    /// Every node signs, the receipt is taken for what it is, and the page is fetched anew, once for all regions.
    async fn purge(&self, site: &Site) -> anyhow::Result<()> {
        let url = format!("http://{HOST}{PAGE}");
        let mut receipt = self.run(&["purge", &self.service, "--page", &url]).await?;
        let signed = receipt["acks"].as_array().map_or(0, Vec::len);
        assert_eq!(signed, self.network.plan.daemons.len(), "{receipt}");
        assert_eq!(receipt["missing"], serde_json::json!([]), "{receipt}");

        let path = self.network.folder.path().join("receipt.json");
        let verify = ["purge-verify", path.to_str().context("a name of text")?];
        fs::write(&path, receipt.to_string())?;
        let verdict = self.run(&verify).await?;
        assert_eq!(verdict["verified"], true, "{verdict}");
        assert_eq!(verdict["acknowledged"], signed, "{verdict}");
        receipt["acks"][0]["signature"] = receipt["acks"][1]["signature"].clone();
        fs::write(&path, receipt.to_string())?;
        let refusal = self.run(&verify).await.expect_err("a signature is wrong");
        assert!(refusal.to_string().contains("\"code\":5"), "{refusal:#}");

        for answer in self.explained(PAGE).await? {
            assert_eq!(answer["now"]["outcome"], "fetch", "{answer}");
        }
        let before = site.asked(PAGE);
        self.visit(PAGE).await?;
        assert_eq!(site.asked(PAGE), before + 1, "one fetch in the network");
        Ok(())
    }

    /// What is stored is validated before it is used again.
    async fn purge_softly(&self, site: &Site) -> anyhow::Result<()> {
        self.visit(TAGGED).await?;
        let words = ["purge", &self.service, "--everything", "--soft"];
        let receipt = self.run(&words).await?;
        assert_eq!(receipt["missing"], serde_json::json!([]), "{receipt}");
        for answer in self.explained(TAGGED).await? {
            assert_eq!(answer["now"]["outcome"], "validate", "{answer}");
        }
        let before = site.asked(TAGGED);
        self.visit(TAGGED).await?;
        assert!(site.asked(TAGGED) > before, "the origin is asked");
        Ok(())
    }
}

/// What `service top --json` counts.
#[derive(Debug, PartialEq)]
struct Figures {
    requests: u64,
    bytes: u64,
    /// Those from memory.
    hits: u64,
    by_gateway: Vec<(String, u64)>,
}

impl Figures {
    fn read(seen: &Value) -> anyhow::Result<Self> {
        anyhow::ensure!(seen["silent"] == serde_json::json!([]), "{seen}");
        let count = |value: &Value| value.as_u64().context("a count");
        let rows = seen["gateways"].as_array().context("gateways")?;
        let row = |row: &Value| {
            let name = row["gateway"].as_str().context("a name")?.to_owned();
            Ok((name, count(&row["requests"])?))
        };
        Ok(Self {
            requests: count(&seen["all"]["requests"])?,
            bytes: count(&seen["all"]["bytes"])?,
            hits: count(&seen["all"]["sources"]["memory"])?,
            by_gateway: rows.iter().map(row).collect::<anyhow::Result<_>>()?,
        })
    }

    fn names(&self) -> BTreeSet<String> {
        self.by_gateway
            .iter()
            .map(|(name, _)| name.clone())
            .collect()
    }
}

/// The gateways of whose visits to the page this log has whole lines.
fn seen_at(log: &Path) -> anyhow::Result<BTreeSet<String>> {
    let text = fs::read_to_string(log)?;
    let lines = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    let visits = lines.filter(|line: &Value| {
        line["target"] == PAGE && line["host"] == HOST && line["status"] == 200
    });
    Ok(visits
        .filter_map(|line| line["gateway"].as_str().map(str::to_owned))
        .collect())
}
