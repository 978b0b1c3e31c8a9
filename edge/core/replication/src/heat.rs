//! Demand for blobs by region, which counts half after each half-life.

use std::collections::BTreeMap;

use selvedge_primitives_types::{Millis, Region};

/// Regions that are told apart for one blob; the coldest gives way.
const REGIONS: usize = 16;
/// Blobs that are compared when one must give way.
const PROBES: usize = 16;

/// Of one blob.
#[derive(Clone, Debug, Default)]
struct Demand {
    at: Millis,
    regions: Vec<(Region, u32)>,
}

impl Demand {
    fn decay(&mut self, now: Millis, half_life: u64) {
        let passed = now.0.saturating_sub(self.at.0);
        self.at = now.max(self.at);
        for (_, requests) in &mut self.regions {
            *requests = decayed(*requests, passed, half_life);
        }
        self.regions.retain(|(_, requests)| *requests > 0);
    }

    fn total(&self) -> u32 {
        let all = self.regions.iter().map(|(_, requests)| *requests);
        all.fold(0, u32::saturating_add)
    }
}

/// Half for each whole half-life, and a straight line in between.
fn decayed(requests: u32, passed: u64, half_life: u64) -> u32 {
    let half_life = half_life.max(1);
    let halves = u32::try_from(passed / half_life).unwrap_or(u32::MAX);
    let left = u64::from(requests.checked_shr(halves).unwrap_or(0));
    let rest = u128::from(left) * u128::from(2 * half_life - passed % half_life);
    (rest / u128::from(2 * half_life)) as u32
}

/// Of all blobs that have any.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heat {
    demand: BTreeMap<u32, Demand>,
    probe: u32,
}

impl Heat {
    /// Adds requests.
    pub(crate) fn add(
        &mut self,
        slot: u32,
        region: Region,
        requests: u32,
        now: Millis,
        half_life: u64,
        limit: usize,
    ) {
        if !self.demand.contains_key(&slot) && self.demand.len() >= limit {
            self.give_way(now, half_life, requests);
            if self.demand.len() >= limit {
                return;
            }
        }
        let demand = self.demand.entry(slot).or_default();
        demand.decay(now, half_life);
        let regions = &mut demand.regions;
        match regions.iter().position(|(of, _)| *of == region) {
            Some(place) => {
                let sum = &mut regions[place].1;
                *sum = sum.saturating_add(requests);
            }
            None if regions.len() < REGIONS => regions.push((region, requests)),
            None => {
                let coldest = regions.iter_mut().min_by_key(|(_, sum)| *sum);
                if let Some(coldest) = coldest.filter(|(_, sum)| *sum < requests) {
                    *coldest = (region, requests);
                }
            }
        }
    }

    /// Drops the coldest of the next few, if it is colder than this.
    fn give_way(&mut self, now: Millis, half_life: u64, requests: u32) {
        let mut coldest = None;
        let after = self.demand.range_mut(self.probe..).take(PROBES);
        for (slot, demand) in after {
            demand.decay(now, half_life);
            let total = demand.total();
            if coldest.is_none_or(|(least, _)| total < least) {
                coldest = Some((total, *slot));
            }
            self.probe = slot.wrapping_add(1);
        }
        match coldest {
            Some((total, slot)) if total < requests => {
                self.demand.remove(&slot);
            }
            Some(_) => {}
            None => self.probe = 0,
        }
    }

    /// Requests from everywhere, decayed.
    pub(crate) fn total(&self, slot: u32, now: Millis, half_life: u64) -> u32 {
        let regions = self.regions(slot, now, half_life);
        regions.fold(0, |sum, (_, requests)| sum.saturating_add(requests))
    }

    /// Requests by region, decayed.
    pub(crate) fn regions(
        &self,
        slot: u32,
        now: Millis,
        half_life: u64,
    ) -> impl Iterator<Item = (Region, u32)> + '_ {
        let demand = self.demand.get(&slot);
        let passed = demand.map_or(0, |demand| now.0.saturating_sub(demand.at.0));
        let regions = demand.map_or(&[][..], |demand| &demand.regions);
        regions
            .iter()
            .map(move |(region, requests)| (*region, decayed(*requests, passed, half_life)))
    }

    pub(crate) fn forget(&mut self, slot: u32) {
        self.demand.remove(&slot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn demand_halves_with_each_half_life() {
        assert_eq!(decayed(1_000, 0, 600), 1_000);
        assert_eq!(decayed(1_000, 300, 600), 750);
        assert_eq!(decayed(1_000, 600, 600), 500);
        assert_eq!(decayed(1_000, 1_800, 600), 125);
        assert_eq!(decayed(u32::MAX, u64::MAX, 600), 0);
    }

    #[test]
    fn the_table_is_bounded_and_the_colder_gives_way() {
        let region = Region::parse("eu").unwrap();
        let mut heat = Heat::default();
        let add = |heat: &mut Heat, slot, requests| {
            heat.add(slot, region, requests, Millis(0), 600, 8);
        };
        (0..8).for_each(|slot| add(&mut heat, slot, 10 + slot));
        add(&mut heat, 8, 5);
        assert_eq!(heat.total(8, Millis(0), 600), 0);
        (0..4).for_each(|_| add(&mut heat, 9, 50));
        assert_eq!(heat.demand.len(), 8);
        assert!(heat.total(9, Millis(0), 600) >= 50);
        assert_eq!(heat.total(0, Millis(0), 600), 0);
    }
}
