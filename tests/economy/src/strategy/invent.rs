//! A gateway and its own cache sign traffic for a stranger that never was.

use super::{Promise, Strategy};
use crate::{
    model::{Defect, Line, Payer, World},
    scenario::Scenario,
};
use selvedge_primitives_math::ratio::apply;
use selvedge_primitives_types::{Role, Slice};

/// No proof exists against it; leases bound it, and the victim may have half of it burnt.
pub struct Invent;

impl Strategy for Invent {
    fn name(&self) -> &'static str {
        "traffic invented for a stranger"
    }

    fn promise(&self) -> Promise {
        Promise::Bounded
    }

    fn unit(&self) -> &'static str {
        "traffic invented"
    }

    fn adjust(&self, scenario: &mut Scenario) {
        scenario.is_used = true;
    }

    fn fill(
        &mut self,
        world: &mut World,
        gateway: usize,
        lines: &mut Vec<Line>,
    ) -> Result<(), Defect> {
        if !world.nodes[gateway].is_own {
            return Ok(());
        }
        // Strangers' caps are taken to be twice what they use.
        let used = lines.iter().map(|line| line.amount).sum();
        let line = Line::of(
            Payer::Stranger,
            world.own(Role::Cache),
            Slice::PER_EPOCH.into(),
            apply(world.scenario.measure, used),
            &world.scenario.prices,
        )?;
        world.volume += line.amount;
        lines.push(line);
        Ok(())
    }
}
