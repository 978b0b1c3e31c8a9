//! Visitors that read pinned content, and whether they could have been served.

use std::collections::BTreeSet;

use rand::Rng;
use selvedge_edge_core_replication::Input;
use selvedge_primitives_types::Hash;

use crate::content::judge::Failure;
use crate::content::message::Message;
use crate::content::plan::{Off, Trouble};
use crate::content::world::{region, Event, World};

/// Owners in order that a read asks.
const ORDER: usize = 16;
/// Times that it goes through them: messages are lost.
const ROUNDS: usize = 5;
/// How long it waits for one.
const PATIENCE: u64 = 1_000;

/// A read under way.
#[derive(Debug)]
pub(crate) struct Read {
    gateway: usize,
    root: Hash,
    began: u64,
    order: Vec<usize>,
    attempt: usize,
    /// Caches that could have answered all the while.
    able: BTreeSet<usize>,
}

impl World {
    /// Whether a gateway can get a blob from a cache.
    fn is_able(&self, gateway: usize, cache: usize, root: &Hash) -> bool {
        let number = self.plan.gateways + cache;
        let cache = &self.caches[cache];
        cache.is_up && cache.has(root) && self.network.connects(gateway, number)
    }

    pub(crate) fn begin_read(&mut self) {
        let now = self.schedule.now();
        let gateway = self.random.gen_range(0..self.gateways.len());
        let place = self.random.gen_range(0..self.blobs.len());
        let Some(root) = self.blobs.keys().nth(place).copied() else {
            return;
        };
        if !self.gateways[gateway].is_up {
            return;
        }
        if self.plan.trouble == Trouble::All {
            let input = Input::Heat {
                root,
                region: region(gateway),
                requests: if place < 3 { 80 } else { 1 },
            };
            self.gateways[gateway].input(now, input);
        }
        let is_able = |cache: &usize| self.is_able(gateway, *cache, &root);
        let able: BTreeSet<usize> = (0..self.caches.len()).filter(is_able).collect();
        if able.is_empty() {
            self.judge.figures.unreadable += 1;
            return;
        }
        let order = self.gateways[gateway].readers_order(&root, ORDER);
        let order = order.iter().filter_map(|device| self.numbers.get(device));
        let mut order: Vec<usize> = order.copied().collect();
        if self.off == Some(Off::Fallback) {
            order.truncate(1);
        }
        let read = (now << 8) + gateway as u64;
        self.reads.insert(
            read,
            Read {
                gateway,
                root,
                began: now,
                order,
                attempt: 0,
                able,
            },
        );
        self.read_on(read, 0);
    }

    /// The last that was asked has not answered, or does not hold it: asks the next.
    pub(crate) fn read_on(&mut self, read: u64, attempt: usize) {
        let Some(state) = self.reads.get_mut(&read) else {
            return;
        };
        if state.attempt != attempt {
            return;
        }
        state.attempt += 1;
        let (gateway, root, count) = (state.gateway, state.root, state.order.len());
        if attempt >= count * ROUNDS {
            if let Some(state) = self.reads.remove(&read) {
                self.give_up(&state);
            }
            return;
        }
        let to = state.order[attempt % count];
        self.send(gateway, to, Message::Read { read, root });
        let attempt = attempt + 1;
        self.schedule
            .after(PATIENCE, Event::ReadLate { read, attempt });
    }

    fn give_up(&mut self, read: &Read) {
        if read.able.is_empty() {
            self.judge.figures.unreadable += 1;
        } else {
            self.judge.fail(Failure::ReadFailed {
                began: read.began,
                holders: read.able.len(),
            });
        }
    }

    pub(crate) fn found(&mut self, read: u64, is_right: bool) {
        let now = self.schedule.now();
        let Some(attempt) = self.reads.get(&read).map(|state| state.attempt) else {
            return;
        };
        if !is_right {
            return self.read_on(read, attempt);
        }
        if let Some(state) = self.reads.remove(&read) {
            let figures = &mut self.judge.figures;
            figures.reads += 1;
            figures.slowest_read = figures.slowest_read.max(now - state.began);
        }
    }

    /// Something befell: who could answer before may not be able to now.
    pub(crate) fn review_reads(&mut self) {
        let mut reads = std::mem::take(&mut self.reads);
        for read in reads.values_mut() {
            let (gateway, root) = (read.gateway, read.root);
            let is_able = |cache: &usize| self.is_able(gateway, *cache, &root);
            read.able.retain(is_able);
        }
        reads.retain(|_, read| self.gateways[read.gateway].is_up);
        self.reads = reads;
    }
}
