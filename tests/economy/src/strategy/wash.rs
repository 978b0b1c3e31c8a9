//! Buys its own traffic, through its own gateway and cache, all the time.

use super::Strategy;
use crate::model::{Defect, Line, Payer, World};
use selvedge_primitives_math::{lease::lease, ratio::apply};
use selvedge_primitives_types::{Planck, Role, Slice};

/// Wash traffic of a customer without a referrer.
pub struct Wash;

impl Strategy for Wash {
    fn name(&self) -> &'static str {
        "wash traffic"
    }

    fn unit(&self) -> &'static str {
        "traffic bought"
    }

    fn fill(
        &mut self,
        world: &mut World,
        gateway: usize,
        lines: &mut Vec<Line>,
    ) -> Result<(), Defect> {
        // Twice what the stake can be paid for, at full measure.
        let era = 2 * apply(world.scenario.measure, world.scenario.break_even());
        let amount = era / u128::from(world.scenario.epochs_per_era);
        buy(world, gateway, lines, amount, false)
    }
}

/// Buys traffic for about `amount` through a gateway of the coalition's, within a lease that it gave
/// itself.
pub fn buy(
    world: &mut World,
    gateway: usize,
    lines: &mut Vec<Line>,
    amount: Planck,
    referred: bool,
) -> Result<(), Defect> {
    if !world.nodes[gateway].is_own || amount == 0 {
        return Ok(());
    }
    let gateways = world.active(Role::Gateway).count() as u32;
    let cap = amount * u128::from(gateways);
    let bought = Line::of(
        Payer::Own { referred },
        world.own(Role::Cache),
        Slice::PER_EPOCH.into(),
        amount.min(lease(cap, gateways)),
        &world.scenario.prices,
    )?;
    world.volume += bought.amount;
    lines.push(bought);
    Ok(())
}
