//! The logs of all services, with their file.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use parking_lot::{Mutex, RwLock};
use selvedge_edge_core_purge::{Floors, Log, Offer, Tags, Verdict};
use selvedge_edge_core_verify::sign::{device, sign};
use selvedge_edge_core_verify::SigningKey;
use selvedge_primitives_types::{
    DeviceId, Domain, GenesisHash, InvalidKeys, Millis, PurgeAck, PurgeAckPayload, PurgeAnswer,
    PurgeAuthor, PurgeKind, PurgeMode, PurgeOrder, PurgeRefusal, PurgeRequest, ServiceId,
    SignedPurgeOrder, SignedPurgeRequest,
};

use crate::check::{self, Registry, AHEAD};
use crate::journal::{Entry, Journal};

/// Services whose purges are remembered.
const MAX_SERVICES: usize = 65_536;
/// Purges that a customer may have ordered for a service.
const CUSTOMERS: Rate = Rate {
    burst: 1_000.0,
    per_second: 50.0,
};
/// Orders of what unsafe requests made invalid, of one gateway for a service. A gateway asks for half
/// as many; the rest is for those that must be ordered again.
const GATEWAYS: Rate = Rate {
    burst: 32.0,
    per_second: 2.0,
};

/// How many purges are ordered at once, and how many more each second.
struct Rate {
    burst: f64,
    per_second: f64,
}

/// What of a rate is left, and since when.
#[derive(Clone, Copy)]
struct Allowance {
    left: f64,
    since: Millis,
}

impl Rate {
    /// Spends one, where one is left.
    fn spend(&self, allowance: &mut Option<Allowance>, now: Millis) -> bool {
        let full = Allowance {
            left: self.burst,
            since: now,
        };
        let Allowance { left, since } = allowance.unwrap_or(full);
        let seconds = now.0.saturating_sub(since.0) as f64 / 1_000.0;
        let left = (left + seconds * self.per_second).min(self.burst);
        let is_left = left >= 1.0;
        *allowance = Some(Allowance {
            left: if is_left { left - 1.0 } else { left },
            since: now.max(since),
        });
        is_left
    }
}

/// One service.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) log: Log,
    /// Whether the service's owners were not heard of for too long, and how often that began.
    is_silent: bool,
    silences: u64,
    /// Purges that the customer may have ordered.
    allowance: Option<Allowance>,
    /// The same of each gateway.
    gateways: HashMap<DeviceId, Option<Allowance>>,
}

impl State {
    fn version(&self) -> u64 {
        self.log.version() + self.silences
    }
}

/// What purges are in force for, over all services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Things that customers purged.
    pub things: usize,
    /// Keys that unsafe requests made invalid, and shares of all keys.
    pub invalid: usize,
    /// Services whose owners were not heard of for too long.
    pub silent: usize,
}

/// The purges of all services as far as a node knows them.
///
/// What writes to the disk blocks, and is for threads that may.
pub struct Purges {
    pub(crate) states: RwLock<HashMap<ServiceId, State>>,
    journal: Mutex<Journal>,
    key: SigningKey,
}

impl Purges {
    /// Opens the file of a device's purges.
    ///
    /// Errors: when it cannot be read or written.
    pub fn open(path: &Path, key: SigningKey) -> io::Result<Self> {
        let (journal, entries) = Journal::open(path)?;
        let mut states: HashMap<ServiceId, State> = HashMap::new();
        for entry in entries {
            match entry {
                Entry::Order(order) => {
                    states.entry(order.service()).or_default().log.learn(order);
                }
                Entry::Base(base) => {
                    let state = states.entry(base.service()).or_default();
                    state.log.collapse(base);
                }
                Entry::Here(service, number) => {
                    states.entry(service).or_default().log.restore_here(number);
                }
            }
        }
        Ok(Self {
            states: RwLock::new(states),
            journal: Mutex::new(journal),
            key,
        })
    }

    /// The device that acknowledges.
    pub fn device(&self) -> DeviceId {
        device(&self.key)
    }

    /// Rises with whatever may make a stored response of the service less than current. What was
    /// found current at this version still is.
    pub fn version(&self, service: ServiceId) -> u64 {
        self.states.read().get(&service).map_or(1, State::version)
    }

    /// The generation of what is fetched from now on.
    pub fn top(&self, service: ServiceId) -> u64 {
        let states = self.states.read();
        states.get(&service).map_or(0, |state| state.log.top())
    }

    /// What the purges say about a key, whatever its tags.
    pub fn floors(&self, service: ServiceId, key: &[u8]) -> Floors {
        let states = self.states.read();
        let of = |state: &State| state.log.floors(key);
        states.get(&service).map_or(Floors::default(), of)
    }

    /// What the purges say about a stored response, and the version that they say it at.
    pub fn verdict(
        &self,
        service: ServiceId,
        generation: u64,
        key: &[u8],
        tags: &Tags,
    ) -> (Verdict, u64) {
        let states = self.states.read();
        let Some(state) = states.get(&service) else {
            return (Verdict::Current, 1);
        };
        let verdict = match state.log.verdict(generation, key, tags) {
            Verdict::Current | Verdict::Stale { .. } if state.is_silent => Verdict::Doubtful,
            verdict => verdict,
        };
        (verdict, state.version())
    }

    /// Whether a service's owners were not heard of for too long: then everything of it is doubtful.
    pub fn set_silent(&self, service: ServiceId, is_silent: bool) {
        let known = self
            .states
            .read()
            .get(&service)
            .map(|state| state.is_silent);
        if known.unwrap_or(false) == is_silent {
            return;
        }
        let mut states = self.states.write();
        let state = states.entry(service).or_default();
        if is_silent && !state.is_silent {
            state.silences += 1;
        }
        state.is_silent = is_silent;
    }

    /// Whether a service's owners were not heard of for too long.
    pub fn is_silent(&self, service: ServiceId) -> bool {
        let states = self.states.read();
        states.get(&service).is_some_and(|state| state.is_silent)
    }

    /// What purges are in force for, for metrics.
    pub fn figures(&self) -> Figures {
        let states = self.states.read();
        let logs = || states.values().map(|state| &state.log);
        Figures {
            things: logs().map(Log::things).sum(),
            invalid: logs().map(Log::invalid).sum(),
            silent: states.values().filter(|state| state.is_silent).count(),
        }
    }

    /// What this device asks for as a gateway: that keys which unsafe requests made invalid are
    /// purged.
    pub fn ask_for_keys(
        &self,
        genesis: &GenesisHash,
        service: ServiceId,
        keys: InvalidKeys,
        nonce: [u8; 16],
        now: Millis,
    ) -> SignedPurgeRequest {
        let request = PurgeRequest {
            service,
            kind: PurgeKind::Keys(keys),
            mode: PurgeMode::Hard,
            issued: now,
            nonce,
        };
        let signature = sign(&self.key, Domain::Invalidation, genesis, &request);
        SignedPurgeRequest {
            request,
            author: PurgeAuthor::Gateway(self.device(), signature),
        }
    }

    /// Checks what was asked for, by whom and when.
    pub fn admit(
        &self,
        registry: &impl Registry,
        signed: &SignedPurgeRequest,
        now: Millis,
    ) -> Result<(), PurgeRefusal> {
        if !signed.request.is_timely(now) {
            return Err(PurgeRefusal::Untimely);
        }
        check::request(registry, signed)
    }

    /// The order that a request got before.
    pub fn ordered(&self, request: &PurgeRequest) -> Option<SignedPurgeOrder> {
        let states = self.states.read();
        states.get(&request.service)?.log.ordered(request).cloned()
    }

    /// Gives a request its place, as the service's owner: above everything known here, and above a
    /// number that somebody else knows. The same request has the same place as long as that one is
    /// above. Waits for the disk.
    pub fn order(
        &self,
        registry: &impl Registry,
        signed: SignedPurgeRequest,
        above: u64,
        now: Millis,
    ) -> Result<SignedPurgeOrder, PurgeRefusal> {
        self.admit(registry, &signed, now)?;
        if above > now.0.saturating_add(AHEAD) {
            return Err(PurgeRefusal::Number);
        }
        let mut journal = self.journal.lock();
        let before = self.ordered(&signed.request);
        if let Some(order) = before.filter(|order| order.order.number > above) {
            return Ok(order);
        }
        let service = signed.request.service;
        let (number, after) = {
            let mut states = self.states.write();
            if states.len() >= MAX_SERVICES && !states.contains_key(&service) {
                return Err(PurgeRefusal::TooMany);
            }
            let state = states.entry(service).or_default();
            let is_left = match signed.author.gateway() {
                Some(gateway) => {
                    let allowance = state.gateways.entry(*gateway).or_default();
                    GATEWAYS.spend(allowance, now)
                }
                None => CUSTOMERS.spend(&mut state.allowance, now),
            };
            if !is_left {
                return Err(PurgeRefusal::TooMany);
            }
            let number = state.log.next_of(&self.device(), now.0, above);
            (number, state.log.last())
        };
        let order = PurgeOrder {
            signed,
            number,
            after,
            owner: self.device(),
        };
        let signature = sign(&self.key, Domain::PurgeOrder, registry.genesis(), &order);
        let order = SignedPurgeOrder { order, signature };
        self.keep(&mut journal, &Entry::Order(order.clone()))?;
        self.put(&mut journal, order.clone());
        Ok(order)
    }

    /// Keeps an order that is being spread, obeys it and says so. Waits for the disk.
    pub fn take(
        &self,
        registry: &impl Registry,
        order: SignedPurgeOrder,
        now: Millis,
    ) -> PurgeAnswer {
        if let Err(refusal) = check::order(registry, &order, true, now) {
            return PurgeAnswer::Refused(refusal);
        }
        let service = order.service();
        let mut journal = self.journal.lock();
        // Tried out first: what is on disk must be in force after a restart, and nothing else.
        let offer = {
            let states = self.states.read();
            match states.get(&service) {
                Some(state) => state.log.consider(&order),
                None if states.len() >= MAX_SERVICES => {
                    return PurgeAnswer::Refused(PurgeRefusal::TooMany)
                }
                None => Offer::Taken,
            }
        };
        match offer {
            Offer::Superseded(number) => return PurgeAnswer::Superseded(number),
            Offer::Known => {}
            Offer::Taken => {
                if let Err(refusal) = self.keep(&mut journal, &Entry::Order(order.clone())) {
                    return PurgeAnswer::Refused(refusal);
                }
                self.put(&mut journal, order.clone());
            }
        }
        PurgeAnswer::Taken(self.acknowledge(registry.genesis(), order).signature)
    }

    /// The device's word that it obeys an order.
    fn acknowledge(&self, genesis: &GenesisHash, order: SignedPurgeOrder) -> PurgeAck {
        let payload = PurgeAckPayload {
            order,
            device: self.device(),
        };
        PurgeAck {
            device: payload.device,
            signature: sign(&self.key, Domain::PurgeAck, genesis, &payload),
        }
    }

    /// Takes orders that were missed. Gives those that do not count. Waits for the disk.
    pub fn learn(
        &self,
        registry: &impl Registry,
        mut orders: Vec<SignedPurgeOrder>,
        now: Millis,
    ) -> Vec<(ServiceId, u64)> {
        let mut refused = Vec::new();
        // The highest first: whose it is says of the ones below whether anything escapes them.
        orders.sort_by_key(|order| std::cmp::Reverse(order.order.number));
        for order in orders {
            let place = (order.service(), order.order.number);
            let is_known = self.has(place.0, place.1);
            if is_known {
                continue;
            }
            if check::order(registry, &order, false, now).is_err() {
                refused.push(place);
                continue;
            }
            let mut journal = self.journal.lock();
            let is_kept = self.has(place.0, place.1)
                || self
                    .keep(&mut journal, &Entry::Order(order.clone()))
                    .is_ok();
            if is_kept {
                self.put(&mut journal, order);
            }
        }
        refused
    }

    /// Takes the order up to which another node has dropped everything. Waits for the disk.
    pub fn learn_base(
        &self,
        registry: &impl Registry,
        base: SignedPurgeOrder,
        now: Millis,
    ) -> bool {
        if check::order(registry, &base, false, now).is_err() {
            return false;
        }
        let mut journal = self.journal.lock();
        if self.keep(&mut journal, &Entry::Base(base.clone())).is_err() {
            return false;
        }
        let mut states = self.states.write();
        if states.len() >= MAX_SERVICES && !states.contains_key(&base.service()) {
            return false;
        }
        let state = states.entry(base.service()).or_default();
        state.log.collapse(base)
    }

    pub(crate) fn has(&self, service: ServiceId, number: u64) -> bool {
        let states = self.states.read();
        states
            .get(&service)
            .is_some_and(|state| state.log.has(number))
    }

    /// Forgets what was fetched of a service before now, at this node only. Waits for the disk.
    ///
    /// Errors: when it is in force and not kept.
    pub fn purge_here(&self, service: ServiceId, now: Millis) -> (u64, io::Result<()>) {
        let mut journal = self.journal.lock();
        let number = {
            let mut states = self.states.write();
            states.entry(service).or_default().log.purge_here(now.0)
        };
        (number, journal.add(&[Entry::Here(service, number)]))
    }

    /// Somebody trustworthy has fetched under this number; unless it is impossible, what is below is
    /// doubtful if it was not known. Says whether it was news.
    pub fn hear_of(&self, service: ServiceId, number: u64, now: Millis) -> bool {
        if number <= self.top(service) || number > now.0.saturating_add(AHEAD) {
            return false;
        }
        let mut states = self.states.write();
        if states.len() >= MAX_SERVICES && !states.contains_key(&service) {
            return false;
        }
        states.entry(service).or_default().log.hear_of(number)
    }

    fn keep(&self, journal: &mut Journal, entry: &Entry) -> Result<(), PurgeRefusal> {
        journal.add(std::slice::from_ref(entry)).map_err(|error| {
            tracing::error!(%error, "a purge cannot be kept");
            PurgeRefusal::NotKept
        })
    }

    fn put(&self, journal: &mut Journal, order: SignedPurgeOrder) {
        {
            let mut states = self.states.write();
            states.entry(order.service()).or_default().log.learn(order);
        }
        if journal.is_worth_rewriting() {
            if let Err(error) = journal.rewrite(&self.entries()) {
                tracing::error!(%error, "the file of purges cannot be written anew");
            }
        }
    }

    fn entries(&self) -> Vec<Entry> {
        let states = self.states.read();
        let mut entries = Vec::new();
        for (service, state) in &*states {
            let log = &state.log;
            entries.extend(log.base().cloned().map(Entry::Base));
            entries.extend(log.orders().cloned().map(Entry::Order));
            if log.here() > 0 {
                entries.push(Entry::Here(*service, log.here()));
            }
        }
        entries
    }
}
