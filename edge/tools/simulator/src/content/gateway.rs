//! A gateway: a real steward, and visitors that read.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use selvedge_edge_core_replication::{
    Cache, Input, Limits, Output, Placement, Ranked, Rules, Steward, Wanted,
};
use selvedge_primitives_types::agent::NodeConfig;
use selvedge_primitives_types::{DeviceId, Hash, Millis, Role, ServiceId};

use crate::content::message::Message;
use crate::content::plan::Blob;

/// What the chain says.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) version: u64,
    pub(crate) nodes: Vec<NodeConfig>,
    pub(crate) blobs: Vec<Blob>,
}

/// One gateway.
#[derive(Debug)]
pub(crate) struct SimGateway {
    pub(crate) device: DeviceId,
    pub(crate) is_up: bool,
    pub(crate) steward: Steward<Ranked>,
    version: u64,
    current: Ranked,
    previous: Ranked,
    /// What it keeps for the services whose steward it is.
    kept: BTreeMap<Hash, (ServiceId, u8)>,
    /// Copies that it ordered, with their bytes: counted apart from the steward's own books.
    pub(crate) ordered: BTreeMap<(Hash, DeviceId), Ordered>,
}

/// A copy that was ordered and is not known to be over.
#[derive(Clone, Debug)]
pub(crate) struct Ordered {
    pub(crate) bytes: u64,
    order: Message,
    sent: u64,
}

/// How often an order is sent again, which asks how it goes.
const AGAIN: u64 = 5_000;

impl SimGateway {
    pub(crate) fn new(device: DeviceId, rules: Rules) -> Self {
        Self {
            device,
            is_up: true,
            steward: Steward::new(device, rules, Limits::default(), Millis(0)),
            version: 0,
            current: Ranked::default(),
            previous: Ranked::default(),
            kept: BTreeMap::new(),
            ordered: BTreeMap::new(),
        }
    }

    /// Takes what the chain says, unless it knows something newer.
    pub(crate) fn take(&mut self, now: u64, config: &Rc<Config>, hears_drains: bool) {
        if config.version <= self.version {
            return;
        }
        self.version = config.version;
        let caches = config.nodes.iter().filter(|node| node.role == Role::Cache);
        let mut caches: Vec<NodeConfig> = caches.cloned().collect();
        if !hears_drains {
            caches.iter_mut().for_each(|node| node.draining = false);
        }
        self.previous = std::mem::replace(&mut self.current, Ranked::new(&caches));
        let cache = |node: &NodeConfig| Cache {
            device: node.device,
            region: node.region,
            draining: node.draining,
        };
        let input = Input::Caches {
            caches: caches.iter().map(cache).collect(),
            placement: self.current.clone(),
        };
        self.input(now, input);
        self.take_blobs(now, config);
    }

    fn take_blobs(&mut self, now: u64, config: &Config) {
        let gateways = config
            .nodes
            .iter()
            .filter(|node| node.role == Role::Gateway);
        let gateways: Vec<DeviceId> = gateways.map(|node| node.device).collect();
        let is_mine = |blob: &&Blob| steward_of(&gateways, blob.service) == Some(self.device);
        let mine: BTreeMap<Hash, Blob> = config
            .blobs
            .iter()
            .filter(is_mine)
            .map(|blob| (blob.content.root, *blob))
            .collect();
        let services: BTreeSet<ServiceId> = mine.values().map(|blob| blob.service).collect();
        let known: BTreeSet<ServiceId> = self.kept.values().map(|(service, _)| *service).collect();
        for service in services.union(&known).copied().collect::<Vec<_>>() {
            let of = self.kept.iter().filter(|(_, (of, _))| *of == service);
            let gone = of.filter(|(root, _)| !mine.contains_key(*root));
            let gone: Vec<Hash> = gone.map(|(root, _)| *root).collect();
            let new = mine.values().filter(|blob| blob.service == service);
            let new = new.filter(|blob| !self.kept.contains_key(&blob.content.root));
            let kept: Vec<Wanted> = new
                .map(|blob| Wanted {
                    content: blob.content,
                    factor: blob.factor,
                })
                .collect();
            let input = Input::Objects {
                service,
                kept,
                gone,
            };
            self.input(now, input);
        }
        let kept = mine.into_iter();
        self.kept = kept
            .map(|(root, blob)| (root, (blob.service, blob.factor)))
            .collect();
    }

    /// Tells the steward. What it does not know is an answer that came after a change of the config.
    pub(crate) fn input(&mut self, now: u64, input: Input<Ranked>) {
        let done = match &input {
            Input::CopyDone { root, to } | Input::CopyFailed { root, to, .. } => {
                vec![(*root, *to)]
            }
            Input::Have { cache, roots } => {
                let complete = roots.iter().filter(|(_, is_complete)| *is_complete);
                complete.map(|(root, _)| (*root, *cache)).collect()
            }
            _ => Vec::new(),
        };
        for key in done {
            self.ordered.remove(&key);
        }
        self.steward.handle_input(Millis(now), input).unwrap_or(());
    }

    /// What the steward wants done.
    pub(crate) fn drain(&mut self, now: u64) -> Vec<Output> {
        let mut outputs = Vec::new();
        loop {
            let output = self.steward.poll_output();
            match &output {
                Output::Timeout(_) => return outputs,
                Output::Copy {
                    content,
                    service,
                    to,
                    from,
                } => {
                    let order = Message::Copy {
                        content: *content,
                        service: *service,
                        from: from.clone(),
                    };
                    let ordered = Ordered {
                        bytes: content.length,
                        order,
                        sent: now,
                    };
                    self.ordered.insert((content.root, *to), ordered);
                }
                Output::Cancel { root, to } => {
                    self.ordered.remove(&(*root, *to));
                }
                _ => {}
            }
            outputs.push(output);
        }
    }

    /// Orders that are sent again.
    pub(crate) fn again(&mut self, now: u64) -> Vec<(DeviceId, Message)> {
        let is_due = |ordered: &Ordered| ordered.sent + AGAIN <= now;
        let due = self.ordered.iter_mut().filter(|(_, of)| is_due(of));
        due.map(|((_, to), ordered)| {
            ordered.sent = now;
            (*to, ordered.order.clone())
        })
        .collect()
    }

    /// Whom a visitor's request asks, in order: the owners, then those of the config before.
    pub(crate) fn readers_order(&self, root: &Hash, count: usize) -> Vec<DeviceId> {
        let mut order = self.current.owners(root, count);
        for device in self.previous.owners(root, count) {
            if !order.contains(&device) {
                order.push(device);
            }
        }
        order
    }
}

/// The first gateway of rendezvous hashing for a service.
fn steward_of(gateways: &[DeviceId], service: ServiceId) -> Option<DeviceId> {
    use selvedge_edge_core_routing::{Candidate, Owners, Target};
    let candidate = |device: &DeviceId| Candidate {
        device: *device,
        weight: 1,
        is_draining: false,
    };
    let owners = Owners::from_candidates(gateways.iter().map(candidate).collect());
    owners.first(Target::Service(service))
}

/// The steward of a service, by what the chain says.
pub(crate) fn steward(config: &Config, service: ServiceId) -> Option<DeviceId> {
    let gateways = config
        .nodes
        .iter()
        .filter(|node| node.role == Role::Gateway);
    let gateways: Vec<DeviceId> = gateways.map(|node| node.device).collect();
    steward_of(&gateways, service)
}
