//! Who is nearest to a target.
//!
//! Few caches are measured one by one. Of many, those that may be near are looked up: on each ring
//! the caches of about one weight (within a factor of 16, and mostly that is all of them) are
//! sorted, and those from the target's point as far as the heaviest of them reaches are taken. How
//! far that is grows until enough are found; whoever is within reach comes before all who are not,
//! so the beginning of the order is always right.
//!
//! A ring has as many arcs of equal length as it has points, up to twice, and knows the first point
//! of each: a search is two steps on average.

use std::cmp::Ordering;

use selvedge_primitives_types::DeviceId;

use crate::target::{points_of, Points, RINGS};

/// Up to this many caches are measured one by one.
const FEW: usize = 64;
/// Caches that are within reach at first, on average. Each time it grows eightfold.
const AT_FIRST: u32 = 4;
const GROWTH: u32 = 3;
/// Bits below one step of a unit of weight.
const FRACTION: u32 = 60;

#[derive(Clone, Debug)]
struct Runner {
    device: DeviceId,
    weight: u64,
    points: Points,
}

/// Caches with their points.
#[derive(Clone, Debug, Default)]
pub(crate) struct Race {
    /// Sorted by device.
    runners: Vec<Runner>,
    weight: u128,
    /// Empty for few.
    classes: Vec<Class>,
}

/// Runners whose weights have their highest bit in the same half octet.
#[derive(Clone, Debug)]
struct Class {
    heaviest: u64,
    rings: Vec<Ring>,
}

/// Points on one ring, sorted, with whose they are.
#[derive(Clone, Debug, Default)]
struct Ring {
    points: Vec<(u64, u32)>,
    /// Of each arc, the first point that is in it or after it.
    arcs: Vec<u32>,
}

/// How far a runner is from a target, before its weight counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Index of the runner.
    pub(crate) runner: u32,
    distance: u64,
}

impl Race {
    /// `runners` are sorted by device, without duplicates.
    pub(crate) fn new(runners: impl Iterator<Item = (DeviceId, u64)>) -> Self {
        let runners: Vec<_> = runners
            .map(|(device, weight)| Runner {
                device,
                weight: weight.max(1),
                points: points_of(&device),
            })
            .collect();
        let weight = runners.iter().map(|runner| u128::from(runner.weight)).sum();
        let classes = if runners.len() > FEW {
            classes(&runners)
        } else {
            Vec::new()
        };
        Self {
            runners,
            weight,
            classes,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.runners.len()
    }

    pub(crate) fn device(&self, runner: u32) -> Option<DeviceId> {
        Some(self.runners.get(runner as usize)?.device)
    }

    pub(crate) fn weight_of(&self, runner: u32) -> u64 {
        self.runners.get(runner as usize).map_or(1, |r| r.weight)
    }

    /// The sum of all weights.
    pub(crate) fn weight(&self) -> u128 {
        self.weight
    }

    /// The nearest `count`, in order.
    pub(crate) fn first(&self, target: &Points, count: usize) -> Vec<DeviceId> {
        if count == 0 {
            return Vec::new();
        }
        let mut walk = self.walk(target);
        while walk.places.len() < count && walk.reach_further() {}
        let places = walk.places.iter().take(count);
        places
            .filter_map(|place| self.device(place.runner))
            .collect()
    }

    /// Begins to walk along the order.
    pub(crate) fn walk<'a>(&'a self, target: &'a Points) -> Walk<'a> {
        let mut walk = Walk {
            race: self,
            target,
            places: Vec::new(),
            round: 0,
            is_all: false,
        };
        walk.reach_further();
        walk
    }

    fn order(&self, a: &Place, b: &Place) -> Ordering {
        let scaled = |of: &Place, other: &Place| {
            u128::from(of.distance) * u128::from(self.weight_of(other.runner))
        };
        // Runners are sorted by device.
        scaled(a, b)
            .cmp(&scaled(b, a))
            .then(a.runner.cmp(&b.runner))
    }

    fn all(&self, target: &Points) -> Vec<Place> {
        let places = self.runners.iter().zip(0..).map(|(runner, index)| {
            let rings = runner.points.iter().zip(target);
            let distance = rings.map(|(at, from)| at.wrapping_sub(*from)).min();
            Place {
                runner: index,
                distance: distance.unwrap_or(u64::MAX),
            }
        });
        let mut places: Vec<_> = places.collect();
        places.sort_unstable_by(|a, b| self.order(a, b));
        places
    }

    /// All that are no further than `pace / 2^FRACTION` for each unit of their weight.
    fn within(&self, target: &Points, pace: u128) -> Vec<Place> {
        let reach = |weight: u64| match pace.checked_mul(u128::from(weight)) {
            Some(reach) => u64::try_from(reach >> FRACTION).unwrap_or(u64::MAX),
            None => u64::MAX,
        };
        let mut places = Vec::with_capacity(16);
        for class in &self.classes {
            let furthest = reach(class.heaviest);
            for (ring, from) in class.rings.iter().zip(target) {
                ring.each_within(*from, furthest, |runner, distance| {
                    if distance <= reach(self.weight_of(runner)) {
                        places.push(Place { runner, distance });
                    }
                });
            }
        }
        places.sort_unstable_by_key(|place| (place.runner, place.distance));
        places.dedup_by_key(|place| place.runner);
        places.sort_unstable_by(|a, b| self.order(a, b));
        places
    }
}

impl Ring {
    /// Calls for every runner whose point is at most `furthest` after `from`.
    fn each_within(&self, from: u64, furthest: u64, mut found: impl FnMut(u32, u64)) {
        let arc = ((u128::from(from) * self.arcs.len() as u128) >> 64) as usize;
        let begin = self.arcs.get(arc).map_or(0, |first| *first as usize);
        let in_arc = self.points.iter().skip(begin);
        let start = begin + in_arc.take_while(|(point, _)| *point < from).count();
        let (before, after) = self.points.split_at(start);
        for (point, runner) in after.iter().chain(before) {
            let distance = point.wrapping_sub(from);
            if distance > furthest {
                return;
            }
            found(*runner, distance);
        }
    }
}

fn classes(runners: &[Runner]) -> Vec<Class> {
    let mut by_weight: Vec<Vec<u32>> = vec![Vec::new(); 16];
    for (runner, index) in runners.iter().zip(0..) {
        by_weight[(runner.weight.max(1).ilog2() / 4) as usize].push(index);
    }
    by_weight.retain(|members| !members.is_empty());
    let class = |members: Vec<u32>| {
        let of = |index: &u32| &runners[*index as usize];
        let ring = |ring: usize| {
            let mut points: Vec<_> = members.iter().map(|m| (of(m).points[ring], *m)).collect();
            points.sort_unstable();
            Ring {
                arcs: arcs(&points),
                points,
            }
        };
        Class {
            heaviest: members.iter().map(|m| of(m).weight).max().unwrap_or(1),
            rings: (0..RINGS).map(ring).collect(),
        }
    };
    by_weight.into_iter().map(class).collect()
}

fn arcs(points: &[(u64, u32)]) -> Vec<u32> {
    let count = points.len().next_power_of_two() as u128;
    let mut first = 0;
    let mut arcs = Vec::with_capacity(count as usize);
    for arc in 0..count {
        let start = ((arc << 64) / count) as u64;
        while points.get(first).is_some_and(|(point, _)| *point < start) {
            first += 1;
        }
        arcs.push(first as u32);
    }
    arcs
}

/// The beginning of the order, as far as it was walked.
pub(crate) struct Walk<'a> {
    race: &'a Race,
    target: &'a Points,
    /// The nearest, in order.
    pub(crate) places: Vec<Place>,
    round: u32,
    is_all: bool,
}

impl Walk<'_> {
    /// Finds more; what was found keeps its place. `false` when these are all.
    pub(crate) fn reach_further(&mut self) -> bool {
        if self.is_all {
            return false;
        }
        let race = self.race;
        let expected = (AT_FIRST as usize) << (GROWTH * self.round);
        self.is_all = race.classes.is_empty() || expected > race.len() / 8;
        self.places = if self.is_all {
            race.all(self.target)
        } else {
            let rings = race.weight.saturating_mul(RINGS as u128).max(1);
            let pace = (u128::from(AT_FIRST) << (64 + FRACTION)) / rings;
            race.within(self.target, pace << (GROWTH * self.round))
        };
        self.round += 1;
        true
    }

    /// Whether nobody is left to be found.
    pub(crate) fn is_all(&self) -> bool {
        self.is_all
    }
}
