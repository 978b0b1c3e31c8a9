//! Sites from content: the service's root says what is served, and nobody has to be believed about it.
//!
//! ```text
//! path -> directories (memory, or owners) -> file -> memory -------------> visitor
//!                                               '-> owners, verified ----^
//! ```
//!
//! What is kept in memory says which root it was found below, so that a pointer that has moved never gives the old
//! site. Owners are asked one after the other: whoever lacks it, stalls or lies is left in the middle of a body, and
//! the next one goes on where the verified bytes end.

mod blob;
mod site;

use std::time::{Duration, Instant};

use selvedge_edge_core_content::Directory;
use selvedge_edge_drivers_store::{Memory, Weigh};
use selvedge_edge_drivers_transport::{ContentError, Memo, PeerAddress, TransportError};
use selvedge_primitives_types::DeviceId;

use crate::gateway::Shared;

/// How long a cache that sent wrong bytes is not asked for content.
const DISTRUST: Duration = Duration::from_secs(60);
/// How long one that did not answer in time is not.
const REST: Duration = Duration::from_secs(3);
/// Caches of which such things are remembered.
const REMEMBERED: usize = 4_096;
/// Parts of the memory for directories that are locked apart.
const SHARDS: usize = 4;

/// What a gateway remembers about content.
pub struct Contents {
    /// Directories, read once.
    directories: Memory<Held>,
    /// Caches that are not asked for a while.
    left_alone: Memo<DeviceId>,
}

impl Contents {
    /// Takes so many bytes for directories.
    pub fn new(bytes: u64) -> Self {
        Self {
            directories: Memory::new(bytes, SHARDS),
            left_alone: Memo::new(REMEMBERED),
        }
    }

    /// Whether a cache did nothing lately that speaks against asking it.
    pub(crate) fn is_asked(&self, cache: &DeviceId) -> bool {
        !self.left_alone.holds(cache, Instant::now())
    }
}

/// A directory in memory.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) directory: Directory,
    length: u64,
}

impl Weigh for Held {
    fn bytes(&self) -> u64 {
        // Names, media types and the tree of a map take about twice what they take in a blob.
        let entries = 64 * self.directory.len() as u64;
        size_of::<Self>() as u64 + 2 * self.length + entries
    }
}

impl Shared {
    /// Notes that a cache did not give content. One that lied is named, and is not asked for a while.
    pub(crate) fn blame_for_content(&self, cache: &PeerAddress, error: &ContentError) {
        let device = cache.device;
        let rest = match error {
            error if error.is_misbehaviour() => {
                tracing::warn!(cache = %device, %error, "a cache is not believed about content");
                self.metrics.fault(&device, "content");
                Some(DISTRUST)
            }
            ContentError::Transport(TransportError::TooSlow { .. }) => Some(REST),
            _ => None,
        };
        tracing::debug!(cache = %device, %error, "a cache did not give content");
        if let Some(rest) = rest {
            let left_alone = &self.content.left_alone;
            left_alone.remember(device, Instant::now(), rest);
        }
    }
}
