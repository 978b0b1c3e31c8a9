//! Placement, replication and repair: real stewards and copiers on a network that does its worst.

mod cache;
mod faults;
mod gateway;
mod judge;
mod message;
mod plan;
mod reads;
mod world;

pub use judge::{Failure, Figures};
pub use plan::{Off, Trouble};

use plan::Plan;
use world::World;

/// Plays a seed to its end.
///
/// `off` turns a rule off, and `trouble` takes the place of the seed's own.
///
/// Errors: the first property that did not hold.
pub fn play(seed: u64, trouble: Option<Trouble>, off: Option<Off>) -> Result<Figures, Failure> {
    World::new(Plan::new(seed, trouble), off).run()
}
