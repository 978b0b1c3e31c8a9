//! Caches that answer at once, and a clock that is moved by hand.

use std::collections::{BTreeMap, BTreeSet};

use selvedge_edge_core_replication::{
    Cache, CopyFailure, Input, Limits, Output, Ranked, Rules, Steward, Wanted,
};
use selvedge_primitives_types::agent::NodeConfig;
use selvedge_primitives_types::{
    Account, ContentKind, ContentRef, DeviceId, Hash, Millis, Region, Role, Score, ServiceId,
};

pub const SERVICE: ServiceId = ServiceId(1);
pub const REGIONS: [&str; 4] = ["eu", "us", "asia", "sa"];

pub fn device(id: u8) -> DeviceId {
    DeviceId([id; 32])
}

pub fn blob(id: u32, length: u64) -> ContentRef {
    let mut root = [7; 32];
    root[..4].copy_from_slice(&id.to_le_bytes());
    ContentRef {
        root,
        length,
        kind: ContentKind::File,
    }
}

#[derive(Clone, Debug, Default)]
pub struct Peer {
    pub holds: BTreeSet<Hash>,
    pub is_down: bool,
    pub is_draining: bool,
    /// Says that it holds everything.
    pub lies: bool,
    pub is_full: bool,
}

pub struct Net {
    pub steward: Steward<Ranked>,
    pub peers: BTreeMap<DeviceId, Peer>,
    pub now: u64,
    /// Whether copies are made at once.
    pub copies: bool,
    /// All that was said, with when.
    pub said: Vec<(u64, Output)>,
}

impl Net {
    /// So many caches over four regions, copies of whatever is ordered made at once.
    pub fn new(count: u8, rules: Rules) -> Self {
        Self::bounded(count, rules, Limits::default())
    }

    pub fn bounded(count: u8, rules: Rules, limits: Limits) -> Self {
        let mut net = Self {
            steward: Steward::new(device(200), rules, limits, Millis(1_000)),
            peers: (1..=count)
                .map(|id| (device(id), Peer::default()))
                .collect(),
            now: 1_000,
            copies: true,
            said: Vec::new(),
        };
        net.tell_caches();
        net
    }

    pub fn nodes(&self) -> Vec<NodeConfig> {
        let node = |(device, peer): (&DeviceId, &Peer)| NodeConfig {
            device: *device,
            operator: Account(device.0),
            role: Role::Cache,
            region: region(device),
            endpoint: Vec::new(),
            public_url: Vec::new(),
            capacity: 1,
            quality: Score(1_000_000),
            draining: peer.is_draining,
        };
        self.peers.iter().map(node).collect()
    }

    pub fn tell_caches(&mut self) {
        let nodes = self.nodes();
        let cache = |node: &NodeConfig| Cache {
            device: node.device,
            region: node.region,
            draining: node.draining,
        };
        self.input(Input::Caches {
            caches: nodes.iter().map(cache).collect(),
            placement: Ranked::new(&nodes),
        });
    }

    pub fn keep(&mut self, contents: &[ContentRef], factor: u8) {
        let wanted = |content: &ContentRef| Wanted {
            content: *content,
            factor,
        };
        self.input(Input::Objects {
            service: SERVICE,
            kept: contents.iter().map(wanted).collect(),
            gone: Vec::new(),
        });
    }

    /// Blobs that their owners hold already.
    pub fn seed(&mut self, contents: &[ContentRef], factor: u8) {
        self.keep(contents, factor);
        for content in contents {
            for owner in self.owners(content, usize::from(factor)) {
                self.peer(owner).holds.insert(content.root);
            }
        }
    }

    pub fn owners(&self, content: &ContentRef, count: usize) -> Vec<DeviceId> {
        use selvedge_edge_core_replication::Placement;
        Ranked::new(&self.nodes()).owners(&content.root, count)
    }

    pub fn peer(&mut self, device: DeviceId) -> &mut Peer {
        self.peers.get_mut(&device).unwrap()
    }

    pub fn copies_of(&self, content: &ContentRef) -> usize {
        let holding = |peer: &&Peer| !peer.is_down && peer.holds.contains(&content.root);
        self.peers.values().filter(holding).count()
    }

    pub fn input(&mut self, input: Input<Ranked>) {
        self.steward.handle_input(Millis(self.now), input).unwrap();
        self.drain();
    }

    pub fn drain(&mut self) {
        loop {
            let output = self.steward.poll_output();
            if matches!(output, Output::Timeout(_)) {
                return;
            }
            self.said.push((self.now, output.clone()));
            if let Some(input) = self.answer(output) {
                self.steward.handle_input(Millis(self.now), input).unwrap();
            }
        }
    }

    fn answer(&mut self, output: Output) -> Option<Input<Ranked>> {
        match output {
            Output::Ask { cache, roots } => {
                let peer = self.peers.get(&cache)?;
                if peer.is_down {
                    return Some(Input::Silent { cache });
                }
                let has = |root: Hash| (root, peer.lies || peer.holds.contains(&root));
                let roots = roots.into_iter().map(has).collect();
                Some(Input::Have { cache, roots })
            }
            Output::Copy {
                content, to, from, ..
            } if self.copies => {
                let root = content.root;
                let is_there = |device: &DeviceId| {
                    let peer = &self.peers[device];
                    !peer.is_down && peer.holds.contains(&root)
                };
                let has_source = from.iter().any(is_there);
                let peer = self.peers.get_mut(&to)?;
                if peer.is_down {
                    return None;
                }
                if peer.is_full || !has_source {
                    let why = match peer.is_full {
                        true => CopyFailure::Full,
                        false => CopyFailure::Failed,
                    };
                    return Some(Input::CopyFailed { root, to, why });
                }
                peer.holds.insert(root);
                Some(Input::CopyDone { root, to })
            }
            Output::Challenge { content, cache, .. } => {
                let peer = self.peers.get(&cache)?;
                let passed = peer.holds.contains(&content.root);
                (!peer.is_down).then_some(Input::Challenged {
                    root: content.root,
                    cache,
                    passed,
                })
            }
            _ => None,
        }
    }

    pub fn run(&mut self, millis: u64) {
        let end = self.now + millis;
        while self.now < end {
            self.now += 250;
            self.input(Input::Tick);
        }
    }

    /// Copies ordered since a moment: when, of what, to whom.
    pub fn ordered(&self, since: u64) -> Vec<(u64, Hash, DeviceId)> {
        let copy = |(at, output): &(u64, Output)| match output {
            Output::Copy { content, to, .. } if *at >= since => Some((*at, content.root, *to)),
            _ => None,
        };
        self.said.iter().filter_map(copy).collect()
    }

    pub fn said(&self, is: impl Fn(&Output) -> bool) -> usize {
        self.said.iter().filter(|(_, output)| is(output)).count()
    }
}

pub fn region(device: &DeviceId) -> Region {
    Region::parse(REGIONS[usize::from(device.0[0]) % REGIONS.len()]).unwrap()
}
