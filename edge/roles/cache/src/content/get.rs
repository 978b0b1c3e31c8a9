//! Gives a range of a blob.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use selvedge_edge_core_verify::{Part, RangePlan, GROUP};
use selvedge_edge_drivers_agent::clock;
use selvedge_edge_drivers_store::{Shelf, ShelfError, ShelfReader};
use selvedge_edge_drivers_transport::{ContentRefusal, ContentSender, GetContent};
use selvedge_primitives_types::{DeviceId, Usage, UsageClass};

use super::refusal;
use crate::service::Shared;

/// Bytes sent at a time: groups of a range, with their proof.
const BATCH: usize = 6 * GROUP as usize;
/// Batches that are read at a time, while as many are sent.
const AHEAD: usize = 3;

/// Gives a range to a gateway on credit, and to a cache at its pace.
pub(super) async fn run(
    shared: Arc<Shared>,
    peer: DeviceId,
    request: GetContent,
    replies: ContentSender,
) {
    let answer = match open(&shared, &request).await {
        Ok((source, first)) => send(&shared, peer, &request, source, first, replies).await,
        Err(refusal) => {
            replies.refuse(refusal).await;
            "refused"
        }
    };
    shared.metrics.got(answer);
}

/// Finds the bytes, and reads the first of them before anything is promised.
async fn open(
    shared: &Arc<Shared>,
    request: &GetContent,
) -> Result<(Source, Vec<Bytes>), ContentRefusal> {
    let world = shared.world().ok_or(ContentRefusal::NotServing)?;
    if !world.has_service(request.service) {
        return Err(ContentRefusal::NotKept);
    }
    let plan = request.plan().map_err(|_| ContentRefusal::Limit)?;
    let (shelf, content) = (shared.contents.shelf.clone(), request.content);
    let opened = tokio::task::spawn_blocking(move || {
        let reader = shelf.reader(&content.root)?;
        if reader.length() != content.length || !reader.has(&plan.range()) {
            return Err(ShelfError::Missing);
        }
        let mut source = Source::new(shelf, reader, &plan);
        let first = source.batches()?;
        Ok((source, first))
    });
    match opened.await {
        Ok(Ok(opened)) => Ok(opened),
        // It has decayed, and was taken away.
        Ok(Err(ShelfError::Decayed(_))) => Err(ContentRefusal::Missing),
        Ok(Err(error)) => Err(refusal(&error)),
        Err(_) => Err(ContentRefusal::Store),
    }
}

async fn send(
    shared: &Arc<Shared>,
    peer: DeviceId,
    request: &GetContent,
    mut source: Source,
    mut batches: Vec<Bytes>,
    replies: ContentSender,
) -> &'static str {
    let on_credit = shared.world().is_some_and(|world| world.is_gateway(&peer));
    let mut left = request.end - request.start;
    let mut is_first = true;
    while !batches.is_empty() {
        let ahead = tokio::task::spawn_blocking(move || {
            let batches = source.batches();
            (source, batches)
        });
        for bytes in batches {
            // What was asked for counts, not the proofs and the ends of groups round it.
            let share = left.min(bytes.len() as u64);
            left -= share;
            if !on_credit {
                shared.contents.pace.wait(bytes.len() as u64).await;
            } else if !supply(shared, peer, request, share) {
                match is_first {
                    true => replies.refuse(ContentRefusal::Exposure).await,
                    false => replies.abort().await,
                }
                return "exposed";
            }
            is_first = false;
            if replies.send(bytes).await.is_err() {
                return "left";
            }
        }
        let Ok((read, next)) = ahead.await else {
            return "left";
        };
        source = read;
        batches = match next {
            Ok(next) => next,
            Err(error) => {
                tracing::error!(%error, "a kept blob broke off");
                replies.abort().await;
                return "decayed";
            }
        };
    }
    replies.end().await;
    "given"
}

/// Counts what a gateway is supplied with, as far as it signs for it.
fn supply(shared: &Shared, gateway: DeviceId, request: &GetContent, bytes: u64) -> bool {
    if !shared.meter.may_supply(&gateway, bytes) {
        return false;
    }
    let usage = Usage::ZERO.with(UsageClass::EgressBytes, bytes);
    let counted = shared
        .meter
        .supplied(gateway, request.service, &usage, clock::now());
    if let Err(error) = &counted {
        tracing::error!(%error, "supply cannot be counted");
    }
    shared.metrics.supplied.inc_by(bytes);
    counted.is_ok()
}

/// An encoded range, batch by batch.
struct Source {
    shelf: Arc<Shelf>,
    reader: ShelfReader,
    parts: std::vec::IntoIter<Part>,
}

impl Source {
    fn new(shelf: Arc<Shelf>, reader: ShelfReader, plan: &RangePlan) -> Self {
        Self {
            shelf,
            reader,
            parts: plan.parts().collect::<Vec<_>>().into_iter(),
        }
    }

    /// The next batches; none after the last.
    fn batches(&mut self) -> Result<Vec<Bytes>, ShelfError> {
        let mut batches = Vec::with_capacity(AHEAD);
        while batches.len() < AHEAD {
            let Some(batch) = self.batch()? else {
                break;
            };
            batches.push(batch);
        }
        Ok(batches)
    }

    /// The next bytes; `None` after the last.
    fn batch(&mut self) -> Result<Option<Bytes>, ShelfError> {
        let mut bytes = BytesMut::with_capacity(BATCH + GROUP as usize);
        while bytes.len() < BATCH {
            let Some(part) = self.parts.next() else {
                break;
            };
            bytes.extend_from_slice(&self.shelf.part(&mut self.reader, &part)?);
        }
        Ok((!bytes.is_empty()).then(|| bytes.freeze()))
    }
}
