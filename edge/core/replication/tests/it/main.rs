//! The steward and the copier, driven by hand and by a small network without delays.

mod bounds;
mod copier;
mod demand;
mod memory;
mod net;
mod repair;
mod silence;
mod trust;
