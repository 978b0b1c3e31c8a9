//! Hands vouchers to caches, each interval in which there was new use.

use std::sync::Arc;
use std::time::Duration;

use selvedge_edge_drivers_meter::MeterError;
use selvedge_primitives_types::SignedVoucher;
use tokio::time::MissedTickBehavior;

use crate::gateway::Shared;

/// How often (economy.md, section 3).
const INTERVAL: Duration = Duration::from_millis(250);

/// Runs until it is aborted.
pub async fn run(shared: Arc<Shared>) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match tick(&shared).await {
            Ok(vouchers) if vouchers.is_empty() => {}
            Ok(vouchers) => {
                // A cache that hangs holds up nobody else's voucher, and not the next interval.
                let shared = shared.clone();
                tokio::spawn(async move { hand_out(&shared, vouchers).await });
            }
            Err(error) => tracing::error!(%error, "vouchers cannot be kept"),
        }
    }
}

/// Makes the counters last and hands out what is new.
pub async fn send(shared: &Arc<Shared>) {
    match tick(shared).await {
        Ok(vouchers) => hand_out(shared, vouchers).await,
        Err(error) => tracing::error!(%error, "vouchers cannot be kept"),
    }
}

async fn tick(shared: &Arc<Shared>) -> Result<Vec<SignedVoucher>, MeterError> {
    let meter = shared.meter.clone();
    match tokio::task::spawn_blocking(move || meter.tick()).await {
        Ok(vouchers) => vouchers,
        // The runtime is ending.
        Err(_) => Ok(Vec::new()),
    }
}

/// Sends vouchers, all at once. One that does not arrive is made up for by the next, which says the
/// same and more.
pub async fn hand_out(shared: &Shared, vouchers: Vec<SignedVoucher>) {
    let Some(world) = shared.world() else {
        return;
    };
    let sending = vouchers.into_iter().map(|signed| {
        let cache = world.cache(&signed.voucher.cache);
        async move {
            let Some(cache) = cache else {
                return;
            };
            match shared.peers.voucher(&cache, &signed).await {
                Ok(()) => {
                    shared.metrics.vouchers.inc();
                }
                Err(error) => {
                    shared.metrics.vouchers_failed.inc();
                    tracing::debug!(cache = %cache.device, %error, "a voucher did not arrive");
                }
            }
        }
    });
    futures::future::join_all(sending).await;
}
