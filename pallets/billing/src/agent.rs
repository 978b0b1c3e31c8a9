//! The calls that a gateway's agent makes without an account: what its key signs, and what is
//! checked before such a free transaction is let in.
//!
//! State is looked at first and the signature last. The signed bytes are
//! [`Domain::Agent`]`.message(genesis hash, payload)`, under sr25519 with the agent key that the
//! device is registered with. A page's payload binds the page itself, so that nobody can put other
//! entries under the same signature, and the page's proof is checked before the transaction is let
//! in, so that a free transaction is one that will do its work.

use crate::{payout::page_amount, types::*, Config, Error, Pallet};
use codec::Encode;
use frame_support::{
    pallet_prelude::{
        InvalidTransaction, TransactionSource, TransactionValidityError,
        TransactionValidityWithRefund, ValidTransaction,
    },
    weights::Weight,
};
use frame_system::{ensure_authorized, ensure_signed, pallet_prelude::OriginFor};
use pallet_edge_traits::is_signed_for_device;
use selvedge_primitives_math::{RangeProof, TreeKind};
use selvedge_primitives_types::{
    DeviceId, Entry, EntryKey, Epoch, Hash, Signature64, UsageCommitment,
};
use sp_io::hashing::blake2_256;
use sp_runtime::{
    traits::BadOrigin, transaction_validity::TransactionPriority, DispatchError, DispatchResult,
};

/// Blocks for which such a transaction may wait in a pool.
const LONGEVITY: u64 = 64;

/// Below the consensus reports, which use the maximum; a commitment has a deadline that costs its
/// gateway money.
const COMMIT_PRIORITY: TransactionPriority = TransactionPriority::MAX / 2;
const PAGE_PRIORITY: TransactionPriority = TransactionPriority::MAX / 4;

/// A step that walks a usage tree page by page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walk {
    /// [`settle`](crate::Pallet::settle).
    Settle,
    /// [`credit`](crate::Pallet::credit).
    Credit,
    /// [`refund`](crate::Pallet::refund).
    Refund,
}

impl Walk {
    fn tag(self) -> [u8; 6] {
        match self {
            Self::Settle => *b"settle",
            Self::Credit => *b"credit",
            Self::Refund => *b"refund",
        }
    }
}

/// What an agent signs for [`commit_usage`](crate::Pallet::commit_usage): `"commit" ‖ commitment`.
pub fn commit_payload(commitment: &UsageCommitment) -> impl Encode {
    (*b"commit", *commitment)
}

/// What an agent signs for a page: `tag ‖ gateway ‖ epoch ‖ cursor ‖ blake2_256(entries ‖ proof)`,
/// where the cursor is `proof.start`.
pub fn page_payload(
    walk: Walk,
    gateway: DeviceId,
    epoch: Epoch,
    entries: &[Entry],
    proof: &RangeProof<EntryKey>,
) -> impl Encode {
    let digest: Hash = blake2_256(&(entries, proof).encode());
    (walk.tag(), gateway, epoch, proof.start, digest)
}

impl<T: Config> Pallet<T> {
    /// Lets an account or an agent through; what an agent brings was checked when it was
    /// authorized.
    pub(crate) fn ensure_signed_or_authorized(origin: OriginFor<T>) -> Result<(), BadOrigin> {
        ensure_signed(origin.clone())
            .map(drop)
            .or_else(|_| ensure_authorized(origin))
    }

    pub(crate) fn authorize_commit_usage(
        _source: TransactionSource,
        commitment: &UsageCommitment,
        signature: &Signature64,
    ) -> TransactionValidityWithRefund {
        Self::ensure_committable(commitment).map_err(invalid::<T>)?;
        let payload = commit_payload(commitment);
        if !is_signed_for_device::<T, T::Devices>(&commitment.gateway, &payload, signature) {
            return Err(InvalidTransaction::BadProof.into());
        }
        Ok(valid(
            (*b"commit", commitment.gateway, commitment.epoch),
            COMMIT_PRIORITY,
        ))
    }

    pub(crate) fn authorize_settle(
        _source: TransactionSource,
        gateway: &DeviceId,
        epoch: &Epoch,
        entries: &Page,
        proof: &RangeProof<EntryKey>,
        signature: &Option<Signature64>,
    ) -> TransactionValidityWithRefund {
        Self::authorize_page(Walk::Settle, gateway, *epoch, entries, proof, signature)
    }

    pub(crate) fn authorize_credit(
        _source: TransactionSource,
        gateway: &DeviceId,
        epoch: &Epoch,
        entries: &Page,
        proof: &RangeProof<EntryKey>,
        signature: &Option<Signature64>,
    ) -> TransactionValidityWithRefund {
        Self::authorize_page(Walk::Credit, gateway, *epoch, entries, proof, signature)
    }

    pub(crate) fn authorize_refund(
        _source: TransactionSource,
        gateway: &DeviceId,
        epoch: &Epoch,
        entries: &Page,
        proof: &RangeProof<EntryKey>,
        signature: &Option<Signature64>,
    ) -> TransactionValidityWithRefund {
        Self::authorize_page(Walk::Refund, gateway, *epoch, entries, proof, signature)
    }

    fn authorize_page(
        walk: Walk,
        gateway: &DeviceId,
        epoch: Epoch,
        entries: &[Entry],
        proof: &RangeProof<EntryKey>,
        signature: &Option<Signature64>,
    ) -> TransactionValidityWithRefund {
        let record = Self::known_commitment(gateway, epoch).map_err(invalid::<T>)?;
        Self::ensure_turn(walk, &record, proof).map_err(invalid::<T>)?;
        let signature = signature.as_ref().ok_or(InvalidTransaction::BadProof)?;
        let payload = page_payload(walk, *gateway, epoch, entries, proof);
        if !is_signed_for_device::<T, T::Devices>(gateway, &payload, signature) {
            return Err(InvalidTransaction::BadProof.into());
        }
        if !Self::has_lapsed(&record) {
            let (kind, tree) = match walk {
                Walk::Settle | Walk::Refund => (TreeKind::Customers, &record.commitment.customers),
                Walk::Credit => (TreeKind::Caches, &record.commitment.caches),
            };
            Self::ensure_page(kind, tree, proof.start, entries, proof).map_err(invalid::<T>)?;
            if walk == Walk::Credit && Self::is_paying(&record) {
                Self::paced(&record, page_amount(entries))
                    .map_err(|error| invalid::<T>(error.into()))?;
            }
        }
        Ok(valid(
            (walk.tag(), *gateway, epoch, proof.start),
            PAGE_PRIORITY,
        ))
    }

    /// Checks that it is this step's turn, at this cursor.
    fn ensure_turn(
        walk: Walk,
        record: &CommitmentRecord,
        proof: &RangeProof<EntryKey>,
    ) -> DispatchResult {
        let cursor = match walk {
            Walk::Settle => Self::settle_cursor(record)?,
            Walk::Credit => Self::credit_cursor(record)?,
            Walk::Refund => Self::refund_cursor(record)?,
        };
        if Self::has_lapsed(record) {
            return Ok(());
        }
        if walk == Walk::Settle && Self::accepted(record).is_none() {
            return Err(Error::<T>::NotAccepted.into());
        }
        if proof.start != cursor {
            return Err(Error::<T>::PageOutOfOrder.into());
        }
        Ok(())
    }
}

fn valid(tag: impl Encode, priority: TransactionPriority) -> (ValidTransaction, Weight) {
    let valid = ValidTransaction::with_tag_prefix("EdgeBilling")
        .priority(priority)
        .longevity(LONGEVITY)
        .and_provides(tag)
        .propagate(true);
    (valid.into(), Weight::zero())
}

/// How a pool should read a refusal: whether the transaction may become valid, was valid once, or
/// never will be.
fn invalid<T: Config>(error: DispatchError) -> TransactionValidityError {
    let is = |known: Error<T>| DispatchError::from(known) == error;
    let reason = if is(Error::EpochNotEnded)
        || is(Error::NotAccepted)
        || is(Error::StillHeldBack)
        || is(Error::AboveStakePace)
    {
        InvalidTransaction::Future
    } else if is(Error::AlreadyCommitted)
        || is(Error::CommitmentTooLate)
        || is(Error::NotSettling)
        || is(Error::NotCreditable)
        || is(Error::NotRefunding)
        || is(Error::PageOutOfOrder)
    {
        InvalidTransaction::Stale
    } else if is(Error::GatewayNotActive) || is(Error::NothingAtStake) || is(Error::TooManyOpen) {
        InvalidTransaction::BadSigner
    } else {
        InvalidTransaction::Call
    };
    reason.into()
}
