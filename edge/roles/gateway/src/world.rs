//! The chain's config as requests need it: services by host, caches by key.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use http::Uri;
use selvedge_edge_core_routing::{Owners, Target};
use selvedge_edge_drivers_agent::ChainConfig;
use selvedge_edge_drivers_purge::Registry;
use selvedge_edge_drivers_transport::PeerAddress;
use selvedge_primitives_types::agent::{NodeConfig, ServiceState};
use selvedge_primitives_types::{
    Account, ContentConfig, ContentRef, DeviceId, GenesisHash, Hash, Pin, Planck, Prices, Region,
    Role, ServiceId, Usage,
};

use crate::live::{Analytics, Live};

/// A service of one epoch.
#[derive(Debug)]
pub struct Service {
    /// The service.
    pub id: ServiceId,
    /// Who pays.
    pub customer: Account,
    /// Base URL of the origin; `None` when what the chain holds is no URL.
    pub origin: Option<Uri>,
    /// The pinned price list.
    pub price_version: u32,
    /// Its prices; `None` when the chain did not send the list.
    pub prices: Option<Prices>,
    /// What this gateway may charge in the epoch.
    pub lease: Planck,
    /// What it may serve in the epoch without charge.
    pub free: Usage,
    /// Whether it is served.
    pub state: ServiceState,
    /// The directory that is served in place of an origin, if any.
    pub site: Option<Pin>,
    /// The rules that requests follow, if any.
    pub rules: Option<ContentRef>,
    /// Where its answers are counted, looked up once.
    live: OnceLock<Option<Arc<Live>>>,
}

impl Service {
    /// Where its answers are counted. `None` where too many others are.
    pub fn live(&self, analytics: &Analytics) -> Option<&Arc<Live>> {
        self.live.get_or_init(|| analytics.open(self.id)).as_ref()
    }
}

/// What a service pins as its site.
fn site_of(content: &ContentConfig) -> Option<Pin> {
    let site = content.site?;
    let pin = content.pins.iter().find(|pin| pin.content == site);
    // A chain that points at no pin promises one copy at least.
    Some(pin.copied().unwrap_or(Pin {
        content: site,
        bytes: site.length,
        factor: 1,
    }))
}

/// One state of the chain's config. It never changes; a new one takes its place.
#[derive(Debug)]
pub struct World {
    /// What it was made from.
    pub chain: ChainConfig,
    services: Vec<Arc<Service>>,
    hosts: HashMap<String, Arc<Service>>,
    nodes: HashMap<DeviceId, NodeConfig>,
    /// This gateway's.
    region: Region,
    owners: Owners,
    /// Of every region that has gateways.
    owners_by_region: Vec<Owners>,
    /// Of all regions together.
    owners_of_all: Owners,
    customers: HashMap<ServiceId, Account>,
    /// What is pinned, and by which service; of several the first.
    pins: HashMap<Hash, (ServiceId, ContentRef)>,
}

impl World {
    /// Prepares a config for the gateway `own`.
    pub fn new(chain: ChainConfig, own: DeviceId) -> Self {
        let prices: HashMap<u32, Prices> = chain
            .prices
            .iter()
            .map(|list| (list.version, list.prices))
            .collect();
        let mut hosts = HashMap::new();
        let mut services = Vec::with_capacity(chain.services.len());
        let mut pins = HashMap::new();
        for config in &chain.services {
            for pin in &config.content.pins {
                let pinned = (config.id, pin.content);
                pins.entry(pin.content.root).or_insert(pinned);
            }
            let origin = std::str::from_utf8(&config.origin)
                .ok()
                .and_then(|url| url.parse::<Uri>().ok())
                .filter(|uri| uri.scheme().is_some() && uri.host().is_some());
            let service = Arc::new(Service {
                id: config.id,
                customer: config.customer,
                origin,
                price_version: config.price_version,
                prices: prices.get(&config.price_version).copied(),
                lease: config.lease,
                free: config.free,
                state: config.state,
                site: site_of(&config.content),
                rules: config.content.rules,
                live: OnceLock::new(),
            });
            services.push(service.clone());
            for host in &config.hosts {
                if let Ok(host) = std::str::from_utf8(host) {
                    hosts.insert(host.to_ascii_lowercase(), service.clone());
                }
            }
        }
        let nodes: HashMap<DeviceId, NodeConfig> = chain
            .nodes
            .iter()
            .map(|node| (node.device, node.clone()))
            .collect();
        // A gateway that is not registered yet is nowhere, and asks all regions.
        let region = nodes.get(&own).map(|node| node.region).unwrap_or_default();
        let owners = Owners::new(&chain.nodes, region);
        let gateways = chain.nodes.iter().filter(|node| node.role == Role::Gateway);
        let regions: BTreeSet<_> = gateways.map(|node| node.region).collect();
        let mut owners_by_region = Vec::new();
        for region in regions {
            let of = Owners::new(&chain.nodes, region);
            if of != owners && !owners_by_region.contains(&of) {
                owners_by_region.push(of);
            }
        }
        let owners_of_all = Owners::everywhere(&chain.nodes);
        let customers = services
            .iter()
            .map(|service| (service.id, service.customer))
            .collect();
        Self {
            chain,
            services,
            hosts,
            nodes,
            region,
            owners,
            owners_by_region,
            owners_of_all,
            customers,
            pins,
        }
    }

    /// The service of a host name in lower case without a port.
    pub fn service(&self, host: &str) -> Option<&Arc<Service>> {
        self.hosts.get(host)
    }

    /// The service of an id.
    pub fn service_of(&self, id: ServiceId) -> Option<&Arc<Service>> {
        self.services.iter().find(|service| service.id == id)
    }

    /// Every service.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.services.iter().map(AsRef::as_ref)
    }

    /// Whether the device is a registered gateway, so that its records count.
    pub fn is_gateway(&self, device: &DeviceId) -> bool {
        self.nodes
            .get(device)
            .is_some_and(|node| node.role == Role::Gateway)
    }

    /// The cache with this device id.
    pub fn cache(&self, device: &DeviceId) -> Option<PeerAddress> {
        let node = self.nodes.get(device)?;
        (node.role == Role::Cache).then(|| PeerAddress {
            device: *device,
            endpoint: String::from_utf8_lossy(&node.endpoint).into_owned(),
        })
    }

    /// Whether a node is in this gateway's region. Of one that is nowhere, none is.
    pub fn is_near(&self, device: &DeviceId) -> bool {
        let node = self.nodes.get(device);
        node.is_some_and(|node| node.region == self.region)
    }

    /// The caches that own a key, the first owner first.
    pub fn owners(&self, service: ServiceId, key: &[u8], count: usize) -> Vec<PeerAddress> {
        let ranked = self.owners.rank(Target::Key { service, key }, count);
        ranked
            .iter()
            .filter_map(|device| self.cache(device))
            .collect()
    }

    /// The cache that owns a key in the whole network: one of its owners in its own region too.
    pub fn home(&self, service: ServiceId, key: &[u8]) -> Option<PeerAddress> {
        let first = self.owners_of_all.first(Target::Key { service, key })?;
        self.cache(&first)
    }

    /// The caches that own a key, for the gateways of any region: so many of each, and of all.
    pub fn owners_everywhere(
        &self,
        service: ServiceId,
        key: &[u8],
        count: usize,
    ) -> Vec<PeerAddress> {
        let regions = [&self.owners, &self.owners_of_all];
        let regions = regions.into_iter().chain(&self.owners_by_region);
        let mut devices: Vec<DeviceId> = regions
            .flat_map(|owners| owners.rank(Target::Key { service, key }, count))
            .collect();
        devices.sort_unstable();
        devices.dedup();
        devices
            .iter()
            .filter_map(|device| self.cache(device))
            .collect()
    }

    /// Whether there is a cache at all.
    pub fn has_caches(&self) -> bool {
        !self.owners_of_all.is_empty()
    }

    /// Whether every key has the owners that it has in another config.
    pub fn has_same_owners(&self, other: &Self) -> bool {
        self.owners == other.owners
            && self.owners_by_region == other.owners_by_region
            && self.owners_of_all == other.owners_of_all
    }

    /// The caches that own the order of a service's purges, the first owner first: a service has one
    /// order everywhere.
    pub fn service_owners(&self, service: ServiceId, count: usize) -> Vec<PeerAddress> {
        let ranked = self.owners_of_all.rank(Target::Service(service), count);
        ranked
            .iter()
            .filter_map(|device| self.cache(device))
            .collect()
    }

    /// The service that has a root pinned, and what it is.
    pub fn pin_of(&self, root: &Hash) -> Option<(ServiceId, ContentRef)> {
        self.pins.get(root).copied()
    }

    /// The roots that a service has pinned, that of its site first.
    pub fn pins_of(&self, service: ServiceId) -> Vec<Hash> {
        let services = &self.chain.services;
        let config = services.iter().find(|config| config.id == service);
        let content = config.map(|config| &config.content);
        let site = content.and_then(|content| content.site);
        let pins = content.map_or(&[][..], |content| &content.pins);
        let pins = pins.iter().map(|pin| pin.content);
        let others = pins.filter(|pin| Some(*pin) != site);
        site.into_iter().chain(others).map(|pin| pin.root).collect()
    }

    /// Every registered gateway and cache.
    pub fn nodes(&self) -> impl Iterator<Item = DeviceId> + '_ {
        let serves = |node: &&NodeConfig| matches!(node.role, Role::Gateway | Role::Cache);
        self.nodes.values().filter(serves).map(|node| node.device)
    }

    /// A registered node.
    pub fn node(&self, device: &DeviceId) -> Option<&NodeConfig> {
        self.nodes.get(device)
    }

    /// Base URL of a gateway's public endpoint.
    pub fn public_url(&self, device: &DeviceId) -> Option<&str> {
        let node = self.nodes.get(device)?;
        let is_gateway = node.role == Role::Gateway;
        is_gateway.then(|| std::str::from_utf8(&node.public_url).ok())?
    }

    /// The chain's genesis hash, which every signature binds.
    pub fn genesis(&self) -> &GenesisHash {
        &self.chain.clock.genesis
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
        let node = self.nodes.get(device);
        node.is_some_and(|node| node.role == Role::Cache)
    }

    fn is_gateway(&self, device: &DeviceId) -> bool {
        self.is_gateway(device)
    }
}
