//! What is sent between the end of an epoch and the last payment for it.

use super::world::Gateway;
use crate::{auditors, chain::hold_back, economy::ACCEPTED};
use pallet_edge_billing::types::MAX_PAGE;
use pallet_edge_driver::{Ballot, EntryPage, SubmitAudits, SubmitError, SubmitUsage};
use pallet_edge_traits::{AuditDuties, HostKeccak, Job, Settlement};
use selvedge_primitives_math::{duty::AuditPhase, TreeKind, UsageTrees};
use selvedge_primitives_types::{AuditVerdict, Epoch, Verdict};
use selvedge_runtime::{configs::driver::Submitter, Audits, Billing};
use sp_keyring::Sr25519Keyring;

/// The epoch that is served in.
pub const SERVED: Epoch = Epoch(1);

/// Who sends something, and what puts it into the pool.
#[derive(Clone, Copy)]
pub enum Sender {
    /// Every gateway, of its trees.
    Gateways(fn(&Gateway, &UsageTrees)),
    /// Every validator that was drawn.
    Auditors(fn(Sr25519Keyring)),
}

/// One kind of transaction.
pub struct Phase {
    /// What it is called in tables.
    pub name: &'static str,
    /// Epochs after the one that is served in.
    epochs: u64,
    /// Whether it waits until the hold-back is over.
    is_held_back: bool,
    /// Quarters of its epoch after which it may be sent.
    pub quarters: u64,
    /// Whether it can be sent for a gateway now: some of what comes before is done over several blocks.
    pub is_due: fn(&Gateway) -> bool,
    /// Who sends it.
    pub sender: Sender,
}

impl Phase {
    /// The epoch it is sent in.
    pub fn epoch(&self) -> Epoch {
        let held_back = if self.is_held_back { hold_back() } else { 0 };
        SERVED.plus(self.epochs + held_back)
    }
}

/// All, in the order of a commitment's life.
pub const ALL: [Phase; 6] = [
    Phase {
        name: "commit",
        epochs: 1,
        is_held_back: false,
        quarters: 0,
        is_due: |_| true,
        sender: Sender::Gateways(commit),
    },
    Phase {
        name: "vote",
        epochs: 2,
        is_held_back: false,
        quarters: 0,
        is_due: |gateway| is_audited(gateway, AuditPhase::Vote),
        sender: Sender::Auditors(|auditor| ballot(auditor, AuditPhase::Vote)),
    },
    Phase {
        name: "reveal",
        epochs: 2,
        is_held_back: false,
        quarters: 2,
        is_due: |gateway| is_audited(gateway, AuditPhase::Reveal),
        sender: Sender::Auditors(|auditor| ballot(auditor, AuditPhase::Reveal)),
    },
    Phase {
        name: "settle",
        epochs: ACCEPTED - SERVED.0,
        is_held_back: false,
        quarters: 0,
        is_due: |gateway| has_job(gateway, Job::Settle(SERVED, 0)),
        sender: Sender::Gateways(settle),
    },
    Phase {
        name: "show caches",
        epochs: ACCEPTED - SERVED.0,
        is_held_back: false,
        quarters: 2,
        is_due: |gateway| has_job(gateway, Job::Credit(SERVED, 0)),
        sender: Sender::Gateways(credit),
    },
    Phase {
        name: "pay caches",
        epochs: ACCEPTED - SERVED.0,
        is_held_back: true,
        quarters: 1,
        is_due: |gateway| has_job(gateway, Job::Credit(SERVED, 0)),
        sender: Sender::Gateways(credit),
    },
];

fn has_job(gateway: &Gateway, job: Job) -> bool {
    Billing::jobs(&gateway.id(), 64).contains(&job)
}

fn is_audited(gateway: &Gateway, phase: AuditPhase) -> bool {
    auditors::ALL.into_iter().any(|auditor| {
        let duties = Audits::audits(&auditors::device(auditor));
        let mut due = duties.iter().filter(|duty| duty.phase == phase);
        due.any(|duty| duty.gateway == gateway.id())
    })
}

/// The auditor passes whatever it was drawn for.
fn ballot(auditor: Sr25519Keyring, phase: AuditPhase) {
    let device = auditors::device(auditor);
    let duties = Audits::audits(&device);
    let due: Vec<_> = duties.iter().filter(|duty| duty.phase == phase).collect();
    let Some(first) = due.first() else { return };
    let verdict = |gateway, epoch| AuditVerdict {
        gateway,
        epoch,
        verdict: Verdict::Ok { held: [3; 32] },
    };
    let ballot = Ballot {
        auditor: device,
        window: first.window,
        round: first.round,
        verdicts: due
            .iter()
            .map(|duty| verdict(duty.gateway, duty.epoch))
            .collect(),
        salt: [5; 32],
    };
    let key = auditor.to_raw_public();
    let sent: Result<(), SubmitError> = match phase {
        AuditPhase::Vote => Submitter::vote(&key, ballot),
        _ => Submitter::reveal(&key, ballot),
    };
    sent.expect("the pool takes it");
}

fn commit(gateway: &Gateway, trees: &UsageTrees) {
    let commitment = trees.commitment(gateway.id(), SERVED);
    Submitter::commit(&gateway.agent_key, commitment).expect("the pool takes it");
}

fn settle(gateway: &Gateway, trees: &UsageTrees) {
    for page in pages(trees, TreeKind::Customers) {
        Submitter::settle(&gateway.agent_key, gateway.id(), SERVED, page)
            .expect("the pool takes it");
    }
}

/// Shown before the hold-back is over, paid after it.
fn credit(gateway: &Gateway, trees: &UsageTrees) {
    for page in pages(trees, TreeKind::Caches) {
        Submitter::credit(&gateway.agent_key, gateway.id(), SERVED, page)
            .expect("the pool takes it");
    }
}

/// A tree in pages, each with its proof.
pub fn pages(trees: &UsageTrees, kind: TreeKind) -> impl Iterator<Item = EntryPage> + '_ {
    let chunks = trees.entries(kind).chunks(MAX_PAGE as usize).enumerate();
    chunks.map(move |(page, entries)| {
        let (start, len) = (page as u32 * MAX_PAGE, entries.len() as u32);
        let proof = trees.prove_entries::<HostKeccak>(kind, start, len);
        (entries.to_vec(), proof)
    })
}
