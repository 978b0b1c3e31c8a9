//! What the agents of auditors and gateways sign for the calls that they make without an account, and how such a call is
//! let in: state first, the signature after it, a proof last.
//!
//! The signed bytes are [`Domain::Agent`]`.message(genesis hash, payload)`, under sr25519 with the agent key that the device
//! is registered with.

use crate::{types::Verdicts, Config, Error, Pallet};
use codec::Encode;
use frame_support::{
    pallet_prelude::{
        InvalidTransaction, TransactionValidityError, TransactionValidityWithRefund,
        ValidTransaction,
    },
    weights::Weight,
};
use pallet_edge_traits::is_signed_for_device;
use selvedge_primitives_math::{
    draw::Draw,
    fraud::{FraudProof, OpenedLeaf},
};
use selvedge_primitives_types::{AuditVerdict, DeviceId, Epoch, Hash, Signature64};
use sp_io::hashing::blake2_256;
use sp_runtime::transaction_validity::TransactionPriority;

/// Blocks for which such a transaction may wait in a pool.
const LONGEVITY: u64 = 64;

/// What is due costs a stake when it is late.
const DUE_PRIORITY: TransactionPriority = TransactionPriority::MAX / 2;
const VOTE_PRIORITY: TransactionPriority = TransactionPriority::MAX / 4;

/// What a vote seals: `blake2_256(verdicts ‖ salt)`.
pub fn seal(verdicts: &[AuditVerdict], salt: &Hash) -> Hash {
    blake2_256(&(verdicts, salt).encode())
}

/// What an auditor's agent signs for [`vote`](crate::Pallet::vote): `"voting" ‖ auditor ‖ window ‖ round ‖ seal`.
pub fn vote_payload(auditor: DeviceId, window: Epoch, round: u8, seal: Hash) -> impl Encode {
    (*b"voting", auditor, window, round, seal)
}

/// What an auditor's agent signs for [`reveal`](crate::Pallet::reveal): `"reveal" ‖ auditor ‖ window ‖ round ‖ seal`, where
/// the seal binds verdicts and salt.
pub fn reveal_payload(auditor: DeviceId, window: Epoch, round: u8, seal: Hash) -> impl Encode {
    (*b"reveal", auditor, window, round, seal)
}

/// What an auditor's agent signs for [`prove`](crate::Pallet::prove): `"proves" ‖ auditor ‖ gateway ‖ epoch ‖
/// blake2_256(proof)`.
pub fn prove_payload(
    auditor: DeviceId,
    gateway: DeviceId,
    epoch: Epoch,
    proof: &FraudProof,
) -> impl Encode {
    let digest: Hash = proof.using_encoded(blake2_256);
    (*b"proves", auditor, gateway, epoch, digest)
}

/// What a gateway's agent signs for [`answer`](crate::Pallet::answer): `"answer" ‖ gateway ‖ epoch ‖ draw ‖
/// blake2_256(leaf)`.
pub fn answer_payload(
    gateway: DeviceId,
    epoch: Epoch,
    draw: Draw,
    leaf: &OpenedLeaf,
) -> impl Encode {
    let digest: Hash = leaf.using_encoded(blake2_256);
    (*b"answer", gateway, epoch, draw, digest)
}

/// What an auditor's agent signs for [`post_leaf`](crate::Pallet::post_leaf): `"posted" ‖ auditor ‖ gateway ‖ epoch ‖
/// blake2_256(leaf)`.
pub fn post_payload(
    auditor: DeviceId,
    gateway: DeviceId,
    epoch: Epoch,
    leaf: &OpenedLeaf,
) -> impl Encode {
    let digest: Hash = leaf.using_encoded(blake2_256);
    (*b"posted", auditor, gateway, epoch, digest)
}

impl<T: Config> Pallet<T> {
    /// Refuses unless the device's agent signed the payload for this chain.
    fn ensure_signed_by_agent(
        device: &DeviceId,
        payload: &impl Encode,
        signature: &Signature64,
    ) -> Result<(), TransactionValidityError> {
        let is_signed = is_signed_for_device::<T, T::Devices>(device, payload, signature);
        is_signed
            .then_some(())
            .ok_or(InvalidTransaction::BadProof.into())
    }

    pub(crate) fn authorize_vote(
        auditor: &DeviceId,
        window: Epoch,
        round: u8,
        seal: &Hash,
        signature: &Signature64,
    ) -> TransactionValidityWithRefund {
        Self::ensure_may_vote(auditor, window, round).map_err(invalid)?;
        let payload = vote_payload(*auditor, window, round, *seal);
        Self::ensure_signed_by_agent(auditor, &payload, signature)?;
        Ok(valid((b"voting", auditor, window, round), VOTE_PRIORITY))
    }

    pub(crate) fn authorize_reveal(
        auditor: &DeviceId,
        window: Epoch,
        round: u8,
        verdicts: &Verdicts,
        salt: &Hash,
        signature: &Signature64,
    ) -> TransactionValidityWithRefund {
        Self::ensure_may_reveal(auditor, window, round, verdicts, salt).map_err(invalid)?;
        let payload = reveal_payload(*auditor, window, round, seal(verdicts, salt));
        Self::ensure_signed_by_agent(auditor, &payload, signature)?;
        Ok(valid((b"reveal", auditor, window, round), VOTE_PRIORITY))
    }

    pub(crate) fn authorize_prove(
        auditor: &DeviceId,
        gateway: &DeviceId,
        epoch: Epoch,
        proof: &FraudProof,
        signature: &Signature64,
    ) -> TransactionValidityWithRefund {
        Self::drawn_auditor(auditor, gateway, epoch).map_err(invalid)?;
        Self::ensure_votes_are_sealed(gateway, epoch).map_err(invalid)?;
        let case = Self::open_case(gateway, epoch).map_err(invalid)?;
        let payload = prove_payload(*auditor, *gateway, epoch, proof);
        Self::ensure_signed_by_agent(auditor, &payload, signature)?;
        Self::judge(&case, proof).map_err(invalid)?;
        Ok(valid((b"proves", gateway, epoch), DUE_PRIORITY))
    }

    pub(crate) fn authorize_answer(
        gateway: &DeviceId,
        epoch: Epoch,
        draw: &Draw,
        leaf: &OpenedLeaf,
        signature: &Signature64,
    ) -> TransactionValidityWithRefund {
        Self::ensure_owes(gateway, epoch, draw).map_err(invalid)?;
        let payload = answer_payload(*gateway, epoch, *draw, leaf);
        Self::ensure_signed_by_agent(gateway, &payload, signature)?;
        Self::look_at(gateway, epoch, draw, leaf).map_err(invalid)?;
        Ok(valid((b"answer", gateway, epoch, draw), DUE_PRIORITY))
    }

    pub(crate) fn authorize_post(
        auditor: &DeviceId,
        gateway: &DeviceId,
        epoch: Epoch,
        leaf: &OpenedLeaf,
        signature: &Signature64,
    ) -> TransactionValidityWithRefund {
        let draw = Self::owed_post(auditor, gateway, epoch).map_err(invalid)?;
        let payload = post_payload(*auditor, *gateway, epoch, leaf);
        Self::ensure_signed_by_agent(auditor, &payload, signature)?;
        Self::look_at(gateway, epoch, &draw, leaf).map_err(invalid)?;
        Ok(valid((b"posted", auditor, gateway, epoch), DUE_PRIORITY))
    }
}

fn valid(tag: impl Encode, priority: TransactionPriority) -> (ValidTransaction, Weight) {
    let valid = ValidTransaction::with_tag_prefix("EdgeAudits")
        .priority(priority)
        .longevity(LONGEVITY)
        .and_provides(tag)
        .propagate(true);
    (valid.into(), Weight::zero())
}

/// How a pool should read a refusal: whether the transaction may become valid, was valid once, or never will be.
fn invalid<T>(error: Error<T>) -> TransactionValidityError {
    let reason = match error {
        Error::TooEarly => InvalidTransaction::Future,
        Error::TooLate
        | Error::TooOld
        | Error::AlreadyVoted
        | Error::AlreadyReported
        | Error::NotVoted
        | Error::NotUnderAudit
        | Error::LeafPledged
        | Error::NotDue => InvalidTransaction::Stale,
        Error::NotDrawn => InvalidTransaction::BadSigner,
        _ => InvalidTransaction::Call,
    };
    reason.into()
}
