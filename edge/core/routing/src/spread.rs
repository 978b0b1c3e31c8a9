//! Spreads the copies of one target over operators, regions and networks.
//!
//! The rule stands at [`Placement`](crate::Placement). It speaks of all caches; that only the
//! nearest need be looked at is since none can stand better than the best that is left of operators,
//! regions and networks: the first in the order that stands as well is the one.

use selvedge_primitives_types::{DeviceId, MAX_FACTOR};

use crate::loads::Loads;
use crate::placement::Field;
use crate::target::Points;

/// What a cache shares with others, as numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    pub(crate) operator: u32,
    pub(crate) region: u32,
    pub(crate) network: Option<u32>,
}

/// What is due is compared in so many parts of a copy. A prime, so that what some regions of one size
/// are due is never on the edge, where a cache that comes or goes would turn it.
const PARTS: u128 = 73;
/// So many parts of a copy more or less are taken for none: about an eighth.
const SLACK: u128 = 10;
/// And at the second copy about a half, so that it is in another region where the others together
/// have a quarter of the weight.
const SLACK_OF_SECOND: u128 = 37;

/// What a region is due when a number of copies has been placed.
#[derive(Clone, Copy, Debug, Default)]
struct Due {
    /// With fewer it is behind.
    least: u32,
    /// Beyond it, it is ahead.
    most: u32,
}

/// What each region is due, for each number of copies.
#[derive(Clone, Debug, Default)]
pub(crate) struct Regions {
    /// By copies less one, then by region.
    due: Vec<Vec<Due>>,
    weights: u128,
}

impl Regions {
    pub(crate) fn new(field: &Field) -> Self {
        let mut weights = vec![0u128; field.sizes.len()];
        for (member, runner) in field.members.iter().zip(0..) {
            weights[member.region as usize] += u128::from(field.race.weight_of(runner));
        }
        let all = field.race.weight().max(1);
        let due = |copies: u128, weight: u128| {
            let (part, whole) = (PARTS * copies * weight, PARTS * all);
            let slack = if copies == 2 { SLACK_OF_SECOND } else { SLACK };
            let most = part.saturating_sub(slack * all).div_ceil(whole);
            Due {
                least: u32::try_from((part + SLACK * all) / whole).unwrap_or(u32::MAX),
                most: u32::try_from(most).unwrap_or(u32::MAX).max(1),
            }
        };
        let due = (1..=u128::from(MAX_FACTOR))
            .map(|copies| weights.iter().map(|weight| due(copies, *weight)).collect())
            .collect();
        Self { due, weights: all }
    }

    /// How late a region's turn is for the next of `placed` copies, of which it has `had`.
    fn turn(&self, region: u32, placed: usize, had: u32) -> u32 {
        let due = self
            .due
            .get(placed)
            .and_then(|due| due.get(region as usize));
        let Due { least, most } = due.copied().unwrap_or_default();
        if had < least {
            0
        } else {
            1 + (had + 1).saturating_sub(most)
        }
    }
}

/// How a cache stands for the next copy. The least is first; who is equal is taken as it is near.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Standing {
    is_full: bool,
    operator: u32,
    turn: u32,
    network: u32,
}

/// Copies of what is told apart by number. There are at most [`MAX_FACTOR`] of them.
#[derive(Default)]
struct Had(Vec<(u32, u32)>);

impl Had {
    fn of(&self, number: u32) -> u32 {
        let found = self.0.iter().find(|(known, _)| *known == number);
        found.map_or(0, |(_, had)| *had)
    }

    fn add(&mut self, number: u32) {
        match self.0.iter_mut().find(|(known, _)| *known == number) {
            Some((_, had)) => *had += 1,
            None => self.0.push((number, 1)),
        }
    }

    /// The least that any of `all` distinct numbers has.
    fn least(&self, all: usize) -> u32 {
        if self.0.len() < all {
            return 0;
        }
        self.0.iter().map(|(_, had)| *had).min().unwrap_or(0)
    }
}

/// Copies of one target, as they are placed.
pub(crate) struct Spread<'a> {
    regions: &'a Regions,
    factor: usize,
    loads: Option<&'a Loads>,
    operators: Had,
    by_region: Had,
    networks: Had,
    /// Who has a copy, in order.
    pub(crate) owners: Vec<DeviceId>,
}

impl<'a> Spread<'a> {
    pub(crate) fn new(regions: &'a Regions, factor: u8, loads: Option<&'a Loads>) -> Self {
        Self {
            regions,
            factor: usize::from(factor),
            loads,
            operators: Had::default(),
            by_region: Had::default(),
            networks: Had::default(),
            owners: Vec::with_capacity(usize::from(factor)),
        }
    }

    /// Places copies in a field until there are enough, or each of it has one.
    pub(crate) fn place(&mut self, field: &Field, target: &Points) {
        if self.owners.len() >= self.factor || field.members.is_empty() {
            return;
        }
        let mut walk = field.race.walk(target);
        let mut taken: Vec<u32> = Vec::with_capacity(self.factor);
        let mut taken_of = Had::default();
        while self.owners.len() < self.factor {
            let best = self.best(field, taken.len(), &taken_of);
            let found = loop {
                let left = walk.places.iter().map(|place| place.runner);
                let left = left.filter(|runner| !taken.contains(runner));
                let first = self.first(field, left, best);
                if walk.is_all() || first.is_some_and(|(standing, _)| standing <= best) {
                    break first;
                }
                walk.reach_further();
            };
            let Some((_, runner)) = found else {
                return;
            };
            let (Some(device), Some(member)) = (
                field.race.device(runner),
                field.members.get(runner as usize),
            ) else {
                return;
            };
            taken.push(runner);
            taken_of.add(member.region);
            self.operators.add(member.operator);
            self.by_region.add(member.region);
            if let Some(network) = member.network {
                self.networks.add(network);
            }
            self.owners.push(device);
        }
    }

    /// The one that stands best, and the nearest of these.
    fn first(
        &self,
        field: &Field,
        left: impl Iterator<Item = u32>,
        best: Standing,
    ) -> Option<(Standing, u32)> {
        let mut first: Option<(Standing, u32)> = None;
        for runner in left {
            let standing = self.standing(field, runner)?;
            if first.is_none_or(|(least, _)| standing < least) {
                first = Some((standing, runner));
                if standing <= best {
                    break;
                }
            }
        }
        first
    }

    fn standing(&self, field: &Field, runner: u32) -> Option<Standing> {
        let member = field.members.get(runner as usize)?;
        let device = field.race.device(runner)?;
        let weight = field.race.weight_of(runner);
        let is_full = |loads: &Loads| loads.is_full(&device, weight, self.regions.weights);
        Some(Standing {
            is_full: self.loads.is_some_and(is_full),
            operator: self.operators.of(member.operator),
            turn: self.turn(member.region),
            network: member
                .network
                .map_or(0, |network| self.networks.of(network)),
        })
    }

    fn turn(&self, region: u32) -> u32 {
        let had = self.by_region.of(region);
        self.regions.turn(region, self.owners.len(), had)
    }

    /// As well as any that is left can stand.
    fn best(&self, field: &Field, taken: usize, taken_of: &Had) -> Standing {
        let regions = field.operators.iter().zip(&field.sizes).zip(0u32..);
        let left = regions.filter(|((_, size), region)| taken_of.of(*region) < **size);
        let best = left.map(|((operators, _), region)| {
            let had = operators
                .iter()
                .map(|operator| self.operators.of(*operator));
            let mut least = u32::MAX;
            for had in had {
                least = least.min(had);
                if least == 0 {
                    break;
                }
            }
            (least, self.turn(region))
        });
        let (operator, turn) = best.min().unwrap_or_default();
        Standing {
            is_full: false,
            operator,
            turn,
            network: match field.networks {
                // Only of these are the numbers known that had a copy.
                Some(all) if self.owners.len() == taken => self.networks.least(all),
                _ => 0,
            },
        }
    }
}
