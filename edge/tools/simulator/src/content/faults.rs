//! What befalls a network.

use std::collections::{BTreeMap, BTreeSet};

use rand::seq::SliceRandom;
use rand::Rng;
use selvedge_primitives_types::{Hash, ServiceId};

use crate::content::gateway::steward;
use crate::content::plan::{bound, rules, Wave};
use crate::content::world::World;

/// Orders of caches that are tried, so that as many as wanted are found.
const TRIES: usize = 40;

/// Something befalls.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    Wave(Wave),
    /// Caches come up.
    Up(Vec<usize>),
    /// A cut ends.
    Heal,
    /// The chain calls caches out.
    Out(Vec<usize>),
    /// Caches leave the chain.
    Leave(Vec<usize>),
    /// A gateway leaves the chain.
    GatewayLeaves(usize),
}

impl World {
    pub(crate) fn befall(&mut self, fault: Fault) {
        match fault {
            Fault::Wave(wave) => self.wave(wave),
            Fault::Up(caches) => {
                let now = self.schedule.now();
                for cache in caches {
                    let cache = &mut self.caches[cache];
                    if !cache.is_dead {
                        cache.is_up = true;
                        cache.restart(now);
                    }
                }
            }
            Fault::Heal => self.network.island.clear(),
            Fault::Out(caches) => {
                caches
                    .iter()
                    .for_each(|cache| self.caches[*cache].drains = true);
                self.publish();
            }
            Fault::Leave(caches) => {
                let lost = self.bytes(&caches);
                for cache in &caches {
                    self.caches[*cache].is_registered = false;
                    self.caches[*cache].is_up = false;
                }
                self.count_again(&caches);
                if lost > 0 {
                    self.judge.lost(self.schedule.now(), bound(lost));
                }
                self.publish();
            }
            Fault::GatewayLeaves(gateway) => {
                self.registered.remove(&gateway);
                self.publish();
            }
        }
        self.review_reads();
    }

    fn wave(&mut self, wave: Wave) {
        let now = self.schedule.now();
        match wave {
            Wave::Kill { count, is_regional } => {
                // Never more than three of ten of those that are left.
                let count = count.min(self.there().len() * 3 / 10);
                let gone = self.pick(count, is_regional);
                let lost = self.bytes(&gone);
                let there = self
                    .caches
                    .iter()
                    .filter(|cache| cache.is_registered && !cache.is_dead);
                let share = (gone.len() * 1_000 / there.count().max(1)) as u64;
                let figures = &mut self.judge.figures;
                figures.lost_at_once = figures.lost_at_once.max(share);
                for cache in &gone {
                    self.caches[*cache].is_up = false;
                    self.caches[*cache].is_dead = true;
                }
                self.count_again(&gone);
                self.judge.lost(now, bound(lost));
                self.after(5 * 60_000, Fault::Out(gone.clone()));
                self.after(11 * 60_000, Fault::Leave(gone));
            }
            Wave::Lie { count } => {
                let liars = self.pick(count, false);
                let lost = self.bytes(&liars);
                self.count_again_after(&liars, |cache| {
                    cache.empty();
                    cache.lies = true;
                });
                let unnoticed = bound(lost) + rules().challenge.0;
                self.judge.unnoticed = Some(unnoticed);
                self.judge.lost(now, unnoticed);
            }
            Wave::Empty { count } => {
                let emptied = self.pick(count, false);
                let lost = self.bytes(&emptied);
                self.count_again_after(&emptied, |cache| {
                    cache.empty();
                    cache.is_up = false;
                });
                self.judge.lost(now, bound(lost));
                self.after(3_000, Fault::Up(emptied));
            }
            Wave::Drain { count } => {
                let mut leaving = self.pick(count + 3, false);
                if leaving.len() < count {
                    // What one cache alone holds must be moved; what is shared may lose one of its holders.
                    leaving = self.any(1);
                }
                leaving.truncate(count);
                leaving
                    .iter()
                    .for_each(|cache| self.caches[*cache].drains = true);
                self.publish();
                self.after(bound(self.bytes(&leaving)), Fault::Leave(leaving));
            }
            Wave::Restart { count, millis } => {
                let down = self.any(count);
                down.iter()
                    .for_each(|cache| self.caches[*cache].is_up = false);
                self.after(millis, Fault::Up(down));
            }
            Wave::Cut { count, millis } => {
                let gateways = self.plan.gateways;
                let cut = self.any(count).into_iter().map(|cache| gateways + cache);
                let mut island: BTreeSet<usize> = cut.collect();
                for gateway in 0..gateways {
                    if self.random.gen() {
                        island.insert(gateway);
                    }
                }
                self.network.island = island;
                self.after(millis, Fault::Heal);
            }
            Wave::Gateway => {
                let gone = steward(&self.config(), ServiceId(0));
                let gone = gone.and_then(|device| {
                    self.gateways
                        .iter()
                        .position(|gateway| gateway.device == device)
                });
                if let Some(gone) = gone.filter(|_| self.registered.len() > 1) {
                    self.gateways[gone].is_up = false;
                    self.after(60_000, Fault::GatewayLeaves(gone));
                }
            }
            Wave::Join => {
                self.join();
                self.publish();
            }
            Wave::Put => {
                let number = self.blobs.len() as u64;
                let blob = self.plan.another(number, &mut self.random);
                self.judge.largest = self.judge.largest.max(blob.content.length);
                let there = self.there();
                if let Some(cache) = self.first_of(&blob.content.root, &there) {
                    self.caches[cache].holds.insert(blob.content.root);
                }
                self.blobs.insert(blob.content.root, blob);
                self.recount(&blob.content.root);
                self.judge.lost(now, bound(2 * blob.content.length));
                self.publish();
            }
        }
    }

    fn after(&mut self, millis: u64, fault: Fault) {
        self.schedule
            .after(millis, crate::content::world::Event::Fault(fault));
    }

    fn count_again(&mut self, caches: &[usize]) {
        self.count_again_after(caches, |_| {});
    }

    fn count_again_after(
        &mut self,
        caches: &[usize],
        change: impl Fn(&mut crate::content::cache::SimCache),
    ) {
        let mut held: BTreeSet<Hash> = BTreeSet::new();
        for cache in caches {
            held.extend(self.caches[*cache].holds.iter());
            change(&mut self.caches[*cache]);
        }
        held.iter().for_each(|root| self.recount(root));
    }

    /// Bytes that caches hold together.
    fn bytes(&self, caches: &[usize]) -> u64 {
        let held = caches.iter().flat_map(|cache| {
            let cache = &self.caches[*cache];
            cache.holds.iter().filter(|root| cache.has(root))
        });
        let blobs = held.filter_map(|root| self.blobs.get(root));
        blobs.map(|blob| blob.content.length).sum()
    }

    fn there(&self) -> Vec<usize> {
        let is_there = |cache: &usize| {
            let cache = &self.caches[*cache];
            cache.is_registered && !cache.is_dead && cache.is_up && !cache.lies && !cache.drains
        };
        (0..self.caches.len()).filter(is_there).collect()
    }

    fn any(&mut self, count: usize) -> Vec<usize> {
        let mut there = self.there();
        there.shuffle(&mut self.random);
        there.truncate(count);
        there
    }

    /// So many caches, or the most that were found, such that of no blob as many of its holders are
    /// among them as its factor.
    fn pick(&mut self, count: usize, is_regional: bool) -> Vec<usize> {
        let mut best = Vec::new();
        for _ in 0..TRIES {
            let mut order = self.there();
            order.shuffle(&mut self.random);
            if is_regional {
                let first = order.first().map(|cache| self.caches[*cache].region);
                order.sort_by_key(|cache| Some(self.caches[*cache].region) != first);
            }
            let mut picked = Vec::new();
            let mut losses: BTreeMap<Hash, u8> = BTreeMap::new();
            for cache in order {
                if picked.len() == count {
                    break;
                }
                let held = || self.caches[cache].holds.iter();
                let factor = |root: &Hash| self.blobs.get(root).map_or(1, |blob| blob.factor);
                let is_too_much =
                    |root: &Hash| losses.get(root).copied().unwrap_or(0) + 1 >= factor(root);
                if !held().any(is_too_much) {
                    for root in held() {
                        *losses.entry(*root).or_default() += 1;
                    }
                    picked.push(cache);
                }
            }
            if picked.len() > best.len() {
                best = picked;
            }
            if best.len() == count {
                break;
            }
        }
        best
    }
}
