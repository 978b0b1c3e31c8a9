//! Devices as libp2p names them.
//!
//! A peer id of an ed25519 key is the key itself in an identity multihash (libp2p specs, peer-ids): `00 24 08 01 12 20 ‖ key`.

use ed25519_dalek::SigningKey;
use litep2p::crypto::ed25519::{Keypair, SecretKey};
use litep2p::PeerId;
use selvedge_primitives_types::DeviceId;

use crate::P2pError;

const PREFIX: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];

/// The key pair of a device.
pub fn keypair(key: &SigningKey) -> Result<Keypair, P2pError> {
    SecretKey::try_from_bytes(key.to_bytes())
        .map(Keypair::from)
        .map_err(|error| P2pError::Start(error.to_string()))
}

/// The device that a peer is.
///
/// Errors: [`P2pError::NotADevice`] where its key is of another kind.
pub fn device_of(peer: &PeerId) -> Result<DeviceId, P2pError> {
    let bytes = peer.to_bytes();
    bytes
        .strip_prefix(&PREFIX)
        .and_then(|key| key.try_into().ok())
        .map(DeviceId)
        .ok_or_else(|| P2pError::NotADevice(peer.to_base58()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_its_device() {
        let key = SigningKey::from_bytes(&[3; 32]);
        let device = DeviceId(key.verifying_key().to_bytes());
        let peer = keypair(&key).unwrap().public().to_peer_id();
        assert_eq!(device_of(&peer).unwrap(), device);
    }

    #[test]
    fn a_peer_with_a_hashed_key_is_no_device() {
        assert!(matches!(
            device_of(&PeerId::random()),
            Err(P2pError::NotADevice(_))
        ));
    }
}
