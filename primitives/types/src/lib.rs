//! Names things once: ids, units, usage leaves, vouchers, records and the messages between a chain node and its edge
//! daemons, with their SCALE form.
//!
//! It is not a place for rules: sums, prices and proofs are in `selvedge-primitives-math`. It knows neither FRAME nor
//! any clock, hash function or signature scheme; bytes to be signed are built here ([`signing`]), signing happens
//! elsewhere.
//!
//! Every type that crosses a wire or a disk is encoded with SCALE in the order its fields are written in; that order is
//! fixed for good.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

pub mod address;
pub mod agent;
pub mod audit;
pub mod commitment;
pub mod content;
pub mod customer;
pub mod ids;
pub mod invoice;
pub mod leaf;
pub mod price;
pub mod probe;
pub mod purge;
pub mod record;
pub mod role;
pub mod score;
pub mod signing;
pub mod usage;
pub mod voucher;

pub use agent::AgentEndpoint;
pub use audit::{AuditVerdict, Verdict};
pub use commitment::{
    CacheEntryKey, CustomerEntryKey, Entry, EntryKey, LeafKey, TreeCommitment, UsageCommitment,
};
pub use content::{ContentConfig, ContentKind, ContentRef, Pin, PinInvalid, MAX_FACTOR};
pub use customer::{
    CustomerSignature, PublishToken, ReadScope, ReadToken, SignedPublishToken, SignedReadToken,
};
pub use ids::{
    Account, DeviceId, Epoch, Era, GenesisHash, Hash, Millis, Planck, Region, ServiceId, Slice,
    StakeId,
};
pub use invoice::{CommitmentStatus, Finality, InvoiceHead, InvoiceLine};
pub use leaf::{Leaf, LeafBody, Quality};
pub use price::{PriceList, Prices};
pub use probe::{
    FetchVerdict, Probe, ProbeAnswer, ProbeAnswerPayload, ProbeFetch, ProbeNonce, ProbeReport,
    Prober, Sighting,
};
pub use purge::{
    InvalidKeys, PurgeAck, PurgeAckPayload, PurgeAnswer, PurgeAuthor, PurgeKind, PurgeMode,
    PurgeOrder, PurgeReceipt, PurgeRefusal, PurgeRequest, SignedPurgeOrder, SignedPurgeRequest,
};
pub use record::{Record, SignedRecord};
pub use role::Role;
pub use score::{Ppm, Score};
pub use signing::{Domain, Signature64};
pub use usage::{Sum, Usage, UsageClass};
pub use voucher::{SignedVoucher, Voucher};
