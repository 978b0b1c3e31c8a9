//! What the memory cache holds.

use bytes::Bytes;
use selvedge_edge_core_http_cache::{RequestHead, Stored};
use selvedge_edge_drivers_store::{Memory, Weigh};
use selvedge_primitives_types::{DeviceId, Hash, ServiceId, SignedRecord};
use std::sync::Arc;

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
}

impl Entry {
    /// BLAKE3 root of the body.
    pub fn root(&self) -> Hash {
        self.signed.record.root
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
        (size_of::<Self>() + fields + record.key.len() + self.stored.size() + self.body.len())
            as u64
    }
}

/// The entry that answers a request best, among those of the current generation.
pub fn find(
    memory: &Memory<Entry>,
    service: ServiceId,
    key: &[u8],
    request: &RequestHead<'_>,
    generation: u64,
) -> Option<Arc<Entry>> {
    let best = memory
        .variants(service, key)
        .into_iter()
        .filter(|entry| entry.signed.record.generation >= generation)
        .filter(|entry| entry.stored.variant().matches(request.headers))
        .max_by_key(|entry| (entry.stored.date(), entry.stored.times().received))?;
    // Only now is it used, and counts as such for what leaves memory first.
    let root = best.root();
    memory
        .find(service, key, |entry| entry.root() == root)
        .or(Some(best))
}
