//! Who there is: nodes, their roles and regions, and the people who own them.

use crate::identity::{Person, Seed};
use serde::{Deserialize, Serialize};
use std::net::TcpListener;

/// Everything that is decided once and kept: keys, names, ports.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The validators; each drives some of the daemons.
    pub validators: Vec<Validator>,
    /// The gateways and caches.
    pub daemons: Vec<Daemon>,
    /// Who pays for the site.
    pub customer: Person,
    /// Where the site's origin listens.
    pub origin_port: u16,
}

/// A chain node.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validator {
    /// Its name, and its folder's.
    pub name: String,
    /// Who owns its stake.
    pub owner: Person,
    /// Its device key; the device's account is the validator's id.
    pub device: Seed,
    /// Seed of its session keys.
    pub session: Seed,
    /// Its network identity.
    pub node_key: Seed,
    /// Port for its peers.
    pub p2p_port: u16,
    /// Port for light clients, over WebSocket.
    pub light_port: u16,
    /// Port of its JSON-RPC.
    pub rpc_port: u16,
    /// Port of its metrics.
    pub metrics_port: u16,
}

/// An edge daemon.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Daemon {
    /// Its name, and its folder's.
    pub name: String,
    /// `gateway` or `cache`.
    pub role: String,
    /// Its region.
    pub region: String,
    /// Who operates it.
    pub operator: Person,
    /// Its device key.
    pub device: Seed,
    /// Seed of the key that signs its transactions; it lives in the keystore of its chain node.
    pub agent: Seed,
    /// Token of its control endpoint.
    pub token: Seed,
    /// Which validator drives it.
    pub driver: usize,
    /// Port where its chain node reaches it.
    pub control_port: u16,
    /// Port where anybody fetches proofs.
    pub audit_port: u16,
    /// Port where other nodes reach it.
    pub transport_port: u16,
    /// Port of health and metrics.
    pub admin_port: u16,
    /// Port where visitors reach it over HTTP; gateways only.
    pub http_port: u16,
}

/// Regions of the daemons.
const REGIONS: [&str; 2] = ["eu-west", "us-east"];

impl Plan {
    /// Makes a plan with new keys and free ports: a gateway per region, and caches spread over the regions.
    pub fn new(validators: usize, gateways: usize, caches: usize) -> std::io::Result<Self> {
        let mut ports = Ports::default();
        let validators = (1..=validators)
            .map(|number| {
                Ok(Validator {
                    name: format!("validator-{number}"),
                    owner: Person::new(),
                    device: Seed::new(),
                    session: Seed::new(),
                    node_key: Seed::new(),
                    p2p_port: ports.next()?,
                    light_port: ports.next()?,
                    rpc_port: ports.next()?,
                    metrics_port: ports.next()?,
                })
            })
            .collect::<std::io::Result<Vec<_>>>()?;
        let gateways = (1..=gateways).map(|number| ("gateway", number));
        let caches = (1..=caches).map(|number| ("cache", number));
        let daemons = gateways
            .chain(caches)
            .enumerate()
            .map(|(index, (role, number))| {
                Ok(Daemon {
                    name: format!("{role}-{number}"),
                    role: role.into(),
                    region: REGIONS[(number - 1) % REGIONS.len()].into(),
                    operator: Person::new(),
                    device: Seed::new(),
                    agent: Seed::new(),
                    token: Seed::new(),
                    driver: index % validators.len(),
                    control_port: ports.next()?,
                    audit_port: ports.next()?,
                    transport_port: ports.next()?,
                    admin_port: ports.next()?,
                    http_port: ports.next()?,
                })
            })
            .collect::<std::io::Result<Vec<_>>>()?;
        Ok(Self {
            validators,
            daemons,
            customer: Person::new(),
            origin_port: ports.next()?,
        })
    }

    /// The daemons of a role.
    pub fn of_role<'a>(&'a self, role: &'a str) -> impl Iterator<Item = &'a Daemon> {
        self.daemons
            .iter()
            .filter(move |daemon| daemon.role == role)
    }
}

/// A free port of the loopback.
pub fn free_port() -> std::io::Result<u16> {
    Ports::default().next()
}

/// Free ports of the loopback, each given once. The listeners stay open until all are chosen, so that none comes twice.
#[derive(Default)]
struct Ports(Vec<TcpListener>);

impl Ports {
    fn next(&mut self) -> std::io::Result<u16> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        self.0.push(listener);
        Ok(port)
    }
}
