//! The chain nodes: spec, keys, start.

use crate::{
    client,
    folder::{write_secret, Folder},
    genesis,
    identity::Seed,
    plan::{Daemon, Plan, Validator},
    process::{wait_for, Process},
    programs::Programs,
};
use anyhow::Context;
use serde_json::{json, Value};
use std::{path::Path, time::Duration};
use tokio::process::Command;

/// Makes the raw chain spec from the runtime's preset, with this network's people and keys in place of the preset's, and
/// `more` of the genesis as the caller wants it.
pub async fn make_chain_spec(
    programs: &Programs,
    folder: &Folder,
    runtime: &Path,
    plan: &Plan,
    more: &Value,
) -> anyhow::Result<()> {
    let patch = folder.path().join("genesis-patch.json");
    std::fs::write(
        &patch,
        serde_json::to_string_pretty(&genesis::patch(plan, more))?,
    )?;
    run(Command::new(&programs.node)
        .arg("create-chain-spec")
        .arg("--runtime")
        .arg(runtime)
        .args([
            "--preset",
            "local_testnet",
            "--id",
            "selvedge_devnet",
            "--name",
            "Selvedge devnet",
        ])
        .args(["--chain-type", "local", "--raw", "--patch"])
        .arg(&patch)
        .arg("-o")
        .arg(folder.chain_spec()))
    .await?;
    Ok(())
}

/// Puts a validator's session keys, and the agent key it audits with, into its keystore and writes its node key.
pub async fn make_keys(
    programs: &Programs,
    folder: &Folder,
    validator: &Validator,
) -> anyhow::Result<()> {
    let base = folder.of(&validator.name)?;
    write_secret(&base.join("node.key"), validator.node_key.hex())?;
    for (key_type, scheme) in [
        ("babe", "sr25519"),
        ("gran", "ed25519"),
        ("audi", "sr25519"),
        ("edge", "sr25519"),
    ] {
        insert_key(
            programs,
            folder,
            &base,
            [key_type, scheme],
            &validator.session,
        )
        .await?;
    }
    Ok(())
}

/// Puts a key into the keystore of the node whose base path this is; `kind` is its type and its scheme.
pub async fn insert_key(
    programs: &Programs,
    folder: &Folder,
    base: &Path,
    kind: [&str; 2],
    seed: &Seed,
) -> anyhow::Result<()> {
    let [key_type, scheme] = kind;
    run(Command::new(&programs.node)
        .args(["key", "insert", "--base-path"])
        .arg(base)
        .arg("--chain")
        .arg(folder.chain_spec())
        .args(["--scheme", scheme, "--key-type", key_type])
        .args(["--suri", &seed.suri()]))
    .await?;
    Ok(())
}

/// Tells a node which daemons it drives.
pub fn write_agents(folder: &Folder, plan: &Plan, index: usize) -> anyhow::Result<()> {
    let table = |daemon: &Daemon| {
        format!(
            "[[agent]]\ndevice = \"{}\"\nurl = \"http://127.0.0.1:{}\"\ntoken = \"{}\"\nedge_key = \"{}\"\n",
            daemon.device.device_id(),
            daemon.control_port,
            daemon.token.hex(),
            daemon.agent.suri(),
        )
    };
    let text: String = plan
        .daemons
        .iter()
        .filter(|daemon| daemon.driver == index)
        .map(table)
        .collect();
    write_secret(
        &folder.of(&plan.validators[index].name)?.join("agents.toml"),
        &text,
    )
}

/// Starts a validator.
pub async fn start(
    programs: &Programs,
    folder: &Folder,
    plan: &Plan,
    index: usize,
) -> anyhow::Result<Process> {
    let validator = &plan.validators[index];
    let base = folder.of(&validator.name)?;
    let mut command = Command::new(&programs.node);
    command
        .arg("--chain")
        .arg(folder.chain_spec())
        .arg("--base-path")
        .arg(&base)
        .arg("--node-key-file")
        .arg(base.join("node.key"))
        .arg("--agents-file")
        .arg(base.join("agents.toml"))
        .args([
            "--validator",
            "--no-telemetry",
            "--no-mdns",
            "--allow-private-ip",
            "--name",
            &validator.name,
        ])
        .args([
            "--listen-addr",
            &format!("/ip4/127.0.0.1/tcp/{}", validator.p2p_port),
        ])
        .args([
            "--listen-addr",
            &format!("/ip4/127.0.0.1/tcp/{}/ws", validator.light_port),
        ])
        .args([
            "--public-addr",
            &format!("/ip4/127.0.0.1/tcp/{}", validator.p2p_port),
        ])
        .args(["--rpc-port", &validator.rpc_port.to_string()])
        .args(["--prometheus-port", &validator.metrics_port.to_string()]);
    if index > 0 {
        let first = address(programs, folder, &plan.validators[0]).await?;
        command.args(["--bootnodes", &first]);
    }
    Process::start(&validator.name, command, folder.log(&validator.name))
}

/// Waits until a chain node answers over JSON-RPC.
pub async fn wait_answering(process: &mut Process, rpc_port: u16) -> anyhow::Result<()> {
    wait_for(&process.name.clone(), Duration::from_secs(120), || {
        let running = process.ensure_running();
        async move {
            running?;
            client::rpc(rpc_port, "system_health", json!([])).await?;
            Ok(Some(()))
        }
    })
    .await
}

/// Address at which other chain nodes reach a validator.
pub async fn address(
    programs: &Programs,
    folder: &Folder,
    validator: &Validator,
) -> anyhow::Result<String> {
    let listener = format!("tcp/{}", validator.p2p_port);
    address_at(programs, folder, validator, &listener).await
}

/// Address at which a light client reaches a validator.
pub async fn light_address(
    programs: &Programs,
    folder: &Folder,
    validator: &Validator,
) -> anyhow::Result<String> {
    let listener = format!("tcp/{}/ws", validator.light_port);
    address_at(programs, folder, validator, &listener).await
}

async fn address_at(
    programs: &Programs,
    folder: &Folder,
    validator: &Validator,
    listener: &str,
) -> anyhow::Result<String> {
    let peer = peer_id(programs, &folder.of(&validator.name)?.join("node.key")).await?;
    Ok(format!("/ip4/127.0.0.1/{listener}/p2p/{peer}"))
}

async fn peer_id(programs: &Programs, key: &Path) -> anyhow::Result<String> {
    let mut command = Command::new(&programs.node);
    Ok(
        run(command.args(["key", "inspect-node-key", "--file"]).arg(key))
            .await?
            .trim()
            .to_string(),
    )
}

async fn run(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .kill_on_drop(true)
        .output()
        .await
        .context("cannot run selvedge-node")?;
    anyhow::ensure!(
        output.status.success(),
        "selvedge-node failed: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(String::from_utf8(output.stdout)?)
}
