//! Closes epochs that are over: last vouchers, signatures of caches, trees.
//!
//! An epoch is over when the chain's config names a later one; until then use counts in it, so that
//! everything is within a lease that is known. The chain takes a commitment in the first quarter of
//! the next epoch, so a cache that does not answer at once is not waited for; its leaves then stay
//! unsigned.

use std::sync::Arc;
use std::time::Duration;

use selvedge_edge_drivers_meter::rules::Closing;
use selvedge_edge_drivers_meter::MeterError;
use selvedge_edge_drivers_transport::{PeerAddress, TransportError};
use selvedge_primitives_types::{DeviceId, Epoch, LeafBody, Signature64};

use crate::gateway::Shared;

/// Looks at least this often.
const INTERVAL: Duration = Duration::from_secs(5);
/// Times a cache is asked, and the pause between.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(500);

/// Runs until it is aborted.
pub async fn run(shared: Arc<Shared>) {
    loop {
        let _ = tokio::time::timeout(INTERVAL, shared.epoch_over.notified()).await;
        for epoch in shared.meter.closable() {
            match close(&shared, epoch).await {
                Ok(()) => {}
                // Said once a look, it would fill the log of a gateway that waits for its first
                // config.
                Err(MeterError::NoEpoch) => break,
                Err(error) => tracing::error!(%epoch, %error, "an epoch cannot be closed"),
            }
        }
    }
}

async fn close(shared: &Arc<Shared>, epoch: Epoch) -> Result<(), MeterError> {
    let meter = shared.meter.clone();
    let Ok(begun) = tokio::task::spawn_blocking(move || meter.closing(epoch)).await else {
        return Ok(());
    };
    let Some(mut closing) = begun? else {
        return Ok(());
    };
    collect(shared, epoch, &mut closing).await;
    let unsigned = closing.unsigned();
    let meter = shared.meter.clone();
    let Ok(closed) = tokio::task::spawn_blocking(move || meter.close(closing)).await else {
        return Ok(());
    };
    let closed = closed?;
    tracing::info!(%epoch, leaves = closed.leaves().len(), unsigned, "epoch closed");
    Ok(())
}

async fn collect(shared: &Shared, epoch: Epoch, closing: &mut Closing) {
    let requests = closing.requests();
    let asking = requests
        .iter()
        .map(|(cache, leaves)| async move { (*cache, ask(shared, epoch, cache, leaves).await) });
    for (cache, signatures) in futures::future::join_all(asking).await {
        let Some(signatures) = signatures else {
            tracing::warn!(%cache, "a cache signs no leaves; they stay unsigned");
            continue;
        };
        match closing.answer(&cache, &signatures) {
            Ok(answered) if answered.refused + answered.forged > 0 => {
                tracing::warn!(%cache, ?answered, "a cache did not sign all leaves");
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%cache, %error, "a cache's signatures are of no use"),
        }
    }
}

async fn ask(
    shared: &Shared,
    epoch: Epoch,
    cache: &DeviceId,
    leaves: &[LeafBody],
) -> Option<Vec<Option<Signature64>>> {
    let address = shared.world()?.cache(cache)?;
    for attempt in 0..TRIES {
        match settle(shared, epoch, &address, leaves).await {
            Ok(signatures) => return Some(signatures),
            Err(error) => tracing::debug!(%cache, %error, attempt, "leaves were not signed"),
        }
        tokio::time::sleep(PAUSE).await;
    }
    None
}

/// Hands over the last voucher, which the leaves name, then the leaves.
async fn settle(
    shared: &Shared,
    epoch: Epoch,
    cache: &PeerAddress,
    leaves: &[LeafBody],
) -> Result<Vec<Option<Signature64>>, TransportError> {
    let vouchers = shared.meter.last_vouchers(epoch);
    for signed in vouchers
        .iter()
        .filter(|signed| signed.voucher.cache == cache.device)
    {
        match shared.peers.voucher(cache, signed).await {
            // One that is refused is judged with the leaves.
            Ok(()) | Err(TransportError::Status(_)) => {}
            Err(error) => return Err(error),
        }
    }
    shared.peers.leaves(cache, leaves).await
}
