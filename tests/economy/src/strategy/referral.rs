//! Accounts of the coalition refer each other, and each buys traffic at the coalition's nodes.

use super::{wash::buy, Strategy};
use crate::model::{Defect, Line, World};
use selvedge_primitives_math::ratio::apply;

/// Wash traffic with the referrer's part coming back.
pub struct Ring;

impl Strategy for Ring {
    fn name(&self) -> &'static str {
        "referral ring"
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
        let era = 2 * apply(world.scenario.measure, world.scenario.break_even());
        let amount = era / u128::from(world.scenario.epochs_per_era);
        buy(world, gateway, lines, amount, true)
    }
}
