//! The nodes, their trouble, and what must hold of them.

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::Rng;
use selvedge_edge_core_purge::{Log, Verdict};
use selvedge_edge_core_routing::{Candidate, Owners, Target};
use selvedge_primitives_types::{DeviceId, PurgeKind, SignedPurgeOrder, SignedPurgeRequest};

use crate::network::Network;
use crate::purge::node::{key, request, Node, Record, KEYS, SERVICE};
use crate::purge::{Failure, Figures, Off};
use crate::schedule::Schedule;

const GATEWAYS: usize = 3;
const CACHES: usize = 6;
/// When trouble ends, and when all is to be in order again.
const TROUBLE: u64 = 120_000;
const END: u64 = 180_000;
/// Owners of a service that are asked for a number, and that gateways compare theirs with.
const OWNERS: usize = 3;
/// How long answers are waited for.
const PATIENCE: u64 = 2_000;
/// How far clocks are off, either way. Beyond about a second a number that was given late by a slow clock can be below
/// one under which something was fetched before, and only the nodes that know both notice.
const SKEW: i64 = 250;
/// Times that a purge is ordered.
const TRIES: u32 = 5;

#[derive(Debug)]
enum Message {
    /// Gateway to owner: a number, please.
    Order { purge: usize, above: u64 },
    /// The answer.
    Ordered {
        purge: usize,
        order: SignedPurgeOrder,
    },
    /// Gateway to all: obey.
    Obey {
        purge: usize,
        order: SignedPurgeOrder,
    },
    /// The answer: superseded by a number, or not.
    Obeyed {
        purge: usize,
        number: u64,
        superseded: Option<u64>,
    },
    /// Gateway to owners: what I have.
    Compare(Vec<SignedPurgeOrder>),
    /// The answer: what you lack.
    Lacks(Vec<SignedPurgeOrder>),
    /// A response.
    Record(Record),
    /// A response, please.
    Want(usize),
}

#[derive(Debug)]
enum Event {
    Message {
        from: usize,
        to: usize,
        message: Message,
    },
    /// A customer changed the origin, and asks for a purge.
    Purge,
    /// An owner has not answered.
    OwnerLate {
        purge: usize,
        step: u32,
    },
    /// All who answer have.
    Spread {
        purge: usize,
        step: u32,
    },
    Fetch,
    Fetched {
        gateway: usize,
        record: Record,
    },
    Sync(usize),
    Trouble,
}

/// A purge under way, or done.
#[derive(Debug)]
struct Purge {
    signed: SignedPurgeRequest,
    gateway: usize,
    asked: u64,
    above: u64,
    /// Rises with each thing that it waits for.
    step: u32,
    tries: u32,
    owner: usize,
    number: u64,
    acks: BTreeSet<usize>,
    superseded: Option<u64>,
    /// Nodes that keep it, once its receipt is made.
    kept: BTreeSet<usize>,
}

pub(crate) struct World {
    off: Option<Off>,
    random: StdRng,
    schedule: Schedule<Event>,
    network: Network,
    nodes: Vec<Node>,
    /// Caches as each gateway's config has them: they hear of changes at different times.
    configs: Vec<Vec<usize>>,
    purges: BTreeMap<usize, Purge>,
    figures: Figures,
    failure: Option<Failure>,
}

impl World {
    pub(crate) fn new(mut random: StdRng, off: Option<Off>) -> Self {
        let count = GATEWAYS + CACHES;
        let regions = (0..count).map(|number| number % 3).collect();
        let lost = random.gen_range(0..100);
        let node = |number: usize, random: &mut StdRng| Node {
            device: DeviceId(*blake3::hash(&[number as u8, random.gen()]).as_bytes()),
            skew: random.gen_range(-SKEW..SKEW),
            log: Log::default(),
            records: Vec::new(),
        };
        Self {
            network: Network::new(regions, 3, lost, &mut random),
            nodes: (0..count).map(|number| node(number, &mut random)).collect(),
            configs: vec![(GATEWAYS..count).collect(); GATEWAYS],
            off,
            schedule: Schedule::default(),
            purges: BTreeMap::new(),
            figures: Figures::default(),
            failure: None,
            random,
        }
    }

    pub(crate) fn run(mut self) -> Result<Figures, Failure> {
        // Clocks say a time that is far from zero, whatever they are off.
        self.schedule.after(1_000_000, Event::Fetch);
        self.happen_until(1_000_000);
        self.schedule.after(10, Event::Purge);
        self.schedule.after(3_000, Event::Trouble);
        for gateway in 0..GATEWAYS {
            self.schedule
                .after(500 * gateway as u64, Event::Sync(gateway));
        }
        self.happen_until(1_000_000 + END);
        self.agree();
        self.failure.map_or(Ok(self.figures), Err)
    }

    fn happen_until(&mut self, end: u64) {
        while self.failure.is_none() {
            let Some(event) = self.schedule.next(end) else {
                return;
            };
            self.happen(event);
        }
    }

    fn happen(&mut self, event: Event) {
        let is_trouble = self.schedule.now() < 1_000_000 + TROUBLE;
        match event {
            Event::Message { from, to, message } => self.arrive(from, to, message),
            Event::Purge if is_trouble => {
                self.begin();
                let pause = self.random.gen_range(200..6_000);
                self.schedule.after(pause, Event::Purge);
            }
            Event::Fetch if is_trouble => {
                let gateway = self.random.gen_range(0..GATEWAYS);
                let record = Record {
                    key: self.random.gen_range(0..KEYS),
                    generation: self.nodes[gateway].log.top(),
                    began: self.schedule.now(),
                };
                let time = self.random.gen_range(20..800);
                self.schedule
                    .after(time, Event::Fetched { gateway, record });
                let pause = self.random.gen_range(50..1_500);
                self.schedule.after(pause, Event::Fetch);
            }
            Event::Fetched { gateway, record } => {
                self.nodes[gateway].keep(record);
                self.judge(gateway);
                let cache = self.random.gen_range(GATEWAYS..self.nodes.len());
                self.send(gateway, cache, Message::Record(record));
                // Another gateway gets it from the cache some time.
                let other = self.random.gen_range(0..GATEWAYS);
                let cache = self.random.gen_range(GATEWAYS..self.nodes.len());
                self.send(other, cache, Message::Want(record.key));
            }
            Event::OwnerLate { purge, step } => {
                if self.is_at(purge, step) {
                    self.ask_owner(purge, true);
                }
            }
            Event::Spread { purge, step } => {
                if self.is_at(purge, step) {
                    self.conclude(purge);
                }
            }
            Event::Sync(gateway) => {
                if self.off != Some(Off::Sync) {
                    for owner in self.owners(gateway) {
                        let orders = self.nodes[gateway].log.orders().cloned().collect();
                        self.send(gateway, owner, Message::Compare(orders));
                    }
                }
                self.schedule.after(2_000, Event::Sync(gateway));
            }
            Event::Trouble => self.trouble(is_trouble),
            Event::Purge | Event::Fetch => {}
        }
    }

    /// Cuts the network, changes what a gateway takes for the caches, or ends both.
    fn trouble(&mut self, is_on: bool) {
        self.network.island.clear();
        if !is_on {
            self.network.lost = 0;
            self.configs = vec![(GATEWAYS..GATEWAYS + CACHES).collect(); GATEWAYS];
            return;
        }
        if self.random.gen() {
            let count = self.random.gen_range(1..self.nodes.len());
            let mut all: Vec<usize> = (0..self.nodes.len()).collect();
            all.shuffle(&mut self.random);
            self.network.island = all.into_iter().take(count).collect();
        }
        let gateway = self.random.gen_range(0..GATEWAYS);
        let mut caches: Vec<usize> = (GATEWAYS..GATEWAYS + CACHES).collect();
        caches.shuffle(&mut self.random);
        caches.truncate(self.random.gen_range(2..=CACHES));
        self.configs[gateway] = caches;
        let pause = self.random.gen_range(1_000..10_000);
        self.schedule.after(pause, Event::Trouble);
    }

    /// The service's owners, as a gateway's config has them.
    fn owners(&self, gateway: usize) -> Vec<usize> {
        let candidate = |number: &usize| Candidate {
            device: self.nodes[*number].device,
            weight: 1,
            is_draining: false,
        };
        let caches = self.configs[gateway].iter().map(candidate).collect();
        let order = Owners::from_candidates(caches).rank(Target::Service(SERVICE), OWNERS);
        let number = |device: &DeviceId| {
            let found = self.nodes.iter().position(|node| node.device == *device);
            found.unwrap_or_default()
        };
        order.iter().map(number).collect()
    }

    fn send(&mut self, from: usize, to: usize, message: Message) {
        if from == to {
            self.schedule.after(0, Event::Message { from, to, message });
        } else if let Some(delay) = self.network.carry(from, to, false, &mut self.random) {
            self.schedule
                .after(delay, Event::Message { from, to, message });
        }
    }

    fn begin(&mut self) {
        let number = self.purges.len();
        let gateway = self.random.gen_range(0..GATEWAYS);
        let kind = match self.random.gen_range(0..4) {
            0 => PurgeKind::Everything,
            _ => PurgeKind::Url(key(self.random.gen_range(0..KEYS))),
        };
        let purge = Purge {
            signed: request(number as u64, kind),
            gateway,
            asked: self.schedule.now(),
            above: self.nodes[gateway].log.top(),
            step: 0,
            tries: 0,
            owner: 0,
            number: 0,
            acks: BTreeSet::new(),
            superseded: None,
            kept: BTreeSet::new(),
        };
        self.purges.insert(number, purge);
        self.ask_owner(number, false);
    }

    fn is_at(&self, purge: usize, step: u32) -> bool {
        self.purges
            .get(&purge)
            .is_some_and(|purge| purge.step == step)
    }

    /// Asks the first owner for a number, or the next when that one was late.
    fn ask_owner(&mut self, number: usize, is_late: bool) {
        let Some(purge) = self.purges.get_mut(&number) else {
            return;
        };
        purge.step += 1;
        purge.owner = if is_late { purge.owner + 1 } else { 0 };
        let (gateway, owner, above, step) = (purge.gateway, purge.owner, purge.above, purge.step);
        let Some(owner) = self.owners(gateway).get(owner).copied() else {
            // No owner can be reached: the customer hears that.
            return;
        };
        let message = Message::Order {
            purge: number,
            above,
        };
        self.send(gateway, owner, message);
        let late = Event::OwnerLate {
            purge: number,
            step,
        };
        self.schedule.after(PATIENCE, late);
    }

    fn arrive(&mut self, from: usize, to: usize, message: Message) {
        let now = self.schedule.now();
        match message {
            Message::Order { purge, above } => {
                let signed = self.purges[&purge].signed.clone();
                let order = self.nodes[to].order(now, signed, above);
                self.send(to, from, Message::Ordered { purge, order });
            }
            Message::Ordered { purge, order } => self.spread(purge, order),
            Message::Obey { purge, order } => {
                let number = order.order.number;
                let superseded = self.nodes[to].offer(order);
                let answer = Message::Obeyed {
                    purge,
                    number,
                    superseded,
                };
                self.send(to, from, answer);
            }
            Message::Obeyed {
                purge,
                number,
                superseded,
            } => {
                let is_counted = self.off == Some(Off::Superseded);
                let Some(purge) = self.purges.get_mut(&purge) else {
                    return;
                };
                if purge.number == number {
                    match superseded.filter(|_| !is_counted) {
                        Some(above) => purge.superseded = purge.superseded.max(Some(above)),
                        None => {
                            purge.acks.insert(from);
                        }
                    }
                }
            }
            Message::Compare(orders) => {
                let theirs: BTreeSet<u64> = orders.iter().map(|order| order.order.number).collect();
                self.nodes[to].learn(orders);
                let ours = self.nodes[to].log.orders();
                let lacking = ours.filter(|order| !theirs.contains(&order.order.number));
                let lacking = lacking.cloned().collect();
                self.send(to, from, Message::Lacks(lacking));
            }
            Message::Lacks(orders) => self.nodes[to].learn(orders),
            Message::Record(record) => {
                let is_heard = self.off != Some(Off::Hearsay);
                self.nodes[to].receive(record, is_heard);
            }
            Message::Want(key) => {
                let node = &self.nodes[to];
                let mut fitting = node.records.iter().filter(|record| record.key == key);
                let found = fitting.find(|record| node.verdict(record) == Verdict::Current);
                if let Some(record) = found.copied() {
                    self.send(to, from, Message::Record(record));
                }
            }
        }
        self.judge(to);
    }

    /// The gateway has an order: hands it to everybody.
    fn spread(&mut self, number: usize, order: SignedPurgeOrder) {
        let Some(purge) = self.purges.get_mut(&number) else {
            return;
        };
        // An answer that came late is of a question that was asked of another since.
        if order.order.number <= purge.above || purge.number > purge.above {
            return;
        }
        purge.step += 1;
        purge.tries += 1;
        (purge.number, purge.superseded) = (order.order.number, None);
        purge.acks.clear();
        let (gateway, step) = (purge.gateway, purge.step);
        for to in 0..self.nodes.len() {
            let message = Message::Obey {
                purge: number,
                order: order.clone(),
            };
            self.send(gateway, to, message);
        }
        let event = Event::Spread {
            purge: number,
            step,
        };
        self.schedule.after(PATIENCE, event);
    }

    /// Makes the receipt, or has the purge ordered again.
    fn conclude(&mut self, number: usize) {
        let count = self.nodes.len();
        let Some(purge) = self.purges.get_mut(&number) else {
            return;
        };
        purge.step += 1;
        if let Some(above) = purge.superseded {
            if purge.tries < TRIES {
                self.figures.again += 1;
                purge.above = above;
                self.ask_owner(number, false);
            }
            return;
        }
        self.figures.purges += 1;
        self.figures.missing += (count - purge.acks.len()) as u64;
        purge.kept = purge.acks.clone();
        (0..count).for_each(|node| self.judge(node));
    }

    /// Whoever is in a receipt calls nothing current that was fetched before its purge was asked for.
    fn judge(&mut self, node: usize) {
        for record in &self.nodes[node].records {
            let verdict = self.nodes[node].verdict(record);
            self.figures.verdicts += 1;
            self.figures.doubtful += u64::from(verdict == Verdict::Doubtful);
            if verdict != Verdict::Current {
                continue;
            }
            let is_about = |purge: &Purge| match &purge.signed.request.kind {
                PurgeKind::Url(url) => *url == key(record.key),
                _ => true,
            };
            let escaped = self.purges.iter().find(|(_, purge)| {
                purge.kept.contains(&node) && record.began < purge.asked && is_about(purge)
            });
            if let Some((purge, _)) = escaped {
                self.failure.get_or_insert(Failure::Escaped {
                    at: self.schedule.now(),
                    node,
                    purge: *purge,
                    fetched: record.began,
                });
            }
        }
    }

    /// Long after all trouble gateways and the service's owners have the same orders.
    fn agree(&mut self) {
        let owners = self.owners(0);
        let nodes: Vec<usize> = (0..GATEWAYS).chain(owners).collect();
        let first = self.nodes[0].log.summary();
        for node in nodes {
            let log = &self.nodes[node].log;
            if log.summary() != first || !log.is_whole() {
                let at = self.schedule.now();
                self.failure.get_or_insert(Failure::Apart { at, node });
            }
        }
    }
}
