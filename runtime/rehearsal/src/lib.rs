//! Builds the next runtime, which a rehearsal of an upgrade takes a network to.
//!
//! It is the runtime with the feature `upgrade-rehearsal`, never released; `src/rehearsal.rs` of the
//! runtime says what it changes, and `docs/operate/upgrade.md` what a rehearsal is for.

include!(concat!(env!("OUT_DIR"), "/upgrade_rehearsal"));
