//! What claims against commitments ask of billing, staking and audits, and what billing asks of them.

use crate::StakeRetire;
use selvedge_primitives_types::{DeviceId, Epoch, Planck, ServiceId, UsageCommitment};
use sp_runtime::{DispatchError, DispatchResult};

/// What became of a gateway's use of an epoch.
#[allow(
    clippy::large_enum_variant,
    reason = "one lives at a time, for the length of a call"
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "it is looked at once and kept nowhere"
)]
pub enum Fate {
    /// It may still be committed, or its commitment is neither paid in full nor void.
    Open,
    /// Its commitment is paid in full.
    Paid {
        /// What was committed.
        commitment: UsageCommitment,
        /// What of it the gateway earned, in planck.
        gateway_share: Planck,
    },
    /// Its commitment is void.
    Void,
    /// It was never committed and cannot be any more.
    Missing,
}

/// A customer's line of a commitment that is charged in full and waits for the hold-back to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldLine {
    /// The charge, in planck.
    pub amount: Planck,
    /// Index of its entry in the tree by customer.
    pub entry: u32,
    /// The first epoch the commitment may be paid in.
    pub matures: Epoch,
}

/// Looks up what commitments came to, and takes of what gateways earned (answered by billing).
pub trait CommitmentFate<AccountId> {
    /// What became of the gateway's use of the epoch. `Paid`, `Void` and `Missing` stay what they are.
    fn fate(gateway: &DeviceId, epoch: Epoch) -> Fate;
    /// The customer's line, while its commitment is in hold-back.
    fn held_line(
        customer: &AccountId,
        service: ServiceId,
        gateway: &DeviceId,
        epoch: Epoch,
    ) -> Option<HeldLine>;
    /// A cache's part of a charge, by the shares in force. Fails when they sum to more than one.
    fn cache_part(amount: Planck) -> Result<Planck, DispatchError>;
    /// Pays `to` out of what `from` earned and has not claimed, at most `amount`; returns how much.
    fn garnish(from: &AccountId, to: &AccountId, amount: Planck) -> Result<Planck, DispatchError>;
}

/// What was taken of a stake for those it answers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Redeemed {
    /// Paid out of it, in planck.
    pub paid: Planck,
    /// Burnt of it, in planck.
    pub burnt: Planck,
}

/// Makes stakes answer for debts (answered by staking).
pub trait StakeRedeem<AccountId>: StakeRetire {
    /// Pays `pay` and burns `burn` out of the stake that the device carried in the epoch, and out of what of it is being
    /// unlocked. When less is left, both are cut in proportion.
    fn redeem(
        device: &DeviceId,
        epoch: Epoch,
        to: &AccountId,
        pay: Planck,
        burn: Planck,
    ) -> Result<Redeemed, DispatchError>;
}

/// Knows what of a commitment's money its customers want burnt (answered by claims).
pub trait Disputed {
    /// How much of what the commitment charged is burnt before it is divided, in planck; fixed when its hold-back ends.
    fn to_burn(gateway: &DeviceId, epoch: Epoch) -> Planck;
}

impl Disputed for () {
    fn to_burn(_: &DeviceId, _: Epoch) -> Planck {
        0
    }
}

/// Draws more leaves of an entry (answered by audits).
pub trait SampleMore {
    /// Has `times` as many leaves of a customer entry looked at as an audit draws.
    fn sample_more(gateway: &DeviceId, epoch: Epoch, entry: u32, times: u32) -> DispatchResult;
}
