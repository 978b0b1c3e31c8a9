//! What nodes say to each other.

use std::ops::Range;

use selvedge_edge_core_replication::{CopyFailure, FetchFailure};
use selvedge_primitives_types::{ContentRef, DeviceId, Hash, ServiceId};

/// A message.
#[derive(Clone, Debug)]
pub(crate) enum Message {
    /// Gateway to cache: which of these are complete?
    Ask(Vec<Hash>),
    /// The answer.
    Have(Vec<(Hash, bool)>),
    /// Gateway to cache: fetch this.
    Copy {
        content: ContentRef,
        service: ServiceId,
        from: Vec<DeviceId>,
    },
    /// Cache to gateway: what became of it.
    Copied {
        root: Hash,
        failure: Option<CopyFailure>,
    },
    /// Gateway to cache: never mind.
    Cancel(Hash),
    /// Gateway to cache: this copy is spare.
    Drop(Hash),
    /// Gateway to cache: show that you hold it.
    Challenge(Hash),
    /// The answer.
    Shown { root: Hash, passed: bool },
    /// Cache to cache: bytes, please.
    Fetch { root: Hash, range: Range<u64> },
    /// Here they are.
    Given { root: Hash, to: u64 },
    /// They are not.
    NotGiven { root: Hash, why: FetchFailure },
    /// Gateway to cache, for a visitor.
    Read { read: u64, root: Hash },
    /// The answer, and whether the bytes were right.
    Found { read: u64, is_right: bool },
}

impl Message {
    /// Whether it is part of a stream between caches.
    pub(crate) fn is_stream(&self) -> bool {
        matches!(
            self,
            Self::Fetch { .. } | Self::Given { .. } | Self::NotGiven { .. }
        )
    }
}
