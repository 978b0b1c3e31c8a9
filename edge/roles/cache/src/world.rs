//! The chain's config as a cache needs it.

use parking_lot::RwLock;
use selvedge_edge_drivers_agent::ChainConfig;
use selvedge_edge_drivers_purge::Registry;
use selvedge_edge_drivers_transport::{PeerAddress, PeerList};
use selvedge_primitives_types::agent::NodeConfig;
use selvedge_primitives_types::{Account, DeviceId, GenesisHash, Hash, Role, ServiceId};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// One state of the chain's config. It never changes; a new one takes its place.
pub(crate) struct World {
    /// What it was made from.
    pub(crate) chain: ChainConfig,
    gateways: HashSet<DeviceId>,
    caches: HashMap<DeviceId, PeerAddress>,
    /// Services with pins.
    pinning: HashSet<ServiceId>,
    /// Roots of what is pinned.
    pinned: HashSet<Hash>,
    customers: HashMap<ServiceId, Account>,
    own_drains: bool,
}

impl World {
    pub(crate) fn new(chain: ChainConfig, own: DeviceId) -> Self {
        let of_role = |role| chain.nodes.iter().filter(move |node| node.role == role);
        Self {
            gateways: of_role(Role::Gateway).map(|node| node.device).collect(),
            caches: of_role(Role::Cache)
                .map(|node| (node.device, address(node)))
                .collect(),
            pinning: chain
                .services
                .iter()
                .filter(|service| !service.content.pins.is_empty())
                .map(|service| service.id)
                .collect(),
            pinned: chain
                .services
                .iter()
                .flat_map(|service| &service.content.pins)
                .map(|pin| pin.content.root)
                .collect(),
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

    /// Where another cache listens.
    pub(crate) fn cache(&self, device: &DeviceId) -> Option<PeerAddress> {
        self.caches.get(device).cloned()
    }

    /// Whether there is such a service.
    pub(crate) fn has_service(&self, service: ServiceId) -> bool {
        self.customers.contains_key(&service)
    }

    /// Whether a service has content pinned.
    pub(crate) fn has_pins(&self, service: ServiceId) -> bool {
        self.pinning.contains(&service)
    }

    /// Whether a pin names this root.
    pub(crate) fn is_pinned(&self, root: &Hash) -> bool {
        self.pinned.contains(root)
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
        self.caches.contains_key(device)
    }

    fn is_gateway(&self, device: &DeviceId) -> bool {
        self.is_gateway(device)
    }
}

fn address(node: &NodeConfig) -> PeerAddress {
    PeerAddress {
        device: node.device,
        endpoint: String::from_utf8_lossy(&node.endpoint).into_owned(),
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

    fn shares_content(&self, device: &DeviceId) -> bool {
        let world = self.current();
        world.is_some_and(|world| world.is_gateway(device) || world.is_cache(device))
    }
}
