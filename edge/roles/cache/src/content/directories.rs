//! Which of the kept blobs a pin covers.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use selvedge_edge_core_content::{Directory, Sweep, MAX_DIRECTORY};
use selvedge_edge_core_routing::{Placement, Target};
use selvedge_edge_core_verify::RangePlan;
use selvedge_edge_drivers_transport::PeerAddress;
use selvedge_primitives_types::{ContentRef, Hash, Pin, ServiceId, MAX_FACTOR};

use crate::service::Shared;
use crate::world::World;

/// How long a piece of one may take.
const PIECE: Duration = Duration::from_secs(5);

/// A directory that nobody gave: it is not known what it covers.
pub(super) struct Unknown;

/// Where directories are found.
pub(super) struct Directories<'a> {
    shared: &'a Arc<Shared>,
    world: &'a World,
    placement: Placement,
}

impl<'a> Directories<'a> {
    pub(super) fn new(shared: &'a Arc<Shared>, world: &'a World) -> Self {
        Self {
            shared,
            world,
            placement: Placement::new(&world.chain.nodes),
        }
    }

    /// Notes of each kept blob that the pin covers that it does. What the pin's size leaves out, and what a
    /// directory that is none would name, is not covered.
    pub(super) async fn sweep(
        &self,
        service: ServiceId,
        pin: &Pin,
        kept: &HashSet<Hash>,
        covers: &mut HashMap<Hash, Hash>,
    ) -> Result<(), Unknown> {
        let root = pin.content.root;
        if kept.contains(&root) {
            covers.insert(root, root);
        }
        let Ok(mut sweep) = Sweep::new(pin.content, pin.bytes) else {
            return Ok(());
        };
        while let Some(wanted) = sweep.wanted() {
            let Some(directory) = self.directory(service, wanted).await? else {
                return Ok(());
            };
            let Ok(found) = sweep.enter(&directory) else {
                return Ok(());
            };
            let found = found.iter().map(|content| content.root);
            covers.extend(found.filter(|of| kept.contains(of)).map(|of| (of, root)));
        }
        Ok(())
    }

    /// A directory from here or from another cache; `None` when its bytes are none.
    async fn directory(
        &self,
        service: ServiceId,
        content: ContentRef,
    ) -> Result<Option<Directory>, Unknown> {
        if content.length > MAX_DIRECTORY as u64 {
            return Ok(None);
        }
        let bytes = match self.own(content).await {
            Some(bytes) => bytes,
            None => self.ask(service, content).await?,
        };
        Ok(Directory::from_blob(&bytes).ok())
    }

    async fn own(&self, content: ContentRef) -> Option<Vec<u8>> {
        let shelf = self.shared.contents.shelf.clone();
        let read = move || {
            let mut reader = shelf.reader(&content.root).ok()?;
            let plan = RangePlan::whole(content.length).ok()?;
            let mut bytes = Vec::with_capacity(content.length as usize);
            for part in plan.parts() {
                let piece = shelf.part(&mut reader, &part).ok()?;
                if matches!(part, selvedge_edge_core_verify::Part::Group { .. }) {
                    bytes.extend_from_slice(&piece);
                }
            }
            Some(bytes)
        };
        tokio::task::spawn_blocking(read).await.ok()?
    }

    async fn ask(&self, service: ServiceId, content: ContentRef) -> Result<Vec<u8>, Unknown> {
        let target = Target::Content(&content.root);
        for device in self.placement.owners(target, MAX_FACTOR) {
            let other = self.world.cache(&device);
            let Some(peer) = other.filter(|_| device != self.shared.device) else {
                continue;
            };
            if let Some(bytes) = self.whole(&peer, service, content).await {
                return Ok(bytes);
            }
        }
        Err(Unknown)
    }

    async fn whole(
        &self,
        peer: &PeerAddress,
        service: ServiceId,
        content: ContentRef,
    ) -> Option<Vec<u8>> {
        let peers = &self.shared.contents.peers;
        let get = peers.get_content(peer, service, content, 0..content.length);
        let mut stream = get.await.ok()?;
        let mut bytes = Vec::with_capacity(content.length as usize);
        while let Some(piece) = stream.next(PIECE).await.ok()? {
            bytes.extend_from_slice(&piece);
        }
        Some(bytes)
    }
}
