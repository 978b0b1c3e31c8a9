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

pub(crate) use blob::Blob;

use selvedge_edge_core_content::Directory;
use selvedge_edge_drivers_store::{Memory, Weigh};
use selvedge_edge_drivers_transport::ContentError;
use selvedge_primitives_types::DeviceId;

use crate::gateway::Shared;

/// Parts of the memory for directories that are locked apart.
const SHARDS: usize = 4;

/// What a gateway remembers about content.
pub struct Contents {
    /// Directories, read once.
    directories: Memory<Held>,
}

impl Contents {
    /// Takes so many bytes for directories.
    pub fn new(bytes: u64) -> Self {
        Self {
            directories: Memory::new(bytes, SHARDS),
        }
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
    /// Notes that a cache did not do what it was asked about content. One that lied is named, and left out for a while.
    pub(crate) fn blame_for_content(&self, cache: &DeviceId, error: &ContentError) {
        if error.is_misbehaviour() {
            tracing::warn!(%cache, %error, "a cache is not believed about content");
            self.metrics.fault(cache, "content");
            self.choices.fault(*cache);
        } else {
            tracing::debug!(%cache, %error, "a cache did not help with content");
        }
    }
}
