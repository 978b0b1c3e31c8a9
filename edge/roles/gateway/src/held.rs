//! Asks the caches of the own region what they hold beyond what they own, so that a blob that is
//! near is read near.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use selvedge_edge_drivers_transport::{ContentError, Held, PeerAddress};

use crate::gateway::Shared;

/// How often some are asked.
const INTERVAL: Duration = Duration::from_secs(5);
/// Caches that are asked at a time; where there are more, they take turns.
const AT_ONCE: usize = 64;

/// Asks until it is aborted.
pub async fn run(shared: Arc<Shared>) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut turn = 0;
    loop {
        ticks.tick().await;
        let Some(world) = shared.world() else {
            continue;
        };
        let mut services = world.chain.services.iter();
        if services.all(|service| service.content.pins.is_empty()) {
            continue;
        }
        let near = world.near_caches();
        let asked = near
            .iter()
            .cycle()
            .skip(turn % near.len().max(1))
            .take(near.len().min(AT_ONCE));
        let asked = asked.filter(|cache| !shared.choices.is_ejected(&cache.device));
        join_all(asked.map(|cache| ask(&shared, cache))).await;
        turn = turn.wrapping_add(AT_ONCE);
    }
}

async fn ask(shared: &Shared, cache: &PeerAddress) {
    let known = shared.replicas.holdings().read().version(&cache.device);
    let held = shared.peers.held_content(cache, known).await;
    let mut holdings = shared.replicas.holdings().write();
    let taken = match held {
        Ok(Held::Same) => return,
        Ok(Held::Changed(delta)) => holdings.change(cache.device, &delta),
        Ok(Held::Whole(filter)) => holdings.replace(cache.device, filter),
        Err(error) => {
            drop(holdings);
            let is_fault = error.is_misbehaviour();
            unheard(shared, cache, &error, is_fault);
            return;
        }
    };
    if let Err(error) = taken {
        // The next answer is whole.
        holdings.forget(&cache.device);
        drop(holdings);
        tracing::debug!(cache = %cache.device, %error, "what a cache holds is not known");
    }
}

fn unheard(shared: &Shared, cache: &PeerAddress, error: &ContentError, is_fault: bool) {
    tracing::debug!(cache = %cache.device, %error, "a cache does not say what it holds");
    if is_fault {
        shared.metrics.fault(&cache.device, "filter");
        shared.choices.fault(cache.device);
    }
}
