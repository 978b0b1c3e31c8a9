//! One file per call, and the origins.

mod origins;
mod set_parameter;
