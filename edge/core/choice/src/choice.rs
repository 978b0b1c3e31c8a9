//! In which order replicas are asked.

use std::collections::BTreeMap;
use std::time::Duration;

use selvedge_edge_core_budget::{Budget, Share};
use selvedge_primitives_types::DeviceId;

use crate::outliers::{outliers, INTERVAL};
use crate::peer::Peer;
use crate::random::Random;

/// Peers that are remembered. Beyond it, who was not asked for the longest is forgotten.
pub const MOST_PEERS: usize = 4_096;
/// Seconds to another region and back, while nothing is known of it.
const FAR: f64 = 0.1;
/// Who cannot be reached is taken to be this slow at least.
const AWAY: Duration = Duration::from_secs(1);
/// Nothing is late before this: a shorter time is the network's and the machine's noise.
const LEAST_LATE: Duration = Duration::from_millis(2);

/// Somebody who may have what is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replica {
    /// The cache.
    pub device: DeviceId,
    /// Whether it is in the region of who asks.
    pub is_near: bool,
}

/// How a question ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was answered.
    Answered,
    /// It was not, in time or at all, and not by any fault of who asked.
    Failed,
    /// The peer cannot be reached. It comes after the others until that is forgotten, and is never
    /// ejected for it: when it is back it may be asked at once.
    Away,
    /// It was answered with what no honest cache sends.
    Faulty,
    /// Who asked gave up, or the answer was an honest refusal: it says nothing.
    Dropped,
}

/// What was seen of all peers.
#[derive(Clone, Debug)]
pub struct Choice {
    peers: BTreeMap<DeviceId, Peer>,
    hedges: Budget,
    random: Random,
    /// When success was last compared.
    compared: Duration,
}

impl Choice {
    /// Nothing is known of anybody. `hedges` is what may be asked besides; `seed` is what is drawn
    /// from.
    pub fn new(hedges: Share, seed: u64) -> Self {
        Self {
            peers: BTreeMap::new(),
            hedges: Budget::new(hedges),
            random: Random(seed),
            compared: Duration::ZERO,
        }
    }

    /// The replicas in the order in which to ask them. Of several with one device the first counts.
    pub fn order(&mut self, replicas: &[Replica], now: Duration) -> Vec<DeviceId> {
        let mut left: Vec<Replica> = Vec::with_capacity(replicas.len());
        for replica in replicas {
            if !left.iter().any(|other| other.device == replica.device) {
                left.push(*replica);
            }
        }
        let rank = |choice: &Self, replica: &Replica| {
            let peer = choice.peers.get(&replica.device);
            let ejected = peer.filter(|peer| peer.record.is_ejected(now));
            // Who is back soonest, of those who are out.
            let until = ejected.and_then(|peer| peer.record.until());
            (until, !replica.is_near, choice.cost(&replica.device, now))
        };
        left.sort_by(|a, b| {
            let (a, b) = (rank(self, a), rank(self, b));
            (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2))
        });
        // The least loaded of all would be asked by everybody at once who knows the same.
        let is_first = |choice: &Self, replica: &Replica| {
            let first = left.first().map(|first| rank(choice, first));
            let own = rank(choice, replica);
            first.is_some_and(|first| (first.0, first.1) == (own.0, own.1))
        };
        let group = left.iter().take_while(|r| is_first(self, r)).count();
        if group > 1 {
            let one = self.random.below(group);
            let other = (one + 1 + self.random.below(group - 1)) % group;
            // They are sorted by cost.
            let first = left.remove(one.min(other));
            left.insert(0, first);
        }
        self.spill(&mut left, now);
        left.into_iter().map(|replica| replica.device).collect()
    }

    /// Puts a far one before the near ones when what waits here takes longer than the way there.
    fn spill(&self, order: &mut Vec<Replica>, now: Duration) {
        let Some(first) = order.first().copied().filter(|first| first.is_near) else {
            return;
        };
        let delay = self.peers.get(&first.device).map_or(0.0, |p| p.delay(now));
        let is_out = |replica: &Replica| {
            let peer = self.peers.get(&replica.device);
            peer.is_some_and(|peer| peer.record.is_ejected(now))
        };
        let far = order
            .iter()
            .position(|replica| !replica.is_near && !is_out(replica));
        let Some(far) = far else {
            return;
        };
        let Some(there) = order.get(far).map(|replica| replica.device) else {
            return;
        };
        let known = self.peers.get(&there).and_then(Peer::round_trip);
        let is_sooner = self.cost(&there, now) < self.cost(&first.device, now);
        if delay > known.unwrap_or(FAR) && is_sooner && !is_out(&first) {
            let replica = order.remove(far);
            order.insert(0, replica);
        }
    }

    fn cost(&self, device: &DeviceId, now: Duration) -> f64 {
        self.peers.get(device).map_or(0.0, |peer| peer.cost(now))
    }

    /// A peer is asked.
    pub fn began(&mut self, device: DeviceId, now: Duration) {
        self.compare(now);
        self.hedges.came();
        if self.peers.len() >= MOST_PEERS && !self.peers.contains_key(&device) {
            let idle = self.peers.iter().filter(|(_, peer)| peer.running == 0);
            let oldest = idle
                .min_by_key(|(_, peer)| peer.used)
                .map(|(device, _)| *device);
            match oldest {
                Some(oldest) => self.peers.remove(&oldest),
                // All are busy: this one is asked without being known.
                None => return,
            };
        }
        let peer = self.peers.entry(device).or_default();
        peer.used = now;
        peer.running = peer.running.saturating_add(1);
    }

    /// A peer began to answer, `after` having been asked. The question has not ended by it.
    pub fn replied(&mut self, device: DeviceId, after: Duration, now: Duration) {
        if let Some(peer) = self.peers.get_mut(&device) {
            peer.answered(after, now);
        }
    }

    /// What a peer was asked ended, `after` that began. Says whether it is ejected for it.
    pub fn ended(
        &mut self,
        device: DeviceId,
        outcome: Outcome,
        after: Duration,
        now: Duration,
    ) -> bool {
        let Some(peer) = self.peers.get_mut(&device) else {
            return false;
        };
        peer.running = peer.running.saturating_sub(1);
        let is_bad = match outcome {
            Outcome::Dropped => false,
            Outcome::Answered => {
                peer.record.succeeded();
                false
            }
            Outcome::Away => {
                peer.gave_none(after.max(AWAY), now);
                false
            }
            Outcome::Failed => {
                peer.gave_none(after, now);
                peer.record.failed(false)
            }
            Outcome::Faulty => peer.record.failed(true),
        };
        is_bad && self.eject(device, now)
    }

    /// A peer sent what no honest one sends, which came out after its question had ended. Says
    /// whether it is ejected for it.
    pub fn fault(&mut self, device: DeviceId, now: Duration) -> bool {
        let peer = self.peers.get_mut(&device);
        peer.is_some_and(|peer| peer.record.failed(true)) && self.eject(device, now)
    }

    fn eject(&mut self, device: DeviceId, now: Duration) -> bool {
        let out = self.ejected(now);
        let most = self.peers.len() / 3;
        match self.peers.get_mut(&device) {
            Some(peer) if out < most && !peer.record.is_ejected(now) => {
                peer.record.eject(now);
                true
            }
            _ => false,
        }
    }

    /// Compares everybody's success, now and then.
    fn compare(&mut self, now: Duration) {
        if now.saturating_sub(self.compared) < INTERVAL {
            return;
        }
        self.compared = now;
        let in_use = self
            .peers
            .iter()
            .filter(|(_, peer)| !peer.record.is_ejected(now));
        let worst = outliers(in_use.map(|(device, peer)| (*device, &peer.record)));
        for device in worst {
            self.eject(device, now);
        }
        for peer in self.peers.values_mut() {
            peer.record.close(now);
        }
    }

    /// Whether a peer is ejected.
    pub fn is_ejected(&self, device: &DeviceId, now: Duration) -> bool {
        let peer = self.peers.get(device);
        peer.is_some_and(|peer| peer.record.is_ejected(now))
    }

    /// How many are ejected.
    pub fn ejected(&self, now: Duration) -> usize {
        let out = self
            .peers
            .values()
            .filter(|peer| peer.record.is_ejected(now));
        out.count()
    }

    /// After how long a peer is later than almost all its answers were. `None` while too little is
    /// known of it.
    pub fn late_after(&self, device: &DeviceId) -> Option<Duration> {
        Some(self.peers.get(device)?.late_after()?.max(LEAST_LATE))
    }

    /// Whether one more may be asked for what another one is late with.
    pub fn take_hedge(&mut self) -> bool {
        self.hedges.take()
    }
}
