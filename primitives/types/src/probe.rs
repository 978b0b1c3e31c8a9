//! Probes: what drawn nodes ask of others, what those sign, and what is reported about them.
//!
//! ```text
//! prober                                     probed node
//!   │ nonce ────────────────────────────────▶  signs ProbeAnswerPayload with its device key
//!   │ ◀──────────────────────────── signature │        round trip: nonce sent to signature there
//!   │ fetches an object as a visitor would ─▶ │        time: request sent to last octet there
//!   ▼
//! ProbeReport, signed with the agent key, goes to the chain
//! ```
//!
//! A nonce that is answered cannot be made up: the chain checks the probed device's signature. That a node did not
//! answer cannot be proven, and times are the prober's word: both count by a weighted median over probers of different
//! operators.

use crate::{Account, DeviceId, Epoch, Hash, Region, Signature64};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// The most nodes of one report.
pub const MAX_PROBES: u32 = 64;

/// A number that nobody can know before the probe.
pub type ProbeNonce = [u8; 16];

/// A node that may be drawn to probe others, as it was when the epoch began.
///
/// The order of the fields is the order that draws want them sorted in.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Prober {
    /// Where it is.
    pub region: Region,
    /// Who operates it.
    pub operator: Account,
    /// The device.
    pub device: DeviceId,
    /// Its stake in planck: what its word weighs.
    pub weight: u64,
}

/// What a probed device signs: [`crate::Domain::ProbeAnswer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct ProbeAnswerPayload {
    /// Who asks.
    pub prober: DeviceId,
    /// Who answers.
    pub probed: DeviceId,
    /// The epoch.
    pub epoch: Epoch,
    /// What was asked.
    pub nonce: ProbeNonce,
}

/// A nonce that was answered.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct ProbeAnswer {
    /// What was asked.
    pub nonce: ProbeNonce,
    /// The probed device's ed25519 signature over the [`ProbeAnswerPayload`].
    pub signature: Signature64,
    /// From the question to the answer on an open connection, in microseconds.
    pub round_trip: u32,
}

/// What came of a fetch.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum FetchVerdict {
    /// The object came, and its octets are those that another node has.
    #[codec(index = 0)]
    Right,
    /// An object came whose octets differ from those under its record.
    #[codec(index = 1)]
    Wrong,
    /// Nothing came, or not in time.
    #[codec(index = 2)]
    Failed,
}

/// A fetch of a real object of a customer's service.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct ProbeFetch {
    /// BLAKE3 of the octets that came.
    pub object: Hash,
    /// How many came.
    pub bytes: u32,
    /// From the request to the last octet, in microseconds.
    pub time: u32,
    /// What is to be said about them.
    pub verdict: FetchVerdict,
}

/// What a prober saw of one node in an epoch.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Probe {
    /// The node.
    pub probed: DeviceId,
    /// Its answer to the nonce; `None` when it did not answer.
    pub answer: Option<ProbeAnswer>,
    /// What a fetch gave; `None` when there was nothing to fetch.
    pub fetch: Option<ProbeFetch>,
}

/// All that a prober saw in an epoch: [`crate::Domain::ProbeReport`], sr25519 by the prober's agent key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct ProbeReport {
    /// Who probed.
    pub prober: DeviceId,
    /// The epoch.
    pub epoch: Epoch,
    /// What it saw, strictly in the order of the probed devices, at most [`MAX_PROBES`].
    pub probes: Vec<Probe>,
}

/// One prober's word about a node, as it counts.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Sighting {
    /// The prober's region.
    pub region: Region,
    /// Who operates the prober.
    pub operator: Account,
    /// What its word weighs.
    pub weight: u64,
    /// Whether the nonce was answered and, where an object was fetched, something came.
    pub answered: bool,
    /// Whether the octets were right, where an object came.
    pub right: Option<bool>,
    /// Microseconds per 64 KiB, where an object came.
    pub pace: Option<u32>,
    /// Round trip of the nonce in microseconds, where it was answered.
    pub round_trip: Option<u32>,
}
