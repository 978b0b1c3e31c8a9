//! One file of counters, mapped into memory.

use crate::{folder::Folder, MeterError};
use memmap2::{MmapOptions, MmapRaw};
use selvedge_edge_core_metering::{CountKey, Counts, Pricing, Row};
use selvedge_primitives_types::{
    Account, DeviceId, Epoch, Prices, Quality, ServiceId, Slice, Usage, UsageClass,
};
use std::{
    fs::OpenOptions,
    io::{Read, Write},
    path::Path,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

const MAGIC: &[u8; 8] = b"SLVGCNT2";
const HEADER: usize = 4096;
const WORDS: usize = 34;
/// Words of the key, after the mark.
const KEY_WORDS: usize = 16;
const FIRST_COUNT: usize = 1 + KEY_WORDS;
const COUNT_WORDS: usize = 15;
/// Words of the octets ahead, after the counts.
const AHEAD: usize = FIRST_COUNT + COUNT_WORDS;

/// Slots in a segment: with the header a file of little more than a mebibyte.
pub(crate) const SLOTS: usize = 4096;
const FILE: usize = HEADER + SLOTS * WORDS * 8;

/// Egress octets that were sent and are not counted yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ahead {
    /// Those that will be charged.
    pub(crate) paid: u64,
    /// Those out of the free buffer.
    pub(crate) free: u64,
}

#[derive(Debug)]
pub(crate) struct Segment {
    map: MmapRaw,
    is_dirty: AtomicBool,
}

impl Segment {
    /// Makes an empty segment. Its blocks are taken from the disk now, so that counting never meets
    /// a full disk.
    pub(crate) fn create(folder: &Folder, epoch: Epoch, number: usize) -> Result<Self, MeterError> {
        let path = folder.counts(epoch, number);
        folder.write_with(&path, |file| {
            file.write_all(&header(folder, epoch))?;
            file.write_all(&vec![0; FILE - HEADER])
        })?;
        Self::open(folder, epoch, &path)
    }

    /// Maps a segment. Errors when it is not of this folder's device and this epoch.
    pub(crate) fn open(folder: &Folder, epoch: Epoch, path: &Path) -> Result<Self, MeterError> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .map_err(MeterError::io("open", path))?;
        let length = file.metadata().map_err(MeterError::io("read", path))?.len();
        if length != FILE as u64 {
            return Err(MeterError::Damaged(path.to_owned()));
        }
        let mut found = vec![0; HEADER];
        file.read_exact(&mut found)
            .map_err(MeterError::io("read", path))?;
        if found != header(folder, epoch) {
            return Err(MeterError::Foreign(path.to_owned()));
        }
        let map = MmapOptions::new()
            .len(FILE)
            .map_raw(&file)
            .map_err(MeterError::io("map", path))?;
        Ok(Self {
            map,
            is_dirty: AtomicBool::new(false),
        })
    }

    /// Whether a slot was given to a key.
    pub(crate) fn is_taken(&self, slot: usize) -> bool {
        self.word(slot, 0).load(Ordering::Acquire) != 0
    }

    /// Whether the key of a taken slot was written whole; if not, nothing was counted in it.
    pub(crate) fn is_whole(&self, slot: usize) -> bool {
        let words = self.words(slot);
        let mut key = [0; KEY_WORDS];
        key.copy_from_slice(&words[1..FIRST_COUNT]);
        words[0] == mark(&key)
    }

    /// What a slot with a whole key counts.
    pub(crate) fn row(&self, slot: usize) -> Row {
        let words = self.words(slot);
        let (mut key, mut counts) = ([0; KEY_WORDS], [0; COUNT_WORDS]);
        key.copy_from_slice(&words[1..FIRST_COUNT]);
        counts.copy_from_slice(&words[FIRST_COUNT..AHEAD]);
        let (key, pricing) = key_from(&key);
        Row {
            key,
            pricing,
            counts: counts_from(&counts),
        }
    }

    fn words(&self, slot: usize) -> [u64; WORDS] {
        std::array::from_fn(|word| self.word(slot, word).load(Ordering::Acquire))
    }

    /// Gives a free slot its key. One thread at a time.
    pub(crate) fn publish(&self, slot: usize, key: &CountKey, pricing: &Pricing) {
        let key = key_words(key, pricing);
        for (word, value) in (1..).zip(key) {
            self.word(slot, word).store(value, Ordering::Relaxed);
        }
        self.word(slot, 0).store(mark(&key), Ordering::Release);
        self.is_dirty.store(true, Ordering::Release);
    }

    pub(crate) fn add(&self, slot: usize, counts: &Counts) {
        for (word, units) in (FIRST_COUNT..).zip(count_words(counts)) {
            if units > 0 {
                self.word(slot, word).fetch_add(units, Ordering::Relaxed);
            }
        }
        self.is_dirty.store(true, Ordering::Release);
    }

    /// Notes that of the octets ahead in a slot `from` became `to`.
    pub(crate) fn shift_ahead(&self, slot: usize, from: Ahead, to: Ahead) {
        for (word, before, after) in [(AHEAD, from.paid, to.paid), (AHEAD + 1, from.free, to.free)]
        {
            if before != after {
                let change = after.wrapping_sub(before);
                self.word(slot, word).fetch_add(change, Ordering::Relaxed);
            }
        }
        self.is_dirty.store(true, Ordering::Release);
    }

    /// Counts the octets that were ahead in a slot when a process ended.
    pub(crate) fn count_ahead(&self, slot: usize) {
        // First taken away and then counted: ended in between, this loses and never counts twice.
        let take = |word| self.word(slot, word).swap(0, Ordering::Relaxed);
        let (paid, free) = (take(AHEAD), take(AHEAD + 1));
        let egress = |octets| Usage::ZERO.with(UsageClass::EgressBytes, octets);
        self.add(
            slot,
            &Counts {
                paid: egress(paid),
                free: egress(free),
                ..Counts::default()
            },
        );
    }

    /// Waits for the disk to have what was counted up to now.
    pub(crate) fn flush(&self) -> std::io::Result<()> {
        if self.is_dirty.swap(false, Ordering::AcqRel) {
            self.map
                .flush()
                .inspect_err(|_| self.is_dirty.store(true, Ordering::Release))?;
        }
        Ok(())
    }

    fn word(&self, slot: usize, word: usize) -> &AtomicU64 {
        assert!(
            slot < SLOTS && word < WORDS,
            "a slot lies inside its segment"
        );
        let offset = HEADER + (slot * WORDS + word) * 8;
        // SAFETY: `offset + 8` lies inside the mapping, which is `FILE` bytes long and lives as
        // long as `self`; a mapping begins on a page, so the word is aligned. Every access in this
        // process is atomic, and the lock of the folder keeps other processes from opening the
        // file.
        unsafe { AtomicU64::from_ptr(self.map.as_mut_ptr().add(offset).cast()) }
    }
}

fn header(folder: &Folder, epoch: Epoch) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&epoch.0.to_le_bytes());
    bytes.extend_from_slice(&(SLOTS as u64).to_le_bytes());
    bytes.extend_from_slice(&folder.device().0);
    let digest = blake3::hash(&bytes);
    bytes.extend_from_slice(digest.as_bytes());
    bytes.resize(HEADER, 0);
    bytes
}

fn mark(key: &[u64; KEY_WORDS]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for word in key {
        hasher.update(&word.to_le_bytes());
    }
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(first).max(1)
}

fn key_words(key: &CountKey, pricing: &Pricing) -> [u64; KEY_WORDS] {
    let mut words = [0; KEY_WORDS];
    words[0] = key.service.0;
    words[1] = u64::from(key.slice.0) | u64::from(pricing.price_version) << 32;
    put(&mut words[2..6], &key.peer.0);
    put(&mut words[6..10], &pricing.customer.0);
    words[10..].copy_from_slice(&pricing.prices.0);
    words
}

fn key_from(words: &[u64; KEY_WORDS]) -> (CountKey, Pricing) {
    let mut prices = Prices::default();
    prices.0.copy_from_slice(&words[10..]);
    let key = CountKey {
        service: ServiceId(words[0]),
        peer: DeviceId(take(&words[2..6])),
        slice: Slice(words[1] as u16),
    };
    let price_version = (words[1] >> 32) as u32;
    (
        key,
        Pricing {
            customer: Account(take(&words[6..10])),
            price_version,
            prices,
        },
    )
}

fn count_words(counts: &Counts) -> [u64; COUNT_WORDS] {
    let mut words = [0; COUNT_WORDS];
    words[..6].copy_from_slice(&counts.paid.0);
    words[6..12].copy_from_slice(&counts.free.0);
    let Quality {
        answered,
        failed,
        ttfb_micros,
    } = counts.quality;
    words[12..].copy_from_slice(&[answered, failed, ttfb_micros]);
    words
}

fn counts_from(words: &[u64; COUNT_WORDS]) -> Counts {
    let (mut paid, mut free) = (Usage::ZERO, Usage::ZERO);
    paid.0.copy_from_slice(&words[..6]);
    free.0.copy_from_slice(&words[6..12]);
    let quality = Quality {
        answered: words[12],
        failed: words[13],
        ttfb_micros: words[14],
    };
    Counts {
        paid,
        free,
        quality,
    }
}

fn put(words: &mut [u64], bytes: &[u8; 32]) {
    for (word, chunk) in words.iter_mut().zip(bytes.chunks_exact(8)) {
        let mut eight = [0; 8];
        eight.copy_from_slice(chunk);
        *word = u64::from_le_bytes(eight);
    }
}

fn take(words: &[u64]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (chunk, word) in bytes.chunks_exact_mut(8).zip(words) {
        chunk.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> (CountKey, Pricing) {
        let key = CountKey {
            service: ServiceId(u64::MAX - 1),
            peer: DeviceId(std::array::from_fn(|byte| byte as u8)),
            slice: Slice(59),
        };
        let pricing = Pricing {
            customer: Account([7; 32]),
            price_version: u32::MAX,
            prices: Prices([1, 2, 3, 4, 5, u64::MAX]),
        };
        (key, pricing)
    }

    #[test]
    fn words_hold_keys_and_counts() {
        let (key, pricing) = key();
        assert_eq!(key_from(&key_words(&key, &pricing)), (key, pricing));
        let counts = Counts {
            paid: Usage([1, 2, 3, 4, 5, 6]),
            free: Usage([7, 8, 9, 10, 11, 12]),
            quality: Quality {
                answered: 13,
                failed: 14,
                ttfb_micros: 15,
            },
        };
        assert_eq!(counts_from(&count_words(&counts)), counts);
    }

    #[test]
    fn a_slot_without_its_whole_key_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path(), DeviceId([1; 32])).unwrap();
        let segment = Segment::create(&folder, Epoch(1), 0).unwrap();
        let (key, pricing) = key();
        segment.publish(0, &key, &pricing);
        segment.add(
            0,
            &Counts {
                paid: Usage([3; 6]),
                ..Counts::default()
            },
        );
        assert_eq!(segment.row(0).counts.paid, Usage([3; 6]));
        assert!(segment.is_taken(0) && segment.is_whole(0) && !segment.is_taken(1));
        for word in 0..=KEY_WORDS {
            segment.word(0, word).fetch_xor(2, Ordering::Relaxed);
            assert!(segment.is_taken(0) && !segment.is_whole(0), "word {word}");
            segment.word(0, word).fetch_xor(2, Ordering::Relaxed);
        }
        assert!(segment.is_whole(0));
    }
}
