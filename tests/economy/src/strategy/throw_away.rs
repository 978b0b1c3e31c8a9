//! Runs no machine, and puts its stakes onto fresh devices before anything is known of the old ones.

use super::{idle::switch_off, Promise, Strategy};
use crate::model::{Defect, Rules, World};
use selvedge_primitives_types::Score;

/// A device that was not there for a whole era keeps the score of one of which nothing is known.
pub struct ThrowAway;

impl Strategy for ThrowAway {
    fn name(&self) -> &'static str {
        "throw-away devices"
    }

    fn promise(&self) -> Promise {
        Promise::PoorerAsProposed
    }

    fn unit(&self) -> &'static str {
        "stake"
    }

    fn prepare(&mut self, world: &mut World) -> Result<(), Defect> {
        switch_off(world);
        Ok(())
    }

    fn begin_epoch(&mut self, world: &mut World) -> Result<(), Defect> {
        if world.is_epoch_of_era(0) {
            let rules = world.rules;
            for node in world.nodes.iter_mut().filter(|node| node.is_own) {
                // The stake is on the other device from the next epoch on.
                node.absent = 1;
                node.days = 0;
                if rules == Rules::Written {
                    node.quality = Score::ONE;
                    node.service = Score::ONE;
                }
            }
        }
        Ok(())
    }
}
