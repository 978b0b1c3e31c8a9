//! Probes the nodes that its chain node orders, at moments of its own choice, and keeps what it saw until it is asked.
//!
//! One order per epoch counts; a later epoch's ends it. At most [`AT_ONCE`] nodes are probed at a time, each within the
//! bounds of `probe`, so that a round ends whatever the nodes do.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rand::Rng;
use selvedge_primitives_types::agent::{ProbeOrder, ProbeResults};
use selvedge_primitives_types::probe::MAX_PROBES;
use selvedge_primitives_types::{Epoch, Probe};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::gateway::Shared;

/// Nodes that are probed at a time.
const AT_ONCE: usize = 4;

/// The round under way, or the last one.
#[derive(Debug, Default)]
pub struct Probing(Mutex<Option<Round>>);

#[derive(Debug)]
struct Round {
    epoch: Epoch,
    seen: Arc<Mutex<Seen>>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Seen {
    probes: Vec<Probe>,
    is_done: bool,
}

impl Drop for Round {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    /// Begins a round unless that of the epoch has begun; says what was seen so far.
    ///
    /// Errors: a text, for an order of another epoch or of too many nodes.
    pub(crate) fn take_order(self: &Arc<Self>, order: ProbeOrder) -> Result<ProbeResults, String> {
        let world = self.world().ok_or("no config of the chain yet")?;
        if order.epoch != world.chain.clock.epoch {
            return Err(format!("epoch {} is not the current one", order.epoch));
        }
        if order.nodes.len() > MAX_PROBES as usize {
            return Err(format!("more than {MAX_PROBES} nodes"));
        }
        let epoch = order.epoch;
        let mut current = self.probing.0.lock();
        let round = match current.take().filter(|round| round.epoch == epoch) {
            Some(round) => round,
            None => self.begin_round(order),
        };
        let round = current.insert(round);
        let seen = round.seen.lock();
        Ok(ProbeResults {
            epoch,
            is_done: seen.is_done,
            probes: seen.probes.clone(),
        })
    }

    fn begin_round(self: &Arc<Self>, order: ProbeOrder) -> Round {
        let (epoch, seen) = (order.epoch, Arc::new(Mutex::new(Seen::default())));
        let (shared, kept) = (self.clone(), seen.clone());
        let task = tokio::spawn(async move {
            let mut probes = shared.probe_all(order).await;
            // Nobody at all: the line that is down is more likely this gateway's own.
            if probes.len() > 2 && probes.iter().all(|probe| probe.answer.is_none()) {
                tracing::warn!(%epoch, "no node answers its probe; nothing is reported");
                probes.clear();
            }
            let mut kept = kept.lock();
            (kept.probes, kept.is_done) = (probes, true);
        });
        Round { epoch, seen, task }
    }

    async fn probe_all(self: &Arc<Self>, order: ProbeOrder) -> Vec<Probe> {
        // The last quarter is for those that begin late.
        let within = order.within.0 / 4 * 3;
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let mut probing = JoinSet::new();
        for device in order.nodes {
            let (shared, places) = (self.clone(), places.clone());
            let later = Duration::from_millis(rand::thread_rng().gen_range(0..=within));
            probing.spawn(async move {
                tokio::time::sleep(later).await;
                let _place = places.acquire().await.ok()?;
                shared.probe_node(order.epoch, &device).await
            });
        }
        let mut probes = Vec::new();
        while let Some(probed) = probing.join_next().await {
            probes.extend(probed.ok().flatten());
        }
        probes.sort_unstable_by_key(|probe| probe.probed);
        probes
    }
}
