//! The edge daemons: configuration, start, health.

use crate::{
    client,
    folder::{write_secret, Folder},
    plan::Daemon,
    process::{wait_for, Process},
    programs::Programs,
};
use std::{path::PathBuf, time::Duration};
use tokio::process::Command;

/// Where a daemon's device key is.
pub fn device_key_file(folder: &Folder, daemon: &Daemon) -> anyhow::Result<PathBuf> {
    Ok(folder.of(&daemon.name)?.join("device.key"))
}

/// Starts a daemon.
pub fn start(programs: &Programs, folder: &Folder, daemon: &Daemon) -> anyhow::Result<Process> {
    let mut command = Command::new(&programs.edge);
    command.args(["run", "--config"]).arg(folder.of(&daemon.name)?.join("edge.toml"));
    Process::start(&daemon.name, command, folder.log(&daemon.name))
}

/// Waits until the daemon answers at all.
pub async fn wait_alive(daemon: &Daemon, process: &mut Process) -> anyhow::Result<()> {
    wait_for(&daemon.name, Duration::from_secs(30), || {
        let running = process.ensure_running();
        async move {
            running?;
            health(daemon, "/healthz").await
        }
    })
    .await
}

/// Waits until the daemon has its configuration and serves.
pub async fn wait_ready(daemon: &Daemon) -> anyhow::Result<()> {
    wait_for(&format!("readiness of {}", daemon.name), Duration::from_secs(120), || health(daemon, "/readyz")).await
}

async fn health(daemon: &Daemon, path: &str) -> anyhow::Result<Option<()>> {
    let answer = client::get(daemon.admin_port, "localhost", path).await?;
    Ok(answer.status().is_success().then_some(()))
}

/// Writes a daemon's device key and configuration.
pub fn configure(folder: &Folder, daemon: &Daemon) -> anyhow::Result<()> {
    let base = folder.of(&daemon.name)?;
    write_secret(&device_key_file(folder, daemon)?, daemon.device.hex())?;
    write_secret(&base.join("control.token"), daemon.token.hex())?;
    write_secret(&base.join("edge.toml"), &config(&base, daemon))
}
