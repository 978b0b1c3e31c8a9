//! The chain's config as a cache needs it.

use parking_lot::RwLock;
use selvedge_edge_drivers_agent::ChainConfig;
use selvedge_edge_drivers_purge::Registry;
use selvedge_edge_drivers_transport::PeerList;
use selvedge_primitives_types::{Account, DeviceId, GenesisHash, Role, ServiceId};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// One state of the chain's config. It never changes; a new one takes its place.
pub(crate) struct World {
    /// What it was made from.
    pub(crate) chain: ChainConfig,
    gateways: HashSet<DeviceId>,
    caches: HashSet<DeviceId>,
    customers: HashMap<ServiceId, Account>,
    own_drains: bool,
}

impl World {
    pub(crate) fn new(chain: ChainConfig, own: DeviceId) -> Self {
        let of_role = |role| chain.nodes.iter().filter(move |node| node.role == role);
        Self {
            gateways: of_role(Role::Gateway).map(|node| node.device).collect(),
            caches: of_role(Role::Cache).map(|node| node.device).collect(),
            customers: chain
                .services
                .iter()
                .map(|service| (service.id, service.customer))
                .collect(),
            own_drains: chain
                .nodes
                .iter()
                .any(|node| node.device == own && node.draining),
            chain,
        }
    }

    /// Whether the device is a registered gateway.
    pub(crate) fn is_gateway(&self, device: &DeviceId) -> bool {
        self.gateways.contains(device)
    }

    /// The chain's genesis hash.
    pub(crate) fn genesis(&self) -> &GenesisHash {
        &self.chain.clock.genesis
    }

    /// Whether this cache takes nothing new.
    pub(crate) fn drains(&self) -> bool {
        self.own_drains
    }
}

impl Registry for World {
    fn genesis(&self) -> &GenesisHash {
        self.genesis()
    }

    fn customer(&self, service: ServiceId) -> Option<Account> {
        self.customers.get(&service).copied()
    }

    fn is_cache(&self, device: &DeviceId) -> bool {
        self.caches.contains(device)
    }

    fn is_gateway(&self, device: &DeviceId) -> bool {
        self.is_gateway(device)
    }
}

/// The current state of the config; none until the chain node has pushed one.
#[derive(Default)]
pub(crate) struct Worlds(RwLock<Option<Arc<World>>>);

impl Worlds {
    pub(crate) fn current(&self) -> Option<Arc<World>> {
        self.0.read().clone()
    }

    pub(crate) fn replace(&self, world: World) {
        *self.0.write() = Some(Arc::new(world));
    }
}

impl PeerList for Worlds {
    fn is_listed(&self, device: &DeviceId) -> bool {
        self.current().is_some_and(|world| world.is_gateway(device))
    }
}
