//! Wires the pallets, one file per area.

pub mod auditor;
#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarks;
pub mod consensus;
pub mod driver;
pub mod edge;
pub mod governance;
pub mod money;
pub mod nodes;
pub mod params;
pub mod ranges;
pub mod system;
pub mod utility;
