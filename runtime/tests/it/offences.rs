//! A validator that seals two blocks in one slot loses stake and seat.

use crate::chain::run;
use codec::Encode;
use frame_support::{assert_ok, traits::KeyOwnerProofSystem};
use pallet_edge_traits::StakeInspect;
use selvedge_primitives_types::DeviceId;
use selvedge_runtime::{
    AccountId, Babe, Executive, Header, Historical, NodeStaking, RuntimeCall, Session, System,
    UncheckedExtrinsic,
};
use sp_consensus_babe::{
    digests::{CompatibleDigestItem, PreDigest, SecondaryPlainPreDigest},
    AuthorityId, AuthoritySignature, EquivocationProof, Slot, BABE_ENGINE_ID,
};
use sp_core::H256;
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};
use sp_runtime::{
    traits::Header as _,
    transaction_validity::{InvalidTransaction, TransactionSource},
    Digest, DigestItem,
};

/// Its owner and its device.
pub const OFFENDER: (Sr25519Keyring, Ed25519Keyring) = (Sr25519Keyring::Bob, Ed25519Keyring::Bob);

/// Position of the offender among the authorities.
pub fn index_of_offender() -> u32 {
    position().expect("it authors")
}

/// Whether the authority with this index is the offender.
pub fn is_offender(index: u32) -> bool {
    position() == Some(index)
}

fn position() -> Option<u32> {
    let key = AuthorityId::from(OFFENDER.0.public());
    let index = Babe::authorities().iter().position(|(id, _)| *id == key);
    index.map(|index| index as u32)
}

/// A block of the offender in `slot`, told apart by its state root.
fn sealed(authority_index: u32, slot: Slot, state: u8) -> Header {
    let digest = PreDigest::SecondaryPlain(SecondaryPlainPreDigest {
        authority_index,
        slot,
    });
    let mut header = Header::new(
        1,
        H256::zero(),
        H256::repeat_byte(state),
        H256::zero(),
        Digest {
            logs: vec![DigestItem::PreRuntime(BABE_ENGINE_ID, digest.encode())],
        },
    );
    let signature = AuthoritySignature::from(OFFENDER.0.sign(header.hash().as_ref()));
    header.digest_mut().push(DigestItem::babe_seal(signature));
    header
}

/// The report that it authored two blocks in `slot`.
pub fn report(slot: Slot) -> UncheckedExtrinsic {
    try_report(slot).expect("it is in the set")
}

/// The report that it authored two blocks in `slot`, while it is an authority.
pub fn try_report(slot: Slot) -> Option<UncheckedExtrinsic> {
    let index = position()?;
    let offender = AuthorityId::from(OFFENDER.0.public());
    let key_owner_proof = Historical::prove((sp_consensus_babe::KEY_TYPE, offender.clone()))?;
    let equivocation_proof = Box::new(EquivocationProof {
        offender,
        slot,
        first_header: sealed(index, slot, 1),
        second_header: sealed(index, slot, 2),
    });
    Some(UncheckedExtrinsic::new_bare(RuntimeCall::Babe(
        pallet_babe::Call::report_equivocation_unsigned {
            equivocation_proof,
            key_owner_proof,
        },
    )))
}

#[test]
fn an_equivocation_costs_stake_and_seat() {
    run("local_testnet", |chain| {
        let validator: AccountId = OFFENDER.1.to_account_id();
        let device = DeviceId(OFFENDER.1.to_raw_public());
        let (_, before) = NodeStaking::stake_of(&device).expect("it is staked");
        chain.blocks(3);
        // The block with the report is not the offender's own: it could not be finalised.
        if chain.next_author() == index_of_offender() {
            chain.block([]);
        }
        let transaction = report(chain.slot());
        assert_ok!(chain
            .block([transaction.clone()])
            .remove(0)
            .expect("it is valid"));
        let after = NodeStaking::stake_of(&device).map_or(0, |(_, amount)| amount);
        assert!(after < before, "{after} of {before}");

        // The same report again is nothing new.
        let again = Executive::validate_transaction(
            TransactionSource::Local,
            transaction,
            System::parent_hash(),
        );
        assert_eq!(again, Err(InvalidTransaction::Stale.into()));

        // It is not elected again: planned in the next session, gone in the one after.
        chain.blocks(60);
        assert!(!Session::validators().contains(&validator));
        assert_eq!(Session::validators().len(), 3);
    });
}
