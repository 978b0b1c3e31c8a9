//! Claims more than caches have signed, spread over leaves that look like the others.

use super::{wash::buy, Strategy};
use crate::model::{Defect, Line, Payer, World};
use selvedge_primitives_math::ratio::apply;
use selvedge_primitives_types::{Planck, Ppm, Role};

/// Up to half of a commitment is false.
pub struct Inflate;

impl Strategy for Inflate {
    fn name(&self) -> &'static str {
        "inflated leaves"
    }

    fn unit(&self) -> &'static str {
        "stake"
    }

    fn trials(&self) -> u64 {
        8
    }

    fn fill(
        &mut self,
        world: &mut World,
        gateway: usize,
        lines: &mut Vec<Line>,
    ) -> Result<(), Defect> {
        let false_part = apply(world.scenario.measure, 500_000) as u32;
        falsify(world, gateway, lines, Ppm(false_part), None)
    }
}

/// Adds false leaves for a stranger that hold about `false_part` of the commitment's amount: as
/// many as fit the others, or `leaves`.
pub fn falsify(
    world: &mut World,
    gateway: usize,
    lines: &mut Vec<Line>,
    false_part: Ppm,
    leaves: Option<u64>,
) -> Result<(), Defect> {
    if !world.nodes[gateway].is_own {
        return Ok(());
    }
    if lines.is_empty() {
        // Who has no visitors hides among purchases of its own.
        let cover = world.scenario.break_even() / 10 / u128::from(world.scenario.epochs_per_era);
        buy(world, gateway, lines, cover, true)?;
        world.volume = 0;
    }
    let (amount, count) = lines.iter().fold((0, 0), |sum: (Planck, u64), line| {
        (sum.0 + line.amount, sum.1 + line.leaves)
    });
    let rest = u128::from(Ppm::ONE.0 - false_part.0);
    let scaled = |whole: u128| whole * u128::from(false_part.0) / rest;
    let line = Line::of(
        Payer::Stranger,
        world.own(Role::Cache),
        leaves.unwrap_or(scaled(count.into()) as u64),
        scaled(amount),
        &world.scenario.prices,
    )?
    .falsified();
    lines.push(line);
    Ok(())
}
