//! Looks at all blobs in turn: which copies are missing, what caches are to be asked, and who is challenged.

use selvedge_primitives_types::{DeviceId, Millis};

use crate::message::{Figures, Output, MAX_ASK};
use crate::nodes::Index;
use crate::objects::Note;
use crate::placement::Placement;
use crate::steward::Steward;

/// What a look at a blob costs beyond its placement, in hashes.
const LOOK: usize = 4;

/// A way through all slots.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pass {
    /// The next slot; at the end when it is over.
    pub(crate) slot: u32,
    /// Its number.
    pub(crate) id: u64,
    pub(crate) is_on: bool,
    /// The number of the last that is over.
    pub(crate) done: u64,
    /// Whether another is to follow.
    pub(crate) again: bool,
    pub(crate) began: Millis,
}

impl Pass {
    /// Begins a new one.
    pub(crate) fn begin(&mut self, now: Millis) {
        self.id += 1;
        (self.slot, self.is_on, self.again, self.began) = (0, true, false, now);
    }

    /// The number of the first that sees whatever changes now.
    pub(crate) fn next(&self) -> u64 {
        self.id + 1
    }
}

impl<P: Placement> Steward<P> {
    /// Hashes that a look at one blob costs.
    fn cost(&self) -> usize {
        let placement = self.placement.as_ref();
        placement.map_or(0, Placement::cost) + LOOK
    }

    /// Looks at what changed, then at all blobs when caches did, within a tick's work.
    pub(crate) fn scan(&mut self, now: Millis) {
        let (cost, mut left) = (self.cost(), self.limits.work);
        let parked = self.parked.partition_point(|(until, _)| *until <= now);
        let due: Vec<_> = self.parked.drain(..parked).collect();
        due.into_iter().for_each(|(_, slot)| self.touch(slot));
        while left >= cost {
            let Some(slot) = self.dirty.pop_front() else {
                break;
            };
            if let Some(entry) = self.objects.at_mut(slot) {
                entry.is_dirty = false;
                self.look(slot, now);
                left -= cost;
            }
        }
        if !self.scan.is_on && self.scan.again {
            self.scan.begin(now);
        }
        while self.scan.is_on && left >= cost {
            let slot = self.scan.slot;
            if slot >= self.objects.end() {
                self.scan.is_on = false;
                self.nodes.passed(self.scan.id);
                self.is_moved = self.scan.again && self.is_moved;
                break;
            }
            self.scan.slot += 1;
            left -= 1;
            if self.is_concerned(slot) {
                let nodes = &self.nodes;
                if let Some(entry) = self.objects.at_mut(slot) {
                    entry.forget(|index| nodes.at(index).is_registered);
                }
                self.look(slot, now);
                left = left.saturating_sub(cost);
            }
        }
    }

    /// Whether a blob may stand otherwise than it did: where places have moved every blob may, else
    /// those that a changed cache has something to do with.
    fn is_concerned(&self, slot: u32) -> bool {
        let Some(entry) = self.objects.at(slot) else {
            return false;
        };
        let has_changed = |(index, _)| self.nodes.at(index).touched >= self.scan.id;
        self.is_moved || entry.whole_since == 0 || entry.notes().any(has_changed)
    }

    /// Looks at a blob: puts it in the queue, or takes it out.
    pub(crate) fn look(&mut self, slot: u32, now: Millis) {
        let Some(judgement) = self.judge(slot, now) else {
            return;
        };
        let flights: Vec<Index> = self.flights.of(slot).collect();
        for to in flights {
            if !judgement.missing.contains(&to) {
                self.cancel(slot, to);
            }
        }
        let missing = &judgement.missing;
        let is_due = missing.iter().any(|to| !self.flights.has(slot, *to));
        let has_source = !judgement.holders.is_empty();
        // Who is new to it is asked before the survey comes to it.
        for index in &judgement.open {
            let node = self.nodes.at_mut(*index);
            if node.is_live() && node.due.len() < MAX_ASK {
                node.due.push(slot);
            }
        }
        let Some(entry) = self.objects.at_mut(slot) else {
            return;
        };
        let second = (now.0 / 1_000).clamp(1, u64::from(u32::MAX)) as u32;
        entry.whole_since = match judgement.is_whole() {
            true if entry.whole_since > 0 => entry.whole_since,
            true => second,
            false => 0,
        };
        let is_unavailable = !has_source
            && judgement.open.is_empty()
            && judgement.promised > 0
            && !missing.is_empty();
        if is_unavailable && !entry.is_unavailable {
            let root = entry.content().root;
            self.outputs.push_back(Output::Unavailable { root });
        }
        entry.is_unavailable = is_unavailable;
        if is_due && has_source {
            let limit = self.limits.queue;
            let urgency = judgement.urgency();
            self.queue.put(&mut self.objects, slot, urgency, limit);
        } else {
            self.queue.remove(&mut self.objects, slot);
        }
    }

    /// Goes on with asking everybody about everything, as fast as answers come.
    pub(crate) fn survey(&mut self, now: Millis) {
        let is_due = now.0.saturating_sub(self.survey.began.0) >= self.rules.survey.0;
        if !self.survey.is_on && (is_due || self.survey.again) {
            self.survey.begin(now);
            self.counted = Figures::default();
            self.searches = self.limits.searches;
        }
        let (cost, mut left) = (self.cost(), self.limits.work);
        while self.survey.is_on && left >= cost {
            let slot = self.survey.slot;
            if slot >= self.objects.end() {
                (self.survey.is_on, self.survey.done) = (false, self.survey.id);
                self.figures = self.counted;
                break;
            }
            if !self.visit(slot, now) {
                break;
            }
            self.survey.slot += 1;
            left -= cost;
        }
    }

    /// Puts a blob on the lists of those who should hold it or say that they do; `false` when one of
    /// the lists is full.
    fn visit(&mut self, slot: u32, now: Millis) -> bool {
        let Some(judgement) = self.judge(slot, now) else {
            return true;
        };
        let Some(entry) = self.objects.at(slot) else {
            return true;
        };
        // Who failed to show it may have noticed, and say that it lacks it.
        let claiming = entry.notes().filter(|(_, note)| *note != Note::Lacks);
        let mut asked: Vec<Index> = claiming.map(|(index, _)| index).collect();
        asked.extend(&judgement.wanted);
        let drains = |index: &Index| self.nodes.at(*index).survey >= self.survey.id;
        asked.extend(self.nodes.draining().filter(drains));
        if entry.is_unavailable && self.searches > 0 {
            // Whoever should hold it lacks it: somebody may that should not.
            self.searches -= 1;
            asked.extend(self.nodes.indices());
        }
        asked.sort_unstable();
        asked.dedup();
        asked.retain(|index| self.nodes.at(*index).is_live());
        let is_full = |index: &Index| self.nodes.at(*index).due.len() >= MAX_ASK;
        if asked.iter().any(is_full) {
            return false;
        }
        for index in asked {
            self.nodes.at_mut(index).due.push(slot);
        }
        let figures = &mut self.counted;
        figures.whole += u64::from(judgement.is_whole());
        figures.short += u64::from(judgement.is_short() && !judgement.holders.is_empty());
        figures.alone += u64::from(judgement.holders.len() == 1 && judgement.promised > 1);
        figures.unavailable += u64::from(entry.is_unavailable);
        let (since, root) = (entry.whole_since, entry.content().root);
        let held = u64::from(since).saturating_mul(1_000);
        if judgement.is_whole()
            && since > 0
            && now.0.saturating_sub(held) >= self.rules.spare_after.0
        {
            // A cache that drains keeps what it has: it may be back.
            let is_spare = |index: &&Index| {
                !judgement.wanted.contains(index) && self.nodes.at(**index).may_own()
            };
            for index in judgement.holders.iter().filter(is_spare) {
                let cache = self.nodes.at(*index).device;
                self.outputs.push_back(Output::Excess { root, cache });
            }
        }
        self.look(slot, now);
        true
    }

    /// Asks who is due: what is on its way there first, then what the survey put on its list.
    pub(crate) fn ask(&mut self, now: Millis) {
        for index in self.nodes.indices() {
            let node = self.nodes.at(index);
            let waits = node
                .asked
                .is_some_and(|at| now.0.saturating_sub(at.0) < self.rules.answer.0);
            let is_due = now >= node.next_ask || node.due.len() >= MAX_ASK / 2;
            if !node.is_registered || waits || !is_due {
                continue;
            }
            let mut slots: Vec<u32> = self.flights.to(index).take(MAX_ASK / 2).collect();
            let (heartbeat, own) = (self.rules.heartbeat.0, &self.own);
            let spread = spread(own, &self.nodes.at(index).device, heartbeat / 4);
            let node = self.nodes.at_mut(index);
            let rest = (MAX_ASK - slots.len()).min(node.due.len());
            slots.extend(node.due.drain(..rest));
            node.asked = Some(now);
            node.next_ask = Millis(now.0.saturating_add(heartbeat - spread));
            let cache = node.device;
            let roots = slots.iter().filter_map(|slot| self.objects.at(*slot));
            let roots = roots.map(|entry| entry.content().root).collect();
            self.outputs.push_back(Output::Ask { cache, roots });
        }
    }

    /// Asks for challenges so that every holder of every blob has one within [`crate::Rules::challenge`].
    pub(crate) fn challenge(&mut self, passed: u64) {
        let end = u64::from(self.objects.end());
        self.challenge_debt += u128::from(end) * u128::from(passed);
        let period = u128::from(self.rules.challenge.0.max(1));
        let mut left = self.limits.challenges;
        // After a long time without a tick the rest of that time is let go.
        self.challenge_debt = self
            .challenge_debt
            .min(period * self.limits.challenges as u128);
        while self.challenge_debt >= period && left > 0 {
            self.challenge_debt -= period;
            let slot = self.challenge_slot;
            self.challenge_slot = if u64::from(slot) + 1 < end {
                slot + 1
            } else {
                0
            };
            let Some(entry) = self.objects.at(slot) else {
                continue;
            };
            let holding = entry.notes().filter(|(_, note)| *note != Note::Lacks);
            for (index, _) in holding.filter(|(index, _)| self.nodes.at(*index).is_live()) {
                self.outputs.push_back(Output::Challenge {
                    content: entry.content(),
                    service: entry.service(),
                    cache: self.nodes.at(index).device,
                });
                left = left.saturating_sub(1);
            }
        }
    }
}

/// A number below `end` for a pair of devices, so that neither all caches nor all stewards ask at once.
fn spread(own: &DeviceId, cache: &DeviceId, end: u64) -> u64 {
    let pairs = own.0.iter().zip(&cache.0);
    let mixed = pairs.fold(0u64, |sum, (a, b)| {
        sum.rotate_left(7) ^ u64::from(*a) << 8 ^ u64::from(*b)
    });
    mixed % end.max(1)
}
