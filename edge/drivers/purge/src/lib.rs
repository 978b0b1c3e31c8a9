//! Keeps purges on disk, checks who signed them, and acknowledges them.
//!
//! What a purge does to a stored response is decided by `core/purge`; who carries orders between
//! nodes is the roles' business. A node acknowledges an order when it is on disk, so that neither a
//! crash nor `kill -9` makes it forget one that a receipt says it obeys.
//!
//! - [`Purges`]: the logs of all services, behind one lock that is held for moments.
//! - [`WaitingFile`]: what unsafe requests made invalid while nobody ordered it.
//! - [`Registry`]: what of the chain's config a signature is checked against.

#![warn(missing_docs)]

mod check;
mod journal;
mod purges;
mod sync;
mod waiting;

pub use check::{Registry, AHEAD};
pub use purges::{Figures, Purges};
pub use selvedge_edge_core_purge::{
    key_id, Floors, OrderPurge, Page, Pending, PurgeNews, PurgeSync, Tags, Verdict, TAG_FIELDS,
};
pub use sync::Difference;
pub use waiting::WaitingFile;
