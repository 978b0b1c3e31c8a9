//! Compares the purges of two nodes.

use codec::Encode;
use selvedge_edge_core_purge::{PurgeHave, PurgeNews, PurgeSummary, PurgeSync};
use selvedge_primitives_types::{Millis, ServiceId, SignedPurgeOrder};

use crate::check::Registry;
use crate::purges::Purges;

/// Bytes of orders in one message.
const MAX_ORDERS: usize = 1024 * 1024;
/// Services in one message where two nodes differ.
const MAX_DIFFERING: usize = 64;

/// What two nodes have to tell each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Orders that they lack, as many as fit a message.
    pub give: Vec<SignedPurgeOrder>,
    /// Orders that we lack.
    pub want: Vec<(ServiceId, Vec<u64>)>,
    /// Orders that do not count here.
    pub refused: Vec<(ServiceId, u64)>,
}

impl Difference {
    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.give.is_empty() && self.want.is_empty()
    }
}

impl Purges {
    /// The first word of a comparison, or one that answers a difference.
    pub fn ask(&self, difference: Difference) -> PurgeSync {
        PurgeSync {
            summaries: self.summaries(),
            give: difference.give,
            want: difference.want,
        }
    }

    fn summaries(&self) -> Vec<PurgeSummary> {
        let states = self.states.read();
        let logs = states.iter().filter(|(_, state)| state.log.last() > 0);
        logs.map(|(service, state)| PurgeSummary::of(*service, &state.log))
            .collect()
    }

    /// Answers a comparison, and takes what it gives. Waits for the disk.
    pub fn compare(&self, registry: &impl Registry, sync: PurgeSync, now: Millis) -> PurgeNews {
        let give = sync.give.into_iter().take(sync_orders());
        self.learn(registry, give.collect(), now);
        let states = self.states.read();
        let mut orders = Vec::new();
        let mut bytes = 0;
        let wanted = sync.want.iter().flat_map(|(service, numbers)| {
            let log = states.get(service).map(|state| &state.log);
            numbers.iter().filter_map(move |number| log?.order(*number))
        });
        for order in wanted {
            bytes += order.encoded_size();
            if bytes > MAX_ORDERS {
                break;
            }
            orders.push(order.clone());
        }
        let mut theirs: Vec<PurgeSummary> = sync.summaries;
        theirs.sort_by_key(|summary| summary.service);
        let is_same = |ours: &PurgeSummary| {
            let found = theirs.binary_search_by_key(&ours.service, |summary| summary.service);
            found.is_ok_and(|index| theirs[index] == *ours)
        };
        let ours = states.iter().filter(|(_, state)| state.log.last() > 0);
        let mut differing: Vec<PurgeHave> = ours
            .filter(|(service, state)| !is_same(&PurgeSummary::of(**service, &state.log)))
            .map(|(service, state)| PurgeHave::of(*service, &state.log))
            .take(MAX_DIFFERING)
            .collect();
        let is_ours = |service| {
            let state = states.get(&service);
            state.is_some_and(|state| state.log.last() > 0)
        };
        let unknown = theirs.iter().filter(|summary| !is_ours(summary.service));
        let room = MAX_DIFFERING.saturating_sub(differing.len());
        differing.extend(unknown.take(room).map(|summary| PurgeHave {
            service: summary.service,
            base: None,
            numbers: Vec::new(),
        }));
        PurgeNews { differing, orders }
    }

    /// Takes what a comparison brought, and says what is still to be told. Waits for the disk.
    ///
    /// `is_refused` names orders that were tried and do not count.
    pub fn digest(
        &self,
        registry: &impl Registry,
        news: PurgeNews,
        now: Millis,
        is_refused: impl Fn(ServiceId, u64) -> bool,
    ) -> Difference {
        let mut difference = Difference {
            refused: self.learn(registry, news.orders, now),
            ..Difference::default()
        };
        let mut bytes = 0;
        for have in news.differing {
            let service = have.service;
            let their_base = have.base.as_ref().map_or(0, |base| base.order.number);
            if let Some(base) = have.base.filter(|base| base.service() == service) {
                if !self.has(service, base.order.number) {
                    self.learn_base(registry, base, now);
                }
            }
            let is_new = |number: &&u64| {
                !self.has(service, **number)
                    && !is_refused(service, **number)
                    && !difference.refused.contains(&(service, **number))
            };
            let want: Vec<u64> = have.numbers.iter().filter(is_new).copied().collect();
            if !want.is_empty() {
                difference.want.push((service, want));
            }
            let states = self.states.read();
            let Some(state) = states.get(&service) else {
                continue;
            };
            let numbers = &have.numbers;
            let lacks = |order: &&SignedPurgeOrder| {
                let number = order.order.number;
                number > their_base && !numbers.contains(&number)
            };
            for order in state.log.orders().filter(lacks) {
                bytes += order.encoded_size();
                if bytes > MAX_ORDERS {
                    break;
                }
                difference.give.push(order.clone());
            }
        }
        difference
    }
}

/// Orders that are taken from one message.
const fn sync_orders() -> usize {
    MAX_ORDERS / 128
}
