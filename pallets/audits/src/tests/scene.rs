//! A commitment under audit, and what its auditors and its gateway send.

use super::*;
use crate::{agent, types::Stage, Audits as AuditOf, Windows};
use codec::Encode;
use frame_support::{
    dispatch::{DispatchResult, RawOrigin},
    traits::Authorize,
};
use pallet_edge_traits::{CommitmentAudit, EpochClock};
use selvedge_primitives_math::draw::{locate, Draw};
use selvedge_primitives_types::{AuditVerdict, Hash, Verdict};
use sp_core::sr25519;
use sp_runtime::{
    traits::Dispatchable,
    transaction_validity::{InvalidTransaction, TransactionSource, TransactionValidityError},
};

/// The window of the commitment: the epoch after the one served in.
pub(super) const WINDOW: u64 = EPOCH.0 + 1;
/// The epoch in which its auditors vote, and the one in which a redraw does.
pub(super) const VOTING: u64 = WINDOW + 1;
pub(super) const AGAIN: u64 = WINDOW + 2;
/// The epoch in which leaves are due.
pub(super) const LEAVES: u64 = WINDOW + 3;
const SALT: Hash = [5; 32];

/// Lets a window's randomness come, and its panel be enrolled.
pub(super) fn seeded(window: u64, seed: u8) {
    run_to(window, 3);
    Seed::set(Some(([seed; 32], System::block_number() + 1)));
    for _ in 0..8 {
        block();
    }
    assert!(
        Windows::<Test>::contains_key(Epoch(window)),
        "nobody was drawn"
    );
}

/// The gateway commits to these leaves in its window.
pub(super) fn committed(leaves: Vec<Leaf>) -> UsageTrees {
    let trees = commit_to(leaves);
    let commitment = trees.commitment(GATEWAY, EPOCH);
    Audits::on_commit(
        &GATEWAY,
        EPOCH,
        Epoch(WINDOW),
        commitment.customers.sum.amount,
    );
    trees
}

/// A commitment to these leaves for which auditors were drawn from so many.
pub(super) fn under_audit(auditors: u8, leaves: Vec<Leaf>) -> UsageTrees {
    (1..=auditors).for_each(add_auditor);
    let trees = committed(leaves);
    seeded(WINDOW, 1);
    trees
}

pub(super) fn stage() -> Stage {
    AuditOf::<Test>::get(EPOCH, GATEWAY).unwrap().stage
}

/// Numbers of the auditors that were drawn in a round.
pub(super) fn drawn(round: u8) -> Vec<u8> {
    let audit = AuditOf::<Test>::get(EPOCH, GATEWAY).unwrap();
    let window = Windows::<Test>::get(audit.window).unwrap();
    let drawn = window.drawn(&GATEWAY, EPOCH, audit.operator.as_ref(), round);
    drawn
        .iter()
        .map(|auditor| auditor.device.0[0] - 200)
        .collect()
}

pub(super) fn verdict(verdict: Verdict) -> Vec<AuditVerdict> {
    vec![AuditVerdict {
        gateway: GATEWAY,
        epoch: EPOCH,
        verdict,
    }]
}

pub(super) fn pass() -> Vec<AuditVerdict> {
    verdict(Verdict::Ok { held: [3; 32] })
}

fn signed_by(agent: &sr25519::Pair, payload: &impl Encode) -> Signature64 {
    Signature64(agent.sign(&Domain::Agent.message(&[7; 32], payload)).0)
}

pub(super) fn vote(number: u8, round: u8, verdicts: &[AuditVerdict]) -> Call<Test> {
    vote_of(number, Epoch(WINDOW), round, verdicts)
}

pub(super) fn vote_of(
    number: u8,
    window: Epoch,
    round: u8,
    verdicts: &[AuditVerdict],
) -> Call<Test> {
    let (auditor, agent) = auditor(number);
    let seal = agent::seal(verdicts, &SALT);
    let payload = agent::vote_payload(auditor, window, round, seal);
    Call::vote {
        auditor,
        window,
        round,
        seal,
        agent_signature: signed_by(&agent, &payload),
    }
}

pub(super) fn reveal(number: u8, round: u8, verdicts: Vec<AuditVerdict>) -> Call<Test> {
    reveal_of(number, Epoch(WINDOW), round, verdicts)
}

pub(super) fn reveal_of(
    number: u8,
    window: Epoch,
    round: u8,
    verdicts: Vec<AuditVerdict>,
) -> Call<Test> {
    let (auditor, agent) = auditor(number);
    let seal = agent::seal(&verdicts, &SALT);
    let payload = agent::reveal_payload(auditor, window, round, seal);
    Call::reveal {
        auditor,
        window,
        round,
        verdicts: verdicts.try_into().unwrap(),
        salt: SALT,
        agent_signature: signed_by(&agent, &payload),
    }
}

pub(super) fn prove(number: u8, proof: FraudProof) -> Call<Test> {
    let (auditor, agent) = auditor(number);
    let payload = agent::prove_payload(auditor, GATEWAY, EPOCH, &proof);
    Call::prove {
        auditor,
        gateway: GATEWAY,
        epoch: EPOCH,
        agent_signature: signed_by(&agent, &payload),
        proof: proof.into(),
    }
}

pub(super) fn answer(draw: Draw, leaf: OpenedLeaf) -> Call<Test> {
    let payload = agent::answer_payload(GATEWAY, EPOCH, draw, &leaf);
    Call::answer {
        gateway: GATEWAY,
        epoch: EPOCH,
        draw,
        agent_signature: signed_by(&gateway_agent(), &payload),
        leaf: leaf.into(),
    }
}

pub(super) fn post(number: u8, leaf: OpenedLeaf) -> Call<Test> {
    let (auditor, agent) = auditor(number);
    let payload = agent::post_payload(auditor, GATEWAY, EPOCH, &leaf);
    Call::post_leaf {
        auditor,
        gateway: GATEWAY,
        epoch: EPOCH,
        agent_signature: signed_by(&agent, &payload),
        leaf: leaf.into(),
    }
}

/// The leaf that a draw means, opened.
pub(super) fn opened(trees: &UsageTrees, draw: Draw) -> OpenedLeaf {
    let tree = draw.tree;
    let entries = trees.entries(tree).iter().map(|entry| &entry.sum);
    let (index, inside) = locate(entries, draw.at).unwrap();
    let leaves = trees.leaves_of(tree, index);
    let sums: Vec<_> = leaves.iter().map(Leaf::sum).collect();
    let (at, _) = locate(&sums, inside).unwrap();
    OpenedLeaf {
        entry: entry(trees, tree, index),
        leaf: leaves[at],
        proof: trees.prove_leaves::<HostKeccak>(tree, index, at as u32, 1),
    }
}

/// Why a pool refuses a call.
pub(super) fn refusal(call: &Call<Test>) -> Option<InvalidTransaction> {
    let outcome = call
        .authorize(TransactionSource::External)
        .expect("an agent may make it");
    match outcome {
        Ok(_) => None,
        Err(TransactionValidityError::Invalid(reason)) => Some(reason),
        Err(other) => panic!("{other:?}"),
    }
}

/// A block takes a call that was let in before.
pub(super) fn dispatch(call: Call<Test>) -> DispatchResult {
    let outcome = RuntimeCall::from(call).dispatch(RawOrigin::Authorized.into());
    outcome.map(drop).map_err(|refused| refused.error)
}

/// An agent's call as a node lets it in and a block takes it.
pub(super) fn send(call: Call<Test>) {
    assert_eq!(refusal(&call), None);
    assert_eq!(dispatch(call), Ok(()));
}

/// These auditors vote in the epoch, and reveal the same.
pub(super) fn cast(epoch: u64, round: u8, auditors: &[u8], verdicts: &[AuditVerdict]) {
    run_to(epoch, 1);
    auditors
        .iter()
        .for_each(|number| send(vote(*number, round, verdicts)));
    run_to(epoch, 5);
    auditors
        .iter()
        .for_each(|number| send(reveal(*number, round, verdicts.to_vec())));
}

/// Events of the pallet since the last call.
pub(super) fn events() -> Vec<Event<Test>> {
    let events = System::read_events_for_pallet();
    System::reset_events();
    events
}

pub(super) fn acceptance() -> pallet_edge_traits::Acceptance {
    Audits::acceptance(&GATEWAY, EPOCH, Epoch(WINDOW))
}

pub(super) fn payees() -> Vec<sp_runtime::AccountId32> {
    Audits::payees(&GATEWAY, EPOCH)
}

pub(super) fn now() -> Epoch {
    pallet_edge_mocks::Network::current()
}
