//! Learns which purges were missed, from the caches that own the order of this gateway's services.
//!
//! A gateway that has heard of none of a service's owners for too long cannot know what was purged
//! meanwhile: then it serves nothing of the service that the origin has not just confirmed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use selvedge_edge_drivers_agent::clock;
use selvedge_edge_drivers_purge::PurgeSync;
use selvedge_edge_drivers_transport::{PeerAddress, TransportError};
use selvedge_primitives_types::{DeviceId, Hash, ServiceId};

use crate::gateway::Shared;
use crate::world::World;

/// How often owners are asked.
const INTERVAL: Duration = Duration::from_secs(2);
/// How long one of them may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long the first config waits for the first answers.
const FIRST: Duration = Duration::from_secs(1);
/// Owners of a service that are asked: the first and those that take over from it.
pub const WATCHED: usize = 3;
/// Questions that one comparison may take.
const ROUNDS: usize = 32;
/// Orders remembered as not counting; then all are tried again.
const MAX_REFUSED: usize = 10_000;

/// When owners were heard of.
#[derive(Debug)]
pub struct Watch {
    start: Instant,
    /// Whether there was a config to compare by.
    has_begun: AtomicBool,
    heard: Mutex<HashMap<DeviceId, Instant>>,
    refused: Mutex<HashSet<(ServiceId, u64)>>,
    owners: Mutex<Option<Arc<Watched>>>,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            has_begun: AtomicBool::new(false),
            heard: Mutex::default(),
            refused: Mutex::default(),
            owners: Mutex::default(),
        }
    }
}

/// Whom the services' orders belong to, in one state of the chain's config.
#[derive(Debug)]
struct Watched {
    of: (Hash, Hash),
    services: Vec<(ServiceId, Vec<DeviceId>)>,
    caches: Vec<PeerAddress>,
}

impl Watch {
    fn watched(&self, world: &World) -> Arc<Watched> {
        let versions = &world.chain.versions;
        let of = (versions.nodes, versions.services);
        let mut owners = self.owners.lock();
        if let Some(known) = owners.as_ref().filter(|known| known.of == of) {
            return known.clone();
        }
        let mut caches = BTreeMap::new();
        let services = world.services().map(|service| {
            let ranked = world.service_owners(service.id, WATCHED);
            let devices = ranked.iter().map(|cache| cache.device).collect();
            caches.extend(ranked.into_iter().map(|cache| (cache.device, cache)));
            (service.id, devices)
        });
        let services = services.collect();
        let watched = Watched {
            of,
            services,
            caches: caches.into_values().collect(),
        };
        owners.insert(Arc::new(watched)).clone()
    }
}

/// Runs until it is aborted.
pub async fn run(shared: Arc<Shared>) {
    loop {
        let _ = tokio::time::timeout(INTERVAL, shared.purge_sync.notified()).await;
        if let Some(world) = shared.world() {
            shared.compare_purges(&world).await;
        }
    }
}

impl Shared {
    /// Compares purges before anything is served by the first config, with whoever answers soon.
    pub(crate) async fn compare_first(&self, world: &Arc<World>) {
        if !self.watch.has_begun.swap(true, Ordering::Relaxed) {
            let _ = tokio::time::timeout(FIRST, self.compare_purges(world)).await;
        }
    }

    async fn compare_purges(&self, world: &Arc<World>) {
        let watched = self.watch.watched(world);
        let all = watched.caches.iter().map(|cache| async move {
            let compared = tokio::time::timeout(PATIENCE, self.compare_with(world, cache)).await;
            match compared {
                Ok(Ok(())) => {
                    let mut heard = self.watch.heard.lock();
                    heard.insert(cache.device, Instant::now());
                }
                Ok(Err(error)) => {
                    tracing::debug!(cache = %cache.device, %error, "purges cannot be compared");
                }
                Err(_) => {
                    tracing::debug!(cache = %cache.device, "comparing purges took too long");
                }
            }
        });
        futures::future::join_all(all).await;
        let now = Instant::now();
        let is_quiet = |device: &DeviceId| {
            let heard = self.watch.heard.lock().get(device).copied();
            now.duration_since(heard.unwrap_or(self.watch.start)) > self.options.purge_silence
        };
        for (service, owners) in &watched.services {
            let is_silent = !owners.is_empty() && owners.iter().all(is_quiet);
            if is_silent && !self.purges.is_silent(*service) {
                tracing::warn!(%service, "no owner of its purges answers: all of it is validated");
            }
            self.purges.set_silent(*service, is_silent);
        }
    }

    async fn compare_with(
        &self,
        world: &Arc<World>,
        cache: &PeerAddress,
    ) -> Result<(), TransportError> {
        let mut sync: PurgeSync = self.purges.ask(Default::default());
        for _ in 0..ROUNDS {
            let news = self.peers.sync_purges(cache, &sync).await?;
            if news.differing.is_empty() && news.orders.is_empty() {
                return Ok(());
            }
            let (purges, world) = (self.purges.clone(), world.clone());
            let refused = self.watch.refused.lock().clone();
            let digest = move || {
                let is_refused = |service, number| refused.contains(&(service, number));
                purges.digest(&*world, news, clock::now(), is_refused)
            };
            let difference = tokio::task::spawn_blocking(digest).await;
            let difference =
                difference.map_err(|error| TransportError::Broken(error.to_string()))?;
            {
                let mut refused = self.watch.refused.lock();
                if refused.len() > MAX_REFUSED {
                    refused.clear();
                }
                refused.extend(difference.refused.iter().copied());
            }
            if difference.is_empty() {
                return Ok(());
            }
            sync = self.purges.ask(difference);
        }
        Err(TransportError::Malformed("more purges without end"))
    }
}
