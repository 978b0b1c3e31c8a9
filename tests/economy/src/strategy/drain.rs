//! Runs no machine, and is on its way out for ever.

use super::{idle::switch_off, Promise, Strategy};
use crate::model::{Defect, World};

/// A draining node's score stands still.
pub struct Drain;

impl Strategy for Drain {
    fn name(&self) -> &'static str {
        "draining for ever"
    }

    fn promise(&self) -> Promise {
        Promise::PoorerAsProposed
    }

    fn unit(&self) -> &'static str {
        "stake"
    }

    fn prepare(&mut self, world: &mut World) -> Result<(), Defect> {
        switch_off(world);
        for node in world.nodes.iter_mut().filter(|node| node.is_own) {
            node.is_draining = true;
        }
        Ok(())
    }
}
