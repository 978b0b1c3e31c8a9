//! Makes what unsafe requests changed invalid in the whole network (RFC 9111 §4.4, ADR 016).
//!
//! ```text
//! forgotten here ─> owners of the key: forget it; may anybody have it? ─no─> done
//!                                       | yes, or no answer
//!                   an order for all such keys of a service, one at a time ─> every node
//! ```

use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use selvedge_edge_core_http_cache::CacheKey;
use selvedge_edge_drivers_agent::clock;
use selvedge_edge_drivers_purge::{key_id, Pending, WaitingFile};
use selvedge_edge_drivers_transport::{InvalidateRequest, PeerAddress};
use selvedge_primitives_types::{DeviceId, Millis, PurgeRefusal, ServiceId, SignedPurgeOrder};

use crate::exchange::Scope;
use crate::gateway::Shared;
use crate::question::name;
use crate::serve::OWNERS;

/// How long an owner has to forget a key, while the visitor waits. What one that does not answer may
/// have is ordered.
const PATIENCE: Duration = Duration::from_secs(1);
/// Owners of a key that are asked in each region: those that gateways ask, and one that took over
/// while one of them was away.
const RANKS: usize = OWNERS + 1;
/// How long the nodes have to take an order before the next one may go out.
const DEADLINE: Duration = Duration::from_secs(1);
/// Times an order is asked for, because somebody knew a higher number.
const TRIES: usize = 4;
/// How often what waits is looked at.
const TICK: Duration = Duration::from_millis(100);
/// What waits, in the state folder.
pub const FILE: &str = "invalidations.scale";
/// How often what waits is written to disk.
const KEEP_EACH: Duration = Duration::from_secs(1);
/// When a node that did not take an order is told again. By then it has compared its own with the
/// owners', or serves nothing that the origin has not confirmed.
const AGAIN: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(16),
];

/// Counts an owner that is being told.
struct Asking(Arc<Shared>);

impl Asking {
    fn new(shared: &Arc<Shared>) -> Self {
        shared.invalidations.asking.fetch_add(1, Ordering::AcqRel);
        Self(shared.clone())
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.invalidations.asking.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Shared {
    /// Forgets keys, here and at their owners, before the visitor learns that the change succeeded;
    /// and has them forgotten wherever else they may be, whether or not the visitor stays.
    pub(crate) async fn invalidate(self: &Arc<Self>, scope: &Scope, keys: Vec<CacheKey>) {
        let service = scope.service.id;
        let before = clock::now();
        let is_unsettled = self.holding.is_unsettled(before);
        let mut near = Vec::new();
        for key in keys {
            self.forget(service, &key, before);
            self.metrics.invalidated.inc();
            let id = key_id(key.as_bytes());
            if is_unsettled {
                self.invalidations.add(service, id, Instant::now());
            }
            let own = scope.world.owners(service, key.as_bytes(), OWNERS);
            let request = InvalidateRequest {
                service,
                key: key.as_bytes().to_vec(),
                before,
            };
            for cache in scope
                .world
                .owners_everywhere(service, key.as_bytes(), RANKS)
            {
                let is_near = own.contains(&cache);
                let told = self.clone().forget_at(cache, request.clone(), id);
                let told = tokio::spawn(told);
                if is_near {
                    near.push(told);
                }
            }
        }
        join_all(near).await;
    }

    /// Forgets a key here and at its owners, as far as these answer: the origin says that what is
    /// stored is not what it has. Other gateways go on with what it said is fresh.
    pub(crate) async fn outdate(&self, scope: &Scope, key: &CacheKey) {
        let service = scope.service.id;
        let before = clock::now();
        self.forget(service, key, before);
        let request = InvalidateRequest {
            service,
            key: key.as_bytes().to_vec(),
            before,
        };
        let owners = scope.world.owners(service, key.as_bytes(), OWNERS);
        let told = owners.iter().map(|cache| {
            let told = self.peers.invalidate(cache, &request);
            tokio::time::timeout(PATIENCE, told)
        });
        join_all(told).await;
    }

    fn forget(&self, service: ServiceId, key: &CacheKey, before: Millis) {
        // First, so that nothing that is still on its way slips in behind.
        self.changes.note(name(service, key), before);
        self.memory.remove(service, key.as_bytes());
    }

    /// Has a cache forget a key; where it may be held by anybody, that is ordered.
    async fn forget_at(self: Arc<Self>, cache: PeerAddress, request: InvalidateRequest, id: u64) {
        let _asking = Asking::new(&self);
        let told = self.peers.invalidate(&cache, &request);
        let may_be_held = match tokio::time::timeout(PATIENCE, told).await {
            Ok(Ok(may_be_held)) => may_be_held,
            Ok(Err(error)) => {
                tracing::debug!(cache = %cache.device, %error, "an owner was not told of a change");
                true
            }
            Err(_) => true,
        };
        if may_be_held {
            self.invalidations.add(request.service, id, Instant::now());
        }
    }

    async fn order_keys(self: Arc<Self>, service: ServiceId, pending: Pending) {
        let ordered = self.clone().have_keys_ordered(service, &pending).await;
        let now = Instant::now();
        let is_news = self.invalidations.end(service, ordered.is_ok(), now);
        if let Err(refusal) = ordered {
            self.metrics.ordered("failed");
            let reason = refusal.reason();
            if is_news {
                tracing::warn!(%service, reason, "what unsafe requests changed is not ordered yet");
            }
        }
    }

    async fn have_keys_ordered(
        self: Arc<Self>,
        service: ServiceId,
        pending: &Pending,
    ) -> Result<(), PurgeRefusal> {
        let world = self.world().ok_or(PurgeRefusal::NotReady)?;
        if world.service_of(service).is_none() {
            // Nobody serves it any more.
            return Ok(());
        }
        let asked = self.invalidations.ask(service, pending, Instant::now());
        let signed = self.purges.ask_for_keys(
            world.genesis(),
            service,
            asked.clone(),
            rand::random(),
            clock::now(),
        );
        let mut above = self.purges.top(service);
        for _ in 0..TRIES {
            let order = self.have_ordered(&world, &signed, above).await?;
            self.metrics.ordered("ordered");
            let number = order.order.number;
            self.invalidations.ordered(service, &asked, number);
            match self.spread(&world, &order, DEADLINE).await {
                Ok(receipt) => {
                    if !receipt.missing.is_empty() {
                        let missing = receipt.missing;
                        tokio::spawn(self.tell_again(order, missing, pending.clone()));
                    }
                    return Ok(());
                }
                Err(higher) => above = higher,
            }
        }
        Err(PurgeRefusal::Number)
    }

    /// Tells those again who did not take an order, until all have, a later order contains it, or
    /// what they compare with the owners has taken over.
    async fn tell_again(
        self: Arc<Self>,
        order: SignedPurgeOrder,
        mut missing: Vec<DeviceId>,
        pending: Pending,
    ) {
        let service = order.service();
        for pause in AGAIN {
            tokio::time::sleep(pause).await;
            let is_replaced = self.invalidations.has_replaced(service, order.order.number);
            let Some(world) = self.world().filter(|_| !is_replaced) else {
                return;
            };
            let known: Vec<DeviceId> = world.nodes().collect();
            missing.retain(|device| known.contains(device));
            let told = self
                .hand_to(&world, &order, std::mem::take(&mut missing), DEADLINE)
                .await;
            match told {
                Ok(receipt) if receipt.missing.is_empty() => return,
                Ok(receipt) => missing = receipt.missing,
                Err(_) => {
                    // What it fetched under the higher number could escape this order.
                    let now = Instant::now();
                    return self.invalidations.add_all(service, pending, now);
                }
            }
        }
    }
}

/// Keeps all that waits, when the gateway ends.
pub async fn keep(shared: &Shared) {
    let mut keeper = Keeper::new(file(shared));
    keeper.keep(shared.invalidations.all()).await;
}

fn file(shared: &Shared) -> WaitingFile {
    WaitingFile::new(shared.options.state.join(FILE))
}

/// Keeps what waits on disk while owners fail.
struct Keeper {
    file: WaitingFile,
    kept: Vec<(ServiceId, Pending)>,
    written: Option<Instant>,
}

impl Keeper {
    fn new(file: WaitingFile) -> Self {
        // What was there at the start was read, and is written anew or removed.
        let kept = file.load().unwrap_or_default();
        Self {
            file,
            kept,
            written: None,
        }
    }

    /// Whether nothing is kept.
    fn is_idle(&self) -> bool {
        self.kept.is_empty()
    }

    async fn keep(&mut self, waiting: Vec<(ServiceId, Pending)>) {
        let is_soon = self.written.is_some_and(|at| at.elapsed() < KEEP_EACH);
        if waiting == self.kept || is_soon {
            return;
        }
        self.written = Some(Instant::now());
        let (file, new) = (self.file.clone(), waiting.clone());
        match tokio::task::spawn_blocking(move || file.save(&new)).await {
            Ok(Ok(())) => self.kept = waiting,
            Ok(Err(error)) => {
                tracing::error!(%error, "what unsafe requests changed cannot be kept");
            }
            Err(_) => {}
        }
    }
}

/// Runs until it is aborted.
pub async fn run(shared: Arc<Shared>) {
    let mut keeper = Keeper::new(file(&shared));
    loop {
        if shared.invalidations.is_idle() && keeper.is_idle() {
            shared.invalidations.changed().await;
        } else {
            let _ = tokio::time::timeout(TICK, shared.invalidations.changed()).await;
        }
        keeper.keep(shared.invalidations.failing()).await;
        for (service, pending) in shared.invalidations.begin(Instant::now()) {
            tokio::spawn(shared.clone().order_keys(service, pending));
        }
    }
}
