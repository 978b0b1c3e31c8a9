//! Starts a role with its endpoints, waits for the end, stops.

use crate::{
    config::{Config, Role},
    key, options,
};
use anyhow::Context;
use selvedge_edge_drivers_agent::{AuditServer, ControlServer, HostChecker};
use selvedge_edge_drivers_transport::Identity;
use selvedge_edge_roles_cache::Cache;
use selvedge_edge_roles_gateway::{Gateway, Meter};
use serde::Serialize;
use std::{
    collections::BTreeMap, io::IsTerminal, net::SocketAddr, path::Path, sync::Arc, time::Duration,
};
use tokio::signal::unix::{signal, Signal, SignalKind};
use tracing_subscriber::EnvFilter;

/// How long the endpoints of chain node and public may take to end.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// Runs the daemon until it is asked to end.
pub fn run(config: Config) -> anyhow::Result<()> {
    config.check()?;
    start_log(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match config.role {
            Role::Gateway => gateway(&config).await,
            Role::Cache => cache(&config).await,
        }
    })
}

fn start_log(config: &Config) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.log.filter)
        .with_context(|| format!("log.filter {:?}", config.log.filter))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // Colours are for terminals, not for files.
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    if config.log.json {
        log.json().init();
    } else {
        log.init();
    }
    Ok(())
}

/// The addresses in use, by what they are for.
#[derive(Default, Serialize)]
struct Addresses(BTreeMap<&'static str, Vec<SocketAddr>>);

impl Addresses {
    fn add(&mut self, purpose: &'static str, address: SocketAddr) {
        tracing::info!(%address, "listening for {purpose}");
        self.0.entry(purpose).or_default().push(address);
    }

    /// Writes the file whole or not at all: who waits for it never reads half of it.
    fn write(&self, path: Option<&Path>) -> anyhow::Result<()> {
        let Some(path) = path else { return Ok(()) };
        let partial = path.with_extension("partial");
        std::fs::write(&partial, serde_json::to_string_pretty(self)?)?;
        Ok(std::fs::rename(&partial, path)?)
    }
}

async fn gateway(config: &Config) -> anyhow::Result<()> {
    let mut signals = Signals::new()?;
    let key = key::read(&config.device_key_file)?;
    let token = config.token()?;
    std::fs::create_dir_all(&config.state_dir)
        .with_context(|| format!("the state folder {}", config.state_dir.display()))?;
    let folder = config.state_dir.join("meter");
    let opened = key.clone();
    let meter = tokio::task::spawn_blocking(move || Meter::open(&folder, opened)).await??;
    let identity = Arc::new(Identity::new(key)?);
    tracing::info!(device = %identity.device(), "gateway");
    let hosts = HostChecker::new(config.gateway.resolver)?;
    let gateway =
        Gateway::start(identity, options::gateway(config)?, Arc::new(meter), hosts).await?;
    let control = ControlServer::start(config.control.listen, token, gateway.agent())
        .await
        .with_context(|| format!("control.listen {}", config.control.listen))?;
    let audit = AuditServer::start(config.audit.listen, gateway.agent())
        .await
        .with_context(|| format!("audit.listen {}", config.audit.listen))?;

    let mut addresses = Addresses::default();
    let listening = gateway.listening();
    listening
        .http
        .iter()
        .for_each(|address| addresses.add("http", *address));
    listening
        .https
        .iter()
        .for_each(|address| addresses.add("https", *address));
    listening
        .admin
        .iter()
        .for_each(|address| addresses.add("admin", *address));
    addresses.add("control", control.local_addr());
    addresses.add("audit", audit.local_addr());
    addresses.write(config.ports_file.as_deref())?;

    while signals.next().await == Asked::Reload {
        gateway.reload();
    }
    tracing::info!("ending; running requests may finish");
    let in_time = gateway.shutdown().await;
    control.shutdown(LAST_ANSWERS).await;
    audit.shutdown(LAST_ANSWERS).await;
    if !in_time {
        tracing::warn!("some requests were cut off at the end");
    }
    Ok(())
}

async fn cache(config: &Config) -> anyhow::Result<()> {
    let mut signals = Signals::new()?;
    let identity = Arc::new(Identity::new(key::read(&config.device_key_file)?)?);
    let token = config.token()?;
    tracing::info!(device = %identity.device(), "cache");
    let cache = Cache::start(identity, options::cache(config)?).await?;
    let control = ControlServer::start(config.control.listen, token, cache.agent())
        .await
        .with_context(|| format!("control.listen {}", config.control.listen))?;

    let mut addresses = Addresses::default();
    addresses.add("transport", cache.transport_addr());
    addresses.add("admin", cache.admin_addr());
    addresses.add("control", control.local_addr());
    addresses.write(config.ports_file.as_deref())?;

    while signals.next().await == Asked::Reload {}
    tracing::info!("ending; running replies may finish");
    control.shutdown(LAST_ANSWERS).await;
    cache.shutdown().await;
    Ok(())
}

/// What the system asks for.
#[derive(PartialEq, Eq)]
enum Asked {
    End,
    Reload,
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.interrupt.recv() => Asked::End,
            _ = self.terminate.recv() => Asked::End,
            _ = self.hang_up.recv() => Asked::Reload,
        }
    }
}
