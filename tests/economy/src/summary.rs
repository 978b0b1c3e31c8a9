//! What many runs of a strategy came to.

use crate::{
    compare,
    model::{audit::DrawRule, Defect, Rules},
    strategy::{self, Promise},
    Outcome, Scenario,
};

/// Lowest, middle and highest of figures in per cent of the volume.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Lowest.
    pub min: f64,
    /// Middle.
    pub median: f64,
    /// Highest.
    pub max: f64,
}

impl Spread {
    /// The spread of figures; zeros of none.
    pub fn of(mut figures: Vec<f64>) -> Self {
        figures.sort_by(f64::total_cmp);
        let at = |index: usize| figures.get(index).copied().unwrap_or_default();
        Self {
            min: at(0),
            median: at(figures.len() / 2),
            max: at(figures.len().saturating_sub(1)),
        }
    }
}

/// A strategy under given rules, over seeds.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The strategy.
    pub name: &'static str,
    /// What its volume counts.
    pub unit: &'static str,
    /// What the rules promise about it.
    pub promise: Promise,
    /// The rules.
    pub rules: Rules,
    /// Every run in which it found something to do.
    pub outcomes: Vec<Outcome>,
}

impl Summary {
    /// Cost, return and net in per cent of the volume.
    pub fn spreads(&self) -> [Spread; 3] {
        let figures = [
            |outcome: &Outcome| outcome.per_cent(outcome.cost as i128),
            |outcome: &Outcome| outcome.per_cent(outcome.back as i128),
            |outcome: &Outcome| outcome.per_cent(outcome.net()),
        ];
        figures.map(|figure| Spread::of(self.outcomes.iter().map(figure).collect()))
    }

    /// Runs in which the coalition did not end poorer.
    pub fn paying(&self) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().filter(|outcome| outcome.net() >= 0)
    }

    /// Whether the rules keep their promise.
    pub fn is_kept(&self) -> bool {
        let must_lose = match self.promise {
            Promise::Poorer => true,
            Promise::PoorerAsProposed => self.rules == Rules::Proposed,
            Promise::Bounded => false,
        };
        !must_lose || self.paying().next().is_none()
    }
}

/// Runs the strategies whose name has `named` in it over seeds; `tell` hears of each run that is
/// done.
pub fn summarise(
    named: &str,
    seeds: std::ops::Range<u64>,
    epochs_per_era: u64,
    rules: Rules,
    tell: &dyn Fn(),
) -> Result<Vec<Summary>, Defect> {
    indices(named)
        .into_iter()
        .map(|index| {
            let make = || strategy::all().swap_remove(index);
            let one = make();
            let mut outcomes = Vec::new();
            for seed in seeds.clone() {
                let scenario = Scenario::sample(seed, epochs_per_era);
                outcomes.extend(compare(&make, scenario, rules, DrawRule::Mixed)?);
                tell();
            }
            Ok(Summary {
                name: one.name(),
                unit: one.unit(),
                promise: one.promise(),
                rules,
                outcomes,
            })
        })
        .collect()
}

/// Strategies whose name has `named` in it, by their place in [`strategy::all`].
pub fn indices(named: &str) -> Vec<usize> {
    let all = strategy::all().into_iter().enumerate();
    all.filter(|(_, one)| one.name().contains(named))
        .map(|(index, _)| index)
        .collect()
}
