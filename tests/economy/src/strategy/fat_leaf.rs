//! One false leaf that holds much, among thousands of true ones that hold next to nothing.

use super::{inflate::falsify, Strategy};
use crate::model::{Defect, Line, World};
use selvedge_primitives_math::ratio::apply;
use selvedge_primitives_types::Ppm;

/// True leaves for each that there would be otherwise.
const DUST: u64 = 1_000;

/// Draws by index would not find it.
pub struct FatLeaf;

impl Strategy for FatLeaf {
    fn name(&self) -> &'static str {
        "one fat leaf among dust"
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
        if !world.nodes[gateway].is_own {
            return Ok(());
        }
        let false_part = Ppm(apply(world.scenario.measure, 900_000) as u32);
        falsify(world, gateway, lines, false_part, Some(1))?;
        for line in lines.iter_mut().filter(|line| !line.is_false) {
            line.leaves *= DUST;
        }
        Ok(())
    }
}
