//! How a quota is divided.
//!
//! ```text
//! |------------- live -------------|-- garbage, an eighth --|-- room to clean into --|
//! |------------------- fresh: what writers may fill -------|                        |
//! |------------------------------------ quota --------------------------------------|
//! ```
//!
//! Bytes that nothing names any more stay on disk until their segment is cleaned. An eighth of the
//! quota is left to them, so that cleaning always finds segments worth it.

use selvedge_edge_core_verify::{shape, SLICE};

use crate::Config;

/// A segment of a small store is no smaller than this.
const SMALLEST_SEGMENT: u64 = 64 * 1024;
/// What an entry of one slice takes at most, with its proof.
const SLICE_ENTRY: u64 = SLICE + 8 * 1024;

/// Bounds in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// On disk, with everything.
    pub(crate) quota: u64,
    /// On disk before something is cleaned.
    pub(crate) fresh: u64,
    /// That something names, or that are promised.
    pub(crate) live: u64,
    /// That are pinned.
    pub(crate) pinned: u64,
    /// Of a segment.
    pub(crate) segment: u64,
    /// Of a piece of a body under way.
    pub(crate) piece: u64,
    /// Of a body.
    pub(crate) longest: u64,
    /// Whether writes wait for the disk.
    pub(crate) sync: bool,
}

/// The most bytes that are gathered before they are written.
const PIECE: u64 = 256 * 1024;

impl Limits {
    pub(crate) fn of(config: &Config) -> Self {
        let quota = config.quota;
        let most = config.segment.min(quota / 32);
        let segment = most.clamp(SMALLEST_SEGMENT, u64::from(u32::MAX) / 4);
        // A segment with all that is live in it, the next one, and the longest hash tree.
        let room = 2 * segment + SLICE_ENTRY.min(quota / 16) + quota / 512;
        let fresh = quota.saturating_sub(room);
        let live = fresh.saturating_sub(quota / 8);
        Self {
            quota,
            fresh,
            live,
            pinned: config.pinned.min(live),
            segment,
            piece: PIECE.min(segment / 2),
            longest: (live / 2).min(shape::MAX_BODY),
            sync: config.sync,
        }
    }

    /// Whether slices of a body fit as entries.
    pub(crate) fn takes_slices(&self, length: u64) -> bool {
        let longest = self.longest.max(self.pinned).min(shape::MAX_BODY);
        length <= longest && length.min(SLICE_ENTRY) <= self.quota / 16
    }
}
