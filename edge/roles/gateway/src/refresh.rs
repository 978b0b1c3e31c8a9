//! Renews what is answered stale meanwhile (RFC 5861 §3): behind the visitors' backs, and once for
//! all of them.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use parking_lot::Mutex;
use selvedge_edge_core_http_cache::{CacheStatus, Reuse};
use selvedge_edge_drivers_agent::clock;
use selvedge_edge_drivers_http::Body;
use selvedge_edge_drivers_transport::{PeerAddress, Want};

use crate::ask::Asked;
use crate::entry::Entry;
use crate::fetch::{Grant, StaleCopy};
use crate::gateway::Shared;
use crate::home::Homed;
use crate::metrics::Source;
use crate::question::Question;
use crate::serve::OWNERS;
use crate::served::Served;

/// Keys that are renewed at a time. Beyond it a visitor's stale answer starts nothing.
const CAPACITY: usize = 1_024;
/// How long a key rests when it could not be renewed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// The keys that are being renewed.
#[derive(Debug, Default)]
pub struct Refreshes(Mutex<HashSet<[u8; 16]>>);

impl Refreshes {
    /// Takes a key. `None` when it is taken, or too many are.
    fn take(self: &Arc<Self>, name: [u8; 16]) -> Option<Taken> {
        let mut names = self.0.lock();
        (names.len() < CAPACITY && names.insert(name)).then(|| Taken(self.clone(), name))
    }
}

/// A key that is being renewed, until this is dropped.
struct Taken(Arc<Refreshes>, [u8; 16]);

impl Drop for Taken {
    fn drop(&mut self) {
        self.0 .0.lock().remove(&self.1);
    }
}

impl Shared {
    /// Renews what a visitor is being given stale from memory.
    pub fn refresh_later(self: &Arc<Self>, question: &Question, entry: Arc<Entry>) {
        let Some(taken) = self.refreshes.take(question.pass_name()) else {
            return;
        };
        let (shared, question) = (self.clone(), Arc::new(question.for_everybody()));
        tokio::spawn(async move {
            if !shared.refresh(&question, Some(entry)).await {
                tokio::time::sleep(AFTER_FAILURE).await;
            }
            drop(taken);
        });
    }

    /// Fetches under a lease that a visitor does not wait for.
    pub fn fetch_later(
        self: &Arc<Self>,
        question: &Question,
        grant: Grant,
        stale: Option<StaleCopy>,
    ) {
        let (shared, question) = (self.clone(), Arc::new(question.for_everybody()));
        tokio::spawn(async move { shared.fetch_for_nobody(&question, Some(grant), stale).await });
    }

    /// What a visitor gets while a lease is used, where what is stored may be stale meanwhile.
    pub async fn stale_meanwhile(
        self: &Arc<Self>,
        question: &Arc<Question>,
        cache: &PeerAddress,
        stale: &StaleCopy,
    ) -> Option<Served> {
        let now = clock::now();
        let policy = &self.options.policy;
        let reuse = policy.reuse_decision(&question.head(), Some(&stale.stored), now);
        if stale.is_doubtful || !matches!(reuse, Reuse::Stale { refresh: true, .. }) {
            return None;
        }
        let said = CacheStatus::new("selvedge-cache")
            .decided(&reuse)
            .time_to_live(stale.stored.time_to_live(now));
        if let Some(entry) = &stale.entry {
            return Some(self.from_entry(question, entry, Source::Memory).say(said));
        }
        match self.ask(cache, question, Want::Stale, None).await {
            Ok(Asked::Hit(hit)) => {
                let served = Served::stored(hit.answer, hit.body, Source::Cache, cache.device);
                Some(served.say(said))
            }
            _ => None,
        }
    }

    /// Fetches for nobody in particular what is stale or is not here. Whether it is fresh now.
    pub(crate) async fn refresh(
        self: &Arc<Self>,
        question: &Arc<Question>,
        entry: Option<Arc<Entry>>,
    ) -> bool {
        let key = question.key.as_bytes();
        let owners = question
            .scope
            .world
            .owners(question.scope.service.id, key, OWNERS);
        for cache in owners {
            if self.rests(&cache, question, Instant::now()) {
                continue;
            }
            let (cache, asked) = self
                .ask_owner(&cache, None, question, Want::Share, entry.as_ref())
                .await;
            match asked {
                Ok(Asked::Lease { lease, stale }) => {
                    let grant = self.grant(cache, lease).await;
                    let stale = self.stale_copy(stale, entry);
                    return self.fetch_for_nobody(question, Some(grant), stale).await;
                }
                Ok(Asked::Hit(hit)) => {
                    let is_fresh = hit.stored.time_to_live(clock::now()) > 0;
                    return drain(hit.body).await && is_fresh;
                }
                Ok(Asked::Follow(follow)) => return drain(follow.body).await,
                Ok(Asked::Pass(time)) => {
                    self.pass_for(question, time);
                    return false;
                }
                Ok(Asked::Nothing) => return false,
                Err(error) => self.blame(&cache, question, &error),
            }
        }
        let stale = self.stale_copy(None, entry);
        self.fetch_for_nobody(question, None, stale).await
    }

    async fn fetch_for_nobody(
        self: &Arc<Self>,
        question: &Arc<Question>,
        grant: Option<Grant>,
        stale: Option<StaleCopy>,
    ) -> bool {
        let (leased, stale) = match grant {
            Some(grant) => match self.ask_home(question, grant, stale).await {
                Homed::Fetch(fetch) => {
                    let (leased, stale) = *fetch;
                    (Some(leased), stale)
                }
                Homed::Answered(served) => return drain(served.body).await,
                Homed::Pass(time) => {
                    self.pass_for(question, time);
                    return false;
                }
            },
            None => (None, stale),
        };
        let why = CacheStatus::new("selvedge-gateway");
        match self.fetch(question, leased, stale, why).await {
            Ok(served) => drain(served.body).await && served.source != Source::Stale,
            Err(failure) => {
                let (id, reason) = (&question.exchange.id, failure.reason.name());
                tracing::debug!(%id, reason, "a stale response was not renewed");
                false
            }
        }
    }
}

/// Takes a body to its end, so that it is kept as a visitor's is.
async fn drain(mut body: Body) -> bool {
    while let Some(frame) = body.frame().await {
        if frame.is_err() {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_renewed_once_at_a_time() {
        let refreshes = Arc::new(Refreshes::default());
        let first = refreshes.take([1; 16]);
        assert!(first.is_some() && refreshes.take([1; 16]).is_none());
        assert!(refreshes.take([2; 16]).is_some());
        drop(first);
        assert!(refreshes.take([1; 16]).is_some());
    }

    #[test]
    fn keys_are_bounded() {
        let refreshes = Arc::new(Refreshes::default());
        let name = |number: usize| {
            let mut name = [0; 16];
            name[..8].copy_from_slice(&number.to_le_bytes());
            name
        };
        let taken: Vec<_> = (0..CAPACITY + 5)
            .filter_map(|number| refreshes.take(name(number)))
            .collect();
        assert_eq!(taken.len(), CAPACITY);
    }
}
