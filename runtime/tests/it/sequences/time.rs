//! How time passes.

use super::{
    acts::{does, Kind},
    plan::Dice,
    world::World,
};
use pallet_edge_traits::EpochClock;
use selvedge_runtime::UsageClock;

pub const ACTS: &[Kind] = &[
    does("make a block", 8, make_a_block),
    does("leave slots empty", 4, leave_slots_empty),
    does("go on inside the epoch", 6, go_on),
    does("go on to the next epoch", 12, end_epoch),
    does("go on for some epochs", 3, end_epochs),
    does("stop the chain", 1, stop),
];

fn make_a_block(world: &mut World<'_>, _: &mut Dice) {
    world.skip(0);
}

fn leave_slots_empty(world: &mut World<'_>, dice: &mut Dice) {
    world.skip(1 + dice.below(8));
}

fn go_on(world: &mut World<'_>, dice: &mut Dice) {
    world.run_to(UsageClock::current(), 1 + dice.below(3));
}

fn end_epoch(world: &mut World<'_>, _: &mut Dice) {
    world.end_epoch();
}

/// Up to about three eras.
fn end_epochs(world: &mut World<'_>, dice: &mut Dice) {
    for _ in 0..2 + dice.below(11) {
        world.end_epoch();
    }
}

/// For up to a day.
fn stop(world: &mut World<'_>, dice: &mut Dice) {
    world.skip(dice.below(28_800));
}
