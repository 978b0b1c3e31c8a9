//! Who may have content: its owners in this config epoch and the one before, and who says so.

use parking_lot::RwLock;
use selvedge_edge_core_choice::{Holdings, Replica};
use selvedge_edge_core_routing::{Epochs, Placement, Target};
use selvedge_edge_drivers_transport::PeerAddress;
use selvedge_primitives_types::{DeviceId, Hash};

use crate::gateway::Shared;
use crate::world::World;

/// Others than owners who are asked at most.
const MOST_OTHERS: usize = 8;

/// Who may have content.
#[derive(Debug, Default)]
pub struct Replicas {
    epochs: RwLock<Option<Epochs>>,
    holdings: RwLock<Holdings>,
}

impl Replicas {
    /// There is another config.
    pub fn renew(&self, old: Option<&World>, new: &World) {
        let epoch = new.chain.clock.epoch;
        let is_same =
            |old: &World| old.chain.clock.epoch == epoch && old.chain.nodes == new.chain.nodes;
        if old.is_some_and(is_same) {
            return;
        }
        let placement = Placement::new(&new.chain.nodes);
        self.holdings
            .write()
            .retain(|cache| placement.is_member(cache));
        let mut epochs = self.epochs.write();
        match epochs.as_mut() {
            Some(epochs) => epochs.advance(epoch, placement),
            None => *epochs = Some(Epochs::new(epoch, placement)),
        }
    }

    /// What caches say they have.
    pub fn holdings(&self) -> &RwLock<Holdings> {
        &self.holdings
    }

    /// The caches where `factor` copies of a blob belong: a function of the config alone.
    pub fn owners(&self, root: &Hash, factor: u8) -> Vec<DeviceId> {
        let epochs = self.epochs.read();
        let placement = epochs.as_ref().map(Epochs::current);
        placement.map_or_else(Vec::new, |p| p.owners(Target::Content(root), factor))
    }

    /// Who may have a blob: who owns it, who owned it before, and some who say that they have it.
    fn holders(&self, root: &Hash, factor: u8) -> Vec<DeviceId> {
        let epochs = self.epochs.read();
        let known = epochs
            .as_ref()
            .map(|e| e.holders(Target::Content(root), factor));
        let mut holders = known.unwrap_or_default();
        let holdings = self.holdings.read();
        let others = holdings.of(root).filter(|cache| !holders.contains(cache));
        let others: Vec<_> = others.take(MOST_OTHERS).collect();
        holders.extend(others);
        holders
    }
}

impl Shared {
    /// Whom to ask for a blob of which there are `factor` copies, in this order. What each answers
    /// is told by [`Choices::ask`](crate::choices::Choices::ask).
    pub fn content_holders(&self, world: &World, root: &Hash, factor: u8) -> Vec<PeerAddress> {
        let holders = self.replicas.holders(root, factor);
        let replicas: Vec<_> = holders
            .into_iter()
            .map(|device| Replica {
                device,
                is_near: world.is_near(&device),
            })
            .collect();
        let order = self.choices.order(&replicas);
        order
            .iter()
            .filter_map(|device| world.cache(device))
            .collect()
    }
}
