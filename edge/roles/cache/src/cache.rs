//! Starts and stops a cache.

use crate::{
    asked::Asked, content::Contents, control::CacheControl, flight::Flights, metrics::Metrics,
    options::CacheOptions, passes::Passes, service::Shared, world::Worlds,
};
use selvedge_edge_drivers_agent::{clock, ConfigFile, Control, OperatorServer};
use selvedge_edge_drivers_http::ServerHandle;
use selvedge_edge_drivers_meter::{CacheMeter, MeterError};
use selvedge_edge_drivers_purge::Purges;
use selvedge_edge_drivers_store::{Config, Error as StoreError, Shelf, ShelfError, Store};
use selvedge_edge_drivers_transport::{bind, Identity, TransportError};
use selvedge_primitives_types::DeviceId;
use std::{
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::JoinHandle;

/// How often counters and vouchers are made to last.
const TICK: Duration = Duration::from_millis(250);
/// How long running replies may take at the end.
const LAST_REPLIES: Duration = Duration::from_secs(5);

/// Why a cache does not start.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The folder for state cannot be used.
    #[error("the state folder")]
    Folder(#[source] std::io::Error),
    /// The meter does not open.
    #[error("the meter")]
    Meter(#[from] MeterError),
    /// The store does not open.
    #[error("the store")]
    Store(#[from] StoreError),
    /// The folder of pinned content does not open.
    #[error("the pinned content")]
    Content(#[from] ShelfError),
    /// The purges that were kept cannot be read.
    #[error("the kept purges")]
    Purges(#[source] std::io::Error),
    /// The transport does not start.
    #[error("the transport")]
    Transport(#[from] TransportError),
    /// A listener does not start.
    #[error("cannot listen")]
    Listen(#[source] std::io::Error),
}

/// A running cache.
pub struct Cache {
    shared: Arc<Shared>,
    transport: ServerHandle,
    operator: ServerHandle,
    agent: Arc<CacheControl>,
    tasks: [JoinHandle<()>; 2],
}

impl Cache {
    /// Opens the state folder and starts to listen; it serves once its chain node has sent a
    /// config, or from the one kept from an earlier run.
    ///
    /// Errors: [`CacheError`].
    pub async fn start(identity: Arc<Identity>, options: CacheOptions) -> Result<Self, CacheError> {
        let key = identity.key().clone();
        std::fs::create_dir_all(&options.state).map_err(CacheError::Folder)?;
        let meter = CacheMeter::open(&options.state.join("meter"), key.clone(), options.exposure)?;
        let purges_file = options.state.join("purges.log");
        let asked = Asked::new(!purges_file.exists(), Instant::now());
        let purges = Purges::open(&purges_file, key).map_err(CacheError::Purges)?;
        let store = Store::open(Config {
            sync: options.sync,
            ..Config::new(options.state.join("store"), options.quota)
        })?;
        let content = options.content;
        let shelf = Shelf::open(options.state.join("content"), content.quota, options.sync)?;
        let file = ConfigFile::new(options.state.join("chain.scale"));
        let worlds = Arc::new(Worlds::default());
        let shared = Arc::new(Shared {
            device: identity.device(),
            identity: identity.clone(),
            worlds: worlds.clone(),
            store,
            contents: Contents::new(shelf, identity.clone(), content, options.discovery.clone()),
            flights: Flights::new(clock::now().0 << 16),
            passes: Passes::default(),
            asked,
            purges,
            meter: Arc::new(meter),
            metrics: Metrics::default(),
            is_stopping: AtomicBool::new(false),
            options,
        });
        if let Some(chain) = file.load() {
            if let Err(error) = shared.take_world(chain) {
                tracing::warn!(error, "the kept config is not used");
            }
        }
        let options = &shared.options;
        let (server, handler) = bind(
            options.transport,
            &identity,
            worlds,
            options.limits.clone(),
            shared.clone(),
        )
        .await?;
        let transport = server.serve(handler);
        let operator = OperatorServer::start(options.admin, shared.clone())
            .await
            .map_err(CacheError::Listen)?;
        let agent = Arc::new(CacheControl {
            shared: shared.clone(),
            file,
            turn: tokio::sync::Mutex::new(()),
        });
        let tasks = [
            tokio::spawn(tick(shared.clone())),
            tokio::spawn(crate::content::run(shared.clone())),
        ];
        Ok(Self {
            shared,
            transport,
            operator,
            agent,
            tasks,
        })
    }

    /// The device it runs as.
    pub fn device(&self) -> DeviceId {
        self.shared.device
    }

    /// Where gateways reach it.
    pub fn transport_addr(&self) -> SocketAddr {
        self.transport.local_addr()
    }

    /// Where its operator reaches it.
    pub fn admin_addr(&self) -> SocketAddr {
        self.operator.local_addr()
    }

    /// What answers its chain node.
    pub fn agent(&self) -> Arc<impl Control> {
        self.agent.clone()
    }

    /// Ends it: running replies may finish, then what was counted is made to last.
    pub async fn shutdown(self) {
        self.shared.is_stopping.store(true, Ordering::Release);
        self.transport.shutdown(LAST_REPLIES).await;
        self.operator.shutdown(LAST_REPLIES).await;
        for task in &self.tasks {
            task.abort();
        }
        let shared = self.shared;
        let kept = tokio::task::spawn_blocking(move || shared.meter.tick()).await;
        if !matches!(kept, Ok(Ok(()))) {
            tracing::warn!("the last counts were not flushed; the kernel still holds them");
        }
    }
}

async fn tick(shared: Arc<Shared>) {
    let mut interval = tokio::time::interval(TICK);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        let meter = shared.clone();
        match tokio::task::spawn_blocking(move || meter.meter.tick()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "counters or vouchers were not flushed"),
            Err(_) => return,
        }
    }
}
