//! The chain, as far as daemons see it: a clock, nodes, services and prices that are pushed to
//! them.

use crate::{books::Books, daemon::Daemon, wait::wait_for};
use codec::Encode;
use ed25519_dalek::{Signer, SigningKey};
use selvedge_edge_core_routing::{Owners, Target};
use selvedge_primitives_math::lease::lease;
use selvedge_primitives_types::{
    agent::{
        BlockRef, ClockConfig, ConfigDelta, NodeConfig, SectionVersions, ServiceConfig,
        ServiceState,
    },
    Account, ContentConfig, CustomerSignature, DeviceId, Domain, Epoch, GenesisHash, Hash, Millis,
    Planck, PriceList, Prices, Region, Role, Score, ServiceId, Signature64, Usage,
};
use std::{
    collections::HashMap,
    time::{SystemTime, UNIX_EPOCH},
};

/// A service of a customer.
#[derive(Clone, Debug)]
pub struct Site {
    /// The service.
    pub id: ServiceId,
    /// Who pays.
    pub customer: Account,
    /// Host names.
    pub hosts: Vec<String>,
    /// Base URL of the origin.
    pub origin: String,
    /// What may be charged in an epoch, by all gateways together.
    pub cap: Planck,
    /// What each gateway may serve in an epoch without charge.
    pub free: Usage,
    /// Whether it is served.
    pub state: ServiceState,
    /// What it keeps in the network.
    pub content: ContentConfig,
}

impl Site {
    /// Service 1 for `site.test`, with as much money as nobody ever spends.
    pub fn new(origin: String) -> Self {
        Self::numbered(1, "site.test", origin)
    }

    /// A service for one host.
    pub fn numbered(id: u64, host: &str, origin: String) -> Self {
        Self {
            id: ServiceId(id),
            customer: Account(customer_key(id).verifying_key().to_bytes()),
            hosts: vec![host.to_owned()],
            origin,
            cap: 1 << 80,
            free: Usage::ZERO,
            state: ServiceState::Active,
            content: ContentConfig::default(),
        }
    }
}

/// Every test network's genesis hash.
pub const GENESIS: GenesisHash = [0x5e; 32];

/// The key of the account that pays for a service, the same in every run.
pub fn customer_key(service: u64) -> SigningKey {
    let mut seed = [0xc0; 32];
    seed[..8].copy_from_slice(&service.to_le_bytes());
    SigningKey::from_bytes(&seed)
}

impl Site {
    /// Signs as its customer does.
    pub fn sign(
        &self,
        domain: Domain,
        genesis: &GenesisHash,
        payload: &impl Encode,
    ) -> CustomerSignature {
        let signature = customer_key(self.id.0).sign(&domain.message(genesis, payload));
        CustomerSignature::Ed25519(Signature64(signature.to_bytes()))
    }
}

/// What is on the chain.
#[derive(Clone, Debug)]
pub struct Chain {
    /// Its genesis hash.
    pub genesis: GenesisHash,
    /// The current epoch.
    pub epoch: Epoch,
    epoch_start: Millis,
    /// Length of an epoch. It ends when a test says so; a test must only be over before.
    pub epoch_length: Millis,
    /// Registered nodes.
    pub nodes: Vec<NodeConfig>,
    /// Services.
    pub sites: Vec<Site>,
    /// The one price list.
    pub prices: PriceList,
    /// Epochs up to which everything is credited.
    pub done_through: Option<Epoch>,
    block: u32,
}

impl Chain {
    /// An epoch that has just begun. A request costs 10 planck, an octet to a visitor half a
    /// planck, an octet from an origin a quarter.
    pub fn new() -> Self {
        let one = 1 << Prices::FRACTION_BITS;
        Self {
            genesis: GENESIS,
            epoch: Epoch(100),
            epoch_start: now(),
            epoch_length: Millis(3_600_000),
            nodes: Vec::new(),
            sites: Vec::new(),
            prices: PriceList {
                version: 1,
                prices: Prices([10 * one, one / 2, one / 4, 0, 0, 0]),
            },
            done_through: None,
            block: 1,
        }
    }

    /// Registers a daemon, or what is known of it anew.
    pub fn register(&mut self, daemon: &Daemon) {
        let (endpoint, public_url) = match daemon.role() {
            Role::Gateway => (
                daemon.address("http").to_string(),
                format!("http://{}", daemon.address("audit")),
            ),
            _ => (daemon.address("transport").to_string(), String::new()),
        };
        self.register_node(daemon.device(), daemon.role(), endpoint, public_url);
    }

    /// Registers a node by what is known of it.
    pub fn register_node(
        &mut self,
        device: DeviceId,
        role: Role,
        endpoint: String,
        public_url: String,
    ) {
        self.nodes.retain(|node| node.device != device);
        self.nodes.push(NodeConfig {
            device,
            operator: Account(device.0),
            role,
            region: Region::parse("eu").expect("a region"),
            endpoint: endpoint.into_bytes(),
            public_url: public_url.into_bytes(),
            capacity: 1,
            quality: Score::ONE,
            draining: false,
        });
    }

    /// The registered node of a device.
    pub fn node(&mut self, device: DeviceId) -> &mut NodeConfig {
        let found = self.nodes.iter_mut().find(|node| node.device == device);
        found.expect("it is registered")
    }

    /// A target of the first site that a cache is the first owner of.
    pub fn owned_by(&self, cache: DeviceId, target: &str) -> String {
        let (owners, site) = (Owners::everywhere(&self.nodes), &self.sites[0]);
        let host = &site.hosts[0];
        let owner = |target: &str| {
            let key = format!("http://{host}{target}");
            owners.first(Target::Key {
                service: site.id,
                key: key.as_bytes(),
            })
        };
        let mut targets = (0..1_000).map(|number| format!("{target}&n={number}"));
        let owned = targets.find(|target| owner(target) == Some(cache));
        owned.expect("a cache owns a thousandth")
    }

    /// What each gateway may charge for a site.
    pub fn lease(&self, site: &Site) -> Planck {
        let gateways = self
            .nodes
            .iter()
            .filter(|node| node.role == Role::Gateway)
            .count();
        lease(site.cap, gateways as u32)
    }

    /// The next epoch begins now.
    pub fn roll(&mut self) {
        self.epoch = self.epoch.next();
        self.epoch_start = now();
    }

    /// Everything, for a daemon that holds these sections.
    pub fn delta(&self, held: &SectionVersions) -> ConfigDelta {
        let services: Vec<ServiceConfig> =
            self.sites.iter().map(|site| self.service(site)).collect();
        let prices = vec![self.prices];
        let versions = SectionVersions {
            nodes: digest(&self.nodes),
            services: digest(&services),
            prices: digest(&prices),
        };
        ConfigDelta {
            block: BlockRef {
                number: self.block,
                parent: digest(&self.block),
            },
            clock: ClockConfig {
                genesis: self.genesis,
                epoch: self.epoch,
                epoch_start: self.epoch_start,
                epoch_length: self.epoch_length,
                now: now().max(self.epoch_start),
                keep_epochs: 24,
            },
            versions,
            nodes: (held.nodes != versions.nodes).then(|| self.nodes.clone()),
            services: (held.services != versions.services).then_some(services),
            prices: (held.prices != versions.prices).then_some(prices),
            committed: Vec::new(),
            done_through: self.done_through,
        }
    }

    fn service(&self, site: &Site) -> ServiceConfig {
        ServiceConfig {
            id: site.id,
            customer: site.customer,
            hosts: site
                .hosts
                .iter()
                .map(|host| host.clone().into_bytes())
                .collect(),
            origin: site.origin.clone().into_bytes(),
            price_version: self.prices.version,
            lease: self.lease(site),
            free: site.free,
            state: site.state,
            content: site.content.clone(),
        }
    }

    /// Pushes what a daemon does not hold yet, as the chain node does at each block.
    ///
    /// Panics when it does not take it.
    pub async fn push(&mut self, daemon: &Daemon) {
        self.block += 1;
        let control = daemon.control();
        let delta = self.delta(&control.status().await.versions);
        let status = control.configure(&delta).await;
        let status =
            status.unwrap_or_else(|error| panic!("{} takes no config: {error}", daemon.name()));
        assert_eq!(
            (status.device, status.role),
            (daemon.device(), daemon.role())
        );
        assert_eq!(status.versions, delta.versions);
    }

    /// The books of a gateway for an epoch that has use, once it is closed.
    pub async fn books(&self, gateway: &Daemon, epoch: Epoch) -> Books {
        let control = gateway.control();
        let what = format!("the closing of epoch {epoch} at {}", gateway.name());
        wait_for(what, || Books::pull(&control, gateway.device(), epoch)).await
    }

    /// Who is registered in which role, by device.
    pub fn roles(&self) -> HashMap<DeviceId, Role> {
        self.nodes
            .iter()
            .map(|node| (node.device, node.role))
            .collect()
    }
}

impl Default for Chain {
    fn default() -> Self {
        Self::new()
    }
}

fn digest(value: &impl Encode) -> Hash {
    *blake3::hash(&value.encode()).as_bytes()
}

/// Now, since the Unix epoch.
pub fn now() -> Millis {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    Millis(since.as_millis() as u64)
}
