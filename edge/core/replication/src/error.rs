//! What a steward does not take.

use selvedge_primitives_types::{DeviceId, Hash};

/// Why an input was not taken, or not all of it. What else it says is in force.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It keeps as many blobs as it may.
    #[error("{count} blobs more than the {limit} that one steward keeps, {first:02x?} among them")]
    TooManyObjects {
        /// One of them.
        first: Hash,
        /// How many.
        count: usize,
        /// The bound.
        limit: usize,
    },
    /// There are more caches than are told apart.
    #[error("{count} caches, of which {limit} are told apart")]
    TooManyCaches {
        /// How many.
        count: usize,
        /// The bound.
        limit: usize,
    },
    /// The cache is none of the chain's.
    #[error("{0} is no cache of the chain's")]
    UnknownCache(DeviceId),
}
