//! What the pallet stores. Nothing here knows of `Config`.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{pallet_prelude::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use selvedge_primitives_types::{DeviceId, Epoch, Millis, Planck, Role, StakeId};
use serde::{Deserialize, Serialize};
use sp_core::crypto::AccountId32;

/// Most unlock chunks of a stake at a time.
pub const MAX_CHUNKS: u32 = 16;
/// Most assignments of a device that are remembered at a time.
pub const MAX_SPANS: u32 = 16;
/// Most changes of a role's active count that are remembered: at most one per epoch of history.
pub const MAX_COUNTS: u32 = 1_024;
/// Most validators of a session, whatever the parameter says.
pub const MAX_ELECTED: u32 = 256;
/// Most devices whose last epoch ends at the same time by their owners' wish.
pub const MAX_LEAVING: u32 = 512;
/// Longest commitment: four years of 365 days.
pub const MAX_LOCK: Millis = Millis(1_460 * DAY.0);
/// A day.
pub const DAY: Millis = Millis(24 * 60 * 60 * 1_000);

/// A part of a stake on its way out.
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
pub struct Chunk {
    /// Number of the chunk within its stake.
    pub id: u32,
    /// How much, in planck.
    pub amount: Planck,
    /// From when it can be withdrawn.
    pub due: Millis,
}

/// A stake.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Stake {
    /// Whose tokens are on hold.
    pub owner: AccountId32,
    /// What it is staked for.
    pub role: Role,
    /// How much stands behind its device, in planck; without the chunks.
    pub amount: Planck,
    /// What is being unlocked, oldest first.
    pub chunks: BoundedVec<Chunk, ConstU32<MAX_CHUNKS>>,
    /// Number of the next chunk.
    pub next_chunk: u32,
    /// The device it is assigned to. A stake that was unassigned stays active until its epoch ends.
    pub device: Option<DeviceId>,
    /// How often it was assigned: the nonce that a device signs.
    pub assignments: u32,
    /// First epoch after its last active one, if it was ever active and unassigned.
    pub inactive_from: Option<Epoch>,
    /// End of the commitment lock; zero without one.
    pub locked_until: Millis,
}

impl Stake {
    /// All that is on hold for it: the stake and its chunks.
    pub fn held(&self) -> Planck {
        self.chunks
            .iter()
            .fold(self.amount, |sum, chunk| sum.saturating_add(chunk.amount))
    }
}

/// Epochs in which a device carried a stake: `from..until`.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Span {
    /// The stake.
    pub stake: StakeId,
    /// Its owner.
    pub owner: AccountId32,
    /// Its role.
    pub role: Role,
    /// First active epoch.
    pub from: Epoch,
    /// First epoch in which it is active no longer; `None` while it is assigned.
    pub until: Option<Epoch>,
    /// When it was assigned.
    pub since: Millis,
}

impl Span {
    /// Whether the stake was active in the epoch.
    pub fn covers(&self, epoch: Epoch) -> bool {
        self.from <= epoch && self.until.is_none_or(|until| epoch < until)
    }
}

/// The epochs a device is listed as active in: `from..until`.
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
pub struct Listed {
    /// The stake it carries.
    pub stake: StakeId,
    /// First active epoch.
    pub from: Epoch,
    /// First epoch in which it is active no longer.
    pub until: Option<Epoch>,
}

impl Listed {
    /// Whether the device is active in the epoch.
    pub fn covers(&self, epoch: Epoch) -> bool {
        self.from <= epoch && self.until.is_none_or(|until| epoch < until)
    }
}

/// Active devices of a role from an epoch on.
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
pub struct Count {
    /// The epoch in which the count began to hold.
    pub from: Epoch,
    /// The count.
    pub nodes: u32,
}

/// What stands behind a validator in a session: the full identification of historical sessions.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Exposure {
    /// The stake.
    pub stake: StakeId,
    /// Its amount when the session was planned, in planck.
    pub amount: Planck,
}

/// Validators with what stands behind them.
pub type ValidatorSet = BoundedVec<(AccountId32, Exposure), ConstU32<MAX_ELECTED>>;

/// A stake of a preset, assigned and active from epoch 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GenesisStake {
    /// Whose tokens are on hold: the device's operator.
    pub owner: AccountId32,
    /// The device; it must be registered at genesis.
    pub device: DeviceId,
    /// The device's role.
    pub role: Role,
    /// How much, in planck; the role's amount if absent.
    #[serde(default)]
    pub amount: Option<Planck>,
}
