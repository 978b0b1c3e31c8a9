//! Checks what devices and their agents sign for this chain.

use codec::Encode;
use frame_system::pallet_prelude::BlockNumberFor;
use selvedge_primitives_types::{DeviceId, Domain, GenesisHash, Signature64};
use sp_core::{ed25519, sr25519};
use sp_runtime::traits::Zero;

use crate::DeviceInspect;

/// Hash of the first block, which every signature binds.
pub fn genesis_hash<T: frame_system::Config>() -> GenesisHash {
    let hash = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero());
    let mut bytes = GenesisHash::default();
    let length = hash.as_ref().len().min(bytes.len());
    bytes[..length].copy_from_slice(&hash.as_ref()[..length]);
    bytes
}

/// Whether a device signed the payload for this purpose on the chain with this first block, by ed25519.
pub fn is_signed_by_device(
    genesis: &GenesisHash,
    device: &DeviceId,
    domain: Domain,
    payload: &impl Encode,
    signature: &Signature64,
) -> bool {
    sp_io::crypto::ed25519_verify(
        &ed25519::Signature::from_raw(signature.0),
        &domain.message(genesis, payload),
        &ed25519::Public::from_raw(device.0),
    )
}

/// Whether the agent of a registered device signed the payload of one of its transactions on this chain.
pub fn is_signed_for_device<T: frame_system::Config, D: DeviceInspect<T::AccountId>>(
    device: &DeviceId,
    payload: &impl Encode,
    signature: &Signature64,
) -> bool {
    D::device(device).is_some_and(|device| {
        let genesis = genesis_hash::<T>();
        is_signed_by_agent(
            &genesis,
            &device.agent_key,
            Domain::Agent,
            payload,
            signature,
        )
    })
}

/// Whether the agent with this key signed the payload for this purpose on the chain with this first block, by sr25519.
pub fn is_signed_by_agent(
    genesis: &GenesisHash,
    agent_key: &[u8; 32],
    domain: Domain,
    payload: &impl Encode,
    signature: &Signature64,
) -> bool {
    sp_io::crypto::sr25519_verify(
        &sr25519::Signature::from_raw(signature.0),
        &domain.message(genesis, payload),
        &sr25519::Public::from_raw(*agent_key),
    )
}
