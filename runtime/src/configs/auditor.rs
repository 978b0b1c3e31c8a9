//! How the transactions of audits are made.

use alloc::boxed::Box;
use pallet_edge_audits::{
    agent::{answer_payload, post_payload, prove_payload, reveal_payload, seal, vote_payload},
    types::Verdicts,
    Call as AuditsCall,
};
use pallet_edge_driver::{Ballot, SubmitAudits, SubmitError};
use selvedge_primitives_math::{
    duty::LeafDuty,
    fraud::{FraudProof, OpenedLeaf},
};
use selvedge_primitives_types::{DeviceId, Epoch};

use super::driver::Submitter;

impl SubmitAudits for Submitter {
    fn vote(agent_key: &[u8; 32], ballot: Ballot) -> Result<(), SubmitError> {
        let Ballot {
            auditor,
            window,
            round,
            verdicts,
            salt,
        } = ballot;
        let seal = seal(&verdicts, &salt);
        let payload = vote_payload(auditor, window, round, seal);
        let agent_signature = Self::sign(agent_key, &payload)?;
        Self::send(AuditsCall::vote {
            auditor,
            window,
            round,
            seal,
            agent_signature,
        })
    }

    fn reveal(agent_key: &[u8; 32], ballot: Ballot) -> Result<(), SubmitError> {
        let Ballot {
            auditor,
            window,
            round,
            verdicts,
            salt,
        } = ballot;
        let payload = reveal_payload(auditor, window, round, seal(&verdicts, &salt));
        let agent_signature = Self::sign(agent_key, &payload)?;
        let verdicts = Verdicts::try_from(verdicts).map_err(|_| SubmitError::Refused)?;
        Self::send(AuditsCall::reveal {
            auditor,
            window,
            round,
            verdicts,
            salt,
            agent_signature,
        })
    }

    fn prove(
        agent_key: &[u8; 32],
        auditor: DeviceId,
        gateway: DeviceId,
        epoch: Epoch,
        proof: Box<FraudProof>,
    ) -> Result<(), SubmitError> {
        let payload = prove_payload(auditor, gateway, epoch, &proof);
        let agent_signature = Self::sign(agent_key, &payload)?;
        Self::send(AuditsCall::prove {
            auditor,
            gateway,
            epoch,
            proof,
            agent_signature,
        })
    }

    fn post_leaf(
        agent_key: &[u8; 32],
        auditor: DeviceId,
        gateway: DeviceId,
        epoch: Epoch,
        leaf: Box<OpenedLeaf>,
    ) -> Result<(), SubmitError> {
        let payload = post_payload(auditor, gateway, epoch, &leaf);
        let agent_signature = Self::sign(agent_key, &payload)?;
        Self::send(AuditsCall::post_leaf {
            auditor,
            gateway,
            epoch,
            leaf,
            agent_signature,
        })
    }

    fn answer(
        agent_key: &[u8; 32],
        duty: LeafDuty,
        leaf: Box<OpenedLeaf>,
    ) -> Result<(), SubmitError> {
        let LeafDuty {
            gateway,
            epoch,
            draw,
            ..
        } = duty;
        let payload = answer_payload(gateway, epoch, draw, &leaf);
        let agent_signature = Self::sign(agent_key, &payload)?;
        Self::send(AuditsCall::answer {
            gateway,
            epoch,
            draw,
            leaf,
            agent_signature,
        })
    }
}
