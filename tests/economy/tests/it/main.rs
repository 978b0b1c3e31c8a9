//! What the rules promise about coalitions, and that the simulation would notice if they did not.

mod checker;
mod promises;
mod trees;
