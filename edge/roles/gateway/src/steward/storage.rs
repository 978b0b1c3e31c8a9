//! Storage on the bill: byte-hours of an epoch for each blob and cache that proved possession in it.
//!
//! On disk `storage.log`, of one epoch: `epoch u64 LE ‖ service u64 LE ‖ root 32 ‖ cache 32`, once for each that is
//! counted. A line is written before it is counted, so that a crash in between loses it and never counts it twice.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use selvedge_edge_drivers_agent::clock;
use selvedge_primitives_types::{
    ContentRef, DeviceId, Epoch, Hash, Millis, ServiceId, Usage, UsageClass,
};

use super::Wants;
use crate::gateway::Shared;
use crate::world::World;

const LINE: usize = 8 + 8 + 32 + 32;
const HOUR: u128 = 3_600_000;

type Proof = (ServiceId, Hash, DeviceId);

/// What is counted in an epoch.
pub struct Storage(Mutex<Counted>);

struct Counted {
    file: File,
    epoch: Epoch,
    proofs: HashSet<Proof>,
    /// Copies of a service's blob that are counted.
    copies: HashMap<(ServiceId, Hash), u8>,
}

impl Storage {
    /// Reads what was counted before a restart.
    ///
    /// Errors: when the file cannot be used.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let mut counted = Counted {
            file,
            epoch: Epoch(0),
            proofs: HashSet::new(),
            copies: HashMap::new(),
        };
        let whole = bytes.len() / LINE * LINE;
        for line in bytes[..whole].chunks_exact(LINE) {
            if let Some((epoch, proof)) = read(line) {
                counted.turn(epoch);
                counted.note(proof);
            }
        }
        // What a crash wrote half.
        counted.file.set_len(whole as u64)?;
        counted.file.seek(SeekFrom::End(0))?;
        Ok(Self(Mutex::new(counted)))
    }

    /// Whether this is the first proof of an epoch for a service's blob at a cache, and not one more than `factor`.
    /// Then it is kept.
    fn is_first(&self, epoch: Epoch, proof: Proof, factor: u8) -> io::Result<bool> {
        let mut counted = self.0.lock();
        if epoch < counted.epoch {
            return Ok(false);
        }
        if epoch > counted.epoch {
            counted.file.set_len(0)?;
            counted.file.seek(SeekFrom::Start(0))?;
            counted.turn(epoch);
        }
        let (service, root, cache) = proof;
        let copies = counted.copies.get(&(service, root)).copied();
        if counted.proofs.contains(&proof) || copies.unwrap_or(0) >= factor {
            return Ok(false);
        }
        let mut line = Vec::with_capacity(LINE);
        line.extend_from_slice(&epoch.0.to_le_bytes());
        line.extend_from_slice(&service.0.to_le_bytes());
        line.extend_from_slice(&root);
        line.extend_from_slice(&cache.0);
        counted.file.write_all(&line)?;
        counted.note(proof);
        Ok(true)
    }
}

impl Counted {
    fn turn(&mut self, epoch: Epoch) {
        if epoch > self.epoch {
            self.epoch = epoch;
            self.proofs.clear();
            self.copies.clear();
        }
    }

    fn note(&mut self, proof: Proof) {
        if self.proofs.insert(proof) {
            *self.copies.entry((proof.0, proof.1)).or_default() += 1;
        }
    }
}

fn read(line: &[u8]) -> Option<(Epoch, Proof)> {
    let (epoch, rest) = line.split_first_chunk::<8>()?;
    let (service, rest) = rest.split_first_chunk::<8>()?;
    let (root, rest) = rest.split_first_chunk::<32>()?;
    let cache = rest.first_chunk::<32>()?;
    let service = ServiceId(u64::from_le_bytes(*service));
    let proof = (service, *root, DeviceId(*cache));
    Some((Epoch(u64::from_le_bytes(*epoch)), proof))
}

/// What a blob is stored for in an epoch, rounded down.
fn byte_hours(length: u64, epoch: Millis) -> u64 {
    (u128::from(length) * u128::from(epoch.0) / HOUR) as u64
}

/// Counts a proof of possession for every service that has the blob pinned, once in an epoch, at the caches where it
/// belongs.
pub(super) async fn count(
    shared: &Arc<Shared>,
    wants: &Wants,
    world: &World,
    content: ContentRef,
    cache: DeviceId,
) {
    let (root, clock) = (content.root, &world.chain.clock);
    let units = byte_hours(content.length, clock.epoch_length);
    // What is counted must be of the epoch that is proven.
    let is_now = shared
        .meter
        .clock()
        .is_some_and(|now| now.epoch == clock.epoch);
    if units == 0 || !is_now {
        return;
    }
    for (service, factor) in wants.services(&root) {
        let owners = shared.replicas.owners(&root, factor);
        if !owners.contains(&cache) {
            continue;
        }
        let (of, epoch) = (shared.clone(), clock.epoch);
        let first = move || of.storage.is_first(epoch, (service, root, cache), factor);
        match tokio::task::spawn_blocking(first).await {
            Ok(Ok(true)) => charge(shared, service, cache, units),
            Ok(Ok(false)) | Err(_) => {}
            Ok(Err(error)) => tracing::error!(%error, "storage cannot be counted"),
        }
    }
}

fn charge(shared: &Shared, service: ServiceId, cache: DeviceId, units: u64) {
    let usage = Usage::ZERO.with(UsageClass::StorageByteHours, units);
    let counted = shared.meter.begin(service, &usage).and_then(|mut tally| {
        tally.attribute(cache);
        tally.count(&usage, clock::now())
    });
    match counted {
        Ok(()) => shared.metrics.steward.stored(units),
        // Out of lease: what the customer does not pay for is stored without charge for this epoch.
        Err(denied) => tracing::debug!(%service, %denied, "storage is not charged"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CACHE: DeviceId = DeviceId([7; 32]);
    const OTHER: DeviceId = DeviceId([8; 32]);

    fn proof(cache: DeviceId) -> Proof {
        (ServiceId(3), [5; 32], cache)
    }

    #[test]
    fn a_pair_is_counted_once_in_an_epoch_across_restarts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("storage.log");
        let storage = Storage::open(&path).unwrap();
        assert!(storage.is_first(Epoch(4), proof(CACHE), 2).unwrap());
        assert!(!storage.is_first(Epoch(4), proof(CACHE), 2).unwrap());
        drop(storage);
        // A crash in the middle of a line.
        let mut file = File::options().append(true).open(&path).unwrap();
        file.write_all(&[9; 17]).unwrap();
        let storage = Storage::open(&path).unwrap();
        assert!(!storage.is_first(Epoch(4), proof(CACHE), 2).unwrap());
        assert!(storage.is_first(Epoch(4), proof(OTHER), 2).unwrap());
        assert!(storage.is_first(Epoch(5), proof(CACHE), 2).unwrap());
        assert!(!storage
            .is_first(Epoch(4), proof(DeviceId([9; 32])), 9)
            .unwrap());
        assert_eq!(path.metadata().unwrap().len(), LINE as u64);
    }

    #[test]
    fn no_more_copies_are_counted_than_are_pinned() {
        let folder = tempfile::tempdir().unwrap();
        let storage = Storage::open(&folder.path().join("storage.log")).unwrap();
        assert!(storage.is_first(Epoch(4), proof(CACHE), 1).unwrap());
        assert!(!storage.is_first(Epoch(4), proof(OTHER), 1).unwrap());
    }

    #[test]
    fn byte_hours_are_rounded_down_once() {
        assert_eq!(byte_hours(1_000, Millis(3_600_000)), 1_000);
        assert_eq!(byte_hours(119, Millis(60_000)), 1);
        assert_eq!(byte_hours(59, Millis(60_000)), 0);
        assert_eq!(byte_hours(1 << 36, Millis(3_600_000)), 1 << 36);
    }
}
