//! What the runtime gives the driver: the config to push, and the transactions to send.

use alloc::{boxed::Box, vec::Vec};
use codec::Encode;
use core::fmt;
use selvedge_primitives_math::{
    duty::LeafDuty,
    fraud::{FraudProof, OpenedLeaf},
    RangeProof,
};
#[cfg(doc)]
use selvedge_primitives_types::audit::MAX_VERDICTS;
use selvedge_primitives_types::{
    agent::{ClockConfig, HostCheckVerdict, NodeConfig, ServiceConfig, AGENT_KEY_TYPE},
    AuditVerdict, DeviceId, Domain, Entry, EntryKey, Epoch, GenesisHash, Hash, PriceList,
    ProbeReport, Signature64, UsageCommitment,
};
use sp_core::{crypto::KeyTypeId, sr25519};

/// Reads what daemons need to know, at the block the worker runs for. Equal state must give equal
/// answers, also in order: a section is sent again when its encoding changes.
pub trait ConfigView {
    /// The clock of usage epochs.
    fn clock() -> ClockConfig;
    /// Registered nodes with an active stake.
    fn nodes() -> Vec<NodeConfig>;
    /// Services with the leases that the device has in the epoch.
    fn services(device: &DeviceId, epoch: Epoch) -> Vec<ServiceConfig>;
    /// Price lists that a service may pin.
    fn prices() -> Vec<PriceList>;
}

/// Why nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubmitError {
    /// The node's keystore does not hold the agent key.
    NoKey,
    /// The node's own pool refused the transaction: the state has moved on, or the agent gave
    /// something wrong.
    Refused,
    /// Calls like it are stopped by the brake: in a block they would fail.
    Stopped,
}

impl fmt::Display for SubmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoKey => "the keystore does not hold the agent key",
            Self::Refused => "the pool refused the transaction",
            Self::Stopped => "the brake stops it",
        })
    }
}

impl core::error::Error for SubmitError {}

/// Signs with an agent key and sends the authorised calls of an agent's epoch.
pub trait SubmitUsage {
    /// Commits an epoch.
    fn commit(agent_key: &[u8; 32], commitment: UsageCommitment) -> Result<(), SubmitError>;
    /// Charges a page of customer entries; `proof.start` is the cursor.
    fn settle(
        agent_key: &[u8; 32],
        gateway: DeviceId,
        epoch: Epoch,
        page: EntryPage,
    ) -> Result<(), SubmitError>;
    /// Pays a page of cache entries.
    fn credit(
        agent_key: &[u8; 32],
        gateway: DeviceId,
        epoch: Epoch,
        page: EntryPage,
    ) -> Result<(), SubmitError>;
    /// Gives back a page of customer entries of a void commitment.
    fn refund(
        agent_key: &[u8; 32],
        gateway: DeviceId,
        epoch: Epoch,
        page: EntryPage,
    ) -> Result<(), SubmitError>;
    /// Brings a gateway's answer about a host name; the device has signed it.
    fn attest_host(verdict: HostCheckVerdict, signature: Signature64) -> Result<(), SubmitError>;
    /// Reports what a gateway saw of the nodes it was drawn to probe.
    fn report_probes(agent_key: &[u8; 32], report: ProbeReport) -> Result<(), SubmitError>;
}

/// An auditor's vote of a round: as a vote only what seals it is sent, as a reveal all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ballot {
    /// The device that speaks.
    pub auditor: DeviceId,
    /// The window of the commitments.
    pub window: Epoch,
    /// 0 for the first draw, 1 for the redraw.
    pub round: u8,
    /// What was found, in the order that votes have; at most [`MAX_VERDICTS`].
    pub verdicts: Vec<AuditVerdict>,
    /// What keeps others from guessing it.
    pub salt: Hash,
}

/// Signs with an agent key and sends the authorised calls of audits.
pub trait SubmitAudits {
    /// Seals verdicts.
    fn vote(agent_key: &[u8; 32], ballot: Ballot) -> Result<(), SubmitError>;
    /// Reveals them.
    fn reveal(agent_key: &[u8; 32], ballot: Ballot) -> Result<(), SubmitError>;
    /// Proves a defect that an auditor found.
    fn prove(
        agent_key: &[u8; 32],
        auditor: DeviceId,
        gateway: DeviceId,
        epoch: Epoch,
        proof: Box<FraudProof>,
    ) -> Result<(), SubmitError>;
    /// Posts a leaf that an auditor is asked for.
    fn post_leaf(
        agent_key: &[u8; 32],
        auditor: DeviceId,
        gateway: DeviceId,
        epoch: Epoch,
        leaf: Box<OpenedLeaf>,
    ) -> Result<(), SubmitError>;
    /// Shows a leaf that a gateway owes.
    fn answer(
        agent_key: &[u8; 32],
        duty: LeafDuty,
        leaf: Box<OpenedLeaf>,
    ) -> Result<(), SubmitError>;
}

/// A run of entries of a usage tree with its proof.
pub type EntryPage = (Vec<Entry>, RangeProof<EntryKey>);

/// Signs a payload with an agent key of the node's keystore; `None` when it is not there.
///
/// For off-chain workers only: a block's execution has no keystore.
pub fn sign_with_agent_key(
    domain: Domain,
    agent_key: &[u8; 32],
    genesis: &GenesisHash,
    payload: &impl Encode,
) -> Option<Signature64> {
    let message = domain.message(genesis, payload);
    let public = sr25519::Public::from_raw(*agent_key);
    sp_io::crypto::sr25519_sign(KeyTypeId(AGENT_KEY_TYPE), &public, &message)
        .map(|signature| Signature64(signature.0))
}
