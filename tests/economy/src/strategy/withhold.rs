//! Shows its leaves to nobody but its own auditors, who find nothing wrong.

use super::{inflate::falsify, Promise, Strategy};
use crate::model::{audit::Conduct, Defect, Line, World};
use selvedge_primitives_math::ratio::apply;
use selvedge_primitives_types::Ppm;

/// Bets on a committee of its own, or on eight draws that miss.
pub struct Withhold;

impl Strategy for Withhold {
    fn name(&self) -> &'static str {
        "withheld leaves"
    }

    fn promise(&self) -> Promise {
        Promise::PoorerAsProposed
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
        let false_part = Ppm(apply(world.scenario.measure, 100_000) as u32);
        falsify(world, gateway, lines, false_part, None)
    }

    fn conduct(&self) -> Conduct {
        Conduct {
            withholds: true,
            covers: true,
            is_lazy: false,
        }
    }
}
