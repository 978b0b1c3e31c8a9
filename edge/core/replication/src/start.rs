//! Begins copies, as far as the bounds allow.

use std::collections::BTreeSet;

use selvedge_primitives_types::Millis;

use crate::flights::{jitter, Flight};
use crate::message::Output;
use crate::nodes::Index;
use crate::placement::Placement;
use crate::steward::Steward;

/// Blobs of the queue that one tick looks at.
const AT_ONCE: usize = 256;

/// Whether a copy began.
enum Begun {
    Yes,
    /// Its target or its sources cannot, now.
    NotThis,
    /// No copy may begin now.
    NotNow,
}

impl<P: Placement> Steward<P> {
    /// Begins copies, the most urgent first, as far as the bounds allow.
    pub(crate) fn start(&mut self, now: Millis) {
        if self.nodes.is_cut_off() {
            return;
        }
        // What is longer than a node may have under way waits for an idle one, which others must not keep busy.
        let mut held = BTreeSet::new();
        for slot in self.queue.first(AT_ONCE) {
            let Some(judgement) = self.judge(slot, now) else {
                continue;
            };
            let mut is_parked = false;
            for to in judgement.missing {
                if self.flights.has(slot, to) {
                    continue;
                }
                match self.begin(slot, to, &judgement.holders, &mut held, now) {
                    Begun::Yes => {}
                    Begun::NotThis => is_parked = true,
                    Begun::NotNow => return,
                }
            }
            self.queue.remove(&mut self.objects, slot);
            if is_parked {
                let until = Millis(now.0.saturating_add(self.rules.tick.0));
                self.parked.push_back((until, slot));
            }
        }
    }

    fn begin(
        &mut self,
        slot: u32,
        to: Index,
        holders: &[Index],
        held: &mut BTreeSet<Index>,
        now: Millis,
    ) -> Begun {
        let Some(entry) = self.objects.at(slot) else {
            return Begun::NotThis;
        };
        let (content, service) = (entry.content(), entry.service());
        let target = self.nodes.at(to);
        let may_take = target.is_live() && target.full <= now;
        let mut from: Vec<Index> = holders.to_vec();
        from.retain(|index| *index != to && self.nodes.at(*index).is_live());
        let spread = |index: Index| jitter(&content.root, index, 0);
        from.sort_by_key(|index| (self.nodes.at(*index).outgoing, spread(*index)));
        let may_try = may_take && self.flights.may_try(slot, to, now);
        let fits = |bytes: u64| bytes == 0 || bytes + content.length <= self.rules.per_node;
        let is_free = |index: &Index| !held.contains(index);
        let source = from.iter().copied().find(is_free);
        let Some(source) = source.filter(|_| may_try && is_free(&to)) else {
            return Begun::NotThis;
        };
        if !fits(target.incoming) || !fits(self.nodes.at(source).outgoing) {
            if content.length > self.rules.per_node {
                held.extend([to, source]);
            }
            return Begun::NotThis;
        }
        let under_way = self.flights.bytes();
        if self.flights.len() >= self.limits.flights
            || under_way > 0 && under_way + content.length > self.rules.in_flight
            || !self.bucket.spend(content.length, now)
        {
            return Begun::NotNow;
        }
        let seconds = content.length / self.rules.least_rate.max(1);
        let time = self.rules.patience.0.saturating_add(seconds * 1_000);
        let flight = Flight {
            bytes: content.length,
            source,
            deadline: Millis(now.0.saturating_add(time)),
        };
        self.nodes.at_mut(to).incoming += content.length;
        self.nodes.at_mut(source).outgoing += content.length;
        self.flights.begin(slot, to, flight);
        self.outputs.push_back(Output::Copy {
            content,
            service,
            to: self.nodes.at(to).device,
            from: from
                .iter()
                .map(|index| self.nodes.at(*index).device)
                .collect(),
        });
        Begun::Yes
    }
}
