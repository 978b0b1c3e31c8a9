//! What must hold, and the worst that was seen.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use selvedge_edge_core_replication::{CopierRules, Rules};
use selvedge_primitives_types::Hash;

/// A property that did not hold. Times are milliseconds since the beginning.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Fewer than its factor of a blob's holders were gone at once, and it is.
    #[error("at {at} ms no copy is left of a blob whose factor is {factor}")]
    Lost {
        /// When.
        at: u64,
        /// Its factor.
        factor: u8,
    },
    /// What was lost was not copied within the stated time.
    #[error("at {at} ms {left} blobs lack copies, {after} ms after the loss")]
    NotRepaired {
        /// When.
        at: u64,
        /// How many.
        left: usize,
        /// How long after the loss.
        after: u64,
    },
    /// A visitor got nothing, though a cache that could be reached held it all the while.
    #[error("a read that began at {began} ms found none of {holders} holders")]
    ReadFailed {
        /// When it began.
        began: u64,
        /// Caches that could have answered.
        holders: usize,
    },
    /// More bytes than there may be.
    #[error("at {at} ms {what}: {bytes} bytes, of at most {cap}")]
    Storm {
        /// When.
        at: u64,
        /// Which bound.
        what: &'static str,
        /// What was seen.
        bytes: u64,
        /// The bound.
        cap: u64,
    },
    /// A short silence made something move.
    #[error(
        "at {at} ms a copy was ordered, though nobody was gone for longer than the grace time"
    )]
    MovedForNothing {
        /// When.
        at: u64,
    },
}

/// The worst that was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// The longest time from a loss until all was whole, in milliseconds.
    pub repair: u64,
    /// The most caches that were gone at once, in thousandths.
    pub lost_at_once: u64,
    /// The most bytes that all caches together asked for in a second.
    pub second: u64,
    /// The most bytes that one cache asked for in a second.
    pub cache_second: u64,
    /// The most bytes under way of one steward.
    pub in_flight: u64,
    /// Copies that were ordered.
    pub copies: u64,
    /// Bytes that were asked for.
    pub moved: u64,
    /// Reads that were answered.
    pub reads: u64,
    /// Reads of what no cache could give that could be reached.
    pub unreadable: u64,
    /// The longest read, in milliseconds.
    pub slowest_read: u64,
    /// Liars that were named.
    pub named: u64,
    /// Copies that were dropped as spare.
    pub spare: u64,
}

impl Figures {
    /// The worse of both, or the sum where that says more.
    pub fn with(&mut self, other: &Self) {
        self.repair = self.repair.max(other.repair);
        self.lost_at_once = self.lost_at_once.max(other.lost_at_once);
        self.second = self.second.max(other.second);
        self.cache_second = self.cache_second.max(other.cache_second);
        self.in_flight = self.in_flight.max(other.in_flight);
        self.slowest_read = self.slowest_read.max(other.slowest_read);
        self.copies += other.copies;
        self.moved += other.moved;
        self.reads += other.reads;
        self.unreadable += other.unreadable;
        self.named += other.named;
        self.spare += other.spare;
    }
}

/// Bytes of the last second.
#[derive(Debug, Default)]
pub(crate) struct Window {
    last: VecDeque<(u64, u64)>,
    sum: u64,
}

impl Window {
    /// Adds some, and gives the sum of the second that ends now.
    pub(crate) fn add(&mut self, now: u64, bytes: u64) -> u64 {
        self.last.push_back((now, bytes));
        self.sum += bytes;
        while let Some((at, old)) = self
            .last
            .front()
            .copied()
            .filter(|(at, _)| at + 1_000 <= now)
        {
            debug_assert!(at < now);
            self.sum -= old;
            self.last.pop_front();
        }
        self.sum
    }
}

/// Watches what happens.
#[derive(Debug)]
pub(crate) struct Judge {
    pub(crate) figures: Figures,
    pub(crate) failure: Option<Failure>,
    /// Blobs that lack copies.
    pub(crate) short: BTreeSet<Hash>,
    /// When something was lost, and until when it must be whole.
    pub(crate) loss: Option<(u64, u64)>,
    pub(crate) largest: u64,
    /// How long a liar may go unnoticed, once there is one: what a spare copy made up for is missing when that is dropped.
    pub(crate) unnoticed: Option<u64>,
    begun: BTreeMap<usize, Window>,
    asked: BTreeMap<usize, Window>,
    all: Window,
}

impl Judge {
    pub(crate) fn new(largest: u64) -> Self {
        Self {
            figures: Figures::default(),
            failure: None,
            short: BTreeSet::new(),
            loss: None,
            largest,
            unnoticed: None,
            begun: BTreeMap::new(),
            asked: BTreeMap::new(),
            all: Window::default(),
        }
    }

    pub(crate) fn fail(&mut self, failure: Failure) {
        self.failure.get_or_insert(failure);
    }

    /// A steward ordered a copy.
    pub(crate) fn begun(&mut self, now: u64, gateway: usize, bytes: u64, rules: &Rules) {
        self.figures.copies += 1;
        let second = self.begun.entry(gateway).or_default().add(now, bytes);
        let cap = rules.rate + rules.burst.max(self.largest);
        self.cap(now, "copies of one steward began in a second", second, cap);
    }

    /// What a steward has under way, in all and for one target.
    pub(crate) fn in_flight(&mut self, now: u64, all: u64, target: u64, rules: &Rules) {
        self.figures.in_flight = self.figures.in_flight.max(all);
        let cap = rules.in_flight.max(self.largest);
        self.cap(now, "copies of one steward are under way", all, cap);
        let cap = rules.per_node.max(self.largest);
        self.cap(now, "copies are under way to one cache", target, cap);
    }

    /// A cache asked for bytes.
    pub(crate) fn asked(&mut self, now: u64, cache: usize, bytes: u64, rules: &CopierRules) {
        let second = self.asked.entry(cache).or_default().add(now, bytes);
        self.figures.cache_second = self.figures.cache_second.max(second);
        let cap = rules.rate + rules.burst;
        self.cap(now, "one cache asked for in a second", second, cap);
        self.figures.moved += bytes;
        self.figures.second = self.figures.second.max(self.all.add(now, bytes));
    }

    fn cap(&mut self, at: u64, what: &'static str, bytes: u64, cap: u64) {
        if bytes > cap {
            self.fail(Failure::Storm {
                at,
                what,
                bytes,
                cap,
            });
        }
    }

    /// Something was lost: all must be whole within a time.
    pub(crate) fn lost(&mut self, now: u64, within: u64) {
        let began = self.loss.map_or(now, |(began, _)| began);
        self.loss = Some((began, now + within));
    }

    /// Looks whether all is whole.
    pub(crate) fn check(&mut self, now: u64) {
        let left = self.short.len();
        match self.loss {
            Some((began, _)) if left == 0 => {
                self.figures.repair = self.figures.repair.max(now - began);
                self.loss = None;
            }
            Some((began, until)) if now > until => self.fail(Failure::NotRepaired {
                at: now,
                left,
                after: now - began,
            }),
            None if left > 0 && self.unnoticed.is_some() => {
                self.lost(now, self.unnoticed.unwrap_or(0));
            }
            None if left > 0 => self.fail(Failure::NotRepaired {
                at: now,
                left,
                after: 0,
            }),
            _ => {}
        }
    }
}
