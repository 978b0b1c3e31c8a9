//! Probes: who is drawn, what they saw together, and what follows for a node.
//!
//! - [`draw`]: which nodes probe a node in an epoch, O(k) for each.
//! - [`tally`]: from the words of several probers to one finding per epoch, and from an era of findings to the
//!   components of a score.
//! - [`place`]: whether round trips fit the region that a node claims.
//!
//! Wherever several probers speak, the weighted median of [`crate::score`] decides, in which no operator has more than
//! a fifth of the weight, and a tie is decided for the node. What nobody saw counts as nothing.

pub mod draw;
pub mod place;
pub mod tally;

pub use draw::{draw, Probed};
pub use place::{place, Place};
pub use tally::{find, quality, speed, Finding, Observed};
