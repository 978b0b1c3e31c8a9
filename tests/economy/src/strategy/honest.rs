//! The alternative: the same capital, and nothing to hide.

use super::Strategy;
use crate::{
    model::{Defect, Line, World},
    scenario::SEL,
};
use selvedge_primitives_math::ratio::apply;
use selvedge_primitives_types::{Planck, Ppm, Role};

/// Serves, or waits to be used; stakes what an attack would have spent on deposits.
#[derive(Clone, Copy, Debug, Default)]
pub struct Honest {
    /// Capital that is staked besides, in a cache that nobody uses.
    pub staked: Planck,
    /// The stake of one more cache, which is used like the coalition's others.
    pub cache: Planck,
    /// Whether all stakes are released in the end.
    pub leaves: bool,
    /// What its own customer really uses in an era.
    pub uses: Planck,
}

impl Strategy for Honest {
    fn name(&self) -> &'static str {
        "honest"
    }

    fn unit(&self) -> &'static str {
        "stake"
    }

    fn prepare(&mut self, world: &mut World) -> Result<(), Defect> {
        for (stake, is_used) in [(self.cache, world.scenario.is_used), (self.staked, false)] {
            if stake > 0 {
                let index = world.join(0, Role::Cache, stake)?;
                world.nodes[index].is_used = is_used;
                world.nodes[index].runs = false;
            }
        }
        Ok(())
    }

    fn fill(
        &mut self,
        world: &mut World,
        gateway: usize,
        lines: &mut Vec<Line>,
    ) -> Result<(), Defect> {
        if self.uses > 0 && !world.nodes[gateway].is_own {
            lines.push(super::free_buffer::used(world, self.uses, lines)?);
        }
        Ok(())
    }

    fn finish(&mut self, world: &mut World) -> Result<(), Defect> {
        if self.leaves {
            world.release_all()?;
        }
        Ok(())
    }
}

/// What deposits of so many accounts with a service and a host name tie up: 1 + 0.5 + 0.15 SEL
/// each.
pub fn deposits(accounts: u64) -> Planck {
    apply(Ppm(1_650_000), SEL) * u128::from(accounts)
}
