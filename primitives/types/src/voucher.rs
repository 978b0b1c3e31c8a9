//! Vouchers: what a gateway owes a cache in an epoch, cumulative and monotone.

use crate::{DeviceId, Epoch, Planck, Signature64, Usage};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Everything a cache supplied to a gateway in an epoch up to now. Only the one with the highest `seq` matters.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Default,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Voucher {
    /// The epoch of the use.
    pub epoch: Epoch,
    /// Who owes.
    pub gateway: DeviceId,
    /// Who is owed.
    pub cache: DeviceId,
    /// Number of the voucher in its channel and epoch, from 1.
    pub seq: u64,
    /// Usage so far, paid and free together, in the units of the leaves.
    pub usage: Usage,
    /// Charge so far, in planck.
    pub amount: Planck,
}

impl Voucher {
    /// Whether this voucher may follow `earlier`: the same channel, a higher number, and nothing taken back.
    pub fn follows(&self, earlier: &Self) -> bool {
        (self.epoch, self.gateway, self.cache) == (earlier.epoch, earlier.gateway, earlier.cache)
            && self.seq > earlier.seq
            && earlier.usage.is_within(&self.usage)
            && earlier.amount <= self.amount
    }
}

/// A voucher with the gateway's ed25519 signature ([`crate::Domain::Voucher`]).
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Default,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct SignedVoucher {
    /// What is owed.
    pub voucher: Voucher,
    /// The gateway's signature.
    pub signature: Signature64,
}
