//! Buys traffic only when little is needed to stand out, for the score that it leaves behind.

use super::{wash::buy, Promise, Strategy};
use crate::{
    model::{traffic, Defect, Line, World},
    scenario::Scenario,
};
use selvedge_primitives_math::{
    ratio::{apply, mul_div},
    score::MAX_JOBS,
};
use selvedge_primitives_types::{Planck, Ppm, Score};

/// On the low days of a week it lifts `jobs` to where it is clamped.
#[derive(Default)]
pub struct LowTide {
    /// Charges per stake of the network's middle on a high day, in millionths.
    high: u128,
}

impl LowTide {
    /// What an era's purchase has to be.
    fn missing(&self, world: &World, gateway: usize) -> Planck {
        let tide = world.scenario.tide;
        let aim = mul_div(
            apply(tide, self.high),
            MAX_JOBS.0.into(),
            Score::ONE.0.into(),
        );
        let stake = world.nodes[gateway].stake;
        let aim = mul_div(aim.unwrap_or(0), stake, Score::ONE.0.into()).unwrap_or(0);
        let has = match world.nodes[gateway].is_used {
            true => apply(tide, traffic::usual(world, gateway)),
            false => 0,
        };
        aim.saturating_sub(has)
    }
}

impl Strategy for LowTide {
    fn name(&self) -> &'static str {
        "wash at low tide"
    }

    fn promise(&self) -> Promise {
        Promise::PoorerAsProposed
    }

    fn unit(&self) -> &'static str {
        "traffic bought"
    }

    fn adjust(&self, scenario: &mut Scenario) {
        // It needs real traffic that the stake limits, and low days on which next to nothing happens.
        scenario.is_used = true;
        scenario.owns_stargate = true;
        scenario.demand = scenario.break_even();
        scenario.tide = Ppm(scenario.tide.0 / 20);
    }

    fn begin_epoch(&mut self, world: &mut World) -> Result<(), Defect> {
        self.high = self.high.max(world.medians[0]);
        Ok(())
    }

    fn fill(
        &mut self,
        world: &mut World,
        gateway: usize,
        lines: &mut Vec<Line>,
    ) -> Result<(), Defect> {
        if !world.nodes[gateway].is_own || !Scenario::is_low(world.era()) {
            return Ok(());
        }
        let amount = self.missing(world, gateway) / u128::from(world.scenario.epochs_per_era);
        buy(world, gateway, lines, amount, true)
    }
}
