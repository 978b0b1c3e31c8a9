//! One network through its life: exact bills, crashes in mid-epoch, caps, an owner at work, foreign clients, credit, conservation.

use crate::{
    clients, env_path, equivocation, invariants, operated,
    ownership::{self, NameServer},
    site::Site,
    traffic, NETWORKS,
};
use anyhow::Context;
use http::StatusCode;
use selvedge_devnet::{
    client,
    figures::Figures,
    job::{self, Received, HOST},
    process::wait_for,
    programs::Programs,
    Network, Options,
};
use std::{path::PathBuf, time::Duration};

fn ports(network: &Network) -> Vec<u16> {
    network
        .plan
        .of_role("gateway")
        .map(|daemon| daemon.http_port)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_serves_bills_and_pays() -> anyhow::Result<()> {
    let _turn = NETWORKS.acquire().await?;
    let folder = tempfile::tempdir()?;
    let names = NameServer::start().await?;
    let options = Options {
        folder: folder.path().join("network"),
        fresh: true,
        runtime: env_path("SELVEDGE_RUNTIME_WASM"),
        validators: 4,
        gateways: 2,
        caches: 3,
        resolver: Some(names.address),
    };
    let programs = Programs::in_folder(&env_path("SELVEDGE_BIN_DIR"))?;
    let mut network = Network::start(&options, programs.clone(), &mut Figures::default()).await?;
    let site = Site::start().await?;
    let service = job::register(&network, &site.url()).await?;

    let billed_epoch = exact_bill(&network).await.context("an exact bill")?;
    ownership::claim(&network, &names, &site.url())
        .await
        .context("claimed names")?;
    strangers(&network).await.context("strangers")?;
    one_cap(&network, &site.url())
        .await
        .context("two gateways, one cap")?;
    crashes(&mut network)
        .await
        .context("crashes in mid-epoch")?;
    operated::check(&network, &site, service)
        .await
        .context("a service that its owner operates")?;
    foreign_clients(&network, &programs, billed_epoch)
        .await
        .context("foreign clients")?;
    equivocation::commit(&network)
        .await
        .context("an equivocation")?;
    job::wait_credited(&network).await?;
    equivocation::lose_seat(&network).await?;
    ownership::check(&network).await.context("owned names")?;
    pause(&network, service).await.context("a paused service")?;
    invariants::check(network.rpc_port())
        .await
        .context("invariants")?;
    network.ensure_running()?;
    network.stop().await
}

/// 2,000 mixed requests over both gateways are billed to the request and to the byte.
async fn exact_bill(network: &Network) -> anyhow::Result<u64> {
    let first = job::wait_served(network, "/brief/1").await?;
    let epoch = job::epoch(&network.cli()).await?;
    let received = first.plus(traffic::mixed(&ports(network), 2_000, 1).await?);
    let last = job::epoch(&network.cli()).await?;
    assert_eq!(billed(network, epoch, last).await?, received);
    let bill = job::bill(network, epoch).await?;
    assert_eq!(
        bill["lines"].as_array().map(Vec::len),
        Some(2),
        "a line per gateway: {bill}"
    );
    Ok(epoch)
}

/// What is on the bills of all epochs from the first to the last: on a slow machine visits may run into the next one.
async fn billed(network: &Network, first: u64, last: u64) -> anyhow::Result<Received> {
    let mut billed = Received::default();
    for epoch in first..=last {
        billed = billed.plus(job::billed(&job::bill(network, epoch).await?));
    }
    Ok(billed)
}

/// Two gateways together serve, and charge, no more than one cap.
async fn one_cap(network: &Network, origin: &str) -> anyhow::Result<()> {
    const HOST: &str = "capped.localhost";
    const CAP: &str = "100000000planck";
    let suri = network.plan.customer.suri();
    let words = [
        "service", "create", "--host", HOST, "--origin", origin, "--cap", CAP,
    ];
    let service = network.cli().run(Some(&suri), &words).await?["service"].clone();
    for port in ports(network) {
        wait_for("the capped site", Duration::from_secs(120), || async move {
            let answer = client::get(port, HOST, "/brief/1").await?;
            Ok((answer.status() == StatusCode::OK).then_some(()))
        })
        .await?;
    }
    let epoch = job::epoch(&network.cli()).await?;
    for port in ports(network) {
        let mut refused = 0;
        for _ in 0..200 {
            let answer = client::get(port, HOST, "/brief/1").await?;
            match answer.status() {
                StatusCode::OK => {}
                StatusCode::SERVICE_UNAVAILABLE => {
                    assert!(!answer.body().is_empty(), "a visitor is told why");
                    refused += 1;
                }
                other => anyhow::bail!("{other}"),
            }
        }
        assert!(refused > 0, "200 pages cost more than a lease");
    }
    let bill = job::bill(network, epoch).await?;
    let lines = bill["lines"].as_array().context("a bill has lines")?;
    let charged: u128 = lines
        .iter()
        .filter(|line| line["service"] == service)
        .map(|line| line["amount"].as_str().unwrap_or("0").parse::<u128>())
        .sum::<Result<_, _>>()?;
    // What is served is metered before it is sent, so the slack of what is served over the cap is zero.
    assert!(charged > 0 && charged <= 100_000_000, "{charged}");
    Ok(())
}

/// What strangers ask for gets a clear answer, and none of it is on a bill.
async fn strangers(network: &Network) -> anyhow::Result<()> {
    for port in ports(network) {
        let unknown = client::get(port, "nobody.localhost", "/").await?;
        assert!(unknown.status().is_client_error(), "{}", unknown.status());
        assert!(!unknown.body().is_empty(), "an unknown host is told why");
    }
    let gateway = network
        .plan
        .of_role("gateway")
        .next()
        .context("there is a gateway")?;
    let control = client::get(gateway.control_port, "localhost", "/control/v1/status").await?;
    assert_eq!(control.status(), StatusCode::UNAUTHORIZED);
    Ok(())
}

/// A gateway, a cache and a validator are killed in mid-epoch and started again: nothing is lost or billed twice.
async fn crashes(network: &mut Network) -> anyhow::Result<()> {
    let served = job::wait_served(network, "/brief/1").await?;
    let epoch = job::epoch(&network.cli()).await?;
    let mut received = served.plus(traffic::mixed(&ports(network), 300, 2).await?);
    for name in ["gateway-1", "cache-1"] {
        network.kill(name).await?;
        network.restart(name).await?;
    }
    received = received.plus(first_answers(network).await?);
    received = received.plus(traffic::mixed(&ports(network), 300, 3).await?);
    let last = job::epoch(&network.cli()).await?;

    network.kill("validator-4").await?;
    let before = client::finalised(network.rpc_port()).await?;
    network
        .wait_finalised(before + 2, Duration::from_secs(120))
        .await?;
    network.restart("validator-4").await?;
    let port = network.plan.validators[3].rpc_port;
    wait_for(
        "validator-4 catching up",
        Duration::from_secs(180),
        || async move { Ok((client::finalised(port).await? > before + 2).then_some(())) },
    )
    .await?;

    assert_eq!(billed(network, epoch, last).await?, received);
    Ok(())
}

/// The first answer of each gateway after a restart.
async fn first_answers(network: &Network) -> anyhow::Result<Received> {
    let mut received = Received::default();
    for port in ports(network) {
        let bytes = wait_for(
            "an answer after the restart",
            Duration::from_secs(60),
            || async move {
                let answer = client::get(port, HOST, "/brief/1").await?;
                Ok(answer
                    .status()
                    .is_success()
                    .then_some(answer.body().len() as u64))
            },
        )
        .await?;
        received = received.plus(Received { requests: 1, bytes });
    }
    Ok(received)
}

/// Clients that know only the chain's metadata, and a light client that trusts no node.
async fn foreign_clients(network: &Network, programs: &Programs, epoch: u64) -> anyhow::Result<()> {
    let Some(folder) = clients::install().await? else {
        return Ok(());
    };
    let url = format!("ws://127.0.0.1:{}", network.rpc_port());
    let customer = network.plan.customer.address();
    let receiver = network.plan.validators[1].owner.address();
    let epoch = epoch.to_string();
    let signers = [
        &network.plan.validators[2].owner,
        &network.plan.validators[3].owner,
    ];
    for (script, signer) in ["legacy.mjs", "papi.mjs"].iter().zip(signers) {
        let answer = clients::run(
            &folder,
            script,
            &[&url, &signer.suri(), &receiver, &epoch, &customer],
        )
        .await?;
        assert_eq!(answer["lines"], 2, "{answer}");
    }
    bill_of_the_days(network, &folder, epoch.parse()?).await?;
    let spec = network.folder.chain_spec();
    let light = selvedge_devnet::node::light_address(
        programs,
        &network.folder,
        &network.plan.validators[0],
    )
    .await?;
    let answer = clients::run(
        &folder,
        "light.mjs",
        &[&spec.to_string_lossy(), &light, &customer, &epoch],
    )
    .await?;
    assert_eq!(answer["lines"], 2, "{answer}");
    Ok(())
}

/// The bill of the network's days: kept in a folder, the same without a network, and the same for a client in another language.
async fn bill_of_the_days(network: &Network, clients: &PathBuf, epoch: u64) -> anyhow::Result<()> {
    let suri = network.plan.customer.suri();
    let one = job::bill(network, epoch).await?;
    let seconds = one["from_millis"].as_u64().context("it began")? / 1_000;
    let date = tokio::process::Command::new("date")
        .args(["-u", "-d", &format!("@{seconds}"), "+%F"])
        .output()
        .await?;
    let from = String::from_utf8(date.stdout)?.trim().to_owned();
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (kept, printed) = (path("kept"), path("bill.json"));
    let words = ["bill", "--from", &from, "--folder", &kept];
    let fetched = network.cli().run(Some(&suri), &words).await?;
    assert_eq!(
        (&fetched["sound"], &fetched["whole"]),
        (&true.into(), &true.into())
    );
    let lines = fetched["lines"].as_array().context("a bill has lines")?;
    let of_epoch: Vec<_> = lines.iter().filter(|line| line["epoch"] == epoch).collect();
    let other: Vec<_> = one["lines"]
        .as_array()
        .context("it has lines")?
        .iter()
        .collect();
    let charged = |lines: &[&serde_json::Value]| {
        let amounts = lines
            .iter()
            .map(|line| line["amount"].as_str().map(str::to_owned));
        let mut amounts: Vec<_> = amounts.collect();
        amounts.sort_unstable();
        amounts
    };
    assert_eq!(charged(&of_epoch), charged(&other));

    // Without a network: the node that is named does not exist.
    let mut offline = network.cli();
    offline.url = "ws://127.0.0.1:1".into();
    let again = offline.run(None, &["bill", "--check", &kept]).await?;
    assert_eq!(again, fetched);
    std::fs::write(&printed, again.to_string())?;
    let client = clients::run(clients, "bill.mjs", &[&kept, &printed]).await?;
    assert_eq!(client["totals"], fetched["totals"]);
    Ok(())
}

/// A paused service is refused with a clear answer from the next epoch on.
async fn pause(network: &Network, service: u64) -> anyhow::Result<()> {
    let suri = network.plan.customer.suri();
    network
        .cli()
        .run(Some(&suri), &["service", "pause", &service.to_string()])
        .await?;
    for port in ports(network) {
        wait_for("the pause", Duration::from_secs(120), || async move {
            let answer = client::get(port, HOST, "/brief/1").await?;
            Ok((answer.status() == StatusCode::SERVICE_UNAVAILABLE).then_some(()))
        })
        .await?;
    }
    Ok(())
}
