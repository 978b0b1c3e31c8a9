//! What is to be kept: every blob below every pin of the services that this gateway looks after.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use selvedge_edge_core_content::Sweep;
use selvedge_edge_core_replication::{Input, Wanted};
use selvedge_primitives_types::{ContentKind, ContentRef, Hash, Pin, ServiceId};

use super::places::{steward, Places};
use super::Answers;
use crate::gateway::Shared;
use crate::world::World;

/// How often pins are looked at.
const LOOK: Duration = Duration::from_millis(500);

/// What a service keeps, by root.
type Blobs = HashMap<Hash, Wanted>;

/// What this gateway looks after.
#[derive(Default)]
pub(super) struct Wants(Mutex<HashMap<ServiceId, Kept>>);

#[derive(Default)]
struct Kept {
    pins: Vec<Pin>,
    blobs: Blobs,
    /// Whether every directory was found.
    is_whole: bool,
}

impl Wants {
    pub(super) fn is_any(&self) -> bool {
        !self.0.lock().is_empty()
    }

    /// The services that keep a blob, each with the copies it has pinned.
    pub(super) fn services(&self, root: &Hash) -> Vec<(ServiceId, u8)> {
        let all = self.0.lock();
        let of = |(service, kept): (&ServiceId, &Kept)| {
            let wanted = kept.blobs.get(root)?;
            Some((*service, wanted.factor))
        };
        all.iter().filter_map(of).collect()
    }
}

/// Looks until it is aborted.
pub(super) async fn run(shared: &Arc<Shared>, wants: &Wants, answers: &Answers) {
    let mut seen: Option<Arc<World>> = None;
    loop {
        let is_seen = |world: &Arc<World>| {
            let seen = seen.as_ref();
            seen.is_some_and(|seen| Arc::ptr_eq(seen, world))
        };
        if let Some(world) = shared.world().filter(|world| !is_seen(world)) {
            let is_whole = look(shared, wants, answers, &world).await;
            // What was not found is looked for again.
            seen = is_whole.then_some(world);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Tells what has changed. Says whether every directory was found.
async fn look(shared: &Arc<Shared>, wants: &Wants, answers: &Answers, world: &Arc<World>) -> bool {
    let (of, own) = (steward(&world.chain.nodes), shared.identity.device());
    let mut now: HashMap<ServiceId, &[Pin]> = HashMap::new();
    for service in &world.chain.services {
        let pins = &service.content.pins;
        if !pins.is_empty() && of(service.id) == Some(own) {
            now.insert(service.id, pins);
        }
    }
    let left: Vec<(ServiceId, Blobs)> = {
        let mut all = wants.0.lock();
        let gone: Vec<_> = all
            .keys()
            .filter(|id| !now.contains_key(id))
            .copied()
            .collect();
        let of = |id| all.remove(&id).map(|kept| (id, kept.blobs));
        gone.into_iter().filter_map(of).collect()
    };
    for (service, blobs) in left {
        tell(answers, service, Vec::new(), blobs.into_keys().collect()).await;
    }
    for (service, pins) in now {
        let is_known = |kept: &Kept| kept.is_whole && kept.pins == pins;
        if wants.0.lock().get(&service).is_some_and(is_known) {
            continue;
        }
        let (blobs, is_whole) = sweep(shared, world, service, pins).await;
        let (kept, gone) = {
            let mut all = wants.0.lock();
            let before = all.entry(service).or_default();
            let is_new = |wanted: &&Wanted| before.blobs.get(&wanted.content.root) != Some(wanted);
            let kept: Vec<Wanted> = blobs.values().filter(is_new).copied().collect();
            // What an unknown directory names is not let go.
            let is_gone = |root: &&Hash| is_whole && !blobs.contains_key(*root);
            let gone: Vec<Hash> = before.blobs.keys().filter(is_gone).copied().collect();
            for root in &gone {
                before.blobs.remove(root);
            }
            before.blobs.extend(blobs);
            (before.pins, before.is_whole) = (pins.to_vec(), is_whole);
            (kept, gone)
        };
        if !kept.is_empty() || !gone.is_empty() {
            tell(answers, service, kept, gone).await;
        }
    }
    wants.0.lock().values().all(|kept| kept.is_whole)
}

async fn tell(answers: &Answers, service: ServiceId, kept: Vec<Wanted>, gone: Vec<Hash>) {
    let objects = Input::<Places>::Objects {
        service,
        kept,
        gone,
    };
    // Who listens no more looks after nothing.
    let _ = answers.send(objects).await;
}

/// Every blob below some pins, each with the most copies that a pin wants, and whether that is all.
async fn sweep(
    shared: &Arc<Shared>,
    world: &World,
    service: ServiceId,
    pins: &[Pin],
) -> (Blobs, bool) {
    let mut blobs = Blobs::new();
    let mut is_whole = true;
    for pin in pins {
        note(&mut blobs, pin.content, pin.factor);
        // What goes beyond the pin's bytes, and what is below no directory, is not kept.
        let Ok(mut sweep) = Sweep::new(pin.content, pin.bytes) else {
            continue;
        };
        while let Some(wanted) = sweep
            .wanted()
            .filter(|of| of.kind == ContentKind::Directory)
        {
            let directory = shared
                .directory_of(world, service, pin.factor, wanted)
                .await;
            let Ok(held) = directory else {
                is_whole = false;
                break;
            };
            let Ok(found) = sweep.enter(&held.directory) else {
                break;
            };
            for content in found {
                note(&mut blobs, content, pin.factor);
            }
        }
    }
    (blobs, is_whole)
}

fn note(blobs: &mut Blobs, content: ContentRef, factor: u8) {
    let wanted = blobs
        .entry(content.root)
        .or_insert(Wanted { content, factor });
    wanted.factor = wanted.factor.max(factor);
}
