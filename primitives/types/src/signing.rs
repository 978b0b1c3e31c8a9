//! The bytes that are signed.
//!
//! Every payload is `"selvedge/" ‖ domain ‖ "/v1" ‖ genesis hash ‖ SCALE(payload)`: a signature for one purpose or one
//! network is never one for another. The payloads bind epoch and channel themselves.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::GenesisHash;

/// A 64-byte signature: ed25519 by a device key, sr25519 by an agent key.
#[derive(
    Clone, Copy, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Signature64(pub [u8; 64]);

impl core::fmt::Debug for Signature64 {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Signature64(0x")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

impl Default for Signature64 {
    fn default() -> Self {
        Self([0; 64])
    }
}

/// What a signature is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// A device agrees to be registered by an operator (ed25519, device).
    RegisterDevice,
    /// A device agrees to carry a stake (ed25519, device).
    AssignStake,
    /// A cache agrees to a leaf (ed25519, device).
    Leaf,
    /// A gateway owes a cache (ed25519, device).
    Voucher,
    /// A gateway vouches for a stored response (ed25519, device).
    Record,
    /// A gateway vouches for a frame of a body under way (ed25519, device).
    Frame,
    /// An agent's transaction: usage commitment, settlement, credit, refund (sr25519, agent key).
    Agent,
    /// A gateway answers whether a host name's ownership record is there (ed25519, device).
    HostCheck,
    /// A customer lets somebody read about a service (the account's key).
    ReadToken,
    /// A customer asks for a purge (the account's key).
    PurgeRequest,
    /// A gateway asks for a purge of what unsafe requests made invalid (ed25519, device).
    Invalidation,
    /// A cache gives a purge its place in the order of its service (ed25519, device).
    PurgeOrder,
    /// A gateway or cache keeps a purge and obeys it (ed25519, device).
    PurgeAck,
    /// A node answers the nonce of a probe (ed25519, device).
    ProbeAnswer,
    /// What a prober saw of the nodes it was drawn for (sr25519, agent key).
    ProbeReport,
    /// A customer puts content into the network for a service (the account's key).
    PublishToken,
}

impl Domain {
    fn name(self) -> &'static [u8] {
        match self {
            Self::RegisterDevice => b"register-device",
            Self::AssignStake => b"assign-stake",
            Self::Leaf => b"leaf",
            Self::Voucher => b"voucher",
            Self::Record => b"record",
            Self::Frame => b"frame",
            Self::Agent => b"agent",
            Self::HostCheck => b"host-check",
            Self::ReadToken => b"read-token",
            Self::PurgeRequest => b"purge-request",
            Self::Invalidation => b"invalidation",
            Self::PurgeOrder => b"purge-order",
            Self::PurgeAck => b"purge-ack",
            Self::ProbeAnswer => b"probe-answer",
            Self::ProbeReport => b"probe-report",
            Self::PublishToken => b"publish-token",
        }
    }

    /// The bytes to sign for `payload` on the network with this genesis hash.
    pub fn message(self, genesis: &GenesisHash, payload: &impl Encode) -> Vec<u8> {
        let mut message = Vec::with_capacity(64 + payload.size_hint());
        message.extend_from_slice(b"selvedge/");
        message.extend_from_slice(self.name());
        message.extend_from_slice(b"/v1");
        message.extend_from_slice(genesis);
        payload.encode_to(&mut message);
        message
    }
}

/// What a device signs to be registered: [`Domain::RegisterDevice`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct RegisterDevicePayload {
    /// The operator who may manage the device.
    pub operator: crate::Account,
    /// The device itself.
    pub device: crate::DeviceId,
    /// The sr25519 key of the chain node that drives the device's daemon.
    pub agent_key: [u8; 32],
    /// The last epoch in which the device can be registered by this, at most an era ahead: an old signature cannot be
    /// used again.
    pub until: crate::Epoch,
}

/// What a device signs to carry a stake: [`Domain::AssignStake`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct AssignStakePayload {
    /// The stake.
    pub stake: crate::StakeId,
    /// Its owner.
    pub owner: crate::Account,
    /// The device.
    pub device: crate::DeviceId,
    /// How often the stake was assigned before: an old signature cannot be used again.
    pub nonce: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_domain_is_a_prefix_of_another() {
        let all = [
            Domain::RegisterDevice,
            Domain::AssignStake,
            Domain::Leaf,
            Domain::Voucher,
            Domain::Record,
            Domain::Frame,
            Domain::Agent,
            Domain::HostCheck,
            Domain::ReadToken,
            Domain::PurgeRequest,
            Domain::Invalidation,
            Domain::PurgeOrder,
            Domain::PurgeAck,
            Domain::ProbeAnswer,
            Domain::ProbeReport,
            Domain::PublishToken,
        ];
        let messages: Vec<_> = all
            .iter()
            .map(|domain| domain.message(&[1; 32], &0u8))
            .collect();
        for (i, one) in messages.iter().enumerate() {
            for (j, other) in messages.iter().enumerate() {
                assert!(i == j || !other.starts_with(one));
            }
        }
    }
}
