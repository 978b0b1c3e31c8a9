//! What the pallet stores, without knowing what a pallet is.

mod content;

pub use content::*;

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use selvedge_primitives_types::{DeviceId, Epoch, Hash, Planck, Prices, ServiceId};

/// The most host names of a service.
pub const MAX_HOSTS: u32 = 16;
/// The longest host name in bytes (RFC 1035 §2.3.4, without the root's dot).
pub const MAX_HOST_LEN: u32 = 253;
/// The longest origin URL in bytes.
pub const MAX_ORIGIN_LEN: u32 = 512;
/// The most changes of terms that may lie inside `HistoryDepth` epochs.
pub const MAX_TERMS: u32 = 32;
/// The most services of one owner: it bounds the sum of their caps.
pub const MAX_SERVICES_PER_OWNER: u32 = 64;
/// The most price lists ever: governance publishes a handful a year.
pub const MAX_PRICE_LISTS: u32 = 1_024;
/// How many gateways are drawn per epoch to look a host name up.
pub const DRAWN: usize = 3;

/// A host name in lower case.
pub type HostName = BoundedVec<u8, ConstU32<MAX_HOST_LEN>>;
/// Base URL of an origin.
pub type OriginUrl = BoundedVec<u8, ConstU32<MAX_ORIGIN_LEN>>;

/// A host name of a service, with what is held for it.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Host {
    /// The name.
    pub name: HostName,
    /// Planck on hold for it, as the parameter stood when it was added.
    pub deposit: Planck,
}

/// A service: everything about it that takes effect at once.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Service<AccountId> {
    /// Who pays, and alone may change it.
    pub owner: AccountId,
    /// Base URL of the origin.
    pub origin: OriginUrl,
    /// Its host names, proven or not, in the order they were added.
    pub hosts: BoundedVec<Host, ConstU32<MAX_HOSTS>>,
    /// Planck on hold for the service itself, as the parameter stood when it was created.
    pub deposit: Planck,
}

impl<AccountId> Service<AccountId> {
    /// Everything on hold for the service, in planck.
    pub fn held(&self) -> Planck {
        self.hosts
            .iter()
            .fold(self.deposit, |sum, host| sum.saturating_add(host.deposit))
    }

    /// Position of a host name in the list.
    pub fn position(&self, name: &[u8]) -> Option<usize> {
        self.hosts.iter().position(|host| host.name[..] == *name)
    }
}

/// Terms of a service from an epoch on, until the next ones begin.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Terms {
    /// The first epoch they are in force in.
    pub from: Epoch,
    /// The most all gateways together may charge per epoch, in planck.
    pub cap: Planck,
    /// The pinned price list.
    pub price_version: u32,
    /// Whether the service is not paused.
    pub active: bool,
}

impl Terms {
    /// Whether both say the same, apart from when they begin.
    pub fn same_as(&self, other: &Self) -> bool {
        Self {
            from: other.from,
            ..*self
        } == *other
    }

    /// The most that may be charged per epoch: nothing while paused.
    pub fn chargeable(&self) -> Planck {
        if self.active {
            self.cap
        } else {
            0
        }
    }
}

/// Terms of a service in order of their epochs.
pub type TermsHistory = BoundedVec<Terms, ConstU32<MAX_TERMS>>;

/// A published price list.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct PublishedPrices {
    /// Its prices; they never change.
    pub prices: Prices,
    /// The first epoch a service may pin it for.
    pub effective: Epoch,
}

/// What a drawn gateway said about a host name.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct HostAnswer {
    /// The gateway.
    pub device: DeviceId,
    /// Whether the ownership record was there.
    pub found: bool,
}

/// A host name whose ownership is not proven yet.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct HostClaim {
    /// The epoch it was claimed in.
    pub since: Epoch,
    /// The epoch the answers are of.
    pub checked: Epoch,
    /// Answers in that epoch, one per drawn gateway.
    pub answers: BoundedVec<HostAnswer, ConstU32<{ DRAWN as u32 }>>,
}

/// Who may be drawn in an epoch, and by which seed.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
#[codec(mel_bound())]
#[scale_info(skip_type_params(MaxCheckers))]
pub struct CheckRound<MaxCheckers: frame_support::traits::Get<u32>> {
    /// The epoch.
    pub epoch: Epoch,
    /// What the draws of the epoch depend on.
    pub seed: Hash,
    /// Gateways that were active when the epoch began, in the order of their ids.
    pub gateways: BoundedVec<DeviceId, MaxCheckers>,
}

/// A service as a wallet or a node's config needs it, in one epoch.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct ServiceSummary<AccountId> {
    /// Its id.
    pub id: ServiceId,
    /// Who pays.
    pub owner: AccountId,
    /// Host names with whether their ownership is proven.
    pub hosts: alloc::vec::Vec<(alloc::vec::Vec<u8>, bool)>,
    /// Base URL of the origin.
    pub origin: alloc::vec::Vec<u8>,
    /// Terms in the epoch asked for.
    pub terms: Terms,
    /// Terms that begin later, if any.
    pub pending: Option<Terms>,
}
