//! What is stored of a service's content.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use selvedge_primitives_types::{ContentRef, Epoch, Hash, Pin, Planck};

/// The most pins of a service.
pub const MAX_PINS: u32 = 64;
/// The most moves of a pointer that are remembered.
pub const MAX_MOVES: u32 = 32;
/// The most epochs inside `HistoryDepth` in which the pins of a service may change.
pub const MAX_KEPT: u32 = 256;

/// A pin, with what is held for it.
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
pub struct Pinned<BlockNumber> {
    /// What is kept, and in how many places.
    pub pin: Pin,
    /// Planck on hold for it, as the parameter stood when it was made.
    pub deposit: Planck,
    /// The epoch it was made in.
    pub epoch: Epoch,
    /// The block it was made in.
    pub block: BlockNumber,
}

/// Where a pointer was moved to.
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
pub struct Move<BlockNumber> {
    /// Counts the moves of the pointer, from 1.
    pub version: u32,
    /// The root it points at since, if any.
    pub root: Option<Hash>,
    /// The epoch it was moved in.
    pub epoch: Epoch,
    /// The block it was moved in.
    pub block: BlockNumber,
}

/// The latest moves of a pointer, the newest last.
pub type Moves<BlockNumber> = BoundedVec<Move<BlockNumber>, ConstU32<MAX_MOVES>>;

/// What a service keeps in the network, and what of it is in use.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Content<BlockNumber> {
    /// Its pins, in order of their roots.
    pub pins: BoundedVec<Pinned<BlockNumber>, ConstU32<MAX_PINS>>,
    /// Where the site was moved to.
    pub site: Moves<BlockNumber>,
    /// Where the rules were moved to.
    pub rules: Moves<BlockNumber>,
}

impl<BlockNumber> Default for Content<BlockNumber> {
    fn default() -> Self {
        Self {
            pins: BoundedVec::new(),
            site: BoundedVec::new(),
            rules: BoundedVec::new(),
        }
    }
}

impl<BlockNumber: Copy> Content<BlockNumber> {
    /// Everything on hold for the pins, in planck.
    pub fn held(&self) -> Planck {
        self.pins
            .iter()
            .fold(0, |sum: Planck, one| sum.saturating_add(one.deposit))
    }

    /// Bytes that all places of all pins keep.
    pub fn kept(&self) -> u64 {
        self.pins
            .iter()
            .fold(0, |sum: u64, one| sum.saturating_add(one.pin.kept()))
    }

    /// The place of a root among the pins, or where it would stand.
    pub fn position(&self, root: &Hash) -> Result<usize, usize> {
        self.pins
            .binary_search_by(|one| one.pin.content.root.cmp(root))
    }

    /// What is pinned under a root.
    pub fn pinned(&self, root: &Hash) -> Option<ContentRef> {
        self.position(root)
            .ok()
            .map(|place| self.pins[place].pin.content)
    }

    /// What a pointer with these moves points at.
    pub fn target(&self, moves: &Moves<BlockNumber>) -> Option<ContentRef> {
        self.pinned(&moves.last()?.root?)
    }
}

/// What the pins of a service come to, from an epoch on until the next entry.
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
pub struct Kept {
    /// The epoch in which the pins changed.
    pub from: Epoch,
    /// Bytes of all places of all pins that stood at any moment of that epoch.
    pub most: u64,
    /// The same at its end, and in the epochs that follow.
    pub last: u64,
}

/// What the pins of a service came to, in order of the epochs.
pub type KeptHistory = BoundedVec<Kept, ConstU32<MAX_KEPT>>;
