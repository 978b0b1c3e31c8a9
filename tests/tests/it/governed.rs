//! One network and those who decide about it: wallets call whatever they may, who votes twice pays, and the runtime is replaced by
//! referendum while the network serves.

use crate::{
    clients, double_vote, env_path, equivocation, invariants, parameters, site::Site,
    upgrade::Upgrade, NETWORKS,
};
use anyhow::Context;
use selvedge_devnet::{
    client,
    figures::Figures,
    identity::Person,
    job::{self, HOST},
    process::wait_for,
    programs::Programs,
    Network, Options,
};
use std::time::Duration;

/// How long a new node may take to sync.
const LIMIT: Duration = Duration::from_secs(120);

/// What an account of a wallet begins with, in SEL: a cache's stake and fees.
const FUNDS: &str = "200";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_is_governed_and_upgraded_while_it_serves() -> anyhow::Result<()> {
    let _turn = NETWORKS.acquire().await?;
    let folder = tempfile::tempdir()?;
    let options = Options {
        folder: folder.path().join("network"),
        fresh: true,
        runtime: env_path("SELVEDGE_RUNTIME_WASM"),
        validators: 4,
        gateways: 1,
        caches: 1,
        resolver: None,
    };
    let programs = Programs::in_folder(&env_path("SELVEDGE_BIN_DIR"))?;
    let mut network = Network::start(&options, programs, &mut Figures::default()).await?;
    let site = Site::start().await?;
    job::register(&network, &site.url()).await?;
    job::wait_served(&network, "/page/1").await?;
    let billed = job::epoch(&network.cli()).await?;

    // The referendum takes its time; so do the others.
    let upgrade = Upgrade::propose(&network).await.context("a proposal")?;
    every_call(&network).await.context("every call")?;
    parameters::check(&network).await.context("parameters")?;
    let offender = network.plan.validators.last().context("validators")?;
    double_vote::commit(&network, offender)
        .await
        .context("two votes in one round")?;
    equivocation::lose_seat(&network).await?;
    upgrade.wait_authorised(&network).await?;
    upgrade
        .apply(&mut network, billed)
        .await
        .context("an upgrade")?;

    let gateway = network.plan.of_role("gateway").next();
    let port = gateway.context("there is a gateway")?.http_port;
    let answer = client::get(port, HOST, "/page/1").await?;
    assert!(answer.status().is_success(), "it serves on");
    invariants::check(network.rpc_port())
        .await
        .context("invariants")?;
    latecomer(&network).await.context("a latecomer")?;
    network.ensure_running()?;
    network.stop().await
}

/// A node that was not there comes as far as the others, over the change of the validators and that of the runtime.
async fn latecomer(network: &Network) -> anyhow::Result<()> {
    let head = client::finalised(network.rpc_port()).await?;
    let mut late = network.start_beside("latecomer", &[], &[]).await?;
    let port = late.rpc_port;
    wait_for("the latecomer's sync", LIMIT, || async move {
        Ok((client::finalised(port).await? > head).then_some(()))
    })
    .await?;
    late.process.stop().await?;
    Ok(())
}

/// Two wallets make, sign and send every call of the chain's own pallets with nothing but its metadata, and read every error.
async fn every_call(network: &Network) -> anyhow::Result<()> {
    let Some(folder) = clients::install().await? else {
        return Ok(());
    };
    let url = format!("ws://127.0.0.1:{}", network.rpc_port());
    let payer = network.plan.customer.suri();
    let mut answers = Vec::new();
    for script in ["calls-legacy.mjs", "calls-papi.mjs"] {
        // An account that nobody knows, so that every wallet finds the same.
        let person = Person::new();
        let words = ["account", "transfer", &person.address(), FUNDS];
        network.cli().run(Some(&payer), &words).await?;
        let answer = clients::run(&folder, script, &[&url, &person.suri()]).await?;
        answers.push(answer);
    }
    let [legacy, papi] = &answers[..] else {
        anyhow::bail!("two wallets");
    };
    assert!(legacy["calls"].as_u64() > Some(30), "{legacy}");
    assert_eq!(legacy["calls"], papi["calls"]);
    assert_eq!(legacy["errors"], papi["errors"]);
    Ok(())
}
