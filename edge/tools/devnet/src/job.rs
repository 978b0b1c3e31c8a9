//! The job a customer comes for: put a site on the network, have it visited, get a bill that checks out; and what the
//! nodes earned by it.

use crate::{
    client::{self, Cli},
    network::Network,
    plan::Daemon,
    process::wait_for,
    progress::Step,
};
use anyhow::Context;
use std::{collections::BTreeMap, path::Path, time::Duration};

/// Host name of the site.
pub const HOST: &str = "docs.localhost";

/// What may be charged per epoch, in SEL.
const CAP: &str = "5";

/// What is put on deposit, in SEL.
const DEPOSIT: &str = "500";

/// What visitors received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Answers that are charged.
    pub requests: u64,
    /// Body bytes.
    pub bytes: u64,
}

impl Received {
    /// Both together.
    pub fn plus(self, other: Self) -> Self {
        Self {
            requests: self.requests + other.requests,
            bytes: self.bytes + other.bytes,
        }
    }
}

/// Opens the customer's account and registers the service, unless an earlier run did.
pub async fn register(network: &Network, origin: &str) -> anyhow::Result<u64> {
    let step = Step::begin("customer deposits and registers the site");
    let (cli, suri) = (network.cli(), network.plan.customer.suri());
    let account = cli.run(Some(&suri), &["account", "show"]).await?;
    if account["prepaid"].is_null() {
        cli.run(Some(&suri), &["account", "deposit", DEPOSIT])
            .await?;
    }
    let services = cli.run(Some(&suri), &["service", "list"]).await?;
    let service = match services.as_array().and_then(|services| services.first()) {
        Some(service) => {
            let number = service["service"]
                .as_u64()
                .context("a service has a number")?;
            if service["origin"] != origin {
                cli.run(
                    Some(&suri),
                    &["service", "set-origin", &number.to_string(), origin],
                )
                .await?;
            }
            number
        }
        None => {
            let words = [
                "service", "create", "--host", HOST, "--origin", origin, "--cap", CAP,
            ];
            let created = cli.run(Some(&suri), &words).await?;
            created["service"]
                .as_u64()
                .context("a new service has a number")?
        }
    };
    step.done(format!("service {service}, {HOST} -> {origin}, {DEPOSIT} SEL on deposit, at most {CAP} SEL per epoch"));
    Ok(service)
}

/// Waits until every gateway serves the site, early enough in an epoch to visit it; counts what was received.
pub async fn wait_served(network: &Network, path: &str) -> anyhow::Result<Received> {
    let step = Step::begin("gateways take up the site at the next epoch");
    wait_room(&network.cli()).await?;
    let mut received = Received::default();
    for gateway in network.plan.of_role("gateway") {
        let bytes = wait_for(
            &format!("{HOST} at {}", gateway.name),
            Duration::from_secs(180),
            || async {
                let answer = client::get(gateway.http_port, HOST, path).await?;
                Ok(answer
                    .status()
                    .is_success()
                    .then_some(answer.body().len() as u64))
            },
        )
        .await?;
        received = received.plus(Received { requests: 1, bytes });
    }
    step.done("served");
    Ok(received)
}

/// A finalised block this much behind the machine's clock is of before a stop of the network.
const STALE: Duration = Duration::from_secs(20);

/// Waits until the chain's time is ours, and for the next epoch when little is left of this one.
async fn wait_room(cli: &Cli) -> anyhow::Result<()> {
    let clock = wait_for("the chain's time", Duration::from_secs(120), || async {
        let clock = cli.run(None, &["network", "clock"]).await?;
        let now = clock["now_millis"]
            .as_u64()
            .context("the clock has a time")?;
        let ours = std::time::UNIX_EPOCH.elapsed()?.as_millis() as u64;
        Ok((now + STALE.as_millis() as u64 > ours).then_some(clock))
    })
    .await?;
    let number = |field: &str| {
        clock[field]
            .as_u64()
            .with_context(|| format!("the clock has {field}"))
    };
    let end = number("epoch_start_millis")? + number("epoch_length_millis")?;
    let left = end.saturating_sub(number("now_millis")?);
    if left < number("epoch_length_millis")? / 2 {
        tokio::time::sleep(Duration::from_millis(left)).await;
    }
    Ok(())
}

/// Visits every path through every gateway, `rounds` times, and counts what was received.
pub async fn visit(network: &Network, paths: &[String], rounds: usize) -> anyhow::Result<Received> {
    let step = Step::begin("visitors fetch pages and files");
    let mut received = Received::default();
    let mut cached = 0;
    for round in 0..rounds {
        for gateway in network.plan.of_role("gateway") {
            for path in paths {
                let answer = client::get(gateway.http_port, HOST, path).await?;
                anyhow::ensure!(
                    answer.status().is_success(),
                    "{path} at {}: {}",
                    gateway.name,
                    answer.status()
                );
                received.requests += 1;
                received.bytes += answer.body().len() as u64;
                let status = answer
                    .headers()
                    .get("cache-status")
                    .and_then(|value| value.to_str().ok());
                cached += u64::from(status.is_some_and(|status| status.contains("hit")));
            }
        }
        step.note(format!("round {} of {rounds}", round + 1));
    }
    step.done(format!(
        "{} requests, {} bytes, {cached} from cache",
        received.requests, received.bytes
    ));
    Ok(received)
}

/// The epoch of the newest block.
pub async fn epoch(cli: &Cli) -> anyhow::Result<u64> {
    cli.run(None, &["network", "clock"]).await?["epoch"]
        .as_u64()
        .context("the clock has an epoch")
}

/// Waits for an epoch to be settled by every gateway and returns its bill, whose proofs the command line has checked.
pub async fn bill(network: &Network, epoch: u64) -> anyhow::Result<serde_json::Value> {
    let step = Step::begin(format!(
        "epoch {epoch} closes, gateways commit, the chain settles"
    ));
    let words = ["bill", "--epoch", &epoch.to_string(), "--wait", "600"];
    let bill = network
        .cli()
        .run(Some(&network.plan.customer.suri()), &words)
        .await?;
    step.done(format!(
        "{} lines, every proof checked",
        bill["lines"].as_array().map_or(0, Vec::len)
    ));
    Ok(bill)
}

/// What the bill counts over all lines, charged or free.
pub fn billed(bill: &serde_json::Value) -> Received {
    let lines = bill["lines"].as_array().cloned().unwrap_or_default();
    let sum = |class: &str| {
        lines
            .iter()
            .flat_map(|line| ["paid", "free"].map(|part| line[part][class].as_u64()))
            .flatten()
            .sum()
    };
    Received {
        requests: sum("requests"),
        bytes: sum("egress_bytes"),
    }
}

/// Waits until the earnings of an epoch are credited, so that what is printed is final.
pub async fn wait_credited(network: &Network) -> anyhow::Result<()> {
    let step = Step::begin("hold-back ends, gateways and caches are credited");
    let cli = network.cli();
    for daemon in network.plan.of_role("gateway") {
        let address = daemon.operator.address();
        wait_for(
            &format!("credit of {}", daemon.name),
            Duration::from_secs(900),
            || {
                let (cli, address) = (cli.clone(), address.clone());
                async move {
                    let earnings = cli.run(None, &["earnings", "show", &address]).await?;
                    let usage = earnings["usage_payable"].as_str().unwrap_or("0") != "0";
                    let yields = earnings["yield_payable"].as_str().unwrap_or("0") != "0";
                    Ok((usage && yields).then_some(()))
                }
            },
        )
        .await?;
    }
    step.done("credited");
    Ok(())
}

/// What every operator earned, by node.
pub async fn earnings(network: &Network) -> anyhow::Result<BTreeMap<String, serde_json::Value>> {
    let cli = network.cli();
    let mut earned = BTreeMap::new();
    for Daemon { name, operator, .. } in &network.plan.daemons {
        earned.insert(
            name.clone(),
            cli.run(None, &["earnings", "show", &operator.address()])
                .await?,
        );
    }
    Ok(earned)
}

/// The files of a folder as paths of a site, sorted, at most `limit`.
pub fn paths_of(folder: &Path, limit: usize) -> anyhow::Result<Vec<String>> {
    let mut folders = vec![folder.to_path_buf()];
    let mut paths = Vec::new();
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(relative) = path.strip_prefix(folder) {
                paths.push(format!("/{}", relative.display()));
            }
        }
    }
    paths.sort();
    paths.truncate(limit);
    Ok(paths)
}
