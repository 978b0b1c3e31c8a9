//! Stakes, and runs no machine.

use super::Strategy;
use crate::model::{Defect, World};
use selvedge_primitives_types::Ppm;

/// Waits what the base yield brings until it is out.
pub struct Idle;

impl Strategy for Idle {
    fn name(&self) -> &'static str {
        "idle farming"
    }

    fn unit(&self) -> &'static str {
        "stake"
    }

    fn prepare(&mut self, world: &mut World) -> Result<(), Defect> {
        switch_off(world);
        Ok(())
    }
}

/// Turns every machine of the coalition's off.
pub fn switch_off(world: &mut World) {
    for node in world.nodes.iter_mut().filter(|node| node.is_own) {
        node.runs = false;
        node.is_used = false;
        node.answers = Ppm(0);
    }
}
