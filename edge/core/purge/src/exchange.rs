//! What a gateway and a cache say to each other about purges, in SCALE.
//!
//! ```text
//! gateway ── OrderPurge ──> owner             a number, please
//! gateway ── the order ──> every cache        keep it, obey it
//! gateway ── PurgeSync ──> owners of its services, every few seconds: same orders? ──> PurgeNews
//! ```

use codec::{Decode, Encode};
use selvedge_primitives_types::{ServiceId, SignedPurgeOrder, SignedPurgeRequest};

use crate::{Log, Summary};

/// Asks the owner of a service for a purge's place in its order.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct OrderPurge {
    /// What was asked for.
    pub signed: SignedPurgeRequest,
    /// A number that somebody knows: the purge's is to be above it.
    pub above: u64,
}

/// All orders of a service in a few bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct PurgeSummary {
    /// The service.
    pub service: ServiceId,
    /// Orders up to this number were dropped.
    pub base: u64,
    /// Of the numbers above.
    pub digest: u64,
}

/// Says which orders a gateway has, gives some, and asks for some.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct PurgeSync {
    /// Every service that has orders.
    pub summaries: Vec<PurgeSummary>,
    /// Orders that the cache lacks.
    pub give: Vec<SignedPurgeOrder>,
    /// Orders that the gateway lacks, by number.
    pub want: Vec<(ServiceId, Vec<u64>)>,
}

/// Orders of a service where the two differ.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct PurgeHave {
    /// The service.
    pub service: ServiceId,
    /// The order up to which all were dropped.
    pub base: Option<SignedPurgeOrder>,
    /// The numbers above.
    pub numbers: Vec<u64>,
}

/// A cache's answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct PurgeNews {
    /// Where the two differ.
    pub differing: Vec<PurgeHave>,
    /// What was wanted, as far as it is there and fits.
    pub orders: Vec<SignedPurgeOrder>,
}

impl PurgeHave {
    /// What a log holds.
    pub fn of(service: ServiceId, log: &Log) -> Self {
        Self {
            service,
            base: log.base().cloned(),
            numbers: log.numbers().collect(),
        }
    }
}

impl PurgeSummary {
    /// Of a service's log.
    pub fn of(service: ServiceId, log: &Log) -> Self {
        let Summary { base, digest } = log.summary();
        Self {
            service,
            base,
            digest,
        }
    }
}
