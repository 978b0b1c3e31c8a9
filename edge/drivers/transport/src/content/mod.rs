//! What nodes say to each other about content: blobs that are named by their root.
//!
//! | Request | Body | Answer |
//! |---|---|---|
//! | `POST /v1/content/get` | [`GetContent`] | frames: `Data* (End \| Abort)` or `Refused` |
//! | `POST /v1/content/put` | frames: [`PutContent`], then `(Slice Data*)*` | [`PutAnswer`] |
//! | `POST /v1/content/have` | [`HaveContent`] | `Vec<bool>`, one per root |
//! | `POST /v1/content/copy` | [`CopyContent`] | [`CopyAnswer`] |
//! | `POST /v1/content/held` | [`HeldSince`] | [`Held`] |
//!
//! A range travels as [`RangePlan`] says; [`ContentStream`] gives out verified bytes only. A slice that
//! is put travels with its proof, in any order; a put without slices asks what is missing.

mod client;
mod held;
mod message;
mod server;

pub use client::{ContentStream, PutStream};
pub use held::{Held, HeldSince};
pub use message::{
    ContentRefusal, CopyAnswer, CopyContent, GetContent, HaveContent, PutAnswer, PutContent,
    MAX_ROOTS, MAX_RUNS, MAX_SOURCES,
};
pub(crate) use server::dispatch;
pub use server::{ContentSender, ContentService, PutReceiver, PutSlice};

use crate::error::TransportError;

#[cfg(doc)]
use selvedge_edge_core_verify::RangePlan;

/// Why content did not get through.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContentError {
    /// The message did not.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The peer refused.
    #[error("the peer refused: {0}")]
    Refused(ContentRefusal),
    /// The peer broke off, and said so.
    #[error("the peer broke off")]
    Aborted,
    /// The range is none of the blob.
    #[error("no such range: {0}")]
    Range(selvedge_edge_core_verify::Error),
    /// The bytes are not those that the root names.
    #[error("the peer sent bytes that do not verify: {0}")]
    Unverified(selvedge_edge_core_verify::Error),
}

impl ContentError {
    /// Whether the peer did something that no honest peer does, rather than being slow, gone or
    /// without the content.
    pub fn is_misbehaviour(&self) -> bool {
        match self {
            Self::Transport(error) => error.is_misbehaviour(),
            Self::Unverified(_) => true,
            Self::Refused(_) | Self::Aborted | Self::Range(_) => false,
        }
    }
}
