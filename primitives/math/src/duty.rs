//! What an auditor has to look at, and the leaves that somebody has to show on chain.

use crate::draw::{Draw, Sample};
use alloc::vec::Vec;
use codec::{Decode, Encode};
use scale_info::TypeInfo;
use selvedge_primitives_types::{DeviceId, Epoch, UsageCommitment};

/// What an auditor can do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum AuditPhase {
    /// Look: no vote is taken yet, or it was given.
    #[codec(index = 0)]
    Look,
    /// Vote.
    #[codec(index = 1)]
    Vote,
    /// Reveal the vote, and prove what was found.
    #[codec(index = 2)]
    Reveal,
    /// Prove what was found: the vote was revealed, or it is too late for one.
    #[codec(index = 3)]
    Prove,
}

/// A commitment that an auditor was drawn for.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct AuditDuty {
    /// The epoch in whose first quarter the commitment was made.
    pub window: Epoch,
    /// 0 for the first draw, 1 for the redraw.
    pub round: u8,
    /// Who committed.
    pub gateway: DeviceId,
    /// The epoch served in.
    pub epoch: Epoch,
    /// The commitment.
    pub commitment: UsageCommitment,
    /// Base URL of the gateway's public audit endpoint; empty when the device is registered no longer.
    pub public_url: Vec<u8>,
    /// The leaves to look at.
    pub sample: Sample,
    /// What can be done now.
    pub phase: AuditPhase,
}

/// Why a leaf is due on chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum LeafPurpose {
    /// The commitment's auditors fell short twice, so its gateway owes it.
    #[codec(index = 0)]
    Owed,
    /// Somebody challenged the gateway to show it.
    #[codec(index = 1)]
    Challenged,
    /// An auditor who passed the commitment owes a leaf it looked at.
    #[codec(index = 2)]
    Posted,
}

/// A leaf that a device has to show on chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct LeafDuty {
    /// Who committed.
    pub gateway: DeviceId,
    /// The epoch served in.
    pub epoch: Epoch,
    /// Which leaf.
    pub draw: Draw,
    /// Why.
    pub purpose: LeafPurpose,
    /// The last epoch in which it can be shown.
    pub until: Epoch,
}
