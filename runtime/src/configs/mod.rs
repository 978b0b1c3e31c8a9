//! Wires the pallets, one file per area.

pub mod consensus;
pub mod governance;
pub mod money;
pub mod system;
pub mod utility;
