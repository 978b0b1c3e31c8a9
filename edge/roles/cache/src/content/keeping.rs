//! What is kept, and for how long: as long as a pin covers it, and one whole epoch more.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use selvedge_primitives_types::{ContentRef, Epoch, Hash, Pin, ServiceId};
use tokio::sync::Notify;

use super::directories::Directories;
use crate::service::Shared;
use crate::world::World;

/// Looks at what is kept so often in an epoch, and no more often nor more seldom than this.
const LOOKS: u64 = 12;
const SHORTEST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(300);

/// What is known about kept blobs.
#[derive(Default)]
pub(super) struct Keeping {
    known: Mutex<Known>,
    wake: Notify,
}

#[derive(Default)]
struct Known {
    /// The root of a pin that covers a blob.
    covers: HashMap<Hash, Hash>,
    /// Since when no pin covers a blob.
    spare: HashMap<Hash, Epoch>,
    /// Blobs that were put, with their service and length, and that no pin covers yet.
    staged: HashMap<Hash, (ServiceId, u64)>,
    /// The epoch and the pins' roots when everything was looked at last.
    seen: Option<(Epoch, Vec<Hash>)>,
}

impl Keeping {
    /// Looks at once.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    /// A blob is put for a service before it is pinned.
    pub(super) fn stage(&self, service: ServiceId, content: &ContentRef) {
        let mut known = self.known.lock();
        known.staged.insert(content.root, (service, content.length));
    }

    /// Bytes that are put for a service, and that no pin covers yet.
    pub(super) fn staged(&self, service: ServiceId) -> u64 {
        let known = self.known.lock();
        let of = known.staged.values().filter(|(of, _)| *of == service);
        of.map(|(_, length)| length).sum()
    }
}

/// Every pin of a config once, with a service that has it.
fn pins(world: &World) -> HashMap<Hash, (ServiceId, Pin)> {
    let mut pins: HashMap<Hash, (ServiceId, Pin)> = HashMap::new();
    for service in &world.chain.services {
        for pin in &service.content.pins {
            let held = pins.entry(pin.content.root).or_insert((service.id, *pin));
            // The larger promise covers the smaller.
            if pin.bytes > held.1.bytes {
                *held = (service.id, *pin);
            }
        }
    }
    pins
}

/// Looks until it is aborted.
pub(super) async fn run(shared: &Arc<Shared>) {
    loop {
        let world = shared.world();
        let length = world.map_or(0, |world| world.chain.clock.epoch_length.0);
        let pause = Duration::from_millis(length / LOOKS).clamp(SHORTEST, LONGEST);
        let keeping = &shared.contents.keeping;
        let _ = tokio::time::timeout(pause, keeping.wake.notified()).await;
        if let Some(world) = shared.world() {
            look(shared, &world).await;
        }
    }
}

async fn look(shared: &Arc<Shared>, world: &World) {
    let (keeping, shelf) = (&shared.contents.keeping.known, &shared.contents.shelf);
    let epoch = world.chain.clock.epoch;
    let pins = pins(world);
    // Whoever has the whole of a pin's first blob very likely has what is below it.
    let whole = pins.keys().filter(|root| shelf.has(root)).copied();
    shared.contents.discovery.announce(whole).await;
    let kept: HashSet<Hash> = shelf.blobs().iter().map(|blob| blob.root).collect();
    let mut roots: Vec<Hash> = pins.keys().copied().collect();
    roots.sort_unstable();
    let covers = keeping.lock().begin(&pins, &kept, (epoch, roots));
    let Some(mut covers) = covers else {
        shared.metrics.looked.set(epoch.0 as i64);
        return;
    };
    let directories = Directories::new(shared, world);
    let mut is_complete = true;
    for (service, pin) in pins.values() {
        let swept = directories.sweep(*service, pin, &kept, &mut covers).await;
        is_complete &= swept.is_ok();
    }
    let gone = keeping.lock().conclude(covers, &kept, epoch, is_complete);
    for root in &gone {
        shelf.remove(root);
        shared.metrics.dropped.inc();
    }
    if is_complete {
        shared.metrics.looked.set(epoch.0 as i64);
    }
}

impl Known {
    /// Forgets what is no more. Gives what covers what so far, unless that is all there is to know now.
    fn begin(
        &mut self,
        pins: &HashMap<Hash, (ServiceId, Pin)>,
        kept: &HashSet<Hash>,
        now: (Epoch, Vec<Hash>),
    ) -> Option<HashMap<Hash, Hash>> {
        self.covers
            .retain(|blob, pin| kept.contains(blob) && pins.contains_key(pin));
        let covers = &self.covers;
        self.spare
            .retain(|blob, _| kept.contains(blob) && !covers.contains_key(blob));
        self.staged.retain(|blob, _| kept.contains(blob));
        let is_known = kept.iter().all(|blob| covers.contains_key(blob));
        if is_known || self.seen.as_ref() == Some(&now) {
            return None;
        }
        // Set back when something stays unknown.
        self.seen = Some(now);
        Some(self.covers.clone())
    }

    /// Takes what was found, and says what is to go. Nothing goes while a directory is unknown: it may cover it.
    fn conclude(
        &mut self,
        covers: HashMap<Hash, Hash>,
        kept: &HashSet<Hash>,
        epoch: Epoch,
        is_complete: bool,
    ) -> Vec<Hash> {
        self.staged.retain(|blob, _| !covers.contains_key(blob));
        self.spare.retain(|blob, _| !covers.contains_key(blob));
        self.covers = covers;
        if !is_complete {
            self.seen = None;
            return Vec::new();
        }
        let spare = kept.iter().filter(|blob| !self.covers.contains_key(*blob));
        let mut gone = Vec::new();
        for blob in spare {
            let since = *self.spare.entry(*blob).or_insert(epoch);
            // One whole epoch lies between.
            if epoch.since(since) >= 2 {
                gone.push(*blob);
            }
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Hash = [1; 32];
    const B: Hash = [2; 32];

    fn conclude(known: &mut Known, covered: &[Hash], epoch: u64, is_complete: bool) -> Vec<Hash> {
        let covers = covered.iter().map(|blob| (*blob, B)).collect();
        known.conclude(covers, &HashSet::from([A, B]), Epoch(epoch), is_complete)
    }

    #[test]
    fn what_no_pin_covers_goes_after_one_whole_epoch() {
        let mut known = Known::default();
        assert!(conclude(&mut known, &[B], 5, true).is_empty());
        assert!(conclude(&mut known, &[B], 6, true).is_empty());
        assert_eq!(conclude(&mut known, &[B], 7, true), [A]);
    }

    #[test]
    fn nothing_goes_while_a_directory_is_unknown() {
        let mut known = Known::default();
        conclude(&mut known, &[], 5, true);
        assert!(conclude(&mut known, &[], 9, false).is_empty());
        assert!(known.seen.is_none());
    }

    #[test]
    fn what_is_pinned_in_time_begins_anew() {
        let mut known = Known::default();
        known.staged.insert(A, (ServiceId(1), 5));
        conclude(&mut known, &[B], 5, true);
        conclude(&mut known, &[A, B], 6, true);
        assert!(known.staged.is_empty());
        assert!(conclude(&mut known, &[B], 7, true).is_empty());
        assert!(conclude(&mut known, &[B], 8, true).is_empty());
        assert_eq!(conclude(&mut known, &[B], 9, true), [A]);
    }
}
