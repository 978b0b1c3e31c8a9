//! Blobs whose copies are missing, the most urgent first.

use std::collections::BTreeSet;

use crate::objects::Objects;

/// Bits for demand.
const HEAT: u32 = 24;
/// Above the copies that there are.
const MOVE: u32 = 1 << 30;

/// How urgent a copy is: the lower the sooner. Fewest copies first, then the hottest; what has its
/// copies, and only not where they belong, after all that has not.
pub(crate) fn urgency(is_move: bool, copies: usize, heat: u32) -> u32 {
    let heat = heat.min((1 << HEAT) - 1);
    let copies = copies.min(31) as u32;
    // Never 0, which stands for a blob that is not in the queue.
    ((u32::from(is_move) * MOVE) | (copies << HEAT) | ((1 << HEAT) - 1 - heat)) + 1
}

/// Slots by urgency.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queue {
    set: BTreeSet<(u32, u32)>,
}

impl Queue {
    pub(crate) fn put(&mut self, objects: &mut Objects, slot: u32, urgency: u32, limit: usize) {
        self.remove(objects, slot);
        if let Some(entry) = objects.at_mut(slot) {
            entry.queued = urgency;
            self.set.insert((urgency, slot));
        }
        while self.set.len() > limit {
            let last = self.set.pop_last();
            if let Some(entry) = last.and_then(|(_, slot)| objects.at_mut(slot)) {
                entry.queued = 0;
            }
        }
    }

    pub(crate) fn remove(&mut self, objects: &mut Objects, slot: u32) {
        let Some(entry) = objects.at_mut(slot) else {
            return;
        };
        if entry.queued > 0 {
            self.set.remove(&(entry.queued, slot));
            entry.queued = 0;
        }
    }

    /// The most urgent slots.
    pub(crate) fn first(&self, count: usize) -> Vec<u32> {
        self.set.iter().take(count).map(|(_, slot)| *slot).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewest_copies_come_first_then_the_hottest_and_moves_last() {
        let order = [
            urgency(false, 1, 9),
            urgency(false, 1, 8),
            urgency(false, 2, u32::MAX),
            urgency(true, 1, 5),
            urgency(true, 9, 5),
        ];
        assert!(order.is_sorted() && order[0] > 0);
    }
}
