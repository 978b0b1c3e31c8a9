//! What many runs of a strategy came to.

use crate::{
    compare,
    model::{audit::DrawRule, Defect, Rules},
    strategy::{self, Promise},
    Outcome, Scenario,
};
use std::{
    num::NonZeroUsize,
    ops::Range,
    panic::resume_unwind,
    sync::atomic::{AtomicU64, Ordering},
    thread,
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

/// Runs the strategies whose name has `named` in it over seeds, on all processors; `tell` hears of
/// each run that is done.
pub fn summarise(
    named: &str,
    seeds: Range<u64>,
    epochs_per_era: u64,
    rules: Rules,
    tell: &(dyn Fn() + Sync),
) -> Result<Vec<Summary>, Defect> {
    indices(named)
        .into_iter()
        .map(|index| {
            let one = strategy::all().swap_remove(index);
            let run = |seed| {
                let make = || strategy::all().swap_remove(index);
                let scenario = Scenario::sample(seed, epochs_per_era);
                let outcome = compare(&make, scenario, rules, DrawRule::Mixed);
                tell();
                outcome
            };
            Ok(Summary {
                name: one.name(),
                unit: one.unit(),
                promise: one.promise(),
                rules,
                outcomes: on_all_processors(seeds.clone(), &run)?,
            })
        })
        .collect()
}

/// What `run` finds, in the order of the seeds.
fn on_all_processors(
    seeds: Range<u64>,
    run: &(dyn Fn(u64) -> Result<Option<Outcome>, Defect> + Sync),
) -> Result<Vec<Outcome>, Defect> {
    let next = AtomicU64::new(seeds.start);
    let work = || {
        let mut found = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return Ok(found);
            }
            found.extend(run(seed)?);
        }
    };
    let processors = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let mut all = thread::scope(|scope| {
        let threads: Vec<_> = (0..processors).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_fold(Vec::new(), |mut all, thread| {
            match thread.join() {
                Ok(found) => all.extend(found?),
                Err(panic) => resume_unwind(panic),
            }
            Ok(all)
        })
    })?;
    all.sort_by_key(|outcome: &Outcome| outcome.seed);
    Ok(all)
}

/// Strategies whose name has `named` in it, by their place in [`strategy::all`].
pub fn indices(named: &str) -> Vec<usize> {
    let all = strategy::all().into_iter().enumerate();
    all.filter(|(_, one)| one.name().contains(named))
        .map(|(index, _)| index)
        .collect()
}
