//! What strangers want, the same in every run of a seed whatever the coalition does.

use super::{Defect, Line, Payer, World};
use rand::{
    distributions::{Distribution, WeightedIndex},
    rngs::StdRng,
    Rng, SeedableRng,
};
use selvedge_primitives_math::ratio::apply;
use selvedge_primitives_types::{Planck, Ppm, Role, Slice};

/// Caches that supply a gateway in an epoch.
const CACHES: usize = 3;

/// Charges of an era of strangers' traffic at a gateway at high tide, on average.
pub fn usual(world: &World, gateway: usize) -> Planck {
    // A gateway is busier than another for good.
    let size = Ppm(source(world, 1 + gateway as u64).gen_range(500_000..=2_000_000));
    apply(size, world.scenario.demand)
}

/// Lines of what strangers' visitors are served by a gateway in an epoch.
pub fn outside(world: &World, gateway: usize) -> Result<Vec<Line>, Defect> {
    let scenario = &world.scenario;
    let takes = |index: usize| world.nodes[index].is_used && !world.nodes[index].is_draining;
    let caches: Vec<usize> = world
        .active(Role::Cache)
        .filter(|index| takes(*index))
        .collect();
    let weights = caches.iter().map(|index| world.nodes[*index].stake);
    let Ok(weights) = WeightedIndex::new(weights) else {
        return Ok(Vec::new());
    };
    if !takes(gateway) {
        return Ok(Vec::new());
    }
    let mut rng = source(world, (world.epoch << 16) + gateway as u64 + 0x1_0000);
    let chance = Ppm(rng.gen_range(800_000..=1_200_000));
    let full = usual(world, gateway) / u128::from(scenario.epochs_per_era);
    let amount = apply(scenario.tide_of(world.era()), apply(chance, full));
    (0..CACHES)
        .map(|_| {
            // By stake, so that a stake in pieces is sent what it would be sent whole.
            let cache = caches[weights.sample(&mut rng)];
            let share = amount / CACHES as u128;
            let leaves = Slice::PER_EPOCH.into();
            Line::of(
                Payer::Stranger,
                Some(cache),
                leaves,
                share,
                &scenario.prices,
            )
        })
        .collect()
}

fn source(world: &World, salt: u64) -> StdRng {
    StdRng::seed_from_u64(world.scenario.seed ^ salt.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}
