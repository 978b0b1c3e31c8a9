//! Who owns what.

mod balance;
mod letter;
mod loads;
mod nodes;
mod owners;
mod placement;
mod vectors;
