//! What an entry of the register holds.

use alloc::string::String;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{pallet_prelude::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use selvedge_primitives_types::{DeviceId, Epoch, Planck, Region, Role};
use serde::{Deserialize, Serialize};

/// Longest endpoint or URL: a DNS name has at most 253 characters.
pub const MAX_ADDRESS: u32 = 256;

/// An endpoint or a URL in ASCII.
pub type Address = BoundedVec<u8, ConstU32<MAX_ADDRESS>>;

/// A drain that was granted to a device.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Drain {
    /// The epoch in which it began.
    pub from: Epoch,
    /// The first epoch in which what is seen of the device counts again.
    pub until: Epoch,
    /// Whether the operator ended it, so that the device gets new work in the last of its epochs already.
    pub ended: bool,
}

impl Drain {
    /// Whether the device gets no new work in the epoch `now`.
    pub fn holds(&self, now: Epoch) -> bool {
        !self.ended && now < self.until
    }

    /// Whether it covers one of the epochs `from..=to`.
    pub fn covers(&self, from: Epoch, to: Epoch) -> bool {
        self.from <= to && from < self.until
    }
}

/// A registered device.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Device<AccountId> {
    /// Who may manage it.
    pub operator: AccountId,
    /// What it does; fixed for as long as it is registered.
    pub role: Role,
    /// Where it is; fixed for as long as it is registered.
    pub region: Region,
    /// `host:port` for other nodes.
    pub endpoint: Address,
    /// Base URL of its public audit endpoint.
    pub public_url: Address,
    /// Relative capacity, above zero.
    pub capacity: u32,
    /// The sr25519 key that signs its agent's transactions.
    pub agent_key: [u8; 32],
    /// The last drain that was granted.
    pub drain: Option<Drain>,
    /// What is on hold for it, in planck.
    pub deposit: Planck,
    /// The epoch from which it can be retired: whatever it signed before it was registered is over by then.
    pub free_from: Epoch,
}

/// A device of a preset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GenesisDevice<AccountId> {
    /// Who may manage it.
    pub operator: AccountId,
    /// Its ed25519 key.
    pub device: DeviceId,
    /// What it does.
    pub role: Role,
    /// Where it is.
    pub region: Region,
    /// `host:port` for other nodes.
    pub endpoint: String,
    /// Base URL of its public audit endpoint.
    pub public_url: String,
    /// Relative capacity, above zero.
    pub capacity: u32,
    /// The sr25519 key that signs its agent's transactions.
    pub agent_key: [u8; 32],
}
