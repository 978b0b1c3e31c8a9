//! Takes slices that a gateway puts for a customer.

use std::sync::Arc;
use std::time::Duration;

use selvedge_edge_drivers_transport::{
    ContentRefusal, PutAnswer, PutContent, PutReceiver, PutSlice,
};
use selvedge_primitives_types::DeviceId;

use super::refusal;
use crate::service::Shared;

/// How long a slice may take.
const SLICE_TIMEOUT: Duration = Duration::from_secs(30);

pub(super) async fn run(
    shared: &Arc<Shared>,
    peer: DeviceId,
    put: PutContent,
    mut slices: PutReceiver,
) -> PutAnswer {
    if let Err(refusal) = begin(shared, peer, &put).await {
        return PutAnswer::Refused(refusal);
    }
    loop {
        match slices.next(SLICE_TIMEOUT).await {
            Ok(Some(slice)) => {
                if let Err(refusal) = take(shared, &put, slice).await {
                    return PutAnswer::Refused(refusal);
                }
            }
            Ok(None) => break,
            Err(error) => {
                // What came before is here, and who is still there hears what is missing.
                tracing::debug!(gateway = %peer, %error, "a put broke off");
                break;
            }
        }
    }
    match shared.contents.shelf.missing(&put.content.root) {
        Ok(missing) if missing.is_empty() => PutAnswer::Complete,
        Ok(missing) => PutAnswer::Missing(missing),
        Err(error) => PutAnswer::Refused(refusal(&error)),
    }
}

async fn begin(
    shared: &Arc<Shared>,
    peer: DeviceId,
    put: &PutContent,
) -> Result<(), ContentRefusal> {
    let world = shared.world().ok_or(ContentRefusal::NotServing)?;
    let PutContent { service, content } = *put;
    // Caches fetch what they are to have.
    if !world.is_gateway(&peer) || !world.has_service(service) {
        return Err(ContentRefusal::NotKept);
    }
    let contents = &shared.contents;
    let is_there = contents.shelf.missing(&content.root).is_ok();
    if !is_there {
        if !shared.takes_new(&world) {
            return Err(ContentRefusal::NotServing);
        }
        let staged = contents.keeping.staged(service);
        if staged.saturating_add(content.length) > contents.options.staging {
            return Err(ContentRefusal::Full);
        }
    }
    let shelf = contents.shelf.clone();
    let begin = move || shelf.begin(content.root, content.length, service);
    let begun = tokio::task::spawn_blocking(begin).await;
    begun
        .map_err(|_| ContentRefusal::Store)?
        .map_err(|error| refusal(&error))?;
    if !is_there {
        contents.keeping.stage(service, &content);
    }
    Ok(())
}

async fn take(
    shared: &Arc<Shared>,
    put: &PutContent,
    slice: PutSlice,
) -> Result<(), ContentRefusal> {
    let (shelf, root) = (shared.contents.shelf.clone(), put.content.root);
    let write = move || shelf.put(&root, slice.slice, slice.proof, &slice.bytes);
    let written = tokio::task::spawn_blocking(write).await;
    written
        .map_err(|_| ContentRefusal::Store)?
        .map_err(|error| refusal(&error))
        .map(drop)
}
