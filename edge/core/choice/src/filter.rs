//! What a cache has, in about ten bits for each blob.
//!
//! A split block Bloom filter (as in Apache Parquet): a root has one block of 256 bits, and one bit
//! in each of its eight words. It never says no of what was put in. Of what was not, it says yes for
//! one of a hundred; who asks then is told that it is not there, and asks an owner.
//!
//! Nothing is ever taken out: now and then a cache sends a new one. Between these, deltas carry the
//! blocks that changed.

use codec::{Decode, Encode};

/// The most blocks of a filter: one MiB, 800,000 blobs.
pub const MOST_BLOCKS: usize = 32_768;
/// Bits for each blob.
const BITS: usize = 10;
/// One odd number for each word.
const SALTS: [u32; 8] = [
    0x47b6_137b,
    0x4497_4d91,
    0x8824_ad5b,
    0xa2b7_289d,
    0x7054_95c7,
    0x2df1_424b,
    0x9efc_4947,
    0x5c6b_fb31,
];

type Block = [u32; 8];

/// A filter.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Filter {
    /// Which state of the cache it is: larger is later.
    pub version: u64,
    blocks: Vec<Block>,
}

/// What one version has that another has not.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Delta {
    /// The version that it is about.
    pub from: u64,
    /// The version that it makes of it.
    pub version: u64,
    /// Blocks that differ, by their index, as they become.
    pub blocks: Vec<(u32, Block)>,
}

/// Why a filter or a delta is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// It has no blocks, or more than [`MOST_BLOCKS`].
    #[error("a filter has 1 to {MOST_BLOCKS} blocks, not {0}")]
    Size(usize),
    /// All filters together are as large as they may be.
    #[error("there is no room for more filters")]
    NoRoom,
    /// It is about another version than the one that is here.
    #[error("the delta is about version {from}, and {here} is here")]
    OtherVersion {
        /// What it is about.
        from: u64,
        /// What is here.
        here: u64,
    },
    /// It names a block that the filter has not.
    #[error("the filter has no block {0}")]
    NoBlock(u32),
}

impl Filter {
    /// An empty filter for about so many blobs. With more it says yes more often.
    pub fn new(version: u64, blobs: usize) -> Self {
        let blocks = blobs
            .saturating_mul(BITS)
            .div_ceil(256)
            .clamp(1, MOST_BLOCKS);
        Self {
            version,
            blocks: vec![Block::default(); blocks],
        }
    }

    /// Takes a filter from a stranger only if it is of a size that one may have.
    pub fn checked(self) -> Result<Self, FilterError> {
        match self.blocks.len() {
            1..=MOST_BLOCKS => Ok(self),
            size => Err(FilterError::Size(size)),
        }
    }

    /// Puts a blob in.
    pub fn insert(&mut self, root: &[u8; 32]) {
        let (index, bits) = self.place(root);
        if let Some(block) = self.blocks.get_mut(index) {
            block
                .iter_mut()
                .zip(bits)
                .for_each(|(word, bit)| *word |= bit);
        }
    }

    /// Whether a blob may have been put in; `false` is certain.
    pub fn may_have(&self, root: &[u8; 32]) -> bool {
        let (index, bits) = self.place(root);
        let block = self.blocks.get(index);
        block.is_some_and(|block| block.iter().zip(bits).all(|(word, bit)| word & bit != 0))
    }

    /// A root is a hash: it is drawn from as it is.
    fn place(&self, root: &[u8; 32]) -> (usize, Block) {
        let [a, b, c, d, e, f, g, h, ..] = *root;
        let upper = u64::from(u32::from_le_bytes([a, b, c, d]));
        let lower = u32::from_le_bytes([e, f, g, h]);
        let index = (upper * self.blocks.len() as u64) >> 32;
        let bits = SALTS.map(|salt| 1 << (lower.wrapping_mul(salt) >> 27));
        (index as usize, bits)
    }

    /// Octets that it takes.
    pub fn size(&self) -> usize {
        self.blocks.len() * size_of::<Block>()
    }

    /// Whether another version says the same.
    pub fn has_same(&self, other: &Self) -> bool {
        self.blocks == other.blocks
    }

    /// What makes this of an older one; `None` when they are of different sizes, or a delta would be
    /// more than half of the whole.
    pub fn since(&self, older: &Self) -> Option<Delta> {
        if older.blocks.len() != self.blocks.len() {
            return None;
        }
        let pairs = self.blocks.iter().zip(&older.blocks).zip(0..);
        let changed = pairs.filter(|((new, old), _)| new != old);
        let blocks: Vec<_> = changed.map(|((new, _), index)| (index, *new)).collect();
        let is_small = blocks.len() * 2 <= self.blocks.len();
        is_small.then_some(Delta {
            from: older.version,
            version: self.version,
            blocks,
        })
    }

    /// Becomes what a delta says. Nothing changes when it is not about this version.
    pub fn apply(&mut self, delta: &Delta) -> Result<(), FilterError> {
        if delta.from != self.version {
            return Err(FilterError::OtherVersion {
                from: delta.from,
                here: self.version,
            });
        }
        let unknown = |(index, _): &&(u32, Block)| *index as usize >= self.blocks.len();
        if let Some((index, _)) = delta.blocks.iter().find(unknown) {
            return Err(FilterError::NoBlock(*index));
        }
        for (index, block) in &delta.blocks {
            if let Some(own) = self.blocks.get_mut(*index as usize) {
                *own = *block;
            }
        }
        self.version = delta.version;
        Ok(())
    }
}
