//! Carries records, bytes and vouchers between gateways and caches.
//!
//! HTTP/2 over TLS 1.3. Each side shows a certificate made from its device key and accepts exactly
//! the device it dialled, or one that the chain's config lists; there is no authority between them.
//! What travels is in [`message`]:
//!
//! | Request | Body | Answer |
//! |---|---|---|
//! | `POST /v1/lookup` | [`LookupRequest`] | frames of [`Reply`] |
//! | `POST /v1/seed/{lease}` | frames of [`SeedMessage`] | [`SeedAnswer`] |
//! | `POST /v1/invalidate` | [`InvalidateRequest`] | `bool`: whether it is, or may be, stored |
//! | `POST /v1/hold` | [`HoldRequest`] | – |
//! | `POST /v1/purge/order` | [`OrderPurge`] | `Result<SignedPurgeOrder, PurgeRefusal>` |
//! | `POST /v1/purge/take` | `SignedPurgeOrder` | `PurgeAnswer` |
//! | `POST /v1/purge/sync` | [`PurgeSync`] | [`PurgeNews`] |
//! | `POST /v1/voucher` | `SignedVoucher` | – |
//! | `POST /v1/leaves` | `Vec<LeafBody>` | `Vec<Option<Signature64>>` |
//! | `POST /v1/probe` | `ProbeAnswerPayload` | `Option<Signature64>` |
//!
//! Messages about blobs that are named by their root are in [`content`]; caches may send them too.
//!
//! A stream is a sequence of frames: length (`u32`, little endian), then at most [`MAX_FRAME`]
//! bytes. Nothing here is believed: what a message means for a peer's standing is decided by the
//! roles.

//! [`Memo`] is what both ends remember about keys between messages.

#![warn(missing_docs)]

mod client;
pub mod content;
mod error;
mod framing;
mod identity;
mod memo;
pub mod message;
mod server;
mod tls;

pub use client::{PeerAddress, Peers, PeersOptions, ReplyStream, SeedStream};
pub use content::{
    ContentError, ContentRefusal, ContentSender, ContentService, ContentStream, CopyAnswer,
    CopyContent, GetContent, HaveContent, Held, HeldSince, PutAnswer, PutContent, PutReceiver,
    PutSlice, PutStream,
};
pub use error::TransportError;
pub use framing::MAX_FRAME;
pub use identity::Identity;
pub use memo::Memo;
pub use message::{
    HoldRequest, InvalidateRequest, LookupRequest, Refusal, Reply, SeedAnswer, SeedMessage, Want,
    HOLD,
};
pub use selvedge_edge_core_purge::{OrderPurge, PurgeNews, PurgeSync};
pub use server::{bind, CacheService, ReplySender, SeedReceiver};
pub use tls::PeerList;
