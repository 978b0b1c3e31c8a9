//! What purges leave of stored responses, in memory and from caches.
//!
//! A response that was found current remembers the version of its service's purges, so that a hit
//! costs one load and one comparison until the next purge.

use std::sync::atomic::Ordering;
use std::sync::Arc;

use selvedge_edge_core_http_cache::Stored;
use selvedge_edge_drivers_agent::clock;
use selvedge_edge_drivers_purge::{Tags, Verdict};
use selvedge_primitives_types::{Millis, Record, ServiceId, SignedRecord};

use crate::ask::AskError;
use crate::entry::Entry;
use crate::fetch::StaleCopy;
use crate::gateway::Shared;
use crate::question::Question;

impl Shared {
    /// What the purges say about a response in memory.
    pub fn verdict(&self, service: ServiceId, entry: &Entry) -> Verdict {
        if entry.checked.load(Ordering::Relaxed) == self.purges.version(service) {
            return Verdict::Current;
        }
        let record = &entry.signed.record;
        let (verdict, version) =
            self.purges
                .verdict(service, record.generation, &record.key, &entry.tags);
        if verdict == Verdict::Current {
            entry.checked.store(version, Ordering::Relaxed);
        }
        verdict
    }

    /// What the purges say about a record, of which this is the response.
    pub fn verdict_of(&self, record: &Record, stored: &Stored) -> Verdict {
        let tags = Tags::of(stored.headers());
        let (service, generation) = (record.service, record.generation);
        let said = self.purges.verdict(service, generation, &record.key, &tags);
        said.0
    }

    /// The response to a question, of this generation, as the purges leave it.
    ///
    /// Errors: [`AskError::Purged`] with the generation to ask for, and [`AskError::Doubtful`].
    pub(crate) fn unpurged(
        &self,
        question: &Question,
        generation: u64,
        stored: Stored,
    ) -> Result<Stored, AskError> {
        let tags = Tags::of(stored.headers());
        let service = question.scope.service.id;
        let key = question.key.as_bytes();
        if self.purges.hear_of(service, generation, clock::now()) {
            // Another gateway knows a purge that has not come here.
            self.purge_sync.notify_one();
        }
        let (verdict, _) = self.purges.verdict(service, generation, key, &tags);
        let mut floors = question.floors;
        match verdict {
            Verdict::Current => Ok(stored),
            Verdict::Stale { since } if since <= floors.soft => {
                Ok(stored.stale_since(Millis(since)))
            }
            Verdict::Stale { since } => {
                floors.soft = since;
                Err(AskError::Purged(floors))
            }
            Verdict::Gone { below } => {
                floors.hard = below;
                Err(AskError::Purged(floors))
            }
            Verdict::Doubtful => Err(AskError::Doubtful),
        }
    }

    /// What is stored and stale: the cache's record, or what is in memory.
    pub(crate) fn stale_copy(
        &self,
        found: Option<Box<(SignedRecord, Stored)>>,
        entry: Option<Arc<Entry>>,
    ) -> Option<StaleCopy> {
        let (signed, stored, entry) = match (found, entry) {
            (Some(found), entry) => {
                let (signed, stored) = *found;
                let entry = entry.filter(|entry| entry.root() == signed.record.root);
                (signed, stored, entry)
            }
            (None, Some(entry)) => (entry.signed.clone(), entry.stored.clone(), Some(entry)),
            (None, None) => return None,
        };
        let verdict = self.verdict_of(&signed.record, &stored);
        let stored = match verdict.stale_since() {
            Some(since) => stored.stale_since(since),
            None if verdict == Verdict::Current => stored,
            None => return None,
        };
        Some(StaleCopy {
            signed,
            stored,
            entry,
            is_doubtful: verdict == Verdict::Doubtful,
        })
    }
}
