//! Lets the owners of keys know what is answered from memory, so that they can tell when an unsafe
//! request makes nothing invalid anywhere (ADR 016).
//!
//! Who asked an owner for a key is known there for [`HOLD`]. What is used for longer is told again in
//! good time, behind the visitors' backs. What no owner knows of does not answer: the request goes
//! the ordinary way, past an owner.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use selvedge_edge_drivers_agent::clock;
use selvedge_edge_drivers_purge::key_id;
use selvedge_edge_drivers_transport::{HoldRequest, PeerAddress, HOLD};
use selvedge_primitives_types::{DeviceId, Millis};
use tokio::sync::Notify;

use crate::entry::Entry;
use crate::exchange::NO_CACHE;
use crate::gateway::Shared;
use crate::serve::OWNERS;
use crate::world::World;

/// How long a response answers that no owner knows of yet, be it that none could be reached or that
/// they are others now, in milliseconds.
const GRACE: u64 = 10_000;
const HOLD_MILLIS: u64 = HOLD.as_millis() as u64;
/// How long new owners may lack what other gateways hold, in milliseconds: these learn of the new
/// config within some blocks, and what they have not told by [`GRACE`] later does not answer.
const UNSETTLED: u64 = 60_000;
/// How often owners are told.
const INTERVAL: Duration = Duration::from_millis(500);
/// Responses that wait to be told of. One that finds no room is told of when it is used again.
const CAPACITY: usize = 16_384;
/// Keys in one message.
const MAX_KEYS: usize = 4_096;

/// When a response's owners last knew of it.
#[derive(Debug, Default)]
pub struct Hold {
    since: AtomicU64,
    is_waiting: AtomicBool,
}

/// What is to be told, and since when owners are who they are.
#[derive(Debug, Default)]
pub struct Holding {
    waiting: Mutex<Vec<Arc<Entry>>>,
    wake: Notify,
    has_owners: AtomicBool,
    owners_since: AtomicU64,
}

impl Holding {
    /// There is another config.
    pub fn renew(&self, old: Option<&World>, new: &World, now: Millis) {
        self.has_owners.store(new.has_caches(), Ordering::Relaxed);
        if old.is_some_and(|old| !old.has_same_owners(new)) {
            self.owners_since.store(now.0, Ordering::Relaxed);
        }
    }

    /// Whether owners changed so lately that they may not know what is held.
    pub fn is_unsettled(&self, now: Millis) -> bool {
        let since = self.owners_since.load(Ordering::Relaxed);
        since > 0 && now.0 < since.saturating_add(UNSETTLED)
    }

    fn wait(&self, entry: &Arc<Entry>) {
        if entry.hold.is_waiting.swap(true, Ordering::Relaxed) {
            return;
        }
        let mut waiting = self.waiting.lock();
        if waiting.len() < CAPACITY {
            waiting.push(entry.clone());
            drop(waiting);
            self.wake.notify_one();
        } else {
            drop(waiting);
            entry.hold.is_waiting.store(false, Ordering::Relaxed);
        }
    }
}

impl Hold {
    /// That of the response before, of which an owner was told nothing new.
    pub fn of(other: &Self) -> Self {
        Self {
            since: AtomicU64::new(other.since.load(Ordering::Relaxed)),
            is_waiting: AtomicBool::new(false),
        }
    }

    /// Of a response that was asked for at this moment, of this cache or of none; where it is none
    /// of before.
    pub fn begin(&self, asked: Millis, cache: DeviceId) {
        if self.since.load(Ordering::Relaxed) > 0 {
            return;
        }
        let lone = HOLD_MILLIS - GRACE;
        let late = if cache == NO_CACHE { lone } else { 0 };
        self.since
            .store(asked.0.saturating_sub(late), Ordering::Relaxed);
    }
}

impl Shared {
    /// Whether a response in memory may answer: an owner of its key knows that it does.
    pub(crate) fn is_held(&self, entry: &Arc<Entry>, now: Millis) -> bool {
        let holding = &self.holding;
        if entry.site.is_some() {
            // Nothing makes content invalid.
            return true;
        }
        if !holding.has_owners.load(Ordering::Relaxed) {
            return true;
        }
        let since = entry.hold.since.load(Ordering::Relaxed);
        let owners = holding.owners_since.load(Ordering::Relaxed);
        let is_known = since >= owners || now.0 < owners.saturating_add(GRACE);
        if !is_known || since < owners || now.0 > since.saturating_add(HOLD_MILLIS / 2) {
            holding.wait(entry);
        }
        is_known && now.0 < since.saturating_add(HOLD_MILLIS)
    }

    /// What came into memory without an owner is told of at once.
    pub(crate) fn tell_of(&self, entry: &Arc<Entry>) {
        if entry.cache == NO_CACHE && self.holding.has_owners.load(Ordering::Relaxed) {
            self.holding.wait(entry);
        }
    }

    async fn tell_owners(self: &Arc<Self>, world: &World) {
        let waiting = std::mem::take(&mut *self.holding.waiting.lock());
        let sent = clock::now();
        let mut of: HashMap<PeerAddress, Vec<Arc<Entry>>> = HashMap::new();
        for entry in waiting {
            entry.hold.is_waiting.store(false, Ordering::Relaxed);
            let record = &entry.signed.record;
            for owner in world.owners(record.service, &record.key, OWNERS) {
                of.entry(owner).or_default().push(entry.clone());
            }
        }
        for (owner, entries) in of {
            let shared = self.clone();
            // One that hangs keeps nobody else waiting.
            tokio::spawn(async move {
                for entries in entries.chunks(MAX_KEYS) {
                    shared.tell_owner(&owner, entries, sent).await;
                }
            });
        }
    }

    async fn tell_owner(&self, owner: &PeerAddress, entries: &[Arc<Entry>], sent: Millis) {
        let records = entries.iter().map(|entry| &entry.signed.record);
        let request = HoldRequest {
            keys: records
                .map(|record| (record.service, key_id(&record.key)))
                .collect(),
        };
        match self.peers.hold(owner, &request).await {
            Ok(()) => {
                for entry in entries {
                    entry.hold.since.fetch_max(sent.0, Ordering::Relaxed);
                }
            }
            Err(error) => {
                tracing::debug!(cache = %owner.device, %error, "an owner cannot be told what is held");
            }
        }
    }
}

/// Runs until it is aborted.
pub async fn run(shared: Arc<Shared>) {
    loop {
        shared.holding.wake.notified().await;
        // Those that are used meanwhile go with it.
        tokio::time::sleep(INTERVAL).await;
        if let Some(world) = shared.world() {
            shared.tell_owners(&world).await;
        }
    }
}
