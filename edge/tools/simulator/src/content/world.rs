//! The network with all that is in it, and the loop that moves time.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use selvedge_edge_core_replication::{
    CopierInput, CopierRules, Input, Output, Placement, Ranked, Rules,
};
use selvedge_primitives_types::agent::NodeConfig;
use selvedge_primitives_types::{Account, DeviceId, Hash, Millis, Region, Role, Score};

use crate::content::cache::{Leaves, Peer, SimCache};
use crate::content::faults::Fault;
use crate::content::gateway::{Config, SimGateway};
use crate::content::judge::{Failure, Figures, Judge};
use crate::content::message::Message;
use crate::content::plan::{copier_rules, rules, Blob, Off, Plan, Trouble};
use crate::content::reads::Read;
use crate::network::Network;
use crate::schedule::Schedule;

/// Something that happens at a time.
#[derive(Debug)]
pub(crate) enum Event {
    Tick(usize),
    Wake(usize),
    Message {
        from: usize,
        to: usize,
        message: Message,
    },
    Config {
        gateway: usize,
        config: Rc<Config>,
    },
    Fault(Fault),
    Check,
    Read,
    ReadLate {
        read: u64,
        attempt: usize,
    },
}

/// All of it. Gateways have the first numbers, caches the next.
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) off: Option<Off>,
    pub(crate) random: StdRng,
    pub(crate) schedule: Schedule<Event>,
    pub(crate) network: Network,
    pub(crate) gateways: Vec<SimGateway>,
    pub(crate) caches: Vec<SimCache>,
    pub(crate) numbers: BTreeMap<DeviceId, usize>,
    pub(crate) blobs: BTreeMap<Hash, Blob>,
    /// Gateways that the chain knows.
    pub(crate) registered: BTreeSet<usize>,
    pub(crate) version: u64,
    pub(crate) reads: BTreeMap<u64, Read>,
    pub(crate) judge: Judge,
    copier_rules: CopierRules,
    /// The bounds that hold, whatever is followed.
    stated: (Rules, CopierRules),
}

pub(crate) fn device(seed: u64, number: usize) -> DeviceId {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"device").update(&seed.to_le_bytes());
    let hash = hasher.update(&(number as u64).to_le_bytes()).finalize();
    DeviceId(*hash.as_bytes())
}

pub(crate) fn region(number: usize) -> Region {
    Region::parse(["eu", "us", "asia", "sa"][number % 4]).unwrap_or_default()
}

impl World {
    pub(crate) fn new(plan: Plan, off: Option<Off>) -> Self {
        let mut random = StdRng::seed_from_u64(plan.seed ^ 0x5e1d_ed6e);
        let stated = (rules(), copier_rules());
        let (mut rules, mut copier_rules) = stated.clone();
        match off {
            Some(Off::Repair) => rules.grace = Millis(u64::MAX),
            Some(Off::Grace) => rules.grace = rules.suspect,
            Some(Off::Caps) => {
                (rules.rate, rules.burst, rules.in_flight) = (1 << 40, 1 << 40, 1 << 40);
                rules.per_node = 1 << 40;
                (copier_rules.rate, copier_rules.burst) = (1 << 40, 1 << 40);
            }
            _ => {}
        }
        let count = plan.gateways + plan.caches;
        let regions = (0..count).map(|number| number % plan.regions).collect();
        let network = Network::new(regions, plan.regions, plan.lost, &mut random);
        let gateways = (0..plan.gateways)
            .map(|number| SimGateway::new(device(plan.seed, number), rules.clone()));
        let gateways = gateways.collect();
        let largest = plan.blobs.iter().map(|blob| blob.content.length).max();
        let mut world = Self {
            gateways,
            caches: Vec::new(),
            numbers: BTreeMap::new(),
            blobs: plan
                .blobs
                .iter()
                .map(|blob| (blob.content.root, *blob))
                .collect(),
            registered: (0..plan.gateways).collect(),
            version: 0,
            reads: BTreeMap::new(),
            judge: Judge::new(largest.unwrap_or(0)),
            copier_rules,
            stated,
            schedule: Schedule::default(),
            network,
            random,
            off,
            plan,
        };
        for number in 0..world.plan.caches {
            world.add_cache(number);
        }
        world.place();
        world
    }

    fn add_cache(&mut self, cache: usize) {
        let number = self.plan.gateways + cache;
        let device = device(self.plan.seed, number);
        let line = if self.plan.slow.contains(&cache) {
            300
        } else {
            20_000
        };
        let rules = self.copier_rules.clone();
        self.caches
            .push(SimCache::new(device, region(number), rules, line));
        self.numbers.insert(device, number);
    }

    /// A cache that the plan did not have.
    pub(crate) fn join(&mut self) {
        let cache = self.caches.len();
        self.network
            .regions
            .push((self.plan.gateways + cache) % self.plan.regions);
        self.add_cache(cache);
    }

    /// Gives every blob to its owners.
    fn place(&mut self) {
        let placement = Ranked::new(&self.config().nodes);
        for blob in self.blobs.values() {
            for owner in placement.owners(&blob.content.root, usize::from(blob.factor)) {
                let cache = self.numbers[&owner] - self.plan.gateways;
                self.caches[cache].holds.insert(blob.content.root);
            }
        }
    }

    /// The first owner of a blob among some caches.
    pub(crate) fn first_of(&self, root: &Hash, among: &[usize]) -> Option<usize> {
        let placement = Ranked::new(&self.config().nodes);
        let order = placement.owners(root, self.caches.len());
        let order = order
            .iter()
            .map(|owner| self.numbers[owner] - self.plan.gateways);
        order.into_iter().find(|cache| among.contains(cache))
    }

    /// What the chain says now.
    pub(crate) fn config(&self) -> Config {
        let node = |device, role, region, draining| NodeConfig {
            device,
            operator: Account(DeviceId::default().0),
            role,
            region,
            endpoint: Vec::new(),
            public_url: Vec::new(),
            capacity: 1,
            quality: Score(1_000_000),
            draining,
        };
        let caches = self.caches.iter().filter(|cache| cache.is_registered);
        let caches =
            caches.map(|cache| node(cache.device, Role::Cache, cache.region, cache.drains));
        let gateways = self.registered.iter();
        let gateways = gateways.map(|number| {
            let gateway = &self.gateways[*number];
            node(gateway.device, Role::Gateway, region(*number), false)
        });
        Config {
            version: self.version,
            nodes: caches.chain(gateways).collect(),
            blobs: self.blobs.values().copied().collect(),
        }
    }

    /// Every gateway hears of it within two blocks.
    pub(crate) fn publish(&mut self) {
        self.version += 1;
        let config = Rc::new(self.config());
        for gateway in 0..self.gateways.len() {
            let delay = if self.version == 1 {
                0
            } else {
                self.random.gen_range(1_000..12_000)
            };
            let config = config.clone();
            self.schedule
                .after(delay, Event::Config { gateway, config });
        }
    }

    pub(crate) fn run(mut self) -> Result<Figures, Failure> {
        self.publish();
        for gateway in 0..self.gateways.len() {
            self.schedule
                .after(1 + 80 * gateway as u64, Event::Tick(gateway));
        }
        for (at, wave) in self.plan.waves.clone() {
            self.schedule.after(at, Event::Fault(Fault::Wave(wave)));
        }
        self.schedule.after(1_000, Event::Check);
        self.schedule.after(5_000, Event::Read);
        while let Some(event) = self.schedule.next(self.plan.end) {
            self.happen(event);
            if let Some(failure) = self.judge.failure.take() {
                return Err(failure);
            }
        }
        Ok(self.judge.figures)
    }

    fn happen(&mut self, event: Event) {
        let now = self.schedule.now();
        match event {
            Event::Tick(number) if self.gateways[number].is_up => {
                self.gateways[number].input(now, Input::Tick);
                self.drain_gateway(number);
                for (to, message) in self.gateways[number].again(now) {
                    if let Some(to) = self.numbers.get(&to).copied() {
                        self.send(number, to, message);
                    }
                }
                self.schedule.after(250, Event::Tick(number));
            }
            Event::Wake(cache) if self.caches[cache].is_up => {
                self.caches[cache].input(now, CopierInput::Tick);
                self.drain_cache(cache);
            }
            Event::Config { gateway, config } if self.gateways[gateway].is_up => {
                let hears_drains = self.off != Some(Off::Drains);
                self.gateways[gateway].take(now, &config, hears_drains);
                self.drain_gateway(gateway);
            }
            Event::Tick(_) | Event::Wake(_) | Event::Config { .. } => {}
            Event::Message { from, to, message } => self.arrive(from, to, message),
            Event::Fault(fault) => self.befall(fault),
            Event::Check => {
                self.judge.check(now);
                self.schedule.after(1_000, Event::Check);
            }
            Event::Read => {
                self.begin_read();
                self.schedule.after(400, Event::Read);
            }
            Event::ReadLate { read, attempt } => self.read_on(read, attempt),
        }
    }

    pub(crate) fn send(&mut self, from: usize, to: usize, message: Message) {
        self.send_after(0, from, to, message);
    }

    fn send_after(&mut self, wait: u64, from: usize, to: usize, message: Message) {
        if let Some(delay) = self
            .network
            .carry(from, to, message.is_stream(), &mut self.random)
        {
            self.schedule
                .after(wait + delay, Event::Message { from, to, message });
        }
    }

    fn drain_gateway(&mut self, number: usize) {
        let now = self.schedule.now();
        for output in self.gateways[number].drain(now) {
            let (cache, message) = match output {
                Output::Ask { cache, roots } => (cache, Message::Ask(roots)),
                Output::Copy {
                    content,
                    service,
                    to,
                    from,
                } => {
                    self.judge
                        .begun(now, number, content.length, &self.stated.0);
                    if self.plan.trouble == Trouble::Short {
                        self.judge.fail(Failure::MovedForNothing { at: now });
                    }
                    let ordered = &self.gateways[number].ordered;
                    let target = ordered.iter().filter(|((_, of), _)| *of == to);
                    let target = target.map(|(_, of)| of.bytes).sum();
                    let all = ordered.values().map(|of| of.bytes).sum();
                    self.judge.in_flight(now, all, target, &self.stated.0);
                    let message = Message::Copy {
                        content,
                        service,
                        from,
                    };
                    (to, message)
                }
                Output::Cancel { root, to } => (to, Message::Cancel(root)),
                Output::Challenge { .. } if self.off == Some(Off::Challenges) => continue,
                Output::Challenge { content, cache, .. } => {
                    (cache, Message::Challenge(content.root))
                }
                Output::Excess { root, cache } => (cache, Message::Drop(root)),
                Output::Liar { .. } => {
                    self.judge.figures.named += 1;
                    continue;
                }
                Output::Unavailable { .. } | Output::Timeout(_) => continue,
            };
            if let Some(to) = self.numbers.get(&cache).copied() {
                self.send(number, to, message);
            }
        }
    }

    fn drain_cache(&mut self, cache: usize) {
        let now = self.schedule.now();
        let number = self.plan.gateways + cache;
        for leaves in self.caches[cache].drain(now) {
            match leaves {
                Leaves::Wake(at) => {
                    self.schedule
                        .after(at.saturating_sub(now), Event::Wake(cache));
                }
                Leaves::Kept(root) => self.recount(&root),
                Leaves::Asked(bytes) => {
                    self.judge.asked(now, number, bytes, &self.stated.1);
                }
                Leaves::Send { to, message } => {
                    let to = match to {
                        Peer::Number(number) => Some(number),
                        Peer::Device(device) => self.numbers.get(&device).copied(),
                    };
                    if let Some(to) = to {
                        self.send(number, to, message);
                    }
                }
            }
        }
    }

    fn arrive(&mut self, from: usize, to: usize, message: Message) {
        match to.checked_sub(self.plan.gateways) {
            Some(cache) if self.caches[cache].is_up => self.arrive_at_cache(from, cache, message),
            None if self.gateways[to].is_up => self.arrive_at_gateway(from, to, message),
            _ => {}
        }
    }

    fn arrive_at_gateway(&mut self, from: usize, to: usize, message: Message) {
        let now = self.schedule.now();
        let cache = self.caches[from - self.plan.gateways].device;
        let input = match message {
            Message::Have(roots) => Input::Have { cache, roots },
            Message::Copied { root, failure } => match failure {
                None => Input::CopyDone { root, to: cache },
                Some(why) => Input::CopyFailed {
                    root,
                    to: cache,
                    why,
                },
            },
            Message::Shown { root, passed } => Input::Challenged {
                root,
                cache,
                passed,
            },
            Message::Found { read, is_right } => return self.found(read, is_right),
            _ => return,
        };
        self.gateways[to].input(now, input);
        self.drain_gateway(to);
    }

    fn arrive_at_cache(&mut self, from: usize, cache: usize, message: Message) {
        let now = self.schedule.now();
        let number = self.plan.gateways + cache;
        let own = &mut self.caches[cache];
        let source = |numbers: &BTreeMap<DeviceId, usize>| {
            let found = numbers.iter().find(|(_, number)| **number == from);
            found.map(|(device, _)| *device).unwrap_or_default()
        };
        let answer = match message {
            Message::Ask(roots) => {
                let has = |root: Hash| (root, own.lies || own.holds.contains(&root));
                Some(Message::Have(roots.into_iter().map(has).collect()))
            }
            Message::Challenge(root) => {
                let passed = !own.lies && own.holds.contains(&root);
                Some(Message::Shown { root, passed })
            }
            Message::Read { read, root } => {
                let is_right = !own.lies && own.holds.contains(&root);
                Some(Message::Found { read, is_right })
            }
            Message::Copy {
                content,
                service,
                from: sources,
            } => own.order(now, from, content, service, sources),
            Message::Cancel(root) => {
                own.input(now, CopierInput::Cancel { root });
                None
            }
            Message::Drop(root) => {
                self.judge.figures.spare += u64::from(own.holds.remove(&root));
                self.recount(&root);
                None
            }
            Message::Fetch { root, range } => {
                let answer = own.give(root, range.end);
                if matches!(answer, Message::Given { .. }) {
                    own.line_free = own.line_free.max(now) + (range.end - range.start) / own.line;
                    let wait = own.line_free - now;
                    return self.send_after(wait, number, from, answer);
                }
                Some(answer)
            }
            Message::Given { root, to } => {
                own.input(now, CopierInput::Fetched { root, to });
                None
            }
            Message::NotGiven { root, why } => {
                let from = source(&self.numbers);
                own.input(now, CopierInput::Failed { root, from, why });
                None
            }
            _ => None,
        };
        if let Some(answer) = answer {
            self.send(number, from, answer);
        }
        self.drain_cache(cache);
    }

    /// Counts the copies of a blob, for good.
    pub(crate) fn recount(&mut self, root: &Hash) {
        let Some(blob) = self.blobs.get(root) else {
            return;
        };
        let copies = self.caches.iter().filter(|cache| cache.has(root)).count();
        let may_own = |cache: &&SimCache| {
            cache.is_registered && !cache.is_dead && !cache.lies && !cache.drains
        };
        let most = self.caches.iter().filter(may_own).count();
        if copies == 0 {
            let (at, factor) = (self.schedule.now(), blob.factor);
            self.judge.fail(Failure::Lost { at, factor });
        }
        if copies < usize::from(blob.factor).min(most) {
            self.judge.short.insert(*root);
        } else {
            self.judge.short.remove(root);
        }
    }
}
