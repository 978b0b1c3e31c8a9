//! Two nodes that seal blocks with one key: the validator it belongs to loses stake and seat.

use crate::state;
use anyhow::Context;
use selvedge_devnet::{plan::Validator, process::wait_for, Network};
use std::time::Duration;

/// How long the offender may take to seal twice in a slot, or sessions to go by.
const LIMIT: Duration = Duration::from_secs(300);

/// Gives the key with which the last validator seals its blocks to a second node, and waits until stake is taken for it.
pub async fn commit(network: &Network) -> anyhow::Result<()> {
    let offender = offender(network)?;
    let before = stake(network, offender).await?;
    anyhow::ensure!(before > 0, "{} has no stake", offender.name);
    let seal = ("babe", "sr25519", &offender.session);
    let mut twin = network
        .start_beside("twin", &[seal], &["--validator"])
        .await?;
    wait_for("the slash", LIMIT, || {
        let running = twin.process.ensure_running();
        async move {
            running?;
            Ok((stake(network, offender).await? < before).then_some(()))
        }
    })
    .await?;
    twin.process.stop().await?;
    Ok(())
}

/// Waits until the offender's seat is gone, which also hands finality over to another authority set.
pub async fn lose_seat(network: &Network) -> anyhow::Result<()> {
    let device = offender(network)?.device.ed25519();
    let port = network.rpc_port();
    wait_for("the end of the offender's seat", LIMIT, || async move {
        let validators = state::value(port, "Session", "Validators")
            .await?
            .context("a session has validators")?;
        // A vector in SCALE, below 64 entries: one octet of length, then the accounts.
        let mut seats = validators[1..].chunks_exact(32);
        Ok((!seats.any(|seat| seat == device)).then_some(()))
    })
    .await?;
    let set = state::value(port, "Grandpa", "CurrentSetId").await?;
    let set = set.context("an authority set has a number")?;
    anyhow::ensure!(
        set.iter().any(|octet| *octet > 0),
        "the authority set is still the first"
    );
    Ok(())
}

fn offender(network: &Network) -> anyhow::Result<&Validator> {
    network
        .plan
        .validators
        .last()
        .context("there are validators")
}

/// What a validator's stake holds, in planck.
async fn stake(network: &Network, validator: &Validator) -> anyhow::Result<u128> {
    let device = validator.device.device_id();
    let status = network
        .cli()
        .run(None, &["node", "status", &device])
        .await?;
    match status["stake"]["amount"].as_str() {
        Some(amount) => Ok(amount.parse()?),
        None => Ok(0),
    }
}
