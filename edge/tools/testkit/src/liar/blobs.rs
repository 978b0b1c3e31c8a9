//! Content that a liar was given, and how it lies about that.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use selvedge_edge_core_verify::{shape, Outboard, RangePlan};
use selvedge_edge_drivers_http::Closed;
use selvedge_edge_drivers_transport::{
    ContentRefusal, ContentSender, ContentService, CopyAnswer, CopyContent, GetContent, Held,
    PutAnswer, PutContent, PutReceiver,
};
use selvedge_primitives_types::{ContentRef, DeviceId, Hash};

use super::forge::encode_range;
use super::{Lie, State, PATIENCE};

/// What it was given.
#[derive(Default)]
pub(crate) struct Blobs {
    slices: Mutex<HashMap<Hash, BTreeMap<u64, Bytes>>>,
    gets: Mutex<usize>,
}

impl Blobs {
    /// Ranges that it was asked for.
    pub(crate) fn gets(&self) -> usize {
        *self.gets.lock()
    }

    /// Takes a whole blob.
    pub(crate) fn take(&self, blob: &[u8]) {
        let outboard = Outboard::of(blob);
        let slices = (0..shape::slices(outboard.length())).map(|slice| {
            let place = shape::slice_bytes(outboard.length(), slice);
            let bytes = &blob[place.start as usize..place.end as usize];
            (slice, Bytes::copy_from_slice(bytes))
        });
        let held = (*outboard.root(), slices.collect());
        self.slices.lock().extend([held]);
    }

    fn whole(&self, root: &Hash) -> Option<Vec<u8>> {
        let slices = self.slices.lock();
        let blob: Vec<u8> = slices.get(root)?.values().flatten().copied().collect();
        (*blake3::hash(&blob).as_bytes() == *root).then_some(blob)
    }

    fn missing(&self, content: &ContentRef) -> Vec<(u64, u64)> {
        let slices = self.slices.lock();
        let held = slices.get(&content.root);
        let is_held = |slice: &u64| held.is_some_and(|held| held.contains_key(slice));
        let all = 0..shape::slices(content.length);
        all.filter(|slice| !is_held(slice))
            .map(|slice| (slice, 1))
            .collect()
    }
}

/// Sends a range, which the lie has changed.
async fn send(
    blob: &[u8],
    plan: &RangePlan,
    lie: &Lie,
    replies: &ContentSender,
) -> Result<(), Closed> {
    let (mut bytes, range) = (encode_range(blob, plan), plan.range());
    let length = bytes.len();
    match lie {
        Lie::FirstBytes | Lie::Body => {
            let groups = (range.end - range.start) as usize;
            bytes[length - groups.min(length)] ^= 1;
        }
        Lie::LastBytes => bytes[length - 1] ^= 0x80,
        Lie::EndsEarly | Lie::HangsUp => bytes.truncate(length / 2),
        Lie::GoesOn => bytes.extend_from_slice(b"and more"),
        _ => {}
    }
    for piece in bytes.chunks(60_000) {
        replies.send(Bytes::copy_from_slice(piece)).await?;
    }
    Ok(())
}

impl ContentService for State {
    async fn get_content(
        self: Arc<Self>,
        _: DeviceId,
        request: GetContent,
        replies: ContentSender,
    ) {
        *self.blobs.gets.lock() += 1;
        let lie = self.lie.lock().clone();
        let Some(blob) = self.blobs.whole(&request.content.root) else {
            return replies.refuse(ContentRefusal::Missing).await;
        };
        match (&lie, request.plan()) {
            (Lie::Silent, _) => replies.closed().await,
            (Lie::Refuses, _) | (_, Err(_)) => replies.refuse(ContentRefusal::Busy).await,
            (_, Ok(plan)) => {
                let is_sent = send(&blob, &plan, &lie, &replies).await.is_ok();
                if is_sent && !matches!(lie, Lie::HangsUp) {
                    replies.end().await;
                }
            }
        }
    }

    /// It takes everything, and checks nothing.
    async fn put_content(
        self: Arc<Self>,
        _: DeviceId,
        put: PutContent,
        mut slices: PutReceiver,
    ) -> PutAnswer {
        let root = put.content.root;
        while let Ok(Some(slice)) = slices.next(PATIENCE).await {
            let mut held = self.blobs.slices.lock();
            held.entry(root)
                .or_default()
                .insert(slice.slice, slice.bytes);
        }
        match self.blobs.missing(&put.content) {
            missing if missing.is_empty() => PutAnswer::Complete,
            missing => PutAnswer::Missing(missing),
        }
    }

    /// It says that it has everything that it was given.
    async fn have_content(self: Arc<Self>, _: DeviceId, roots: Vec<Hash>) -> Vec<bool> {
        let held = self.blobs.slices.lock();
        roots.iter().map(|root| held.contains_key(root)).collect()
    }

    /// It says that it copied, and does nothing.
    async fn copy_content(self: Arc<Self>, _: DeviceId, _: CopyContent) -> CopyAnswer {
        CopyAnswer::Complete
    }

    /// It says nothing of what it has.
    async fn held_content(self: Arc<Self>, _: DeviceId, _: Option<u64>) -> Held {
        Held::Same
    }
}
