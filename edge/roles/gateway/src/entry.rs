//! What the memory cache holds.

use bytes::Bytes;
use http::HeaderMap;
use selvedge_edge_core_http_cache::{RequestHead, Stored};
use selvedge_edge_drivers_purge::Tags;
use selvedge_edge_drivers_store::{Memory, Weigh};
use selvedge_primitives_types::{DeviceId, Hash, Millis, ServiceId, SignedRecord};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use crate::hit::ReadyHead;
use crate::holding::Hold;
use crate::parts::Parts;

/// A response with all of its bytes, which were verified before they were put here.
#[derive(Debug)]
pub struct Entry {
    /// Its record, signed by the gateway that fetched it.
    pub signed: SignedRecord,
    /// What the record says, read once.
    pub stored: Stored,
    /// Its bytes.
    pub body: Bytes,
    /// The cache that supplied or leased it, and is credited for it.
    pub cache: DeviceId,
    /// What it may be purged by.
    pub tags: Tags,
    /// The version of the service's purges at which it was found current; 0 for none.
    pub checked: AtomicU64,
    /// When owners of its key last knew that it is here.
    pub hold: Hold,
    /// Its head for plain requests, once there was one.
    pub ready: OnceLock<ReadyHead>,
    /// What is held of the bytes, where that is not all; then [`Self::body`] is empty and nobody has
    /// signed the record.
    pub parts: Option<Box<Parts>>,
    /// The root of the site that it was found below, if any; then it is good as long as that is the service's, and
    /// nobody has signed the record.
    pub site: Option<Hash>,
}

impl Entry {
    /// A verified response with its bytes.
    pub fn new(signed: SignedRecord, stored: Stored, body: Bytes, cache: DeviceId) -> Self {
        Self {
            tags: Tags::of(stored.headers()),
            signed,
            stored,
            body,
            cache,
            checked: AtomicU64::new(0),
            hold: Hold::default(),
            ready: OnceLock::new(),
            parts: None,
            site: None,
        }
    }

    /// BLAKE3 root of the body.
    pub fn root(&self) -> Hash {
        self.signed.record.root
    }

    /// How well it answers a request with these fields; `None` when it does not, or the purges do
    /// not let it.
    pub fn rank<'a>(
        &self,
        is_left: impl FnOnce() -> bool,
        fields: impl FnOnce() -> &'a HeaderMap,
    ) -> Option<(Millis, Millis)> {
        let is_whole = self.parts.is_none();
        is_whole.then(|| self.order(is_left, fields)).flatten()
    }

    /// The same of what is held in parts.
    pub fn rank_parts<'a>(
        &self,
        is_left: impl FnOnce() -> bool,
        fields: impl FnOnce() -> &'a HeaderMap,
    ) -> Option<(Millis, Millis)> {
        let is_partial = self.parts.is_some();
        is_partial.then(|| self.order(is_left, fields)).flatten()
    }

    /// Names it among those with its key: what is whole and what is held in parts have places of
    /// their own.
    pub fn place(&self) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
        let mut place = self.stored.variant().as_slice().to_vec();
        if self.parts.is_some() {
            // No field has such a name.
            place.push((b":parts".to_vec(), None));
        }
        place
    }

    fn order<'a>(
        &self,
        is_left: impl FnOnce() -> bool,
        fields: impl FnOnce() -> &'a HeaderMap,
    ) -> Option<(Millis, Millis)> {
        let stored = &self.stored;
        let is_chosen = || {
            let variant = stored.variant();
            variant.as_slice().is_empty() || variant.matches(fields())
        };
        (is_chosen() && is_left()).then(|| (stored.date(), stored.times().received))
    }
}

impl Weigh for Entry {
    fn bytes(&self) -> u64 {
        let record = &self.signed.record;
        let fields: usize = record
            .fields
            .iter()
            .map(|(name, value)| name.len() + value.len() + 48)
            .sum();
        // The ready head holds the fields once more, and a few lines of ours.
        let ready = fields + ReadyHead::OWN_LINES;
        let own = size_of::<Self>() + record.key.len() + self.tags.size();
        let parts = self.parts.as_ref().map_or(0, |parts| parts.size());
        (own + fields + ready + self.stored.size() + self.body.len() + parts) as u64
    }
}

/// The entry that answers a request best, among those that the purges leave (RFC 9111 §4.1).
pub fn find(
    memory: &Memory<Entry>,
    service: ServiceId,
    key: &[u8],
    request: &RequestHead<'_>,
    is_left: impl Fn(&Entry) -> bool,
) -> Option<Arc<Entry>> {
    let rank = |entry: &Entry| entry.rank(|| is_left(entry), || request.headers);
    memory.best(service, key, rank, |_| true)
}
