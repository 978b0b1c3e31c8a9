//! A gateway: what its requests share, its listeners, and how it starts and ends.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Response;
use parking_lot::RwLock;
use selvedge_edge_drivers_agent::{clock, ConfigFile, HostChecker, Operated, OperatorServer};
use selvedge_edge_drivers_http::{Body, CertStore, OriginClient, Server, ServerHandle, Workers};
use selvedge_edge_drivers_p2p::LateDiscovery;
use selvedge_edge_drivers_purge::{Purges, Verdict, WaitingFile};
use selvedge_edge_drivers_store::Memory;
use selvedge_edge_drivers_transport::{Identity, PeerAddress, Peers};
use selvedge_primitives_types::{DeviceId, ServiceId};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::access_log::{AccessLog, Line};
use crate::changes::Changes;
use crate::choices::Choices;
use crate::content::Contents;
use crate::entry::Entry;
use crate::exchange::{Exchange, Scope};
use crate::failure::{Failure, Reason};
use crate::gather::Gatherings;
use crate::holding::Holding;
use crate::insight::Listeners;
use crate::invalidations::Invalidations;
use crate::landing::Landings;
use crate::live::{Analytics, Live};
use crate::metered::{Base, MeteredBody};
use crate::metrics::{Metrics, Source};
use crate::options::GatewayOptions;
use crate::probing::Probing;
use crate::publish::Publishing;
use crate::purge_sync::Watch;
use crate::question::Question;
use crate::refresh::Refreshes;
use crate::replicas::Replicas;
use crate::rules::{Book, Coded, Servers};
use crate::serve::Front;
use crate::steward::Storage;
use crate::tab::{Denied, Meter, Running, Sent, Tab};
use crate::timing;
use crate::verdicts::Verdicts;
use crate::world::World;
use selvedge_edge_drivers_transport::Memo;

/// Parts of the memory cache that are locked apart.
const SHARDS: usize = 8;
/// Directories of sites take such a part of what the memory cache takes, beside it.
const DIRECTORIES: u64 = 16;
/// Keys remembered as not shared, and as not asked of a cache.
const MEMO: usize = 65_536;
/// Explanations at a time.
const EXPLAINING: usize = 16;
/// Of the memory cache's bytes, one in so many is for compressed answers besides.
const CODED: u64 = 8;
/// How often certificates are looked at.
const CERT_INTERVAL: Duration = Duration::from_secs(5);

/// Why a gateway does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// No threads to serve with.
    #[error("the serving threads cannot be started: {0}")]
    Workers(std::io::Error),
    /// HTTPS without certificates.
    #[error("https needs a folder of certificates: set `certs_dir`")]
    NoCertificates,
    /// The certificates cannot be used.
    #[error("the certificates cannot be used: {0}")]
    Certificates(String),
    /// Origins cannot be fetched from.
    #[error(transparent)]
    Origin(#[from] selvedge_edge_drivers_http::OriginError),
    /// The purges that were kept cannot be read.
    #[error("the kept purges cannot be read: {0}")]
    Purges(std::io::Error),
    /// What storage was counted cannot be read.
    #[error("the counted storage cannot be read: {0}")]
    Storage(std::io::Error),
    /// The access log cannot be opened.
    #[error("the access log cannot be opened: {0}")]
    AccessLog(std::io::Error),
}

/// What all requests share.
pub struct Shared {
    /// The device.
    pub identity: Arc<Identity>,
    /// The set-up.
    pub options: GatewayOptions,
    /// Counts.
    pub meter: Arc<Meter>,
    /// Metrics.
    pub metrics: Metrics,
    /// What each service's customer may see of them.
    pub analytics: Analytics,
    /// Listeners to services' logs.
    pub listeners: Listeners,
    /// Places for those who ask for an explanation.
    pub explaining: tokio::sync::Semaphore,
    /// Why answers were stored or not.
    pub verdicts: Verdicts,
    /// Memory cache.
    pub memory: Memory<Entry>,
    /// Sites from content.
    pub content: Contents,
    /// Customers' rules.
    pub(crate) rules: Book,
    /// Wakes the fetching of rules.
    pub(crate) rules_changed: Notify,
    /// Which servers of customers' origins are well.
    pub(crate) servers: Servers,
    /// Answers that were compressed before.
    pub(crate) coded: Coded,
    /// Origins.
    pub origin: OriginClient,
    /// Caches.
    pub peers: Peers,
    /// Purges.
    pub purges: Arc<Purges>,
    /// When the owners of services' purges were heard of.
    pub watch: Watch,
    /// Probes that the chain node ordered.
    pub probing: Probing,
    /// Wakes the comparison of purges.
    pub purge_sync: Notify,
    /// What unsafe requests made invalid and no order is about yet.
    pub invalidations: Invalidations,
    /// What owners are to know of.
    pub holding: Holding,
    /// Keys whose responses are not for sharing.
    pub passes: Memo<[u8; 16]>,
    /// Keys whose responses are too long for sharing.
    pub long: Memo<[u8; 16]>,
    /// Responses that their caches are storing.
    pub landings: Arc<Landings>,
    /// Keys that are renewed behind the visitors' backs.
    pub refreshes: Arc<Refreshes>,
    /// When keys were made invalid.
    pub changes: Changes,
    /// Caches that are not believed about a key.
    pub distrust: Memo<(DeviceId, [u8; 16])>,
    /// Caches that did not answer in time.
    pub resting: Memo<DeviceId>,
    /// Requests that miss the same thing at once.
    pub gatherings: Arc<Gatherings>,
    /// Content that is put and read.
    pub publishing: Publishing,
    /// Storage that is counted.
    pub storage: Storage,
    /// What was seen of caches.
    pub choices: Arc<Choices>,
    /// Finds who has content beside its owners.
    pub discovery: LateDiscovery,
    /// Who may have content.
    pub replicas: Replicas,
    /// Looks for ownership records.
    pub hosts: HostChecker,
    /// Where the chain's config is kept.
    pub config_file: ConfigFile,
    /// Certificates, where HTTPS is served.
    pub certs: Option<Arc<CertStore>>,
    /// Wakes the closing of epochs.
    pub epoch_over: Notify,
    /// Held while a config is put in place.
    pub configuring: tokio::sync::Mutex<()>,
    world: RwLock<Option<Arc<World>>>,
    log: AccessLog,
    is_draining: AtomicBool,
}

impl Shared {
    /// The chain's config, once there is one.
    pub fn world(&self) -> Option<Arc<World>> {
        self.world.read().clone()
    }

    /// Puts another config in place.
    pub fn set_world(&self, world: Arc<World>) {
        self.peers
            .retain(|peer: &PeerAddress| world.cache(&peer.device).as_ref() == Some(peer));
        self.metrics.epoch.set(world.chain.clock.epoch.0 as i64);
        self.discovery.begin(world.genesis());
        self.replicas.renew(self.world().as_deref(), &world);
        let mut current = self.world.write();
        self.rules.renew(current.as_deref(), &world);
        self.rules_changed.notify_one();
        self.holding.renew(current.as_deref(), &world, clock::now());
        *current = Some(world);
    }

    /// Keeps a response in memory.
    pub fn keep(&self, question: &Question, entry: Entry) -> Arc<Entry> {
        let service = question.scope.service.id;
        let place = entry.place();
        let record = &entry.signed.record;
        let is_outdated = matches!(self.verdict(service, &entry), Verdict::Gone { .. })
            || self
                .changes
                .outdate(&question.pass_name(), record.requested);
        if is_outdated {
            return Arc::new(entry);
        }
        let key = question.key.as_bytes();
        entry.hold.begin(question.exchange.arrived, entry.cache);
        let entry = self.memory.insert(service, key, &place, entry);
        self.tell_of(&entry);
        entry
    }

    /// Whether a body of this length fits into memory.
    pub fn fits_memory(&self, length: u64) -> bool {
        // A quarter at most, so that one body does not push out all others.
        length <= self.memory.largest() / 4
    }

    /// Whether no request more is taken than are running.
    pub fn is_busy(&self) -> bool {
        self.metrics.running.get() >= self.options.max_requests as i64
    }

    /// Opens the account of a request.
    pub fn open_tab(&self, scope: &Scope) -> Result<Tab, Failure> {
        if self.metrics.running.get() > self.options.max_requests as i64 {
            return Err(Failure::new(Reason::Busy));
        }
        Tab::open(&self.meter, &scope.service).map_err(|denied| self.denied(scope, denied))
    }

    /// What a visitor is told when the account does not cover a request.
    pub fn denied(&self, scope: &Scope, denied: Denied) -> Failure {
        match denied {
            Denied::OutOfLease => {
                let clock = &scope.world.chain.clock;
                let end = clock.epoch_start.0.saturating_add(clock.epoch_length.0);
                let left = end.saturating_sub(clock::now().0) / 1_000;
                Failure {
                    retry_after: Some(left.clamp(1, 3_600)),
                    ..Failure::new(Reason::OutOfLease)
                }
            }
            Denied::UnknownService => Failure::because(Reason::NoOrigin, denied),
            Denied::NotCounting => Failure::because(Reason::Internal, denied),
        }
    }

    /// Logs, counts and hands an answer to its connection.
    pub fn finish(
        self: &Arc<Self>,
        exchange: Exchange,
        response: Response<Body>,
        source: Source,
        reason: Option<Reason>,
        tab: Option<Tab>,
        running: Running,
    ) -> Response<Body> {
        let status = response.status();
        let first_byte = exchange.started.elapsed();
        self.metrics
            .answered(status.as_u16(), source, first_byte.as_secs_f64());
        let (service, live) = self.counted(&exchange).unzip();
        let live = live.flatten();
        if let Some(live) = &live {
            live.answered(source, status.as_u16(), first_byte);
        }
        let (mut parts, body) = response.into_parts();
        let is_told = service.is_some() && self.options.server_timing.covers(source);
        if is_told {
            timing::tell(&mut parts.headers, source, first_byte, &exchange.waited);
        }
        let (version, progress) = (exchange.version, &exchange.connection.progress);
        let base = Base::after_fields(version, progress, &parts.headers, &body);
        let sent = Sent {
            shared: self.clone(),
            line: Some(Line {
                time_ms: clock::now().0.saturating_sub(first_byte.as_millis() as u64),
                request_id: exchange.id.clone(),
                peer: exchange.connection.peer.ip(),
                service: service.map(|service| service.0),
                host: exchange.host.clone(),
                method: exchange.method.as_str().into(),
                scheme: exchange.scheme(),
                target: exchange.target.clone(),
                status: status.as_u16(),
                source: source.name(),
                reason: reason.map(Reason::name),
                bytes: 0,
                complete: false,
                ttfb_us: first_byte.as_micros() as u64,
                total_us: 0,
            }),
            started: exchange.started,
            tab,
            live: live.map(|live| (live, source)),
            _running: running,
        };
        let body = MeteredBody::new(body, base, sent);
        Response::from_parts(parts, http_body_util::BodyExt::boxed_unsync(body))
    }

    /// Writes a line of the access log, and tells it to who listens to its service's.
    pub fn write_line(&self, line: &Line<impl serde::Serialize>, live: Option<&Live>) {
        if !self.log.write(line) {
            self.metrics.log_lost.inc();
        }
        if let Some(live) = live {
            live.tail.tell(line);
        }
    }

    /// Reads certificates and the access log's file again, as after a hang-up signal.
    pub fn reload(&self) {
        self.log.reopen();
        if let Some(certs) = &self.certs {
            match certs.reload() {
                Ok(errors) => {
                    for error in errors {
                        tracing::error!(%error, "a certificate is kept as it was");
                    }
                    tracing::info!(names = certs.names(), "certificates loaded");
                }
                Err(error) => tracing::error!(%error, "certificates are kept as they were"),
            }
        }
    }
}

/// Where a gateway listens.
#[derive(Clone, Debug, Default)]
pub struct Listening {
    /// For HTTP.
    pub http: Vec<SocketAddr>,
    /// For HTTPS.
    pub https: Vec<SocketAddr>,
    /// For its operator.
    pub admin: Option<SocketAddr>,
}

/// A running gateway.
pub struct Gateway {
    shared: Arc<Shared>,
    servers: Vec<ServerHandle>,
    workers: Workers,
    admin: ServerHandle,
    listening: Listening,
    tasks: Vec<JoinHandle<()>>,
}

impl Gateway {
    /// Starts listening, with the config that was kept from before.
    ///
    /// Errors: [`StartError`].
    pub async fn start(
        identity: Arc<Identity>,
        options: GatewayOptions,
        meter: Arc<Meter>,
        hosts: HostChecker,
    ) -> Result<Self, StartError> {
        let certs = match &options.certs {
            Some(folder) => Some(
                CertStore::open(folder)
                    .map_err(|error| StartError::Certificates(error.to_string()))?,
            ),
            None if options.https.is_empty() => None,
            None => return Err(StartError::NoCertificates),
        };
        let purges = Purges::open(&options.state.join("purges.log"), identity.key().clone())
            .map_err(StartError::Purges)?;
        let storage =
            Storage::open(&options.state.join("storage.log")).map_err(StartError::Storage)?;
        let invalidations = Invalidations::default();
        let waiting = WaitingFile::new(options.state.join(crate::invalidating::FILE));
        for (service, pending) in waiting.load().map_err(StartError::Purges)? {
            invalidations.resume(service, pending, Instant::now());
        }
        let metrics = Metrics::default();
        let shared = Arc::new(Shared {
            origin: OriginClient::new(&options.origin)?,
            peers: Peers::new(identity.clone(), options.peers.clone()),
            memory: Memory::new(options.memory_bytes, SHARDS),
            rules: Book::new(
                options.state.join("rules"),
                options.origin.guard.allow_private,
            ),
            rules_changed: Notify::new(),
            servers: Servers::default(),
            coded: Coded::new(options.memory_bytes / CODED),
            content: Contents::new(options.memory_bytes / DIRECTORIES),
            discovery: LateDiscovery::new(identity.key().clone(), options.discovery.clone()),
            log: AccessLog::open(&options.access_log).map_err(StartError::AccessLog)?,
            config_file: ConfigFile::new(options.state.join("chain.scale")),
            identity,
            meter,
            analytics: Analytics::new(),
            listeners: Listeners::default(),
            explaining: tokio::sync::Semaphore::new(EXPLAINING),
            verdicts: Verdicts::default(),
            purges: Arc::new(purges),
            watch: Watch::default(),
            probing: Probing::default(),
            purge_sync: Notify::new(),
            invalidations,
            holding: Holding::default(),
            passes: Memo::new(MEMO),
            long: Memo::new(MEMO),
            landings: Arc::default(),
            refreshes: Arc::default(),
            changes: Changes::default(),
            distrust: Memo::new(MEMO),
            resting: Memo::new(MEMO),
            gatherings: Arc::default(),
            publishing: Publishing::default(),
            storage,
            choices: Choices::new(options.hedges, metrics.peers.clone()),
            metrics,
            replicas: Replicas::default(),
            hosts,
            certs,
            epoch_over: Notify::new(),
            configuring: tokio::sync::Mutex::default(),
            world: RwLock::default(),
            is_draining: AtomicBool::new(false),
            options,
        });
        if let Some(kept) = shared.config_file.load() {
            shared.resume(kept).await;
        }
        let workers = Workers::start(shared.options.workers).map_err(StartError::Workers)?;
        let mut listening = Listening::default();
        let mut servers = Vec::new();
        let mut tls_port = None;
        for address in &shared.options.https {
            let certs = shared.certs.clone().ok_or(StartError::NoCertificates)?;
            let tls = certs
                .server_config()
                .map_err(|error| StartError::Certificates(error.to_string()))?;
            let server = listen(*address, &shared, &workers)?.with_tls(tls);
            let handle = serve(server, &shared, None);
            tls_port.get_or_insert(handle.local_addr().port());
            listening.https.push(handle.local_addr());
            servers.push(handle);
        }
        let redirect = tls_port.filter(|_| shared.options.redirect_https);
        for address in &shared.options.http {
            let server = listen(*address, &shared, &workers)?;
            let handle = serve(server, &shared, redirect);
            listening.http.push(handle.local_addr());
            servers.push(handle);
        }
        let address = shared.options.admin;
        let admin = OperatorServer::start(address, shared.clone())
            .await
            .map_err(|source| StartError::Listen { address, source })?;
        listening.admin = Some(admin.local_addr());
        let tasks = vec![
            tokio::spawn(crate::vouchers::run(shared.clone())),
            tokio::spawn(crate::closing::run(shared.clone())),
            tokio::spawn(crate::live::run(shared.clone())),
            tokio::spawn(watch_certs(shared.clone())),
            tokio::spawn(crate::purge_sync::run(shared.clone())),
            tokio::spawn(crate::invalidating::run(shared.clone())),
            tokio::spawn(crate::holding::run(shared.clone())),
            tokio::spawn(crate::rules::run(shared.clone())),
            tokio::spawn(crate::rules::look(shared.clone())),
            tokio::spawn(crate::steward::run(shared.clone())),
        ];
        Ok(Self {
            shared,
            servers,
            workers,
            admin,
            listening,
            tasks,
        })
    }

    /// Where it listens.
    pub fn listening(&self) -> &Listening {
        &self.listening
    }

    /// What it counts with.
    pub fn meter(&self) -> &Arc<Meter> {
        &self.shared.meter
    }

    /// What answers the chain node and the public.
    pub fn agent(&self) -> Arc<Shared> {
        self.shared.clone()
    }

    /// Reads certificates and the access log's file again.
    pub fn reload(&self) {
        self.shared.reload();
    }

    /// Drains, lets running requests end, and stops. Says whether all ended in time.
    pub async fn shutdown(self) -> bool {
        self.shared.is_draining.store(true, Ordering::Release);
        self.shared.analytics.close();
        for server in &self.servers {
            server.drain();
        }
        tokio::time::sleep(self.shared.options.drain).await;
        let deadline = self.shared.options.shutdown;
        let ending = self
            .servers
            .into_iter()
            .map(|server| server.shutdown(deadline));
        let in_time = futures::future::join_all(ending)
            .await
            .into_iter()
            .all(|done| done);
        // What is on its way to visitors is still counted.
        let running = &self.shared.metrics.running;
        let _ = tokio::time::timeout(deadline, async {
            while running.get() > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
        // So is what visitors changed ordered, or kept where nobody orders it.
        let invalidations = &self.shared.invalidations;
        let _ = tokio::time::timeout(deadline, async {
            while invalidations.is_under_way() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
        for task in &self.tasks {
            task.abort();
        }
        crate::invalidating::keep(&self.shared).await;
        drop(self.workers);
        crate::vouchers::send(&self.shared).await;
        self.admin.shutdown(Duration::from_secs(1)).await;
        let shared = self.shared.clone();
        let _ = tokio::task::spawn_blocking(move || shared.log.flush()).await;
        in_time
    }
}

fn listen(address: SocketAddr, shared: &Shared, workers: &Workers) -> Result<Server, StartError> {
    Server::bind_each(workers, address, shared.options.limits.clone())
        .map_err(|source| StartError::Listen { address, source })
}

fn serve(server: Server, shared: &Arc<Shared>, redirect: Option<u16>) -> ServerHandle {
    let front = Front {
        shared: shared.clone(),
        redirect,
    };
    server.serve(Arc::new(front))
}

async fn watch_certs(shared: Arc<Shared>) {
    let Some(certs) = shared.certs.clone() else {
        return;
    };
    let mut ticks = tokio::time::interval(CERT_INTERVAL);
    loop {
        ticks.tick().await;
        if certs.is_changed() {
            shared.reload();
        }
    }
}

impl Operated for Shared {
    fn readiness(&self) -> Result<(), &'static str> {
        if self.is_draining.load(Ordering::Acquire) {
            return Err("draining");
        }
        if self.world().is_none() {
            return Err("no config of the chain yet");
        }
        Ok(())
    }

    fn metrics(&self) -> String {
        self.metrics.memory_bytes.set(self.memory.bytes() as i64);
        let retried = self.origin.retried();
        self.metrics
            .retries
            .inner()
            .store(retried, Ordering::Relaxed);
        self.metrics.memory_objects.set(self.memory.len() as i64);
        let figures = self.purges.figures();
        self.metrics.purges.set(figures.things as i64);
        self.metrics.invalid.set(figures.invalid as i64);
        self.metrics.silent.set(figures.silent as i64);
        let waiting = self.invalidations.waiting();
        self.metrics.invalidations_waiting.set(waiting as i64);
        self.metrics.text()
    }

    fn purge(&self, service: ServiceId) {
        let (generation, kept) = self.purges.purge_here(service, clock::now());
        if let Err(error) = kept {
            tracing::error!(%error, "a purge is not kept: purge again after a restart");
        }
        let is_gone = |entry: &Entry| entry.signed.record.generation < generation;
        let count = self.memory.remove_where(service, is_gone);
        tracing::info!(%service, generation, count, "purged");
    }
}
