//! Serves visitors: finds the service, answers from memory, from caches or from the origin, and
//! counts it.
//!
//! It trusts no cache: every record and every byte is checked before it leaves (`ask`). It charges
//! nothing beyond its lease (`tab`, `metered`), and signs what it owes to caches (`vouchers`,
//! `closing`).
//!
//! ```text
//! listener -> hit -----> memory ------------------------------------------------> visitor
//!        '-> serve -> memory -------------------------> served -> metered -> visitor
//!                |-> ask: owner's record and bytes ------^
//!                |-> fetch under the owner's lease: pump -^-> seeder -> owner -> waiting gateways
//!                '-> origin, past all caches ------------^
//! ```
//!
//! A service whose root is content has no origin: `content` answers for it.
//!
//! Invariants
//! 1. No byte and no field of a cache leaves unverified.
//! 2. No request is charged that the gateway itself answered.
//! 3. Credentials are never sent to a cache, nor is anything stored that was chosen by them.
//! 4. What is stored depends on nothing that its key and variant do not tell, as far as a visitor
//!    can choose it (`fields`).

#![warn(missing_docs)]

mod access_log;
mod ask;
mod changes;
mod choices;
mod closing;
mod content;
mod control;
mod cut;
mod describe;
mod entry;
mod exchange;
mod explain;
mod failure;
mod fetch;
mod fields;
mod gateway;
mod gather;
mod heads;
mod hit;
mod holding;
mod home;
mod insight;
mod invalidating;
mod invalidations;
mod landing;
mod live;
mod metered;
mod metrics;
mod options;
mod parts;
mod peer_metrics;
mod probe;
mod probing;
mod publish;
mod published;
mod pump;
mod purge_sync;
mod purged;
mod purging;
mod question;
mod refresh;
mod replicas;
mod rules;
mod seeder;
mod serve;
mod served;
mod slices;
mod steward;
mod supplied;
mod tab;
mod tail;
mod target;
mod timing;
mod upload;
mod verdicts;
mod vouchers;
mod world;

pub use gateway::{Gateway, Listening, Shared, StartError};
pub use options::{AccessLogTarget, GatewayOptions};
pub use selvedge_edge_core_budget::Share;
pub use selvedge_edge_core_http_cache::Policy;
pub use tab::Meter;
pub use timing::ServerTiming;
