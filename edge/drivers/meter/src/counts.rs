//! The counters of one epoch.

use crate::{
    folder::{remove, Folder},
    segment::{Ahead, Segment, SLOTS},
    MeterError,
};
use parking_lot::RwLock;
use selvedge_edge_core_metering::{CountKey, Counts, Pricing, Row};
use selvedge_primitives_types::Epoch;
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

#[derive(Debug)]
pub(crate) struct EpochCounts {
    folder: Arc<Folder>,
    epoch: Epoch,
    index: RwLock<Index>,
}

/// Segment and slot of a key; it never changes.
pub(crate) type Place = (usize, usize);

#[derive(Debug, Default)]
struct Index {
    segments: Vec<Segment>,
    slots: HashMap<CountKey, Place>,
    /// Slots taken in the last segment.
    taken: usize,
}

impl EpochCounts {
    /// Opens the counters of an epoch, with the segments that there are. What was ahead when they
    /// were last open is counted: the system went on sending it.
    pub(crate) fn open(
        folder: Arc<Folder>,
        epoch: Epoch,
        segments: &[PathBuf],
    ) -> Result<Self, MeterError> {
        let mut index = Index::default();
        for path in segments {
            index.recover(Segment::open(&folder, epoch, path)?, path);
        }
        Ok(Self {
            folder,
            epoch,
            index: RwLock::new(index),
        })
    }

    /// Makes room for a first count, so that a new epoch does not begin with a wait.
    pub(crate) fn prepare(&self) -> Result<(), MeterError> {
        let mut index = self.index.write();
        if index.segments.is_empty() {
            index.grow(&self.folder, self.epoch)?;
        }
        Ok(())
    }

    /// Where a key is counted. Errors when a new segment is needed and cannot be had.
    pub(crate) fn place(&self, key: &CountKey, pricing: &Pricing) -> Result<Place, MeterError> {
        if let Some(place) = self.index.read().slots.get(key) {
            return Ok(*place);
        }
        let mut index = self.index.write();
        match index.slots.get(key) {
            Some(place) => Ok(*place),
            None => index.take(&self.folder, self.epoch, key, pricing),
        }
    }

    /// Counts.
    pub(crate) fn add(&self, (segment, slot): Place, counts: &Counts) {
        self.index.read().segments[segment].add(slot, counts);
    }

    /// Notes that of the octets ahead `from` became `to`.
    pub(crate) fn shift_ahead(&self, (segment, slot): Place, from: Ahead, to: Ahead) {
        self.index.read().segments[segment].shift_ahead(slot, from, to);
    }

    /// Everything that is counted, with one row per key.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let index = self.index.read();
        let row = |(segment, slot): &Place| index.segments[*segment].row(*slot);
        index.slots.values().map(row).collect()
    }

    /// Waits for the disk to have what was counted up to now.
    pub(crate) fn flush(&self) -> Result<(), MeterError> {
        let index = self.index.read();
        for (number, segment) in index.segments.iter().enumerate() {
            let path = self.folder.counts(self.epoch, number);
            segment.flush().map_err(MeterError::io("sync", &path))?;
        }
        Ok(())
    }

    /// Removes the files, from the last one: what a crash leaves is then still a run from the
    /// first.
    pub(crate) fn remove(&self) -> Result<(), MeterError> {
        let segments = self.index.read().segments.len();
        (0..segments)
            .rev()
            .try_for_each(|number| remove(&self.folder.counts(self.epoch, number)))
    }
}

impl Index {
    fn recover(&mut self, segment: Segment, path: &Path) {
        let place = self.segments.len();
        self.taken = 0;
        for slot in 0..SLOTS {
            if !segment.is_taken(slot) {
                continue;
            }
            if segment.is_whole(slot) {
                segment.count_ahead(slot);
                self.slots.insert(segment.row(slot).key, (place, slot));
            } else {
                tracing::warn!(path = %path.display(), slot, "skipped a slot without its key");
            }
            self.taken = slot + 1;
        }
        self.segments.push(segment);
    }

    fn take(
        &mut self,
        folder: &Folder,
        epoch: Epoch,
        key: &CountKey,
        pricing: &Pricing,
    ) -> Result<Place, MeterError> {
        if self.segments.is_empty() || self.taken == SLOTS {
            self.grow(folder, epoch)?;
        }
        let place = (self.segments.len() - 1, self.taken);
        self.segments[place.0].publish(place.1, key, pricing);
        self.taken += 1;
        self.slots.insert(*key, place);
        Ok(place)
    }

    fn grow(&mut self, folder: &Folder, epoch: Epoch) -> Result<(), MeterError> {
        let segment = Segment::create(folder, epoch, self.segments.len())?;
        self.segments.push(segment);
        self.taken = 0;
        Ok(())
    }
}
