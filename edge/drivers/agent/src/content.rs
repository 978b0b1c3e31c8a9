//! Content over HTTP, beside the audit endpoint: customers put it, anyone reads what is pinned.
//!
//! | Request | Body | Answer |
//! |---|---|---|
//! | `POST /content/v1/{service}/have` | `{factor, blobs: [{root, length, kind}]}`, at most 1,024 | `{owners, blobs: [{root, missing: [[first, count]]}]}`: slices that an owner lacks |
//! | `PUT /content/v1/{service}/{root}?length=&kind=&slice=&factor=` | a slice behind its proof | `{owners, wanted, complete}` once the owners that can be reached have it |
//! | `GET /content/v1/{root}/{path}` | | `{root, length, kind, media_type, service}` |
//! | `GET /content/v1/{root}/{path}?slice=` | | a slice behind its proof |
//!
//! A root is `0x` and 64 hexadecimal digits; `{path}` leads through the directories below it, each component escaped, and is left out for the blob itself. The first
//! two show a publish token of the account that pays for the service ([`crate::publish_token`]). Who reads needs none: the service that has the root pinned
//! is charged, as for a visitor's request.
//!
//! Every slice is verified before it goes on. What is not pinned within the hour is dropped again.

mod answer;
mod question;
mod turns;

use std::future::Future;
use std::sync::Arc;

use selvedge_edge_core_content::{MediaType, Name};
use selvedge_edge_core_verify::ProvenSlice;
use selvedge_edge_drivers_http::Body;
use selvedge_primitives_types::{ContentRef, Hash, ServiceId};

use crate::insight::Insight;

pub(crate) use answer::answer;
pub(crate) use turns::Turns;

/// Why content is not taken or given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContentRefused {
    /// No cache that owns it can be reached.
    #[error("no cache that owns the content can be reached")]
    NoOwner,
    /// The caches have no room for it, or the service has put as much as it may without pinning it.
    #[error("there is no room: pin what was put, or wait an hour")]
    NoRoom,
    /// The service is not served now.
    #[error("the service is not served now")]
    NotServed,
    /// No service has it pinned.
    #[error("no service has this root pinned")]
    NotPinned,
    /// The path names nothing.
    #[error("the path names nothing below this root")]
    Absent,
    /// The blob has no such slice.
    #[error("the content has no such slice")]
    NoSlice,
    /// A directory on the way is none.
    #[error("what is pinned as a directory is none")]
    NotADirectory,
    /// The service's lease is used up for this epoch.
    #[error("the service's allowance is used up")]
    OutOfLease,
    /// As much is under way as may be.
    #[error("too much is under way; try again")]
    Busy,
}

/// Where content goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upload {
    /// The service that it is for.
    pub service: ServiceId,
    /// How many caches are to have it, 1 to [`MAX_FACTOR`](selvedge_primitives_types::MAX_FACTOR).
    pub factor: u8,
}

/// What owners lack of some blobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lacking {
    /// Owners of the first blob that answered.
    pub owners: u8,
    /// For each blob the slices that one of its owners lacks: runs of the first and how many. Empty when all of
    /// them have it whole.
    pub missing: Vec<Vec<(u64, u64)>>,
}

/// What became of a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Owners that have it now.
    pub owners: u8,
    /// Owners that there are.
    pub wanted: u8,
    /// Whether those have the whole blob.
    pub is_complete: bool,
}

/// What a path below a root names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// The blob.
    pub content: ContentRef,
    /// Its media type; none for a directory, and for a root that nothing names.
    pub media_type: Option<MediaType>,
    /// The service that is charged.
    pub service: ServiceId,
}

/// What a gateway does with content.
pub trait ContentDesk: Insight {
    /// Says what the owners of some blobs lack.
    fn lacking(
        self: Arc<Self>,
        upload: Upload,
        blobs: Vec<ContentRef>,
    ) -> impl Future<Output = Result<Lacking, ContentRefused>> + Send;

    /// Hands a verified slice to the owners.
    fn take(
        self: Arc<Self>,
        upload: Upload,
        content: ContentRef,
        slice: ProvenSlice,
    ) -> impl Future<Output = Result<Taken, ContentRefused>> + Send;

    /// Finds what a path below a pinned root names.
    fn describe(
        self: Arc<Self>,
        root: Hash,
        path: Vec<Name>,
    ) -> impl Future<Output = Result<Described, ContentRefused>> + Send;

    /// Gives a slice of it, encoded behind its proof, counted as it is sent.
    fn give(
        self: Arc<Self>,
        described: Described,
        slice: u64,
    ) -> impl Future<Output = Result<Body, ContentRefused>> + Send;
}
