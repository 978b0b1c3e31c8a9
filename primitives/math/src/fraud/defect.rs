//! What can be wrong with a commitment, and how grave it is.

use crate::proof::ProofError;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;

/// What is wrong with a commitment.
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
pub enum Defect {
    /// A node or an entry states another sum than what is below it adds up to.
    #[codec(index = 0)]
    WrongSum,
    /// What is below a node or an entry adds up to more than its type holds.
    #[codec(index = 1)]
    Overflow,
    /// Keys below a node are not sorted.
    #[codec(index = 2)]
    OutOfOrder,
    /// A key occurs twice.
    #[codec(index = 3)]
    Duplicate,
    /// A node states another key range than what is below it has.
    #[codec(index = 4)]
    WrongRange,
    /// A node states a number of leaves that cannot stand below it.
    #[codec(index = 5)]
    WrongCount,
    /// An item stands where the number of items asks for a node, or a node where it asks for an
    /// item.
    #[codec(index = 6)]
    WrongShape,
    /// A leaf stands in an entry that it does not belong into.
    #[codec(index = 7)]
    ForeignLeaf,
    /// A leaf is of another gateway.
    #[codec(index = 8)]
    WrongGateway,
    /// A leaf is of another epoch.
    #[codec(index = 9)]
    WrongEpoch,
    /// A leaf's slice lies outside the epoch.
    #[codec(index = 10)]
    SliceOutOfEpoch,
    /// A leaf of one tree is not in the other, or says something else there.
    #[codec(index = 11)]
    TreesDisagree,
    /// An entry charges a service that did not exist in the epoch.
    #[codec(index = 12)]
    UnknownService,
    /// An entry charges somebody else than the service's owner.
    #[codec(index = 13)]
    WrongCustomer,
    /// An entry charges more than the gateway's lease, which is nothing while the service is
    /// paused.
    #[codec(index = 14)]
    AboveLease,
    /// A leaf is charged by another price list than the one in force for its service.
    #[codec(index = 15)]
    WrongPriceList,
    /// A leaf's amount is not the charge for its usage.
    #[codec(index = 16)]
    WrongPrice,
    /// An entry of the tree by cache has a key that no device has.
    #[codec(index = 17)]
    MalformedCache,
    /// An entry credits a device that was no active cache in the epoch.
    #[codec(index = 18)]
    UnassignedCache,
    /// A leaf bears a signature that is not its cache's.
    #[codec(index = 19)]
    BadSignature,
    /// An entry has more storage than the service's pins come to in the epoch.
    #[codec(index = 20)]
    AboveStorage,
}

/// How grave a defect is; a slash goes by it.
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
pub enum DefectClass {
    /// What the chain's terms did not allow. A gateway that was told of them too late may do it
    /// without intent.
    #[codec(index = 0)]
    Terms,
    /// A leaf that its own content refutes. Careless at best.
    #[codec(index = 1)]
    Leaf,
    /// Trees or signatures that no program makes by mistake.
    #[codec(index = 2)]
    Forgery,
}

impl Defect {
    /// Every defect, in the order of its codec index.
    pub const ALL: [Self; 21] = [
        Self::WrongSum,
        Self::Overflow,
        Self::OutOfOrder,
        Self::Duplicate,
        Self::WrongRange,
        Self::WrongCount,
        Self::WrongShape,
        Self::ForeignLeaf,
        Self::WrongGateway,
        Self::WrongEpoch,
        Self::SliceOutOfEpoch,
        Self::TreesDisagree,
        Self::UnknownService,
        Self::WrongCustomer,
        Self::AboveLease,
        Self::WrongPriceList,
        Self::WrongPrice,
        Self::MalformedCache,
        Self::UnassignedCache,
        Self::BadSignature,
        Self::AboveStorage,
    ];

    /// How grave it is.
    pub fn class(self) -> DefectClass {
        match self {
            Self::UnknownService
            | Self::WrongCustomer
            | Self::AboveLease
            | Self::WrongPriceList
            | Self::UnassignedCache
            | Self::AboveStorage => DefectClass::Terms,
            Self::WrongGateway
            | Self::WrongEpoch
            | Self::SliceOutOfEpoch
            | Self::WrongPrice
            | Self::MalformedCache => DefectClass::Leaf,
            Self::WrongSum
            | Self::Overflow
            | Self::OutOfOrder
            | Self::Duplicate
            | Self::WrongRange
            | Self::WrongCount
            | Self::WrongShape
            | Self::ForeignLeaf
            | Self::TreesDisagree
            | Self::BadSignature => DefectClass::Forgery,
        }
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WrongSum => "a node states another sum than what is below it adds up to",
            Self::Overflow => "what is below a node adds up to more than fits",
            Self::OutOfOrder => "keys below a node are not sorted",
            Self::Duplicate => "a key occurs twice",
            Self::WrongRange => "a node states another key range than what is below it has",
            Self::WrongCount => "a node states a number of leaves that cannot stand below it",
            Self::WrongShape => "an item stands in the place of a node, or a node in an item's",
            Self::ForeignLeaf => "a leaf stands in an entry that it does not belong into",
            Self::WrongGateway => "a leaf is of another gateway",
            Self::WrongEpoch => "a leaf is of another epoch",
            Self::SliceOutOfEpoch => "the slice of a leaf lies outside the epoch",
            Self::TreesDisagree => "a leaf of one tree is missing or different in the other",
            Self::UnknownService => "an entry charges a service that did not exist",
            Self::WrongCustomer => "an entry charges somebody else than the service's owner",
            Self::AboveLease => "an entry charges more than the gateway's lease",
            Self::WrongPriceList => "a leaf is charged by a price list that is not in force",
            Self::WrongPrice => "the amount of a leaf is not the charge for its usage",
            Self::MalformedCache => "an entry by cache has a key that no device has",
            Self::UnassignedCache => "an entry credits a device that was no active cache",
            Self::BadSignature => "a leaf bears a signature that is not its cache's",
            Self::AboveStorage => "an entry has more storage than the service's pins come to",
        })
    }
}

/// Why something is no fraud proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotFraud {
    /// What it shows does not stand in the commitment.
    NotCommitted(ProofError),
    /// What it shows below a node is not what the node hashes.
    NotBelow,
    /// It shows the root of an entry's leaves as an inner node: nothing states that root's range.
    NotInner,
    /// The leaves or entries it shows in the other tree are not the ones around the leaf.
    NotAround,
    /// All of it is committed, and nothing is wrong with it.
    Honest,
}

impl fmt::Display for NotFraud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotCommitted(error) => {
                return write!(f, "what the proof shows is not committed: {error}")
            }
            Self::NotBelow => "the node does not hash what the proof shows below it",
            Self::NotInner => "the root of an entry's leaves is no inner node",
            Self::NotAround => "the proof does not show what stands around the leaf",
            Self::Honest => "nothing is wrong with what the proof shows",
        })
    }
}

impl core::error::Error for NotFraud {}

impl From<ProofError> for NotFraud {
    fn from(error: ProofError) -> Self {
        Self::NotCommitted(error)
    }
}
