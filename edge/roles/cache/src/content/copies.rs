//! Fetches blobs from other caches, as gateways order; the rules are `core/replication`'s.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use selvedge_edge_core_replication::{
    Copier, CopierInput, CopierOutput, CopierRules, FetchFailure, Refusal,
};
use selvedge_edge_core_verify::SLICE;
use selvedge_edge_drivers_agent::clock;
use selvedge_edge_drivers_store::ShelfError;
use selvedge_edge_drivers_transport::{ContentError, ContentRefusal, CopyAnswer, CopyContent};
use selvedge_primitives_types::{ContentRef, DeviceId, Hash, ServiceId};
use tokio::sync::Notify;

use super::refusal;
use crate::options::ContentOptions;
use crate::service::Shared;

/// Failed copies that are remembered until they are asked about.
const MAX_FAILED: usize = 4_096;

/// Copies under way.
pub(super) struct Copies {
    copier: Mutex<Copier>,
    failed: Mutex<HashMap<Hash, ContentRefusal>>,
    wake: Notify,
    patience: Duration,
}

impl Copies {
    pub(super) fn new(options: &ContentOptions) -> Self {
        let rules = CopierRules {
            rate: options.rate,
            // A request is a slice, whose proof the shelf wants.
            request: SLICE,
            ..CopierRules::default()
        };
        let patience = Duration::from_millis(rules.patience.0);
        let mut copier = Copier::new(rules, clock::now());
        // The shelf says what has room, before anything is ordered.
        let _ = copier.handle_input(clock::now(), CopierInput::Room(u64::MAX));
        Self {
            copier: Mutex::new(copier),
            failed: Mutex::default(),
            wake: Notify::new(),
            patience,
        }
    }

    fn input(&self, input: CopierInput) -> Result<(), Refusal> {
        let taken = self.copier.lock().handle_input(clock::now(), input);
        self.wake.notify_one();
        taken
    }
}

/// Takes an order, or says how it goes.
pub(super) async fn order(shared: &Arc<Shared>, peer: DeviceId, order: CopyContent) -> CopyAnswer {
    match try_order(shared, peer, order).await {
        Ok(answer) => answer,
        Err(refusal) => CopyAnswer::Refused(refusal),
    }
}

async fn try_order(
    shared: &Arc<Shared>,
    peer: DeviceId,
    order: CopyContent,
) -> Result<CopyAnswer, ContentRefusal> {
    let CopyContent {
        service,
        content,
        from,
    } = order;
    let world = shared.world().ok_or(ContentRefusal::NotServing)?;
    if !world.is_gateway(&peer) || !world.has_pins(service) {
        return Err(ContentRefusal::NotKept);
    }
    let contents = &shared.contents;
    if contents.shelf.has(&content.root) {
        return Ok(CopyAnswer::Complete);
    }
    if let Some(refusal) = contents.copies.failed.lock().remove(&content.root) {
        return Err(refusal);
    }
    if !shared.takes_new(&world) {
        return Err(ContentRefusal::NotServing);
    }
    let shelf = contents.shelf.clone();
    let begin = move || {
        shelf.begin(content.root, content.length, service)?;
        shelf.missing(&content.root)
    };
    let begun = tokio::task::spawn_blocking(begin).await;
    let missing = begun.map_err(|_| ContentRefusal::Store)?;
    let missing = missing.map_err(|error| refusal(&error))?;
    let own = shared.device;
    let ordered = CopierInput::Order {
        content,
        service,
        from: from.into_iter().filter(|from| *from != own).collect(),
        held: missing
            .first()
            .map_or(content.length, |(slice, _)| slice * SLICE),
    };
    match contents.copies.input(ordered) {
        Ok(()) => Ok(CopyAnswer::UnderWay),
        Err(Refusal::Busy) => Err(ContentRefusal::Busy),
        Err(Refusal::Full { .. }) => Err(ContentRefusal::Full),
        Err(Refusal::NoSource) => Err(ContentRefusal::NoSource),
        Err(_) => Err(ContentRefusal::Limit),
    }
}

/// Drives the copier until it is aborted.
pub(super) async fn run(shared: &Arc<Shared>) {
    let copies = &shared.contents.copies;
    loop {
        let output = copies.copier.lock().poll_output();
        match output {
            CopierOutput::Fetch {
                content,
                service,
                from,
                range,
            } => {
                let shared = shared.clone();
                tokio::spawn(async move {
                    let (root, slice) = (content.root, range.start / SLICE);
                    let input = match fetch(&shared, content, service, from, slice).await {
                        Ok(()) => CopierInput::Fetched {
                            root,
                            to: range.end,
                        },
                        Err(why) => CopierInput::Failed { root, from, why },
                    };
                    // Only orders are refused.
                    let _ = shared.contents.copies.input(input);
                });
            }
            CopierOutput::Kept { root } => {
                shared.metrics.copied("kept");
                shared.arrived(&root);
            }
            CopierOutput::GaveUp { root } => {
                shared.metrics.copied("given_up");
                let mut failed = copies.failed.lock();
                if failed.len() < MAX_FAILED {
                    failed.insert(root, ContentRefusal::NoSource);
                }
            }
            CopierOutput::Corrupt { from, .. } => {
                shared.metrics.copied("corrupt");
                tracing::warn!(cache = %from, "a cache sent bytes of another blob than it was asked for");
            }
            CopierOutput::Timeout(until) => {
                let left = until.0.saturating_sub(clock::now().0);
                let waiting = copies.wake.notified();
                let _ = tokio::time::timeout(Duration::from_millis(left), waiting).await;
                let _ = copies
                    .copier
                    .lock()
                    .handle_input(clock::now(), CopierInput::Tick);
            }
        }
    }
}

/// Fetches a slice into the shelf.
async fn fetch(
    shared: &Arc<Shared>,
    content: ContentRef,
    service: ServiceId,
    from: DeviceId,
    slice: u64,
) -> Result<(), FetchFailure> {
    let source = shared.world().and_then(|world| world.cache(&from));
    let source = source.ok_or(FetchFailure::Unreachable)?;
    let contents = &shared.contents;
    let patience = contents.copies.patience;
    let got = contents
        .peers
        .get_slice(&source, service, content, slice, patience)
        .await;
    let (proof, bytes) = got.map_err(|error| match error {
        ContentError::Refused(ContentRefusal::Missing) => FetchFailure::Lacks,
        error if error.is_misbehaviour() => FetchFailure::WrongBytes,
        _ => FetchFailure::Unreachable,
    })?;
    let (shelf, root, length) = (contents.shelf.clone(), content.root, bytes.len() as u64);
    let put = move || shelf.put(&root, slice, proof, &bytes);
    match tokio::task::spawn_blocking(put).await {
        Ok(Ok(_)) => {
            shared.metrics.copied_bytes.inc_by(length);
            Ok(())
        }
        Ok(Err(ShelfError::Unverified(_))) => Err(FetchFailure::WrongBytes),
        Ok(Err(error)) => {
            tracing::error!(%error, "a copy cannot be kept");
            Err(FetchFailure::Unreachable)
        }
        Err(_) => Err(FetchFailure::Unreachable),
    }
}
