//! The edge daemons: configuration, start, health.

use crate::{
    client,
    folder::{write_secret, Folder},
    plan::Daemon,
    process::{wait_for, Process},
    programs::Programs,
};
use serde::Serialize;
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::process::Command;

/// Where a daemon's device key is.
pub fn device_key_file(folder: &Folder, daemon: &Daemon) -> anyhow::Result<PathBuf> {
    Ok(folder.of(&daemon.name)?.join("device.key"))
}

/// Starts a daemon.
pub fn start(programs: &Programs, folder: &Folder, daemon: &Daemon) -> anyhow::Result<Process> {
    let mut command = Command::new(&programs.edge);
    command
        .args(["run", "--config"])
        .arg(folder.of(&daemon.name)?.join("edge.toml"));
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
    wait_for(
        &format!("readiness of {}", daemon.name),
        Duration::from_secs(120),
        || health(daemon, "/readyz"),
    )
    .await
}

async fn health(daemon: &Daemon, path: &str) -> anyhow::Result<Option<()>> {
    let answer = client::get(daemon.admin_port, "localhost", path).await?;
    Ok(answer.status().is_success().then_some(()))
}

/// Writes a daemon's device key and configuration.
pub fn configure(
    folder: &Folder,
    daemon: &Daemon,
    resolver: Option<SocketAddr>,
) -> anyhow::Result<()> {
    let base = folder.of(&daemon.name)?;
    write_secret(&device_key_file(folder, daemon)?, daemon.device.hex())?;
    write_secret(&base.join("control.token"), daemon.token.hex())?;
    write_secret(
        &base.join("edge.toml"),
        &toml::to_string(&config(&base, daemon, resolver))?,
    )
}

/// A daemon's configuration, as its own documentation describes it.
#[derive(Serialize)]
struct Config {
    role: String,
    device_key_file: &'static str,
    state_dir: &'static str,
    control: Control,
    admin: Listen,
    #[serde(skip_serializing_if = "Option::is_none")]
    audit: Option<Listen>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway: Option<Gateway>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache: Option<Listen>,
}

#[derive(Serialize)]
struct Control {
    listen: SocketAddr,
    token_file: &'static str,
}

#[derive(Serialize)]
struct Listen {
    listen: SocketAddr,
}

#[derive(Serialize)]
struct Gateway {
    http: Vec<SocketAddr>,
    access_log: PathBuf,
    /// The site's origin is on this machine.
    allow_private_origins: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolver: Option<SocketAddr>,
}

fn config(base: &Path, daemon: &Daemon, resolver: Option<SocketAddr>) -> Config {
    let listen = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let is_gateway = daemon.role == "gateway";
    Config {
        role: daemon.role.clone(),
        device_key_file: "device.key",
        state_dir: "state",
        control: Control {
            listen: listen(daemon.control_port),
            token_file: "control.token",
        },
        admin: Listen {
            listen: listen(daemon.admin_port),
        },
        audit: is_gateway.then(|| Listen {
            listen: listen(daemon.audit_port),
        }),
        gateway: is_gateway.then(|| Gateway {
            http: vec![listen(daemon.http_port)],
            access_log: base.join("access.log"),
            allow_private_origins: true,
            resolver,
        }),
        cache: (!is_gateway).then(|| Listen {
            listen: listen(daemon.transport_port),
        }),
    }
}
